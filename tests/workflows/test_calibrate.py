"""`curator calibrate`: what it makes of labels, what it says of bad ones, and what a fit does to scores and runs."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

import curator
from curator.cli import main
from curator.config import parse_config
from curator.disagreement.calibration import Calibration, Term
from curator.disagreement.score import DEFAULT, SCORER
from curator.errors import ConfigError, LogsError
from curator.labels.read import read_labels
from curator.workflows.calibrate import TOO_FEW_ANSWERS, in_words
from curator.workflows.labelled_records import FREE_TEXT, HALF_RIGHT, RANDOM_ONLY, UNKNOWN_ID, UNREADABLE_LABEL
from curator.workflows.pool import pool_of
from curator.workflows.run import run
from curator.workflows.score import Scoring

Record = dict[str, Any]


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def made(count: int = 120) -> tuple[list[Record], dict[str, bool]]:
    """Half of the targets are wrong; `good` knows which with a chance of .9, two others say what they like."""
    drawn, records, wrong = Random(0), [], {}
    for i in range(count):
        fails = drawn.random() < 0.5
        told = fails if drawn.random() < 0.9 else not fails
        says = {"good": told, "noisy": drawn.random() < 0.5, "noisier": drawn.random() < 0.5}
        answers = [{"text": "8" if against else "7", "model": member} for member, against in says.items()]
        records.append({"id": f"c{i}", "input": "?", "kind": "number", "target": "7", "generations": answers})
        wrong[f"c{i}"] = fails
    return records, wrong


def put(name: str, rows: list[Record]) -> str:
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return name


def calibrated(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict[str, Any]:
    assert main(["calibrate", *arguments, "--json"]) == code
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def refused(capsys: pytest.CaptureFixture[str], code: int, *arguments: str) -> str:
    assert main(list(arguments)) == code
    said = capsys.readouterr().err
    assert said.startswith("curator: ")
    assert "\n  -> " in said
    return said


def rows(name: str | Path) -> list[Record]:
    return [json.loads(line) for line in Path(name).read_text().splitlines()]


def a_fit(**changes: Any) -> Calibration:
    """A fit that goes by one member of the test's committee."""
    known: dict[str, Any] = {
        "scorer": SCORER, "cases": 300, "failures": 90, "intercept": -1.0,
        "terms": (Term("by m/careful", 0.5, 0.5, 0.0), Term("by m/plain", 0.5, 0.5, 2.0)),
        "default_auroc": 0.7, "fitted_auroc": 0.75, "gain": 0.05, "low": 0.02, "high": 0.08, "length_auroc": 0.5,
    }  # fmt: skip
    return Calibration(**{**known, **changes})


def test_verdicts_in_a_file_fit_the_score_and_scores_go_by_it(capsys: pytest.CaptureFixture[str]) -> None:
    records, wrong = made()
    recorded = put("recorded.jsonl", records)
    labels = put("labels.jsonl", [{"id": i, "wrong": fails} for i, fails in wrong.items()])
    assert main(["calibrate", recorded, "--labels", labels, "--out", "fit.json"]) == 0
    said = capsys.readouterr().out
    for part in ("120 used", f"{sum(wrong.values())} failures", "AUROC default", "AUROC fitted", "AUROC length",
                 "95% interval", "good contradicts the answer in question", "used: the fitted score ranks", "fit.json"):  # fmt: skip
        assert part in said
    assert main(["score", recorded, "--out", "plain.jsonl"]) == 0
    assert main(["score", recorded, "--out", "fitted.jsonl", "--calibration", "fit.json"]) == 0
    assert "warning" not in capsys.readouterr().err
    plain, fitted = rows("plain.jsonl"), rows("fitted.jsonl")
    assert {score["scorer"] for score in fitted} == {"calibrated/2"}
    assert [s["disagreement"] for s in fitted] != [s["disagreement"] for s in plain]
    assert [s["against_target"] for s in fitted] == [s["against_target"] for s in plain]
    unanimous = [s["disagreement"] for s in fitted if s["agreement"] == 1 and s["against_target"] == 0]
    assert unanimous
    assert min(unanimous) > 0


