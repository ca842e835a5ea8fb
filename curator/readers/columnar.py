"""Parquet and Arrow files as rows, also those of Hugging Face `datasets`."""

from __future__ import annotations

import base64
import contextlib
import math
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any, BinaryIO, Literal

from curator.errors import RecordError
from curator.io.log_file import LogFile
from curator.io.seekable import seekable
from curator.readers.json_text import decoded
from curator.readers.table import Row
from curator.records import JsonValue

_BATCH_ROWS = 256
"""Rows that are in memory at once: 256 conversations of 100 KB take 25 MB."""
_FEATURES = b"huggingface"
"""The key of the metadata in which `datasets` describes the columns."""
_MEANINGFUL = (b'"ClassLabel"', b'"Json"')
"""Kinds of columns whose values mean something else than they are stored as."""
_Cell = JsonValue | RecordError


def open_columnar(
    path: LogFile, head: bytes, kind: Literal["parquet", "arrow"], *, max_bytes: int
) -> tuple[tuple[str, ...], Iterator[Row]]:
    """Return the columns of a Parquet or Arrow file and its rows, numbered from 1.

    Nested columns become lists and objects, times ISO text, decimals numbers, bytes their text or base64. In a file that
    `datasets` wrote, class labels become their names.

    Raises:
        RecordError: the file cannot be opened.
    """
    with _explained(kind), seekable(path, head) as file:
        schema, _, _ = _open(file, kind)
        columns = tuple(map(str, schema.names))
    return columns, _rows(path, head, kind, max_bytes)


def _rows(path: LogFile, head: bytes, kind: Literal["parquet", "arrow"], max_bytes: int) -> Iterator[Row]:
    number, rest = 1, ""
    try:
        with _explained(kind), seekable(path, head) as file:
            schema, total, batches = _open(file, kind)
            rest = f", and the rows up to {total:,} with it" if total else ""
            meanings = _meanings(schema)
            for whole in batches:
                for start in range(0, whole.num_rows, _BATCH_ROWS):
                    batch = whole.slice(start, _BATCH_ROWS)
                    batch.validate(full=True)
                    yield from _rows_of(batch, number, meanings, max_bytes)
                    number += batch.num_rows
    except RecordError as error:
        yield Row(number, RecordError(error.reason + rest, error.remedy))


