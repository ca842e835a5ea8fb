"""placeholder until merge"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curator.config import SelectionConfig
from curator.selection.objective import choose_greedily, similarities


@dataclass(frozen=True, slots=True)
class Region:
    name: str
    cases: int
    share: float
    picks: int
    kind: str


@dataclass(frozen=True, slots=True)
class Discovered:
    case_id: str
    gain: float
    reason: str


@dataclass(frozen=True, slots=True)
class Discovery:
    picks: tuple[Discovered, ...]
    candidates: int
    coverage: float
    regions: tuple[Region, ...] = ()
    messages: tuple[str, ...] = ()


def worth_embedding(
    ids: Sequence[str], scores: Mapping[str, float], *, groups: Mapping[str, str], config: SelectionConfig, k: int
) -> tuple[str, ...]:
    wanted = k * config.candidates_per_pick
    chosen: list[str] = []
    seen: set[str] = set()
    for i in sorted((i for i in ids if i in scores), key=lambda i: (-scores[i], i)):
        if len(seen) >= wanted or len(chosen) >= 2 * wanted:
            break
        chosen.append(i)
        seen.add(groups.get(i, i))
    return tuple(chosen)


def discover(
    ids: Sequence[str],
    scores: Mapping[str, float],
    vectors: Mapping[str, NDArray[np.float32]],
    *,
    groups: Mapping[str, str],
    k: int,
    config: SelectionConfig,
    seed: int,
    categories: Mapping[str, str] | None = None,
    covered: Collection[str] = (),
) -> Discovery:
    unstable = [
        i
        for i in sorted(worth_embedding(ids, scores, groups=groups, config=config, k=k))
        if scores[i] > 0 and i not in covered and (not vectors or i in vectors)
    ]
    if not k or not unstable:
        return Discovery((), len(unstable), 0.0)
    s = similarities(np.stack([vectors[i] for i in unstable])) if vectors else np.eye(len(unstable), dtype=np.float32)
    found = choose_greedily(
        s,
        np.array([scores[i] for i in unstable]),
        [groups.get(i, i) for i in unstable],
        k,
        power=config.disagreement_power,
        score_weight=config.score_weight,
    )
    return Discovery(
        tuple(Discovered(unstable[j], g, "unstable") for j, g in zip(found.order, found.gains, strict=True)),
        len(unstable),
        found.coverage,
    )