def test_tasks_of_a_file_get_fits_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    """The answers say little, and one task fails much more often than the other."""
    drawn, records, labels = Random(5), [], []
    for n in range(300):
        task, share = ("orders", 0.1) if n % 2 else ("refunds", 0.8)
        fails = drawn.random() < share
        answers = [{"text": "8" if drawn.random() < 0.5 + 0.1 * fails else "7", "model": m} for m in "ab"]
        records.append(
            {"id": f"c{n}", "input": "?", "kind": "number", "target": "7", "task": task, "generations": answers}
        )
        labels.append({"id": f"c{n}", "wrong": fails})
    recorded = put("recorded.jsonl", [*records, {**records[0], "id": "new", "task": "unseen"}])
    assert main(["calibrate", recorded, "--labels", put("labels.jsonl", labels), "--out", "fit.json"]) == 0
    said = capsys.readouterr().out
    assert "within tasks" in said
    assert "orders (150 labels)" in said
    assert main(["score", recorded, "--out", "fitted.jsonl", "--calibration", "fit.json"]) == 0
    fitted = {score["id"]: score["disagreement"] for score in rows("fitted.jsonl")}
    refunds, orders = ([fitted[f"c{n}"] for n in range(first, 300, 2)] for first in (0, 1))
    assert min(refunds) > max(orders)
    assert max(orders) < fitted["new"] < fitted["c0"]
    assert [s.disagreement for s in curator.score(rows(recorded), calibration="fit.json")] == list(fitted.values())
    pool = pool_of(rows(recorded), scoring=Scoring(formula=curator.load_calibration("fit.json") or DEFAULT))
    assert [item.score.disagreement for item in pool.cases] == list(fitted.values())


def test_python_and_the_command_fit_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    records, wrong = made()
    fit = curator.calibrate(records, wrong).calibration
    assert fit is not None
    labels = put("labels.jsonl", [{"id": i, "wrong": fails} for i, fails in reversed(wrong.items())])
    found = calibrated(capsys, put("r.jsonl", records), "--labels", labels, "--out", "fit.json")
    assert curator.load_calibration("fit.json") == fit
    assert found["fit"]["gain"] == fit.gain
    assert found["verdict"] == "used"
    scores = curator.score(records, calibration=fit)
    assert {score.scorer for score in scores} == {"calibrated/2"}
    curator.save_calibration(fit, "again.json")
    assert Path("again.json").read_bytes() == Path("fit.json").read_bytes()


def test_a_fit_without_a_gain_leaves_the_default_score(capsys: pytest.CaptureFixture[str]) -> None:
    records, wrong = made()
    shuffled = list(wrong.values())
    Random(1).shuffle(shuffled)
    labels = put("labels.jsonl", [{"id": i, "wrong": w} for i, w in zip(wrong, shuffled, strict=True)])
    recorded = put("r.jsonl", records)
    assert main(["calibrate", recorded, "--labels", labels, "--out", "fit.json"]) == 0
    assert "no gain: the default score stays" in capsys.readouterr().out
    assert main(["score", recorded, "--out", "s.jsonl", "--calibration", "fit.json"]) == 0
    assert "showed no gain: the default score is used" in capsys.readouterr().err
    assert {score["scorer"] for score in rows("s.jsonl")} == {SCORER}
    fit = curator.load_calibration("fit.json")
    assert fit is not None
    assert {score.scorer for score in curator.score(records, calibration=fit)} == {SCORER}


