"""`check_csrf` for a whole request: the token in a header, in a form, or handed over."""

from io import BytesIO
from urllib.parse import urlencode

import flask
import pytest
import webob
from django.conf import settings as django_settings
from django.core.handlers.wsgi import WSGIRequest
from hypothesis import given
from hypothesis import strategies as st

from cookiesess import SessionError, SessionManager, check_csrf
from kit.constants import KEY

if not django_settings.configured:
    django_settings.configure()

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def session():
    return SessionManager(KEY).open("")


def environ_of(session, body=b"", **variables):
    environ = webob.Request.blank("/", method="POST", body=body, content_type=FORM).environ
    return environ | {"cookiesess.session": session} | variables


def form(**fields):
    return urlencode(fields).encode()


def test_a_script_sends_its_token_in_a_header(session):
    assert check_csrf(environ_of(session, HTTP_X_CSRF_TOKEN=session.csrf_token()))
    assert not check_csrf(environ_of(session, HTTP_X_CSRF_TOKEN="another"))


def test_a_form_sends_it_in_a_field_and_the_body_stays_readable(session):
    body = form(city="Wien", csrf_token=session.csrf_token())
    environ = environ_of(session, body)
    assert check_csrf(environ)
    assert check_csrf(environ)
    assert environ["wsgi.input"].read() == body


def test_the_field_may_have_another_name(session):
    environ = environ_of(session, form(token=session.csrf_token()))
    assert not check_csrf(environ)
    assert check_csrf(environ, field="token")


def test_an_app_hands_over_what_it_has_parsed_itself(session):
    environ = environ_of(session, b"--x", CONTENT_TYPE="multipart/form-data; boundary=x")
    assert not check_csrf(environ)
    assert check_csrf(environ, session.csrf_token())
    assert not check_csrf(environ, "")


def test_a_multipart_body_is_not_touched(session):
    environ = environ_of(session, b"--x", CONTENT_TYPE="multipart/form-data; boundary=x")
    check_csrf(environ)
    assert environ["wsgi.input"].read() == b"--x"


def test_a_form_type_may_say_its_charset(session):
    body = form(csrf_token=session.csrf_token())
    assert check_csrf(environ_of(session, body, CONTENT_TYPE=f"{FORM.title()}; charset=UTF-8"))


def test_a_form_beyond_64_kb_is_left_to_the_app(session):
    token = session.csrf_token()
    overhead = len(form(csrf_token=token, x=""))
    fits, too_long = (form(csrf_token=token, x="x" * (65_536 - overhead + more)) for more in (0, 1))
    assert check_csrf(environ_of(session, fits))
    environ = environ_of(session, too_long)
    assert not check_csrf(environ)
    assert environ["wsgi.input"].read() == too_long


def test_a_form_of_thousands_of_fields_has_no_token(session):
    assert not check_csrf(environ_of(session, b"a=1&" * 2000 + form(csrf_token=session.csrf_token())))


@pytest.mark.parametrize("chunked", [{"CONTENT_LENGTH": ""}, {}], ids=["empty", "absent"])
def test_a_chunked_form_stays_readable_and_has_a_token_where_a_framework_has_parsed_it(session, chunked):
    body = form(csrf_token=session.csrf_token())
    environ = environ_of(session, body, **{"wsgi.input_terminated": True})
    del environ["CONTENT_LENGTH"]
    environ |= chunked
    assert not check_csrf(environ)
    assert check_csrf(flask.Request(environ))


@pytest.mark.parametrize("length", ["", "x", "-1", "²", "9" * 5000, "0" * 5000 + "9", "1.5"])
def test_a_length_that_is_none_is_no_error(session, length):
    assert not check_csrf(environ_of(session, form(csrf_token=session.csrf_token()), CONTENT_LENGTH=length))


def test_a_body_shorter_than_its_length_is_no_error(session):
    assert not check_csrf(environ_of(session, b"csrf", CONTENT_LENGTH="5000"))


@given(body=st.binary(max_size=200), field=st.text(max_size=5))
def test_no_body_is_an_error(body, field):
    session = SessionManager(KEY).open("")
    environ = environ_of(session, body)
    assert not check_csrf(environ, field=field)
    assert environ["wsgi.input"].read() == body


REQUESTS = {"Flask": flask.Request, "WebOb": webob.Request, "Django": WSGIRequest}


@pytest.mark.parametrize("make", REQUESTS.values(), ids=REQUESTS)
@pytest.mark.parametrize("first", ["the form", "the token"])
def test_a_frameworks_own_form_is_there_before_and_after(session, make, first):
    body = form(city="Wien", csrf_token=session.csrf_token())
    request = make(environ_of(session, body))
    if first == "the token":
        assert check_csrf(request)
    fields = request.form if make is flask.Request else request.POST
    assert fields["city"] == "Wien"
    assert check_csrf(request)


def test_a_field_that_a_framework_has_parsed_to_something_else_is_no_token(session):
    class Request:
        environ = environ_of(session, form(csrf_token="x"))
        form = {"csrf_token": ["x"]}  # noqa: RUF012

    assert not check_csrf(Request())


def test_a_request_without_a_body_has_no_token(session):
    assert not check_csrf({"cookiesess.session": session, "wsgi.input": BytesIO()})


def test_outside_of_the_middleware_it_says_what_is_missing():
    with pytest.raises(SessionError, match="SessionMiddleware"):
        check_csrf({})
