"""`curator distil` from files to exit code."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from curator.cli import main
from curator.errors import ConfigError, LogsError
from curator.estimation.comparison.case_weights import CaseDesign
from curator.exporters.reweighted import reweighted
from curator.workflows.distil import distil, distil_files

CASES = 60


def scores(systems: int = 4) -> dict[str, dict[str, float]]:
    random = np.random.default_rng(0)
    hard = random.random(CASES)
    return {f"s{j}": {f"c{i}": float(random.random() > hard[i]) for i in range(CASES)} for j in range(systems)}


def write(path: Path, rows: list[dict[str, object]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def wide(path: Path, **more: object) -> str:
    found = scores()
    rows = [{"id": f"c{i}", "input": f"q {i}", **more, **{s: found[s][f"c{i}"] for s in found}} for i in range(CASES)]
    return write(path, rows)


@pytest.mark.parametrize(
    ("line", "changes", "after"),
    [
        (b'{"id": "1",  "x": 1.00, "w\\u00e9": "\\u00e9"}', {"weight": 2.5},
         b'{"id": "1",  "x": 1.00, "w\\u00e9": "\\u00e9","weight":2.5}\n'),
        (b'{"weight": 1, "a": {"weight": 9}} ', {"weight": 2}, b'{"weight": 2, "a": {"weight": 9}}\n'),
        (b'{"a": [1, 2] , "weight" : 7}', {"weight": 2, "b": None}, b'{"a": [1, 2] , "weight" : 2,"b":null}\n'),
        (b"{}", {"weight": 1}, b'{"weight":1}\n'),
    ],
)  # fmt: skip
def test_only_the_changed_values_are_written_anew(line: bytes, changes: dict[str, object], after: bytes) -> None:
    assert reweighted(line, changes) == after


def test_the_weights_stand_for_the_full_set() -> None:
    made = distil(scores(), 15)
    assert len(made.weights) == 15
    assert sum(made.weights.values()) == pytest.approx(CASES)
    assert made.cases == CASES
    assert made.expected is not None
    assert made.expected.systems == 4
    assert "4 systems that differ" in made.warnings[0]


def test_probabilities_make_it_stand_for_production() -> None:
    design = {f"c{i}": CaseDesign(2, 0.1, "random") for i in range(CASES)}
    assert sum(distil(scores(), 10, design=design).weights.values()) == pytest.approx(CASES * 20)


def test_the_order_of_cases_and_systems_does_not_matter() -> None:
    found = scores()
    turned = {name: dict(reversed(found[name].items())) for name in reversed(found)}
    assert distil(turned, 12).weights == distil(found, 12).weights


def test_the_chosen_rows_are_written_with_their_weight(tmp_path: Path) -> None:
    out = tmp_path / "short.jsonl"
    source = wide(tmp_path / "wide.jsonl", inclusion_probability=0.5, weight=2)
    made = distil_files([source], 10, out=out)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    before = {row["id"]: row for row in map(json.loads, Path(source).read_text().splitlines())}
    assert sum(row["weight"] for row in rows) == pytest.approx(CASES * 4)
    for row in rows:
        assert made.weights[row["id"]] == row["weight"]
        assert row["inclusion_probability"] is None
        assert row["distilled"] == {"kept": 10, "of": CASES}
        changed = ("weight", "inclusion_probability", "distilled")
        assert {k: v for k, v in row.items() if k not in changed} == {
            k: v for k, v in before[row["id"]].items() if k not in changed
        }


def test_a_distilled_set_says_so_when_it_is_compared_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "short.jsonl"
    distil_files([wide(tmp_path / "wide.jsonl")], 20, out=out)
    assert main(["compare", str(tmp_path / "wide.jsonl"), "--eval", str(out)]) == 0
    shown = capsys.readouterr()
    assert "only distilled cases" in shown.err
    assert "20 cases with a score of every system" in shown.out


def test_long_results_and_an_eval_set(tmp_path: Path) -> None:
    found = scores()
    long = write(
        tmp_path / "long.jsonl", [{"id": i, "model": s, "score": v} for s in found for i, v in found[s].items()]
    )
    rows = write(tmp_path / "eval.jsonl", [{"id": f"c{i}", "input": "x"} for i in range(CASES + 5)])
    out = tmp_path / "short.jsonl"
    made = distil_files([long], 5, eval_set=rows, out=out)
    assert any("5 cases of" in warning for warning in made.warnings)
    assert all(json.loads(line)["input"] == "x" for line in out.read_text().splitlines())
    alone = distil_files([long], 5, out=out)
    assert any("only `id` and `weight`" in warning for warning in alone.warnings)
    assert set(json.loads(out.read_text().splitlines()[0])) == {"id", "weight", "distilled"}


def test_a_csv_file_gives_json_lines(tmp_path: Path) -> None:
    (tmp_path / "wide.csv").write_text("id,input,a,b\n1,x,1,0\n2,y,0,0\n3,z,1,1\n")
    out = tmp_path / "short.jsonl"
    distil_files([str(tmp_path / "wide.csv")], 2, out=out)
    assert [set(json.loads(line)) for line in out.read_text().splitlines()] == [
        {"id", "input", "a", "b", "weight", "distilled"}
    ] * 2


@pytest.mark.parametrize(
    ("found", "k", "says"),
    [
        (scores(), CASES, "all are kept"),
        (scores(), 1, "one case cannot rank systems"),
        (scores(1), 10, "too few to estimate the error"),
        ({**scores(), "flat": {f"c{i}": 1.0 for i in range(CASES)}}, 10, "flat: the same score in every case"),
        ({**scores(), "short": {"c0": 1.0}}, 10, "scores missing"),
        ({"a": scores()["s0"], "b": scores()["s0"]}, 10, "answer nearly alike"),
    ],
)
def test_what_to_know_is_said(found: dict[str, dict[str, float]], k: int, says: str) -> None:
    made = distil(found, k)
    assert any(says in warning for warning in made.warnings), made.warnings
    assert sum(made.weights.values()) == pytest.approx(CASES)
    assert made.to_text()


def test_what_cannot_be_distilled_says_why(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`k` is 0"):
        distil(scores(), 0)
    with pytest.raises(ConfigError, match="nothing to choose by"):
        distil({}, 3)
    with pytest.raises(LogsError, match="none of the cases"):
        distil_files([wide(tmp_path / "wide.jsonl")], 3, eval_set=write(tmp_path / "e.jsonl", [{"id": "zzz"}]))
    twice = write(tmp_path / "twice.jsonl", [{"id": "c1"}, {"id": "c1"}])
    with pytest.raises(LogsError, match="more than once"):
        distil_files([wide(tmp_path / "wide.jsonl")], 3, eval_set=twice)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = wide(tmp_path / "wide.jsonl")
    assert main(["distil", source, "--k", "12"]) == 0
    shown = capsys.readouterr()
    assert "12 of 60 cases kept, chosen by difficulty" in shown.out
    assert "left out of the choice was off by" in shown.out
    assert main(["distil", source, "--k", "12", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["kept"] == 12
    assert found["expected"]["random_error"] > 0


def test_a_system_without_a_score_has_none_and_says_so(recwarn: pytest.WarningsRecorder) -> None:
    apart = {f"s{i}": {f"{i}-{j}": float(j % 2) for j in range(10)} for i in range(8)}
    for found, k, lost in (({**scores(), "z": {}}, 10, "z"), (apart, 2, "s1")):
        made = distil(found, k)
        assert not recwarn.list
        assert any(lost in warning for warning in made.warnings if warning.startswith("no chosen case"))
        assert "nan" not in made.to_text()
        json.dumps(made.to_dict(), allow_nan=False)


def test_rows_in_memory_are_written_as_the_file_that_holds_them(tmp_path: Path) -> None:
    file, short = wide(tmp_path / "results.jsonl"), tmp_path / "short.jsonl"
    rows = [json.loads(line) for line in Path(file).read_text().splitlines()]
    from_memory = distil(rows, 20, out=short)
    assert from_memory.weights == distil(file, 20).weights
    written = [json.loads(line) for line in short.read_text().splitlines()]
    assert {row["id"] for row in written} == set(from_memory.weights)
    assert all(row["input"].startswith("q ") for row in written)
