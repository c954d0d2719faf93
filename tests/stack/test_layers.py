"""Which layers know a verb, which options each gets, and what is said of sources that are not asked."""

from types import ModuleType

import pytest

from binwright.errors import InputError
from binwright.headroom import Question, SourceHeadroom
from binwright.kubernetes.place import Options
from binwright.stack import headroom as stack_headroom
from binwright.stack import layers
from binwright.stack.headroom import headroom, unknown_shapes
from binwright.stack.sources import Source
from binwright.stack.wishes import Wishes

CLUSTER, CLOUD, TRACE = (Source(name, layer, []) for name, layer in (
    ("shop", "kubernetes"), ("north", "openstack"), ("pods", "openb"),
))  # fmt: skip


def test_a_layer_without_the_verb_is_noted_beside_others_and_refused_alone():
    able, notes = layers.by_layer([TRACE, CLUSTER], "explain", "explain")
    assert [(source.name, module.__name__) for source, module in able] == [("shop", "binwright.kubernetes.explain")]
    assert notes == ["pods: explain does not know sources of layer openb"]
    with pytest.raises(InputError, match=r"^pods: explain does not know sources of layer openb$"):
        layers.by_layer([TRACE], "explain", "explain")


def test_a_module_that_is_there_and_fails_to_import_is_a_defect(monkeypatch):
    def broken(name):
        raise ModuleNotFoundError("No module named 'x'", name="x")

    monkeypatch.setattr(layers.importlib, "import_module", broken)
    with pytest.raises(ModuleNotFoundError):
        layers.by_layer([CLUSTER], "explain", "explain")


def test_each_layer_gets_its_options():
    wishes = Wishes(retry_errors=True, complete=True)
    assert layers.layer_options(CLUSTER, wishes) == {"options": Options(complete=True)}
    assert layers.layer_options(CLOUD, wishes) == {"retry_errors": True, "nova_conf": None}


def found(name, *unknown, layer="kubernetes"):
    return SourceHeadroom(name, layer, 1, "", unknown=list(unknown))


def test_a_shape_that_some_know_is_noted_and_one_that_none_knows_refused():
    questions = {"kubernetes": Question(("x", "y"))}
    assert list(unknown_shapes([found("a", "x"), found("b")], questions)) == ["a: not asked for x, there is none"]
    with pytest.raises(InputError, match=r"^--pod x: no such file"):
        list(unknown_shapes([found("a", "x"), found("b", "x")], questions))
    # what a cloud does not know is a cloud's business
    both = {**questions, "openstack": Question(("m1",))}
    with pytest.raises(InputError, match=r"^--flavor m1: "):
        list(unknown_shapes([found("a"), found("north", "m1", layer="openstack")], both))


def test_sources_without_a_question_are_noted(monkeypatch):
    module = ModuleType("made")
    module.headroom_source = lambda name, blobs, question, **options: found(name)
    monkeypatch.setattr(stack_headroom, "by_layer", lambda sources, *words: ([(one, module) for one in sources], []))
    result = headroom([CLUSTER, CLOUD, TRACE], {"kubernetes": Question(("cpu=1",))})
    assert [source.source for source in result.sources] == ["shop"]
    assert result.notes == [
        "north: not asked, it is of layer openstack and wants --flavor",
        "pods: not asked, it is of layer openb and wants another verb",
    ]
    with pytest.raises(InputError, match=r"^nothing is asked \(north: not asked"):
        headroom([CLOUD], {"kubernetes": Question(("cpu=1",))})
