"""The folder of a loop, and of its rounds: a step is a file, written once and whole.

    loop.json                   the settings that hold for all rounds
    pool.jsonl                  every case of the loop, with its split
    rounds/0/picks.jsonl        the cases of the round, and how each was chosen
    rounds/0/label_queue.*      the label queue, and what comes back in it
    rounds/0/labels.jsonl       all labels of the loop when the round went on
    rounds/0/training.jsonl     the rows that its model is trained on
    rounds/0/training/          the trainer's own files
    rounds/0/model.json         the model
    rounds/0/predictions.jsonl  its answers to the held-out cases
    rounds/1/before.jsonl       the answers of the model before to the cases of the round
    rounds/0/round.json         the score, the interval, and the view of the rule to stop

A step reads only files of steps before it. One whose file is there is not done again, so that a loop that was killed goes on with
the step that it was in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from curator.config import Config
from curator.errors import LogsError, RecordError
from curator.io.atomic import json_lines, write_atomic
from curator.io.json_rows import Fields, rows_of
from curator.readers.documents import read_documents
from curator.records import JsonValue, Source
from curator.records.loop import LoopCase
from curator.run_folder.case_context import CaseContext
from curator.run_folder.layout import RunFile

SETTINGS = RunFile("loop.json", "the settings that hold for all rounds")
POOL = RunFile("pool.jsonl", "every case of the loop, with its split")
LOOP_REPORT = RunFile("loop.html", "the learning curve, with what it cost")
RESULTS = RunFile("results.jsonl", "the score of every model on every held-out case, for `curator compare`")
LOOPS = Path("loops")
ROUNDS = "rounds"
RANDOM_ARM = "random_arm"
"""The folder of the control: the same loop, with cases drawn at random."""

PICKS = RunFile("picks.jsonl", "a case of the round: how it was chosen, with its inclusion probability")
LABELS = RunFile("labels.jsonl", "a label of the loop when the round went on, with author and time")
TRAINING = RunFile("training.jsonl", "a row that the round's model is trained on, in OpenAI's chat format")
TRAINING_FOLDER = "training"
MODEL = RunFile("model.json", "the model of the round")
PREDICTIONS = RunFile("predictions.jsonl", "an answer of the round's model to a held-out case")
BEFORE = RunFile("before.jsonl", "an answer of the model before to a case of the round")
ROUND = RunFile("round.json", "the score of the round's model, and the view of the rule to stop")
_RESTORE = "restore the file from a backup; or remove it with the files of later steps, to do the step again"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LoopFolder:
    """The folder of a loop."""

    path: Path

    @property
    def pool(self) -> Path:
        """The file of the pool."""
        return POOL.of(self.path)

    def round(self, number: int) -> Path:
        """Return the folder of a round."""
        return self.path / ROUNDS / str(number)

    @property
    def rounds(self) -> list[Path]:
        """The folders of the rounds that have picks, in their order."""
        folders: list[Path] = []
        while PICKS.of(folder := self.round(len(folders))).is_file():
            folders.append(folder)
        return folders

    @property
    def control(self) -> LoopFolder:
        """The folder of the random arm."""
        return LoopFolder(self.path / RANDOM_ARM)


def loop_folder(config: Config) -> LoopFolder:
    """Return the folder of a config's loop."""
    return LoopFolder(Path(config.loop.folder) if config.loop.folder else config.folder / LOOPS / config.name)


def pool_row(item: LoopCase) -> dict[str, JsonValue]:
    """Return the line of a case in `pool.jsonl`."""
    case = item.case
    row: dict[str, JsonValue] = {
        "id": case.id,
        "log_id": case.log_id,
        "user_id": case.user_id,
        "source": str(case.source),
        "input": [message.as_openai() for message in case.messages],
        "target": case.target,
        "task": case.task,
        "kind": case.kind,
        "options": dict(case.options),
        "metadata": dict(case.metadata),
        "documents": [{"text": d.text, "id": d.id, "score": d.score} for d in case.documents],
        "weight": case.weight,
        "group": case.group,
        "split": item.split,
        "text": item.text,
        "disagreement": item.disagreement,
        **({"leaks": True} if item.leaks else {}),
    }
    if case.reference:
        row |= {"reference": case.reference.text, "reference_source": case.reference.source}
    return {key: value for key, value in row.items() if value not in (None, {}, [])}


def read_pool(folder: LoopFolder) -> tuple[LoopCase, ...]:
    """Read `pool.jsonl`.

    Raises:
        LogsError: the file is damaged.
    """
    try:
        return tuple(rows_of(folder.pool, _pool_case))
    except RecordError as error:
        raise LogsError(error.reason, remedy=_RESTORE) from error


def _pool_case(row: object) -> LoopCase:
    values = Fields.of(row)
    context = CaseContext.from_json(row)
    case = replace(
        context.case(values.text("id"), 0),
        source=Source.parse(context.source),
        options=values.object("options"),
        documents=read_documents(values.value("documents") or []),
        log_id=values.optional_text("log_id"),
        user_id=values.optional_text("user_id"),
    )
    split = values.one_of("split", ("eval", "train"))
    return LoopCase(
        case, "eval" if split == "eval" else "train", values.optional_text("text") or "",
        values.optional_number("disagreement"), leaks=values.value("leaks") is True,
    )  # fmt: skip


def write_rows(path: Path, rows: Iterable[Any]) -> None:
    """Write frozen records as JSONL, whole or not at all."""
    write_atomic(path, json_lines(asdict(row) for row in rows))


def read_rows(path: Path, row_type: type[T]) -> tuple[T, ...]:
    """Read the records of a file that `write_rows` wrote.

    Raises:
        LogsError: the file is damaged.
    """
    adapter = TypeAdapter(row_type)
    try:
        return tuple(rows_of(path, lambda row: _validated(row, adapter)))
    except RecordError as error:
        raise LogsError(error.reason, remedy=_RESTORE) from error


def write_record(path: Path, record: Any) -> None:  # noqa: ANN401  any frozen record
    """Write one frozen record as JSON, whole or not at all."""
    content = orjson.dumps(
        asdict(record), option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    )
    write_atomic(path, [content])


def read_record_of(path: Path, record_type: type[T]) -> T:
    """Read the record of a file that `write_record` wrote.

    Raises:
        LogsError: the file is damaged.
    """
    try:
        return _validated(orjson.loads(path.read_bytes()), TypeAdapter(record_type))
    except (RecordError, orjson.JSONDecodeError) as error:
        raise LogsError(f"{str(path)!r} is damaged: {error}", remedy=_RESTORE) from error


def _validated(row: object, adapter: TypeAdapter[T]) -> T:
    try:
        return adapter.validate_python(row)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the row"
        raise RecordError(f"{place}: {first['msg']}", _RESTORE) from error
