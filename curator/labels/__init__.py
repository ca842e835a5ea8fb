r"""LABEL_TOOLS and LABEL_SERVERS: the programs that people label with, by name.

A tool is one file with a `LabelTool`, which writes the label queue and reads the labels that come back, and one line here.
Another package adds a tool with an entry point in the group `curator.label_tools` that names a `LabelTool`:

    [project.entry-points."curator.label_tools"]
    my-tool = "my_package:TOOL"

    def write(rows: Iterable[QueueRow]) -> Iterator[bytes]:
        for row in rows:
            yield orjson.dumps({"key": row.case_id, "show": row.input, "answer": row.target, "good": None}) + b"\n"

    def read(path: Path) -> Iterator[Label]:
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            row = orjson.loads(line)
            if row["good"] is not None:
                yield Label(row["key"], Source(str(path), number), failure=0.0 if row["good"] else 1.0)

    TOOL = LabelTool(name="my-tool", description="My tool.", suffix=".my-tool.jsonl", write=write, read=read)

`labelling.tools` chooses the tools that `curator run` and `curator select` write the queue for, beside `ALWAYS`. Labels that come
back are read by the tool whose suffix their file has; a file with no such suffix is read as CSV or JSONL.

A server is one file with a `LabelServer` (`servers.py`), which pushes a queue and pulls the labels through the SDK of the
program, and one line here; another package names one in the group `curator.label_servers`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from curator.labels.argilla import ARGILLA_SERVER
from curator.labels.json_lines import JSONL
from curator.labels.label_studio import LABEL_STUDIO
from curator.labels.label_studio_server import LABEL_STUDIO_SERVER
from curator.labels.langfuse import LANGFUSE_SERVER
from curator.labels.langsmith import LANGSMITH_SERVER
from curator.labels.prodigy import PRODIGY
from curator.labels.queue import QueueRow
from curator.labels.returned import DONE
from curator.labels.servers import LabelServer
from curator.labels.spreadsheet import CSV
from curator.labels.tool import QUEUE_STEM, LabelTool
from curator.labels.workbook import XLSX
from curator.plugins import Registry

LABEL_TOOLS: Registry[LabelTool] = Registry(
    "label tool",
    LabelTool,
    {tool.name: tool for tool in (CSV, XLSX, JSONL, LABEL_STUDIO, PRODIGY)},
    group="curator.label_tools",
)
LABEL_SERVERS: Registry[LabelServer] = Registry(
    "label server",
    LabelServer,
    {server.name: server for server in (LABEL_STUDIO_SERVER, ARGILLA_SERVER, LANGFUSE_SERVER, LANGSMITH_SERVER)},
    group="curator.label_servers",
)
ALWAYS: tuple[LabelTool, ...] = (CSV, XLSX, JSONL)
"""The tools that every queue is written for."""
_OF_SPREADSHEETS = (".tsv", ".txt", ".ods", ".xls", ".numbers")
"""What spreadsheet programs save a queue as. Where it cannot be read, the message says how to save it."""


def chosen_tools(names: Sequence[str]) -> tuple[LabelTool, ...]:
    """The tools to write the queue for: `ALWAYS`, then those of `labelling.tools`.

    Raises:
        ConfigError: a name is unknown.
    """
    named = [LABEL_TOOLS.require(name, where="labelling.tools") for name in names]
    return tuple({tool.name: tool for tool in (*ALWAYS, *named)}.values())


def tool_of(path: Path) -> LabelTool | None:
    """Return the tool that reads a file, by the longest suffix of its name; None without one."""
    matching = [tool for tool in LABEL_TOOLS.values() if path.name.lower().endswith(tool.suffix)]
    return max(matching, key=lambda tool: len(tool.suffix), default=None)


def queues_in(folder: Path) -> list[Path]:
    """Return the label queues in a folder, their copies, and the labels that came back.

    They are the files whose names begin as those of queues do and that a label tool, or a spreadsheet program, has written:
    `label_queue.done.jsonl` of the label page, `label_queue (1).csv`, `label_queue_ana.xlsx`.
    """
    order = [tool.name for tool in LABEL_TOOLS.values()]

    def place(path: Path) -> tuple[int, int, str]:
        tool = tool_of(path)
        return order.index(tool.name) if tool else len(order), len(path.name), path.name

    return sorted((path for path in folder.glob(f"{QUEUE_STEM}*") if path.is_file() and is_label_file(path)), key=place)


def is_label_file(path: Path) -> bool:
    """Return whether a file is named as those of label tools and spreadsheets are."""
    return tool_of(path) is not None or path.suffix.lower() in _OF_SPREADSHEETS


__all__ = [
    "ALWAYS",
    "CSV",
    "DONE",
    "JSONL",
    "LABEL_SERVERS",
    "LABEL_TOOLS",
    "QUEUE_STEM",
    "XLSX",
    "LabelServer",
    "LabelTool",
    "QueueRow",
    "chosen_tools",
    "queues_in",
    "tool_of",
]
