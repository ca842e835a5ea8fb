"""The loop: what each call does, what is frozen, what is refused, and that a killed loop goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from curator.config import Config, parse_config
from curator.errors import ConfigError
from curator.io import atomic
from curator.run_folder import loop_folder as files
from curator.run_folder.loop_folder import loop_folder
from curator.selection.smoothing import smoothed
from curator.state.paths import REGISTRY_NAME
from curator.state.registry import HeldOutRegistry
from curator.trainers import student
from curator.workflows.compare import compare_files
from curator.workflows.loop import loop, loop_status
from tests.conftest import HashingEncoder
from tests.workflows.loop_kit import WORDS, label_round, loop_job, picks_of, write_pool, write_truth

FROZEN = ("picks.jsonl", "labels.jsonl", "training.jsonl", "predictions.jsonl", "before.jsonl")


@pytest.fixture
def topics(tmp_path: Path) -> dict[str, str]:
    return write_pool(tmp_path)


def turn(config: Any, encoder: Any, **options: Any) -> Any:
    return loop(config, encoder=encoder, environ={}, **options)


def test_the_first_call_draws_the_held_out_set_and_the_seed(tmp_path: Path, topics: Any, encoder: Any) -> None:
    config = parse_config(loop_job(tmp_path))
    result = turn(config, encoder)
    picks = picks_of(config, 0)
    held_out = [pick for pick in picks if pick.split == "eval"]
    assert (len(held_out), len(picks)) == (60, 68)
    assert {pick.slice for pick in held_out} == {"random"}
    assert 0 < held_out[0].inclusion_probability < 1
    assert result.waiting is not None
    assert (result.waiting.missing, result.rounds) == (68, ())
    assert "60 held-out cases" in result.power
    folder = loop_folder(config).round(0)
    assert {"label.html", "label_queue.csv", "label_queue.xlsx"} <= {path.name for path in folder.iterdir()}
    assert "0 of 68 labels have come back" in result.to_text()


def test_the_power_counts_near_duplicates_once(tmp_path: Path, topics: Any, encoder: Any) -> None:
    config = parse_config(loop_job(tmp_path))
    first = turn(config, encoder)
    assert first.power.startswith("60 held-out cases can tell")
    pool = loop_folder(config).pool
    rows = [orjson.loads(line) for line in pool.read_bytes().splitlines()]
    pool.write_bytes(b"\n".join(orjson.dumps(row | {"group": row["target"]}) for row in rows))
    groups = {row["target"] for row in rows}
    assert turn(config, encoder).power.startswith(f"The 60 held-out cases count as {len(groups)}, as near-duplicates")


def test_a_turn_trains_measures_and_chooses_the_next_cases(tmp_path: Path, topics: Any, encoder: Any) -> None:
    config = parse_config(loop_job(tmp_path))
    turn(config, encoder)
    label_round(config, 0, topics)
    result = turn(config, encoder, rounds=1)
    (first,) = result.rounds
    assert (first.training_labels, first.labels, first.held_out) == (8, 68, 60)
    assert first.low < first.score < first.high
    assert first.production is not None
    assert first.production == pytest.approx(
        0.85, abs=0.1
    )  # a fifth of the answers are `billing`, and that is right for a quarter
    picks = picks_of(config, 1)
    assert [pick.slice for pick in picks].count("random") == 2
    assert len(picks) == 10
    assert {pick.split for pick in picks} == {"train"}
    assert not {pick.case_id for pick in picks} & {pick.case_id for pick in picks_of(config, 0)}
    assert result.waiting is not None
    assert (result.waiting.number, result.waiting.missing) == (1, 10)

    before = files.PICKS.of(loop_folder(config).round(1)).read_bytes()
    again = turn(config, encoder)
    assert again.waiting == result.waiting
    assert files.PICKS.of(loop_folder(config).round(1)).read_bytes() == before
    status = loop_status(config)
    assert (status.rounds, status.waiting) == (result.rounds, result.waiting)


def test_the_student_smooths_over_the_cases_to_train_on_and_over_no_held_out_one(
    tmp_path: Path, topics: Any, encoder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pools = []
    monkeypatch.setattr(student, "smoothed", lambda vectors, pool: pools.append(pool) or smoothed(vectors, pool))
    config = parse_config(loop_job(tmp_path))
    turn(config, encoder)
    label_round(config, 0, topics)
    turn(config, encoder, rounds=1)
    texts = [item.text for item in files.read_pool(loop_folder(config)) if item.trainable]
    assert len(pools) >= 2, "once to train, once to answer"
    assert all(np.array_equal(pool, encoder.encode(texts)) for pool in pools)
    assert 100 < len(texts) < 200


def test_a_simulation_runs_to_its_end_and_measures_the_labels_saved(tmp_path: Path, topics: Any, encoder: Any) -> None:
    config = parse_config(loop_job(tmp_path))
    result = turn(config, encoder, simulate=write_truth(tmp_path, topics), control=True)
    assert result.ended
    assert result.rounds[-1].labels == 108
    assert [done.labels for done in result.control] == [done.labels for done in result.rounds]
    assert result.rounds[-1].score > result.rounds[0].score
    assert result.rounds[1].slices
    assert sum(part.cases for part in result.rounds[1].slices if not part.task) == 10
    folder = loop_folder(config)
    held_out = {pick.case_id for pick in picks_of(config, 0) if pick.split == "eval"}
    trained = [
        orjson.loads(line)["metadata"]["case_id"]
        for line in (folder.round(3) / "training.jsonl").read_bytes().splitlines()
    ]
    assert len(trained) == 38
    assert not held_out & set(trained)
    comparison = compare_files([str(folder.path / "results.jsonl")])
    assert len(comparison.systems) == 2 * len(result.rounds)
    assert not [warning for warning in comparison.warnings if "probabilit" in warning]
    assert turn(config, encoder, simulate=write_truth(tmp_path, topics)).rounds == result.rounds


def test_a_wrong_answer_without_the_right_one_has_not_come_back(tmp_path: Path, topics: Any, encoder: Any) -> None:
    config = parse_config(loop_job(tmp_path))
    turn(config, encoder)
    label_round(config, 0, topics, label="", verdict="fail")
    result = turn(config, encoder)
    assert result.waiting is not None
    assert (result.waiting.missing, result.waiting.incomplete) == (68, 68)
    assert "without the right answer" in result.to_text()
    label_round(config, 0, topics)  # the remedy
    assert len(turn(config, encoder).rounds) == 1


def test_a_verdict_that_production_is_right_is_an_answer(tmp_path: Path, topics: Any, encoder: Any) -> None:
    config = parse_config(loop_job(tmp_path))
    turn(config, encoder)
    label_round(config, 0, topics, label="", verdict="pass")
    (first,) = turn(config, encoder).rounds
    assert first.production == 1.0


def test_a_round_can_be_closed_before_all_labels_are_back(tmp_path: Path, topics: Any, encoder: Any) -> None:
    config = parse_config(loop_job(tmp_path))
    turn(config, encoder)
    with pytest.raises(ConfigError, match="none of its 68 cases has a label"):
        turn(config, encoder, close=True)
    late = [pick.case_id for pick in picks_of(config, 0)][-2:]
    label_round(config, 0, topics, skip=late)
    assert not turn(config, encoder).rounds
    result = turn(config, encoder, close=True)
    assert result.rounds[0].labels == 66
    assert result.waiting is not None
    assert result.waiting.number == 1  # one round is closed, not the next one as well


def test_labels_that_cannot_be_answers_are_named(tmp_path: Path, topics: Any, encoder: Any) -> None:
    config = parse_config(loop_job(tmp_path))
    turn(config, encoder)
    label_round(config, 0, topics, label="gardening")
    waiting = turn(config, encoder).waiting
    assert waiting is not None
    assert waiting.missing == 68
    assert "68 labels cannot be an answer to the task: 'gardening' for " in " ".join(waiting.notes)


def test_corrections_of_earlier_labels_count_from_the_next_round_on(tmp_path: Path, topics: Any, encoder: Any) -> None:
    config = parse_config(loop_job(tmp_path))
    turn(config, encoder)
    label_round(config, 0, topics)
    turn(config, encoder, rounds=1)
    frozen = files.LABELS.of(loop_folder(config).round(0)).read_bytes()
    held_out = [pick.case_id for pick in picks_of(config, 0) if pick.split == "eval"]
    label_round(config, 0, topics | dict.fromkeys(topics, "returns"))
    label_round(config, 1, topics)
    turn(config, encoder, rounds=1)
    assert files.LABELS.of(loop_folder(config).round(0)).read_bytes() == frozen
    rows = [orjson.loads(line) for line in files.LABELS.of(loop_folder(config).round(1)).read_bytes().splitlines()]
    assert {row["answer"] for row in rows if row["case_id"] in held_out} == {"returns"}
    result = turn(config, encoder)
    scores = [orjson.loads(line) for line in (loop_folder(config).path / "results.jsonl").read_bytes().splitlines()]
    first = [row["score"] for row in scores if row["system"] == "loop, round 0"]
    (warning,) = result.warnings
    assert f"By the labels of the last round their scores are round 0: {sum(first) / len(first):.1%};" in warning


def test_trusted_answers_of_the_logs_count_in_every_round(tmp_path: Path, topics: Any, encoder: Any) -> None:
    config = parse_config(loop_job(tmp_path))
    turn(config, encoder)
    held_out = {pick.case_id for pick in picks_of(config, 0) if pick.split == "eval"}
    pool = loop_folder(config).pool
    rows = [orjson.loads(line) for line in pool.read_bytes().splitlines()]
    from_logs = [row for row in rows if row["id"] in held_out][:20]
    for row in from_logs:
        row |= {"reference": topics[row["log_id"]], "reference_source": "correction"}
    pool.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    for number in (0, 1):
        label_round(config, number, topics, skip=[row["id"] for row in from_logs])
        result = turn(config, encoder, rounds=1)
    assert [done.held_out for done in result.rounds] == [60, 60]
    assert [done.labels for done in result.rounds] == [68, 78]


def test_a_classifier_gets_neither_free_text_nor_two_spellings(tmp_path: Path, topics: Any, encoder: Any) -> None:
    logs = tmp_path / "logs.jsonl"
    rows = [json.loads(line) for line in logs.read_text().splitlines()]
    for row in rows[:40]:
        row["task"] = "reply"
        row["response"]["choices"][0]["message"]["content"] = (
            f"Sorry, please look at page {row['id']} of our help centre."
        )
    logs.write_text("\n".join(map(json.dumps, rows)))
    config = parse_config(loop_job(tmp_path))
    first = turn(config, encoder)
    assert any(warning.startswith("40 cases left out") and "reply (40)" in warning for warning in first.warnings)
    assert "240 records read" in first.to_text()
    assert {item.case.task for item in files.read_pool(loop_folder(config))} == {"route"}
    label_round(config, 0, {log_id: topic.title() for log_id, topic in topics.items()})
    turn(config, encoder, rounds=1)
    rows = [orjson.loads(line) for line in files.PREDICTIONS.of(loop_folder(config).round(0)).read_bytes().splitlines()]
    assert {row["answer"] for row in rows} <= {*WORDS}


def test_what_a_loop_began_with_stays(tmp_path: Path, topics: Any, encoder: Any) -> None:
    job = loop_job(tmp_path)
    turn(parse_config(job), encoder)
    with pytest.raises(ConfigError, match="began with `seed: 1`") as refusal:
        turn(parse_config(job | {"seed": 2}), encoder)
    assert "loop.folder" in refusal.value.remedy
    with pytest.raises(ConfigError, match="one that people label"):
        turn(parse_config(job), encoder, simulate=write_truth(tmp_path, topics))
    (tmp_path / "logs.jsonl").unlink()  # the pool is in the loop's folder
    assert turn(parse_config(job), encoder).waiting is not None


def test_a_simulation_asks_nobody_for_labels(tmp_path: Path, topics: Any, encoder: Any) -> None:
    config = parse_config(loop_job(tmp_path))
    result = turn(config, encoder, simulate=write_truth(tmp_path, topics), rounds=1)
    assert (len(result.rounds), result.waiting, loop_status(config).waiting) == (1, None, None)
    with pytest.raises(ConfigError, match="the number of rounds is -1"):
        turn(config, encoder, simulate=write_truth(tmp_path, topics), rounds=-1)


def test_a_note_on_labels_is_said_once(tmp_path: Path, topics: Any, encoder: Any) -> None:
    config = parse_config(loop_job(tmp_path))
    turn(config, encoder)
    picks = picks_of(config, 0)
    label_round(config, 0, topics, skip=[picks[0].case_id])
    row = {"case_id": picks[0].case_id, "label": "gardening"}
    (loop_folder(config).round(0) / "label_queue_b.jsonl").write_text(json.dumps(row))
    assert turn(config, encoder, close=True).to_text().count("'gardening'") == 1


def test_a_simulation_needs_answers(tmp_path: Path, topics: Any, encoder: Any) -> None:
    config = parse_config(loop_job(tmp_path))
    with pytest.raises(ConfigError, match="the logs hold no trusted answer"):
        turn(config, encoder, simulate=())
    with pytest.raises(ConfigError, match="people label only those of the loop"):
        turn(config, encoder, control=True)


def test_too_few_held_out_cases_are_refused_before_anything_is_labelled(
    tmp_path: Path, topics: Any, encoder: Any
) -> None:
    config = parse_config(loop_job(tmp_path, held_out_labels=200, stop={"max_labels": 500}))
    with pytest.raises(ConfigError, match="`held_out_labels` is 200, and only") as refusal:
        turn(config, encoder)
    assert "selection.held_out_share" in refusal.value.remedy
    with pytest.raises(ConfigError, match="held-out set and the seed alone take 68"):
        parse_config(loop_job(tmp_path, stop={"max_labels": 60}))


def test_status_without_a_loop_says_how_to_begin(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no loop has begun") as refusal:
        loop_status(parse_config(loop_job(tmp_path)))
    assert "curator loop" in refusal.value.remedy


def test_a_simulation_leaves_the_registry_of_production_alone(tmp_path: Path, topics: Any, encoder: Any) -> None:
    config = parse_config(loop_job(tmp_path))
    turn(config, encoder, rounds=1, simulate=write_truth(tmp_path, topics))
    registry = tmp_path / ".curator" / REGISTRY_NAME
    assert not registry.exists()
    assert (loop_folder(config).path / REGISTRY_NAME).is_file()
    job = loop_job(tmp_path)
    job["loop"]["folder"] = str(tmp_path / "people")
    by_people = parse_config(job)
    turn(by_people, encoder)
    with HeldOutRegistry(registry) as file:
        assert {entry.split for entry in file.entries()[0]} == {"eval"}


def test_unreadable_records_are_named_and_kept(tmp_path: Path, topics: Any, encoder: Any) -> None:
    with (tmp_path / "logs.jsonl").open("a") as file:
        file.write('\n{"request": cut off')
    config = parse_config(loop_job(tmp_path))
    result = turn(config, encoder)
    assert [record.source.line for record in result.rejected] == [241]
    assert len((loop_folder(config).path / "set_aside.jsonl").read_text().splitlines()) == 1
    assert "1 set aside" in result.to_text()
    assert turn(config, encoder).rejected == ()


def test_what_is_left_out_of_the_pool_is_said_until_there_is_a_model_and_on_every_page(
    tmp_path: Path, topics: Any, encoder: Any
) -> None:
    with (tmp_path / "logs.jsonl").open("a") as file:
        for n in range(12):
            long = f"Dear customer {n}, we are sorry to hear that and will look into it as soon as we can, thank you for your patience."
            asked = {"model": "prod", "messages": [{"role": "user", "content": f"Write a letter about {n} please"}]}
            record = {"id": f"t{n}", "task": "letter", "request": asked}
            record["response"] = {"choices": [{"index": 0, "message": {"role": "assistant", "content": long}}]}
            file.write("\n" + json.dumps(record))
    config = parse_config(loop_job(tmp_path, held_out_labels=200, stop={"max_labels": 500}))
    with pytest.raises(ConfigError, match="may be held out"):
        turn(config, encoder)
    config = parse_config(loop_job(tmp_path))  # the remedy
    left_out = "12 cases left out, whose answers are free text"
    result = turn(config, encoder)
    assert left_out in " ".join(result.warnings)
    assert "252 records read" in result.understood
    label_round(config, 0, topics)
    later = turn(config, encoder, rounds=1)
    assert left_out not in " ".join(later.warnings)
    assert left_out in (loop_folder(config).path / "loop.html").read_text()
    assert loop_status(config).to_text().startswith("  round  training labels")


def test_a_queue_that_cannot_be_read_is_named(tmp_path: Path, topics: Any, encoder: Any) -> None:
    config = parse_config(loop_job(tmp_path))
    turn(config, encoder)
    queue = loop_folder(config).round(0) / "label_queue.xlsx"
    queue.write_bytes(b"not a workbook")
    label_round(config, 0, topics, skip=[picks_of(config, 0)[0].case_id])
    waiting = turn(config, encoder).waiting
    assert waiting is not None
    assert waiting.missing == 1
    assert str(queue) in " ".join(waiting.notes)


def test_a_judge_of_answers_does_not_keep_a_loop_from_running(tmp_path: Path, topics: Any, encoder: Any) -> None:
    judge = {"model": {"name": "j", "model": "j", "price": {"input": 0, "output": 0}}}
    config = parse_config(loop_job(tmp_path) | {"equivalence": {"method": "judge", "judge": judge}})
    assert turn(config, encoder, rounds=1, simulate=write_truth(tmp_path, topics)).rounds


KILLED: dict[str, Any] = {"held_out_labels": 40, "stop": {"max_labels": 58}}
"""Two rounds; a run of it writes some 40 files."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """A loop that nothing interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    truth = write_truth(folder, write_pool(folder))
    config = parse_config(loop_job(folder, **KILLED))
    turn(config, HashingEncoder(), simulate=truth)
    return config


