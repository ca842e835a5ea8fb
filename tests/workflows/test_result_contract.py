"""The contract of every result: JSON, text, a notebook view, warnings, rejected records, an exit code, a table."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import curator
from curator.config import parse_config
from curator.errors import ExitCode, MissingDependency
from curator.records import RejectedRecord
from curator.records.result import Result, TableResult
from curator.run_folder.status import read_status
from curator.state.maintenance import AnswerFilter, contents, prune
from curator.state.verify import verify
from curator.workflows.doctor import examine
from curator.workflows.redact import redact
from tests.workflows.loop_kit import loop_job, write_pool

RECORDS = [
    {"id": f"c{i}", "input": f"{i} + 1?", "target": str(i + 1), "kind": "number",
     "generations": [str(i + 1), str(i + 1 + i % 3), str(i + 1 + i % 2)]}
    for i in range(40)
]  # fmt: skip
SCORES = {"old": {f"c{i}": float(i % 2) for i in range(40)}, "new": {f"c{i}": 1.0 for i in range(40)}}


def _small_loop(tmp_path: Path) -> Any:
    folder = tmp_path / "small"
    folder.mkdir()
    write_pool(folder)
    return parse_config(loop_job(folder))


def subclasses(parent: type[Result]) -> Iterator[type[Result]]:
    for child in parent.__subclasses__():
        yield child
        yield from subclasses(child)


@pytest.fixture
def results(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[Result]:
    """One result of every kind."""
    monkeypatch.chdir(tmp_path)
    config, out = parse_config(job), tmp_path / "out"
    plan, run = curator.plan(config), curator.run(config, out=out, encoder=encoder, environ={})
    scored = curator.score(RECORDS)
    selected = curator.select(scored, k=20)
    wanted = AnswerFilter.of(model=None, older_than_days=0.0, keys=(), now=0.0)
    store = Path(job["store"])
    queue = curator.export_labels(run, "csv", tmp_path / "queue.csv")
    return [
        plan, run, queue, curator.label_page(run), curator.import_labels(queue.path), scored, selected, read_status(out), contents(store), prune(store, wanted, dry_run=True), verify(store),
        curator.estimate(dict.fromkeys([pick.case_id for pick in selected.picks], False), selection=selected),
        curator.calibrate(RECORDS, {"c1": True, "c2": False}), curator.committee_advice(RECORDS),
        curator.compare(SCORES), curator.distil(SCORES, 5), curator.export(run, "eval-set", tmp_path / "eval.jsonl"),
        curator.find_leaks(["How many wheels does a van have?"], ["How many wheels does a van have?"], embedding=False),
        examine(None, environ={}), curator.loop(_small_loop(tmp_path), encoder=encoder, environ={}), curator.purge(config, ids=["r0"], dry_run=True),
        redact("my password is hunter2", config), curator.check(write_logs),
        curator.PushedQueue("memory", ("http://memory",), 3, 1, 2, 1), curator.PulledLabels("memory", queue.path, 3, 2, {"ana": 3}),
    ]  # fmt: skip


def test_every_result_keeps_the_contract(results: list[Result]) -> None:
    for result in results:
        assert json.loads(json.dumps(result.to_dict())) == result.to_dict()
        assert result.to_text()
        assert isinstance(result.warnings, tuple)
        assert all(isinstance(warning, str) for warning in result.warnings)
        assert isinstance(result.rejected, tuple)
        assert all(isinstance(record, RejectedRecord) for record in result.rejected)
        assert isinstance(result.exit_code, ExitCode)
        html = result._repr_html_()
        assert html.startswith("<pre>")
        assert html.endswith("</pre>")
        with pytest.warns(DeprecationWarning, match="to_text"):
            assert result.as_text() == result.to_text()
        with pytest.warns(DeprecationWarning, match="to_dict"):
            assert result.as_json() == result.to_dict()
    # By name: a dataclass with slots leaves the class that it was made from behind.
    names = {child.__qualname__ for child in subclasses(Result) if child.__module__.startswith("curator.")}
    assert {type(result).__qualname__ for result in results} == names - {"TableResult"}


def test_a_table_becomes_a_data_frame(results: list[Result], monkeypatch: pytest.MonkeyPatch) -> None:
    tables = [result for result in results if isinstance(result, TableResult)]
    assert len(tables) >= 7
    for table in tables:
        assert len({tuple(row) for row in table.table_rows()}) <= 1
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingDependency, match="pandas is not installed"):
        tables[0].to_pandas()


def test_a_table_has_the_rows_of_the_result() -> None:
    pytest.importorskip("pandas")
    frame = curator.score(RECORDS).to_pandas()
    assert list(frame["id"]) == [record["id"] for record in RECORDS]


def test_markup_in_a_result_is_escaped() -> None:
    found = curator.find_leaks(["Is <b>this</b> bold? It is."], ["Is <b>this</b> bold? It is."], embedding=False)
    assert "<b>" not in found._repr_html_()


def test_old_names_of_fields_warn() -> None:
    comparison = curator.compare(SCORES)
    with pytest.warns(DeprecationWarning, match="`problems` is now `rejected`"):
        assert comparison.problems == comparison.rejected
