"""Planted failure modes that come back as categories of their own.

    python -m benchmarks.clustering.planted [--domain support_desk invoices ...] [--cases 2000] [--seeds 0 1 2]
                                            [--product] [--grow 4000] [--list]

The cases of each made-up log are scored, grouped and named in memory. With `--product` the log is written to a file, its
committee is served by a local endpoint, and `curator.run` does everything. A mode is *pure* if at least .8 of the cases of one of
the first 15 top-level categories are of the mode, *found* if that category also has at least half of the mode's cases, and
*named* if a word that tells the mode is in its name or sentence. Beside it: topic clusters of the same failing inputs, named by
their words.

The same log without any planted mode, with random errors only, should have no category. `--grow` adds so many cases of the same
traffic, and prints the share of the top-level categories, by records, whose id and sentence stay: followed as from night to night,
and each log on its own.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.clustering.finding import FIRST, Finding, findings, kept_share
from benchmarks.clustering.five_tools import five_tools
from benchmarks.clustering.free_text import free_text
from benchmarks.clustering.invoices import invoices
from benchmarks.clustering.made_up import Domain, MadeUpLog
from benchmarks.clustering.outcomes import Outcome, group, in_memory, named, through_product
from benchmarks.clustering.support_desk import support_desk
from benchmarks.clustering.topic_baselines import topic_clusters
from curator.stages.categorise import follow_nights, remember
from curator.state.categories import CategoriesFile

DOMAINS: Mapping[str, Domain] = {
    "support_desk": support_desk,
    "invoices": invoices,
    "five_tools": five_tools,
    "free_text": free_text,
}
Categorise = Callable[[MadeUpLog], Outcome]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--domain", nargs="*", choices=sorted(DOMAINS), default=list(DOMAINS))
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--product", action="store_true", help="run the whole product")
    parser.add_argument("--grow", type=int, default=0, help="cases of the same traffic to add")
    parser.add_argument("--list", action="store_true", help="print the category of every mode")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    for name in arguments.domain:
        for seed in arguments.seeds:
            judge(name, seed, arguments.cases, _by(product=arguments.product), listed=arguments.list)
            if arguments.grow:
                grow(name, seed, arguments.cases, arguments.grow)


def _by(*, product: bool) -> Categorise:
    """Return the way from a log to its categories."""
    if not product:
        return in_memory

    def run(log: MadeUpLog) -> Outcome:
        with tempfile.TemporaryDirectory() as folder:
            return through_product(log, Path(folder) / "planted")

    return run


def judge(name: str, seed: int, cases: int, categorise: Categorise, *, listed: bool) -> None:
    """Print the figures of one log, of topic clusters, and of the same log without a planted mode."""
    log = DOMAINS[name](cases, seed)
    outcome = categorise(log)
    print(
        f"\n{name}, seed {seed}: {cases:,} cases, {len(outcome.modes):,} kept, {len(outcome.categories)} categories,"
        f" {outcome.seconds:.0f} s",
        flush=True,
    )
    rows = findings(log.modes, outcome.modes, outcome.categories)
    print(line("curator", rows))
    failing = {i for category in outcome.categories for i in category.case_ids}
    topics = topic_clusters({i: text for i, text in sorted(outcome.texts.items()) if i in failing})
    for method, clusters in topics.items():
        print(line(method, findings(log.modes, outcome.modes, clusters)))
    if listed:
        print(*map(described, rows), sep="\n")
        print(*listing(outcome), sep="\n")
    null = categorise(DOMAINS[name](cases, seed, without=[mode.id for mode in log.modes]))
    sizes = [len(category.case_ids) for category in null.categories]
    print(f"  nothing planted: {len(sizes)} categories with {sum(sizes)} of {len(null.modes):,} cases", flush=True)
    if listed and sizes:
        print(*listing(null), sep="\n")


def grow(name: str, seed: int, cases: int, more: int) -> None:
    """Print the share of the categories of a log that stay when more of the same traffic is added.

    The longer log is grouped on its own, and then followed from the shorter one as a night from the night before.
    """
    short, long = group(DOMAINS[name](cases, seed)), group(DOMAINS[name](cases + more, seed))
    first = follow_nights(short.result, short.cases, CategoriesFile(None, None), today="2026-11-01")
    file = CategoriesFile(None, None).followed_by(remember(first))
    followed = follow_nights(long.result, long.cases, file, today="2026-11-02")
    weights = {case.id: case.weight for case in short.cases}
    before, alone, after = (named(result.categories) for result in (first, long.result, followed))
    print(
        f"  {cases:,} then {cases + more:,} cases: {len(before)} then {len(after)} categories; by records,"
        f" {kept_share(before, after, weights):.2f} of them stay, {kept_share(before, alone, weights):.2f} without a memory",
        flush=True,
    )


def line(method: str, rows: Sequence[Finding]) -> str:
    """Return the figures of one method: modes found, pure and named, and the mean purity of what was found."""
    complete = [row for row in rows if row.complete]
    purity = f"{np.mean([row.purity for row in complete]):.2f}" if complete else "-"
    return (
        f"  {method:15} of {len(rows)} modes: {len(complete):2} found, {sum(row.named for row in complete):2} of them named,"
        f" {sum(row.pure for row in rows):2} pure; mean purity of those found {purity}"
    )


def described(row: Finding) -> str:
    """Return the line of a mode: its best category."""
    verdict = "found" if row.complete else "pure" if row.pure else "-"
    place = f"{row.place}" if row.place else "-"
    named = "named" if row.named else "NOT named"
    return (
        f"  {verdict:5} {row.mode.id:24} {row.cases:4} cases, purity {row.purity:.2f}, recall {row.recall:.2f}, {named},"
        f" place {place}: {row.name}"
    )


def listing(outcome: Outcome) -> list[str]:
    """Return a line for each of the first categories."""
    return [
        f"  {place:2} {len(category.case_ids):4} cases  {category.name}: {category.sentence}"
        for place, category in enumerate(outcome.categories[:FIRST], 1)
    ]


if __name__ == "__main__":
    main()
