"""InterPodAffinity: pods that want to be near others, or far from them, and others from them (kubernetes spec 4).

Terms of the pod that looks for a node count matching pods. Terms of pods that lie somewhere are held there: a class
that one of them matches reads how many holders its domains have, also of terms that appear later.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from binwright.kubernetes import label_selectors
from binwright.kubernetes.counts import Counts
from binwright.kubernetes.objects import Pod
from binwright.kubernetes.plugins.affinity_terms import Selection, Term, selections, terms_of
from binwright.kubernetes.related import Related
from binwright.kubernetes.traits import Matches, Traits
from binwright.request import Request
from binwright.terms import HardTerm, Ref, SoftTerm, forbid, require

__all__ = ["InterPodAffinity", "InterPodArgs"]

_AFFINITY, _ANTI_AFFINITY, _EXISTING = 0, 1, 2
_TEXTS = (
    "node(s) didn't match pod affinity rules",
    "node(s) didn't match pod anti-affinity rules",
    "node(s) didn't satisfy existing pods anti-affinity rules",
)


@dataclass(frozen=True)
class InterPodArgs:
    """InterPodAffinityArgs: hardPodAffinityWeight, ignorePreferredTermsOfExistingPods."""

    hard_weight: int = 1
    ignore_preferred_of_existing: bool = False


class InterPodAffinity:
    """Filter on required terms of both sides, score by preferred ones of both sides."""

    rule = plugin = "InterPodAffinity"
    holding = True

    def __init__(
        self, counts: Counts, related: Related, args: InterPodArgs, empty_labels: bool, *, filters: bool, scores: bool
    ) -> None:
        """empty_labels: quirk nsSelectorEmptyLabels of 1.34.1."""
        self._counts = counts
        self._related = related
        self._args = args
        self._empty_labels = empty_labels
        self._filters = filters
        self._scores = scores
        self._repelling: Matches[Ref] = Matches()  # required anti-affinity terms of pods that lie somewhere
        self._attracting: Matches[Ref] = Matches()  # their terms that score
        self._reading: dict[Traits, list[Request]] = {}
        self._scored: dict[Traits, list[Request]] = {}

    def key(self, pod: Pod) -> Hashable:
        terms = terms_of(pod)
        return terms if any(terms) else None

    # ---- as a pod that lies somewhere ----------------------------------------------------------------------

    def held(self, pod: Pod) -> dict[int, int]:
        terms = terms_of(pod)
        found: dict[int, int] = {}
        if self._filters:
            for term in terms.anti_affinity:
                self._hold(found, "repels", term, 1, 1)
        if self._scores:
            if self._args.hard_weight:
                for term in terms.affinity:
                    self._hold(found, "required", term, 1, self._args.hard_weight)
            for term in terms.preferred:
                self._hold(found, "attracts", term, term.weight, 1)
            for term in terms.preferred_anti:
                self._hold(found, "disfavours", term, term.weight, -1)
        return found

    def _hold(self, found: dict[int, int], kind: str, term: Term, amount: int, weight: int) -> None:
        key = (kind, term.key, term.about)
        known = self._counts.holds(key)
        counter = self._counts.held(key)
        found[counter] = found.get(counter, 0) + amount
        if known:
            return
        ref = Ref(counter, term.key, weight=weight)
        matches = self._repelling if kind == "repels" else self._attracting
        for traits in matches.add_test(label_selectors.anchor(term.about.selector), self._test(term.about), ref):
            if kind == "repels":
                self._counts.extend(self._reading.get(traits, ()), self._kept_off(ref))
            else:
                self._counts.extend(self._scored.get(traits, ()), SoftTerm(self.plugin, (ref,)))

    def _test(self, about: Selection) -> Callable[[Traits], bool]:
        return lambda traits: about.matches(traits, self._related)

    def _kept_off(self, ref: Ref) -> HardTerm:
        return forbid(self.rule, [ref], argument=_EXISTING, skip_when_empty=True)

    # ---- as a pod that looks for a node --------------------------------------------------------------------

    def terms(self, pod: Pod, traits: Traits) -> list[HardTerm | SoftTerm]:
        terms = terms_of(pod)
        found: list[HardTerm | SoftTerm] = []
        if self._filters:
            if terms.affinity:
                together = selections(terms.affinity, self._related, self._empty_labels)
                counter = self._counter(together)
                refs = [Ref(counter, key) for key in dict.fromkeys(term.key for term in terms.affinity)]
                own = all(one.matches(traits, None) for one in together)
                found.append(require(self.rule, refs, matches_itself=own, argument=_AFFINITY, missing=_AFFINITY))
            for term, about in zip(terms.anti_affinity, self._selections(terms.anti_affinity)):
                found.append(forbid(self.rule, [Ref(self._counter([about]), term.key)], argument=_ANTI_AFFINITY))
            found += [self._kept_off(ref) for ref in self._repelling.add_traits(traits)]
        if self._scored_by(pod):
            refs = []
            for listed, sign in ((terms.preferred, 1), (terms.preferred_anti, -1)):
                for term, about in zip(listed, self._selections(listed)):
                    refs.append(Ref(self._counter([about]), term.key, weight=sign * term.weight))
            refs += self._attracting.add_traits(traits)
            if refs:
                found.append(SoftTerm(self.plugin, tuple(refs)))
        return found

    def compiled(self, request: Request, pod: Pod, traits: Traits) -> None:
        self._reading.setdefault(traits, []).append(request)
        if self._scored_by(pod):
            self._scored.setdefault(traits, []).append(request)

    def _scored_by(self, pod: Pod) -> bool:
        """Whether the score runs for this pod at all."""
        terms = terms_of(pod)
        return self._scores and bool(
            not self._args.ignore_preferred_of_existing or terms.preferred or terms.preferred_anti
        )

    def text(self, argument: int) -> str:
        return _TEXTS[argument]

    def _selections(self, terms: tuple[Term, ...]) -> list[Selection]:
        return selections(terms, self._related, self._empty_labels)

    def _counter(self, together: list[Selection]) -> int:
        """The counter of the pods that are meant by all these selections."""
        anchors = [label_selectors.anchor(one.selector) for one in together]
        return self._counts.matched(
            ("pods", *together),
            next((one for one in anchors if one is not None), None),
            lambda traits: all(one.matches(traits, None) for one in together),
            lambda traits: (1, 1),
        )
