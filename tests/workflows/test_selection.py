"""`curator select` and `curator estimate`: from a pool to the label queue, and from labels to a rate with an interval."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest

import curator
from curator import SelectOptions
from curator.cli import main
from curator.config import LabellingConfig, SelectionConfig
from curator.errors import ConfigError, LogsError, Refused
from curator.records import STRATEGY_NAMES, Score
from curator.stages.label_truth import CORRECTED, FREE_TEXT, NOT_SELECTED, UNSURE
from curator.workflows.pool import pool_of
from curator.workflows.score import Scoring
from curator.workflows.selection import select

Record = dict[str, Any]
WORDS = ("refund", "parcel", "password", "invoice", "voucher", "address", "return", "size", "colour", "delay")


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, encoder: Any) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("curator.encoders.sentence.open_encoder", lambda _: encoder)


def made(count: int = 200, *, kind: str = "number") -> tuple[list[Record], dict[str, bool]]:
    """A third of the targets are wrong; each of four answers knows which with a chance of .9."""
    drawn, records, wrong = Random(0), [], {}
    for i in range(count):
        fails = drawn.random() < 0.3
        told = [fails if drawn.random() < 0.9 else not fails for _ in range(4)]
        answers = [{"text": "8" if against else "7", "model": f"m{n}"} for n, against in enumerate(told)]
        asked = f"{drawn.choice(WORDS)} {drawn.choice(WORDS)} {i}: how many {drawn.choice(WORDS)}?"
        records.append(
            {"id": f"c{i}", "input": asked, "kind": kind, "target": "7", "generations": answers,
             "metadata": {"region": "north" if i % 2 else "south"}}
        )  # fmt: skip
        wrong[f"c{i}"] = fails
    return records, wrong


def put(name: str, rows: Iterable[Mapping[str, Any]]) -> str:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return name


def rows(path: str) -> list[Record]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def filled(folder: str, wrong: Mapping[str, bool], *, column: str = "verdict", most: int | None = None) -> str:
    """The folder's label queue as somebody hands it back, with its first `most` rows filled in."""
    path = Path(folder) / "label_queue.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        queue = list(csv.DictReader(file))
    for row in queue[:most]:
        failed = wrong[row["case_id"]]
        row[column] = {"verdict": "fail" if failed else "pass", "label": "8" if failed else "7"}[column]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(queue[0]))
        writer.writeheader()
        writer.writerows(queue)
    return str(path)


def selected(capsys: pytest.CaptureFixture[str], *arguments: str) -> Record:
    assert main(["select", *arguments, "--json", "--quiet"]) == 0
    found: Record = json.loads(capsys.readouterr().out)
    return found


def estimated(capsys: pytest.CaptureFixture[str], *arguments: str) -> Record:
    assert main(["estimate", *arguments, "--json"]) == 0
    found: Record = json.loads(capsys.readouterr().out)
    return found


def refused(capsys: pytest.CaptureFixture[str], code: int, *arguments: str) -> str:
    assert main(list(arguments)) == code
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert "curator: " in said
    assert "\n  -> " in said
    return said


def test_from_a_pool_to_a_rate(capsys: pytest.CaptureFixture[str]) -> None:
    records, wrong = made()
    found = selected(capsys, put("pool.jsonl", records), "--k", "80", "--random-share", "0.75", "--out", "sel")
    assert (found["pool"], found["selected"], found["by_slice"]) == (
        200,
        80,
        {"disagreement": 20, "diversity": 0, "random": 60},
    )
    picks = rows("sel/selection.jsonl")
    assert [pick["rank"] for pick in picks] == list(range(1, 81))
    assert {pick["pool_hash"] for pick in picks} == {found["pool_hash"]}
    assert all(pick["inclusion_probability"] == 1 and pick["draw"] is None for pick in picks[:20])
    drawn = [pick for pick in picks if pick["slice"] == "random"]
    assert [pick["draw"] for pick in drawn] == list(range(1, 61))
    assert sum(1 / pick["inclusion_probability"] for pick in drawn) == pytest.approx(180)
    told = estimated(capsys, filled("sel", wrong), "--half-width", "0.01")
    true = sum(wrong.values()) / 200
    assert told["low"] <= true <= told["high"]
    assert abs(told["rate"] - true) < 0.08
    assert (told["labels"], told["drawn"], told["certain"], told["missing"], told["left_out"]) == (80, 60, 20, 0, {})
    assert told["labels_needed"] > 0
    assert {part["value"] for part in told["by"]["region"]} == {"north", "south"}