def test_too_few_labels_are_no_error_and_the_file_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    records, wrong = made(30)
    recorded = put("r.jsonl", records)
    labels = put("labels.jsonl", [{"id": i, "wrong": fails} for i, fails in wrong.items()])
    assert main(["calibrate", recorded, "--labels", labels, "--out", "fit.json"]) == 0
    failures = sum(wrong.values())
    assert f"not enough data: {failures} failures and {30 - failures} passes, 20 of each" in capsys.readouterr().out
    assert curator.load_calibration("fit.json") is None
    assert main(["score", recorded, "--out", "s.jsonl", "--calibration", "fit.json", "--json"]) == 0
    assert "there were too few labels" in json.loads(capsys.readouterr().out)["warnings"][0]
    assert curator.calibrate(records, wrong).calibration is None


def test_one_class_alone_is_not_enough(capsys: pytest.CaptureFixture[str]) -> None:
    records, wrong = made()
    labels = put("labels.jsonl", [{"id": i, "wrong": False} for i in wrong])
    assert main(["calibrate", put("r.jsonl", records), "--labels", labels]) == 0
    assert "0 failures and 120 passes" in capsys.readouterr().out


def test_labels_are_compared_with_the_target_or_else_with_the_majority(capsys: pytest.CaptureFixture[str]) -> None:
    records, wrong = made()
    labelled = [{**r, "reference": "8.0" if wrong[r["id"]] else "seven" if i % 2 else 7} for i, r in enumerate(records)]
    assert calibrated(capsys, put("a.jsonl", labelled))["failures"] == sum(wrong.values())
    for record in labelled:
        del record["target"]
    said = {r["id"]: sum(g["text"] == "8" for g in r["generations"]) >= 2 for r in labelled}
    expected = sum(said[i] != wrong[i] for i in wrong)
    assert calibrated(capsys, put("b.jsonl", labelled))["failures"] == expected


def test_labels_by_text_come_from_csv_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    records, wrong = made()
    lines = ["case_id;label;slice", *(f"{i};{8 if w else 7};random" for i, w in wrong.items()), "c0;;"]
    Path("labels.csv").write_text("\n".join(lines) + "\n")
    found = calibrated(capsys, put("r.jsonl", records), "--labels", "labels.csv")
    assert (found["labels"], found["failures"], found["verdict"]) == (120, sum(wrong.values()), "used")


def test_what_is_not_used_is_counted_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    records, wrong = made()
    records[0] |= {"kind": "text"}
    records[1] |= {"generations": ["7"]}
    labels: list[Record] = [{"id": i, "wrong": w} for i, w in wrong.items()]
    labels[0] = {"id": "c0", "label": "in other words"}
    labels[2] = {"id": "c2", "label": "no idea"}
    labels[3]["slice"] = "disagreement"
    labels[4] = {"id": "elsewhere", "wrong": True}
    found = calibrated(capsys, put("r.jsonl", records), "--labels", put("l.jsonl", labels))
    assert found["left_out"] == dict.fromkeys(
        (FREE_TEXT, TOO_FEW_ANSWERS, UNREADABLE_LABEL, RANDOM_ONLY, UNKNOWN_ID), 1
    )
    assert found["labels"] == 115
    assert found["problems"] == [f"l.jsonl:5: {UNKNOWN_ID}: 'elsewhere' -> use the `id` of the recorded file"]


def test_free_text_counts_where_the_verdict_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    records, wrong = made()
    texts = [{**r, "kind": "text"} for r in records]
    labels = put("l.jsonl", [{"id": i, "wrong": w, "label": "whatever"} for i, w in wrong.items()])
    assert calibrated(capsys, put("r.jsonl", texts), "--labels", labels)["labels"] == 120


