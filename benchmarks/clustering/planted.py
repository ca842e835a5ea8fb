"""Planted failure modes that come back as categories of their own, through the whole product.

    python -m benchmarks.clustering.planted [--domain support_desk invoices ...] [--cases 2000] [--seeds 0 1 2]
                                            [--without-vectors] [--grow 4000] [--list]

Each made-up log is written as a log file, its committee is served by a local endpoint, and `curator.run` reads, asks, scores,
groups and names. A mode is *pure* if at least .8 of the cases of one of the first 15 top-level categories are of the mode,
*found* if that category also has at least half of the mode's cases, and *named* if a word that tells the mode is in its name or
sentence. Beside it: topic clusters of the same failing inputs, named by their words.

The same log without any planted mode, with random errors only, should have no category. `--grow` adds so many cases of the same
traffic, and prints the share of the top-level categories, by records, whose id and sentence stay.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson

import curator
from benchmarks.clustering.finding import FIRST, Finding, Named, findings, kept_share
from benchmarks.clustering.five_tools import five_tools
from benchmarks.clustering.free_text import free_text
from benchmarks.clustering.invoices import invoices
from benchmarks.clustering.made_up import Domain, MadeUpLog
from benchmarks.clustering.recorded_committee import RecordedCommittee, committee_config, served, write_log
from benchmarks.clustering.support_desk import support_desk
from benchmarks.clustering.topic_baselines import topic_clusters
from benchmarks.common.lexical import LexicalEncoder
from curator.config import EmbeddingConfig, parse_config
from curator.encoders.sentence import Encoder, open_encoder
from curator.records import case_id

DOMAINS: Mapping[str, Domain] = {
    "support_desk": support_desk,
    "invoices": invoices,
    "five_tools": five_tools,
    "free_text": free_text,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run over a made-up log.

    Attributes:
        categories: those of the top level, in their order.
        modes: the planted mode of each kept case, by case id; None for none.
        weights: the log records behind each kept case, by case id.
        texts: the last user message of each kept case, by case id.
        seconds: of the whole run.
    """

    categories: Sequence[Named]
    modes: Mapping[str, str | None]
    weights: Mapping[str, int]
    texts: Mapping[str, str]
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--domain", nargs="*", choices=sorted(DOMAINS), default=list(DOMAINS))
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--without-vectors", action="store_true", help="TF-IDF instead of the encoder")
    parser.add_argument("--grow", type=int, default=0, help="cases of the same traffic to add")
    parser.add_argument("--list", action="store_true", help="print the category of every mode")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    encoder = None if arguments.without_vectors else open_encoder(EmbeddingConfig())
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.domain:
            for seed in arguments.seeds:
                place = Path(folder) / f"{name}-{seed}"
                place.mkdir()
                judge(name, seed, arguments.cases, place, encoder, listed=arguments.list)
                if arguments.grow:
                    grow(name, seed, arguments.cases, arguments.grow, place, encoder)


def judge(name: str, seed: int, cases: int, folder: Path, encoder: Encoder | None, *, listed: bool) -> None:
    """Print the figures of one log, of topic clusters, and of the same log without a planted mode."""
    log = DOMAINS[name](cases, seed)
    outcome = through_product(log, folder / "planted", encoder)
    print(f"\n{name}, seed {seed}: {cases:,} cases, {len(outcome.modes):,} kept, {outcome.seconds:.0f} s", flush=True)
    rows = findings(log.modes, outcome.modes, outcome.categories)
    print(line("curator", rows, outcome))
    failing = {i for category in outcome.categories for i in category.case_ids}
    topics = topic_clusters({i: text for i, text in outcome.texts.items() if i in failing})
    for method, clusters in topics.items():
        print(line(method, findings(log.modes, outcome.modes, clusters), outcome))
    if listed:
        for row in rows:
            print(described(row))
        for place, category in enumerate(outcome.categories[:FIRST], 1):
            print(f"  {place:2} {len(category.case_ids):4} cases  {category.name}: {category.sentence}")
    null = through_product(DOMAINS[name](cases, seed, without=[m.id for m in log.modes]), folder / "null", encoder)
    sizes = [len(category.case_ids) for category in null.categories]
    print(
        f"  nothing planted: {len(sizes)} categories, {sum(sizes)} cases in them (of {len(null.modes):,})", flush=True
    )
    for category in null.categories if listed else ():
        print(f"     {len(category.case_ids):4} cases  {category.name}: {category.sentence}")