def test_labels_say_the_same_as_verdicts(capsys: pytest.CaptureFixture[str]) -> None:
    records, wrong = made()
    selected(capsys, put("pool.jsonl", records), "--k", "60", "--out", "sel")
    by_label = estimated(capsys, filled("sel", wrong, column="label"))
    by_verdict = estimated(capsys, filled("sel", wrong))
    by_wrong = estimated(
        capsys, put("w.jsonl", [{"id": i, "wrong": w} for i, w in wrong.items()]), "--selection", "sel"
    )
    assert by_label["rate"] == by_verdict["rate"] == by_wrong["rate"]
    assert by_wrong["left_out"] == {NOT_SELECTED: 140}


def test_labels_in_memory(capsys: pytest.CaptureFixture[str]) -> None:
    records, wrong = made()
    found = curator.select(records, k=60)
    selected(capsys, put("pool.jsonl", records), "--k", "60", "--out", "sel", "--no-embedding")
    labels = {pick.case_id: float(wrong[pick.case_id]) for pick in found.picks}
    assert {pick["id"] for pick in rows("sel/selection.jsonl")} == labels.keys()
    told = curator.estimate(labels, selection=Path("sel"))
    assert told.estimate.rate == found.estimate(labels).rate


def test_scores_are_a_pool_too(capsys: pytest.CaptureFixture[str]) -> None:
    records, wrong = made()
    assert main(["score", put("pool.jsonl", records), "--out", "scores.jsonl"]) == 0
    capsys.readouterr()
    found = selected(capsys, "scores.jsonl", "--k", "40", "--out", "sel")
    assert found["selected"] == 40
    assert any("no vectors are available" in message for message in found["messages"])
    assert 0 < estimated(capsys, filled("sel", wrong))["rate"] < 1


def test_a_second_round_goes_on_from_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    records, wrong = made()
    pool = put("pool.jsonl", records)
    selected(capsys, pool, "--k", "40", "--out", "one")
    filled("one", wrong)
    second = selected(capsys, pool, "--k", "40", "--out", "two", "--after", "one")
    assert (second["stage"], second["selected"]) == (2, 40)
    before, after = ({pick["id"] for pick in rows(f"{name}/selection.jsonl")} for name in ("one", "two"))
    assert before < after
    assert len(after) == 80
    assert {row["case_id"] for row in rows("two/label_queue.jsonl")} == after - before
    told = estimated(capsys, filled("two", wrong))
    assert (told["labels"], told["missing"]) == (80, 0)
    assert told["low"] <= sum(wrong.values()) / 200 <= told["high"]


def test_a_round_after_other_cases_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    records, wrong = made()
    selected(capsys, put("pool.jsonl", records), "--k", "40", "--out", "one")
    filled("one", wrong)
    others = put("others.jsonl", [record | {"id": f"x{n}"} for n, record in enumerate(records)])
    assert "not in this pool" in refused(capsys, 2, "select", others, "--out", "two", "--after", "one")


def test_labels_that_are_missing_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    records, wrong = made()
    selected(capsys, put("pool.jsonl", records), "--k", "80", "--random-share", "1", "--out", "sel")
    queue = filled("sel", wrong, most=50)
    told = estimated(capsys, queue)
    assert (told["labels"], told["missing"]) == (50, 30)
    assert told["bounds"][0] < told["rate"] < told["bounds"][1]
    assert main(["estimate", queue]) == 0
    assert "30 of the selected cases without a label" in capsys.readouterr().out


