"""Compare the ranking of the adaptive committee with that of the whole committee.

The data are recorded generations whose correctness is known.

    python benchmarks/signal/adaptive.py --data DIR [--replays N]

DIR/recorded holds pairs NAME.recorded.jsonl (contract 4 of docs/architecture.md) and NAME.labels.jsonl. Each replay draws
the logged answer (where the set has none) and the order in which the recorded answers arrive, and spends them as a run
would: the same number on every case, by the cascade, or by the published stopping rules. Intervals are bootstraps over
cases and replays at once.

Nothing is fitted here, but choices were made while looking at jhu-gpt35 and sac3-nq: `focus` (how much the selection's
cut counts), the number of rounds, and that calls are handed out evenly where answers are no votes.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from curator.answers.read import read_answer
from curator.config import AdaptiveConfig
from curator.disagreement.score import score_case
from curator.records import Kind, Score, stable_unit
from curator.records.recorded import Answered
from curator.selection.adaptive import first_stage, next_stage, ranking
from curator.selection.adaptive_audit import CascadeAudit, audit_cascade

Record = dict[str, Any]
Floats = NDArray[np.float64]
DRAWS = 400
TOP = 0.1
GOAL = 0.01
LIKELY = 0.95


@dataclass(frozen=True)
class Asked:
    """One case of a replay: its answers in the order in which they would arrive."""

    id: str
    answers: Sequence[Answered]
    target: str | None
    kind: Kind
    wrong: bool

    def score(self, n: int) -> Score:
        """The score of the first n answers."""
        return _scored(self, n)

    def __hash__(self) -> int:
        return id(self)


@dataclass(frozen=True)
class Outcome:
    """The result of one way to spend calls in one replay: a value and calls for each case."""

    values: Floats
    calls: float
    missed: CascadeAudit | None = None


@dataclass(frozen=True)
class Replay:
    """The cases of one replay, of `cap` answers each; `seed` draws the cascade's random share."""

    cases: Sequence[Asked]
    cap: int
    seed: int


Pairs = Sequence[tuple[Record, Record]]
Draw = Callable[[Pairs, np.random.Generator], Sequence[Asked]]
Method = Callable[[Replay], Outcome]


@cache
def _scored(case: Asked, n: int) -> Score:
    return score_case(case.id, case.answers[:n], target=case.target, kind=case.kind)


def fixed(n: int) -> Method:
    """The same number of answers for every case, ranked by the default score."""

    def spend(replay: Replay) -> Outcome:
        return Outcome(np.array([case.score(n).disagreement for case in replay.cases], float), n)

    return spend


def between(n: int) -> Method:
    """A random half of the cases gets n answers and the others n + 1."""

    def spend(replay: Replay) -> Outcome:
        counts = [n + (stable_unit(str(replay.seed), case.id) < 0.5) for case in replay.cases]
        values = [case.score(count).disagreement for case, count in zip(replay.cases, counts, strict=True)]
        return Outcome(np.array(values, float), float(np.mean(counts)))

    return spend


def cascade(average: float, **fields: float) -> Method:
    """The cascade, at a share of the whole committee's calls."""

    def spend(replay: Replay) -> Outcome:
        config = AdaptiveConfig.model_validate({"average": average, **fields})
        cases = {case.id: case for case in replay.cases}
        state = first_stage(cases, replay.cap, config, seed=replay.seed, top=math.ceil(TOP * len(cases)))
        scores: dict[str, Score] = {}
        while state.wanted:
            scores |= {i: cases[i].score(stop) for i, (_, stop) in state.wanted.items()}
            state = next_stage(state, scores)
        ranked = ranking(state, scores)
        calls = sum(state.asked.values()) / len(cases)
        return Outcome(np.array([ranked[i] for i in cases]), calls, audit_cascade(state, scores))

    return spend


