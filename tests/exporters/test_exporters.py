"""The contract that every entry of EXPORTERS keeps, and what a further format of another package costs."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.config import Config, parse_config
from curator.errors import ConfigError, LogsError, RecordError
from curator.exporters import (
    EVAL_SET,
    EXPORTERS,
    OPENAI_CHAT,
    EvalRow,
    Exporter,
    TrainingExample,
    export_rows,
    read_run_rows,
)
from curator.exporters.openai_chat import chat_row, example_from_chat_row
from curator.exporters.trusted_targets import training_set
from curator.plugins import Registry
from curator.records import Case, Message, Reference, Source, Split, ToolCall, dump_line
from curator.stages import export as stage
from curator.stages.export import chosen_exporters, export
from curator.stages.holdout import HoldoutSplit

HOSTILE = ("", " ", "\x00", "a\nb\r\u2028c", '"},{"', "=cmd()", "</script>", "\U0001f600", "x" * 5000)
TEXTS = st.sampled_from(HOSTILE) | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
MESSAGES = st.lists(
    st.builds(Message, st.sampled_from(["system", "user", "assistant"]), TEXTS)
    | st.builds(lambda text: Message("assistant", "", (ToolCall("t", "f", text or "{}"),)), TEXTS),
    min_size=1,
    max_size=4,
).map(tuple)
EVAL_ROWS = st.builds(
    EvalRow,
    id=TEXTS.filter(bool),
    messages=MESSAGES,
    target=st.none() | TEXTS,
    reference=st.none() | TEXTS,
    reference_source=st.none() | st.sampled_from(["label", "correction", "teacher"]),
    failure=st.none() | st.floats(0, 1),
    labelled_by=st.lists(TEXTS, max_size=2).map(tuple),
    labelled_at=st.sampled_from(["", "2026-11-02T09:00:00+00:00"]),
    note=TEXTS,
    corrected_category=st.none() | TEXTS,
    round=st.integers(1, 9),
    further=st.dictionaries(TEXTS.map(lambda key: f"x{key}"), TEXTS | st.integers(-9, 9), max_size=2),
    weight=st.integers(1, 99),
    inclusion_probability=st.floats(0.001, 1),
    disagreement=st.none() | st.floats(0, 1),
    options=st.dictionaries(TEXTS, TEXTS | st.lists(st.integers(-9, 9)), max_size=2),
    metadata=st.dictionaries(TEXTS, TEXTS | st.booleans(), max_size=2),
)
EXAMPLES = st.builds(
    TrainingExample,
    case_id=TEXTS.filter(bool),
    messages=MESSAGES,
    answer=st.builds(Message, st.just("assistant"), TEXTS)
    | st.builds(lambda text: Message("assistant", "", (ToolCall("call_1", "f", text or "{}"),)), TEXTS),
    target_source=st.sampled_from(["label", "correction", "teacher"]),
    target_by=st.none() | TEXTS,
    tools=st.just(()) | st.just(({"type": "function", "function": {"name": "f"}},)),
    task=st.none() | TEXTS,
)
ROWS: dict[type, st.SearchStrategy[Any]] = {EvalRow: EVAL_ROWS, TrainingExample: EXAMPLES}
NAMES = pytest.mark.parametrize("name", EXPORTERS)


@NAMES
@given(st.data())
def test_every_row_is_written_or_left_out_as_valid_json_and_always_alike(name: str, data: st.DataObject) -> None:
    exporter = EXPORTERS[name]
    rows = data.draw(st.lists(ROWS[exporter.row_type], max_size=4))
    exported = export_rows(exporter, rows)
    assert len(exported.rows) + sum(exported.left_out.values()) == len(rows)
    content = b"".join(exported.chunks())
    assert content == b"".join(export_rows(exporter, rows).chunks())
    assert len([orjson.loads(line) for line in content.split(b"\n") if line]) == len(exported.rows)
    assert len(exported.warnings) == len(exported.left_out)


@NAMES
def test_an_entry_is_named_described_and_writes_a_file_of_its_own(name: str) -> None:
    exporter = EXPORTERS[name]
    assert exporter.name == name
    assert exporter.description
    assert [other.file_name for other in EXPORTERS.values()].count(exporter.file_name) == 1


@given(EVAL_ROWS)
def test_the_eval_set_is_read_back(row: EvalRow) -> None:
    assert EvalRow.from_json(orjson.loads(dump_line(row.to_json()))) == row


@given(EXAMPLES)
def test_the_fine_tune_file_is_read_back(example: TrainingExample) -> None:
    assert example_from_chat_row(orjson.loads(dump_line(chat_row(example)))) == example


@given(st.sets(st.integers(0, 7)))
def test_no_training_format_sees_a_held_out_case(held_out: set[int]) -> None:
    def split(group: str) -> Split:
        return "eval" if int(group) in held_out else "train"

    cases = [
        Case(f"c{n}", (Message("user", f"question number {n} of eight"),), Source("a", n), group=str(n),
             reference=Reference("r", "label"))
        for n in range(8)
    ]  # fmt: skip
    examples = training_set(cases, split_of_group=split, trusted_models=()).examples
    for exporter in EXPORTERS.values():
        if exporter.row_type is TrainingExample:
            content = b"".join(export_rows(exporter, examples).chunks()).decode()
            assert not any(f"question number {n} of" in content for n in held_out)
            assert all(f"question number {n} of" in content for n in set(range(8)) - held_out)


def _toy_row(row: EvalRow) -> dict[str, Any]:
    if row.reference is None:
        raise RecordError("there is no reference", "label the case")
    return {"ask": row.question, "expect": row.reference}


TOY = Exporter("toy", "questions and references", "toy.jsonl", EvalRow, _toy_row)


def _broken_row(row: EvalRow) -> dict[str, Any]:
    raise ZeroDivisionError("oops")


BROKEN = Exporter("broken", "fails", "broken.jsonl", EvalRow, _broken_row)
ELSEWHERE = Exporter("elsewhere", "another name's file", "cases.jsonl", EvalRow, _toy_row)
NO_ROWS = Exporter("numbers", "other rows", "numbers.jsonl", int, lambda row: {"n": row})


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"toy": "TOY", "broken": "BROKEN", "elsewhere": "ELSEWHERE", "numbers": "NO_ROWS"}
    module = {name: globals()[variable] for name, variable in names.items()}

    class Point(EntryPoint):
        def load(self) -> Any:
            return module[self.name]

    points = [Point(name, "toy_package:ENTRY", "curator.exporters") for name in names]
    registry: Registry[Exporter[Any]] = Registry(
        "exporter", Exporter, EXPORTERS.built_in, group="curator.exporters", find=lambda _: points
    )
    monkeypatch.setattr(stage, "EXPORTERS", registry)


def config(*exports: str) -> Config:
    return parse_config(
        {
            "committee": {"models": [{"name": "m", "model": "m", "provider": "openai", "base_url": "http://x"}]},
            "outputs": {"exports": list(exports)},
        }
    )


def exported(*names: str) -> stage.ExportResult:
    from curator.records import Pick

    cases = [
        Case("a", (Message("user", "qa"),), Source("f", 1), group="a", reference=Reference("ra", "label")),
        Case("b", (Message("user", "qb"),), Source("f", 2), group="b"),
    ]
    picks = [Pick("a", 1, "random", 0.5, "eval"), Pick("b", 2, "random", 0.5, "eval")]
    job = config(*names)
    return export(
        job, chosen_exporters(job), cases=cases, picks=picks, scores={}, categories=(), holdout=HoldoutSplit(1.0)
    )


@pytest.mark.usefixtures("plugins")
def test_a_further_format_is_written_beside_the_others() -> None:
    result = exported("toy")
    assert [e.file_name for e in result.exports] == ["eval_set.jsonl", "finetune.jsonl", "toy.jsonl"]
    assert b"".join(result.exports[2].chunks()) == b'{"ask":"qa","expect":"ra"}\n'
    assert result.warnings == ("toy.jsonl: 1 rows are left out: there is no reference",)


@pytest.mark.usefixtures("plugins")
def test_a_format_that_fails_does_not_cost_the_others() -> None:
    result = exported("broken", "toy")
    assert [e.file_name for e in result.exports] == ["eval_set.jsonl", "finetune.jsonl", "toy.jsonl"]
    assert result.warnings[0] == "the exporter 'broken' failed, its file is not written: ZeroDivisionError: oops"


@pytest.mark.usefixtures("plugins")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere", "unknown exporter 'nowhere'"),
        ("elsewhere", "'elsewhere' writes 'cases.jsonl', which is another file of the run"),
        ("numbers", "'numbers' exports int rows, which a run does not have"),
    ],
)
def test_an_export_that_cannot_be_made_is_refused_before_the_run(name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        chosen_exporters(config(name))


@pytest.mark.parametrize("name", ["", "a/b.jsonl", "../a", ".hidden", "a\\b"])
def test_a_file_name_stays_in_the_folder(name: str) -> None:
    with pytest.raises(ValueError, match="not a plain name"):
        Exporter("x", "x", name, EvalRow, _toy_row)


def test_the_defaults_are_the_files_of_every_run() -> None:
    assert chosen_exporters(config()) == (EVAL_SET, OPENAI_CHAT)
    assert chosen_exporters(config("openai-chat")) == (EVAL_SET, OPENAI_CHAT)


def test_a_run_folder_gives_the_rows_of_a_format(tmp_path: Path) -> None:
    row = EvalRow("a", (Message("user", "q"),), reference="r")
    (tmp_path / "eval_set.jsonl").write_bytes(b"".join(export_rows(EVAL_SET, [row]).chunks()))
    assert list(read_run_rows(tmp_path, TOY)) == [row]
    with pytest.raises(ConfigError, match=r"holds no finetune.jsonl"):
        list(read_run_rows(tmp_path, OPENAI_CHAT))
    with pytest.raises(ConfigError, match="needs int rows"):
        list(read_run_rows(tmp_path, NO_ROWS))
    (tmp_path / "eval_set.jsonl").write_bytes(b"{}")
    with pytest.raises(LogsError, match=r"line 1: `id` is missing"):
        list(read_run_rows(tmp_path, TOY))
