"""The promises of docs/security.md: each is one sentence or a few, and names files of tests that there are."""

import re

import pytest

from docs.pages import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
TABLE = PAGE[PAGE.index("\n## Promises") : PAGE.index("```{include}")]
ROWS = re.findall(r"^\| ([A-Z].*) \|(?: (.*))? \|$", TABLE, re.MULTILINE)


@pytest.mark.parametrize(("promise", "kept_by"), ROWS, ids=lambda text: text[:40])
def test_the_tests_that_keep_a_promise_exist(promise, kept_by):
    assert promise.endswith(".")
    for shown, target in re.findall(r"\[(.*?)\]\((.*?)\)", kept_by):
        assert target == f"../tests/{shown}"
        assert "\ndef test_" in (ROOT / "docs" / target).read_text(encoding="utf-8"), target


def test_there_are_promises():
    assert len(ROWS) > 20