def _open(file: BinaryIO, kind: Literal["parquet", "arrow"]) -> tuple[Any, int | None, Iterator[Any]]:
    """Return the schema, the number of rows where the file says it, and the batches to come."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if kind == "parquet":
        parquet = pq.ParquetFile(file, page_checksum_verification=True)
        return parquet.schema_arrow, parquet.metadata.num_rows, parquet.iter_batches(batch_size=_BATCH_ROWS)
    if file.read(1) == b"A":
        file.seek(0)
        reader = pa.ipc.open_file(file)
        return reader.schema, None, map(reader.get_batch, range(reader.num_record_batches))
    file.seek(0)
    stream = pa.ipc.open_stream(file)
    return stream.schema, None, iter(stream)


def _rows_of(batch: Any, first: int, meanings: dict[str, Callable[[Any], Any]], max_bytes: int) -> Iterator[Row]:  # noqa: ANN401
    columns: dict[str, list[_Cell]] = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        columns.setdefault(str(name), _cells(column, meanings.get(name)))
    big = batch.nbytes > max_bytes
    for index in range(batch.num_rows):
        if big and batch.slice(index, 1).nbytes > max_bytes:
            too_long = RecordError(
                f"the record is longer than {max_bytes / 1e6:g} MB",
                "raise `logs: {max_record_mb: ...}` if such a record is real",
            )
            yield Row(first + index, too_long)
            continue
        cells: dict[str, JsonValue] = {}
        problem: RecordError | None = None
        for name, values in columns.items():
            value = values[index]
            if isinstance(value, RecordError):
                problem = value.inside(f"column {name!r}")
            else:
                cells[name] = value
        yield Row(first + index, problem or cells)


def _cells(column: Any, meaning: Callable[[Any], Any] | None) -> list[_Cell]:  # noqa: ANN401
    """Return the values of a column; one that cannot be read is an error of its own."""
    import pyarrow as pa

    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        # Python's times have microseconds, and pyarrow would load pandas for more
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    try:
        values = column.to_pylist()
    except (pa.ArrowException, ValueError, ArithmeticError):
        return [_cell(item, meaning) for item in column]
    if meaning is None and (pa.types.is_string(column.type) or pa.types.is_integer(column.type)):
        return list(values)
    return [_plain(meaning(value) if meaning else value) for value in values]


def _cell(item: Any, meaning: Callable[[Any], Any] | None) -> _Cell:  # noqa: ANN401
    import pyarrow as pa

    try:
        value = item.as_py()
    except (pa.ArrowException, ValueError, ArithmeticError) as error:
        return RecordError(f"the value cannot be read ({_first_line(error)})", "write the file anew from its source")
    return _plain(meaning(value) if meaning else value)


def _plain(value: Any) -> JsonValue:  # noqa: ANN401
    """Return a Python value as JSON has it."""
    result: JsonValue
    if value is None or isinstance(value, str | bool | int):
        result = value
    elif isinstance(value, float):
        result = value if math.isfinite(value) else None
    elif isinstance(value, dict):
        result = {str(key): _plain(inner) for key, inner in value.items()}
    elif isinstance(value, list):
        is_map = bool(value) and isinstance(value[0], tuple)
        result = {str(key): _plain(inner) for key, inner in value} if is_map else [_plain(item) for item in value]
    elif isinstance(value, Decimal):
        result = int(value) if value == value.to_integral_value() else float(value)
    elif isinstance(value, bytes):
        result = _text_of(value)
    elif isinstance(value, timedelta):
        result = value.total_seconds()
    else:
        result = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return result


def _text_of(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()


def _meanings(schema: Any) -> dict[str, Callable[[Any], Any]]:  # noqa: ANN401
    """Return functions, by column, for values of a dataset that are not stored as they are read."""
    described = (schema.metadata or {}).get(_FEATURES, b"")
    if not any(kind in described for kind in _MEANINGFUL):
        return {}
    import datasets

    try:
        features = datasets.Features.from_arrow_schema(schema)
    except (ValueError, TypeError, LookupError, AttributeError):  # written by a version with other kinds of features
        return {}
    return {str(name): meaning for name, feature in features.items() if (meaning := _meaning(feature))}


def _meaning(feature: Any) -> Callable[[Any], Any] | None:  # noqa: ANN401
    names = getattr(feature, "names", None)
    if isinstance(names, list):
        return lambda value: names[value] if isinstance(value, int) and 0 <= value < len(names) else value
    if type(feature).__name__ == "Json":
        return decoded
    if isinstance(feature, dict):
        inner = {name: meaning for name, part in feature.items() if (meaning := _meaning(part))}
        return (lambda value: _each_key(value, inner)) if inner else None
    part = feature[0] if isinstance(feature, list) and feature else getattr(feature, "feature", None)
    of_item = None if part is None else _meaning(part)
    return None if of_item is None else lambda value: [*map(of_item, value)] if isinstance(value, list) else value


def _each_key(value: Any, meanings: dict[str, Callable[[Any], Any]]) -> Any:  # noqa: ANN401
    if not isinstance(value, dict):
        return value
    return {name: meanings[name](item) if name in meanings else item for name, item in value.items()}


@contextlib.contextmanager
def _explained(kind: str) -> Iterator[None]:
    """Turn what pyarrow raises into a RecordError.

    Raises:
        RecordError: the file is damaged.
    """
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, ValueError, LookupError, TypeError, MemoryError, ArithmeticError) as error:
        raise RecordError(
            f"the {kind.capitalize()} file is damaged here ({_first_line(error)})",
            "copy the file again from where it was written; the rows before this one were read",
        ) from error


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0][:200] or type(error).__name__
