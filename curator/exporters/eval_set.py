"""The eval set: one row for each selected case of the held-out split, with what a grader and an estimator need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from curator.records import Case, Category, JsonValue, Pick, Score
from curator.records.selections import category_names


def eval_rows(
    picks: Iterable[Pick],
    *,
    cases: Mapping[str, Case],
    scores: Mapping[str, Score],
    categories: Iterable[Category] = (),
) -> Iterator[dict[str, JsonValue]]:
    """Yield the picks of split `eval` as rows, in order of rank.

    `input` holds the messages in the shape of the chat-completions API and `target` what production said; `reference`
    is the trusted answer, or None where there is none yet. A rate over the rows needs each one's
    `inclusion_probability`, and its error the `stratum` of the `stage` it was drawn in; `weight` says how many log records the row stands for.
    """
    named = category_names(categories)
    for pick in sorted((p for p in picks if p.split == "eval"), key=lambda p: p.rank):
        yield _row(cases[pick.case_id], pick, scores.get(pick.case_id), named.get(pick.case_id))


def _row(case: Case, pick: Pick, score: Score | None, category: str | None) -> dict[str, JsonValue]:
    reference = case.reference
    return {
        "id": case.id,
        "input": [message.as_openai() for message in case.messages],
        "target": case.target,
        "reference": reference.text if reference else None,
        "reference_source": reference.source if reference else None,
        "reference_by": reference.by if reference else None,
        "kind": case.kind or (score.kind if score else None),
        "task": case.task,
        "slice": pick.slice,
        "stage": pick.stage,
        "stratum": pick.stratum,
        "inclusion_probability": pick.inclusion_probability,
        "weight": case.weight,
        "group": case.group,
        "disagreement": score.disagreement if score else None,
        "within": score.within if score else None,
        "between": score.between if score else None,
        "against_target": score.against_target if score else None,
        "category": category,
        "options": dict(case.options),
        "metadata": dict(case.metadata),
        "source": str(case.source),
    }
