"""What docs/migrating.md says of sessions in the old library's store: its blocks and exports, by the real libraries."""

import json
import re
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from uuid import UUID

import pytest
from beaker.middleware import SessionMiddleware as BeakerMiddleware
from webob import Request, Response

from cookiesess import SessionManager, get_session
from cookiesess.cli import main
from cookiesess.readers import ImportedSessions
from cookiesess.testing import CookieHeader, session_transaction
from docs.pages import ROOT, Shell
from kit.constants import KEY, SECRET, UNTIL
from kit.servers.redis import client_of, shared_redis  # noqa: F401
from readers.django_projects import project
from readers.suite import OTHER_SECRET, value_of
from readers.test_flask_session import site, write

pytestmark = pytest.mark.docs

PAGE = (ROOT / "docs" / "migrating.md").read_text(encoding="utf-8")
# The words that tell each block from the others.
BLOCKS = ["DjangoStore(", "FlaskSessionRedis(", "ImportedSessions(", "CACHE = caches", "OPTIONS: dict"]
PICKLED = {
    "user": "ann",
    "at": datetime(2024, 2, 29, 12, tzinfo=UTC),
    "day": date(2024, 2, 29),
    "price": Decimal("2.50"),
    "id": UUID(int=7),
    "raw": b"\x00\xff",
    "ids": {1, 2},
}


def block(words):
    (code,) = [code for code in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if words in code]
    return code.replace("2030", "2100")


def app(environ, start_response):
    session = get_session(environ)
    return Response(f"{session.get('user')} {session.owner}")(environ, start_response)


@pytest.fixture
def here(monkeypatch, tmp_path):
    """A folder with a project whose app is `app`."""
    monkeypatch.chdir(tmp_path)
    settings = {"COOKIESESS_KEYS": KEY, "COOKIESESS_STORE": "sqlite:///sessions.db", "SECRET_KEY": SECRET}
    for name, value in {**settings, "OLD_SECRET_KEY": OTHER_SECRET}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setitem(sys.modules, "shop", SimpleNamespace(app=app))
    return tmp_path


def answer(words, cookie):
    """Return what the app of a block answers to a visitor with that cookie, at the first and the second request."""
    names = {"__name__": "project"}
    exec(block(words), names)
    cookies, texts = CookieHeader(cookie), []
    for _ in range(2):
        request = Request.blank("/", base_url="https://shop.example", headers={"Cookie": cookies.value})
        response = request.get_response(names["app"])
        cookies.follow(response.headers.getall("Set-Cookie"))
        texts.append(response.text)
    names["app"].manager.close_stores()
    return texts


def imported(cookie, **settings):
    """Import what an export has written, and return what the session of a visitor with that cookie holds then."""
    assert main(["import", "sessions.jsonl", "--json"]) == 0
    reader = ImportedSessions(cookie_name=cookie.partition("=")[0], until=UNTIL, **settings)
    manager = SessionManager(KEY, store="sqlite:///sessions.db", accept=[reader])
    with session_transaction(manager, CookieHeader(cookie)) as session:
        data = dict(session)
    manager.close_stores()
    return data


def test_django_s_sessions_move(here, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "sqlite:///old.sqlite3")
    with project(here, SESSION_ENGINE="django.contrib.sessions.backends.db") as django:
        value = django.write({"user": "ann", "_auth_user_id": "42"})
    assert answer("DjangoStore(", f"sessionid={value}") == ["ann 42"] * 2


@pytest.mark.servers
@pytest.mark.usefixtures("here")
def test_flask_session_s_sessions_move(monkeypatch, shared_redis):  # noqa: F811
    monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{shared_redis.port}/0")
    value = write(site(shared_redis.port), {"user": "ann", "_user_id": "42"})
    assert answer("FlaskSessionRedis(", f"session={value}") == ["ann 42"] * 2


def test_the_transcript_of_the_import_is_true_and_the_old_cookie_leads_there(here, monkeypatch):
    (lines,) = re.findall(r"<!-- save: sessions.jsonl -->\n```json\n(.*?)```", PAGE, re.DOTALL)
    (transcript,) = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    (here / "sessions.jsonl").write_text(lines)
    shell = Shell(here, monkeypatch)
    shell.run(transcript)
    shell.close()
    assert answer("ImportedSessions(", f"sessionid={json.loads(lines.splitlines()[0])['id']}") == ["None None"] * 2
    assert imported_already(here) == {"_auth_user_id": "42"}


