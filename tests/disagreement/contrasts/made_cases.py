"""Cases of made-up answers, read and grouped as the stages do it."""

from __future__ import annotations

from collections.abc import Sequence

from curator.answers.read import read_answer
from curator.disagreement.contrasts.case_contrasts import ContrastInput, contrast_case
from curator.disagreement.equivalence.comparers import WordComparer
from curator.disagreement.members.case_answers import ComparableCase, group_case_answers
from curator.disagreement.members.votes import MemberKey
from curator.records import Kind
from curator.records.differences import CaseContrasts


def contrasts(
    kind: Kind,
    texts: Sequence[str],
    target: str | None = None,
    *,
    label: str | None = None,
    failure: float | None = None,
    thumb_down: bool = False,
    question: str = "",
    prompts: str = "",
    case_id: str = "c",
) -> CaseContrasts:
    """The contrasts of one case; `prompts` has a letter for the prompt of each answer."""
    members = [MemberKey("m", variant=prompts[i] if prompts else str(i)) for i in range(len(texts))]
    read = [read_answer(text, kind) for text in texts]
    compared = ComparableCase(
        case_id,
        question,
        tuple(read),
        None if target is None else read_answer(target, kind),
        None if label is None or kind == "text" else read_answer(label, kind),
    )
    grouped = group_case_answers(compared, members, kind, WordComparer(question))
    return contrast_case(ContrastInput(case_id, question, grouped, tuple(texts), target, label, failure, thumb_down))