def stopped(rule: Callable[[Sequence[int]], bool]) -> Method:
    """Apply a published stopping rule to the votes, and rank by the default score."""

    def spend(replay: Replay) -> Outcome:
        cap = replay.cap
        ends = [next((n for n in range(2, cap) if rule(votes(case, n))), cap) for case in replay.cases]
        values = [case.score(n).disagreement for case, n in zip(replay.cases, ends, strict=True)]
        return Outcome(np.array(values, float), float(np.mean(ends)))

    return spend


def votes(case: Asked, n: int) -> list[int]:
    keys = [read_answer(answer.text, case.kind).key for answer in case.answers[:n]]
    return sorted((keys.count(key) for key in set(keys)), reverse=True)


def adaptive_consistency(counts: Sequence[int]) -> bool:
    """Aggarwal et al. 2023: stop when the leader is ahead with 95%.

    P(p > 1/2), p ~ Beta(v1 + 1, v2 + 1).
    """
    first, second = counts[0], counts[1] if len(counts) > 1 else 0
    n = first + second + 1
    return bool(sum(math.comb(n, k) for k in range(first + 1)) / 2**n >= LIKELY)


def early_stopping(counts: Sequence[int]) -> bool:
    """ESC (Li et al. 2024), window 5, limit 10: stop when the first window is unanimous."""
    return sum(counts) == 5 and len(counts) == 1


def length(replay: Replay) -> Outcome:
    """Rank by the mean length of the answers in characters, the baseline of every claim."""
    values = [np.mean([len(answer.text) for answer in case.answers[: replay.cap]]) for case in replay.cases]
    return Outcome(np.array(values), replay.cap)


def read(path: Path) -> list[Record]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def load(folder: Path, name: str) -> Pairs:
    labels = {label["id"]: label for label in read(folder / f"{name}.labels.jsonl")}
    return [(r, labels[r["id"]]) for r in read(folder / f"{name}.recorded.jsonl") if r["id"] in labels]


def answered(generation: Record) -> Answered:
    group = f"{generation.get('model', '')}/{generation.get('variant', '')}"
    return Answered(generation["text"], group, generation.get("temperature"))


def one_prompt(pairs: Pairs, rng: np.random.Generator) -> Sequence[Asked]:
    """The logged answer has temperature 0; the committee asks the same prompt at a higher one."""
    variants = sorted({g["variant"] for g in pairs[0][0]["generations"]})
    variant, temperature = str(rng.choice(variants)), float(rng.choice([0.6, 0.7, 0.8, 0.9, 1.0]))
    cases = []
    for record, label in pairs:
        of_variant = [g for g in record["generations"] if g["variant"] == variant]
        logged = [g["text"] for g in of_variant if g["temperature"] == 0.0]
        sampled = [answered(g) for g in of_variant if g["temperature"] == temperature]
        if logged and len(sampled) >= 10:
            target = str(rng.choice(logged))
            order = [sampled[i] for i in rng.permutation(len(sampled))[:10]]
            cases.append(Asked(record["id"], order, target, "label", target != label["gold"]))
    return cases


def five_prompts(pairs: Pairs, rng: np.random.Generator) -> Sequence[Asked]:
    """The logged answer is from one prompt; the committee asks five prompts twice, in turns."""
    variants = sorted({g["variant"] for g in pairs[0][0]["generations"]})
    seats = [str(v) for v in rng.permutation(variants)]
    logs, temperature = str(rng.choice(variants)), float(rng.choice([0.6, 0.7, 0.8, 0.9, 1.0]))
    cases = []
    for record, label in pairs:
        at = [g for g in record["generations"] if g["temperature"] == temperature]
        drawn = {v: [answered(g) for g in at if g["variant"] == v] for v in seats}
        drawn = {v: [of_variant[i] for i in rng.permutation(len(of_variant))] for v, of_variant in drawn.items()}
        if all(len(of_variant) >= 3 for of_variant in drawn.values()):
            target = drawn[logs].pop().text
            order = [drawn[v][repeat] for repeat in range(2) for v in seats]
            cases.append(Asked(record["id"], order, target, "label", target != label["gold"]))
    return cases


