"""Summaries of categories: size, disagreement and its parts, diagnosis, and typical cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from curator.records import Case, Category, Diagnosis, Generation, Score
from curator.report.answer_groups import AnswerGroup
from curator.report.summary_cases import CategorySummary, FieldSummary, ShownAnswer, TypicalCase
from curator.stats import mean, share
from curator.text.display import clean, excerpt, one_line

TYPICAL_CASES = 3
SHOWN_ANSWERS = 5
INPUT_LIMIT = 600
ANSWER_LIMIT = 300
TASK_LIMIT = 60
PATH_LIMIT = 60
SHOWN_FIELDS = 5
UNCLUSTERED = "unclustered"


@dataclass(frozen=True, slots=True)
class CategoryBuilder:
    """The records from which category summaries are made.

    `asked_records` counts the log records behind the asked cases; `diagnoses` and `diagnose` are those of `RunRecords`.
    """

    cases: Mapping[str, Case]
    scores: Mapping[str, Score]
    generations: Mapping[str, Sequence[Generation]]
    answers_of: Callable[[str], Sequence[AnswerGroup]]
    selected: Collection[str]
    asked_records: int
    diagnoses: Mapping[str, Diagnosis]
    diagnose: Callable[[Sequence[str]], Diagnosis]


def summarise_categories(
    builder: CategoryBuilder, categories: Iterable[Category], embedded: Sequence[str]
) -> tuple[tuple[CategorySummary, ...], CategorySummary | None]:
    """Summarise the categories, the largest impact first, and the unclustered cases."""
    categories = tuple(categories)
    ranked = sorted(categories, key=lambda c: (-_impact(builder, c.case_ids), c.id))
    clustered = {case_id for c in categories for case_id in c.case_ids}
    noise = [case_id for case_id in embedded if case_id not in clustered]
    noise.sort(key=lambda case_id: (-_disagreement(builder, case_id), case_id))
    rest = Category(UNCLUSTERED, UNCLUSTERED, (), tuple(noise))
    return tuple(_summary(builder, c) for c in ranked), _summary(builder, rest) if noise else None


def _summary(builder: CategoryBuilder, category: Category) -> CategorySummary:
    cases = [builder.cases[i] for i in category.case_ids]
    scores = [builder.scores[i] for i in category.case_ids if i in builder.scores]
    diagnoses = Counter(d.name for i in category.case_ids if (d := builder.diagnoses.get(i)))
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
        within=mean(s.within for s in scores),
        between=mean(s.between for s in scores),
        against_target=mean(s.against_target for s in scores),
        thumbs_down=mean(_thumb_down(c) for c in cases),
        diagnosis=builder.diagnose(category.case_ids),
        diagnoses=dict(diagnoses.most_common()),
        fields=_fields(scores),
        typical=tuple(_typical(builder, case_id) for case_id in _typical_ids(builder, category.case_ids)),
        change=category.change,
    )


def _fields(scores: Iterable[Score]) -> tuple[FieldSummary, ...]:
    """Return the fields that differ most; none where too few cases have structured answers."""
    structured = [s.fields for s in scores if s.fields is not None]
    paths = {path for fields in structured for path in fields}
    summaries = [FieldSummary(one_line(path, PATH_LIMIT), mean(f.get(path, 0.0) for f in structured)) for path in paths]
    differing = [field for field in summaries if field.disagreement.value]
    return tuple(sorted(differing, key=lambda f: (-(f.disagreement.value or 0.0), f.path))[:SHOWN_FIELDS])


def _impact(builder: CategoryBuilder, case_ids: Sequence[str]) -> float:
    """Return share of traffic x mean disagreement, up to a constant factor."""
    records = sum(builder.cases[i].weight for i in case_ids)
    return records * sum(_disagreement(builder, i) for i in case_ids) / len(case_ids)


def _disagreement(builder: CategoryBuilder, case_id: str) -> float:
    score = builder.scores.get(case_id)
    return (score.disagreement if score else None) or 0.0


def _thumb_down(case: Case) -> float | None:
    """Return 1 for a thumb down, 0 for a thumb up, None without a thumb."""
    return float(case.feedback.thumb == "down") if case.feedback and case.feedback.thumb else None


def _typical_ids(builder: CategoryBuilder, case_ids: Sequence[str]) -> list[str]:
    """Return the first cases with disagreement; the list is filled up with the others."""
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
