"""Looking after the store on a real file: what is in it, what goes, what comes out, and what is found damaged."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from curator.errors import ConfigError, StorageError
from curator.records import Usage
from curator.state import maintenance as cache
from curator.state.generations import GenerationStore
from curator.state.maintenance import AnswerFilter, ModelHoldings, OpenBatch, contents, prune
from curator.state.store_schema import StoredReply
from curator.state.verify import SHOWN_PROBLEMS, export, verify

DAY = 86_400.0
NOW = 1_700_000_000.0
SMALL = StoredReply("billing", "stop", Usage(12, 3), (-0.1, -2.5), 0.25, 0.5, "small-1", NOW - DAY)
BIG = replace(SMALL, model="big-1", cost_usd=2.0, logprobs=None, finish_reason=None)


def key(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def fill(path: Path, *replies: tuple[str, StoredReply]) -> None:
    async def put(store: GenerationStore) -> None:
        await asyncio.gather(*(store.put([(key(name), reply)]) for name, reply in replies))

    with GenerationStore(path) as store:
        asyncio.run(put(store))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Three answers of a small model, one of them ten days old, and two of a big one."""
    path = tmp_path / "store.sqlite"
    old = replace(SMALL, created_at=NOW - 10 * DAY)
    fill(path, ("s0", old), ("s1", SMALL), ("s2", SMALL), ("b0", BIG), ("b1", replace(BIG, text="zwölf\n🙂")))
    return path


@pytest.fixture
def raw(store: Path) -> Iterator[sqlite3.Connection]:
    """A connection of one's own, as another process has it."""
    with closing(sqlite3.connect(store, isolation_level=None)) as connection:
        yield connection


def batch(connection: sqlite3.Connection, nonce: str, ended_at: float | None, *names: str) -> None:
    connection.execute(
        "INSERT INTO batch VALUES (?, 'openai:x', 'small-1', ?, ?, ?)", (nonce, f"batch_{nonce}", NOW - 5, ended_at)
    )
    rows = [(bytes.fromhex(key(name)), nonce) for name in names]
    connection.executemany("INSERT INTO batch_call VALUES (?, ?, 10, 10, 5)", rows)


def left(path: Path) -> set[str]:
    return {json.loads(line)["key"] for line in export(path)}


def keys(*names: str) -> set[str]:
    return {key(name) for name in names}


def wanted(**given: Any) -> AnswerFilter:
    return AnswerFilter.of(**({"model": None, "older_than_days": None, "keys": (), "now": NOW} | given))


def test_the_contents_are_counted_by_model(store: Path, raw: sqlite3.Connection) -> None:
    batch(raw, "open", None, "s1", "not yet")
    batch(raw, "ended", NOW, "s2")
    found = contents(store)
    assert found.models == (
        ModelHoldings("big-1", 2, 24, 6, 4.0, NOW - DAY, NOW - DAY),
        ModelHoldings("small-1", 3, 36, 9, 0.75, NOW - 10 * DAY, NOW - DAY),
    )
    assert found.batches == (OpenBatch("batch_open", "openai:x", "small-1", 2, NOW - 5),)
    assert found.size >= store.stat().st_size > 0
    assert found.to_dict()["answers"] == 5
    said = found.to_text()
    assert "small-1: 3 answers, 36 input and 9 output tokens, $0.75, from 2023-11-04 to 2023-11-13" in said
    assert "5 answers that cost $4.75" in said
    assert "open batch batch_open: 2 calls to small-1" in said


@pytest.mark.parametrize(
    ("given", "gone", "usd"),
    [
        ({"model": "small-1"}, ("s0", "s1", "s2"), 0.75),
        ({"older_than_days": 5}, ("s0",), 0.25),
        ({"older_than_days": 0.5, "model": "big-1"}, ("b0", "b1"), 4.0),
        ({"keys": [key("b1").upper(), key("s1")]}, ("b1", "s1"), 2.25),
        ({"keys": [key("b1")], "model": "small-1"}, (), 0.0),
        ({"model": "none"}, (), 0.0),
    ],
    ids=["model", "age", "both", "keys", "key of another model", "nothing"],
)
def test_only_what_is_meant_goes(given: dict[str, Any], gone: tuple[str, ...], usd: float, store: Path) -> None:
    before = left(store)
    tried = prune(store, wanted(**given), dry_run=True)
    assert left(store) == before
    done = prune(store, wanted(**given))
    assert (done.answers, done.usd) == (tried.answers, tried.usd) == (len(gone), usd)
    assert left(store) == before - keys(*gone)
    assert ("would delete" in tried.to_text(), "would delete" in done.to_text()) == (True, False)