def as_recorded(variants: str = "") -> Draw:
    """The set's target and its answers of these variants, in one random order for all cases."""

    def draw(pairs: Pairs, rng: np.random.Generator) -> Sequence[Asked]:
        cases = []
        order: list[int] = []
        for record, label in pairs:
            of_case = [answered(g) for g in record["generations"] if (g.get("variant") or "").startswith(variants)]
            order = order or list(rng.permutation(len(of_case)))
            target, kind = record.get("target"), record["kind"]
            cases.append(Asked(record["id"], [of_case[i] for i in order], target, kind, label["wrong"]))
        return cases

    return draw


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with `recorded`")
    parser.add_argument("--replays", type=int, default=60, help="replays of each set of labels; a fifth of texts")
    arguments = parser.parse_args()
    folder, replays = arguments.data / "recorded", arguments.replays
    print(
        "AUROC of `the target is wrong` and precision of the top 10%; differences to all answers for every case, with"
    )
    print(f"95% intervals over cases and replays ({DRAWS} draws)")
    jhu, sac3, gsm8k = (load(folder, name) for name in ("jhu-gpt35", "sac3-nq", "gsm8k-4"))
    measure("jhu, one prompt", jhu, one_prompt, ON_TEN | RULES, cap=10, replays=replays, equal="fixed 5")
    measure("jhu, five prompts", jhu, five_prompts, ON_TEN | RULES, cap=10, replays=replays, equal="fixed 5")
    few = max(2, replays // 5)
    print("\nThe stopping rules need votes; texts have none.")
    measure("sac3-nq, samples", sac3, as_recorded("original"), ON_TEN, cap=10, replays=few, equal="fixed 5")
    measure("sac3-nq, paraphrases", sac3, as_recorded("paraphrase"), ON_TEN, cap=10, replays=few, equal="fixed 5")
    measure("gsm8k-4, three models", gsm8k, as_recorded(), ON_THREE, cap=3, replays=few, equal="fixed 2 or 3")
    print("  Not measured: half the calls, as half of 3 answers is fewer than the 2 that can be compared.")
    print("\nbbh-dev has 2 answers a case, so that nothing is left to decide after the first ones: not measured.")


ON_TEN: dict[str, Method] = {
    "cascade": cascade(0.5),
    **{f"fixed {n}": fixed(n) for n in (2, 3, 5, 7, 10)},
    "cascade, no random share": cascade(0.5, full_share=0.0),
    "cascade, focus 0": cascade(0.5, focus=0.0),
    "cascade, focus 1": cascade(0.5, focus=1.0),
    "cascade at 70%": cascade(0.7),
    "length": length,
}
RULES: dict[str, Method] = {
    "Adaptive-Consistency .95": stopped(adaptive_consistency),
    "ESC, window 5": stopped(early_stopping),
}
ON_THREE: dict[str, Method] = {
    "cascade at 2.5 of 3": cascade(2.5 / 3, first=2),
    **{f"fixed {n}": fixed(n) for n in (2, 3)},
    "fixed 2 or 3": between(2),
    "length": length,
}


def measure(
    title: str, pairs: Pairs, draw: Draw, methods: Mapping[str, Method], *, cap: int, replays: int, equal: str
) -> None:
    """Print the rows of one set; compare its first method with `cap` answers and `equal`."""
    rng = np.random.default_rng(0)
    drawn = [Replay(draw(pairs, rng), cap, seed) for seed in range(replays)]
    outcomes = {name: [method(replay) for replay in drawn] for name, method in methods.items()}
    places = {record["id"]: i for i, (record, _) in enumerate(pairs)}
    n = len(places)
    weights = np.vstack([np.ones(n), rng.multinomial(n, np.full(n, 1 / n), size=DRAWS)]).astype(float)
    again = np.vstack([np.arange(replays), rng.integers(replays, size=(DRAWS, replays))])
    areas = {
        name: resampled(drawn, outcomes_of_method, places, weights, again)
        for name, outcomes_of_method in outcomes.items()
    }
    cases = np.mean([len(replay.cases) for replay in drawn])
    base = np.mean([np.mean([case.wrong for case in replay.cases]) for replay in drawn])
    print(f"\n{title}: n={cases:.0f}, base rate {base:.3f}, {replays} replays")
    print(f"  {'':<25}{'calls':>6}  {'AUROC':>6}  {f'to all {cap}':<24}{'p@10%':>7}  to all {cap}")
    for name, (area, precision) in areas.items():
        calls = np.mean([outcome.calls for outcome in outcomes[name]])
        against = [difference(x, y) for x, y in zip((area, precision), areas[f"fixed {cap}"], strict=True)]
        print(f"  {name:<25}{calls:>6.2f}  {area[0]:>6.3f}  {against[0]:<24}{precision[0]:>7.3f}  {against[1]}")
    first = next(iter(methods))
    verdict(areas, first, full=f"fixed {cap}", equal=equal)
    print_missed(first, outcomes[first])


def resampled(
    drawn: Sequence[Replay],
    outcomes: Sequence[Outcome],
    places: Mapping[str, int],
    weights: Floats,
    again: NDArray[np.int64],
) -> tuple[Floats, Floats]:
    """Return AUROC and precision (draws,), the mean over replays, under case weights (draws, n)."""
    quality = []
    for replay, outcome in zip(drawn, outcomes, strict=True):
        at = [places[case.id] for case in replay.cases]
        wrong = np.array([case.wrong for case in replay.cases])
        quality.append(areas_and_precision(outcome.values, wrong, weights[:, at]))
    area, precision = (np.take_along_axis(np.array([q[i] for q in quality]).T, again, 1).mean(1) for i in (0, 1))
    return area, precision


def verdict(measured: Mapping[str, tuple[Floats, Floats]], name: str, *, full: str, equal: str) -> None:
    """Print whether AUROC is within .01 of all answers, and the gain over a fixed number."""
    gap = measured[full][0][0] - measured[name][0][0]
    text = "reached" if gap <= GOAL else f"missed by {gap - GOAL:.3f}"
    print(f"  Verdict on `{name}`: AUROC within {GOAL} of {full} {text} (gap {gap:.3f}).")
    area, precision = (difference(x, y) for x, y in zip(measured[name], measured[equal], strict=True))
    print(f"  Against {equal}: AUROC {area}, p@10% {precision}")


def print_missed(name: str, outcomes: Sequence[Outcome]) -> None:
    """Print the misses that the cascade itself reports in the first replay."""
    report = outcomes[0].missed
    if report:
        share = (
            "not enough cases" if report.share is None else f"{report.share:.2f} [{report.low:.2f}, {report.high:.2f}]"
        )
        correlation = "-" if report.rank_correlation is None else f"{report.rank_correlation:.2f}"
        print(f"  `{name}` of itself: {report.cases} cases, missed of the top {share}, rank correlation {correlation}")


def difference(x: Floats, y: Floats) -> str:
    low, high = np.quantile((x - y)[1:], (0.025, 0.975))
    return f"{x[0] - y[0]:+.3f} [{low:+.3f}, {high:+.3f}]"


def areas_and_precision(values: Floats, wrong: NDArray[np.bool_], weights: Floats) -> tuple[Floats, Floats]:
    """Return AUROC and precision of the top share for each row of case weights (draws, n).

    Ties count in proportion.
    """
    order = np.argsort(-np.round(values, 9), kind="stable")
    starts = np.flatnonzero(np.diff(-np.round(values, 9)[order], prepend=-np.inf))
    weights = weights[:, order]
    bad = np.add.reduceat(weights * wrong[order], starts, axis=1)
    every = np.add.reduceat(weights, starts, axis=1)
    good = every - bad
    below = good.sum(1, keepdims=True) - np.cumsum(good, axis=1) + good / 2
    areas: Floats = (bad * below).sum(1) / (bad.sum(1) * good.sum(1))
    room = TOP * every.sum(1, keepdims=True)
    taken = np.clip(room - (np.cumsum(every, axis=1) - every), 0, every)
    precision: Floats = (taken * bad / np.where(every > 0, every, 1)).sum(1) / room[:, 0]
    return areas, precision


if __name__ == "__main__":
    main()
