"""Read mutated records of every log format: no crash, and every record accounted for once.

    python -m benchmarks.ingest.mutations [--records 100000] [--seed 0] [--batch N]

The sample logs of every reader are mutated (`mutating.py`), written in each container that the format may come in, some of the files
damaged too, and read with the format named or recognised. After each reading, every row of the files must have one outcome, rejected
records a reason and a remedy, cases a question and values that can be written, and an unknown key with content must be named as not
used. The baseline parses the same records with orjson and takes question and answer by `dict.get`. `--batch` repeats one reading.
"""

from __future__ import annotations

import argparse
import logging.handlers
import math
import tempfile
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random

import orjson

from benchmarks.common.log_samples import EVERY, MAPPING, SAMPLES
from benchmarks.ingest.mutating import UNKNOWN_KEY, Container, Record, damaged, file_of, line_of, mutate
from curator.config import LogsConfig
from curator.errors import CuratorError, RecordError
from curator.readers import READERS, recognise
from curator.readers.pieces import Reading
from curator.readers.read import LogReading, read
from curator.readers.rows import open_records
from curator.records import Case, RejectedRecord

RECORDS_A_FILE = 60
DAMAGED_FILES = 0.25
_LINES: tuple[Container, ...] = ("jsonl", "jsonl", "jsonl.gz", "jsonl.zst", "jsonl.utf16", "json", "wrapped")
_TABLES: tuple[Container, ...] = ("csv", "parquet", "xlsx")
_MOST_BYTES = 16_000_000
_BY_EXCEPTION = "the record does not fit the format ("
"""Begins the reason of a record whose values no reader expected."""


@dataclass(slots=True)
class Outcome:
    """Counts over the readings of one format, and the problems that were found."""

    counts: Counter[str] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)

    def __iadd__(self, other: Outcome) -> Outcome:
        self.counts += other.counts
        self.problems += other.problems
        return self


@dataclass(frozen=True, slots=True)
class Batch:
    """One reading: the mutated records of files that belong together."""

    name: str
    options: LogsConfig
    files: tuple[Path, ...]
    records: tuple[Record, ...]


def sample_records() -> list[tuple[str, list[list[Record]]]]:
    """The name of the reader and the records of each file, for every sample."""
    samples = []
    for name, paths in EVERY:
        options = LogsConfig.model_validate(SAMPLES[name][1])
        samples.append((name, [[cells for _, cells in rows_of(path, options)] for path in paths]))
    return samples


def rows_of(path: Path, options: LogsConfig) -> Iterator[tuple[tuple[int, int], Record]]:
    """Yield the place and the keys of each row as its container has it; no keys of a damaged one."""
    wanted = [] if options.mapping is None else list(MAPPING.values())
    opened = open_records(
        path,
        wanted=wanted,
        max_bytes=int(options.max_record_mb * 1e6),
        is_record=lambda value: recognise([value], options) is not None,
    )
    for row in opened.rows:
        yield (row.number, row.part), {} if isinstance(row.cells, RecordError) else row.cells


