"""InterPodAffinity: pods that want to be near others, or far from them, and others from them (kubernetes spec 4).

Terms of the pod that looks for a node count matching pods. Terms of pods that lie somewhere are held there: a class
that one of them matches reads how many holders its domains have, also of terms that appear later.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from binwright.kubernetes import label_selectors
from binwright.kubernetes.counts import Counts
from binwright.kubernetes.nodes import NodeTable
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
        self,
        counts: Counts,
        nodes: NodeTable,
        related: Related,
        args: InterPodArgs,
        empty_labels: bool,
        *,
        filters: bool,
        score: str | None,
        others: InterPodAffinity | None = None,
    ) -> None:
        """empty_labels: quirk nsSelectorEmptyLabels of 1.34.1. score: what the engine calls its score, None where it
        has none. others: the plugin of another profile; pods of either meet the same pods.
        """
        self._counts = counts
        self._nodes = nodes
        self._related = related
        self._args = args
        self._empty_labels = empty_labels
        self._filters = filters
        self._score = score
        self._repelling: Matches[Ref] = Matches()  # required anti-affinity terms of pods that lie somewhere
        self._attracting: Matches[Ref] = Matches()  # their terms that score
        self._reading: dict[Traits, list[Request]] = {}
        self._scored: dict[Traits, list[Request]] = {}
        self._all: list[InterPodAffinity] = others._all if others else []  # of every profile
        self._all.append(self)

    def key(self, pod: Pod) -> Hashable:
        terms = terms_of(pod)
        return terms if any(terms) else None

    # ---- as a pod that lies somewhere ----------------------------------------------------------------------

    def held(self, pod: Pod) -> dict[int, int]:
        terms = terms_of(pod)
        found: dict[int, int] = {}
        for kind, listed in (
            ("repels", terms.anti_affinity),
            ("required", terms.affinity),
            ("attracts", terms.preferred),
            ("disfavours", terms.preferred_anti),
        ):
            if listed and any(one._weight(kind) for one in self._all):
                for term in listed:
                    self._hold(found, kind, term)
        return found

    def _weight(self, kind: str) -> int:
        """What a holder of such a term weighs for pods of this profile; 0: nothing."""
        if kind == "repels":
            return int(self._filters)
        if self._score is None:
            return 0
        return {"required": self._args.hard_weight, "attracts": 1, "disfavours": -1}[kind]

    def _hold(self, found: dict[int, int], kind: str, term: Term) -> None:
        key = (kind, term.key, term.about)
        known = self._counts.holds(key)
        counter = self._counts.held(key)
        found[counter] = found.get(counter, 0) + (term.weight if kind in ("attracts", "disfavours") else 1)
        if not known:
            for one in self._all:
                one._appeared(kind, term, counter)

    def _appeared(self, kind: str, term: Term, counter: int) -> None:
        """Somebody holds a term that nobody held before: classes that it matches read it from now on."""
        weight = self._weight(kind)
        if not weight:
            return
        ref = Ref(counter, self._nodes.domain_key(term.key), weight=weight)
        matches = self._repelling if kind == "repels" else self._attracting
        for traits in matches.add_test(label_selectors.anchor(term.about.selector), self._test(term.about), ref):
            if kind == "repels":
                self._counts.extend(self._reading.get(traits, ()), self._kept_off(ref))
            elif self._score is not None:
                self._counts.extend(self._scored.get(traits, ()), SoftTerm(self._score, (ref,)))

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
                keys = dict.fromkeys(term.key for term in terms.affinity)
                refs = [Ref(counter, self._nodes.domain_key(key)) for key in keys]
                own = all(one.matches(traits, None) for one in together)
                found.append(require(self.rule, refs, matches_itself=own, argument=_AFFINITY, missing=_AFFINITY))
            for term, about in zip(terms.anti_affinity, self._selections(terms.anti_affinity)):
                ref = Ref(self._counter([about]), self._nodes.domain_key(term.key))
                found.append(forbid(self.rule, [ref], argument=_ANTI_AFFINITY))
            found += [self._kept_off(ref) for ref in self._repelling.add_traits(traits)]
        if self._score is not None and self._scored_by(pod):
            refs = []
            for listed, sign in ((terms.preferred, 1), (terms.preferred_anti, -1)):
                for term, about in zip(listed, self._selections(listed)):
                    key = self._nodes.domain_key(term.key)
                    refs.append(Ref(self._counter([about]), key, weight=sign * term.weight))
            refs += self._attracting.add_traits(traits)
            if refs:
                found.append(SoftTerm(self._score, tuple(refs)))
        return found

    def compiled(self, request: Request, pod: Pod, traits: Traits) -> None:
        self._reading.setdefault(traits, []).append(request)
        if self._scored_by(pod):
            self._scored.setdefault(traits, []).append(request)

    def _scored_by(self, pod: Pod) -> bool:
        """Whether the score runs for this pod at all."""
        terms = terms_of(pod)
        return self._score is not None and bool(
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
