"""Scored cases to categories of failures, the same ones from night to night."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from curator.clustering.category_ids import category_id
from curator.clustering.category_tree import build_categories
from curator.clustering.failure_modes import contrast_of, find_modes
from curator.clustering.noise import excess_limits
from curator.clustering.task_index import AskedCase
from curator.clustering.tracked_categories import CategoryHistory, NightCategory
from curator.clustering.tracking import CategoryMatches, match_categories, night_key, update_history
from curator.records import Case, Category, Contrast, GoneCategory, Score, task_name
from curator.records.differences import OMITS, SAYS, WORDING, CaseContrasts
from curator.records.labels import HALF
from curator.state.categories import CategoriesFile
from curator.text.words import content_words, names_in, stem

METHOD = "contrasts/1"
"""The version of the grouping: raised where the same cases would get other categories."""
_NAME = 0.8
"""The share of the inputs with a word in which it has a capital inside a sentence, from which it is a name."""
_MOST_NAMES = 0.3
"""In a language that writes more of its words so, capitals do not show names."""


@dataclass(frozen=True, slots=True)
class CategoryResult:
    """The categories of a run.

    Attributes:
        categories: those of the top level, then their parts.
        contrasts: of each case in one of them, the contrast that put it there, by case id.
        profiles: the share of a category's cases with each key that tells it from the others, by category id.
        shown: the number of asked cases that show a difference, by the id that its category would have.
        ungrouped: the number of asked cases that show a difference and are in none of them.
        gone: the categories that only the night before had.
        warnings: the night before could not be compared.
        night: the night that these categories make; None where nights are not followed.
    """

    categories: tuple[Category, ...]
    contrasts: Mapping[str, Contrast] = field(default_factory=dict)
    profiles: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    shown: Mapping[str, int] = field(default_factory=dict)
    ungrouped: int = 0
    gone: tuple[GoneCategory, ...] = ()
    warnings: tuple[str, ...] = ()
    night: Night | None = None


@dataclass(frozen=True, slots=True)
class Night:
    """A night to remember: its categories matched to those of the nights before.

    Attributes:
        matches: to the history.
        before: the history; None on the first night.
        key: names the cases of the night.
        date: of the night, as YYYY-MM-DD.
    """

    matches: CategoryMatches
    before: CategoryHistory | None
    key: str
    date: str


def categorise(
    cases: Sequence[Case],
    contrasts: Mapping[str, CaseContrasts],
    scores: Mapping[str, Score],
    failures: Mapping[str, float],
    *,
    tasks: Mapping[str, str] | None = None,
    earlier_ids: Collection[str] = (),
) -> CategoryResult:
    """Group the cases in which production fails, or the committee is split, beyond noise.

    Args:
        cases: the asked cases, in any order.
        contrasts: theirs, by case id.
        scores: by case id.
        failures: how far production failed by a label, 0..1, by case id.
        tasks: the task of a case, where it is not the log's.
        earlier_ids: of the categories of nights before (`earlier_categories`).
    """
    cases = sorted((case for case in cases if case.id in contrasts), key=lambda case: case.id)
    inputs = _inputs(cases)
    asked = [
        AskedCase(
            contrasts=contrasts[case.id],
            task=_task(case, tasks),
            weight=case.weight,
            chance=_chance(scores.get(case.id), failures.get(case.id)),
            topics=topics,
            failed=None if case.id not in failures else failures[case.id] >= HALF,
        )
        for case, topics in zip(cases, inputs, strict=True)
    ]
    built = build_categories(asked, find_modes(asked, earlier_ids))
    categories = tuple(item.category for item in built)
    basis = {case_id: c.basis for c in categories if c.parent is None for case_id in c.case_ids}
    shown = {case_id: contrast_of(contrasts[case_id], of) for case_id, of in basis.items()}
    return CategoryResult(
        categories=categories,
        contrasts={case_id: contrast for case_id, contrast in shown.items() if contrast is not None},
        profiles={item.category.id: item.profile for item in built},
        shown=_shown(asked),
        ungrouped=sum(_differs(contrasts[case.id]) and case.id not in basis for case in cases),
    )


def method_of(attributes: Iterable[str] = ()) -> str:
    """Return the method of grouping, with the attributes that divide the categories."""
    return " by ".join([METHOD, *sorted(attributes)])


def earlier_categories(cases: Iterable[Case], remembered: CategoriesFile, *, method: str = METHOD) -> frozenset[str]:
    """Return the own ids of the categories of nights before that were grouped by `method`."""
    history = remembered.known_to(night_key(case.id for case in cases))
    if history is None or history.method != method:
        return frozenset()
    return frozenset(tracked.signature for tracked in history.categories)


def follow_nights(
    result: CategoryResult,
    cases: Sequence[Case],
    remembered: CategoriesFile,
    *,
    today: str,
    tasks: Mapping[str, str] | None = None,
    method: str = METHOD,
) -> CategoryResult:
    """Give the categories the ids and names that they had before, and say what changed.

    Args:
        result: of this night's cases alone.
        cases: all asked cases.
        remembered: the categories of the nights before.
        today: the date, as YYYY-MM-DD.
        tasks: as in `categorise`.
        method: of the grouping (`method_of`); the categories of another one are not compared.
    """
    key = night_key(case.id for case in cases)
    before, date = remembered.known_to(key), remembered.date_of(key, today)
    weights = {case.id: case.weight for case in cases}
    matches = match_categories(
        before,
        [_night_category(c, result.profiles.get(c.id, {}), weights) for c in result.categories],
        cases_by_task=Counter(_task(case, tasks) for case in cases),
        records=sum(weights.values()),
        method=method,
        shown=result.shown,
    )
    categories = tuple(
        replace(
            c, id=kept.id, name=kept.name, sentence=kept.sentence, parent=kept.parent, named_by=kept.named_by,
            change=change, first_seen=first, last_seen=date,
        )
        for c, kept, change, first in zip(
            result.categories, matches.categories, matches.changes, matches.first_seen(date), strict=True
        )
    )  # fmt: skip
    profiles = {now.id: result.profiles.get(c.id, {}) for c, now in zip(result.categories, categories, strict=True)}
    return replace(
        result, categories=categories, profiles=profiles, gone=matches.gone, warnings=matches.warnings,
        night=Night(matches, before, key, date),
    )  # fmt: skip


def remember(result: CategoryResult) -> CategoryHistory | None:
    """Return the history after this night, with the names that the categories have now."""
    night = result.night
    if night is None:
        return None
    named = tuple(
        replace(kept, name=c.name, sentence=c.sentence, named_by=c.named_by)
        for kept, c in zip(night.matches.categories, result.categories, strict=True)
    )
    return update_history(night.before, replace(night.matches, categories=named), key=night.key, date=night.date)


def _shown(cases: Iterable[AskedCase]) -> dict[str, int]:
    """Return the number of cases that show each difference, by the id of its category.

    The words of a free text count only where the text is contradicted.
    """
    by_task: defaultdict[str, list[AskedCase]] = defaultdict(list)
    for case in cases:
        by_task[case.task].append(case)
    counts: Counter[tuple[str, str]] = Counter()
    for task, of_task in by_task.items():
        limit, _ = excess_limits([case.contrasts for case in of_task])
        for case in of_task:
            contrasts = (case.contrasts.production, case.contrasts.committee)
            keys = {key for c in contrasts if c is not None for d in c.differences for key in d.keys}
            keys |= case.contrasts.keys
            if limit is None or (case.contrasts.excess or 0.0) <= limit:
                keys = {key for key in keys if not key.startswith((SAYS, OMITS))}
            counts.update((task, key) for key in keys)
    return {category_id(task, key): count for (task, key), count in counts.items()}


def _differs(contrasts: CaseContrasts) -> bool:
    """Return whether a case shows a difference; other words alone are none."""
    production = contrasts.production
    return contrasts.committee is not None or (production is not None and set(production.differences) != {WORDING})


def _night_category(category: Category, profile: Mapping[str, float], weights: Mapping[str, int]) -> NightCategory:
    return NightCategory(
        category.id, category.name, category.sentence, category.keywords, category.parent, category.task, category.aspect,
        profile, len(category.case_ids), sum(weights[i] for i in category.case_ids), category.named_by,
    )  # fmt: skip


def _task(case: Case, tasks: Mapping[str, str] | None) -> str:
    return (tasks or {}).get(case.id) or task_name(case.task, case.system)


def _chance(score: Score | None, failure: float | None) -> float:
    """Return how likely a case fails: by the label, else by its disagreement."""
    if failure is not None:
        return failure
    return (score.disagreement if score else None) or 0.0


def _inputs(cases: Iterable[Case]) -> list[dict[str, str]]:
    """Return the words of each case's last question, by stem, without names."""
    words = [content_words(case.user) for case in cases]
    having = Counter(key for of_case in words for key in of_case)
    capitals = Counter(key for case in cases for key in {stem(name) for name in names_in(case.user)})
    names = {key for key, count in capitals.items() if count >= _NAME * having[key]}
    if len(names) > _MOST_NAMES * len(having):
        return words
    return [{key: word for key, word in of_case.items() if key not in names} for of_case in words]
