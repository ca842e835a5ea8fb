"""Mine candidate frames from the answers of a task, with the parts that they would read."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curator.answers.frames.frame import ENDS, Frame, fields
from curator.answers.frames.streams import BASE, Hashes, Places, Streams, key_of

LONGEST_MARKER = 8
"""Tokens of a marker."""
SHARE = 0.05
"""The share of a task's answers that a frame must have: a member of a committee of 20."""
FEWEST = 6
"""Answers that a frame must have, so that its agreement can be measured."""
WINDOW, LONGEST_CLOSING = 28, 4
"""Tokens behind a marker that are searched for the end of its content, and tokens of that end."""
NEAREST, FARTHEST = 6, 8
"""Ends that are tried: structured content has signs that all answers share before its end."""
CLOSED = 0.4
"""The share of the answers with a marker that an end of its content must have: members may share a marker."""
MOST_MARKERS = 800
MOST_REPEATS = 1.5
"""Times that a marker may occur in an answer, on the mean: the words of the language occur more often."""


_SELF_PAIRED = re.compile(r"([^\w\s.,;:!?\-/()\[\]{}<>'+=])\1{0,3}")
_OPEN_CATEGORIES, _CLOSE_CATEGORIES = ("Ps", "Pi"), ("Pe", "Pf")


@dataclass
class Candidates:
    """Candidate frames, and what each reads in which answer.

    `frame`, `answer` and `key` are parallel: the index of the frame, the index of the answer, and a hash of the words of
    the part read. `repeats` has the mean number of times that a frame's opening occurs in an answer, per frame.
    """

    frames: list[Frame]
    repeats: list[float]
    frame: Places
    answer: Places
    key: Hashes

    def only(self, kept: NDArray[np.bool_]) -> Candidates:
        """Return the candidates without the parts of the frames that are not kept."""
        return self.rows(kept[self.frame])

    def rows(self, rows: NDArray[np.bool_]) -> Candidates:
        """Return the candidates with only these parts."""
        return Candidates(self.frames, self.repeats, self.frame[rows], self.answer[rows], self.key[rows])


def mine(texts: Sequence[str]) -> Candidates:
    """Return candidate frames of texts; the first is the whole text."""
    streams = Streams(texts)
    frames: list[Frame] = []
    repeats: list[float] = []
    columns: list[tuple[Places, Places, Hashes]] = []

    def add(frame: Frame, answers: Places, keys: Hashes, repeated: float = 1.0) -> None:
        columns.append((np.full(len(answers), len(frames)), answers, keys))
        frames.append(frame)
        repeats.append(repeated)

    everything = np.arange(len(texts))
    add(Frame("marker", "", "text"), everything, streams.spans(streams.starts, streams.ends))
    for marker in _markers(streams, max(FEWEST, int(SHARE * len(texts)))):
        for closing in ENDS:
            begin = streams.solid[marker.ends]
            end = np.minimum(streams.end_of[closing][begin], streams.ends[marker.answers])
            some = end > begin
            if some.sum() >= FEWEST:
                frame = Frame("marker", marker.opening, closing, last=marker.last)
                add(frame, marker.answers[some], streams.spans(begin[some], end[some]), marker.repeats)
        begin = streams.solid[marker.ends]
        for closing, rows, end in _closings(streams, marker.answers, begin):
            frame = Frame("marker", marker.opening, closing, last=marker.last)
            add(frame, marker.answers[rows], streams.spans(begin[rows], end), marker.repeats)
    for frame, parts in _parsed_frames(texts).items():
        if len(parts) >= max(FEWEST, SHARE * len(texts)):
            add(frame, np.array(list(parts)), np.array([key_of(part) for part in parts.values()], dtype=np.uint64))
    numbers, answers, keys = zip(*columns, strict=True)
    return Candidates(frames, repeats, np.concatenate(numbers), np.concatenate(answers), np.concatenate(keys))


@dataclass(frozen=True)
class _Marker:
    opening: str
    last: bool
    answers: Places
    ends: Places
    repeats: float


def _markers(streams: Streams, fewest: int) -> Iterator[_Marker]:
    """Yield strings that many answers share, the longest of those at the same places."""
    size = len(streams.token)
    inside = np.array([bool(name) for name in streams.names])[streams.token]
    alive = inside
    seen: dict[int, tuple[int, _Marker]] = {}
    for length in range(1, LONGEST_MARKER + 1):
        if length > 1:
            alive = alive[:-1] & alive[1:] & inside[length - 1 :]
        begins = np.flatnonzero(alive)
        if len(begins) == 0:
            break
        keys = streams.grams.of(begins, begins + length)
        order = np.argsort(keys, kind="stable")
        keys, begins = keys[order], begins[order]
        answers = streams.answer[begins]
        new_key = np.append(True, keys[1:] != keys[:-1])
        new_pair = new_key | np.append(True, answers[1:] != answers[:-1])
        group = np.cumsum(new_key) - 1
        spread = np.bincount(group[new_pair], minlength=group[-1] + 1)
        frequent = spread[group] >= fewest
        alive = np.zeros(size - length + 1, dtype=bool)
        alive[begins[frequent]] = True
        bounds = np.append(np.flatnonzero(new_key), len(keys))
        last_of_pair = np.append(new_pair[1:], True)
        for index in np.flatnonzero(spread >= fewest):
            rows = slice(bounds[index], bounds[index + 1])
            for last, chosen in ((True, last_of_pair[rows]), (False, new_pair[rows])):
                repeats = (bounds[index + 1] - bounds[index]) / spread[index]
                if repeats > MOST_REPEATS or (not last and repeats < 1.05):
                    continue
                ends = begins[rows][chosen] + length
                opening = " ".join(streams.names[t] for t in streams.token[ends[0] - length : ends[0]])
                marker = _Marker(opening, last, answers[rows][chosen], ends, float(repeats))
                signature = int(np.sum(ends.astype(np.uint64) * BASE, dtype=np.uint64)) ^ len(ends)
                seen[signature] = (length, marker)
    markers = [marker for _, marker in seen.values()]
    markers.sort(key=lambda m: (-len(m.answers) / m.repeats, m.opening, m.last))
    yield from markers[:MOST_MARKERS]