def test_something_must_be_meant() -> None:
    with pytest.raises(ConfigError, match="which answers"):
        wanted()
    with pytest.raises(ConfigError, match="'xyz' is not hexadecimal"):
        wanted(keys=["xyz"])


def test_answers_of_an_open_batch_stay(store: Path, raw: sqlite3.Connection) -> None:
    batch(raw, "open", None, "s1", "not yet")
    batch(raw, "ended", NOW, "s2")
    assert prune(store, wanted(model="small-1")).answers == 2
    assert left(store) == keys("s1", "b0", "b1")
    assert raw.execute("SELECT count(*) FROM batch").fetchone() == (2,)
    assert raw.execute("SELECT count(*) FROM batch_call").fetchone() == (3,)


def test_what_is_deleted_in_pieces_is_deleted_whole(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_DELETED_AT_A_TIME", 2)
    assert prune(store, wanted(older_than_days=0)).answers == 5
    assert left(store) == set()


def test_room_is_given_back_only_where_nobody_else_is_at_work(store: Path) -> None:
    fill(store, *((f"l{i}", replace(SMALL, model="long", text=str(i) * 4000)) for i in range(100)))
    with GenerationStore(store) as other:
        assert prune(store, wanted(model="long")).freed == 0
        with closing(sqlite3.connect(store)) as connection:
            assert connection.execute("PRAGMA freelist_count").fetchone()[0] > 100
        assert set(other.get_many([key("s1"), key("l1")])) == keys("s1")
    fill(store, *((f"l{i}", replace(SMALL, model="long", text=str(i) * 4000)) for i in range(100)))
    done = prune(store, wanted(model="long"))
    assert done.freed > 400_000
    assert store.stat().st_size < 200_000
    with closing(sqlite3.connect(store)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert left(store) == keys("s0", "s1", "s2", "b0", "b1")


def test_another_process_that_samples_goes_on(store: Path) -> None:
    with GenerationStore(store) as other:
        prune(store, wanted(model="small-1"))
        (new,) = asyncio.run(other.put([(key("s1"), replace(SMALL, text="new"))]))
        assert new.text == "new"
        assert other.get_many([key("s1")])[key("s1")].text == "new"


def test_every_answer_is_exported(store: Path) -> None:
    lines = [json.loads(line) for line in export(store)]
    assert [line["key"] for line in lines] == [key(name) for name in ("s0", "s1", "s2", "b0", "b1")]
    assert lines[1] == {
        "key": key("s1"), "model": "small-1", "text": "billing", "finish_reason": "stop",
        "usage": {"input_tokens": 12, "output_tokens": 3, "estimated": False}, "logprobs": [-0.1, -2.5],
        "cost_usd": 0.25, "latency_s": 0.5, "created_at": NOW - DAY,
    }  # fmt: skip
    assert (lines[4]["text"], lines[4]["logprobs"], lines[4]["finish_reason"]) == ("zwölf\n🙂", None, None)


def test_the_export_is_read_as_it_is_written(store: Path) -> None:
    lines = export(store)
    next(lines)
    with closing(sqlite3.connect(store, isolation_level=None)) as raw:
        raw.execute("UPDATE generation SET logprobs = x'00' WHERE key = ?", (bytes.fromhex(key("b1")),))
    assert len(list(lines)) == 4  # what it reads is the store as it was when it began
    with pytest.raises(StorageError, match=key("b1")):
        list(export(store))


def test_a_sound_store_has_no_problems(store: Path) -> None:
    found = verify(store)
    assert (found.answers, found.problem_count, found.exit_code) == (5, 0, 0)
    assert found.to_text() == "5 answers checked, 0 problems"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("key = x'0102'", "the key is not 32 bytes long"),
        ("input_tokens = -1", "`input_tokens` is -1"),
        ("output_tokens = 1.5", "`output_tokens` is 1.5"),
        ("cost_usd = 'much'", "`cost_usd` is b'much'"),
        ("latency_s = -0.5", "`latency_s` is -0.5"),
        ("created_at = 9e999", "`created_at` is inf"),
        ("logprobs = CAST('[1' AS BLOB)", "`logprobs` is not JSON"),
        ("logprobs = CAST('{}' AS BLOB)", "`logprobs` is not a list of numbers"),
        ("logprobs = CAST('[\"a\"]' AS BLOB)", "`logprobs` is not a list of numbers"),
        ("text = CAST(x'ff41' AS TEXT)", "`text` is not UTF-8"),
        ("finish_reason = CAST(x'ff41' AS TEXT)", "`finish_reason` is not UTF-8"),
    ],
)
def test_a_damaged_answer_is_named_and_can_be_pruned(
    change: str, what: str, store: Path, raw: sqlite3.Connection
) -> None:
    raw.execute(f"UPDATE generation SET {change} WHERE key = ?", (bytes.fromhex(key("s2")),))
    found = verify(store)
    assert (found.answers, found.problem_count, found.exit_code) == (5, 1, 1)
    (problem,) = found.problems
    assert problem.key == ("0102" if "key" in change else key("s2"))
    assert what in problem.what
    assert problem.remedy == f"curator cache prune --key {problem.key}"
    assert problem.remedy in found.to_text()
    with pytest.raises(StorageError, match=problem.key):
        list(export(store))
    prune(store, wanted(keys=[problem.key]))
    assert verify(store).problem_count == 0