def test_a_discovery_only_selection_tells_no_rate(capsys: pytest.CaptureFixture[str]) -> None:
    records, wrong = made()
    found = selected(capsys, put("pool.jsonl", records), "--k", "30", "--random-share", "0", "--out", "sel")
    assert any("no case was drawn at random" in message for message in found["messages"])
    assert "no case was drawn at random for an estimate" in refused(capsys, 2, "estimate", filled("sel", wrong))


def test_a_simple_random_sample_of_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    labels = put("labels.jsonl", [{"id": f"c{i}", "wrong": i < 10} for i in range(50)])
    told = estimated(capsys, labels, "--sample-of", "60")
    assert told["rate"] == pytest.approx(0.2)
    wide = estimated(capsys, labels, "--sample-of", "100000")
    assert wide["high"] - wide["low"] > told["high"] - told["low"]
    assert "more than the 20 cases" in refused(capsys, 2, "estimate", labels, "--sample-of", "20")


def test_free_text_needs_a_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    records, wrong = made(60, kind="text")
    selected(capsys, put("pool.jsonl", records), "--k", "30", "--out", "sel")
    queue = filled("sel", wrong, column="label")
    labelled = rows("sel/label_queue.jsonl")
    found = estimated(capsys, queue)
    other_words = sum(wrong[row["case_id"]] for row in labelled)
    assert (found["rate"], found["labels"], found["left_out"]) == (0, 30 - other_words, {FREE_TEXT: other_words})
    filled("sel", dict.fromkeys(wrong, True), column="label")
    assert FREE_TEXT in refused(capsys, 6, "estimate", queue)


def test_unsure_is_no_pass(capsys: pytest.CaptureFixture[str]) -> None:
    records, wrong = made()
    selected(capsys, put("pool.jsonl", records), "--k", "40", "--random-share", "1", "--out", "sel")
    queue = Path(filled("sel", wrong))
    with queue.open(encoding="utf-8-sig", newline="") as file:
        filled_in = list(csv.DictReader(file))
    judged = [{"id": row["case_id"], "verdict": row["verdict"]} for row in filled_in]
    judged[0]["verdict"] = "unsure"
    told = estimated(capsys, put("judged.jsonl", judged), "--selection", "sel")
    assert (told["labels"], told["missing"], told["left_out"]) == (39, 1, {UNSURE: 1})


def test_the_same_pool_and_seed_are_the_same_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    records, _ = made()
    pool, reverse = put("pool.jsonl", records), put("reverse.jsonl", records[::-1])
    for name, source, seed in (("one", pool, "1"), ("two", pool, "1"), ("three", pool, "2"), ("four", reverse, "1")):
        selected(capsys, source, "--k", "40", "--out", name, "--seed", seed)
    one, two, three, four = (Path(n, "selection.jsonl").read_bytes() for n in ("one", "two", "three", "four"))
    assert one == two == four
    assert one != three


@pytest.mark.parametrize(
    ("k", "expected", "message"),
    [("0", 0, "no case was drawn at random"), ("500", 50, "only 50 of 50 cases could be selected")],
)
def test_a_budget_of_nothing_and_one_larger_than_the_pool(
    capsys: pytest.CaptureFixture[str], k: str, expected: int, message: str
) -> None:
    found = selected(capsys, put("pool.jsonl", made(50)[0]), "--k", k, "--out", "sel")
    assert found["selected"] == expected
    assert any(message in said for said in found["messages"])


def test_everything_labelled_is_known_for_certain(capsys: pytest.CaptureFixture[str]) -> None:
    records, wrong = made(50)
    selected(capsys, put("pool.jsonl", records), "--k", "50", "--out", "sel")
    told = estimated(capsys, filled("sel", wrong))
    assert told["low"] == told["rate"] == told["high"] == pytest.approx(sum(wrong.values()) / 50)


