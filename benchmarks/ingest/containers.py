"""Speed and memory of reading each kind of file, beside the barest loop that does the same work.

    python -m benchmarks.ingest.containers [--records 20000] [--repeats 3]

Every file holds the same records of about 1 KB. The baseline of lines is `for line in open(path, "rb")`, that of records is the
same with `orjson.loads(line)`. A ratio is the time of the baseline divided by the time of the reader: 1 is as fast. Times are the best
of the repeats, taken in turn in one process; memory is the peak of Python's allocations while the rows are counted.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import random
import tempfile
import tracemalloc
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from openpyxl import Workbook

from benchmarks.ingest.timing import bare_records, best
from curator.io.lines import line_batches, physical_lines
from curator.readers.rows import open_records

MAX_BYTES = 16_000_000
WORDS = ("invoice", "parcel", "refund", "password", "délivery", "size", "order", "late", "twice", "broken", "please")


def records(count: int) -> list[dict[str, Any]]:
    """Make chat records of about 1 KB."""
    draw = random.Random(0)

    def text(words: int) -> str:
        return " ".join(draw.choice(WORDS) for _ in range(words))

    return [
        {
            "id": f"req-{n}",
            "messages": [{"role": "system", "content": text(60)}, {"role": "user", "content": text(25)}],
            "response": text(35),
            "model": "m",
            "latency": draw.random(),
        }
        for n in range(count)
    ]


def write_csv(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(rows[0])
        writer.writerows([json.dumps(v) if isinstance(v, list) else v for v in row.values()] for row in rows)


def write_workbook(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("logs")
    sheet.append(list(rows[0]))
    for row in rows:
        sheet.append([json.dumps(v) if isinstance(v, list) else v for v in row.values()])
    book.save(path)


def write_files(folder: Path, rows: Sequence[dict[str, Any]]) -> dict[str, Path]:
    lines = b"".join(orjson.dumps(row) + b"\n" for row in rows)
    files = {name: folder / name for name in ("a.jsonl", "b.jsonl.gz", "c.utf16.jsonl", "d.json", "e.wrapped.json")}
    files["a.jsonl"].write_bytes(lines)
    files["b.jsonl.gz"].write_bytes(gzip.compress(lines, 6))
    files["c.utf16.jsonl"].write_bytes(lines.decode().encode("utf-16"))
    files["d.json"].write_text(json.dumps(rows, indent=2, ensure_ascii=False))
    files["e.wrapped.json"].write_bytes(orjson.dumps({"object": "list", "data": list(rows)}))
    files |= {name: folder / name for name in ("f.csv", "g.parquet", "h.xlsx")}
    write_csv(files["f.csv"], rows)
    pq.write_table(pa.Table.from_pylist(list(rows)), files["g.parquet"], row_group_size=2000)
    write_workbook(files["h.xlsx"], rows[: max(1, len(rows) // 10)])
    return files


def bare_lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file)


def row_count(path: Path) -> int:
    return sum(1 for row in open_records(path, wanted=(), max_bytes=MAX_BYTES).rows if isinstance(row.cells, dict))


def peak_mb(call: Callable[[], int]) -> float:
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def lines_report(path: Path, repeats: int) -> Iterable[str]:
    bare, batched, single = best(
        [
            lambda: bare_lines(path),
            lambda: sum(len(batch.texts()) for batch in line_batches(path, max_bytes=MAX_BYTES)),
            lambda: sum(1 for _ in physical_lines(path, max_bytes=MAX_BYTES)),
        ],
        repeats,
    )
    size = path.stat().st_size / 1e6
    for name, (seconds, _) in (("bare loop", bare), ("line_batches", batched), ("physical_lines", single)):
        yield f"{name:16} {size / seconds:8,.0f} MB/s   ratio {bare[0] / seconds:5.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = write_files(Path(folder), records(arguments.records))
        baseline = files["a.jsonl"]
        print(f"lines of {baseline.stat().st_size / 1e6:.1f} MB")
        for line in lines_report(baseline, arguments.repeats):
            print(f"  {line}")
        print("records, against orjson.loads of each line")
        for name, path in files.items():
            (bare, total), (seconds, count) = best(
                [lambda: bare_records(baseline), lambda path=path: row_count(path)], arguments.repeats
            )
            ratio = (bare / total) / (seconds / count)
            peak = peak_mb(lambda path=path: row_count(path))
            print(
                f"  {name:16} {count / seconds:9,.0f} a second   ratio {ratio:5.2f}   peak {peak:6.1f} MB   {count:,} read"
            )


if __name__ == "__main__":
    main()
