"""Logs in an object store that speaks S3, a local one: folders of keys without suffixes, globs, Parquet, refusals.

It needs `pip install s3fs 'moto[server]'`, and is skipped without.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from curator.config import LogsConfig
from curator.errors import LogsError
from curator.io.find_logs import find_logs
from curator.readers.read import read
from curator.records import Case

pytestmark = [pytest.mark.object_store, pytest.mark.filterwarnings("default")]


def call(n: int) -> bytes:
    record = {"messages": [{"role": "user", "content": f"question {n}"}], "response": f"answer {n}"}
    return orjson.dumps(record, option=orjson.OPT_INDENT_2)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    pytest.importorskip("s3fs")
    moto = pytest.importorskip("moto.server")
    server = moto.ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    import s3fs

    for name, value in {
        "AWS_ENDPOINT_URL": server,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    store = s3fs.S3FileSystem()
    store.mkdir("logs")
    for n in range(3):
        store.pipe(f"logs/litellm/2026-11-0{n + 1}/chatcmpl-{n}", call(n))
    store.pipe("logs/litellm/_SUCCESS", b"")
    store.pipe("logs/lines.jsonl.gz", gzip.compress(b"\n".join(orjson.dumps(orjson.loads(call(n))) for n in range(3))))
    yield store
    store.rm("logs", recursive=True)
    s3fs.S3FileSystem.clear_instance_cache()


def cases(path: str) -> list[Case]:
    return [item for item in read(LogsConfig(), paths=[path]) if isinstance(item, Case)]


@pytest.mark.usefixtures("bucket")
def test_a_folder_of_keys_is_read() -> None:
    answers = [case.target for case in cases("s3://logs/litellm")]
    assert answers == ["answer 0", "answer 1", "answer 2"]
    assert str(cases("s3://logs/litellm")[0].source) == "s3://logs/litellm/2026-11-01/chatcmpl-0:1"


@pytest.mark.parametrize(
    ("path", "count"), [("s3://logs/litellm/*/chat*", 3), ("s3://logs/*.gz", 3), ("s3://logs", 6), ("s3://logs/lines.jsonl.gz", 3)]
)  # fmt: skip
@pytest.mark.usefixtures("bucket")
def test_globs_and_files_are_read(path: str, count: int) -> None:
    assert len(cases(path)) == count


def test_a_file_that_needs_to_seek_is_read(bucket: Any) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([{"messages": [{"role": "user", "content": "x"}], "response": "y"}]), buffer)
    bucket.pipe("logs/a.parquet", buffer.getvalue())
    (case,) = cases("s3://logs/a.parquet")
    assert (case.user, case.target) == ("x", "y")


@pytest.mark.usefixtures("bucket")
@pytest.mark.parametrize("path", ["s3://logs/nothing.jsonl", "s3://logs/*.csv", "s3://no-such-bucket/a"])
def test_what_is_not_there_is_refused(path: str) -> None:
    with pytest.raises(LogsError) as caught:
        find_logs([path])
    assert caught.value.remedy


def test_a_server_that_is_gone_is_refused(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    type(bucket).clear_instance_cache()
    with pytest.raises(LogsError, match="cannot be looked up"):
        find_logs(["s3://logs/litellm"])
    monkeypatch.undo()
