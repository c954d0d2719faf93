"""Which toleration covers which taint, kubernetes spec 2."""

import pytest

from binwright.kubernetes.objects import Taint, Toleration
from binwright.kubernetes.tolerations import first_untolerated, tolerates

TAINT = Taint("key", "value", "NoSchedule")


@pytest.mark.parametrize(
    ("toleration", "covered"),
    [
        (Toleration("key", "Equal", "value", "NoSchedule"), True),
        (Toleration("key", None, "value", "NoSchedule"), True),
        (Toleration("key", "", "value", ""), True),
        (Toleration("key", "Equal", "value", None), True),
        (Toleration("key", "Exists"), True),
        (Toleration("key", "Exists", "other"), True),
        (Toleration(None, "Exists"), True),
        (Toleration("", "Exists", None, "NoSchedule"), True),
        (Toleration(None, "Exists", None, "NoExecute"), False),
        (Toleration("key", "Equal", "other"), False),
        (Toleration("key", "Equal"), False),
        (Toleration("other", "Exists"), False),
        (Toleration("key", "exists"), False),
        (Toleration("key", "Gt", "0"), False),
        (Toleration(None, "Equal", "value"), True),
        (Toleration(None, None, "other"), False),
    ],
)
def test_tolerates(toleration, covered):
    assert tolerates(toleration, TAINT) is covered


def test_an_absent_value_is_an_empty_one():
    assert tolerates(Toleration("key"), Taint("key", None, "NoSchedule"))
    assert tolerates(Toleration("key", value=""), Taint("key", None, "NoSchedule"))
    assert not tolerates(Toleration("key", value="x"), Taint("key", None, "NoSchedule"))


def test_the_first_hard_taint_that_nothing_covers():
    soft = Taint("a", "", "PreferNoSchedule")
    hard, harder = Taint("b", "", "NoSchedule"), Taint("c", "", "NoExecute")
    assert first_untolerated((), (soft, hard, harder)) is hard
    assert first_untolerated([Toleration("b", "Exists")], (soft, hard, harder)) is harder
    both = [Toleration("b", "Exists"), Toleration(None, "Exists", None, "NoExecute")]
    assert first_untolerated(both, (soft, hard, harder)) is None
    assert first_untolerated((), (soft,)) is None
    assert first_untolerated((), (soft,), ("PreferNoSchedule",)) is soft
