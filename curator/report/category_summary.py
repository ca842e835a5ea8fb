"""Summaries of categories: size, expected failures, labels, diagnosis, typical cases.

The expected failures of a category are its log records x (`PRIOR_LABELS` x m + failed) / (`PRIOR_LABELS` + labelled): the rate
of its labels, drawn towards m while they are few. m is a mean over its log records: 1 where the user rejected the answer, else
the share of the committee's answers that contradict production's in what the category is about; where only the committee's
answers face each other, the share outside their largest group. It ranks categories. It is not an estimate of the failure rate, for the labels are not a random sample of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import fsum

from curator.records import Basis, Case, Category, Contrast, Diagnosis, Generation, PooledRate, Score
from curator.report.answer_groups import AnswerGroup
from curator.report.best_variant import Matches, best_variant
from curator.report.faced_answers import shown_contrast
from curator.report.summary_cases import (
    CategorySummary,
    FieldSummary,
    LabelSummary,
    PeopleCategory,
    ShownAnswer,
    TypicalCase,
)
from curator.stats import MIN_FOR_RATE, mean, rate, rounded, share
from curator.text.display import clean, excerpt, one_line

TYPICAL_CASES = 3
SHOWN_ANSWERS = 5
INPUT_LIMIT = 600
ANSWER_LIMIT = 300
TASK_LIMIT = 60
PATH_LIMIT = 60
SIDE_LIMIT = 80
SENTENCE_LIMIT = 200
SHOWN_FIELDS = 5
PRIOR_LABELS = MIN_FOR_RATE / 2
"""The labels that the committee's opinion counts as: half of the labels that a rate needs, so that a rate that is shown depends
mostly on the labels."""


@dataclass(frozen=True, slots=True)
class CategoryBuilder:
    """The records from which category summaries are made.

    Attributes:
        cases: by id.
        scores: by case id.
        generations: by case id, failed calls included.
        answers_of: the groups of answers to a case that mean the same.
        selected: the picks.
        queue: the picks that wait for a label.
        eval_set: the picks of the eval set.
        asked_records: the log records behind the asked cases.
        failures: 0 (right) to 1, by id of the cases that a label or a user's correction decides.
        label_matches: by case id, the share of each prompt variant's answers that match the label.
        majority_matches: the same for the majority of the committee.
        contrasts: the one that put a case into its category, by case id.
        diagnoses: of single cases, by id.
        diagnose: the diagnosis of several cases together.
        moved: the category that people put a case in, by case id; without cases where they agree.
        pooled: the rate of each top-level category from the labels of drawn cases, by name.
    """

    cases: Mapping[str, Case]
    scores: Mapping[str, Score]
    generations: Mapping[str, Sequence[Generation]]
    answers_of: Callable[[str], Sequence[AnswerGroup]]
    selected: Collection[str]
    queue: Collection[str]
    eval_set: Collection[str]
    asked_records: int
    failures: Mapping[str, float]
    label_matches: Matches
    majority_matches: Matches
    diagnoses: Mapping[str, Diagnosis]
    diagnose: Callable[[Sequence[str]], Diagnosis]
    contrasts: Mapping[str, Contrast] = field(default_factory=dict)
    moved: Mapping[str, str] = field(default_factory=dict)
    pooled: Mapping[str, PooledRate] = field(default_factory=dict)


def summarise_categories(builder: CategoryBuilder, categories: Iterable[Category]) -> tuple[CategorySummary, ...]:
    """Summarise the categories: the top level by expected failures, then the parts of each."""
    summaries = sorted((_summary(builder, c) for c in categories), key=_order)
    ids = {summary.id for summary in summaries}
    level = [summary for summary in summaries if summary.parent not in ids]
    ordered: list[CategorySummary] = []
    while level:
        ordered += level
        level = [part for above in level for part in summaries if part.parent == above.id]
    return tuple(ordered)


def _order(summary: CategorySummary) -> tuple[float, str]:
    return 1.0 if summary.expected_failures is None else -summary.expected_failures, summary.id


def _summary(builder: CategoryBuilder, category: Category) -> CategorySummary:
    cases = [builder.cases[i] for i in category.case_ids]
    scores = [builder.scores[i] for i in category.case_ids if i in builder.scores]
    diagnoses = Counter(d.name for i in category.case_ids if (d := builder.diagnoses.get(i)))
    records = sum(c.weight for c in cases)
    labels = _labels_of(builder, category)
    central, border = category.case_ids[:TYPICAL_CASES], category.border
    return CategorySummary(
        id=category.id,
        name=one_line(category.name, SENTENCE_LIMIT),
        keywords=category.keywords,
        cases=len(cases),
        records=records,
        traffic_share=share(records, builder.asked_records),
        selected=sum(c.id in builder.selected for c in cases),
        disagreement=mean(s.disagreement for s in scores),
        spread=mean(s.spread for s in scores),
        spread_within=mean(s.within for s in scores),
        spread_between=mean(s.between for s in scores),
        against_target=mean(_contradiction(builder, i) for i in category.case_ids),
        thumbs_down=mean(_thumb_down(c) for c in cases),
        diagnosis=builder.diagnose(category.case_ids),
        diagnoses=dict(diagnoses.most_common()),
        fields=_fields(scores),
        typical=tuple(_typical(builder, case_id) for case_id in central),
        change=category.change,
        sentence=one_line(category.sentence, SENTENCE_LIMIT),
        parent=category.parent,
        task=category.task,
        aspect=category.aspect,
        basis=category.basis,
        sides=tuple(replace(side, text=one_line(side.text, SIDE_LIMIT)) for side in category.sides),
        labels=labels,
        corrected=sum(c.corrected for c in cases),
        expected_failures=_expected_failures(builder, cases, labels, category.basis),
        best_variant=best_variant(category.case_ids, labels=builder.label_matches, majority=builder.majority_matches),
        border=None if border is None or border in central else _typical(builder, border),
        queue=tuple(i for i in category.case_ids if i in builder.queue),
        eval_set=tuple(i for i in category.case_ids if i in builder.eval_set),
        first_seen=category.first_seen,
        last_seen=category.last_seen,
        named_by=category.named_by,
    )


def people_categories(builder: CategoryBuilder, categories: Iterable[Category]) -> tuple[PeopleCategory, ...]:
    """Summarise the categories that only people named, those with most failures first."""
    members: dict[str, list[Case]] = {}
    for case_id, name in builder.moved.items():
        if case_id in builder.cases:
            members.setdefault(name, []).append(builder.cases[case_id])
    for category in categories:
        members.pop(category.name, None)
    summaries = [
        PeopleCategory(name, replace(_labels(builder, cases), pooled=builder.pooled.get(name), moved_in=len(cases)))
        for name, cases in members.items()
    ]
    return tuple(sorted(summaries, key=lambda item: (-item.labels.failed, item.name)))


def _labels_of(builder: CategoryBuilder, category: Category) -> LabelSummary:
    """Return the labels of the cases that people leave in a category or put in it."""
    if category.parent is not None:
        kept = [i for i in category.case_ids if i not in builder.moved]
        labels = _labels(builder, [builder.cases[i] for i in kept])
        return replace(labels, moved_out=len(category.case_ids) - len(kept))
    inside = set(category.case_ids)
    out = [i for i in category.case_ids if builder.moved.get(i, category.name) != category.name]
    come = [i for i, name in builder.moved.items() if name == category.name and i not in inside and i in builder.cases]
    cases = [builder.cases[i] for i in (*category.case_ids, *come) if i not in set(out)]
    pooled = builder.pooled.get(category.name)
    return replace(_labels(builder, cases), pooled=pooled, moved_out=len(out), moved_in=len(come))


def _labels(builder: CategoryBuilder, cases: Iterable[Case]) -> LabelSummary:
    failures = [builder.failures[c.id] for c in cases if c.id in builder.failures and not c.corrected]
    failed = rounded(fsum(failures))
    return LabelSummary(len(failures), failed, rate(failed, len(failures)))


def _expected_failures(
    builder: CategoryBuilder, cases: Sequence[Case], labels: LabelSummary, basis: Basis
) -> float | None:
    """Return log records x the rate above; None without any suspicion and label."""
    suspicions = [(c.weight, s) for c in cases if (s := _suspicion(builder, c, basis)) is not None]
    if not suspicions and not labels.labelled:
        return None
    prior = PRIOR_LABELS if suspicions else 0.0
    mean_suspicion = fsum(w * s for w, s in suspicions) / sum(w for w, _ in suspicions) if suspicions else 0.0
    expected_rate = (prior * mean_suspicion + labels.failed) / (prior + labels.labelled)
    return rounded(sum(c.weight for c in cases) * expected_rate)


def _suspicion(builder: CategoryBuilder, case: Case, basis: Basis) -> float | None:
    """Return how strongly a case suggests a failure, 0..1, without a look at its label."""
    if case.corrected or _thumb_down(case):
        return 1.0
    if basis != "committee":
        return _contradiction(builder, case.id)
    contrast, score = builder.contrasts.get(case.id), builder.scores.get(case.id)
    if contrast is not None and contrast.basis == "committee":
        return contrast.strength
    return score.disagreement if score else None


def _contradiction(builder: CategoryBuilder, case_id: str) -> float | None:
    """Return the share of answers that contradict production's in what the category is about."""
    contrast, score = builder.contrasts.get(case_id), builder.scores.get(case_id)
    if contrast is not None and contrast.basis == "production":
        return contrast.strength
    return score.against_target if score else None


def _fields(scores: Iterable[Score]) -> tuple[FieldSummary, ...]:
    """Return the fields that differ most; none where too few cases have structured answers."""
    structured = [s.fields for s in scores if s.fields is not None]
    paths = {path for fields in structured for path in fields}
    summaries = [FieldSummary(one_line(path, PATH_LIMIT), mean(f.get(path, 0.0) for f in structured)) for path in paths]
    differing = [field for field in summaries if field.disagreement.value]
    return tuple(sorted(differing, key=lambda f: (-(f.disagreement.value or 0.0), f.path))[:SHOWN_FIELDS])


def _thumb_down(case: Case) -> float | None:
    """Return 1 for a thumb down, 0 for a thumb up, None without a thumb."""
    return float(case.feedback.thumb == "down") if case.feedback and case.feedback.thumb else None


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
        contrast=shown_contrast(case, groups, builder.contrasts.get(case_id)),
    )
