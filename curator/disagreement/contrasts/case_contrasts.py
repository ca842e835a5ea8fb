"""The contrasts of one case, and those of its committee's members in production's place.

Each member is compared with the other members as production is compared with all of them (a placebo): a difference that
members show as often as production does is noise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from curator.disagreement.contrasts.answer_parts import AnswerParts, Form, form_name, form_of, parts_of
from curator.disagreement.contrasts.consensus import Consensus, Split
from curator.disagreement.members.case_answers import CaseAnswers
from curator.records import Contrast, Difference
from curator.records.differences import OMITS, SAYS, WORDING, CaseContrasts
from curator.records.labels import HALF
from curator.records.recorded import prompt_id_of
from curator.text.words import content_words

USUAL_WORD = 0.6
"""The share of the answers from which a word is expected of an answer."""
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ContrastInput:
    """One case as it is contrasted.

    Attributes:
        case_id: the case.
        question: the last user message.
        grouped: the answers of the committee by meaning, with production's and the label.
        texts: the committee's answers as they were written, in the same order.
        target: production's answer; None without one.
        reference: the trusted answer; None without one.
        failure: how far production failed by a label, 0..1; None without one.
        thumb_down: a user complained.
    """

    case_id: str
    question: str
    grouped: CaseAnswers
    texts: tuple[str, ...]
    target: str | None
    reference: str | None = None
    failure: float | None = None
    thumb_down: bool = False


def contrast_case(case: ContrastInput) -> CaseContrasts:
    """Compare production's answer with the label or the committee, and its members."""
    grouped = case.grouped
    every = [*case.texts, *([case.target] if case.target is not None else [])]
    form = form_of(grouped.kind, every)
    parts, target, reference = _parts(case, form)
    consensus = Consensus.of(parts, form_name(form, grouped.kind))
    placebos: Counter[str] = Counter()
    for member in parts:
        placebos.update({key for d in consensus.differences(member, without=member)[0] for key in d.keys})
    texts = _TextContrasts.of(case) if form == "text" and case.texts else None
    if texts:
        placebos.update(texts.placebo_keys)
    production = _production(case, consensus, parts, target, reference)
    if texts and target is not None:
        production = texts.contrast(case, production)
    keys = {key for d in (production.differences if production else ()) for key in d.keys}
    split = consensus.split()
    return CaseContrasts(
        case_id=case.case_id,
        production=production,
        committee=_committee(case, split, parts) if split else None,
        keys=frozenset(keys | (texts.keys if texts else frozenset())),
        placebo_keys=placebos,
        members=len(parts),
        dissenter=_dissenter(grouped, split, parts) if split else "",
        spread=consensus.spread(),
        excess=texts.excess if texts else None,
        placebo_excess=texts.placebo_excess if texts else (),
        words=texts.words if texts else {},
    )


def _parts(case: ContrastInput, form: Form) -> tuple[list[AnswerParts], AnswerParts | None, AnswerParts | None]:
    """Take the committee's answers, production's and the label apart."""
    grouped = case.grouped
    classes = grouped.compare.classes(grouped.answers, grouped.target, label=grouped.label)
    names = [f"class {number}" for number in classes]
    texts, answers = [*case.texts], [*grouped.answers]
    if grouped.target is not None:
        texts.append(case.target or "")
        answers.append(grouped.target)
    if grouped.label is not None:
        texts.append(case.reference or "")
        answers.append(grouped.label)
    parts = [
        parts_of(text, answer, form, grouped.kind, meaning=name, question=case.question)
        for text, answer, name in zip(texts, answers, names, strict=True)
    ]
    committee = parts[: len(case.texts)]
    target = parts[len(case.texts)] if grouped.target is not None else None
    return committee, target, parts[-1] if grouped.label is not None else None


def _production(
    case: ContrastInput,
    consensus: Consensus,
    parts: Sequence[AnswerParts],
    target: AnswerParts | None,
    reference: AnswerParts | None,
) -> Contrast | None:
    """Contrast production's answer with the label, else the committee, else a complaint."""
    failed = case.failure is not None and case.failure >= HALF
    if target is not None and reference is not None and failed:
        labelled = Consensus.of([reference], consensus.form)
        labelled.shown |= consensus.shown
        differences, _ = labelled.differences(target)
        if differences:
            return Contrast(case.case_id, "label", tuple(differences), 1.0, case.target or "", case.reference or "")
    differences, strength = ([], 0.0) if target is None else consensus.differences(target)
    expected = case.texts[_most_usual(consensus, parts)] if case.texts else ""
    if differences:
        return Contrast(case.case_id, "production", tuple(differences), strength, case.target or "", expected)
    if failed or case.thumb_down:
        complaint = Difference("complaint", "", "failed by label" if failed else "thumb down", "no complaint")
        return Contrast(case.case_id, "label", (complaint,), 1.0, case.target or "", case.reference or expected)
    return None


