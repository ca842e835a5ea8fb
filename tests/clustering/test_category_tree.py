"""The hierarchy of categories: few at the top, ids that hold, parts that keep their parent."""

from __future__ import annotations

from collections import Counter

from curator.clustering.category_ids import category_id
from curator.clustering.category_tree import LEAST_BORDER, MOST_TOP, build_categories
from curator.clustering.failure_modes import FailureMode, find_modes
from curator.clustering.task_index import AskedCase
from curator.records import Category, Difference
from curator.records.differences import CaseContrasts
from tests.clustering.planted_contrasts import categories_of, plain, weighing

NAMES = ("amber", "beige", "coral", "denim", "ebony", "green", "hazel", "ivory")
PAIRS = [(given, expected) for given in NAMES for expected in NAMES if given != expected]


def pairs(n: int, *, each: int = 5, task: str = "task") -> list[AskedCase]:
    """Cases of `n` label pairs."""
    return [
        plain(1000 * i + j, Difference("label", "", *PAIRS[i % len(PAIRS)]), task=f"{task}{i // len(PAIRS)}")
        for i in range(n)
        for j in range(each)
    ]


def split_levels(categories: list[Category]) -> tuple[list[Category], list[Category]]:
    return [c for c in categories if c.parent is None], [c for c in categories if c.parent is not None]


def built(cases: list[AskedCase]) -> tuple[list[Category], list[Category]]:
    return split_levels([item.category for item in categories_of(cases)])


def test_many_modes_have_few_categories_at_the_top_and_parts_within_them() -> None:
    cases = pairs(60)
    top, parts = built(cases)
    assert 1 < len(top) <= MOST_TOP
    assert len({c.id for c in (*top, *parts)}) == len(top) + len(parts)
    by_id = {category.id: category for category in top}
    assert parts
    for part in parts:
        assert part.parent is not None
        assert set(part.case_ids) <= set(by_id[part.parent].case_ids)
    counts = Counter(case_id for category in top for case_id in category.case_ids)
    assert counts.keys() == {case.contrasts.case_id for case in cases}
    assert set(counts.values()) == {1}


def test_few_modes_are_categories_of_their_own() -> None:
    top, parts = built(pairs(MOST_TOP))
    assert (len(top), parts) == (MOST_TOP, [])


def test_an_id_is_a_hash_of_task_and_difference_and_holds_when_other_cases_come() -> None:
    few, _ = built(pairs(4))
    assert {c.id for c in few} == {category_id("task0", f"label::{a}>{b}") for a, b in PAIRS[:4]}
    more, _ = built([*pairs(12), *[plain(n + 90_000, task="other") for n in range(50)]])
    assert {c.id for c in few} < {c.id for c in more}
    assert category_id("a", "bc") != category_id("ab", "c")
    assert category_id("\ud800") == category_id("\ud800")


def test_the_most_expected_failures_come_first() -> None:
    small, large = weighing(pairs(1, task="small"), 1), weighing(pairs(1, task="large", each=4), 10)
    top, _ = built([*small, *large])
    assert [category.task for category in top] == ["large0", "small0"]


def topic_cases() -> list[AskedCase]:
    wrong = Difference("label", "", "amber", "beige")
    topics = ["the lamp"] * 16 + ["a radio"] * 14 + [f"word{chr(97 + i)}x" for i in range(6)]
    cases = [plain(n, wrong, topics=topic) for n, topic in enumerate(topics)]
    return [*cases, *[plain(n + 500, topics="another wish") for n in range(150)]]


def test_a_large_category_has_parts_by_the_topics_of_its_inputs() -> None:
    (parent,), parts = built(topic_cases())
    assert sorted((part.keywords, len(part.case_ids)) for part in parts) == [(("lamp",), 16), (("radio",), 14)]
    for part in parts:
        assert part.parent == parent.id
        assert set(part.case_ids) < set(parent.case_ids)
        assert part.sentence.endswith(f"on inputs about {part.keywords[0]}")
        assert part.id == category_id("task", "label::amber>beige", f"topic:{part.keywords[0]}")


def test_a_topic_that_all_inputs_have_is_not_a_part() -> None:
    wrong = Difference("label", "", "amber", "beige")
    cases = [plain(n, *([wrong] if n < 40 else []), topics="the lamp" if n % 2 else "a radio") for n in range(200)]
    assert not built(cases)[1]


def test_the_border_is_the_last_case_of_enough() -> None:
    enough, few = built(pairs(1, each=LEAST_BORDER))[0], built(pairs(1, each=LEAST_BORDER - 1))[0]
    assert enough[0].border == enough[0].case_ids[-1]
    assert few[0].border is None


def test_the_sides_are_the_values_that_face_each_other() -> None:
    (category,), _ = built(pairs(1))
    assert [(side.text, side.by, side.share) for side in category.sides] == [
        ("amber", "production", 1.0), ("beige", "committee", 1.0),
    ]  # fmt: skip
    assert (category.task, category.aspect, category.basis) == ("task0", "label", "production")


def test_nothing_has_no_categories() -> None:
    assert build_categories([], []) == []
    assert build_categories([plain(1)], find_modes([plain(1)])) == []


def test_joined_categories_of_one_path_are_one() -> None:
    """The four smallest fields would make two pairs with the same path, and so with the same id."""
    sizes = {f"field:{name}": size for name, size in zip("wxyz", (10, 11, 12, 13), strict=True)}
    sizes |= {f"tool:tool{n:02}": 40 for n in range(MOST_TOP - 2)}
    cases, modes = [], []
    for key, size in sizes.items():
        places = range(len(cases), len(cases) + size)
        cases += [AskedCase(CaseContrasts(f"{n}", None, None, frozenset(), {}, 6), "desk", 1, 1.0) for n in places]
        modes.append(FailureMode("desk", key, "production", tuple(places), {}))
    built = [item.category for item in build_categories(cases, modes)]
    assert len({c.id for c in built}) == len(built)
    (joined,) = {c.parent for c in built if c.parent is not None}
    assert sorted(len(c.case_ids) for c in built if c.parent == joined) == [10, 11, 12, 13]
    assert sum(c.parent is None for c in built) == MOST_TOP - 1
