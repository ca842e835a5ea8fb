"""Measure the time of scoring: beside other packages, by kind of answer, and over a file.

    python benchmarks/signal/scoring.py [--cases N] [--answers N] [--words N] [--rounds N]
    python benchmarks/signal/scoring.py --file N [--answers N] [--words N]

First the packages. A case is 10 answers of 25 words by default: one sentence, of which each answer changes about a third.
Every row does all cases in each round, the rows take turns, and the best round counts; a ratio is that row's time over our
ROUGE-L's. The packages are optional (`pip install rouge-score lm-polygraph`): a row that cannot be measured says why.

Then the kinds, on the records of `recordings.py`: the processor's milliseconds a case from a line to its score, with
members that count differently, the median of the rounds and in brackets the best one. With `--file` it writes N records of
all kinds, and 4 N, and runs `curator score` on each as a process with one worker and with two. Memory is the most that it
and its workers had resident, pages that they share counted for each. No model is used.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median

os.environ["HF_HUB_OFFLINE"] = "1"  # the packages would look for models, of which none is needed here

import psutil

import curator
from benchmarks.signal.recordings import as_line, kinds, mixed, recordings
from curator.disagreement.estimators import spectral as graph
from curator.disagreement.estimators.similarities import jaccard_similarities, rouge_l_similarities
from curator.io.lines import Line
from curator.records import Kind
from curator.workflows.score import Scoring, score_lines

Texts = Sequence[str]
Scorer = Callable[[Texts], float]
WORDS = 400
SEED = 0
BASE = "our ROUGE-L similarity"
KIND_CASES = 40
"""Cases of each kind in a round: more distinct answers than the readers keep, so that no round finds its own again."""
WEIGHTS = {"model-0/plain": 0.9, "model-1/careful": 0.8}
LOOK_EVERY_S = 0.05


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=20)
    parser.add_argument("--answers", type=int, default=10)
    parser.add_argument("--words", type=int, default=25)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--file", type=int, default=0, metavar="N", help="score files of N and 4 N records instead")
    arguments = parser.parse_args()
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    if arguments.file:
        score_files(arguments.file, answers=arguments.answers, words=arguments.words)
    else:
        beside_packages(arguments)
        by_kind(arguments)


def beside_packages(arguments: argparse.Namespace) -> None:
    """Print what comparing the answers of a case costs, ours and the packages'."""
    cases = made_up(arguments.cases, arguments.answers, arguments.words)
    print(
        f"{len(cases)} cases of {arguments.answers} answers of {arguments.words} words, best of {arguments.rounds} rounds"
    )
    scorers = dict(available())
    milliseconds = timed(scorers, cases, arguments.rounds)
    for name, took in milliseconds.items():
        value = scorers[name](cases[0])
        print(f"  {name:<42} {took:9.3f} ms   x {took / milliseconds[BASE]:7.1f}   first case {value:.4f}")


def by_kind(arguments: argparse.Namespace) -> None:
    """Print what reading and scoring a case costs, by kind of its answers."""
    ways = {"kind, target": (True, True), "kind": (True, False), "target": (False, True), "neither": (False, False)}
    print(f"\nms a case by kind of answer, with:{'':9}" + "".join(f"{way:>18}" for way in ways))
    for kind in kinds():
        took = [
            kind_ms(kind, arguments, with_kind=with_kind, with_target=with_target)
            for with_kind, with_target in ways.values()
        ]
        print(f"  {kind:<42}" + "".join(f"{median(ms):9.3f} ({min(ms):.3f})".rjust(18) for ms in took))


def kind_ms(kind: Kind, arguments: argparse.Namespace, *, with_kind: bool, with_target: bool) -> list[float]:
    """The processor's milliseconds a case in each round."""
    records = recordings(kind, KIND_CASES, answers=arguments.answers, words=arguments.words)
    lines = [
        Line(number, as_line(record, with_kind=with_kind, with_target=with_target))
        for number, record in enumerate(records, 1)
    ]
    rounds = []
    for _ in range(arguments.rounds):
        start = time.process_time()
        score_lines(lines, file="", scoring=Scoring(), weights=WEIGHTS)
        rounds.append((time.process_time() - start) / len(lines) * 1000)
    return rounds


