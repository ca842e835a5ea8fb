"""Three nights of the same made-up traffic: the categories that stay, the failure that begins and the one that ends.

    python -m benchmarks.clustering.nights [--domain support_desk invoices ...] [--cases 2000] [--seeds 0 1] [--pairs 2] [--list]

The nights share no case. In the third one a planted mode begins and another one ends, whose inputs still come (`three_nights`).
For each log and each pair of modes it prints

* kept: of the top-level categories of a night, the share, by records, whose id and sentence the next night has, from night 1 to
  2 and from 2 to 3 (without the category of the mode that ends); beside it the same by ids made from the night alone, and
  by names;
* begins: the category of the new mode in night 3 is new, and a telling word of the mode is in its name or sentence;
* ends: the category of the mode that ended is gone or smaller, and is said to be fixed;
* false: other categories that are said to be fixed or no longer asked, though their mode goes on.

At the end, over all pairs of nights of a log: of the pairs of categories of one task and aspect that have no id in common, the
shares that a minimum cosine of their profiles would match, if both are of one planted mode, and if they are of two.
"""

from __future__ import annotations

import argparse
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from random import Random

from benchmarks.clustering.made_up import Mode
from benchmarks.clustering.outcomes import GroupedLog, group
from benchmarks.clustering.planted import DOMAINS
from benchmarks.clustering.three_nights import ThreeNights, three_nights
from curator.clustering.night_matching import SAME_PROFILE
from curator.clustering.profiles import cosines
from curator.records import Category, Fading
from curator.stages.categorise import CategoryResult, follow_nights, remember
from curator.state.categories import CategoriesFile

LIMITS = (0.3, 0.4, 0.45, SAME_PROFILE, 0.55, 0.6, 0.7, 0.8)
PURE = 0.6
"""The share of a category's cases of one mode from which it is a category of that mode."""


@dataclass(frozen=True, slots=True)
class Night:
    """A night as a run leaves it: its categories alone, the same followed, and the mode of each case, by id."""

    alone: CategoryResult
    followed: CategoryResult
    modes: Mapping[str, str | None]
    weights: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Faded:
    """A category that lost cases, with the mode that most of its cases of the night before had."""

    name: str
    mode: str | None
    before: int
    fading: Fading | None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--domain", nargs="*", choices=sorted(DOMAINS), default=list(DOMAINS))
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1])
    parser.add_argument("--pairs", type=int, default=2, help="pairs of modes, of which one begins and one ends")
    parser.add_argument("--list", action="store_true", help="print the changes")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    print(
        f"{'':24} {'kept 1-2':>9} {'alone':>6} {'names':>6} {'kept 2-3':>9} {'alone':>6} {'names':>6}  begins, ends, false"
    )
    pairs: dict[bool, list[float]] = {True: [], False: []}
    for name in arguments.domain:
        for seed in arguments.seeds:
            modes = [mode.id for mode in DOMAINS[name](1, seed).modes]
            chosen = Random(f"{name}/{seed}").sample(modes, min(2 * arguments.pairs, len(modes)))
            for begins, ends in zip(chosen[::2], chosen[1::2], strict=False):
                planted = three_nights(DOMAINS[name], arguments.cases, seed, begins=begins, ends=ends)
                nights = followed(planted)
                judge(f"{name}, seed {seed}", planted, nights, listed=arguments.list)
                for before, after in combinations(nights, 2):
                    for same, cosine in other_ids(before, after):
                        pairs[same].append(cosine)
    print(f"\ncosine of profiles   one mode (n={len(pairs[True])})   two modes (n={len(pairs[False])})")
    for limit in LIMITS:
        one, two = (sum(c >= limit for c in pairs[same]) / max(len(pairs[same]), 1) for same in (True, False))
        print(f"at least {limit:.2f}             {one:12.2f} {two:18.2f}")


def judge(title: str, planted: ThreeNights, nights: Sequence[Night], *, listed: bool) -> None:
    """Print the figures of three nights."""
    ended = next(mode for mode in planted.nights[1].modes if mode.id == planted.ends)
    begun = next(mode for mode in planted.nights[2].modes if mode.id == planted.begins)
    shares = [*kept_shares(nights[0], nights[1], None), *kept_shares(nights[1], nights[2], planted.ends)]
    fades = [faded(nights[place], nights[place + 1]) for place in (0, 1)]
    false = [f for f in (*fades[0], *(f for f in fades[1] if f.mode != ended.id)) if f.fading]
    figures = "  ".join(f"{share:>{width}.2f}" for share, width in zip(shares, (9, 4, 4, 7, 4, 4), strict=True))
    print(f"{title:24} {figures}   {_begins(begun, nights)}; {_ends(ended, fades[1])}; {len(false)} false",
          flush=True)  # fmt: skip
    if listed:
        for fade in false:
            print(f"    false: {fade.name} ({fade.before} cases, {fade.mode}) is said to be {fade.fading}")
        for night, number in zip(nights[1:], (2, 3), strict=True):
            for c in night.followed.categories:
                if c.parent is None:
                    print(
                        f"    night {number}: {c.change and c.change.trend:7} {len(c.case_ids):4} {main_mode(c, night)!s:22} {c.name}"
                    )


