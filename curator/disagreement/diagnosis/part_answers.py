"""Read the answers to a case as the value of the part in which a category's cases differ.

Records and calls with fields of free text never agree as a whole, so that their differences as a whole show no cause.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from curator.answers.read import Answer
from curator.disagreement.contrasts.answer_parts import NOTHING, TOOL, AnswerParts, PartKey, form_of, parts_of
from curator.disagreement.contrasts.case_contrasts import ContrastInput
from curator.disagreement.diagnosis.answer_pattern import NO_TOOL, AnswerPattern, ToolChoice, answer_pattern
from curator.disagreement.equivalence.comparers import WordComparer
from curator.disagreement.members.case_answers import ComparableCase, group_case_answers
from curator.records import AnswerKind, Aspect, Contrast, Difference

FREE_TEXT_WORDS = 3
"""From this mean number of words on, the values of a field are free text where no two answers of three agree."""
_WITH_PARTS: frozenset[Aspect] = frozenset({"tool", "argument", "field", "content"})
"""The aspects of a part of an answer; the others are of the whole answer."""
_COMMON = 0.5
_KINDS: Mapping[str, AnswerKind] = {"refusal": "refusal", "empty": "empty"}


def common_part(contrasts: Collection[Contrast]) -> str | None:
    """Return the part in which most of the cases differ, as `Difference.part`; None without one."""
    counts = Counter(part for contrast in contrasts for part in {d.part for d in _partial(contrast.differences)})
    if not counts:
        return None
    part = min(counts, key=lambda key: (-counts[key], key))
    return part if counts[part] > _COMMON * len(contrasts) else None


def _partial(differences: Sequence[Difference]) -> list[Difference]:
    return [d for d in differences if d.aspect in _WITH_PARTS and (d.subject != "wording" or d.aspect != "content")]


def part_pattern(case: ContrastInput, part: str | None = None) -> AnswerPattern:
    """Compute the answer pattern of one case, by the values of one part of its answers.

    Args:
        case: the case.
        part: as `Difference.part`. By default records and calls are compared by all parts but those of free text, and all
            other answers as a whole. So they are where no answer has the part.
    """
    whole = answer_pattern(case.grouped, failure=case.failure)
    taken = _TakenApart.of(case)
    if taken is None or not (chosen := taken.chosen(part)):
        return whole
    return replace(taken.pattern(chosen, omits=part is not None), decomposition=whole.decomposition)


@dataclass(frozen=True, slots=True)
class _TakenApart:
    """A case with the parts of its answers, of production's and of the label's."""

    case: ContrastInput
    parts: Sequence[AnswerParts]
    target: AnswerParts | None
    label: AnswerParts | None
    structured: bool

    @classmethod
    def of(cls, case: ContrastInput) -> _TakenApart | None:
        """Take the answers apart; None where they are one value each."""
        grouped = case.grouped
        form = form_of(grouped.kind, [*case.texts, *([] if case.target is None else [case.target])])
        if form in ("value", "query"):
            return None

        def parts(text: str, answer: Answer) -> AnswerParts:
            if not answer.key and answer.kind not in _KINDS:
                return AnswerParts("unreadable")  # parts are read more leniently than answers
            return parts_of(text, answer, form, grouped.kind, meaning="", question=case.question)

        label = None
        if grouped.label is not None and case.reference is not None:
            label = parts(case.reference, grouped.label)
        return cls(
            case=case,
            parts=[parts(text, answer) for text, answer in zip(case.texts, grouped.answers, strict=True)],
            target=None if grouped.target is None else parts(case.target or "", grouped.target),
            label=label,
            structured=form != "text",
        )

    def chosen(self, part: str | None) -> frozenset[PartKey]:
        """Return the parts that are compared; none where the answers are compared as a whole."""
        every = [*self.parts, *(answer for answer in (self.target, self.label) if answer is not None)]
        keys = {key for answer in every for key in answer.parts}
        if part is not None:
            shown = {folded: spelt for answer in every for folded, spelt in answer.shown.items()}
            same = frozenset(k for k in keys if Difference(k[0], shown.get(k[1], k[1])).part == part)
            if same or not self.structured:
                return same
        return frozenset(key for key in keys if not self._is_free(key)) if self.structured else frozenset()

    def _is_free(self, key: PartKey) -> bool:
        """Return whether a part holds free text: several words, and no value in most answers."""
        held = [answer.parts[key] for answer in self.parts if key in answer.parts]
        words = [len(value.split()) for values in held for value in values]
        if not words or sum(words) < FREE_TEXT_WORDS * len(words):
            return False
        return max(Counter(held).values()) <= len(held) / 2

    def pattern(self, chosen: frozenset[PartKey], *, omits: bool) -> AnswerPattern:
        """Return the pattern of the values of the chosen parts.

        Free text that does not mention what most of the texts mention is not compared; a record or call that leaves a part
        out is.
        """
        having = sum(bool(answer.parts.keys() & chosen) for answer in self.parts)
        skip = omits and not self.structured and 2 * having > len(self.parts)
        votes = self.case.grouped.votes
        kept = [i for i, answer in enumerate(self.parts) if not skip or answer.problem or answer.parts.keys() & chosen]
        target = self.target
        if skip and target is not None and not target.problem and not target.parts.keys() & chosen:
            target = None
        comparable = ComparableCase(
            self.case.case_id,
            self.case.question,
            tuple(_answer(self.parts[i], chosen) for i in kept),
            None if target is None else _answer(target, chosen),
            None if self.label is None or self.label.problem else _answer(self.label, chosen),
        )
        members = [votes[i].member for i in kept]
        grouped = group_case_answers(comparable, members, "json", WordComparer(self.case.question))
        pattern = answer_pattern(grouped, failure=self.case.failure)
        return replace(pattern, tools=self._tools()) if TOOL in chosen else pattern

    def _tools(self) -> ToolChoice | None:
        """Compare the tools of production and of the committee; None without two sides."""
        called = [_called(answer) for answer in self.parts if not answer.problem]
        if self.target is None or self.target.problem or not called:
            return None
        production, counts, n = _called(self.target), Counter(called), len(called)
        pairs = n * (n - 1)
        return ToolChoice(
            production=production,
            committee=max(counts, key=lambda tool: (counts[tool], tool == production, tool)),
            against=1 - counts[production] / n,
            spread=1 - sum(count * (count - 1) for count in counts.values()) / pairs if pairs else 0.0,
        )


def _called(answer: AnswerParts) -> str:
    """Return the tools that an answer calls."""
    return ", ".join(sorted(answer.parts.get(TOOL, NOTHING))) or NO_TOOL


def _answer(parts: AnswerParts, chosen: frozenset[PartKey]) -> Answer:
    """Return an answer that consists of the values of some parts only, as a record."""
    if parts.problem:
        return Answer(_KINDS.get(parts.problem, "json"), "", parts.problem)
    values = json.dumps({f"{a}:{s}": sorted(parts.parts.get((a, s), NOTHING)) for a, s in sorted(chosen)})
    return Answer("json", values, values)
