"""The site as a whole: each page is in the index and each link leads somewhere; each how-to is an app to copy."""

import re
import subprocess

import pytest
from webob import Request

from cookiesess import Session, SessionManager, events
from cookiesess.session.guesses import REMEDIES
from docs.drawings import DRAWINGS, FOLDER
from docs.pages import PAGES, ROOT, blocks, name_of
from kit.constants import KEY

DOCS = ROOT / "docs"
HOWTOS = [path for path in PAGES if path.parent.name == "howto"]
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
# The text may hold code with brackets, and may be broken into two lines.
_LINK = re.compile(r"(?<!!)\[[^\[\]]*\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#{1,3} (.+)$", re.MULTILINE)
_TOCTREE = re.compile(r"^```\{toctree\}\n(.*?)^```", re.MULTILINE | re.DOTALL)


def prose(path):
    """Return the text of a page without its code."""
    return _FENCED.sub("", path.read_text(encoding="utf-8"))


def anchors(path):
    """Return what a link to a page may name behind the ``#``, by GitHub's rule."""
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in _HEADING.findall(prose(path))}


def links(path):
    """Yield the links of a page that lead to a file or to a heading of this project."""
    for target in _LINK.findall(_CODE.sub("code", prose(path))):
        if not re.match(r"[a-z]+:", target):
            yield target


def leads_somewhere(path, target):
    file, _, anchor = target.partition("#")
    goal = (path.parent / file).resolve() if file else path
    return goal.exists() and (not anchor or goal.suffix != ".md" or anchor in anchors(goal))


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_the_links_of_a_page_lead_somewhere(path):
    assert [target for target in links(path) if not leads_somewhere(path, target)] == []


def entries(path):
    """Yield the pages that the tables of contents of a page list."""
    for table in _TOCTREE.findall(path.read_text(encoding="utf-8")):
        for line in table.splitlines():
            if line and not line.startswith(":"):
                yield name_of(path.parent / f"{line}.md")


def test_every_page_is_in_one_table_of_contents():
    listed = [entry for path in PAGES for entry in entries(path)]
    assert sorted([*listed, "index"]) == sorted(map(name_of, PAGES))


def test_the_front_page_has_the_four_kinds_of_pages():
    captions = re.findall(r"^:caption: (.+)$", (DOCS / "index.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert {"Tutorial", "How to", "Explanation", "Reference"} <= set(captions)


def test_the_front_page_shows_each_page_that_its_tables_of_contents_list_in_their_order():
    front = DOCS / "index.md"
    tables = list(entries(front))
    shown = [target.removesuffix(".md") for target in links(front)]
    assert shown[-len(tables) :] == tables


def test_the_index_of_the_api_leads_to_each_of_its_pages():
    named = {target.removesuffix(".md") for target in links(DOCS / "api.md")}
    assert {name_of(path) for path in PAGES if path.parent.name == "api"} <= named


@pytest.fixture
def names(monkeypatch, tmp_path):
    """A module of its own, in a folder of its own, with a key in the environment."""
    monkeypatch.setenv("COOKIESESS_KEYS", KEY)
    monkeypatch.chdir(tmp_path)
    return {"__name__": "myapp"}


@pytest.mark.parametrize("path", HOWTOS, ids=name_of)
def test_a_how_to_has_a_whole_app_to_copy_which_answers_any_path(path, names):
    codes = [code for language, _, code in blocks(path) if language == "python" and "\napp = " in code]
    assert codes, "a how-to has a block that makes an app"
    for code in codes:
        assert 'os.environ["COOKIESESS_KEYS"]' in code
        module = dict(names)
        exec(compile(code, path.name, "exec"), module)
        for page in ("/", "/favicon.ico", "/some/page"):
            answer = Request.blank(page, base_url="https://shop.example").get_response(module["app"])
            assert answer.status_code == 200


@pytest.mark.parametrize("path", HOWTOS, ids=name_of)
def test_a_how_to_shows_by_a_test_what_its_app_does(path):
    codes = [code for language, _, code in blocks(path) if language == "python"]
    assert any(re.search(r"^ *assert ", code, re.MULTILINE) for code in codes)


def apps_and_tests(path):
    """Yield each app of a page with the code behind it that tests it."""
    found = []
    for language, _, code in blocks(path):
        if language == "python" and "\napp = " in code:
            found.append((code, []))
        elif language == "python" and found:
            found[-1][1].append(code)
    return found


# Where no commands stand between the blocks.
ALONE = [path for path in HOWTOS if "\n```console\n" not in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", ALONE, ids=name_of)
def test_the_test_of_a_how_to_needs_nothing_but_all_names_of_its_app(path, names):
    for app, tests in apps_and_tests(path):
        module = dict(names)
        exec(compile(app, path.name, "exec"), module)
        test = {name: value for name, value in module.items() if not name.startswith("_")}  # from myapp import *
        for code in tests:
            exec(compile(code, path.name, "exec"), test)


@pytest.mark.parametrize("path", HOWTOS, ids=name_of)
def test_the_title_of_a_how_to_says_the_job(path):
    title = path.read_text(encoding="utf-8").splitlines()[0]
    assert re.fullmatch(r"# [A-Z].{4,60}", title)


@pytest.mark.parametrize("name", ["choosing", "parallel", "timeouts", "security", "sessions", "settings", "events"])
def test_a_page_with_words_of_its_own_links_to_the_glossary(name):
    assert "glossary.md" in links(DOCS / f"{name}.md")


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_is_what_its_data_say_and_a_page_shows_it(name):
    assert (FOLDER / name).read_text(encoding="utf-8") == DRAWINGS[name], "`make drawings` writes them"
    assert any(f"](images/{name})" in path.read_text(encoding="utf-8") for path in PAGES)


def test_every_event_has_a_row_in_the_reference():
    page = (DOCS / "events.md").read_text(encoding="utf-8")
    missing = [name for name in events.__all__ if name != "Event" and f"| `{name}` |" not in page]
    assert missing == []


def test_make_docs_says_where_the_pages_are():
    recipe = ["make", "--no-print-directory", "--dry-run", "--assume-old=.venv/.docs", "docs"]
    done = subprocess.run(recipe, cwd=ROOT, capture_output=True, check=True, text=True, timeout=30)
    assert f"file://{ROOT}/docs/_build/html/index.html" in done.stdout.splitlines()[-1]


def members_of(cls):
    """Return the public attributes of a class, without a session's guesses, which are answered by an error."""
    guesses = set(REMEDIES) if cls is Session else set()
    return {name for name in dir(cls) if not name.startswith("_")} - guesses


@pytest.mark.parametrize("cls", [Session, SessionManager], ids=lambda cls: cls.__name__)
def test_every_member_of_a_class_that_has_several_pages_has_one_place(cls):
    pages = "".join(path.read_text(encoding="utf-8") for path in PAGES if path.parent.name == "api")
    head = rf"^.. autoclass:: cookiesess.{cls.__name__}\n   :(?:no-members:|members: (.*))$"
    (whole,) = re.findall(head, pages, re.MULTILINE)
    single = re.findall(rf"^.. auto(?:method|property):: cookiesess.{cls.__name__}\.(\w+)$", pages, re.MULTILINE)
    assert sorted([*filter(None, whole.split(", ")), *single]) == sorted(members_of(cls))
