"""What the envelopes share: merged rules, reasons, shortfalls."""

from binwright.explained import RuleText, Shortfall
from binwright.outcome import NotEvaluated, ReasonText
from binwright.stack import envelope


def test_equal_rules_add_up_and_keep_the_first_example_most_objects_first():
    merged = envelope.merged_not_evaluated(
        [
            ("one", [NotEvaluated("b", 1, "x"), NotEvaluated("a", 1, "y")]),
            ("two", [NotEvaluated("c", 2, "z"), NotEvaluated("b", 1, "w")]),
        ]
    )
    assert merged == [NotEvaluated("b", 2, "one: x"), NotEvaluated("c", 2, "two: z"), NotEvaluated("a", 1, "one: y")]


def test_an_example_of_the_only_source_does_not_name_it_and_nothing_is_changed():
    entry = NotEvaluated("b", 1, "x")
    merged = envelope.merged_not_evaluated([("one", [entry, NotEvaluated("b", 2, "w")])])
    assert merged == [NotEvaluated("b", 3, "x")]
    assert entry.objects == 1


def test_entries_have_the_keys_of_the_schema():
    assert envelope.reason_entries([ReasonText("r", 2, "t")]) == [{"rule": "r", "hosts": 2, "text": "t"}]
    assert envelope.rejection_entries([RuleText("r", "t")]) == [{"rule": "r", "text": "t"}]
    assert envelope.shortfall_entries([Shortfall("cpu", 5, -2)]) == [
        {"resource": "cpu", "asked": 5, "free": -2, "missing": 7}
    ]
