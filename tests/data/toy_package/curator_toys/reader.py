"""Logs of the toy gateway: one JSON object a line, with the keys `asked` and `replied`."""

from collections.abc import Mapping

from curator.config import LogsConfig
from curator.readers import LogRecord, Reader
from curator.records import Case, JsonValue, Message, case_id


def parse(record: LogRecord, options: LogsConfig) -> Case:
    """Convert one record; a missing key rejects the record."""
    messages = (Message("user", str(record.cells["asked"])),)
    target = str(record.cells["replied"])
    return Case(id=case_id(messages), messages=messages, source=record.source, target=target, task=options.task)


def sniff(cells: Mapping[str, JsonValue], _options: LogsConfig) -> float:
    """Return 1 for a record of this format, else 0."""
    return float("asked" in cells and "replied" in cells)


READER = Reader(
    name="toy-gateway",
    description="logs of the toy gateway",
    understands=frozenset({"question", "answer"}),
    sniff=sniff,
    parse=parse,
)