def test_many_problems_are_counted_and_some_are_shown(store: Path, raw: sqlite3.Connection) -> None:
    fill(store, *((f"x{i}", SMALL) for i in range(SHOWN_PROBLEMS + 20)))
    raw.execute("UPDATE generation SET latency_s = -1 WHERE model = 'small-1'")
    found = verify(store)
    assert (found.problem_count, len(found.problems)) == (SHOWN_PROBLEMS + 23, SHOWN_PROBLEMS)
    assert "... and 23 more" in found.to_text()


def test_damage_between_the_answers_is_found(store: Path, raw: sqlite3.Connection) -> None:
    raw.execute("PRAGMA writable_schema = ON")
    raw.execute("DELETE FROM sqlite_master WHERE tbl_name = 'finding'")  # its pages are lost, and every answer is fine
    found = verify(store)
    assert (found.answers, found.exit_code) == (5, 1)
    assert found.problems[0].key is None
    assert "never used" in found.problems[0].what
    assert f"{store}: " in found.to_text()
    assert "curator cache export" in found.to_text()


def test_a_file_that_cannot_be_read_to_its_end_has_a_remedy(store: Path) -> None:
    fill(store, *((f"x{i}", replace(SMALL, text=str(i) * 500)) for i in range(200)))
    content = bytearray(store.read_bytes())
    for page in range(5, len(content) // 4096):
        content[4096 * page : 4096 * page + 100] = b"\xa5" * 100
    store.write_bytes(content)
    with pytest.raises(StorageError) as caught:
        verify(store)
    assert "curator cache export" in caught.value.remedy


@pytest.mark.parametrize("look", [contents, verify, lambda path: list(export(path)), lambda path: prune(path, wanted(model="x"))])  # fmt: skip
def test_a_store_that_is_not_there_is_not_made(look: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no store of answers there"):
        look(tmp_path / "store.sqlite")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "store.sqlite").write_text("no database at all, but long enough to look like something" * 20)
    with pytest.raises(StorageError, match="not a database"):
        look(tmp_path / "store.sqlite")
    with closing(sqlite3.connect(tmp_path / "theirs.sqlite")) as theirs:
        theirs.execute("CREATE TABLE generation (x)")
    with pytest.raises(ConfigError, match="another program"):
        look(tmp_path / "theirs.sqlite")
