"""The hierarchy of categories."""

from __future__ import annotations

from curator.clustering.category_tree import MOST_TOP, build_categories
from curator.clustering.failure_modes import FailureMode
from curator.clustering.task_index import AskedCase
from curator.records.differences import CaseContrasts


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
