"""Labels of the answers that production gives now, and of other answers.

A case id is that of a question. Where production gave several answers to it, the first of a log has the id of the question, and each other
one an id of its own. When old records leave the logs, another answer comes first and takes over the id: a verdict on the answer before
says nothing of it. The `content_hash` of a row tells which answer was judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from curator.errors import RecordError
from curator.records import Label, RejectedRecord, answer_case_id, answer_mark

if TYPE_CHECKING:
    from curator.labels.queue import QueueRow


@dataclass(frozen=True, slots=True)
class CurrentAnswers:
    """The answers to judge.

    Attributes:
        marks: the mark of the answer by case id.
        by_answer: the case id by question and mark.
        aliases: the case id by the id that its answer has where another one comes first.
        any_without: the answers of cases without one are the committee's, so that a row which judged none fits any.
    """

    marks: Mapping[str, str]
    by_answer: Mapping[tuple[str, str], str]
    aliases: Mapping[str, str]
    any_without: bool = False

    @classmethod
    def of(cls, cases: Iterable[tuple[str, str, str | None]], *, any_without: bool = False) -> CurrentAnswers:
        """Collect the answers of cases: id, id of the question, and answer."""
        marks, by_answer, aliases = {}, {}, {}
        for case_id, question, answer in cases:
            marks[case_id] = answer_mark(answer)
            by_answer[question, marks[case_id]] = case_id
            if answer is not None:
                aliases[answer_case_id(question, answer)] = case_id
        return cls(marks, by_answer, aliases, any_without)

    @classmethod
    def of_queue(cls, rows: Iterable[QueueRow]) -> CurrentAnswers:
        """Collect the answers in a label queue."""
        return cls.of((row.case_id, row.case_id, row.target) for row in rows)

    def assign(self, rows: Iterable[Label], kept_cases: Mapping[str, str]) -> tuple[list[Label], list[Label]]:
        """Return the rows with the cases whose answers they judge, and the rows on others.

        The others judge answers that no case has. Their right answers still count, as these are to the question. Rows that do not
        say which answer was judged stay as they are.
        """
        assigned: list[Label] = []
        others: list[Label] = []
        for row in rows:
            case_id = kept_cases.get(row.case_id, row.case_id)
            place = case_id if case_id in self.marks else self.aliases.get(case_id, case_id)
            if place not in self.marks or self._fits(row, place):
                assigned.append(row if place == case_id else replace(row, case_id=place))
            elif (moved := self.by_answer.get((place, row.answer_mark))) is not None:
                assigned.append(replace(row, case_id=moved))
            else:
                others.append(row)
                if row.text is not None:
                    assigned.append(replace(row, failure=None, category=None))
        return assigned, others

    def _fits(self, row: Label, case_id: str) -> bool:
        without = self.any_without and row.answer_mark == answer_mark(None)
        return not row.answer_mark or without or row.answer_mark == self.marks[case_id]


def about_another_answer(row: Label) -> RejectedRecord:
    """Return the reason why a verdict is not used."""
    error = RecordError(
        f"the verdict for {row.case_id!r} is about another answer than the one that production gives now",
        "judge the answer that is there now: the case is open again, in the next label queue where it is selected",
    )
    return error.at(row.source.file, row.source.line)
