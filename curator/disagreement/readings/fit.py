"""Fit the mixture of a task's readings to a sample of its cases; no label is used.

Every reading is weighted, for each pair of members, by their agreement beyond chance under it: Cohen's kappa
(A - C) / (1 - C), with A the chance that the two members agree on one case and C the chance that their answers to two
different cases agree. A reading that is too coarse has a high C, one that is too fine or misreads has a low A. That chance
is taken for each pair of members because members differ in form: a verbose and a terse one never agree on the whole text,
so that this reading gets no weight for the pair, while it may tell much for two terse ones.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from curator.answers.candidates import PLAIN, WHOLE, Key, Reading, field_readings, normal_words
from curator.answers.frames.frame import ReadingChain
from curator.answers.structured import Form, form_key
from curator.disagreement.estimators.similarities import words
from curator.disagreement.readings.content import WordWeights, shown_part
from curator.disagreement.readings.kernels import ContentKernel, Kernel, SentenceKernel, fit_structure, form_of
from curator.disagreement.readings.mixture import OTHERS, VALUE, CaseTexts, Mixture
from curator.records import ReadingEvidence

SAMPLED_CASES = 1000
"""Cases of a task that the mixture is fitted to."""
SAMPLED_ANSWERS = 12
"""Answers to one case that the mixture is fitted to."""
LEAST_ANSWERS = 20
"""Members with fewer sampled answers share one place in the tables."""
MOST_MEMBERS = 20
"""Members with a place of their own, the most frequent ones: the tables and the time grow with the square of it."""
PRIOR_CHANCE, PRIOR_TRUSTED = 0.05, 0.5
"""Agreement of a reading before any case was seen: no more than chance; more for the one that the kind suggests."""
CROSS_PAIRS = 1500
"""Pairs of answers to different cases on which the chance of a graded similarity is measured, over all member pairs."""
WHOLE_ANSWER = ReadingChain()
LEAST_WEIGHT = 0.01
"""The weight of a reading without agreement beyond chance; above 0, so that some reading always counts."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Counts:
    """Sums for one reading over member pairs, each (members, members) and symmetric.

    Attributes:
        pairs: pairs of answers to one case.
        read: those of which both can be read.
        same: the sum of the similarity over `read`.
        crossed: pairs of answers to different cases that can be read.
        same_crossed: the sum of the similarity over `crossed`.
    """

    pairs: Floats
    read: Floats
    same: Floats
    crossed: Floats
    same_crossed: Floats


@dataclass(frozen=True, slots=True)
class Weighting:
    """The constants of a reading's weight: kappa^`kappa_power` x coverage^`coverage_power`.

    Attributes:
        kappa_power: larger ones leave weight to the best readings only.
        coverage_power: larger ones leave less weight to readings that cannot read every answer.
        pseudo_pairs: the pairs by which a member pair's estimates are shrunk to those of all pairs, and these to the prior.
    """

    kappa_power: float = 1.0
    coverage_power: float = 2.0
    pseudo_pairs: float = 20.0


WEIGHTING = Weighting()
"""Hardly anything depends on it: on recorded sets powers of 1/2 to 2 rank alike (`benchmarks/signal/disagreement.py`)."""


def fit_mixture(
    cases: Sequence[CaseTexts], weighting: Weighting = WEIGHTING, *, chain: ReadingChain = WHOLE_ANSWER
) -> Mixture:
    """Fit the weights of all candidate readings to cases of a task.

    The order of the cases does not matter. `chain` are the frames around the answers; what is inside them is a reading.
    """
    sample = _Sample.of(cases)
    if not sample.cases:
        return Mixture(chain=chain)
    unfitted = replace(_candidates(sample), chain=chain)
    if chain.frames:
        inside = Reading("inside the frame", partial(_inside, chain))
        unfitted = replace(unfitted, readings=(*unfitted.readings, inside))
    counts = [sample.kernel_counts(kernel) for kernel in unfitted.kernels]
    counts += [sample.key_counts(column) for column in sample.key_columns(unfitted)]
    trusted = VALUE if any(value is not None for case in sample.cases for value in case.values) else unfitted.names[0]
    tables = [
        _weighed(count, PRIOR_TRUSTED if name == trusted else PRIOR_CHANCE, weighting)
        for name, count in zip(unfitted.names, counts, strict=True)
    ]
    evidence = sorted(
        (_evidence(name, count, table) for name, count, table in zip(unfitted.names, counts, tables, strict=True)),
        key=lambda entry: (-entry.weight, entry.name),
    )
    total = sum(entry.weight for entry in evidence)
    return replace(
        unfitted,
        places=sample.places,
        weights=np.array([table.weight for table in tables]),
        scales=np.array([1 - table.chance for table in tables]),
        neutral=np.array([1 - table.mean_agreement for table in tables]),
        evidence=tuple(
            ReadingEvidence(e.name, e.coverage, e.agreement, e.chance, e.weight / total if total else 0.0)
            for e in evidence
        ),
        cases=len(sample.cases),
    )


