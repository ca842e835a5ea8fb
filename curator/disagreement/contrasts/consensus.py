"""The consensus of a group of answers part by part, and what one answer has otherwise.

Records whose free-text fields always differ have no answer that most of them give, but most of their fields have a value
that most of them give. So answers are compared by their parts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from curator.disagreement.contrasts.answer_parts import NOTHING, TOOL, AnswerParts, PartKey
from curator.disagreement.contrasts.value_changes import change_between
from curator.records import Aspect, Difference

MAJORITY = 0.5
"""The share of the answers, above which a value is the consensus."""
SHOWN_VALUE = 40
"""Characters of a value that a difference holds; longer ones cannot name it."""
ALWAYS = frozenset(("language", "yes or no"))
"""Facts that each text has, though a short one may not show them."""
MINORITY = 1 / 3
"""The share of the answers from which a group faces the largest one."""
FORMS = {
    "empty": "an empty answer",
    "prose": "prose",
    "broken": "a broken record",
    "unreadable": "an answer that cannot be read",
    "refusal": "a refusal",
}
"""The words for an answer with each problem."""


@dataclass(frozen=True, slots=True)
class Split:
    """Two large groups of answers that face each other.

    Attributes:
        differences: the respects in which they do.
        share: the share of the answers outside the largest group.
        part: the part with the widest split; None where a part of the answers has a problem.
        second: the value, or problem, of the second largest group under that part.
        first: that of the largest one.
    """

    differences: tuple[Difference, ...]
    share: float
    part: PartKey | None
    second: frozenset[str] | str
    first: frozenset[str] | str

    def side_of(self, answer: AnswerParts) -> frozenset[str] | str:
        """Return the value, or problem, of an answer where the groups differ most."""
        return answer.problem if self.part is None else answer.parts.get(self.part, NOTHING)


@dataclass(slots=True)
class Consensus:
    """The values of a group of answers under each part, counted.

    Attributes:
        problems: the answers with each problem, "" for those without.
        values: the answers with each value under each part.
        shown: the spelling of subjects and values, one for all answers.
        form: what an answer without a problem is, in words.
    """

    problems: Counter[str]
    values: dict[PartKey, Counter[frozenset[str]]]
    shown: dict[str, str]
    form: str

    @classmethod
    def of(cls, answers: Sequence[AnswerParts], form: str) -> Consensus:
        """Count the parts of answers; `form` says what an answer without a problem is."""
        values: dict[PartKey, Counter[frozenset[str]]] = {}
        shown: dict[str, str] = {}
        for answer in answers:
            for value, spelt in answer.shown.items():
                shown[value] = max(shown.get(value, ""), spelt)
            for part, held in answer.parts.items():
                values.setdefault(part, Counter())[held] += 1
        return cls(Counter(answer.problem for answer in answers), values, shown, form)

    def differences(
        self, first: AnswerParts, *, without: AnswerParts | None = None, least: float = MAJORITY
    ) -> tuple[list[Difference], float]:
        """Return the differences of an answer from most of the group, and the share against it.

        Args:
            first: the answer.
            without: an answer of the group that does not count.
            least: the share of the group above which a value is expected.
        """
        total = self.problems.total() - (without is not None)
        if total < 1:
            return [], 0.0
        problem, count = self._usual_problem(without)
        if problem != first.problem:
            other = _of_problems(first.problem, problem, self.form)
            return ([other], count / total) if count > least * total else ([], 0.0)
        if problem:
            return [], 0.0
        readable = self.problems[""] - (without is not None and not without.problem)
        differences: list[Difference] = []
        strongest = 0.0
        for part in sorted(self.values.keys() | first.parts.keys()):
            if part[0] == "argument" and not _calls(first.parts.get(TOOL, NOTHING), part):
                continue
            given = first.parts.get(part, NOTHING)
            expected, share = self._usual(part, self._answers_with(part, readable, without), without)
            if share > least and given != expected and (difference := self._difference(part, given, expected, first)):
                differences.append(difference)
                strongest = max(strongest, share)
        if any(d.aspect == "tool" for d in differences):
            differences = [d for d in differences if d.aspect != "argument"]
        return differences, strongest * readable / total

    def split(self) -> Split | None:
        """Return the respects in which two large groups face each other; None without any.

        A group is large with at least two answers and a third of all, so that free text, of which each answer has its own, is
        not a split.
        """
        total = self.problems.total()
        ranked = sorted(self.problems.items(), key=lambda item: (-item[1], item[0]))
        if len(ranked) > 1 and ranked[1][1] >= max(2, MINORITY * total):
            (first, most), (second, _) = ranked[:2]
            return Split((_of_problems(second, first, self.form),), 1 - most / total, None, second, first)
        readable = self.problems[""]
        splits: list[Split] = []
        for part, given in sorted(self.values.items()):
            answers = self._answers_with(part, readable)
            counts = given.copy()
            counts[NOTHING] = answers - counts.total()
            ranked_values = sorted(counts.items(), key=lambda item: (-item[1], _spellings(item[0], self.shown)))
            (first_value, most), (second_value, fewer), *_ = [*ranked_values, (NOTHING, 0)]
            if fewer < max(2, MINORITY * answers):
                continue
            if part[0] == "content" and not (first_value and second_value):
                continue
            if difference := self._difference(part, second_value, first_value, AnswerParts("")):
                splits.append(Split((_in_order(difference),), 1 - most / answers, part, second_value, first_value))
        if any(split.part == TOOL for split in splits):
            splits = [split for split in splits if split.differences[0].aspect != "argument"]
        if not splits:
            return None
        widest = max(splits, key=lambda split: (split.share, split.part or TOOL))
        return replace(widest, differences=tuple(split.differences[0] for split in splits))

    def spread(self) -> dict[str, float]:
        """Return the share of the answers outside the largest group, by the key of each part."""
        readable = self.problems[""]
        shares: dict[str, float] = {}
        for part, counts in self.values.items():
            answers = self._answers_with(part, readable)
            most = max(*counts.values(), answers - counts.total())
            aspect, subject = part
            shares[Difference(aspect, self.shown.get(subject, subject)).part] = 1 - most / answers
        return shares

    def _answers_with(self, part: PartKey, readable: int, without: AnswerParts | None = None) -> int:
        """Return the number of answers that can have a part: an argument, those that call its tool."""
        if part[0] != "argument":
            return readable
        callers = sum(count for tools, count in self.values.get(TOOL, Counter()).items() if _calls(tools, part))
        return callers - (without is not None and _calls(without.parts.get(TOOL, NOTHING), part))

    def _usual_problem(self, without: AnswerParts | None) -> tuple[str, int]:
        counts = self.problems.copy()
        if without is not None:
            counts[without.problem] -= 1
        return max(counts.items(), key=lambda item: (item[1], item[0]))

    def _usual(self, part: PartKey, readable: int, without: AnswerParts | None) -> tuple[frozenset[str], float]:
        """Return the most frequent value under a part, nothing included, and its share."""
        counts = self.values.get(part, Counter[frozenset[str]]()).copy()
        if without is not None and not without.problem and part in without.parts:
            counts[without.parts[part]] -= 1
        counts[NOTHING] = readable - counts.total()
        expected, count = max(counts.items(), key=lambda item: (item[1], sorted(item[0])))
        return expected, count / readable if readable else 0.0

    def _difference(
        self, part: PartKey, given: frozenset[str], expected: frozenset[str], first: AnswerParts
    ) -> Difference | None:
        aspect, subject = part
        shown = {
            **first.shown,
            **self.shown,
        }  # one spelling for production and members, so that their keys are the same
        if aspect == "content" and not (given and (expected or subject not in ALWAYS)):
            return None  # a text need not repeat each fact, and a short one hides its language
        if aspect == "tool":
            left, right = given - expected, expected - given
            return Difference("tool", "", _listed(left, shown), _listed(right, shown))
        change = "" if aspect == "label" or (aspect == "content" and expected) else change_between(given, expected)
        return Difference(
            cast("Aspect", aspect), shown.get(subject, subject), _listed(given, shown), _listed(expected, shown), change
        )


def _calls(tools: frozenset[str], argument: PartKey) -> bool:
    """Return whether the tool of an argument is among these."""
    return any(argument[1].startswith(f"{tool}.") for tool in tools)


def _in_order(difference: Difference) -> Difference:
    """Return the difference of a split with its values in order: which is larger is chance."""
    if difference.aspect not in ("label", "tool") or difference.given <= difference.expected or not difference.expected:
        return difference
    return replace(difference, given=difference.expected, expected=difference.given)


def _of_problems(given: str, expected: str, form: str) -> Difference:
    if "refusal" in (given, expected) and "" in (given, expected):
        sides = ("refuses" if problem == "refusal" else "answers" for problem in (given, expected))
        return Difference("refusal", "", *sides)
    return Difference("format", "", FORMS.get(given, form), FORMS.get(expected, form))


def _spellings(values: frozenset[str], shown: Mapping[str, str]) -> list[str]:
    return sorted(shown.get(value, value) for value in values)


def _listed(values: frozenset[str], shown: Mapping[str, str]) -> str:
    text = ", ".join(" ".join(spelt.split()) for spelt in _spellings(values, shown))
    return text if len(text) <= SHOWN_VALUE else ""
