"""The glossary: each word once and in order, each meaning one plain sentence, each name one that there is."""

import ast
import re

from core.ladder import FILES, tree_of
from docs.pages import ROOT

PAGE = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (?!word |---)(.+?) \| (.+) \|$", PAGE, re.MULTILINE)
# What the documents take for known, and its readers must find here.
WANTED = {
    "session", "cookies", "keyring", "token", "cookiepolicy", "lifetime", "backend", "store", "sessionmanager",
    "sessionmiddleware", "owner", "workingcopy", "envelope", "vault", "attachment", "gate", "decide", "state",
}  # fmt: skip
NAMES = {
    getattr(node, "name", None) or ast.unparse(node.target)
    for path in FILES
    for node in ast.walk(tree_of(path))
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AnnAssign)
}


def plain(word):
    return word.strip("`").lower()


def test_the_words_are_sorted_and_none_stands_there_twice():
    words = [plain(word) for word, _ in ROWS]
    assert words == sorted(set(words))


def test_no_word_is_missing():
    assert {plain(word) for word, _ in ROWS} >= WANTED


def test_each_meaning_is_one_short_sentence():
    long = [word for word, meaning in ROWS if not re.fullmatch(r"[A-Z0-9][^.]{10,130}\.", meaning)]
    assert long == []


def test_each_name_is_one_of_the_code():
    named = {name for name in re.findall(r"`(\w+)`", PAGE) if name != "code"}
    assert named - NAMES == set()
