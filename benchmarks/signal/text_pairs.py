"""Measure the distance of texts: contradictions against rewordings, and wrong answers against right ones.

    python benchmarks/signal/text_pairs.py [--data DIR] [--rephrased FILE] [--vectors] [--cases N]

Printed are AUROCs: the chance that a contradicting pair is farther apart than a reworded one. The pairs are made up (templates
that the distance was tuned with, and held-out ones), and, with DIR and FILE, real:

* `rephrased`: questions of gsm8k-4.raw beside their rephrasings (FILE: lines of {"text": "Question: ..."}, in the same order),
  against the rephrasing or the question with one number changed or one verb negated;
* `judged`: the gold answers of qa-eval beside answers that people judged right, against wrong ones;
* `solutions`: two unparsed solutions with the same answer, against two with different answers.

With DIR (NAME.recorded.jsonl, NAME.labels.jsonl) also the AUROC of "the answer in question is wrong" by the mean distance to it
(the mean distance of all answers where there is none), and its rank correlation with the mean length of the answers.
"""

from __future__ import annotations

import argparse
import random
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.common.recorded_sets import Floats, Record, auroc, limited, read
from benchmarks.signal.text_templates import FILLERS, HELD_OUT, LONG, TUNED, Statement, changed, values_of, written
from curator.config import EmbeddingConfig
from curator.disagreement.equivalence.text_content import _cached
from curator.disagreement.equivalence.text_distance import Vectors, text_distances
from curator.disagreement.equivalence.word_kernel import word_distances
from curator.disagreement.estimators.similarities import jaccard_similarities, rouge_l_similarities
from curator.encoders.sentence import open_encoder

