"""Measures of categories against planted modes, and the endpoint that serves a made-up committee."""

from __future__ import annotations

import http.client
from pathlib import Path
from urllib.parse import urlsplit

import orjson
import pytest

from benchmarks.clustering.finding import Named, findings, kept_share
from benchmarks.clustering.made_up import Mode
from benchmarks.clustering.planted import DOMAINS
from benchmarks.clustering.recorded_committee import RecordedCommittee, committee_config, served, write_log
from benchmarks.clustering.topic_baselines import topic_clusters
from curator.config import LogsConfig
from curator.readers.read import read
from curator.records import Case

REFUND = Mode("refund", "creates a refund", ("refund",))


def category(name: str, cases: str, sentence: str = "") -> Named:
    return Named(name, name, sentence, frozenset(cases))


MODES_OF: dict[str, str | None] = {**dict.fromkeys("abcdefghij", "refund"), **dict.fromkeys("klmnop", None)}


def test_a_mode_is_found_if_a_pure_category_holds_half_of_it() -> None:
    (row,) = findings([REFUND], MODES_OF, [category("others", "klm"), category("Refund instead of help", "abcdek")])
    assert (row.place, row.purity, row.recall) == (2, 5 / 6, 0.5)
    assert row.complete
    assert row.named


def test_a_mixed_category_and_a_small_one_do_not_find_it() -> None:
    (mixed,) = findings([REFUND], MODES_OF, [category("refund", "abcdefghijklmn")])
    assert not mixed.pure
    (small,) = findings([REFUND], MODES_OF, [category("refund", "abcd")])
    assert small.pure
    assert not small.complete


def test_only_the_first_categories_count_and_a_name_must_tell() -> None:
    late = [*(category(f"others {n}", "k") for n in range(15)), category("refund", "abcdefghij")]
    assert findings([REFUND], MODES_OF, late)[0].place is None
    assert not findings([REFUND], MODES_OF, [category("money / back", "abcdefghij")])[0].named
    assert findings([REFUND], MODES_OF, [category("money", "abcdefghij", "Creates a refund")])[0].named


def test_a_case_that_was_merged_away_counts_nowhere() -> None:
    (row,) = findings([REFUND], MODES_OF, [category("refund", "abcdefghijXYZ")])
    assert row.purity == 1.0


def test_categories_stay_by_records_id_and_sentence() -> None:
    before = [category("x", "ab", "fails"), category("y", "cd", "refuses")]
    after = [category("x", "abcd", "fails"), category("y", "cd", "says no")]
    assert kept_share(before, after, {"a": 1, "b": 1, "c": 1, "d": 5}) == 0.25


def test_topics_group_the_inputs_and_are_named_by_their_words() -> None:
    days = ("monday", "tuesday", "wednesday", "thursday", "friday", "today", "tonight", "tomorrow", "soon")
    texts = {f"{word} {day}": f"where is my {word} {day}" for word in ("parcel", "voucher") for day in days}
    topics = topic_clusters(texts)["k-means topics"]
    assert sorted(i for topic in topics for i in topic.case_ids) == sorted(texts)
    assert all(any(word in i for i in topic.case_ids for word in topic.name.split(" / ")) for topic in topics)
    assert topic_clusters({"a": "one text"})["k-means topics"] == []


@pytest.mark.parametrize("domain", sorted(DOMAINS))
def test_the_log_file_is_read_as_it_was_made(domain: str, tmp_path: Path) -> None:
    made = DOMAINS[domain](30, 1)
    write_log(made.cases, tmp_path / "log.jsonl")
    cases = list(read(LogsConfig(paths=(str(tmp_path / "log.jsonl"),))))
    assert all(isinstance(case, Case) for case in cases)
    assert [(c.messages, c.target, c.task) for c in cases if isinstance(c, Case)] == [
        (c.messages, c.target, c.task) for c in made.cases
    ]


@pytest.mark.parametrize("domain", sorted(DOMAINS))
def test_the_endpoint_gives_each_member_its_answers(domain: str, tmp_path: Path) -> None:
    made = DOMAINS[domain](5, 1)
    with served(RecordedCommittee(made.cases)) as base_url:
        config = committee_config(made.cases, base_url, tmp_path / "prompts")
        members = len(config["models"]) * len(config["variants"]) * len(config["temperatures"])
        assert members * config["repeats"] == len(made.cases[0].answers)
        case, answer = made.cases[0], made.cases[0].answers[-1]
        system = case.messages[0].content + f"\n\nPrompt variant: {config['variants'][-1]}"
        body = {
            "model": config["models"][-1]["model"],
            "temperature": answer.temperature,
            "messages": [{"role": "system", "content": system}, *(m.as_openai() for m in case.messages[1:])],
        }
        texts = {said(base_url, body) for _ in range(config["repeats"])}
    assert texts >= {plain(answer.text)}


def said(base_url: str, body: dict[str, object]) -> str:
    address = urlsplit(base_url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    connection.request("POST", f"{address.path}/chat/completions", orjson.dumps(body))
    message = orjson.loads(connection.getresponse().read())["choices"][0]["message"]
    connection.close()
    calls = [
        {"name": call["function"]["name"], "arguments": orjson.loads(call["function"]["arguments"])}
        for call in message.get("tool_calls", ())
    ]
    return plain(orjson.dumps({"tool_calls": calls}).decode()) if calls else message["content"]


def plain(text: str) -> str:
    """JSON with its keys in order; any other text as it is."""
    return orjson.dumps(orjson.loads(text), option=orjson.OPT_SORT_KEYS).decode() if text[:2] == '{"' else text
