"""What comparing the answers of a case costs, beside the packages that do the same: milliseconds a case.

    python benchmarks/scoring.py [--cases N] [--answers N] [--words N] [--rounds N]

A case is 10 answers of 25 words by default: one sentence, of which each answer changes about a third. Every row does all
cases in each round, the rows take turns, and the best round counts; a ratio is that row's time over our ROUGE-L's. The
packages are optional (`pip install rouge-score lm-polygraph`): a row that cannot be measured says why. No model is used.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence

os.environ["HF_HUB_OFFLINE"] = "1"  # the packages would look for models, of which none is needed here

import curator
from curator.disagreement import graph
from curator.disagreement.lexical import jaccard_similarities, rouge_l_similarities

Texts = Sequence[str]
Scorer = Callable[[Texts], float]
WORDS = 400
SEED = 0
BASE = "our ROUGE-L similarity"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=20)
    parser.add_argument("--answers", type=int, default=10)
    parser.add_argument("--words", type=int, default=25)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    cases = made_up(arguments.cases, arguments.answers, arguments.words)
    print(
        f"{len(cases)} cases of {arguments.answers} answers of {arguments.words} words, best of {arguments.rounds} rounds"
    )
    scorers = dict(available())
    milliseconds = timed(scorers, cases, arguments.rounds)
    for name, took in milliseconds.items():
        value = scorers[name](cases[0])
        print(f"  {name:<42} {took:9.3f} ms   x {took / milliseconds[BASE]:7.1f}   first case {value:.4f}")


def made_up(cases: int, answers: int, words: int) -> list[list[str]]:
    """Cases of answers that share about two thirds of their words in order."""
    drawn = random.Random(SEED)
    letters = "etaoinshrdlu"
    vocabulary = ["".join(drawn.choices(letters, k=drawn.randint(2, 9))) for _ in range(WORDS)]
    found = []
    for _ in range(cases):
        sentence = drawn.choices(vocabulary, k=words)
        found.append(
            [
                " ".join(word if drawn.random() < 2 / 3 else drawn.choice(vocabulary) for word in sentence)
                for _ in range(answers)
            ]
        )
    return found


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
        own = estimator("Jaccard_score")
        yield f"lm-polygraph {name} (Jaccard)", lambda texts, own=own: float(own({"sample_texts": [texts]})[0])


if __name__ == "__main__":
    main()