@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_every_strategy_by_its_name(capsys: pytest.CaptureFixture[str], strategy: str) -> None:
    found = selected(capsys, put("pool.jsonl", made(60)[0]), "--k", "20", "--out", "sel", "--strategy", strategy)
    assert found["selected"] == 20


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["not json"] * 3, "lines cannot be read as cases; the first is pool.jsonl:1: not valid JSON"),
        (['{"id": "a", "disagreement": 2}'], "`disagreement` is 2"),
        (['{"id": "a"}'], "no list of answers to compare"),
        (['{"id": "a", "disagreement": 0.5}'] * 2, "1 id used more than once, such as 'a'"),
        ([], "0 of 0 lines cannot be read as cases"),
        (["[1]"], "expected an object"),
    ],
)
def test_a_bad_pool(capsys: pytest.CaptureFixture[str], lines: list[str], said: str) -> None:
    Path("pool.jsonl").write_text("\n".join(lines) + "\n")
    assert said in refused(capsys, 6, "select", "pool.jsonl")


def test_a_few_bad_lines_are_set_aside(capsys: pytest.CaptureFixture[str]) -> None:
    put("pool.jsonl", made(30)[0])
    with Path("pool.jsonl").open("a") as file:
        file.write("{broken\n")
    assert main(["select", "pool.jsonl", "--k", "10", "--quiet"]) == 0
    said = capsys.readouterr()
    assert "pool.jsonl:31: not valid JSON" in said.err
    assert "10 of 30 cases selected (1 line set aside)" in said.out


def test_what_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert "no such file" in refused(capsys, 6, "select", "nowhere.jsonl")
    labels = put("labels.jsonl", [{"id": "a", "wrong": True}])
    assert "holds no design.json" in refused(capsys, 2, "estimate", labels)
    assert "'nothing.csv': no such file" in refused(capsys, 6, "estimate", "nothing.csv")
    selected(capsys, put("pool.jsonl", made(30)[0]), "--k", "10", "--out", "sel")
    assert "hold no label yet" in refused(capsys, 6, "estimate", "sel/label_queue.csv")
    assert "cannot be told apart by 'colour'" in refused(
        capsys,
        2,
        "estimate",
        put("w.jsonl", [{"id": f"c{i}", "wrong": True} for i in range(30)]),
        "--selection",
        "sel",
        "--by",
        "colour",
    )


@pytest.mark.parametrize("name", ["design.json", "cases.jsonl", "selection.jsonl"])
def test_a_damaged_selection(capsys: pytest.CaptureFixture[str], name: str) -> None:
    records, wrong = made(40)
    selected(capsys, put("pool.jsonl", records), "--k", "20", "--out", "sel")
    queue = filled("sel", wrong)
    (Path("sel") / name).write_text("{broken\n")
    assert name in refused(capsys, main(["estimate", queue]), "estimate", queue)


def test_options_of_python() -> None:
    records, _ = made(40)
    options = SelectOptions(selection=SelectionConfig(k=10, random_share=1.0), seed=3)
    found = curator.select(records, options=options)
    assert {pick.slice for pick in found.picks} == {"random"}
    assert select(Path(put("p.jsonl", records)), Path("sel"), options=options).picks == found.picks
    with pytest.raises(Refused):
        found.estimate({})
    with pytest.raises(LogsError, match="record 2"):
        curator.select([records[0], {"id": "x"}])
    with pytest.raises(LogsError, match="record 1: no list of answers"):
        curator.select([{"id": "a", "generations": "a"}])
    with pytest.raises(LogsError, match="record 1: it cannot be written as JSON"):
        curator.select([{"id": "a", "disagreement": {0.5}}])
    with pytest.raises(ConfigError):
        curator.estimate({}, selection=Path("nowhere"))


