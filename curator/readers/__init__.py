"""READERS: the log formats that can be read, by name.

A format is one file with a `Reader` and one line here. Another package adds a format with an entry point in the group
`curator.readers` that names a `Reader`:

    [project.entry-points."curator.readers"]
    my-format = "my_package:READER"

A reader converts one record at a time, to a case or to the pieces of `pieces.py`:

    def parse(record: LogRecord, options: LogsConfig) -> Case:
        messages = (Message("user", str(record.cells["asked"])),)
        return Case(id=case_id(messages), messages=messages, source=record.source, target=str(record.cells["said"]))

    READER = Reader(
        name="my-format",
        description="Logs of my gateway.",
        understands=frozenset({"question", "answer"}),
        sniff=lambda cells, options: float("asked" in cells and "said" in cells),
        parse=parse,
    )

`logs.format` chooses a format by name. With `auto` the one whose `sniff` is most sure of a file's first readable records reads
the file; of equally sure ones the first. `curator leaks` recognises questions in the same way.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from curator.config import LogsConfig
from curator.plugins import Registry
from curator.readers.braintrust import BRAINTRUST
from curator.readers.chat import CHAT
from curator.readers.conversations import CONVERSATIONS
from curator.readers.langfuse import LANGFUSE
from curator.readers.langsmith import LANGSMITH
from curator.readers.mapped import MAPPED
from curator.readers.mlflow import MLFLOW
from curator.readers.otlp import OTLP
from curator.readers.pair_formats import PAIR_READERS
from curator.readers.phoenix import PHOENIX
from curator.readers.pieces import Exchange
from curator.readers.reader import Content, LogRecord, Reader
from curator.readers.transcripts import TRANSCRIPTS
from curator.readers.unmapped import PAIRS, TURNS
from curator.readers.weave import WEAVE
from curator.records import JsonValue

READERS: Registry[Reader] = Registry(
    "reader",
    Reader,
    {
        reader.name: reader
        for reader in (
            MAPPED,
            CHAT,
            BRAINTRUST,
            LANGFUSE,
            LANGSMITH,
            OTLP,
            PHOENIX,
            MLFLOW,
            WEAVE,
            TRANSCRIPTS,
            CONVERSATIONS,
            TURNS,
            PAIRS,
            *PAIR_READERS,
        )
    },
    group="curator.readers",
)

_log = logging.getLogger(__name__)


def recognise(records: Sequence[Mapping[str, JsonValue]], options: LogsConfig) -> Reader | None:
    """Return the reader that is most sure of the first records of a file; None without one."""
    best, best_sureness = None, 0.0
    for name, reader in READERS.items():
        try:
            if reader.sniff_file is not None:
                sureness = reader.sniff_file(records, options)
            else:
                sureness = sum(float(reader.sniff(record, options)) for record in records)
        except Exception as error:  # noqa: BLE001  a plugin may fail in any way; it must not stop logs of other formats
            _log.warning("the reader %r cannot look at a record (%s: %s)", name, type(error).__name__, error)
            continue
        if sureness > best_sureness:
            best, best_sureness = reader, sureness
    return best


__all__ = ["READERS", "Content", "Exchange", "LogRecord", "Reader", "recognise"]
