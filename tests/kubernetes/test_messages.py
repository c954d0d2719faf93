"""The texts of a refusal, kubernetes spec 6."""

from binwright.kubernetes import messages


def test_the_histogram_is_sorted_as_strings():
    reasons = {"Insufficient cpu": 2, "Too many pods": 10, "Insufficient memory": 2}
    expected = "0/12 nodes are available: 10 Too many pods, 2 Insufficient cpu, 2 Insufficient memory."
    assert messages.fit_error(12, reasons) == expected


def test_no_reasons_leave_nothing_behind_the_colon():
    assert messages.fit_error(0, {}) == "0/0 nodes are available:"


def test_reasons_before_the_filters_are_not_counted():
    assert messages.fit_error(7, {}, ["a", "b"]) == "0/7 nodes are available: a, b."


def test_the_part_about_preemption():
    attempts = {messages.NOT_HELPFUL: 3, messages.NO_VICTIMS: 1}
    assert messages.no_preemption(4, attempts) == (
        " no new claims to deallocate, preemption: 0/4 nodes are available: "
        "1 No preemption victims found for incoming pod, 3 Preemption is not helpful for scheduling."
    )
