"""Sums one category up: how big it is, how its disagreement splits, what that suggests, and typical cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from curator.records import Case, Category, Generation, Score
from curator.report.answers import AnswerGroup
from curator.report.statistics import Figure, mean, share
from curator.report.summary import CategorySummary, ShownAnswer, TypicalCase
from curator.report.text import clean, excerpt, one_line

TYPICAL_CASES = 3
SHOWN_ANSWERS = 5
INPUT_LIMIT = 600
ANSWER_LIMIT = 300
TASK_LIMIT = 60
UNCLUSTERED = "unclustered"
_MOST = 0.5
_CALM = 0.15  # below this a committee counts as agreeing with itself
_DOMINATES = 1.5  # one part of the split leads when it is this many times the other


@dataclass(frozen=True, slots=True)
class CategoryBuilder:
    """The records that a category's summary is made from.

    `asked_records` log records stand behind the asked cases; `sees_between` is that of `CommitteeSummary`.
    """

    cases: Mapping[str, Case]
    scores: Mapping[str, Score]
    generations: Mapping[str, Sequence[Generation]]
    answers_of: Callable[[str], Sequence[AnswerGroup]]
    selected: Collection[str]
    asked_records: int
    sees_between: bool


def summarise_categories(
    builder: CategoryBuilder, categories: Iterable[Category], embedded: Sequence[str]
) -> tuple[tuple[CategorySummary, ...], CategorySummary | None]:
    """The categories by share of traffic x mean disagreement, and the embedded cases that are in none of them."""
    categories = tuple(categories)
    ranked = sorted(categories, key=lambda c: (-_impact(builder, c.case_ids), c.id))
    clustered = {case_id for c in categories for case_id in c.case_ids}
    noise = [case_id for case_id in embedded if case_id not in clustered]
    noise.sort(key=lambda case_id: (-_disagreement(builder, case_id), case_id))
    rest = Category(UNCLUSTERED, UNCLUSTERED, (), tuple(noise))
    return tuple(_summary(builder, c) for c in ranked), _summary(builder, rest) if noise else None


def pattern(within: Figure, between: Figure, against_target: Figure, *, sees_within: bool, sees_between: bool) -> str:
    """A sentence or two on what the split of a category's disagreement suggests."""
    if within.value is None or between.value is None:
        return "Too few scored cases to say what is behind it."
    if within.value + between.value >= _CALM:
        said = _unsteady(within.value, between.value, sees_within=sees_within, sees_between=sees_between)
    else:
        said = "The members mostly agree with each other; what they agree on may still be wrong."
    if against_target.value is not None and against_target.value >= _MOST:
        said += " Most answers contradict production: read its answers here first."
    return said


def _unsteady(within: float, between: float, *, sees_within: bool, sees_between: bool) -> str:
    if not sees_within:
        return (
            "Too few of these cases had a prompt sampled more than once, so sampling noise cannot be told from"
            " sensitivity to the prompt."
        )
    if not sees_between:
        return "Only one prompt was asked, so all that shows is sampling noise; more prompt variants would show more."
    if between >= _DOMINATES * within:
        return "Prompt-sensitive: the answer changes with the wording of the prompt. Make the prompt say what is meant."
    if within >= _DOMINATES * between:
        return (
            "Sampling noise: one and the same prompt gives different answers. A lower temperature, examples or a"
            " stricter answer format may steady it; an ambiguous input stays unsteady."
        )
    return "Both at once: answers change with the wording of the prompt and from one sample to the next."


def _summary(builder: CategoryBuilder, category: Category) -> CategorySummary:
    cases = [builder.cases[i] for i in category.case_ids]
    scores = [builder.scores[i] for i in category.case_ids if i in builder.scores]
    within, between = mean(s.within for s in scores), mean(s.between for s in scores)
    against_target = mean(s.against_target for s in scores)
    records = sum(c.weight for c in cases)
    return CategorySummary(
        id=category.id,
        name=category.name,
        keywords=category.keywords,
        cases=len(cases),
        records=records,
        traffic_share=share(records, builder.asked_records),
        selected=sum(c.id in builder.selected for c in cases),
        disagreement=mean(s.disagreement for s in scores),
        within=within,
        between=between,
        against_target=against_target,
        thumbs_down=mean(_thumb_down(c) for c in cases),
        pattern=pattern(
            within,
            between,
            against_target,
            sees_within=_sees_within(builder, category.case_ids),
            sees_between=builder.sees_between,
        ),
        typical=tuple(_typical(builder, case_id) for case_id in _most_telling(builder, category.case_ids)),
    )


def _sees_within(builder: CategoryBuilder, case_ids: Sequence[str]) -> bool:
    """Whether some prompt was sampled more than once for most of the cases: an adaptive committee's get different many.

    The others' within is 0 whatever the noise, and all of their spread counts as between prompts.
    """
    asked = [found for i in case_ids if (found := builder.generations.get(i))]
    repeated = sum(max(Counter((g.model, g.variant) for g in found).values()) > 1 for found in asked)
    return 2 * repeated > len(asked)


def _impact(builder: CategoryBuilder, case_ids: Sequence[str]) -> float:
    """Share of traffic x mean disagreement, up to a factor that all categories have in common."""
    records = sum(builder.cases[i].weight for i in case_ids)
    return records * sum(_disagreement(builder, i) for i in case_ids) / len(case_ids)


def _disagreement(builder: CategoryBuilder, case_id: str) -> float:
    score = builder.scores.get(case_id)
    return (score.disagreement if score else None) or 0.0


def _thumb_down(case: Case) -> float | None:
    """1 for a thumb down, 0 for one up, None where the user gave none."""
    return float(case.feedback.thumb == "down") if case.feedback and case.feedback.thumb else None


def _most_telling(builder: CategoryBuilder, case_ids: Sequence[str]) -> list[str]:
    """The first cases that the committee disagrees on, then, if these are too few, the others."""
    return sorted(case_ids, key=lambda i: _disagreement(builder, i) == 0.0)[:TYPICAL_CASES]


def _typical(builder: CategoryBuilder, case_id: str) -> TypicalCase:
    case, score = builder.cases[case_id], builder.scores.get(case_id)
    groups = builder.answers_of(case_id)
    rest = groups[SHOWN_ANSWERS:]
    return TypicalCase(
        case_id=case_id,
        source=clean(str(case.source)),
        task=one_line(case.task, TASK_LIMIT) if case.task else None,
        kind=case.kind or (score.kind if score else None),
        weight=case.weight,
        thumb=case.feedback.thumb if case.feedback else None,
        disagreement=score.disagreement if score else None,
        input=excerpt(case.user, INPUT_LIMIT),
        earlier_turns=max(0, sum(m.role != "system" for m in case.messages) - 1),
        target=None if case.target is None else excerpt(case.target, ANSWER_LIMIT),
        reference=excerpt(case.reference.text, ANSWER_LIMIT) if case.reference else None,
        reference_source=case.reference.source if case.reference else None,
        answers=tuple(
            ShownAnswer(excerpt(g.text, ANSWER_LIMIT), g.count, g.by, g.is_target, g.readable)
            for g in groups[:SHOWN_ANSWERS]
        ),
        more_answers=len(rest),
        more_votes=sum(g.count for g in rest),
        failed=sum(g.error is not None for g in builder.generations.get(case_id, ())),
    )
