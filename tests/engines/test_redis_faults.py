"""RedisStore when things break: nothing acknowledged is lost, nothing that was ended returns, no request hangs.

The rows of the table in the documents are in the names: *acknowledged*, *ended*, *hangs*.
"""

from contextlib import closing

import pytest
import redis

from cookiesess.errors import RecordExists, StoreUnavailable
from cookiesess.stores.base import Conflict, Updated
from cookiesess.stores.redis import RedisStore
from kit.listing import listed
from kit.servers.proxy import Proxy
from kit.servers.redis import ANN, KEY, NOW, TIMEOUT, client_of, outcome_in_time, payload, prefix, record, update, verbs


@pytest.fixture
def proxy(shared_redis):
    with Proxy(shared_redis.port) as opened:
        yield opened


@pytest.fixture
def name():
    return prefix()


@pytest.fixture
def direct(shared_redis, name):
    """Another process's store on the same data, with nothing in between."""
    with closing(RedisStore(client_of(shared_redis.port), prefix=name)) as store:
        yield store


@pytest.fixture(params=["repeats by redis-py's defaults", "repeats once"])
def repeating(request, proxy, name):
    """A store whose client repeats what was not answered."""
    options = {"socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT}
    by_default = redis.Redis("127.0.0.1", proxy.port, **options)
    client = by_default if "defaults" in request.param else client_of(proxy.port)
    with closing(RedisStore(client, prefix=name)) as store:
        yield store


@pytest.fixture
def once(proxy, name):
    """A store whose client asks once."""
    with closing(RedisStore(client_of(proxy.port, retries=0), prefix=name)) as store:
        yield store


def a_write(data):
    return b"EVAL" in data


# Dropped connections


@pytest.mark.parametrize("moment", ["before", "within", "after"])
def test_an_update_whose_connection_was_dropped_is_applied_once_and_acknowledged(repeating, direct, proxy, moment):
    direct.create(KEY, record(), now=NOW)
    version = repeating.load(KEY, now=NOW).version
    proxy.drop(moment, match=a_write)
    outcome = update(repeating, version=version)
    assert isinstance(outcome, Updated)
    assert outcome.version == direct.load(KEY, now=NOW).version
    assert payload(direct) == b"updated"


def test_an_update_whose_answer_was_lost_is_not_applied_over_nine_others(repeating, direct, proxy):
    direct.create(KEY, record(), now=NOW)
    version = repeating.load(KEY, now=NOW).version

    def others():
        for number in range(9):
            assert isinstance(update(direct, b"other %d" % number), Updated)

    proxy.drop("after", match=a_write, meanwhile=others)
    assert isinstance(update(repeating, b"mine", version=version), Updated)
    assert payload(direct) == b"other 8"


def test_an_update_that_never_arrived_meets_the_nine_others_as_a_conflict(repeating, direct, proxy):
    direct.create(KEY, record(), now=NOW)
    version = repeating.load(KEY, now=NOW).version
    proxy.drop("before", match=a_write, meanwhile=lambda: [update(direct, b"theirs") for _ in range(9)])
    assert isinstance(update(repeating, b"mine", version=version), Conflict)
    assert payload(direct) == b"theirs"


def test_a_session_that_ended_while_an_update_s_answer_was_lost_stays_ended(repeating, direct, proxy):
    direct.create(KEY, record(), now=NOW)
    version = repeating.load(KEY, now=NOW).version
    proxy.drop("after", match=a_write, meanwhile=lambda: direct.delete(KEY))
    assert isinstance(update(repeating, version=version), Updated)
    assert payload(direct) is None


@pytest.mark.parametrize("moment", ["before", "within", "after"])
def test_a_create_whose_connection_was_dropped_is_acknowledged(repeating, direct, proxy, moment):
    proxy.drop(moment, match=a_write)
    repeating.create(KEY, record(), now=NOW)
    assert payload(direct) == b"payload"
    assert list(listed(direct, ANN, now=NOW)) == [KEY]


def test_a_session_that_ended_while_its_create_s_answer_was_lost_is_not_created_again(repeating, direct, proxy):
    proxy.drop("after", match=a_write, meanwhile=lambda: direct.delete(KEY))
    repeating.create(KEY, record(), now=NOW)
    assert payload(direct) is None


def test_a_create_whose_answer_was_lost_does_not_undo_an_update_in_between(repeating, direct, proxy):
    proxy.drop("after", match=a_write, meanwhile=lambda: update(direct))
    repeating.create(KEY, record(), now=NOW)
    assert payload(direct) == b"updated"


def test_a_create_over_another_s_record_is_refused_though_an_answer_was_lost(repeating, direct, proxy):
    direct.create(KEY, record(b"theirs"), now=NOW)
    proxy.drop("after", match=a_write)
    with pytest.raises(RecordExists):
        repeating.create(KEY, record(b"mine"), now=NOW)
    assert payload(direct) == b"theirs"


@pytest.mark.parametrize("moment", ["before", "within", "after"])
@pytest.mark.parametrize("known", [True, False], ids=["of a version", "of any version"])
def test_a_delete_whose_connection_was_dropped_is_true(repeating, direct, proxy, moment, known):
    direct.create(KEY, record(), now=NOW)
    version = direct.load(KEY, now=NOW).version if known else None
    proxy.drop(moment, match=a_write)
    assert repeating.delete(KEY, expected_version=version) is True
    assert payload(direct) is None


@pytest.mark.parametrize("moment", ["before", "within", "after"])
def test_a_touch_whose_connection_was_dropped_is_true(repeating, direct, proxy, moment):
    direct.create(KEY, record(), now=NOW)
    version = repeating.load(KEY, now=NOW).version
    proxy.drop(moment, match=a_write)
    assert repeating.touch(KEY, expires_at=NOW + 7200, expected_version=version, now=NOW)
    assert direct.load(KEY, now=NOW + 7199).payload == b"payload"


@pytest.mark.parametrize("moment", ["before", "within", "after"])
def test_a_load_whose_connection_was_dropped_is_repeated(repeating, direct, proxy, moment):
    direct.create(KEY, record(), now=NOW)
    proxy.drop(moment, match=lambda data: b"GET" in data)
    assert payload(repeating) == b"payload"


@pytest.mark.parametrize("moment", ["before", "within"])
def test_without_retries_a_dropped_update_is_unavailable_and_not_written(once, direct, proxy, moment):
    direct.create(KEY, record(), now=NOW)
    version = once.load(KEY, now=NOW).version
    proxy.drop(moment, match=a_write)
    with pytest.raises(StoreUnavailable, match="no connection") as caught:
        update(once, version=version)
    assert isinstance(caught.value.__cause__, redis.ConnectionError)
    assert payload(direct) == b"payload"
    assert isinstance(update(once), Updated)


def test_without_retries_a_lost_answer_is_unavailable_and_the_next_writer_learns_what_was_written(once, direct, proxy):
    direct.create(KEY, record(), now=NOW)
    version = once.load(KEY, now=NOW).version
    proxy.drop("after", match=a_write)
    with pytest.raises(StoreUnavailable):
        update(once, b"unknown", version=version)
    outcome = update(once, b"next", version=version)
    assert isinstance(outcome, Conflict)
    assert outcome.current.payload == b"unknown"


@pytest.mark.parametrize("verb", ["create", "load", "load_many", "update", "touch", "delete", "records_of"])
def test_every_verb_is_unavailable_while_nobody_listens_and_works_again_after(once, direct, proxy, verb):
    direct.create(KEY, record(), now=NOW)
    call = verbs(once, once.load(KEY, now=NOW).version)[verb]
    proxy.refuse()
    proxy.cut()
    outcome = outcome_in_time(call)
    assert isinstance(outcome, StoreUnavailable)
    assert isinstance(outcome.__cause__, redis.ConnectionError)
    proxy.refuse(False)
    assert not isinstance(outcome_in_time(call), Exception)


def test_a_client_that_trips_over_a_connection_closed_by_another_thread_is_unavailable(once, direct):
    """As redis-py's Cluster client does before 7.4 when a primary dies; what it raises is its own to choose."""
    direct.create(KEY, record(), now=NOW)

    def execute(*command):
        return None.feed  # the reader of a connection that is gone

    call, once._execute = verbs(once, once.load(KEY, now=NOW).version), execute
    for verb in ("load", "update", "touch", "delete"):
        outcome = outcome_in_time(call[verb])
        assert isinstance(outcome, StoreUnavailable)
        assert isinstance(outcome.__cause__, AttributeError)


def test_connections_that_the_server_closed_while_idle_are_replaced_without_a_word(once, direct, proxy):
    direct.create(KEY, record(), now=NOW)
    once.load(KEY, now=NOW)
    proxy.cut()
    assert payload(once) == b"payload"


def test_a_lost_answer_to_the_text_of_a_forgotten_script_is_not_applied_twice(repeating, direct, proxy, shared_redis):
    direct.create(KEY, record(), now=NOW)
    version = repeating.load(KEY, now=NOW).version
    with closing(client_of(shared_redis.port)) as client:
        client.script_flush()
    proxy.drop("after", match=lambda data: b"\r\nEVAL\r\n" in data, meanwhile=lambda: update(direct, b"theirs"))
    assert isinstance(update(repeating, b"mine", version=version), Updated)
    assert payload(direct) == b"theirs"