def _most_usual(consensus: Consensus, parts: Sequence[AnswerParts]) -> int:
    """Return the place of the answer that has the most parts as most of the others have them."""

    def support(answer: AnswerParts) -> int:
        counts = sum(consensus.values[part][held] for part, held in answer.parts.items())
        return consensus.problems[answer.problem] * len(consensus.values) + counts

    return max(range(len(parts)), key=lambda place: (support(parts[place]), -place))


def _committee(case: ContrastInput, split: Split, parts: Sequence[AnswerParts]) -> Contrast:
    """Contrast the first answers of the two largest groups of the committee."""
    sides = [split.side_of(answer) for answer in parts]
    given, expected = (case.texts[sides.index(side)] if side in sides else "" for side in (split.second, split.first))
    return Contrast(case.case_id, "committee", split.differences, split.share, given, expected)


def _dissenter(grouped: CaseAnswers, split: Split, parts: Sequence[AnswerParts]) -> str:
    """Return the prompt that gave all answers of the second largest group; "" where several did."""
    prompts = {
        prompt_id_of(vote.member.model, vote.member.variant)
        for vote, answer in zip(grouped.votes, parts, strict=True)
        if split.side_of(answer) == split.second
    }
    return prompts.pop() if len(prompts) == 1 else ""


@dataclass(frozen=True, slots=True)
class _TextContrasts:
    """The words and distances in which one text stands out among the others."""

    keys: frozenset[str]
    placebo_keys: Mapping[str, int]
    excess: float | None
    placebo_excess: tuple[float, ...]
    strength: float
    medoid: str
    words: Mapping[str, str]

    @classmethod
    def of(cls, case: ContrastInput) -> _TextContrasts:
        grouped = case.grouped
        asked = content_words(case.question).keys()
        by_answer = [content_words(text) for text in case.texts]
        counts = Counter(word for words in by_answer for word in words)
        placebos: Counter[str] = Counter()
        for words in by_answer:
            placebos.update(_word_keys(words, counts - Counter(words.keys()), len(by_answer) - 1, asked))
        spelt = {word: form for words in by_answer for word, form in words.items()}
        keys: frozenset[str] = frozenset()
        if case.target is not None:
            target = content_words(case.target)
            keys, spelt = _word_keys(target, counts, len(by_answer), asked), spelt | target
        matrix = grouped.compare.distances(grouped.answers, grouped.target)
        members = len(by_answer)
        excess, of_members = _excesses(matrix, members)
        medoid = case.texts[int(matrix[:members, :members].sum(axis=1).argmin())]
        strength = float(matrix[-1, :members].mean()) if len(matrix) > members else 0.0
        return cls(keys, placebos, excess, of_members, strength, medoid, spelt)

    def contrast(self, case: ContrastInput, production: Contrast | None) -> Contrast | None:
        """Return production's contrast with the wording as a difference, but not a label's."""
        if production is None:
            return Contrast(case.case_id, "production", (WORDING,), self.strength, case.target or "", self.medoid)
        if production.basis == "label" and production.differences[0].aspect != "complaint":
            return production
        return replace(
            production, differences=(*production.differences, WORDING), expected=case.reference or self.medoid
        )


def _word_keys(
    words: Mapping[str, str], counts: Mapping[str, int], others: int, asked: Collection[str]
) -> frozenset[str]:
    """Return the keys of the words that a text alone says, and of those that it omits.

    Words of the question say nothing about the answer. A text without others has none.
    """
    if not others:
        return frozenset()
    alone = (f"{SAYS}{word}" for word in words if not counts.get(word) and word not in asked)
    usual = max(2.0, USUAL_WORD * others)
    omitted = (f"{OMITS}{word}" for word, count in counts.items() if count >= usual and word not in words)
    return frozenset((*alone, *omitted))


def _excesses(matrix: Floats, members: int) -> tuple[float | None, tuple[float, ...]]:
    """Return the excess distance of the last row, where it is production's, and of each member."""
    inner = matrix[:members, :members]
    if members < 3:
        return None, ()
    total, rows = float(inner.sum()), inner.sum(axis=1)
    among_others = (total - 2 * rows) / ((members - 1) * (members - 2))
    placebos = rows / (members - 1) - among_others
    excess = None
    if len(matrix) > members:
        excess = float(matrix[members, :members].mean() - total / (members * (members - 1)))
    return excess, tuple(placebos.tolist())
