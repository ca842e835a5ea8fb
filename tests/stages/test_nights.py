"""Categories that are followed from night to night, from the differences of the answers on."""

from __future__ import annotations

from collections.abc import Sequence

from curator.records import Case, Contrast, Message, Source
from curator.records.differences import CaseContrasts, Difference
from curator.stages.categorise import CategoryResult, categorise, follow_nights, remember
from curator.state.categories import CategoriesFile

REFUND = Difference("tool", "", "create_refund", "handover")
LABEL = Difference("label", "", "billing", "cancellation")
NOTHING = CategoriesFile(None, None)


def night(name: str, differences: Sequence[Difference | None], file: CategoriesFile, today: str) -> CategoryResult:
    """One case for each difference; the members of the committee agree in all."""
    cases, contrasts = [], {}
    for number, difference in enumerate(differences):
        id_ = f"{name}{number}"
        cases.append(Case(id_, (Message("user", f"question {id_}"),), Source("log", number + 1), "answer", task="desk"))
        contrast = Contrast(id_, "production", (difference,), 1.0) if difference else None
        keys = frozenset(difference.keys if difference else ())
        contrasts[id_] = CaseContrasts(id_, contrast, None, keys, {}, 6)
    return follow_nights(categorise(cases, contrasts, {}, {}), cases, file, today=today)


def test_a_failure_stays_another_one_is_fixed_and_a_new_one_comes() -> None:
    first = night("a", [REFUND] * 20 + [None] * 80, NOTHING, "2026-11-01")
    (category,) = first.categories
    assert (category.change, category.first_seen) == (None, "2026-11-01")
    file = NOTHING.followed_by(remember(first))
    second = night("b", [REFUND] * 22 + [LABEL] * 20 + [None] * 60, file, "2026-11-02")
    trends = {c.id: c.change.trend for c in second.categories if c.change}
    assert len(trends) == 2
    assert trends[category.id] == "steady"
    assert {c.first_seen for c in second.categories if c.id == category.id} == {"2026-11-01"}
    third = night("c", [LABEL] * 20 + [None] * 80, file.followed_by(remember(second)), "2026-11-03")
    assert [(g.id, g.name, g.fading) for g in third.gone] == [(category.id, category.name, "fixed")]


def test_a_failure_that_is_not_beyond_noise_for_a_night_is_not_fixed() -> None:
    """The label differs in as many cases as before, but the members differ so as well, so that it is no category."""
    first = night("a", [LABEL] * 20 + [None] * 80, NOTHING, "2026-11-01")
    assert len(first.categories) == 1
    history = NOTHING.followed_by(remember(first))
    cases = [
        Case(f"b{n}", (Message("user", f"question b{n}"),), Source("log", n + 1), "answer", task="desk")
        for n in range(100)
    ]
    contrasts = {
        case.id: CaseContrasts(
            case.id, Contrast(case.id, "production", (LABEL,), 1.0) if n < 18 else None, None,
            frozenset(LABEL.keys if n < 18 else ()), dict.fromkeys(LABEL.keys, 2), 6,
        )
        for n, case in enumerate(cases)
    }  # fmt: skip
    second = follow_nights(categorise(cases, contrasts, {}, {}), cases, history, today="2026-11-02")
    assert second.categories == ()
    assert [g.fading for g in second.gone] == [None]


def test_a_night_that_is_run_again_is_the_same_night() -> None:
    file = NOTHING.followed_by(remember(night("a", [REFUND] * 20 + [None] * 80, NOTHING, "2026-11-01")))
    second = night("b", [REFUND] * 20 + [None] * 80, file, "2026-11-02")
    after = file.followed_by(remember(second))
    again = night("b", [REFUND] * 20 + [None] * 80, after, "2026-11-09")
    assert again.categories == second.categories
    assert after.followed_by(remember(again)) == after
