"""Label selectors in kubectl's notation."""

import pytest

from binwright.errors import InputError
from binwright.stack.label_selector import label_selector

LABELS = {"app": "web", "tier": "front", "example.org/owner": "team-a", "empty": ""}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("app=web", True),
        ("app==web", True),
        ("app = web", True),
        ("app=db", False),
        ("app!=db", True),
        ("app!=web", False),
        ("missing!=x", True),
        ("missing=x", False),
        ("missing=", False),
        ("empty=", True),
        ("example.org/owner=team-a", True),
        ("app in (web, db)", True),
        ("app in (db)", False),
        ("app notin (db,cache)", True),
        ("app notin (web)", False),
        ("missing notin (web)", True),
        ("missing in (web)", False),
        ("app", True),
        ("missing", False),
        ("!missing", True),
        ("!app", False),
        ("app=web,tier in (front,back),!missing", True),
        ("app=web,tier in (back,side),!missing", False),
    ],
)
def test_a_selector_holds_as_in_kubectl(text, holds):
    assert label_selector(text)(LABELS) is holds


@pytest.mark.parametrize("text", ["", "app=web,", "app>1", "app in web", "app in (a", "a b", "=x", "-a"])
def test_what_is_no_selector_is_refused(text):
    with pytest.raises(InputError, match=r"^-l: .*: not KEY=VALUE"):
        label_selector(text)
