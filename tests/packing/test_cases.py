"""Proofs by cuts and by cases: an instance whose prices alone cannot prove the optimum; tampered proofs."""

from dataclasses import replace

import pytest

from binwright.packing import CheckFailed, Items, check_certificate, pack
from binwright.packing.certificate import Cut
from binwright.packing.tree import Case, Rules, can_split, case_problem, check_case

pytest.importorskip("highspy")


# a small instance whose linear program is at most 6 and whose optimum is 7
WEIGHTS, COUNTS = [[1, 12], [9, 10], [3, 5], [1, 5], [1, 6], [13, 10], [7, 7]], [1, 3, 1, 2, 3, 2, 3]


@pytest.fixture(scope="module")
def result():
    """With cuts nothing would be left for cases."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("binwright.packing.exact.CUT_ROUNDS", 0)
        patch.setattr("binwright.packing.branch.CUT_ROUNDS", 0)
        return pack(Items(WEIGHTS, COUNTS), [20, 20], iterations=2000)


def test_the_optimum_is_proven_by_cases(result):
    assert (result.value, result.bound, result.status) == (7, 7, "optimal")
    assert result.cases is not None
    assert result.to_dict()["proof"]["kind"] == "cases"
    result.verify()


def test_the_optimum_is_proven_by_cuts():
    result = pack(Items(WEIGHTS, COUNTS), [20, 20], iterations=200)
    assert (result.value, result.bound, result.status, result.cases) == (7, 7, "optimal", None)
    proof = result.to_dict()["proof"]
    assert proof["kind"] == "cuts"
    assert proof["cuts"]
    result.verify()
    # fewer or smaller fines: a bin can be worth more than claimed, or the bound is gone
    fewer = replace(result.proof, cuts=result.proof.cuts[1:])
    smaller = replace(result.proof, cuts=tuple(replace(cut, fine=cut.fine // 2) for cut in result.proof.cuts))
    for wrong in (fewer, smaller):
        with pytest.raises(CheckFailed, match="worth more than"):
            check_certificate(result.problem, wrong)
    for rows in ((0, 0), (0, 7), (-1,)):
        with pytest.raises(CheckFailed, match="a row twice or that is not there"):
            check_certificate(result.problem, replace(result.proof, cuts=(Cut(rows, 1),)))
    with pytest.raises(CheckFailed, match="negative fine"):
        check_certificate(result.problem, replace(result.proof, cuts=(Cut((0,), -1),)))


def test_a_proof_by_cases_may_use_cuts():
    """Both: the cuts of a case are of single items, and the checker knows the groups that share a bin there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("binwright.packing.exact.CUT_ROUNDS", 0)
        result = pack(Items(WEIGHTS, COUNTS), [20, 20], iterations=2000)
    assert result.status == "optimal"
    assert result.cases is not None
    result.verify()


def tampered(case: Case) -> Case:
    """The same proof with one certificate that claims too much."""
    if case.certificate is not None:
        return replace(case, certificate=replace(case.certificate, scale=max(case.certificate.scale // 2, 1)))
    if case.together is not None and case.together.homeless is None:
        return replace(case, together=tampered(case.together))
    return replace(case, apart=tampered(case.apart))


def test_a_tampered_proof_is_refused(result):
    with pytest.raises(CheckFailed):
        check_case(result.problem, tampered(result.cases), 7)


def test_a_missing_case_is_refused(result):
    with pytest.raises(CheckFailed, match="a case is missing"):
        check_case(result.problem, replace(result.cases, apart=None), 7)


def test_an_unsettled_case_is_refused(result):
    with pytest.raises(CheckFailed, match="a case is not settled"):
        check_case(result.problem, Case(), 3)
    with pytest.raises(CheckFailed, match="a case is not settled"):
        check_case(result.problem, Case(homeless=0), 3)


def test_rules_join_groups():
    rules = Rules().together(1, 2).together(3, 4).together(2, 3).apart(0, 1)
    assert rules == Rules(((1, 2, 3, 4),), ((0, 1),))


def test_cases_keep_the_rules_of_the_problem():
    result = pack(Items([3, 2], [2, 2], conflicts=[(0, 1)], at_most=[((1,), 1)]), 6, iterations=50)
    assert can_split(result.problem, 4)
    assert not can_split(result.problem, 3)
    split = case_problem(result.problem, Rules().together(0, 1))
    assert sorted(split.items.conflicts) == [(0, 2), (0, 3), (1, 2), (1, 3)]
    assert split.items.at_most == (((2, 3), 1),)
    assert result.value == 3