def _closings(streams: Streams, answers: Places, begin: Places) -> Iterator[tuple[str, Places, Places]]:
    """Yield strings behind the content of most answers with a marker.

    With each: the answers that have it, and where their content ends.
    """
    starts = np.repeat(begin, WINDOW - 1)
    rows = np.repeat(np.arange(len(begin)), WINDOW - 1)
    places = starts + np.tile(np.arange(1, WINDOW), len(begin))
    ends = streams.ends[answers][rows]
    seen: dict[int, tuple[str, Places, Places]] = {}
    for length in range(1, LONGEST_CLOSING + 1):
        fits = places + length <= ends
        row, place = rows[fits], places[fits]
        if len(row) == 0:
            break
        keys = streams.grams.of(place, place + length)
        order = np.argsort(keys, kind="stable")  # rows and places stay in order
        keys, row, place = keys[order], row[order], place[order]
        first = np.append(True, (keys[1:] != keys[:-1]) | (row[1:] != row[:-1]))
        keys, row, place = keys[first], row[first], place[first]
        bounds = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
        counts = np.diff(np.append(bounds, len(keys)))
        for index in np.flatnonzero(counts >= max(FEWEST, CLOSED * len(begin))):
            part = slice(bounds[index], bounds[index] + counts[index])
            closing = " ".join(streams.names[t] for t in streams.token[place[part][0] : place[part][0] + length])
            if closing not in ENDS:
                seen[int(np.sum(place[part]))] = (closing, row[part], place[part])
    ranked = sorted(seen.values(), key=lambda item: (-len(item[1]), float(np.mean(item[2] - begin[item[1]])), item[0]))
    yield from ranked if len(ranked) <= NEAREST + FARTHEST else (*ranked[:NEAREST], *ranked[-FARTHEST:])


def _parsed_frames(texts: Sequence[str]) -> dict[Frame, dict[int, str]]:
    """Return the fields, enclosures and places that texts have, with the parts read."""
    shared: dict[Frame, dict[int, str]] = defaultdict(dict)
    for index, text in enumerate(texts):
        for path, value in fields(text).items():
            shared[Frame("field", path)][index] = value
        for frame in {*_enclosures(text), *_PLACES}:
            if (inner := frame.read(text)) is not None:
                shared[frame][index] = inner
    return shared


_PLACES = tuple(
    Frame("place", "last" if last else "first", closing, last=last)
    for last in (True, False)
    for closing in ("line", "sentence", "word")
)


def _enclosures(text: str) -> Iterator[Frame]:
    """Yield the pairs of signs in a text.

    They are brackets and quotes by their Unicode category, and signs that occur twice.
    """
    signs = Counter(match[0] for match in _SELF_PAIRED.finditer(text))
    for sign, count in signs.items():
        if count > 1 and unicodedata.category(sign[0])[0] in "PS" and unicodedata.category(sign[0]) not in _PAIRED:
            yield Frame("enclosure", sign, sign)
            if count > 3:
                yield Frame("enclosure", sign, sign, last=False)
    for opening, closing in _BRACKETS.items():
        # A bracket right behind a word belongs to it: in a call, or in a marker if the word is the same in all answers.
        if opening in text and closing in text and not re.search(rf"\w{re.escape(opening)}", text):
            yield Frame("enclosure", opening, closing)
            yield Frame("enclosure", opening, closing, last=False)
    for opening in {match[0] for match in _WORD_AND_BRACKET.finditer(text)}:
        yield Frame("enclosure", opening, _BRACKETS[opening[-1]])


_WORD_AND_BRACKET = re.compile(r"\\?[^\W\d]\w*[({\[]")


def _brackets() -> Iterator[tuple[str, str]]:
    """Yield the pairs of opening and closing signs of Unicode."""
    for code in range(0x3100):
        opening, closing = chr(code), unicodedata.normalize("NFC", chr(code + 1))
        for other in (closing, chr(code + 2)):
            if unicodedata.category(opening) in _OPEN_CATEGORIES and unicodedata.category(other) in _CLOSE_CATEGORIES:
                yield opening, other
                break


_PAIRED = (*_OPEN_CATEGORIES, *_CLOSE_CATEGORIES)
_BRACKETS = dict(_brackets()) | {"«": "»", "<": ">"}
