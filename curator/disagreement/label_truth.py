"""What a label says of a recorded answer: whether the answer in question fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from curator.answers.read import Answer, read_answer
from curator.disagreement.equivalence.comparers import Comparer
from curator.records.recorded import Recorded


def fails(record: Recorded, label: str, compare: Comparer) -> bool | None:
    """Whether the target, or without one the committee's majority, means something else than the label.

    None where that cannot be told: the kind is `text`, whose wording is no meaning, there is no answer, or nothing of the
    record's kind can be read in the label.
    """

    def read(text: str) -> Answer:
        return read_answer(text, record.kind, labels=record.labels, input=record.input)

    known = read(label)
    if record.kind == "text" or not known.key:
        return None
    if record.target is not None:
        one, other = compare.classes([known], read(record.target))
        return one != other
    ordered = sorted(record.answers, key=lambda answer: (answer.group, answer.text))
    return _against_majority([read(answer.text) for answer in ordered], known, compare) if ordered else None


def _against_majority(answers: Sequence[Answer], label: Answer, compare: Comparer) -> bool:
    """Whether the most usual of the answers is another than the label; of two as usual it is the first, as in `measure`."""
    largest = _largest(compare.classes(answers, None))
    *numbers, own = compare.classes([*answers, label], None)
    return own not in {numbers[i] for i in largest}


def _largest(numbers: Sequence[int]) -> list[int]:
    counts = Counter(numbers)
    usual = max(counts, key=lambda c: (counts[c], -c))
    return [i for i, number in enumerate(numbers) if number == usual]