def score_files(count: int, *, answers: int, words: int) -> None:
    """Print speed and memory of `curator score` by number of workers and length of the file."""
    rates: dict[tuple[int, int], float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for n in (count, 4 * count):
            path = Path(folder) / f"{n}.jsonl"
            with path.open("wb") as file:
                file.writelines(mixed(n, answers=answers, words=words))
            for jobs in (1, 2):
                seconds, busy, peak = scored(path, jobs)
                rates[n, jobs] = n / seconds
                print(
                    f"  {n:>9,} records, --jobs {jobs} {seconds:8.1f} s {n / seconds:8,.0f}/s"
                    f" {busy / n * 1000:8.3f} ms of a processor each {peak / 1e6:8,.0f} MB"
                )
            print(f"  two are {rates[n, 2] / rates[n, 1]:.2f} times as fast as one")


def scored(path: Path, jobs: int) -> tuple[float, float, int]:
    """Return the seconds of `curator score`, its processor seconds, and its peak memory."""
    command = [sys.executable, "-m", "curator.cli", "score", str(path), "--jobs", str(jobs)]
    start, busy, peak = time.monotonic(), children_s(), 0
    process = subprocess.Popen([*command, "--out", str(path.with_suffix(".scores"))], stdout=subprocess.DEVNULL)  # noqa: S603
    while process.poll() is None:
        peak = max(peak, resident(process.pid))
        time.sleep(LOOK_EVERY_S)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return time.monotonic() - start, children_s() - busy, peak


def children_s() -> float:
    """The processors' seconds of all child processes that have ended, and of theirs."""
    times = os.times()
    return times.children_user + times.children_system


def resident(pid: int) -> int:
    """The resident bytes of a process and its children."""
    total = 0
    try:
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            total += process.memory_info().rss
    except psutil.NoSuchProcess:  # it ended meanwhile
        pass
    return total


def made_up(cases: int, answers: int, words: int) -> list[list[str]]:
    """Cases of answers that share about two thirds of their words in order."""
    drawn = random.Random(SEED)
    letters = "etaoinshrdlu"
    vocabulary = ["".join(drawn.choices(letters, k=drawn.randint(2, 9))) for _ in range(WORDS)]
    made_up_cases = []
    for _ in range(cases):
        sentence = drawn.choices(vocabulary, k=words)
        made_up_cases.append(
            [
                " ".join(word if drawn.random() < 2 / 3 else drawn.choice(vocabulary) for word in sentence)
                for _ in range(answers)
            ]
        )
    return made_up_cases


def timed(scorers: dict[str, Scorer], cases: Sequence[Texts], rounds: int) -> dict[str, float]:
    """The best milliseconds a case of each scorer, after a case to warm up."""
    for scorer in scorers.values():
        scorer(cases[0])
    best = dict.fromkeys(scorers, float("inf"))
    for _ in range(rounds):
        for name, scorer in scorers.items():
            start = time.perf_counter()
            for case in cases:
                scorer(case)
            best[name] = min(best[name], (time.perf_counter() - start) / len(cases) * 1000)
    return best


def available() -> Iterator[tuple[str, Scorer]]:
    """Name and scorer, ours and those of the packages that are there; prints why one is not."""
    yield BASE, lambda texts: graph.deg(rouge_l_similarities(texts))
    yield "our Jaccard Deg", lambda texts: graph.deg(jaccard_similarities(texts))
    yield "our Jaccard EigV", lambda texts: graph.spectral_meanings(jaccard_similarities(texts))
    yield "our ROUGE-L SNNE", lambda texts: graph.snne(rouge_l_similarities(texts))
    yield "curator.score, kind text", _score
    for package, rows in (("rouge_score", _rouge_score), ("lm_polygraph", _lm_polygraph)):
        try:
            yield from rows()
        except ImportError as missing:
            print(f"  {package} is left out: {missing}")


def _score(texts: Texts) -> float:
    (score,) = curator.score([{"id": "a", "input": "", "kind": "text", "generations": list(texts)}])
    return score.disagreement or 0.0


def _rouge_score() -> Iterator[tuple[str, Scorer]]:
    from rouge_score.rouge_scorer import RougeScorer

    for name, stemmer in (("rouge-score", False), ("rouge-score with its stemmer", True)):
        scorer = RougeScorer(["rougeL"], use_stemmer=stemmer)

        def mean(texts: Texts, scorer: RougeScorer = scorer) -> float:
            pairs = [(a, b) for i, a in enumerate(texts) for b in texts[:i]]
            return 1 - sum(scorer.score(a, b)["rougeL"].fmeasure for a, b in pairs) / len(pairs)

        yield name, mean


def _lm_polygraph() -> Iterator[tuple[str, Scorer]]:
    from lm_polygraph.estimators import DegMat, EigValLaplacian, LexicalSimilarity

    similar = LexicalSimilarity("rougeL")
    yield "lm-polygraph LexicalSimilarity (ROUGE-L)", lambda texts: 1 + float(similar({"sample_texts": [texts]})[0])
    for name, estimator in (("DegMat", DegMat), ("EigValLaplacian", EigValLaplacian)):
        measure = estimator("Jaccard_score")
        yield (
            f"lm-polygraph {name} (Jaccard)",
            lambda texts, measure=measure: float(measure({"sample_texts": [texts]})[0]),
        )


if __name__ == "__main__":
    main()