def _candidates(sample: _Sample) -> Mixture:
    """Return the mixture of all readings that a task tries.

    Calls, SQL and code are compared by their structure and as a whole. Their first and last lines and words say little, but
    would agree often.
    """
    texts = [case.texts for case in sample.cases]
    form = form_of(texts)
    if form is not None and form != "json":
        return Mixture(kernels=(fit_structure(form, texts),), readings=(*WHOLE, _by_form(form)), is_prose=False)
    kernels: list[Kernel] = [ContentKernel(WordWeights.of(len(sample.cases), sample.document_counts()))]
    if all(value is None for case in sample.cases for value in case.values):
        kernels.append(SentenceKernel())
    readings = (*PLAIN, *field_readings([text for case in texts for text in case]))
    if form is not None:
        kernels.append(fit_structure(form, texts))
        readings = (*readings, _by_form(form))
    return Mixture(kernels=tuple(kernels), readings=readings)


def _inside(chain: ReadingChain, text: str) -> Key:
    return " ".join(normal_words(chain.read(text))) or None


def _by_form(form: Form) -> Reading:
    return Reading(f"same {form}", partial(form_key, form=form))


@dataclass(frozen=True, slots=True)
class _Table:
    """The weight and the chance of a reading for each member pair, and its means over all."""

    weight: Floats
    chance: Floats
    mean_agreement: float
    mean_chance: float


def _weighed(counts: _Counts, prior: float, weighting: Weighting) -> _Table:
    """Weigh a reading by Cohen's kappa and coverage, for each member pair."""
    shrink = weighting.pseudo_pairs
    agreement = _pooled(counts.same, counts.read, prior, shrink)
    chance = _pooled(counts.same_crossed, counts.crossed, PRIOR_CHANCE, shrink)
    coverage = float(counts.read.sum() / max(counts.pairs.sum(), 1.0))
    agreements = (counts.same + shrink * agreement) / (counts.read + shrink)
    crossed = np.where(counts.crossed > 0, counts.same_crossed / np.maximum(counts.crossed, 1.0), chance)
    # The chance is known as well as the agreement beside it: both rest on the same answers.
    chances = (crossed * counts.read + shrink * chance) / (counts.read + shrink)
    coverages = (counts.read + shrink * coverage) / (counts.pairs + shrink)
    kappas = np.maximum((agreements - chances) / np.maximum(1 - chances, 1e-9), LEAST_WEIGHT)
    weight = kappas**weighting.kappa_power * coverages**weighting.coverage_power
    return _Table(weight, np.minimum(chances, 1 - 1e-3), agreement, chance)


def _pooled(same: Floats, pairs: Floats, prior: float, shrink: float) -> float:
    return float((same.sum() + shrink * prior) / (pairs.sum() + shrink))


def _evidence(name: str, counts: _Counts, table: _Table) -> ReadingEvidence:
    pairs = counts.pairs.sum()
    return ReadingEvidence(
        name,
        coverage=float(counts.read.sum() / pairs) if pairs else 0.0,
        agreement=table.mean_agreement,
        chance=table.mean_chance,
        weight=float((table.weight * counts.pairs).sum() / pairs) if pairs else 0.0,
    )


