"""Flask-Login's own tests over the adapter: they end as they do over Flask's sessions, but for what the page names."""

import pytest

from kit import flask_login_suite

# Bound, strong protection ends the whole session that it takes for stolen, where Flask-Login forgets the login alone.
STRONG = {"LoginTestCase::test_session_protection_strong_deletes_session"}
# They take the messages out of the session once the response is there, and no cookie can say so any more.
LATE = {
    "LoginTestCase::test_needs_refresh_fires_flash_when_redirect_to_refresh_view",
    "LoginTestCase::test_needs_refresh_flash_message_localized",
    "LoginTestCase::test_unauthorized_flash_message_localized",
    "LoginTestCase::test_unauthorized_flashes_message_with_login_view",
}

pytestmark = [pytest.mark.process, pytest.mark.thorough]


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """The folder of the tests, and how they end over Flask's own sessions."""
    tests = flask_login_suite.fetch(tmp_path_factory.mktemp("flask-login"))
    if tests is None:
        pytest.skip("the sources of Flask-Login cannot be downloaded here")
    outcomes = flask_login_suite.outcomes(tests, sessions="flask", bound=False)
    assert list(outcomes.values()).count("PASSED") > 100
    return tests, outcomes


@pytest.mark.parametrize("bound", [False, True], ids=["as it is", "bound"])
@pytest.mark.parametrize("sessions", ["cookie", "store"])
def test_they_end_as_over_flasks_own_sessions(theirs, sessions, bound):
    tests, outcomes = theirs
    ours = flask_login_suite.outcomes(tests, sessions=sessions, bound=bound)
    assert ours.keys() == outcomes.keys()
    differ = {name for name, outcome in ours.items() if outcome != outcomes[name]}
    assert differ == (STRONG if bound else set()) | (LATE if sessions == "cookie" else set())