@pytest.mark.parametrize(
    ("second", "part"),
    [
        ('{"id": "c0", "wrong": "perhaps"}', "`wrong` is 'perhaps'"),
        ('{"wrong": true}', "no `case_id` (or `id`) among the keys 'wrong'"),
        ('{"id": "c1", "wrong": true}', "another verdict for 'c1' than at l.jsonl:1"),
        ("{broken", "invalid JSON"),
        ('{"id": "c0", "verdict": "pass", "wrong": true}', "the verdict 'pass' contradicts `wrong: true`"),
        ('{"id": "c0", "verdict": 0.2, "wrong": false}', "the verdict '0.2' contradicts `wrong: false`"),
    ],
)
def test_a_bad_row_is_told_with_its_line_and_costs_itself_alone(
    second: str, part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    records, wrong = made()
    good = [json.dumps({"id": i, "wrong": w}) for i, w in wrong.items() if i not in ("c0", "c1")]
    Path("l.jsonl").write_text("\n".join(['{"id": "c1", "wrong": false}', second, *good]))
    assert main(["calibrate", put("r.jsonl", records), "--labels", "l.jsonl"]) == 0
    captured = capsys.readouterr()
    assert f"l.jsonl:2: {part}" in captured.err
    assert "\n  -> " in captured.err
    assert f"{118 if 'another' in part else 119} used" in captured.out


def test_a_tie_is_neither_a_pass_nor_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    records, wrong = made()
    people = [{"id": "c0", "verdict": verdict, "labelled_by": by} for by, verdict in (("ana", "pass"), ("ben", "fail"))]
    others = [{"id": i, "wrong": w} for i, w in wrong.items() if i not in ("c0", "c1")]
    labels = put("l.jsonl", [*people, {"id": "c1", "verdict": 0.5}, *others])
    result = curator.calibrate(records, labels)
    assert (result.labels, result.left_out) == (118, {HALF_RIGHT: 2})
    assert result.warnings == (f"2 labels not used: {HALF_RIGHT}",)
    assert main(["calibrate", put("r.jsonl", records), "--labels", labels]) == 0
    assert "2 labels not used" in capsys.readouterr().err


def test_one_verdict_with_two_labels_is_one_verdict_and_the_labels_are_set_aside(
    capsys: pytest.CaptureFixture[str],
) -> None:
    records, _ = made()
    labels: list[Record] = [{"id": "c0", "wrong": True, "label": label} for label in ("eight", "8")]
    labels += [{"id": f"c{i}", "wrong": True} for i in range(1, 10)]
    found = calibrated(capsys, put("r.jsonl", records), "--labels", put("l.jsonl", labels))
    assert found["labels"] == 10
    assert [problem.partition(" -> ")[0] for problem in found["problems"]] == [
        "l.jsonl:2: another label for 'c0' than at l.jsonl:1"
    ]


def test_many_bad_rows_end_with_6_and_are_not_all_printed(capsys: pytest.CaptureFixture[str]) -> None:
    records, wrong = made()
    bad: list[Record] = [{"id": i, "wrong": "?"} for i in wrong]
    labels = put("l.jsonl", [*bad[:60], *({"id": f"c{i}", "wrong": wrong[f"c{i}"]} for i in range(60, 120))])
    assert main(["calibrate", put("r.jsonl", records), "--labels", labels]) == 6
    assert "l.jsonl: 60 records: `wrong` is '?' (at 1-60)" in capsys.readouterr().err
    assert len(calibrated(capsys, "r.jsonl", "--labels", labels, code=6)["problems"]) == 60


def test_what_cannot_be_calibrated_by_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    records, _ = made()
    recorded = put("r.jsonl", records)
    assert "no label to calibrate with" in refused(capsys, 6, "calibrate", recorded)
    assert "no such file" in refused(capsys, 6, "calibrate", "nowhere.jsonl")
    assert "no such file" in refused(capsys, 6, "calibrate", recorded, "--labels", "nowhere.jsonl")
    open_ones = put("open.jsonl", [{"id": "c0", "label": ""}])
    assert "hold no label yet" in refused(capsys, 6, "calibrate", recorded, "--labels", open_ones)
    bad = put("bad.jsonl", [{"id": "c0", "wrong": "?"}])
    assert "bad.jsonl:1: `wrong` is '?'" in refused(capsys, 6, "calibrate", recorded, "--labels", bad)
    strange = put("strange.jsonl", [{"id": "x", "wrong": True}])
    assert "no such case among the records: 'x'" in refused(capsys, 6, "calibrate", recorded, "--labels", strange)
    Path("l.csv").write_text("id,remark\nc0,true\n")
    assert "no column 'verdict' or 'wrong' or 'label'" in refused(capsys, 6, "calibrate", recorded, "--labels", "l.csv")
    Path("l.csv").write_text("name_of_it,wrong\nc0,true\n")
    assert "no column 'case_id' or 'id'" in refused(capsys, 6, "calibrate", recorded, "--labels", "l.csv")
    twice = put("twice.jsonl", [*records, records[0]])
    said = refused(capsys, 6, "calibrate", twice, "--labels", put("l.jsonl", [{"id": "c0", "wrong": True}]))
    assert "1 id used more than once, such as 'c0'" in said
    Path("junk.jsonl").write_text("junk\n" * 3)
    assert "3 of 3 lines cannot be read as records; the first is junk.jsonl:1" in refused(
        capsys, 6, "calibrate", "junk.jsonl"
    )
    Path("empty").mkdir()
    assert "recorded.jsonl': no such file" in refused(capsys, 6, "calibrate", "empty")


def test_python_refuses_what_does_not_fit() -> None:
    records, wrong = made(5)
    with pytest.raises(LogsError, match="no such case among the records: 'x'"):
        curator.calibrate(records, {**wrong, "x": True})
    with pytest.raises(LogsError, match="more than once"):
        curator.calibrate([*records, *records], wrong)
    with pytest.raises(LogsError, match="record 1: no list of answers"):
        curator.calibrate([{}], {})


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"version": 3}, "`version` is 3"),
        ({"score": "calibrated/0"}, "`score` is 'calibrated/0'"),
        ({"fit": None}, "damaged"),
        ({"fit.scorer": "committee/1"}, "measured against the score 'committee/1'"),
        ({"fit.low": "much"}, "damaged (`fit.low`"),
        ({"fit.terms": [{"signal": "by m", "mean": 0.0, "scale": 0.0, "weight": 1.0}]}, "a `scale` is not above 0"),
        ({"fit.terms": [{"signal": "magic", "mean": 0.0, "scale": 1.0, "weight": 1.0}]}, "no signal 'magic'"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_with_the_remedy(change: dict[str, Any], part: str) -> None:
    curator.save_calibration(a_fit(), "fit.json")
    content = json.loads(Path("fit.json").read_text())
    for key, value in change.items():
        inside = content["fit"] if key.startswith("fit.") else content
        inside[key.removeprefix("fit.")] = value
    Path("fit.json").write_text(json.dumps(content))
    with pytest.raises(ConfigError) as refusal:
        curator.load_calibration("fit.json")
    assert part in str(refusal.value)
    assert "curator calibrate" in refusal.value.remedy


def test_a_file_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    recorded = put("r.jsonl", made(3)[0])
    assert "cannot be read" in refused(capsys, 2, "score", recorded, "--calibration", "nowhere.json")
    Path("cut.json").write_text('{"version": 1, "fi')
    assert "damaged (not valid JSON" in refused(capsys, 2, "score", recorded, "--calibration", "cut.json")
    Path("list.json").write_text("[]")
    assert "no `version`" in refused(capsys, 2, "score", recorded, "--calibration", "list.json")


def test_a_fit_of_another_committee_or_comparer_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    records, _ = made()
    curator.save_calibration(a_fit(scorer=f"{SCORER}+embedding(x)"), "fit.json")
    assert main(["score", put("r.jsonl", records), "--out", "s.jsonl", "--calibration", "fit.json", "--json"]) == 0
    gone, new, compared = json.loads(capsys.readouterr().out)["warnings"]
    assert "was fitted to members that are not here: m/careful, m/plain" in gone
    assert "does not know: good, noisier, noisy" in new
    assert "answers compared by embedding(x), but here they are compared by words" in compared


def test_signals_in_words() -> None:
    assert in_words("by ") == "the committee contradicts the answer in question"
    assert in_words("words") == "the length of the answers"


def do(job: dict[str, Any], encoder: Any, out: str, **options: Any) -> Any:
    return run(parse_config(job), out=out, encoder=encoder, environ={}, **options)


def test_a_run_ranks_by_a_fit_and_says_what_its_score_is(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path
) -> None:
    curator.save_calibration(a_fit(), "fit.json")
    plain = do(job, encoder, "plain")
    fitted = do(job | {"calibration": "fit.json"}, encoder, "fitted")
    assert (plain.summary.calibration, fitted.warnings) == (None, ())
    assert fitted.summary.disagreement.scorers == ("calibrated/2",)
    assert fitted.summary.blind == plain.summary.blind
    by_id = {row["id"]: row["disagreement"] for row in rows("plain/cases.jsonl")}
    assert all(by_id[row["id"]] != row["disagreement"] for row in rows("fitted/cases.jsonl"))
    manifest = json.loads(Path("fitted/manifest.json").read_text())
    assert manifest["calibration"]["verdict"] == "used"
    assert manifest["calibration"]["used"] is True
    assert len(manifest["calibration"]["sha256"]) == 64
    assert json.loads(Path("plain/manifest.json").read_text())["calibration"] is None
    for report in ("fitted/report.md", "fitted/report.html"):
        said = Path(report).read_text()
        assert "a fitted probability that the answer fails" in said
        assert "n=300 labelled cases" in said
        assert "+0.050" in said
    assert "fitted score" not in Path("plain/report.md").read_text()


@pytest.mark.parametrize(
    ("fit", "verdict", "part"),
    [(a_fit(low=-0.01), "no gain", "showed no gain"), (None, "not enough data", "too few labels")],
)
def test_a_run_keeps_the_default_where_there_is_no_gain(
    fit: Calibration | None, verdict: str, part: str,
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path,
) -> None:  # fmt: skip
    curator.save_calibration(fit, "fit.json")
    result = do(job | {"calibration": "fit.json"}, encoder, "out")
    assert result.summary.disagreement.scorers == (SCORER,)
    assert ["the default score is used" in warning for warning in result.warnings] == [True]
    assert json.loads(Path("out/manifest.json").read_text())["calibration"]["verdict"] == verdict
    assert part in Path("out/report.md").read_text()


def test_a_missing_fit_stops_a_run_before_anything_is_asked(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path
) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.json"):
        do(job | {"calibration": "nowhere.json"}, encoder, "out")
    with pytest.raises(ConfigError, match=r"nowhere\.json"):
        curator.plan(parse_config(job | {"calibration": "nowhere.json"}))
    assert endpoint.bodies == []


def test_a_cascade_and_a_fit_do_not_go_together(job: dict[str, Any]) -> None:
    job["committee"]["adaptive"] = {}
    with pytest.raises(ConfigError, match="calibration"):
        parse_config(job | {"calibration": "fit.json"})


def test_the_path_in_a_config_is_its_folder_s(job: dict[str, Any]) -> None:
    Path("jobs").mkdir()
    Path("jobs/job.yaml").write_text(json.dumps(job | {"calibration": "fit.json"}))
    assert curator.load_config("jobs/job.yaml").calibration == "jobs/fit.json"


def test_of_a_run_only_labels_of_the_random_slice_are_used(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    do(job, encoder, "out")
    corrected = sum("reference" in row for row in rows("out/recorded.jsonl"))
    assert corrected
    with Path("out/label_queue.csv").open(encoding="utf-8-sig", newline="") as file:
        queue = [row | {"label": "billing"} for row in csv.DictReader(file)]
    with Path("out/label_queue.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, queue[0])
        writer.writeheader()
        writer.writerows(queue)
    drawn = sum(row["slice"] == "random" for row in queue)
    assert 0 < drawn < len(queue)
    waiting = calibrated(capsys, "out")
    do(job, encoder, "out")
    read_in = calibrated(capsys, "out")
    for found in (waiting, read_in):
        assert found["verdict"] == "not enough data"
        assert found["labels"] == drawn
        assert found["left_out"] == {RANDOM_ONLY: len(queue) - drawn + corrected}
    sources = {(row.get("reference_source"), row.get("reference_slice")) for row in rows("out/recorded.jsonl")}
    assert sources == {("label", "random"), ("label", "disagreement"), ("correction", None), (None, None)}
    for row in queue:
        del row["slice"]
    put("out/label_queue.jsonl", queue)
    assert calibrated(capsys, "out")["labels"] == drawn  # the archived queue says how these were chosen
    for with_slices in (*Path("out/labels").iterdir(), Path("out/label_queue.csv")):
        with_slices.unlink()
    assert calibrated(capsys, "out")["labels"] == 0  # nothing says it


def test_verdicts_of_a_run_are_labels_before_and_after_it_reads_them(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    do(job, encoder, "out")
    with Path("out/label_queue.csv").open(encoding="utf-8-sig", newline="") as file:
        said = ("fail", "0.5", "pass", "0.8", "unsure")
        queue = [row | {"verdict": said[n % 5]} for n, row in enumerate(csv.DictReader(file))]
    with Path("out/label_queue.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, queue[0])
        writer.writeheader()
        writer.writerows(queue)
    drawn = [row["verdict"] for row in queue if row["slice"] == "random" and row["verdict"] not in {"unsure", "0.5"}]
    expected = (len(drawn), drawn.count("fail"))
    assert 0 < expected[1] < expected[0]
    waiting = calibrated(capsys, "out")
    do(job, encoder, "out")
    read_in = calibrated(capsys, "out")
    for found in (waiting, read_in):
        assert (found["labels"], found["failures"]) == expected


def test_stars_are_no_verdicts() -> None:
    stars = put("stars.jsonl", [{"id": "a", "verdict": 1}, {"id": "b", "verdict": 5}, {"id": "c", "verdict": "pass"}])
    found = read_labels([stars])
    assert found.failures == {"c": 0}
    assert len(found.rejected) == 2


def test_labels_in_memory_are_checked_in_their_own_words() -> None:
    records, _ = made(5)
    with pytest.raises(LogsError, match="no label was given") as none:
        curator.calibrate(records, {})
    assert "by case id" in none.value.remedy
    with pytest.raises(ConfigError, match="the label of case 'c0' is 'fail'"):
        curator.calibrate(records, {"c0": "fail"})  # type: ignore[dict-item]


def test_the_result_is_saved_as_its_fit() -> None:
    """`calibrate` returned the fit itself once."""
    records, wrong = made()
    result = curator.calibrate(records, wrong)
    curator.save_calibration(result, "result.json")
    curator.save_calibration(result.calibration, "fit.json")
    assert Path("result.json").read_bytes() == Path("fit.json").read_bytes()
    with pytest.warns(DeprecationWarning, match="`better` is now"):
        assert result.better is (result.verdict == "used")


def test_the_result_of_a_run_is_scored_and_calibrated_as_its_folder(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path
) -> None:
    result = run(parse_config(job), out=Path("out"), encoder=encoder, environ={})
    assert curator.score(result).to_dict() == curator.score("out").to_dict()
    labels = dict.fromkeys([row["id"] for row in rows("out/recorded.jsonl")][:4], True)
    assert curator.calibrate(result, labels).to_dict() == curator.calibrate("out", labels).to_dict()
    with pytest.raises(ConfigError, match="records are needed, but a int was given"):
        curator.score(7)  # type: ignore[arg-type]


def test_a_record_in_memory_that_does_not_fit_is_rejected_as_in_a_file() -> None:
    records, _ = made(20)
    result = curator.score([{"id": "bad"}, *records, {"id": {1}}])
    assert (result.scored, result.set_aside, result.exit_code) == (20, 2, 0)
    assert [str(row.source) for row in result.rejected] == ["records:1", "records:22"]
    assert result.scores == curator.score(records).scores
    assert curator.score([{"id": "bad"}]).exit_code == 6
