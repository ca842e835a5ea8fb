"""The store of answers on a real file: durable, shared, and clear about what is wrong with a disk."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
import subprocess
import sys
import tempfile
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.errors import ConfigError, StorageError, UserError
from curator.records import Usage
from curator.state.generations import GenerationStore, RecentMeans
from curator.state.store_schema import STORE, StoredReply

REPLY = StoredReply("billing", "stop", Usage(12, 3), (-0.1, -2.5e-7), 0.000123, 0.25, "small-1", 1_700_000_000.5)


def key(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def put(store: GenerationStore, *replies: tuple[str, StoredReply]) -> list[StoredReply]:
    async def all_of_them() -> list[StoredReply]:
        written = await asyncio.gather(*(store.put([one]) for one in replies))
        return [reply for (reply,) in written]

    return asyncio.run(all_of_them())


def rows(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM generation").fetchone()[0])


@pytest.mark.parametrize(
    "reply",
    [
        REPLY,
        replace(REPLY, logprobs=None, finish_reason=None, usage=Usage(0, 0, estimated=True)),
        replace(REPLY, text="", logprobs=()),
        replace(REPLY, tokens=("bil", "ling")),
        replace(REPLY, text="zwölf 🙂\x00 ends", cost_usd=1 / 3, latency_s=2 / 3),
    ],
    ids=["full", "bare", "empty", "tokens", "odd"],
)
def test_a_reply_comes_back_as_it_was(tmp_path: Path, reply: StoredReply) -> None:
    with GenerationStore(tmp_path / "deep" / "store.sqlite") as store:
        put(store, (key("a"), reply))
    with GenerationStore(tmp_path / "deep" / "store.sqlite") as store:
        assert store.get_many([key("a"), key("b")]) == {key("a"): reply}


def test_a_put_that_returned_is_on_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    with GenerationStore(path) as store:
        put(store, (key("a"), REPLY))
        assert rows(path) == 1  # another connection sees it: it is committed, not queued


def test_many_puts_at_once_are_all_kept_in_few_commits(tmp_path: Path) -> None:
    keys = [key(str(i)) for i in range(1200)]
    with GenerationStore(tmp_path / "store.sqlite") as store:
        statements: list[str] = []
        store._writes.connection.set_trace_callback(statements.append)
        put(store, *((k, replace(REPLY, text=k)) for k in keys))
        assert statements.count("COMMIT") < 100
        found = store.get_many(keys)
    assert {k: found[k].text for k in keys} == {k: k for k in keys}


def test_the_means_are_those_of_the_models_newest_answers(tmp_path: Path) -> None:
    with GenerationStore(tmp_path / "store.sqlite") as store:
        assert store.recent_means("small-1") is None
        old = [(key(f"old{i}"), replace(REPLY, latency_s=90.0)) for i in range(5)]
        new = [(key(f"new{i}"), replace(REPLY, latency_s=1.0 + i % 2)) for i in range(1000)]
        put(store, *old)
        put(store, *new)
        put(store, (key("other"), replace(REPLY, model="other", latency_s=7.0)))
        assert store.recent_means("small-1") == RecentMeans(1000, pytest.approx(1.5), 3.0)
        assert store.recent_means("other") == RecentMeans(1, 7.0, 3.0)
        assert store.recent_means("none") is None


def test_the_first_answer_under_a_key_stays(tmp_path: Path) -> None:
    with GenerationStore(tmp_path / "store.sqlite") as store:
        first, second = put(store, (key("a"), REPLY), (key("a"), replace(REPLY, text="other")))
        assert first == second == REPLY
        assert store.get_many([key("a")]) == {key("a"): REPLY}


def test_two_stores_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    with GenerationStore(path) as one, GenerationStore(path) as other:
        put(one, (key("a"), REPLY))
        assert other.get_many([key("a")]) == {key("a"): REPLY}
        assert put(other, (key("a"), replace(REPLY, text="late"))) == [REPLY]
        put(other, (key("b"), REPLY))
        assert set(one.get_many([key("a"), key("b")])) == {key("a"), key("b")}


def test_many_processes_may_make_and_fill_one_new_file(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    script = (
        "import asyncio, sys, pathlib\n"
        "from curator.state.generations import GenerationStore\n"
        "from curator.state.store_schema import StoredReply\n"
        "from curator.records import Usage\n"
        "async def fill(store, n):\n"
        "    for i in range(20):\n"
        "        await store.put([(f'{n}{i:063d}', StoredReply('x', None, Usage(1, 1), None, 0.0, 0.0, 'm', 0.0))])\n"
        "with GenerationStore(pathlib.Path(sys.argv[1])) as store:\n"
        "    asyncio.run(fill(store, sys.argv[2]))\n"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", script, str(path), str(n)], stderr=subprocess.PIPE, text=True)
        for n in range(4)
    ]
    assert [(w.communicate()[1], w.returncode) for w in writers] == [("", 0)] * 4
    assert rows(path) == 80


def test_opening_a_new_file_from_many_threads_at_once(tmp_path: Path) -> None:
    for attempt in range(25):
        path, failures = tmp_path / f"{attempt}.sqlite", list[BaseException]()
        barrier = threading.Barrier(4)

        def open_it(
            path: Path = path, failures: list[BaseException] = failures, barrier: threading.Barrier = barrier
        ) -> None:
            barrier.wait()
            try:
                GenerationStore(path).close()
            except UserError as error:
                failures.append(error)

        threads = [threading.Thread(target=open_it) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []


def test_a_full_disk_is_told_and_earlier_rows_stay(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    with GenerationStore(path) as store:
        put(store, (key("a"), REPLY))
        pages = store._writes.connection.execute("PRAGMA page_count").fetchone()[0]
        store._writes.connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(StorageError, match="full") as caught:
            put(store, (key("b"), replace(REPLY, text="x" * 100_000)))
        assert "make room" in caught.value.remedy
        assert store.get_many([key("a"), key("b")]) == {key("a"): REPLY}
        put(store, (key("c"), REPLY))  # a small one still fits, and the writer still works
    with GenerationStore(path) as store:
        assert set(store.get_many([key(n) for n in "abc"])) == {key("a"), key("c")}


def test_a_file_that_may_only_be_read(tmp_path: Path) -> None:
    with GenerationStore(tmp_path / "store.sqlite") as store:
        store._writes.connection.execute("PRAGMA query_only = ON")
        with pytest.raises(StorageError) as caught:
            put(store, (key("a"), REPLY))
    assert "permission" in caught.value.remedy


def test_a_folder_that_may_only_be_read(locked_folder: Path) -> None:
    with pytest.raises(StorageError):
        GenerationStore(locked_folder / "store.sqlite")


def test_a_text_that_is_none_fails_alone(tmp_path: Path) -> None:
    async def both(store: GenerationStore) -> list[list[StoredReply] | BaseException]:
        bad, good = store.put([(key("a"), replace(REPLY, text="\ud800"))]), store.put([(key("b"), REPLY)])
        return await asyncio.gather(bad, good, return_exceptions=True)

    with GenerationStore(tmp_path / "store.sqlite") as store:
        bad, good = asyncio.run(both(store))
        assert isinstance(bad, UnicodeEncodeError)
        assert good == [REPLY]


def test_the_writer_outlives_a_row_that_sqlite_cannot_take(tmp_path: Path) -> None:
    with GenerationStore(tmp_path / "store.sqlite") as store:
        with pytest.raises(UnicodeEncodeError):
            put(store, (key("a"), replace(REPLY, model="\ud800")))
        put(store, (key("b"), REPLY))
        assert set(store.get_many([key("a"), key("b")])) == {key("b")}


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("these are notes, not a database " * 100)
    with pytest.raises(StorageError, match=r"notes\.txt") as caught:
        GenerationStore(path)
    assert "`store:`" in caught.value.remedy
    assert path.read_text().startswith("these are notes")


@pytest.mark.parametrize("where", ["a folder", "under a file"])
def test_a_path_where_no_file_can_be(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path if where == "a folder" else tmp_path / "file" / "store.sqlite"
    with pytest.raises(StorageError, match="store of answers"):
        GenerationStore(path)


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="another program"):
        GenerationStore(path)
    assert path.read_bytes() == before


def test_a_store_of_a_newer_curator_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    GenerationStore(path).close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (STORE.application_id,)
        connection.execute(f"PRAGMA user_version = {STORE.version + 1}")
    with pytest.raises(ConfigError, match="upgrade"):
        GenerationStore(path)


def test_closing_commits_what_is_queued_and_a_second_close_does_nothing(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"

    async def leave_it() -> None:
        task = asyncio.create_task(store.put([(key("a"), REPLY)]))
        await asyncio.sleep(0)
        task.cancel()  # its waiter is gone; the answer is still kept

    store = GenerationStore(path)
    asyncio.run(leave_it())
    store.close()
    store.close()
    assert rows(path) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["store.sqlite"]


@settings(max_examples=25)
@given(st.lists(st.sampled_from("abcdefgh"), max_size=20), st.lists(st.sampled_from("abcdefgh"), max_size=20))
def test_the_store_answers_like_a_dict(written: list[str], asked: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder, GenerationStore(Path(folder) / "s.sqlite") as store:
        expected: dict[str, StoredReply] = {}
        for n, name in enumerate(written):
            expected.setdefault(key(name), replace(REPLY, text=f"{n}"))
        put(store, *((key(name), replace(REPLY, text=f"{n}")) for n, name in enumerate(written)))
        assert store.get_many([key(name) for name in asked]) == {
            key(name): expected[key(name)] for name in asked if key(name) in expected
        }


def test_a_store_of_the_first_schema_keeps_its_answers_and_gets_the_new_tables(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    with GenerationStore(path) as store:
        put(store, (key("a"), REPLY))
    with closing(sqlite3.connect(path)) as connection:
        for table in ("finding", "batch_call", "batch"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("PRAGMA user_version = 1")
        connection.commit()
    with GenerationStore(path) as store:
        assert store.get_many([key("a")]) == {key("a"): REPLY}
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (STORE.version,)
        made = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    assert {"finding", "batch", "batch_call", "batch_call_nonce"} <= made