def imported_already(here):
    reader = ImportedSessions(cookie_name="sessionid", until=UNTIL)
    manager = SessionManager(KEY, store=f"sqlite:///{here / 'sessions.db'}", accept=[reader])
    data = dict(manager.open("sessionid=pu2tkd2f9l8dfnvfx4q4nrpxw0kf2dbe"))
    manager.close_stores()
    return data


PICKLES = f"import datetime, decimal, uuid\nDATA = {PICKLED!r}".replace("UUID(", "uuid.UUID(").replace(
    "Decimal(", "decimal.Decimal("
)
PUT = (
    "from django.contrib.sessions.backends.cache import SessionStore\n"
    "session = SessionStore({value!r})\nsession.update(DATA)\nsession.save()"
)


def exported_from_django(folder, cache):
    settings = {"SESSION_ENGINE": "django.contrib.sessions.backends.cache", "CACHES": {"default": cache}}
    with project(folder, **settings) as django:
        value = django.write({"_auth_user_id": "42"})
        django.run(PICKLES + "\n" + PUT.format(value=value))
        django.run("from django.core.cache import cache\ncache.set('another', 1)")
        django.run(block("CACHE = caches"))
    return value


def test_django_s_sessions_come_out_of_a_cache_in_a_database(here):
    cache = {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "my_cache"}
    value = exported_from_django(here, cache)
    assert imported(f"sessionid={value}") == {**PICKLED, "_auth_user_id": "42"}


@pytest.mark.servers
def test_django_s_sessions_come_out_of_redis(here, shared_redis):  # noqa: F811
    location = f"redis://127.0.0.1:{shared_redis.port}/5"
    value = exported_from_django(here, {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": location})
    assert imported(f"sessionid={value}") == {**PICKLED, "_auth_user_id": "42"}
    client_of(shared_redis.port, db=5).flushdb()


def beaker_cookie(options):
    """Return the cookie of a response of an app whose session is pickled by Beaker."""

    def view(environ, start_response):
        environ["beaker.session"].update(PICKLED)
        environ["beaker.session"].save()
        return Response("")(environ, start_response)

    wrapped = BeakerMiddleware(view, {f"session.{name}": value for name, value in options.items()})
    return value_of(Request.blank("/").get_response(wrapped).headers["Set-Cookie"])


BEAKERS = [{}, {"secret": SECRET}]


@pytest.mark.parametrize("settings", BEAKERS, ids=["plain", "signed"])
@pytest.mark.parametrize("kind", ["file", "dbm"])
def test_beaker_s_sessions_come_out_of_files(here, monkeypatch, kind, settings):
    monkeypatch.setenv("BEAKER_DATA_DIR", str(here / "beaker"))
    options = {"type": kind, "data_dir": str(here / "beaker"), "timeout": 1_209_600}
    value = beaker_cookie({**options, **settings})
    exec(block("OPTIONS: dict").replace('"type": "file"', f'"type": "{kind}"'), {"__name__": "export"})
    secret = {"beaker_secret": SECRET} if settings else {}
    assert imported(f"beaker.session.id={value}", **secret) == PICKLED


@pytest.mark.servers
@pytest.mark.usefixtures("here")
@pytest.mark.filterwarnings("ignore:Call to deprecated setex")  # by Beaker
def test_beaker_s_sessions_come_out_of_redis(shared_redis):  # noqa: F811
    options = {"type": "ext:redis", "url": f"redis://127.0.0.1:{shared_redis.port}/6", "timeout": 1_209_600}
    value = beaker_cookie(options)
    code = re.sub(r"OPTIONS: .*?\}", f"OPTIONS = {options!r}", block("OPTIONS: dict"))
    exec(code, {"__name__": "export"})
    assert imported(f"beaker.session.id={value}") == PICKLED
    client_of(shared_redis.port, db=6).flushdb()