def followed(planted: ThreeNights) -> list[Night]:
    """Return the nights, each compared with the one before."""
    file, nights = CategoriesFile(None, None), []
    for number, log in enumerate(planted.nights, 1):
        grouped: GroupedLog = group(log, file)
        result = follow_nights(grouped.result, grouped.cases, file, today=f"2026-11-{number:02}")
        file = file.followed_by(remember(result))
        nights.append(Night(grouped.result, result, grouped.modes, {case.id: case.weight for case in grouped.cases}))
    return nights


def kept_shares(before: Night, after: Night, without: str | None) -> tuple[float, float, float]:
    """Return the share of the top-level categories, by records, that the next night has.

    By id and sentence as they are followed, by the ids of each night alone, and by the names of each night alone. The
    categories of the mode `without` do not count.
    """
    now = {(c.id, c.sentence) for c in after.followed.categories}
    ids = {c.id for c in after.alone.categories}
    names = {c.name for c in after.alone.categories}
    total = kept = same = named = 0
    for alone, c in zip(before.alone.categories, before.followed.categories, strict=True):
        if c.parent is not None or (without is not None and main_mode(c, before) == without):
            continue
        records = sum(before.weights[i] for i in c.case_ids)
        total += records
        kept += records * ((c.id, c.sentence) in now)
        same += records * (alone.id in ids)
        named += records * (alone.name in names)
    return kept / max(total, 1), same / max(total, 1), named / max(total, 1)


def other_ids(before: Night, after: Night) -> Iterator[tuple[bool, float]]:
    """Yield the cosine of two categories that no id matches, and whether they are of one planted mode.

    Categories of one task and aspect, without parts and with a mode.
    """
    one, two = (_single(night) for night in (before, after))
    ids = {c.id for c in one} & {c.id for c in two}
    for left in one:
        for right in two:
            if ids & {left.id, right.id} or (left.task, left.aspect) != (right.task, right.aspect):
                continue
            profiles = (before.alone.profiles[left.id], after.alone.profiles[right.id])
            yield main_mode(left, before) == main_mode(right, after), float(cosines(profiles[:1], profiles[1:])[0, 0])


def _single(night: Night) -> list[Category]:
    """Return the categories that nothing was joined into, and that are no topic of another one."""
    profiles = night.alone.profiles
    parts = [c for c in night.alone.categories if c.parent is not None]
    joined = {c.parent for c in parts if profiles[c.parent or ""].keys() - profiles[c.id].keys()}
    topics = {c.id for c in parts if c.parent not in joined}
    return [c for c in night.alone.categories if c.id not in topics | joined and main_mode(c, night) is not None]


def faded(before: Night, after: Night) -> list[Faded]:
    """Return the categories that lost cases since the night before."""
    earlier = {c.id: c for c in before.followed.categories}
    gone = [Faded(g.name, main_mode(earlier[g.id], before), g.before, g.fading) for g in after.followed.gone]
    smaller = [
        Faded(c.name, main_mode(earlier[c.id], before), c.change.before, c.change.fading)
        for c in after.followed.categories
        if c.change and c.change.trend == "shrank" and c.change.before is not None
    ]
    return [*gone, *smaller]


def main_mode(category: Category, night: Night) -> str | None:
    """Return the mode of most cases of a category; None where no mode has enough."""
    counts = Counter(night.modes.get(i) for i in category.case_ids)
    mode, count = counts.most_common(1)[0]
    return mode if count >= PURE * len(category.case_ids) else None


def _begins(mode: Mode, nights: Sequence[Night]) -> str:
    """Return the new category of a mode in the last night, or the reason why there is none."""
    of_mode = [c for c in nights[2].followed.categories if main_mode(c, nights[2]) == mode.id]
    new = [c for c in of_mode if c.change and c.change.trend == "new"]
    if not new:
        return f"{mode.id} begins: {'NOT new' if of_mode else 'NOT found'}"
    named = any(word.lower() in f"{c.name} {c.sentence}".lower() for c in new for word in mode.words)
    return f"{mode.id} begins: new{'' if named else ', NOT named'}"


def _ends(mode: Mode, fades: Sequence[Faded]) -> str:
    """Return what is said of the mode that ended."""
    of_mode = [f for f in fades if f.mode == mode.id]
    if any(f.fading == "fixed" for f in of_mode):
        return f"{mode.id} ends: fixed"
    return f"{mode.id} ends: {'gone, NOT said to be fixed' if of_mode else 'NOT gone'}"


if __name__ == "__main__":
    main()
