"""`curator compare` from files to exit code."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from curator.cli import main
from curator.errors import ConfigError, LogsError
from curator.estimation.comparison.case_weights import CaseDesign
from curator.readers.eval_results import read_system_scores
from curator.workflows.compare import CompareOptions, compare, compare_files
from curator.workflows.distil import distil


def write(path: Path, rows: list[dict[str, object]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def drawn(shares: Mapping[str, float], n: int = 200) -> dict[str, dict[str, float]]:
    random = np.random.default_rng(0)
    return {name: {f"c{i}": float(random.random() < share) for i in range(n)} for name, share in shares.items()}


def long_rows(scores: Mapping[str, Mapping[str, float]], key: str = "model") -> list[dict[str, object]]:
    return [{"id": i, key: name, "score": s} for name, cases in scores.items() for i, s in cases.items()]


SCORES = drawn({"new": 0.5, "old": 0.8})


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ({"id": "1", "model": "a", "passed": True}, {"a": {"1": 1.0}}),
        ({"case_id": 7, "model": "a", "prompt": "p", "score": 0.25}, {"a/p": {"7": 0.25}}),
        ({"id": "1", "system": "a", "wrong": True}, {"a": {"1": 0.0}}),
        ({"id": "1", "system": "a", "failed": "no"}, {"a": {"1": 1.0}}),
        ({"id": "1", "is_correct": False}, {"gpt-4.1": {"1": 0.0}}),
        ({"id": "1", "input": "1", "a": True, "b": 0.5, "disagreement": 0.7}, {"a": {"1": 1.0}, "b": {"1": 0.5}}),
        ({"id": "1", "a": {"is_correct": True, "text": "x"}}, {"a": {"1": 1.0}}),
        ({"id": "1", "scores": {"a": 1, "b": 0}}, {"a": {"1": 1.0}, "b": {"1": 0.0}}),
    ],
)
def test_rows_of_many_shapes(tmp_path: Path, row: dict[str, object], found: dict[str, dict[str, float]]) -> None:
    assert read_system_scores([write(tmp_path / "gpt-4.1.jsonl", [row])]).scores == found


def test_csv_long_and_wide(tmp_path: Path) -> None:
    (tmp_path / "long.csv").write_text("id,system,score\n1,a,0.5\n1,b,1\n")
    (tmp_path / "wide.csv").write_text("id,answer,a,b\n1,no,1,0\n2,7,0.5,true\n")
    assert read_system_scores([str(tmp_path / "long.csv")]).scores == {"a": {"1": 0.5}, "b": {"1": 1.0}}
    assert read_system_scores([str(tmp_path / "wide.csv")]).scores == {"a": {"1": 1, "2": 0.5}, "b": {"1": 0, "2": 1}}


def test_several_scores_of_a_case_are_averaged(tmp_path: Path) -> None:
    rows = [{"id": "1", "model": "a", "score": s} for s in (1, 0, 0.5)]
    read = read_system_scores([write(tmp_path / "x.jsonl", rows)])
    assert (read.scores, read.repeated) == ({"a": {"1": 0.5}}, 1)


def test_by_names_the_systems(tmp_path: Path) -> None:
    rows = [{"id": "1", "model": "a", "temperature": t, "score": t} for t in (0, 1)]
    assert set(read_system_scores([write(tmp_path / "x.jsonl", rows)], by=["temperature"]).scores) == {"0", "1"}


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"id": "1", "model": "a", "score": 4}, "not in 0..1"),
        ({"model": "a", "score": 1}, "no `case_id`"),
        ({"id": "1", "model": "a", "text": "fine"}, "no score"),
        ({"id": "1", "model": "a", "score": None}, "blank"),
    ],
)
def test_rows_without_a_score_say_why(tmp_path: Path, row: dict[str, object], says: str) -> None:
    with pytest.raises(LogsError, match=says):
        read_system_scores([write(tmp_path / "x.jsonl", [row])])


def test_pairs_only_and_it_says_how_many_are_left_out() -> None:
    scores = {"a": {"1": 1.0, "2": 0.0, "3": 1.0}, "b": {"2": 1.0, "3": 1.0, "4": 0.0}}
    found = compare(scores)
    assert (found.cases, dict(found.left_out)) == (2, {"without a score of every system": 2})
    assert found.pairs[0].difference == pytest.approx(0.5)


def test_the_better_system_is_the_candidate_unless_a_baseline_is_named() -> None:
    (pair,) = compare(SCORES).pairs
    assert (pair.candidate, pair.verdict) == ("old", "better")
    (named,) = compare(SCORES, options=CompareOptions(baseline="old")).pairs
    assert (named.candidate, named.verdict) == ("new", "worse")
    assert named.difference == pytest.approx(-pair.difference)
    assert (named.low, named.high) == pytest.approx((-pair.high, -pair.low))
    assert named.simultaneous == pytest.approx((-pair.simultaneous[1], -pair.simultaneous[0]))


def test_a_pair_that_is_turned_round_keeps_its_intervals_around_the_difference() -> None:
    (pair,) = compare({"a": SCORES["old"], "b": SCORES["new"]}).pairs
    assert pair.candidate == "a"
    assert pair.simultaneous[0] <= pair.low <= pair.difference <= pair.high <= pair.simultaneous[1]


def test_a_distilled_or_discovered_set_does_not_speak_for_production() -> None:
    certain = {i: CaseDesign(1, 1.0, "disagreement") for i in SCORES["new"]}
    found = compare(SCORES, design=certain)
    assert found.scope == "these cases"
    assert "random slice" in found.warnings[0]
    assert "these cases only" in found.to_text()


def test_weights_turn_a_difference_around() -> None:
    scores = {"a": {"1": 1.0, "2": 0.0, "3": 1.0, "4": 0.0}, "b": {"1": 0.0, "2": 1.0, "3": 0.0, "4": 0.0}}
    assert compare(scores).pairs[0].candidate == "a"
    heavy = {i: CaseDesign(1, 0.01 if i in "24" else 1.0, "random") for i in "1234"}
    (pair,) = compare(scores, design=heavy).pairs
    assert pair.candidate == "b"
    assert pair.difference == pytest.approx(98 / 202)


def test_too_few_differing_cases_are_named_with_what_it_takes() -> None:
    scores = {"a": dict.fromkeys("12345", 1.0), "b": {**dict.fromkeys("1234", 1.0), "5": 0.0}}
    found = compare(scores)
    assert "not enough data" in found.warnings[0]
    assert found.pairs[0].labels_needed == 37
    assert compare(scores, options=CompareOptions(detect=0.1)).pairs[0].labels_needed > 100


def test_many_systems_say_ties() -> None:
    found = compare(drawn({"a": 0.9, "b": 0.88, "c": 0.3}))
    assert set(found.tied_for_best) == {"a", "b"}
    assert "tied for best: a, b" in found.to_text()
    assert list(found.systems)[-1] == "c"


@pytest.mark.parametrize(
    ("scores", "design", "options", "says"),
    [
        ({"a": {"1": 1.0}}, {}, {}, "nothing to compare"),
        ({"a": {"1": 1.0}, "b": {"1": 2.0}}, {}, {}, "is 2.0"),
        ({"a": {"1": 1.0}, "b": {"1": 0.0}}, {}, {"baseline": "c"}, "is not one of the systems"),
        ({"a": {"1": 1.0}, "b": {"2": 0.0}}, {}, {}, "no case has a score"),
        ({"a": {"1": 1.0}, "b": {"1": 0.0}}, {"1": CaseDesign(1, 1.5)}, {}, "inclusion_probability"),
        ({"a": {"1": 1.0}, "b": {"1": 0.0}}, {"1": CaseDesign(0)}, {}, "`weight`"),
        ({"a": {"1": float("nan")}, "b": {"1": 0.0}}, {}, {}, "nan"),
    ],
)
def test_what_cannot_be_compared_says_why(
    scores: dict[str, dict[str, float]], design: dict[str, CaseDesign], options: dict[str, str], says: str
) -> None:
    with pytest.raises((ConfigError, LogsError), match=says):
        compare(scores, design=design, options=CompareOptions(**options))


def test_the_eval_set_supplies_probabilities_and_bounds_the_cases(tmp_path: Path) -> None:
    results = write(tmp_path / "r.jsonl", long_rows(SCORES))
    known = [{"id": f"c{i}", "inclusion_probability": 0.1, "slice": "random", "weight": 2} for i in range(150)]
    found = compare_files([results], eval_set=write(tmp_path / "eval.jsonl", known))
    assert (found.scope, found.cases) == ("production", 150)
    assert any("50 cases of the results left out: not in" in warning for warning in found.warnings)


def test_cases_without_a_probability_are_left_out_where_others_have_one(tmp_path: Path) -> None:
    results = write(tmp_path / "r.jsonl", long_rows(SCORES))
    known = [
        {"id": f"c{i}", **({"inclusion_probability": 0.1, "slice": "random"} if i % 2 else {"slice": "discovery"})}
        for i in range(200)
    ]
    found = compare_files([results], eval_set=write(tmp_path / "eval.jsonl", known))
    assert found.cases == 100
    assert dict(found.left_out) == {"without an inclusion probability, though others have one": 100}


def test_the_command_prints_and_the_gate_exits_with_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = [write(tmp_path / f"{name}.jsonl", [{"id": i, "score": s} for i, s in SCORES[name].items()])
               for name in ("old", "new")]  # fmt: skip
    assert main(["compare", *results]) == 0
    shown = capsys.readouterr().out
    assert "old against new: +34.0 points" in shown
    assert "if they are a simple random sample of it" in shown
    assert main(["compare", *results, "--fail-if-worse", "old"]) == 3
    assert "worse than 'old': new" in capsys.readouterr().err
    assert main(["compare", *results, "--fail-if-worse", "new"]) == 0
    capsys.readouterr()
    assert main(["compare", *results, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["pairs"][0]["verdict"] == "better"
    assert found["scope"] == "sample"


def test_too_many_unreadable_rows_exit_with_6(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows: list[dict[str, object]] = [*long_rows(drawn({"a": 0.5, "b": 0.5}, 4)), *[{"id": "x", "score": 9}] * 4]
    assert main(["compare", write(tmp_path / "r.jsonl", rows)]) == 6
    assert "r.jsonl: 4 records: the score is '9'" in capsys.readouterr().err


def test_more_pairs_than_fit_show_those_with_the_best() -> None:
    found = compare(drawn({f"s{i}": 0.3 + 0.08 * i for i in range(8)}, 60))
    assert len(found.pairs) == 28
    assert found.to_text().count(" against ") == 7
    assert "21 more pairs, which --json lists" in found.to_text()


@pytest.mark.parametrize("score", ["1", None, float("nan"), 1.5, -0.1])
def test_what_is_no_score_is_named(score: object) -> None:
    with pytest.raises(ConfigError, match="the score of 'a' for case 'x'"):
        compare({"a": {"x": score}, "b": {"x": 0.0}})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "design", [CaseDesign(weight=1e300), CaseDesign(weight=1e-300), CaseDesign(1.0, 1e-300), CaseDesign(float("nan"))]
)
def test_weights_that_no_float_can_square_are_refused(design: CaseDesign) -> None:
    with pytest.raises(ConfigError, match="of case 'c0' is"):
        compare(SCORES, design={f"c{i}": design for i in range(200)})


def test_a_verdict_never_contradicts_its_interval() -> None:
    """The certain picks speak for `b`; none of the drawn cases, each of which stands for 199, differs."""
    cases = [f"c{i}" for i in range(100)]
    scores = {"a": dict.fromkeys(cases, 0.0), "b": {case: float(i < 20) for i, case in enumerate(cases)}}
    design = {
        case: CaseDesign(1, 1.0, "disagreement") if i < 50 else CaseDesign(1, 50 / 9950, "random")
        for i, case in enumerate(cases)
    }
    (pair,) = compare(scores, design=design).pairs
    assert pair.low < 0 < pair.high
    assert pair.verdict == "not decided"


def test_the_strata_of_a_run_are_used_and_are_no_systems(tmp_path: Path) -> None:
    """What a run writes of a case, with two columns of results: all differences are in stratum 0 of the first stage."""
    made = [
        {"id": f"c{i}", "slice": "random", "stage": 1 + i // 60, "stratum": i // 30 % 2, "draw": 1, "gain": 0.5,
         "inclusion_probability": 0.1, "weight": 1, "a": 0, "b": int(i < 30)} for i in range(120)
    ]  # fmt: skip
    with_strata = compare_files([write(tmp_path / "rows.jsonl", made)])
    assert list(with_strata.systems) == ["b", "a"]
    plain = [{key: value for key, value in row.items() if key != "stratum"} for row in made]
    without = compare_files([write(tmp_path / "plain.jsonl", plain)])
    mixed = compare_files([write(tmp_path / "mixed.jsonl", [{**row, "stage": 1} for row in made])])
    effective = [found.pairs[0].effective_cases for found in (with_strata, mixed, without)]
    assert effective[0] > 1.5 * effective[1] > 1.5 * effective[2]


def test_missing_answers_of_a_candidate_fail_the_gate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The candidate answers 120 of 200 cases, as well as the baseline does: an evaluation that broke off must not pass."""
    both = {f"c{i}": float(i % 5 > 0) for i in range(200)}
    old = write(tmp_path / "old.jsonl", [{"id": i, "score": s} for i, s in both.items()])
    new = write(tmp_path / "new.jsonl", [{"id": i, "score": s} for i, s in list(both.items())[:120]])
    assert main(["compare", old, new, "--fail-if-worse", "old"]) == 3
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith(
        "200 cases compared; missing answers counted as failures: 80 of 'new'; the result applies to"
    )
    assert main(["compare", old, new, "--fail-if-worse", "old", "--missing", "ignore"]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith(
        "120 cases with a score of every system; missing answers left out: 80 of 'new'; the result applies to"
    )
    assert main(["compare", old, new, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["missing"] == {"new": 80}


def test_missing_answers_of_the_baseline_are_left_out() -> None:
    scores = {"old": {"1": 1.0, "2": 0.0}, "new": {"1": 1.0, "2": 1.0, "3": 1.0}}
    result = compare(scores, options=CompareOptions(baseline="old"))
    assert (result.cases, dict(result.missing), dict(result.left_out)) == (2, {}, {"without a score of 'old'": 1})


def test_rows_in_memory_compare_as_the_file_that_holds_them(tmp_path: Path) -> None:
    rows = [{**row, "weight": 2} for row in long_rows(SCORES)]
    wide = [{"id": i, "input": "q", "new": SCORES["new"][i], "old": SCORES["old"][i]} for i in SCORES["new"]]
    from_file = compare(write(tmp_path / "results.jsonl", rows))
    assert compare(rows).to_dict() == compare(iter(rows)).to_dict() == from_file.to_dict()
    assert compare(wide).systems == compare(SCORES).systems
    rejected = compare([*rows, {"id": "c0", "model": "new", "score": 7}]).rejected
    assert [(str(row.source), "7" in row.reason) for row in rejected] == [("rows:401", True)]
    with pytest.raises(ConfigError, match="paths and rows in one list"):
        compare([rows[0], "results.jsonl"])


def test_a_run_folder_holds_no_results_of_systems(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its label queue has numbers in the column `batch`, which were taken as a system."""
    for file in ("manifest.json", "design.json"):
        folder = tmp_path / file.partition(".")[0]
        folder.mkdir()
        (folder / file).write_text("{}")
        (folder / "label_queue.csv").write_text("case_id,batch,input\nc0,1,q\nc1,1,q\n")
        for results in (str(folder), folder, [folder, folder]):
            with pytest.raises(ConfigError, match="is the folder of a run or a selection"):
                compare(results)
        assert main(["distil", str(folder), "--k", "1"]) == 2
        assert "name files of results" in capsys.readouterr().err


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_the_gate_keeps_its_code_behind_a_pipe_that_is_closed(
    tmp_path: Path, stream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in `curator compare ... 2>&1 | head -1`."""

    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    file = write(tmp_path / "results.jsonl", long_rows(SCORES))
    with monkeypatch.context() as patch:
        patch.setattr(sys, stream, Closed())
        assert main(["compare", file, "--fail-if-worse", "old"]) == 3
        getattr(sys, stream).close()


def test_a_guessed_encoding_of_the_results_and_of_the_eval_set_is_named(tmp_path: Path) -> None:
    ids = [f"Müller für Größe über Straße {n}" for n in range(12)]
    results, cases = tmp_path / "results.csv", tmp_path / "cases.csv"
    scores = "".join(
        f"{case},{system},{(n + shift) % 2}\n" for n, case in enumerate(ids) for system, shift in (("a", 0), ("b", 1))
    )
    results.write_bytes(f"id,system,score\n{scores}".encode("cp1252"))
    cases.write_bytes(("id,weight\n" + "".join(f"{case},1\n" for case in ids)).encode("cp1252"))
    comparison = compare([results], eval_set=cases)
    notes = [warning for warning in comparison.warnings if "was read as" in warning]
    assert [note.partition(":")[0] for note in notes] == [str(results), str(cases)]
    assert any("was read as" in warning for warning in distil([results], 3).warnings)
