"""Categories that stay the same from night to night."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import permutations
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.clustering.night_matching import SAME_PROFILE
from curator.clustering.tracked_categories import NIGHTS_KEPT, CategoryHistory, NightCategory
from curator.clustering.tracking import (
    GROUPING_CHANGED,
    CategoryMatches,
    match_categories,
    night_key,
    update_history,
)
from curator.records import CategoryChange, GoneCategory


def category(id_: str, cases: int = 20, *, task: str = "t", **profile: float) -> NightCategory:
    return NightCategory(
        f"c-{id_}", f"name of {id_}", f"sentence of {id_}", (f"word of {id_}",), None, task, "content",
        profile or {f"topic:{id_}": 1.0}, cases, cases,
    )  # fmt: skip


def match(
    history: CategoryHistory | None,
    categories: Sequence[NightCategory],
    *,
    method: str = "m",
    shown: Mapping[str, int] = MappingProxyType({}),
    **tasks: int,
) -> CategoryMatches:
    asked = tasks or {"t": 100}
    return match_categories(
        history, categories, cases_by_task=asked, records=sum(asked.values()), method=method, shown=shown
    )


def night(
    history: CategoryHistory | None, *categories: NightCategory, date: str = "2026-11-25", **tasks: int
) -> CategoryHistory:
    """The history after one more night."""
    return update_history(history, match(history, categories, **tasks), key="k", date=date)


def test_the_same_signature_is_the_same_category_however_its_profile_changed() -> None:
    history = night(None, category("a", topic_x=1), category("b", topic_y=1))
    matches = match(history, [category("b", topic_x=1), category("a", topic_y=1), category("c")])
    assert matches.ids == ("c-b", "c-a", "c-c")
    assert [change and change.trend for change in matches.changes] == ["steady", "steady", "new"]


def test_another_signature_with_the_same_profile_keeps_id_name_and_sentence() -> None:
    history = night(None, category("a", x=1, y=1))
    matches = match(history, [category("b", x=1, y=0.9)])
    assert (matches.ids, matches.names, matches.sentences) == (("c-a",), ("name of a",), ("sentence of a",))
    assert matches.categories[0].keywords == ("word of b",)
    assert matches.changes == (CategoryChange("steady", 20, 2, now=20),)


def test_the_signature_of_the_last_night_is_found_before_a_profile() -> None:
    """The second night's profile alone would match the old one with the third night's `d`."""
    history = night(night(None, category("a", x=1)), category("b", x=1))
    matches = match(history, [category("b", x=1, y=1), category("d", x=1)])
    assert matches.ids == ("c-a", "c-d")


def test_an_exact_id_is_taken_before_the_last_signature() -> None:
    history = night(night(None, category("a", x=1)), category("b", x=1))
    matches = match(history, [category("b", x=1), category("a", x=1)])
    assert matches.ids == ("c-b", "c-a")
    assert matches.changes[0] == CategoryChange("new", None, 1, split_from="c-a", now=20)


def test_the_match_is_the_best_of_all_not_the_first_that_fits() -> None:
    """A greedy match would give `q` to `b`, its nearest, and leave `p` without any."""
    history = night(None, category("a", x=1), category("b", x=1, y=0.4))
    matches = match(history, [category("p", x=1, y=0.8), category("q", x=1, y=0.35)])
    assert matches.ids == ("c-b", "c-a")


@pytest.mark.parametrize("other", [{"task": "other"}, {"aspect": "format"}])
def test_another_task_or_aspect_is_another_category(other: dict[str, str]) -> None:
    history = night(None, category("a", x=1))
    assert match(history, [replace(category("b", x=1), **other)]).ids == ("c-b",)  # type: ignore[arg-type]


def test_the_first_night_has_nothing_to_compare_with() -> None:
    matches = match(None, [category("a")])
    assert (matches.changes, matches.matched, matches.gone, matches.warnings) == ((None,), (None,), (), ())
    assert matches.first_seen("2026-11-25") == ("2026-11-25",)


def test_what_grew_shrank_came_back_and_went() -> None:
    history = night(None, category("a", 10), category("b", 40), category("c", 20), category("d", 20))
    matches = match(history, [category("a", 40), category("b", 10), category("c", 25)])
    assert matches.changes == (
        CategoryChange("grew", 10, 2, now=40),
        CategoryChange("shrank", 40, 2, now=10, fading="fixed"),
        CategoryChange("steady", 20, 2, now=25),
    )
    assert matches.gone == (GoneCategory("c-d", "name of d", 20, fading="fixed"),)
    history = night(history, category("a"), category("b"), category("c"))
    back = match(history, [category("d")])
    assert back.changes == (CategoryChange("back", None, 2, now=20),)
    assert [c.id for c in back.gone] == ["c-a", "c-b", "c-c"]


def test_the_share_of_the_records_grows_though_that_of_the_cases_does_not() -> None:
    history = night(None, category("a", 20))
    (change,) = match(history, [replace(category("a", 20), records=60)]).changes
    assert change is not None
    assert change.trend == "grew"


@pytest.mark.parametrize(
    ("tasks", "fading"),
    [
        ({"t": 100, "u": 100}, "fixed"),
        ({"t": 60, "u": 140}, "fixed"),
        ({"t": 3, "u": 197}, "not-asked"),
        ({"u": 200}, "not-asked"),
    ],
)
def test_what_is_gone_is_fixed_or_no_longer_asked(tasks: dict[str, int], fading: str) -> None:
    history = night(None, category("a", 20), t=100, u=100)
    assert [c.fading for c in match(history, [], **tasks).gone] == [fading]


@pytest.mark.parametrize(("shown_now", "fading"), [(22, None), (4, "fixed")])
def test_a_failure_that_still_shows_is_not_fixed(shown_now: int, fading: str | None) -> None:
    """The second night shows it under the signature of the first one, in no category."""
    history = update_history(None, match(None, [category("a", 20)], shown={"c-a": 25}), key="k", date="2026-11-25")
    assert [c.fading for c in match(history, [], shown={"c-a": shown_now}).gone] == [fading]


@pytest.mark.parametrize(("cases", "fading"), [(8, None), (9, "fixed")])
def test_few_cases_do_not_tell_why_a_category_is_gone(cases: int, fading: str | None) -> None:
    history = night(None, category("a", cases), t=1000)
    assert [c.fading for c in match(history, [], t=1000).gone] == [fading]


def test_a_task_that_is_asked_less_shrinks_its_categories() -> None:
    history = night(None, category("a", 40), t=100, u=100)
    (change,) = match(history, [category("a", 12)], t=30, u=170).changes
    assert change == CategoryChange("shrank", 40, 2, now=12, fading="not-asked")


def test_the_tasks_of_tracked_categories_are_counted_and_no_others() -> None:
    history = night(None, category("a"), t=60, u=40)
    assert (history.counts.cases, history.counts.by_task) == (100, {"t": 60})


def joined(*parts: NightCategory, id_: str = "j") -> tuple[NightCategory, ...]:
    """A category of others, and these as its parts."""
    profile = {f"{part.id}/share": 1.0 for part in parts}
    parent = category(id_, sum(part.cases for part in parts), **profile)
    return (parent, *(replace(part, parent=parent.id) for part in parts))


def topic(parent: NightCategory, word: str, cases: int) -> NightCategory:
    """The part of a category with a word."""
    part = category(f"{parent.id}-{word}", cases, **parent.profile, **{f"topic:{word}": 1.0})
    return replace(part, parent=parent.id, name=f"{parent.name}: {word}")


def test_a_small_part_of_a_category_that_is_gone_is_not_listed() -> None:
    history = night(None, *joined(category("a"), category("b", 3), category("c", 15)))
    assert [c.id for c in match(history, joined(category("a", 20))).gone] == ["c-c"]


def test_a_category_is_not_gone_while_its_parts_stand_on_their_own() -> None:
    history = night(None, *joined(category("a"), category("b")))
    matches = match(history, [category("a"), category("b")])
    assert matches.gone == ()
    assert [c.parent for c in matches.categories] == [None, None]


def test_a_category_that_is_gone_with_all_its_parts_is_listed_once() -> None:
    history = night(None, *joined(category("a"), category("b")))
    assert match(history, []).gone == (GoneCategory("c-j", "name of j", 40, fading="fixed"),)
    assert match(history, [], shown={"c-a": 20, "c-b": 15}).gone == (GoneCategory("c-j", "name of j", 40),)


def test_a_new_category_names_the_ones_that_it_joins() -> None:
    history = night(None, category("a"), category("b"))
    (change, *_) = match(history, joined(category("a"), category("b"), category("c"))).changes
    assert change == CategoryChange("new", None, 1, merged=("c-a", "c-b"), now=60)


def test_a_joined_category_that_shrinks_has_lost_parts_so_no_reason_is_given() -> None:
    history = night(None, *joined(category("a", 30), category("b", 10)))
    (change, *_) = match(history, joined(category("b", 10))).changes
    assert change == CategoryChange("shrank", 40, 2, now=10)


def test_a_joined_category_is_not_one_of_its_parts() -> None:
    """The profile of a category of others is near to that of its largest part."""
    parent, *parts = joined(category("a", x=1), category("b", y=1))
    history = night(None, replace(parent, profile={"x": 1, "y": 0.3}), *parts)
    assert match(history, [category("p", x=1, y=0.3)]).matched[0] == history.categories[0]
    assert history.categories[0].category.id == "c-a"


def test_a_topic_of_a_category_is_followed_by_id_only_and_is_never_gone() -> None:
    parent = category("a", 40, x=1)
    history = night(None, parent, topic(parent, "u", 20), topic(parent, "v", 20))
    now = [parent, topic(parent, "u", 10), topic(parent, "w", 20)]
    matches = match(history, now)
    assert matches.ids == ("c-a", "c-c-a-u", "c-c-a-w")
    assert [old and old.category.id for old in matches.matched] == ["c-a", "c-c-a-u", None]
    assert matches.changes[2] == CategoryChange("new", None, 1, now=20)
    assert matches.gone == ()


def test_a_new_topic_is_named_after_the_name_that_its_parent_keeps() -> None:
    history = night(None, category("a", x=1))
    parent = category("b", x=1)
    assert match(history, [topic(parent, "u", 9), parent]).names == ("name of a: u", "name of a")


def test_of_a_split_the_most_similar_part_keeps_the_id() -> None:
    history = night(None, category("a", x=1, y=1), category("b", z=1))
    matches = match(history, [category("p", x=1, y=0.3), category("q", x=1, y=0.8), category("b", z=1)])
    assert matches.ids == ("c-p", "c-a", "c-b")
    assert matches.changes[0] == CategoryChange("new", None, 1, split_from="c-a", now=20)


def test_of_a_merger_the_larger_one_keeps_the_id() -> None:
    history = night(None, category("a", 10, x=1), category("b", 30, x=1, y=0.5))
    matches = match(history, [category("m", 40, x=1, y=0.2)])
    assert matches.ids == ("c-b",)
    assert matches.changes[0] is not None
    assert matches.changes[0].merged == ("c-a",)
    assert matches.gone == (GoneCategory("c-a", "name of a", 10, into="c-b"),)


def test_an_exact_id_stays_in_a_merger_with_a_larger_one() -> None:
    history = night(None, category("a", 10, x=1), category("b", 30, x=1, y=0.5))
    assert match(history, [category("a", 40, x=1, y=0.2)]).ids == ("c-a",)


def test_what_merged_on_an_earlier_night_takes_no_id_back() -> None:
    """The category that merged was larger on its last night than both are together on a quiet one."""
    history = night(None, category("a", 50, x=1), category("b", 40, x=1, y=0.5))
    for number in range(3):
        history = night(history, category(f"m{number}", 30, x=1, y=0.2))
    matches = match(history, [category("m3", 30, x=1, y=0.2)])
    assert matches.ids == ("c-a",)
    assert matches.changes == (CategoryChange("steady", 30, 5, now=30),)
    assert matches.gone == ()


def test_parts_follow_their_parent_to_its_old_id() -> None:
    part = replace(category("p", z=1), parent="c-b")
    history = night(None, category("a", x=1), replace(part, parent="c-a"))
    matches = match(history, [part, category("b", x=1), replace(category("q"), parent="c-elsewhere")])
    assert [c.parent for c in matches.categories] == ["c-a", None, "c-elsewhere"]


def test_a_model_renames_what_a_template_named_and_nothing_else() -> None:
    history = night(None, category("a"))
    by_model = replace(category("a"), name="better name", sentence="better sentence", named_by="model")
    matches = match(history, [by_model])
    assert (matches.names, matches.sentences) == (("better name",), ("better sentence",))
    assert matches.changes == (CategoryChange("steady", 20, 2, now=20, renamed_from="name of a"),)
    history = update_history(history, matches, key="k", date="2026-11-26")
    for later in (replace(by_model, name="another name"), category("a")):
        again = match(history, [later])
        assert (again.names, again.categories[0].named_by) == (("better name",), "model")
        assert again.changes == (CategoryChange("steady", 20, 3, now=20),)


def test_a_new_category_does_not_get_the_name_of_another_one() -> None:
    history = night(None, category("a"))
    new = [replace(category(id_), name="name of a", keywords=("refund",)) for id_ in ("b", "c")]
    matches = match(history, [category("a"), *new])
    assert matches.names == ("name of a", "name of a (refund)", "name of a (2)")


def test_another_method_of_grouping_is_not_compared_and_said_once() -> None:
    history = night(None, category("a"), category("b"))
    matches = match(history, [category("a")], method="other")
    assert (matches.warnings, matches.changes, matches.gone) == ((GROUPING_CHANGED,), (None,), ())
    history = update_history(history, matches, key="k", date="2026-11-26")
    assert [(c.category.id, c.first_seen, c.nights) for c in history.categories] == [("c-a", "2026-11-26", 1)]
    assert match(history, [category("a")], method="other").warnings == ()


def test_a_forgotten_category_does_not_come_back() -> None:
    history = night(None, category("a", x=1), category("b"))
    for _ in range(NIGHTS_KEPT - 1):
        history = night(history, category("b"))
    assert match(history, [category("c", x=1)]).ids == ("c-a",)
    history = night(history, category("b"))
    assert match(history, [category("c", x=1)]).ids == ("c-c",)


def test_a_night_without_categories_keeps_what_is_known() -> None:
    history = night(night(None, category("a", x=1), date="2026-11-24"))
    matches = match(history, [category("b", x=1)])
    assert matches.ids == ("c-a",)
    assert matches.first_seen("2026-11-26") == ("2026-11-24",)


def test_dates_and_nights_of_a_category() -> None:
    history = night(None, category("a"), date="2026-11-24")
    (tracked,) = night(history, category("a"), date="2026-11-25").categories
    assert (tracked.first_seen, tracked.last_seen, tracked.nights) == ("2026-11-24", "2026-11-25", 2)


def test_a_profile_is_the_mean_of_its_nights() -> None:
    history = night(night(None, category("a", x=1)), category("a", y=1))
    assert history.categories[0].category.profile == {"x": 0.7071, "y": 0.7071}


def test_the_same_cases_are_the_same_night() -> None:
    assert night_key(["a", "b"]) == night_key(["b", "a"]) != night_key(["a"])


def test_nothing_depends_on_the_order_of_the_categories() -> None:
    """Two parts are equally similar to the old one, and both categories before are to the merged one."""
    history = night(None, category("a", x=1), category("b", y=1, z=0.5), category("c", y=1, v=0.5))
    now = [category("p", x=1, w=0.2), category("q", x=1, u=0.2), category("m", y=1), category("n")]
    expected = {}
    for order in permutations(now):
        matches = match(history, order)
        rows = zip(matches.signatures, matches.categories, matches.changes, strict=True)
        expected.setdefault(str(sorted(rows, key=lambda row: row[0])) + str(matches.gone), order)
    assert len(expected) == 1


PROFILES = st.dictionaries(st.sampled_from("uvwxyz"), st.floats(0, 1), max_size=4)
NIGHTS = st.lists(st.dictionaries(st.sampled_from("abcdefgh"), PROFILES, max_size=6), min_size=1, max_size=5)


@settings(max_examples=60, deadline=None)
@given(NIGHTS)
def test_the_matches_of_any_nights_are_one_to_one(nights: list[dict[str, dict[str, float]]]) -> None:
    history = None
    for profiles in nights:
        now = [replace(category(id_), profile=profile) for id_, profile in profiles.items()]
        matches = match(history, now)
        assert len(set(matches.ids)) == len(now)
        assert len(set(matches.names)) == len(now)
        matched = [old.category.id for old in matches.matched if old]
        assert len(set(matched)) == len(matched)
        assert not set(matched) & {c.id for c in matches.gone}
        known = {c.category.id for c in history.categories} if history else set()
        for category_, old in zip(matches.categories, matches.matched, strict=True):
            assert category_.id == old.category.id if old else category_.id not in known
        history = update_history(history, matches, key="k", date="2026-11-25")
        ids = [c.category.id for c in history.categories]
        assert ids == sorted(set(ids))
        signatures = [c.signature for c in history.categories]
        assert len(set(signatures)) == len(signatures)


def test_the_limit_is_the_least_cosine_that_counts() -> None:
    history = night(None, category("a", x=1))
    sine = (1 - SAME_PROFILE**2) ** 0.5
    assert match(history, [category("b", x=SAME_PROFILE + 0.01, y=sine)]).ids == ("c-a",)
    assert match(history, [category("b", x=SAME_PROFILE - 0.01, y=sine)]).ids == ("c-b",)
