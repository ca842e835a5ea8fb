"""Vectors and verdicts in the run and in `curator score`: the wiring from the config to the scores."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.answers.read import read_answer
from curator.committee.judge import Verdict
from curator.config import EmbeddingConfig, EquivalenceConfig, load_config, parse_config
from curator.disagreement.equivalence.leader_clustering import Pair
from curator.disagreement.members.case_answers import ComparableCase
from curator.disagreement.recorded import score_record
from curator.errors import ConfigError, MissingDependency
from curator.records import Score
from curator.run_folder.recorded import read_record
from curator.stages.equivalence import JudgeQueue, open_comparer
from curator.workflows.run import run

RECORD = {
    "id": "a",
    "input": [{"role": "user", "content": "earlier"}, {"role": "user", "content": "what is wrong with it"}],
    "kind": "text",
    "target": "the parcel came late",
    "generations": ["the parcel came much too late", "parcel late again", "nothing at all happened"],
}


def scored(found: Any) -> Score:
    return score_record(read_record(orjson.dumps(RECORD)), comparer=found)


def test_recorded_answers_are_compared_by_vectors_that_are_kept(encoder: Any, tmp_path: Path) -> None:
    cache = tmp_path / "vectors.sqlite"
    config = EquivalenceConfig(method="embedding")
    with open_comparer(config, EmbeddingConfig(), cache=cache, encoder=encoder) as comparer:
        by_vectors = scored(comparer)
    with open_comparer(EquivalenceConfig(), EmbeddingConfig(), cache=tmp_path / "unused") as comparer:
        by_words = scored(comparer)
    assert by_vectors.scorer == by_words.scorer + "+embedding(hashing-64)"
    assert by_vectors.disagreement != by_words.disagreement
    with closing(sqlite3.connect(cache)) as database:
        assert database.execute("SELECT count(*) FROM vectors").fetchone() == (4,)
    assert not (tmp_path / "unused").exists()


def test_the_question_is_the_last_user_message() -> None:
    asked: list[str] = []

    def remember(question: str) -> Any:
        asked.append(question)
        return open_nothing()

    def open_nothing() -> Any:
        from curator.disagreement.equivalence.comparers import WORD_COMPARER

        return WORD_COMPARER

    records = [RECORD, RECORD | {"input": "plain"}, RECORD | {"input": None}, RECORD | {"input": [1, {"role": "user"}]}]
    for record in records:
        score_record(read_record(orjson.dumps(record)), comparer=remember)
    assert asked == ["what is wrong with it", "plain", "", ""]


def test_recorded_answers_have_no_judge(tmp_path: Path) -> None:
    config = EquivalenceConfig.model_validate(
        {"method": "judge", "judge": {"model": {"name": "j", "model": "x", "price": {"input": 1, "output": 1}}}}
    )
    with (
        pytest.raises(ConfigError, match="calls no model that costs"),
        open_comparer(config, EmbeddingConfig(), cache=tmp_path / "v"),
    ):
        pass


def test_score_without_a_model_for_nli_says_what_to_add(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from curator.cli import main

    monkeypatch.chdir(tmp_path)
    Path("r.jsonl").write_text(json.dumps(RECORD))
    assert main(["score", "r.jsonl", "--equivalence", "nli"]) == 2
    assert "--nli-model NAME" in capsys.readouterr().err


def test_a_run_compares_by_vectors_and_repeats(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    del job["tasks"]["route"]["labels"]
    job["tasks"]["route"]["kind"] = "short"
    config = parse_config(job | {"equivalence": {"method": "embedding"}})
    for name in ("one", "two"):
        run(config, out=tmp_path / name, encoder=encoder, environ={})
    rows = [json.loads(line) for line in (tmp_path / "one" / "cases.jsonl").read_text().splitlines()]
    assert all(row["scorer"].endswith("+embedding(hashing-64)") for row in rows)
    for name in ("cases.jsonl", "summary.json", "report.html"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    manifest = json.loads((tmp_path / "one" / "manifest.json").read_text())
    assert manifest["equivalence"] == {"method": "embedding"}


def test_an_nli_model_that_is_not_there_is_told_before_anything_is_asked(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    config = parse_config(job | {"equivalence": {"method": "nli", "nli_model": "nobody/has-it"}})
    with pytest.raises(MissingDependency):
        run(config, out=tmp_path / "out", encoder=encoder, environ={})
    assert endpoint.bodies == []


def test_the_folder_of_a_model_is_relative_to_the_config(job: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text(json.dumps(job | {"equivalence": {"method": "nli", "nli_model": "./tiny"}}))
    assert load_config(path).equivalence.nli_model == str(tmp_path / "tiny")
    path.write_text(json.dumps(job | {"equivalence": {"method": "nli", "nli_model": "some/name"}}))
    assert load_config(path).equivalence.nli_model == "some/name"


def case(name: str, question: str, *texts: str) -> ComparableCase:
    return ComparableCase(name, question, tuple(read_answer(text, "short") for text in texts), None)


def said(pairs: tuple[Pair, ...], same: bool | None) -> Mapping[Pair, Verdict]:
    return {pair: Verdict(same) for pair in pairs}


def test_a_pair_that_two_cases_share_is_asked_once() -> None:
    docket = JudgeQueue(
        [case("a", "q", "x", "y"), case("b", "q", "y", "x"), case("c", "other", "x", "y")], pairs_per_case=9
    )
    pairs = docket.next_pairs()
    assert pairs == (Pair("q", "x", "y"), Pair("other", "x", "y"))
    docket.learn(said(pairs, True))
    assert docket.next_pairs() == ()
    assert docket.comparer("j")("q").classes(case("a", "q", "x", "y").answers, None) == [0, 0]


def test_a_label_is_asked_about_when_the_answers_are_decided() -> None:
    labelled = replace(case("a", "q", "u", "v", "w"), label=read_answer("a", "short"))
    docket = JudgeQueue([labelled], pairs_per_case=9)
    rounds = []
    while pairs := docket.next_pairs():
        rounds.append([(pair.left, pair.right) for pair in pairs])
        docket.learn(said(pairs, False))
    assert rounds == [[("u", "v"), ("u", "w")], [("v", "w")], [("a", "u")], [("a", "v")], [("a", "w")]]


def test_a_case_is_asked_in_rounds_up_to_its_limit() -> None:
    docket = JudgeQueue([case("a", "q", "u", "v", "w", "x")], pairs_per_case=4)
    first = docket.next_pairs()
    assert len(first) == 3
    docket.learn(said(first, False))
    second = docket.next_pairs()
    assert len(second) == 1
    docket.learn(said(second, False))
    assert docket.next_pairs() == ()
    assert docket.comparer("j")("q").classes(case("a", "q", "u", "v", "w", "x").answers, None) == [0, 1, 2, 3]


@given(st.lists(st.lists(st.sampled_from("uvwxyz"), min_size=1, max_size=6), min_size=1, max_size=5), st.integers(1, 4))
def test_rounds_come_to_an_end_within_the_limit(groups: list[list[str]], limit: int) -> None:
    docket = JudgeQueue([case(str(i), "q", *texts) for i, texts in enumerate(groups)], pairs_per_case=limit)
    asked: list[Pair] = []
    while pairs := docket.next_pairs():
        asked += pairs
        docket.learn({p: Verdict(ord(p.left) % 2 == ord(p.right) % 2) for p in pairs})
    assert len(set(asked)) == len(asked) <= limit * len(groups)
