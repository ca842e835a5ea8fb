"""Records of other tools: what is taken for what, what is not used, and what a record is told that lacks something."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

import curator
from curator.errors import RecordError
from curator.run_folder.peer_records import KeyUse
from curator.run_folder.recorded import read_keyed


def read(record: dict[str, Any]) -> tuple[Any, KeyUse]:
    return read_keyed(orjson.dumps(record))


def answers(record: dict[str, Any]) -> list[tuple[str, str]]:
    return [(answer.text, answer.model) for answer in read(record)[0].answers]


DISTILABEL = {"instruction": "Is it wet?", "generations": ["yes", None, "no"], "generation_models": ["a", "b", "c"]}
UQLM = {"prompt": "Is it wet?", "response": "yes", "sampled_responses": ["no", "no"], "semantic_entropy": 0.2}
LM_EVAL = {
    "doc_id": 7, "doc": {"question": "Is it wet?", "answer": "yes"}, "target": "yes", "filtered_resps": ["no"],
    "arguments": {"gen_args_0": {"arg_0": "Q: Is it wet?\nA:", "arg_1": {"until": ["\n"]}}}, "resps": [["no", "yes"]],
}  # fmt: skip
ULTRAFEEDBACK = {
    "instruction": "Is it wet?", "models": ["a", "b"], "correct_answers": ["None"],
    "completions": [{"model": "a", "response": "yes", "critique": "good"}, {"model": "b", "response": "no"}],
}  # fmt: skip


@pytest.mark.parametrize("record", [DISTILABEL, UQLM, ULTRAFEEDBACK])
def test_the_question_of_another_tool_is_found(record: dict[str, Any]) -> None:
    assert read(record)[0].question == "Is it wet?"


def test_models_stay_with_their_answers_where_one_is_missing() -> None:
    assert answers(DISTILABEL) == [("yes", "a"), ("no", "c")]
    assert answers(ULTRAFEEDBACK) == [("yes", "a"), ("no", "b")]
    one_short: dict[str, Any] = {**DISTILABEL, "generation_models": ["a", "b"]}
    assert answers(one_short) == [("yes", ""), ("no", "")]
    assert read(one_short)[1].unused == ("generation_models",)


def test_the_single_answer_is_of_production_and_the_list_is_compared() -> None:
    record, keys = read(UQLM)
    assert (record.target, answers(UQLM)) == ("yes", [("no", ""), ("no", "")])
    assert keys.taken["production's answer"] == "response"
    assert keys.unused == ("semantic_entropy",)


def test_the_target_of_a_harness_is_the_trusted_answer() -> None:
    record, keys = read(LM_EVAL)
    assert (record.id, record.target, record.reference) == ("7", None, "yes")
    assert record.question == "Q: Is it wet?\nA:"
    assert answers(LM_EVAL) == [("no", ""), ("yes", "")]
    assert not keys.has_target


def test_likelihoods_of_options_are_no_answers() -> None:
    pairs = {**LM_EVAL, "resps": [[["-1.5", "False"]], [["-0.2", "True"]]]}
    with pytest.raises(RecordError, match="they are likelihoods of options, not texts"):
        read(pairs)


@pytest.mark.parametrize(
    "record",
    [
        {"query": "q", "model_outputs": ["a", "b"]},
        {"question": "q", "sampledAnswers": [{"answer": "a", "model_name": "m"}, {"answer": "b"}]},
        {"Prompt": "q", "response_1": "a", "response_2": "b"},
        {"prompt": "q", "choices": [{"message": {"role": "assistant", "content": "a"}}, {"message": {"content": "b"}}]},
        {"problem": "q", "rollouts": [[{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}], "b"]},
        {"row": {"question": "q"}, "candidates": ["a", "b"]},
    ],
)
def test_a_tool_that_was_never_seen_is_read_by_its_words(record: dict[str, Any]) -> None:
    assert read(record)[0].question == "q"
    assert [text for text, _ in answers(record)] == ["a", "b"]


def test_instruction_and_system_prompt_belong_to_the_question() -> None:
    lists = {"generations": ["a", "b"]}
    assert read({"instruction": "Translate.", "input": "Hund", **lists})[0].question == "Translate.\n\nHund"
    record = read({"system_prompt": "Be brief.", "prompt": "Why?", **lists})[0]
    assert (record.question, record.input) == ("Why?", "Be brief.\nWhy?")


def test_a_record_of_the_contract_is_left_as_it_is() -> None:
    own = {"id": "1", "input": "q", "target": "a", "generations": ["a"], "kind": "short", "metadata": {"x": 1}}
    assert read(own)[1] == KeyUse()


def test_an_id_is_made_from_the_content_and_is_the_same_in_any_order() -> None:
    first, keys = read(UQLM)
    again, _ = read(dict(reversed(UQLM.items())))
    assert first.id == again.id != read({**UQLM, "prompt": "Is it dry?"})[0].id
    assert keys.taken["id"] == ""


def test_a_record_without_answers_is_told_all_that_it_needs_at_once() -> None:
    with pytest.raises(RecordError) as caught:
        read({"question": "Is it wet?", "answer": "yes"})
    assert "'question', 'answer'; `answer` holds one answer" in caught.value.reason
    for part in (
        "`generations`",
        "`question` would be the question",
        "`answer` would be the production's answer",
        "`id`",
    ):
        assert part in caught.value.remedy


def test_scoring_says_what_was_taken_for_what(tmp_path: Path) -> None:
    file = tmp_path / "peer.jsonl"
    file.write_bytes(b"\n".join(map(orjson.dumps, [UQLM, {**UQLM, "prompt": "Is it dry?", "semantic_entropy": None}])))
    for scores in (curator.score(file), curator.score(orjson.loads(f"[{file.read_text().replace(chr(10), ',')}]"))):
        taken, unused = scores.warnings[-2:]
        assert scores[0].against_target == 1
        assert "production's answer from `response`" in taken
        assert "answers from `sampled_responses`" in taken
        assert unused == "keys that are not used: `semantic_entropy` (1 of 2 records)"


def test_an_answer_under_a_near_key_changes_the_score() -> None:
    right, wrong = (
        {"question": "Capital of Peru?", "answer": a, "generations": ["Lima"] * 3} for a in ("Lima", "Quito")
    )
    scores = curator.score([right, wrong])
    assert [score.against_target for score in scores] == [0, 1]


def test_a_selection_takes_records_of_another_tool() -> None:
    records = [{**UQLM, "prompt": f"Is day {day} wet?"} for day in range(12)]
    assert len(curator.select(records).picks) == 12


@pytest.mark.parametrize("as_text", [str, lambda value: orjson.dumps(value).decode()])
def test_records_of_tables_and_json_documents_are_scored(tmp_path: Path, as_text: Callable[[Any], str]) -> None:
    records = [{**UQLM, "prompt": f"Is day {day} wet?"} for day in range(3)]
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(map(orjson.dumps, records)))
    (tmp_path / "a.json").write_bytes(orjson.dumps(records, option=orjson.OPT_INDENT_2))
    with (tmp_path / "a.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, UQLM)
        writer.writeheader()
        writer.writerows({**record, "sampled_responses": as_text(record["sampled_responses"])} for record in records)
    scores = [
        [score.disagreement for score in curator.score(tmp_path / f"a.{form}")] for form in ("jsonl", "json", "csv")
    ]
    assert scores[0] == scores[1] == scores[2]
    assert len(scores[0]) == 3


def test_options_and_right_answers_of_a_data_set_are_not_the_committee_s() -> None:
    with pytest.raises(RecordError, match="no list of answers"):
        read({"question": "q", "choices": ["red", "blue"], "answer": "red"})
    record = {
        "question": "q",
        "answers": ["Lima", "Lima city", "the city of Lima"],
        "pred": ["Lima", "Cusco"],
        "gt": "Lima",
    }
    assert [text for text, _ in answers(record)] == ["Lima", "Cusco"]
    assert read(record)[0].reference == "Lima"
    assert read(record)[1].unused == ("answers",)