@pytest.mark.parametrize("kill", range(20))
def test_a_killed_loop_goes_on_as_if_nothing_had_happened(
    kill: int, whole: Config, tmp_path: Path, topics: Any, encoder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies before it writes its n-th file; the same command then ends with the same files."""
    truth = write_truth(tmp_path, topics)
    killed = parse_config(loop_job(tmp_path, **KILLED))
    real, left = atomic.write_atomic, [2 * kill]

    def dying(path: Path, chunks: Any) -> None:
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        real(path, chunks)

    for module in ("run_folder.loop_folder", "workflows.loop", "workflows.loop_rounds", "workflows.loop_simulation",
                   "workflows.loop_start", "labels.queue_files", "trainers.student"):  # fmt: skip
        monkeypatch.setattr(f"curator.{module}.write_atomic", dying)
    try:
        turn(killed, encoder, simulate=truth)
    except KeyboardInterrupt:
        left[0] = 10_000
        turn(killed, encoder, simulate=truth)
    for number in range(2):
        for name in FROZEN:
            one, other = (loop_folder(config).round(number) / name for config in (whole, killed))
            assert one.is_file() == other.is_file(), name
            if one.is_file():
                assert _without_source(one) == _without_source(other), name


def _without_source(path: Path) -> list[Any]:
    """The rows of a file without the folder of the log, which is another one."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows:
        if "source" in row.get("metadata", {}):
            row["metadata"]["source"] = row["metadata"]["source"].rpartition("/")[2]
    return rows