@dataclass(frozen=True)
class _Sample:
    """The sampled cases; the answers in one row, and the pairs of answers to one case.

    Attributes:
        cases: the cases, in an order that does not depend on the file's.
        places: the place of each member.
        case: the case of each answer.
        member: the place of the member of each answer.
        left, right: the two answers of each pair.
    """

    cases: tuple[CaseTexts, ...]
    places: Mapping[str, int]
    case: Ints
    member: Ints
    left: Ints
    right: Ints

    @classmethod
    def of(cls, cases: Sequence[CaseTexts]) -> _Sample:
        chosen = tuple(map(_fewer_answers, sorted(cases, key=_random_order)[:SAMPLED_CASES]))
        counts = Counter(member for case in chosen for member in case.members)
        frequent = sorted(counts, key=lambda member: (-counts[member], member))[:MOST_MEMBERS]
        common = sorted(member for member in frequent if counts[member] >= LEAST_ANSWERS)
        places = {OTHERS: 0, **{member: place for place, member in enumerate(common, 1)}}
        sizes = [len(case.texts) for case in chosen]
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        pairs = [np.array(np.triu_indices(size, 1)) + start for size, start in zip(sizes, starts, strict=False)]
        both = np.concatenate(pairs, axis=1) if pairs else np.zeros((2, 0), dtype=np.int64)
        return cls(
            chosen,
            places,
            np.repeat(np.arange(len(chosen)), sizes),
            np.array([places.get(member, 0) for case in chosen for member in case.members], dtype=np.int64),
            both[0].astype(np.int64),
            both[1].astype(np.int64),
        )

    def document_counts(self) -> dict[str, int]:
        """Count the cases that have each word in an answer; words of one case are left out."""
        counts: Counter[str] = Counter()
        for case in self.cases:
            counts.update({word for text in case.texts for word in words(shown_part(text))})
        return {word: count for word, count in counts.items() if count > 1}

    def key_columns(self, mixture: Mixture) -> list[list[Key]]:
        """Return the keys of all answers under each reading by a key."""
        columns: list[list[Key]] = [[] for _ in mixture.names[len(mixture.kernels) :]]
        for case in self.cases:
            for column, keys in zip(columns, mixture.keys(case), strict=True):
                column.extend(keys)
        return columns

    def key_counts(self, column: Sequence[Key]) -> _Counts:
        """Count the agreement of a reading by keys.

        Over different cases it follows from the counts of each key.
        """
        numbers: dict[str, int] = {}
        keys = np.array([-1 if key is None else numbers.setdefault(key, len(numbers)) for key in column])
        read = (keys[self.left] >= 0) & (keys[self.right] >= 0)
        same = read & (keys[self.left] == keys[self.right])
        m = len(self.places)
        by_key = np.zeros((m, max(len(numbers), 1)))
        np.add.at(by_key, (self.member[keys >= 0], keys[keys >= 0]), 1.0)
        answers = by_key.sum(axis=1)
        within, within_same = self._sum(read), self._sum(same)
        itself = np.diag(answers)  # an answer and itself are not two cases
        # A pair of one member stands in the products of its counts in both orders.
        return _Counts(
            self._sum(np.ones(len(self.left))), within, within_same,
            crossed=np.outer(answers, answers) - within - np.diag(np.diag(within)) - itself,
            same_crossed=by_key @ by_key.T - within_same - np.diag(np.diag(within_same)) - itself,
        )  # fmt: skip

    def kernel_counts(self, kernel: Kernel) -> _Counts:
        """Count the agreement under a graded reading; over different cases on pairs drawn at random."""
        within = [kernel.similarities(case.texts, case.question) for case in self.cases]
        similarity, read = (
            np.concatenate([m[np.triu_indices(len(m), 1)] for m in part]) for part in zip(*within, strict=True)
        )
        texts = [(text, case.question) for case in self.cases for text in case.texts]
        crossed = self._crossed_pairs()
        across = [kernel.similarities([texts[i][0], texts[j][0]], texts[i][1]) for i, j in crossed.T]
        similar, readable = np.array([m[0, 1] for m, _ in across]), np.array([r[0, 1] for _, r in across], dtype=float)
        return _Counts(
            self._sum(np.ones(len(self.left))), self._sum(read), self._sum(similarity * read),
            crossed=self._sum(readable, *crossed), same_crossed=self._sum(similar * readable, *crossed),
        )  # fmt: skip

    def _sum(self, values: Floats | NDArray[np.bool_], left: Ints | None = None, right: Ints | None = None) -> Floats:
        """Sum values of pairs of answers for each pair of members, in both orders."""
        m = len(self.places)
        a = self.member[self.left if left is None else left]
        b = self.member[self.right if right is None else right]
        sums = np.zeros((m, m))
        np.add.at(sums, (np.minimum(a, b), np.maximum(a, b)), np.asarray(values, dtype=np.float64))
        return sums + np.triu(sums, 1).T

    def _crossed_pairs(self) -> Ints:
        """Draw pairs (2, p) of answers to different cases, equally many for each member pair."""
        random = np.random.default_rng(0)
        of_member = [np.flatnonzero(self.member == place) for place in range(len(self.places))]
        members = [place for place, answers in enumerate(of_member) if len(answers)]
        each = max(20, min(300, 2 * CROSS_PAIRS // (len(members) * (len(members) + 1))))
        drawn = [
            np.array([random.choice(of_member[a], each), random.choice(of_member[b], each)])
            for a in members for b in members if a <= b
        ]  # fmt: skip
        pairs = np.concatenate(drawn, axis=1)
        return pairs[:, self.case[pairs[0]] != self.case[pairs[1]]]


def _random_order(case: CaseTexts) -> bytes:
    """Return a key that sorts cases at random, always in the same way."""
    digest = hashlib.blake2b(digest_size=16)
    for text in (case.question, *sorted(case.texts)):
        digest.update(text.encode("utf-8", "surrogatepass"))
        digest.update(b"\0")
    return digest.digest()


def _fewer_answers(case: CaseTexts) -> CaseTexts:
    """Return the case with at most `SAMPLED_ANSWERS`, evenly spread, and its target."""
    size = len(case.texts) - case.has_target
    if size <= SAMPLED_ANSWERS:
        return case
    kept = [i * size // SAMPLED_ANSWERS for i in range(SAMPLED_ANSWERS)] + ([size] if case.has_target else [])
    return CaseTexts(
        [case.texts[i] for i in kept], [case.members[i] for i in kept], [case.values[i] for i in kept], case.question
    )