def test_graded_labels_are_worth_no_more_than_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    scored = [{"id": f"c{n}", "disagreement": 0.5} for n in range(400)]
    selected(capsys, put("pool.jsonl", scored), "--k", "40", "--random-share", "1", "--out", "sel")
    graded = {f"c{n}": (0.45, 0.55)[n // 2 % 2] for n in range(400)}
    assert curator.estimate(graded, selection=Path("sel")).estimate.effective_sample_size < 60


@pytest.mark.parametrize("weight", [0, -1, 2.5, "3", True])
def test_a_weight_counts_records(capsys: pytest.CaptureFixture[str], weight: object) -> None:
    scored: list[Record] = [{"id": f"c{n}", "disagreement": 0.5, "weight": 2.0} for n in range(9)]
    odd = {"id": "odd", "disagreement": 0.5, "weight": weight, "labels": 5}
    assert selected(capsys, put("pool.jsonl", [*scored, odd]), "--k", "4", "--out", "sel")["set_aside"] == 1
    assert {row["weight"] for row in rows("sel/cases.jsonl")} == {2}


def test_what_the_fields_of_a_score_may_be(capsys: pytest.CaptureFixture[str]) -> None:
    odd = [{"id": 0, "disagreement": 0.5, "labels": 5, "kind": ["text"], "task": {"a": 1}, "category": 7}]
    scored = [{"id": n, "disagreement": 0.5, "labels": "ab"} for n in range(1, 9)]
    assert selected(capsys, put("pool.jsonl", [*odd, *scored]), "--k", "9", "--out", "sel")["selected"] == 9
    assert {tuple(row["labels"]) for row in rows("sel/selection.jsonl")} == {()}


def test_a_pool_that_no_committee_saw_has_a_rate(capsys: pytest.CaptureFixture[str]) -> None:
    unscored = [{"id": n, "disagreement": None} for n in range(40)]
    selected(capsys, put("pool.jsonl", unscored), "--k", "20", "--out", "sel")
    told = estimated(capsys, filled("sel", {str(n): n % 2 == 0 for n in range(40)}))
    assert (told["pool"], told["labels"], told["by"]) == (40, 20, {})


def test_labels_given_again_are_no_second_opinion(capsys: pytest.CaptureFixture[str]) -> None:
    records, wrong = made()
    pool = put("pool.jsonl", records)
    selected(capsys, pool, "--k", "60", "--out", "one")
    first = filled("one", wrong)
    selected(capsys, pool, "--k", "20", "--out", "two", "--after", "one")
    mended = {i: not failed for i, failed in wrong.items()}
    found = curator.estimate([filled("one", mended), filled("two", mended)], selection=Path("two"))
    assert found.agreement is None
    assert found.estimate.labels == 80
    assert found.estimate.rate == pytest.approx(curator.estimate(mended, selection=Path("two")).estimate.rate)
    assert first == "one/label_queue.csv"


def test_too_few_labels_of_a_sample(capsys: pytest.CaptureFixture[str]) -> None:
    labels = put("labels.jsonl", [{"id": n, "wrong": False} for n in range(2)])
    assert "too few labels for a rate: 2" in refused(capsys, 2, "estimate", labels, "--sample-of", "100")
    assert estimated(capsys, labels, "--sample-of", "2")["rate"] == 0


def test_a_pool_that_grew_is_no_pool_to_go_on_in(capsys: pytest.CaptureFixture[str]) -> None:
    records, wrong = made()
    selected(capsys, put("pool.jsonl", records[:199]), "--k", "40", "--out", "one")
    filled("one", wrong)
    said = refused(capsys, 2, "select", put("grown.jsonl", records), "--out", "two", "--after", "one")
    assert "'c199' was not in its pool" in said


@pytest.mark.parametrize("arguments", [(), ("--after", "sel")])
def test_labels_outlive_a_selection_into_their_folder(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    records, wrong = made()
    pool = put("pool.jsonl", records)
    selected(capsys, pool, "--k", "40", "--out", "sel")
    labels = Path(filled("sel", wrong)).read_bytes()
    found = selected(capsys, pool, "--k", "40", "--out", "sel", *arguments)
    assert Path("sel/labels/0001.csv").read_bytes() == labels
    assert "sel/labels/0001.csv: labels of an earlier label queue, archived" in found["messages"]


def test_labels_of_an_earlier_round_go_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    records, wrong = made()
    pool = put("pool.jsonl", records)
    selected(capsys, pool, "--k", "60", "--out", "one")
    filled("one", wrong)
    selected(capsys, pool, "--k", "20", "--out", "two", "--after", "one")
    assert Path("two/labels/earlier.jsonl").exists()
    selected(capsys, pool, "--k", "20", "--out", "two")
    assert not Path("two/labels/earlier.jsonl").exists()


def test_an_unknown_label_tool_leaves_the_labels_of_earlier_rounds(capsys: pytest.CaptureFixture[str]) -> None:
    records, wrong = made()
    pool = put("pool.jsonl", records)
    selected(capsys, pool, "--k", "60", "--out", "one")
    filled("one", wrong)
    selected(capsys, pool, "--k", "20", "--out", "two", "--after", "one")
    before = {path: path.read_bytes() for path in Path("two").rglob("*") if path.is_file()}
    unknown = SelectOptions(labelling=LabellingConfig(tools=("theirs",)))
    with pytest.raises(ConfigError, match="unknown label tool 'theirs'"):
        curator.select(pool, "two", k=20, options=unknown)
    assert {path: path.read_bytes() for path in Path("two").rglob("*") if path.is_file()} == before


def test_corrections_count_beside_the_labels_of_others(capsys: pytest.CaptureFixture[str]) -> None:
    records, wrong = made()
    mended = [
        record | ({"reference": "8", "reference_source": "correction"} if wrong[record["id"]] else {})
        for record in records
    ]
    selected(capsys, put("pool.jsonl", mended), "--k", "60", "--random-share", "1", "--out", "sel")
    few = estimated(capsys, filled("sel", wrong, most=25))
    assert (few["rate"], few["labels"], few["missing"]) == (0, 25, 35)
    assert few["left_out"] == {CORRECTED: 60 - len(rows("sel/label_queue.jsonl"))}
    assert few["bounds"][1] > 0.5
    every = estimated(capsys, filled("sel", wrong))
    assert (every["labels"], every["missing"], every["left_out"]) == (60, 0, {})
    assert every["rate"] == pytest.approx(sum(wrong.values()) / 200, abs=0.08)


def test_a_pool_that_was_changed_since_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    records, wrong = made(40)
    selected(capsys, put("pool.jsonl", records), "--k", "20", "--out", "sel")
    queue = filled("sel", wrong)
    put("sel/cases.jsonl", [row | {"weight": 7} for row in rows("sel/cases.jsonl")])
    assert "not the pool that the cases were drawn from" in refused(capsys, 2, "estimate", queue)


def test_how_far_people_agree_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    records, wrong = made()
    selected(capsys, put("pool.jsonl", records), "--k", "40", "--out", "sel")
    picked = [row["id"] for row in rows("sel/selection.jsonl")]
    judged = [
        {"case_id": i, "verdict": "fail" if wrong[i] else "pass", "labelled_by": who} for i in picked for who in "ab"
    ]
    told = estimated(capsys, put("judged.jsonl", judged), "--selection", "sel")
    assert (told["labels"], told["agreement"]["cases"], told["agreement"]["agreed"]["value"]) == (40, 40, 1.0)
    assert main(["estimate", "judged.jsonl", "--selection", "sel"]) == 0
    assert "40 cases" in capsys.readouterr().out


def test_a_pool_of_scores_leaves_the_explanations_in_their_file() -> None:
    record = {"id": "a", "disagreement": 0.5, "kind": "json", "fields": {"item": 0.5}, "estimators": {"spread": 0.1}}
    assert pool_of([record], scoring=Scoring()).cases[0].score == Score(
        "a", 0.5, None, None, None, "json", "", None, None, 0
    )


def test_a_folder_is_the_selection_and_its_queues_are_the_labels(capsys: pytest.CaptureFixture[str]) -> None:
    records, wrong = made()
    selected = curator.select(records, "sel", k=60)
    with pytest.raises(LogsError, match="the files hold no label yet"):
        curator.estimate("sel")
    expected = curator.estimate(filled("sel", wrong)).to_dict()
    assert curator.estimate("sel").to_dict() == curator.estimate(Path("sel")).to_dict() == expected
    assert curator.estimate(selected).to_dict() == expected
    assert main(["estimate", "sel", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rate"] == expected["rate"]
    with pytest.raises(ConfigError, match="not written to a folder"):
        curator.estimate(curator.select(records, k=60))
    for queue in Path("sel").glob("label_queue.*"):
        queue.unlink()
    with pytest.raises(LogsError, match="'sel' holds no label queue"):
        curator.estimate("sel")


def test_labels_in_memory_of_other_cases_are_counted() -> None:
    records, wrong = made()
    selected = curator.select(records, k=60)
    labels = {pick.case_id: wrong[pick.case_id] for pick in selected.picks}
    result = curator.estimate({**labels, "x": True, "y": False}, selection=selected)
    assert result.left_out == {NOT_SELECTED: 2}
    assert result.estimate.rate == curator.estimate(labels, selection=selected).estimate.rate
    with pytest.raises(LogsError, match="none of the labels can be used; 2 are left out"):
        curator.estimate({"x": True, "y": False}, selection=selected)


@pytest.mark.parametrize(
    ("labels", "population", "message"),
    [
        ({}, 100, "no label was given"),
        ({"a": "fail"}, 100, "the label of case 'a' is 'fail'"),
        ({"a": None}, 100, "the label of case 'a' is None"),
        ({"a": float("nan")}, 100, "the label of case 'a' is nan"),
        ({"a": True}, float("nan"), "`population` is nan"),
        ({"a": True}, "100", "`population` is '100'"),
        ({"a": True, "b": False}, 1, "2 labels are more than the 1 case"),
    ],
)
def test_a_simple_sample_in_memory_that_does_not_fit_is_refused(labels: Any, population: Any, message: str) -> None:
    with pytest.raises(curator.UserError, match=message) as refused:
        curator.estimate(labels, population=population)
    assert "file" not in str(refused.value)


def test_a_misleading_score_gives_discovery_to_the_inputs(capsys: pytest.CaptureFixture[str]) -> None:
    """The committee shares the misconception: it agrees where production fails."""
    records, wrong = made()
    misled = {case_id: not fails for case_id, fails in wrong.items()}
    pool = put("pool.jsonl", records)
    selected(capsys, pool, "--k", "60", "--out", "one")
    filled("one", misled)
    second = selected(capsys, pool, "--k", "40", "--after", "one", "--out", "two")
    assert second["by_slice"] == {"random": 12, "disagreement": 0, "diversity": 28}
    assert second["score_quality"]["pooled"]["verdict"] == "not better than chance"
    assert any("not better than chance: 28 discovery picks" in warning for warning in second["warnings"])
    filled("two", misled)
    told = estimated(capsys, "two/label_queue.csv")
    assert told["low"] <= sum(misled.values()) / 200 <= told["high"]
    assert told["score_quality"]["pooled"]["labels"] == 100
    assert told["score_quality"]["pooled"]["verdict"] == "not better than chance"
    assert main(["estimate", "two/label_queue.csv"]) == 0
    assert "score         The score is not better than chance: AUROC 0." in capsys.readouterr().out


def test_the_next_round_spends_discovery_by_the_failures_so_far(capsys: pytest.CaptureFixture[str]) -> None:
    records, wrong = made()
    pool = put("pool.jsonl", records)
    selected(capsys, pool, "--k", "60", "--out", "one")
    filled("one", wrong)
    assert main(["select", pool, "--k", "40", "--after", "one", "--out", "two", "--quiet"]) == 0
    text = capsys.readouterr().out
    assert "1 by diversity alone" in text
    assert "The score ranks failures above passes better than chance: AUROC" in text
    assert "Failures so far:" in text
    by_slice = [pick["slice"] for pick in rows("two/selection.jsonl") if pick["stage"] == 2]
    assert (by_slice.count("diversity"), by_slice.count("disagreement")) == (1, 27)
    drawn = [pick for pick in rows("two/selection.jsonl") if pick["stage"] == 2 and pick["slice"] == "random"]
    # 200 cases less 60 of the first round and 28 of discovery are represented by the drawn ones.
    assert sum(1 / pick["inclusion_probability"] for pick in drawn) == pytest.approx(112)