def written_batch(number: int, samples: Sequence[tuple[str, list[list[Record]]]], folder: Path, seed: int) -> Batch:
    """Write the files of one reading; its number and the seed decide everything."""
    random = Random(f"{seed}/{number}")
    name, files = samples[number % len(samples)]
    options = {**SAMPLES[name][1], "format": random.choice(("auto", name))}
    whole: list[Record] = []
    paths = []
    for place, of_file in enumerate(files):
        records = []
        for _ in range(RECORDS_A_FILE // len(files)):
            record = deepcopy(random.choice(of_file))
            other = random.choice(random.choice(random.choice(samples)[1]))
            mutate(record, random, other, times=random.choice((0, 1, 1, 2, 3, 5)))
            records.append(record)
        container = random.choice((*_LINES, *(_TABLES if READERS[name].reads_csv else ("parquet",))))
        data = file_of(records, container, random)
        paths.append(folder / f"{place}.{container}")
        paths[-1].write_bytes(damaged(data, random) if random.random() < DAMAGED_FILES else data)
        whole += records
    return Batch(name, LogsConfig.model_validate(options), tuple(paths), tuple(whole))


def checked(batch: Batch) -> Outcome:
    """Read a batch, and return the counts with every broken promise."""
    outcome = Outcome(Counter(records=len(batch.records)))
    for record in batch.records:
        outcome.counts[f"bare {bare(line_of(record))}"] += 1
    try:
        with warnings_of("curator.readers") as warnings:
            reading = read(batch.options, paths=[str(path) for path in batch.files])
            results = list(reading)
            reading.account.note_lines()
        outcome.problems.update(warnings)
    except CuratorError as error:  # a message to the user that costs the whole log
        outcome.counts["refused"] += 1
        outcome.problems[f"the log is refused: {error}"] += 1
        return outcome
    except Exception as error:  # noqa: BLE001  the crashes are what is counted
        outcome.counts["crashes"] += 1
        place = "".join(traceback.format_tb(error.__traceback__)[-1:]).strip()
        outcome.problems[f"{type(error).__name__}: {error} ({place})"] += 1
        return outcome
    outcome.counts.update(
        rows=reading.account.records,
        cases=reading.account.cases,
        rejected=reading.account.rejected,
        others=sum(reading.account.others.values()),
    )
    for result in results:
        outcome.counts["by exception"] += isinstance(result, RejectedRecord) and result.reason.startswith(_BY_EXCEPTION)
        outcome.problems.update(problems_of(result))
    outcome.problems.update(problems_of_account(batch, reading, results))
    return outcome


@contextmanager
def warnings_of(name: str) -> Iterator[list[str]]:
    """Collect the warnings of a logger, such as on a reader that cannot look at a record."""
    handler = logging.handlers.BufferingHandler(capacity=1_000_000)
    logger = logging.getLogger(name)
    logger.addHandler(handler)
    messages: list[str] = []
    try:
        yield messages
    finally:
        logger.removeHandler(handler)
        messages += [record.getMessage() for record in handler.buffer]


def problems_of(result: Reading) -> Iterator[str]:
    """Yield what is wrong with one case or rejected record."""
    if isinstance(result, RejectedRecord):
        if not result.reason.strip() or not result.remedy.strip():
            yield "a rejected record without reason or remedy"
        if result.reason.startswith(_BY_EXCEPTION):
            yield f"set aside by an exception: {result.reason}"
    if isinstance(result, Case):
        if not any(message.role == "user" and message.content.strip() for message in result.messages):
            yield "a case without a question"
        if result.finish_reason == "error" and result.target is not None:
            yield "a failed call with an answer"
        numbers = (result.time, result.latency_s, result.cost_usd)
        if not all(number is None or math.isfinite(number) for number in numbers):
            yield "a time, latency or cost that is not finite"
        try:
            orjson.dumps(result)
        except TypeError as error:
            yield f"a case that cannot be written: {error}"


def problems_of_account(batch: Batch, reading: LogReading, results: Sequence[Reading]) -> Iterator[str]:
    """Yield what is wrong with the account of all records."""
    account = reading.account
    outcomes = [result for result in results if not (isinstance(result, Case) and result.further)]
    places = Counter(result.source for result in outcomes)
    if account.records != len(outcomes) or account.records != len(places):
        twice = [str(place) for place, number in places.items() if number > 1]
        yield f"{account.records} records, {len(outcomes)} outcomes, {len(places)} places (twice: {twice[:3]})"
    unknown = False
    for path in batch.files:
        file = account.files[str(path)]
        rows = dict(rows_of(path, batch.options))
        if file.container in ("csv", "xlsx") and not READERS[file.reader].reads_csv:
            continue  # one row that says so
        lines = {place.line for place in places if place.file == str(path)}
        if file.records != len(rows) or lines != {number for number, _ in rows}:
            yield f"{path.name}: {len(rows)} rows, {file.records} counted, and outcomes of {len(lines)} lines"
        unknown = unknown or any(
            isinstance(result, Case)
            and isinstance(value := rows.get((result.source.line, result.source.part), {}).get(UNKNOWN_KEY), str)
            and value  # a number or an empty value that a later mutation put there bears no content
            for result in outcomes
            if result.source.file == str(path)
        )
    if unknown and not any(UNKNOWN_KEY in key for key in account.unused):
        yield "an unknown key with content is not named"


def bare(line: bytes) -> str:
    """The outcome of a record for a reader that expects the usual keys."""
    try:
        record = orjson.loads(line)
        request = record.get("request") or record.get("body") or record
        messages = request.get("messages") or [{"content": request.get("input") or request.get("prompt")}]
        response = record.get("response") or record.get("output")
        answer = response.get("choices")[0].get("message").get("content") if isinstance(response, dict) else response
        return "cases" if messages[-1].get("content").strip() and answer.strip() else "empty"
    except Exception:  # noqa: BLE001  the crashes are what is counted
        return "crashes"


def main() -> None:
    """Print the counts of each format, and the problems."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batch", type=int)
    arguments = parser.parse_args()
    outcomes: dict[str, Outcome] = defaultdict(Outcome)
    for number, outcome, name in measured(arguments.records, seed=arguments.seed, only=arguments.batch):
        outcomes[name] += outcome
        for problem in outcome.problems:
            print(f"batch {number} ({name}): {problem}")
    print(
        "| format | records | rows read | cases | set aside | no case of their own | crashes | bare loop: cases | crashes |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    keys = ("records", "rows", "cases", "rejected", "others", "crashes", "bare cases", "bare crashes")
    total: Counter[str] = Counter()
    for name, outcome in sorted(outcomes.items()):
        total += outcome.counts
        print(f"| `{name}` | {' | '.join(f'{outcome.counts[key]:,}' for key in keys)} |")
    print(f"| all | {' | '.join(f'{total[key]:,}' for key in keys)} |")


def measured(records: int, *, seed: int = 0, only: int | None = None) -> Iterator[tuple[int, Outcome, str]]:
    """Yield the number of each reading, its outcome and the name of its format."""
    samples, read_so_far = sample_records(), 0
    numbers = count() if only is None else iter([only])
    for number in numbers:
        if read_so_far >= records:
            return
        with tempfile.TemporaryDirectory() as folder:
            batch = written_batch(number, samples, Path(folder), seed)
            outcome = checked(batch)
        read_so_far += outcome.counts["records"]
        yield number, outcome, batch.name


if __name__ == "__main__":
    main()