def grow(name: str, seed: int, cases: int, more: int, folder: Path, encoder: Encoder | None) -> None:
    """Print the share of the categories of a log that stay when more of the same traffic is added."""
    outcomes = [
        through_product(DOMAINS[name](count, seed), folder / f"of {count}", encoder) for count in (cases, cases + more)
    ]
    share = kept_share(outcomes[0].categories, outcomes[1].categories, outcomes[0].weights)
    counts = " then ".join(str(len(outcome.categories)) for outcome in outcomes)
    print(
        f"  {cases:,} then {cases + more:,} cases: {counts} categories, {share:.2f} of them stay, by records",
        flush=True,
    )


def through_product(log: MadeUpLog, folder: Path, encoder: Encoder | None) -> Outcome:
    """Run the whole product over a log; without an encoder, by TF-IDF vectors."""
    folder.mkdir()
    write_log(log.cases, folder / "log.jsonl")
    modes, texts = {}, {}
    for case in reversed(log.cases):  # of equal inputs the first one is kept
        modes[case_id(case.messages)] = case.mode
        texts[case_id(case.messages)] = case.messages[-1].content
    start = time.monotonic()
    with served(RecordedCommittee(log.cases)) as base_url:
        config: dict[str, Any] = {
            "name": "planted",
            "logs": {"paths": [str(folder / "log.jsonl")]},
            "committee": committee_config(log.cases, base_url, folder / "prompts"),
            "held_out": {"paraphrases": False},
            "store": str(folder / "store.sqlite"),
        }
        curator.run(
            parse_config(config),
            out=folder / "run",
            environ={},
            encoder=encoder or LexicalEncoderOfLog(list(texts.values())),
        )
    weights = {row["id"]: row["weight"] for row in _rows(folder / "run" / "cases.jsonl")}
    return Outcome(
        categories=[
            Named(row["id"], row["name"], row["sentence"], frozenset(row["case_ids"]))
            for row in _rows(folder / "run" / "categories.jsonl")
            if row["parent"] is None
        ],
        modes={i: mode for i, mode in modes.items() if i in weights},
        weights=weights,
        texts={i: text for i, text in texts.items() if i in weights},
        seconds=time.monotonic() - start,
    )


class LexicalEncoderOfLog(LexicalEncoder):
    """TF-IDF vectors of the inputs of one log, under a name that the cache of vectors needs."""

    name = "tf-idf of the log"


def line(method: str, rows: Sequence[Finding], outcome: Outcome) -> str:
    """Return the figures of one method: modes found, pure and named, and the mean purity of what was found."""

    def count(of: Callable[[Finding], bool]) -> int:
        return sum(map(of, rows))

    purity = np.mean([row.purity for row in rows if row.complete] or [np.nan])
    return (
        f"  {method:16} of {len(rows)} modes: {count(lambda r: r.complete):2} found,"
        f" {count(lambda r: r.complete and r.named):2} of them named, {count(lambda r: r.pure):2} pure;"
        f" purity of those found {purity:.2f}"
        + (f"; {len(outcome.categories)} categories" if method == "curator" else "")
    )


def described(row: Finding) -> str:
    """Return the line of a mode: its best category."""
    verdict = "found" if row.complete else "pure " if row.pure else "-    "
    place = f"{row.place:2}" if row.place else " -"
    return (
        f"  {verdict} {row.mode.id:26} {row.cases:4} cases, purity {row.purity:.2f}, recall {row.recall:.2f},"
        f" {'named' if row.named else 'NOT named'}, place {place} {row.name}"
    )


def _rows(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(text) for text in path.read_bytes().splitlines()]


if __name__ == "__main__":
    main()