Distance = Callable[[Sequence[str], str], Floats]
Pair = tuple[str, str, str, bool]
"""A question, two texts, and whether they contradict each other."""
TEXT_SETS = ("tqa-human", "misguided", "sac3-nq", "sac3-prime", "sac3-senator", "qa-eval-nq", "qa-eval-tq")
SEED = 0
ANSWERS = 5
_NEGATED = {
    " is ": " is not ",
    " are ": " are not ",
    " was ": " was not ",
    " has ": " does not have ",
    " can ": " cannot ",
    " will ": " will not ",
    " would ": " would not ",
    " needs ": " does not need ",
    " wants ": " does not want ",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of NAME.recorded.jsonl and NAME.labels.jsonl")
    parser.add_argument("--rephrased", type=Path, help="rephrasings of the questions of gsm8k-4.raw")
    parser.add_argument("--vectors", action="store_true", help="also with the bundled encoder: some minutes")
    parser.add_argument("--cases", type=int, default=400, help="at most so many cases or pairs of each kind")
    arguments = parser.parse_args()
    methods: dict[str, Distance] = {
        "ours": lambda texts, question: text_distances(texts, question=question),
        "words": lambda texts, question: word_distances(texts, question=question),
        "jaccard": lambda texts, _: 1 - jaccard_similarities(texts),
        "rouge-l": lambda texts, _: 1 - rouge_l_similarities(texts),
    }
    vectors = _cached_vectors() if arguments.vectors else None
    if vectors:
        methods["ours+vec"] = lambda texts, question: text_distances(texts, question=question, vectors=vectors)
    report_cost()
    print(f"\n{'contradicted against reworded':<34}{'pairs':>7}" + "".join(f"{name:>10}" for name in methods))
    for name, pairs in all_pairs(arguments.data, arguments.rephrased, arguments.cases):
        contradicting = np.array([pair[3] for pair in pairs])
        if vectors:
            vectors([text for pair in pairs for text in pair[1:3]])  # all at once is faster
        values = [
            np.array([distance([left, right], question)[0, 1] for question, left, right, _ in pairs])
            for distance in methods.values()
        ]
        print(
            f"{name:<34}{len(pairs):>7}" + "".join(f"{auroc(value, contradicting):>10.3f}" for value in values),
            flush=True,
        )
    if arguments.data:
        report_sets(arguments.data, methods, arguments.cases)


def _cached_vectors() -> Vectors:
    encoder = open_encoder(EmbeddingConfig())
    kept: dict[str, NDArray[np.float32]] = {}

    def vectors(texts: Sequence[str]) -> NDArray[np.float32]:
        missing = [text for text in dict.fromkeys(texts) if text not in kept]
        if missing:
            kept.update(zip(missing, encoder.encode(missing), strict=True))
        return np.stack([kept[text] for text in texts])

    return vectors


def report_cost() -> None:
    """Print the time of ten texts against that of `word_distances`, texts never seen before."""
    for words in (25, 300):
        cases = [_prose(random.Random(f"{SEED} {case}"), words) for case in range(40)]
        times = {}
        for name, distance in (("ours", text_distances), ("words", word_distances)):
            rounds = []
            for _ in range(5):
                _cached.cache_clear()
                start = time.process_time()
                for texts in cases:
                    distance(texts)
                rounds.append((time.process_time() - start) / len(cases) * 1000)
            times[name] = min(rounds)
        print(
            f"10 texts of {words} words: {times['ours']:.2f} ms, {times['ours'] / 45 * 1000:.0f} us a pair,"
            f" {times['ours'] / times['words']:.1f} times word_distances"
        )


def _prose(drawn: random.Random, words: int) -> list[str]:
    statements = [*TUNED, *HELD_OUT]

    def text() -> str:
        sentences: list[str] = []
        while sum(len(sentence.split()) for sentence in sentences) < words:
            statement = drawn.choice(statements)
            sentences.append(written(drawn.choice(statement.same), values_of(statement, drawn), drawn))
        return " ".join(" ".join(sentences).split()[:words])

    return [text() for _ in range(10)]


def all_pairs(data: Path | None, rephrased: Path | None, cases: int) -> Iterator[tuple[str, Sequence[Pair]]]:
    """Yield the name of each kind of pairs, and the pairs."""
    yield "made up, tuned with", list(made_up(TUNED))
    held_out = list(made_up(HELD_OUT))
    yield "made up, held out", held_out
    yield "  the same, long", [pair for pair in held_out if len(pair[1].split()) > 40]
    yield "  the same, short", [pair for pair in held_out if len(pair[1].split()) <= 40]
    if data and rephrased:
        for contradictions in (("number", "negation"), ("number",), ("negation",)):
            name = f"rephrased, {' or '.join(contradictions)}"
            yield name, list(rephrasings(data, rephrased, cases, contradictions))
    if data:
        for name in ("qa-eval-nq", "qa-eval-tq"):
            yield f"judged, {name}", list(judged(data, name, cases))
        yield "solutions, gsm8k-4.raw", list(solutions(data, "gsm8k-4.raw", cases, _last_number))


def made_up(statements: Sequence[Statement], count: int = 60) -> Iterator[Pair]:
    """Yield `count` reworded and as many contradicting pairs of each statement."""
    for number, statement in enumerate(statements):
        for case in range(count):
            drawn = random.Random(f"{SEED} {number} {case}")
            values = values_of(statement, drawn)
            here, there = drawn.sample(statement.same, 2)
            style = ("reworded", "extended", "filled", "long")[case % 4]
            left = written(here, values, drawn)
            contradiction = (
                written(here if case % 8 < 4 else there, changed(values, drawn), drawn),
                written(drawn.choice(statement.denied), values, drawn),
                written(there, changed(values, drawn), drawn),
            )[case // 4 % 3]
            for right, contradicts in ((written(there, values, drawn), False), (contradiction, True)):
                yield "", *_dressed(left, right, style, statement, drawn), contradicts


def _dressed(left: str, right: str, style: str, statement: Statement, drawn: random.Random) -> tuple[str, str]:
    """Extend the right text, or both, by what does not change their meaning."""
    if style == "extended":
        return left, f"{right} {statement.extra}"
    if style == "filled":
        return left, drawn.choice(FILLERS).format(right)
    if style == "long":
        return _among(left, LONG, drawn), _among(right, drawn.sample(LONG, 2), drawn)
    return left, right


def _among(text: str, others: Sequence[str], drawn: random.Random) -> str:
    sentences = list(others)
    sentences.insert(drawn.randrange(len(sentences) + 1), text)
    return " ".join(sentences)


def rephrasings(data: Path, rephrased: Path, cases: int, contradictions: Sequence[str]) -> Iterator[Pair]:
    """Yield each question with its rephrasing, and with changed copies of both."""
    drawn = random.Random(SEED)
    questions = [record["input"] for record in read(data / "gsm8k-4.raw.recorded.jsonl")[:cases]]
    for question, record in zip(questions, read(rephrased), strict=False):
        rewording = record["text"].removeprefix("Question: ").split("\nAnswer:")[0]
        yield "", question, rewording, False
        for text in (question, rewording):
            if "number" in contradictions and (numbers := list(re.finditer(r"\d+", text))):
                number = drawn.choice(numbers)
                other = int(number[0]) + drawn.choice((1, 2, 3, 5, 10))
                yield "", question, f"{text[: number.start()]}{other}{text[number.end() :]}", True
            if "negation" in contradictions and (verbs := [verb for verb in _NEGATED if verb in text]):
                verb = drawn.choice(verbs)
                yield "", question, text.replace(verb, _NEGATED[verb], 1), True


def judged(data: Path, name: str, cases: int) -> Iterator[Pair]:
    """Yield the gold answer that is most like the answer of the system, with that answer."""
    labels = {label["id"]: label for label in read(data / f"{name}.labels.jsonl")}
    for record in read(data / f"{name}.recorded.jsonl")[:cases]:
        label = labels[record["id"]]
        gold = [answer for answer in label["gold"].split("/") if answer.strip()][:8]
        words = set(record["target"].casefold().split())
        if gold:
            nearest = max(gold, key=lambda answer: len(words & set(answer.casefold().split())))
            yield record["input"], record["target"], nearest, bool(label["wrong"])


def solutions(data: Path, name: str, cases: int, answer_of: Callable[[str], str | None]) -> Iterator[Pair]:
    """Yield two solutions of each question; they contradict each other where their answers differ."""
    drawn = random.Random(SEED)
    for record in read(data / f"{name}.recorded.jsonl")[:cases]:
        left, right = (generation["text"] for generation in drawn.sample(record["generations"], 2))
        answers = answer_of(left), answer_of(right)
        if None not in answers:
            yield record["input"], left, right, answers[0] != answers[1]


def _last_number(text: str) -> str | None:
    numbers = re.findall(r"-?\d[\d,]*\.?\d*", text)
    return numbers[-1].replace(",", "").rstrip(".") if numbers else None


def report_sets(data: Path, methods: Mapping[str, Distance], cases: int) -> None:
    """Print how well the mean distance ranks wrong answers, and its correlation with length."""
    print(
        f"\n{f'{ANSWERS} answers; AUROC (rank correlation)':<34}{'length':>7}"
        + "".join(f"{name:>15}" for name in methods)
    )
    rows = []
    for name in TEXT_SETS:
        labels = {label["id"]: label for label in read(data / f"{name}.labels.jsonl")}
        records = [limited(record, ANSWERS) for record in read(data / f"{name}.recorded.jsonl")[:cases]]
        of_records = [labels[record["id"]] for record in records]
        length = np.array([np.mean([len(text.split()) for text in _texts(record)]) for record in records])
        rank = partial(_stratified, labels=of_records)
        row, cells = [rank(length)], []
        for distance in methods.values():
            values = np.array([_mean_distance(record, distance) for record in records])
            row.append(rank(values))
            cells.append(f"{row[-1]:>8.3f} ({_rank_correlation(values, length):+.2f})")
        rows.append(row)
        print(f"{name:<34}{row[0]:>7.3f}" + "".join(cells), flush=True)
    means = np.mean(rows, axis=0)
    print(f"{'mean':<34}{means[0]:>7.3f}" + "".join(f"{value:>8.3f}{'':7}" for value in means[1:]))


def _texts(record: Record) -> list[str]:
    return [
        *(generation["text"] for generation in record["generations"]),
        *([record["target"]] if "target" in record else []),
    ]


def _mean_distance(record: Record, distance: Distance) -> float:
    matrix = distance(_texts(record), str(record.get("input") or ""))
    return float(matrix[-1, :-1].mean() if "target" in record else matrix[np.triu_indices(len(matrix), 1)].mean())


def _stratified(values: Floats, *, labels: Sequence[Record]) -> float:
    """Return the AUROC within the strata of the labels, weighted by the pairs of each."""
    wrong = np.array([bool(label["wrong"]) for label in labels])
    strata = np.array([str(label.get("stratum", "")) for label in labels])
    parts = []
    for stratum in np.unique(strata):
        here = strata == stratum
        if pairs := int(wrong[here].sum() * (~wrong[here]).sum()):
            parts.append((auroc(values[here], wrong[here]) * pairs, pairs))
    return sum(part for part, _ in parts) / sum(pairs for _, pairs in parts)


def _rank_correlation(values: Floats, others: Floats) -> float:
    """Return Spearman's correlation; ties get their mean rank."""
    ranks = [np.unique(row, return_inverse=True, return_counts=True)[1:] for row in (values, others)]
    mean_ranks = [(np.cumsum(counts) - (counts - 1) / 2)[places] for places, counts in ranks]
    return float(np.corrcoef(mean_ranks[0], mean_ranks[1])[0, 1])


if __name__ == "__main__":
    main()
