"""The built-in student: logistic regression on sentence vectors, smoothed over the pool.

It is for answers that are labels: each distinct answer is a class. The text of a case is the one that its row brings
(`TrainingRow.text`); the same kind of text is expected when the student is asked.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import orjson
from numpy.typing import NDArray

from curator.config import TrainerConfig
from curator.errors import Refused, StorageError
from curator.io.atomic import write_atomic
from curator.progress import Progress
from curator.selection.learner import LinearLearner, fit_classes
from curator.selection.smoothing import smoothed
from curator.text.display import one_line, plural
from curator.trainers.options import NoOptions, read_options
from curator.trainers.trainer import Embed, TrainedModel, Trainer, TrainingCost, TrainingJob

_FILE = "student.npz"
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Student:
    """A fitted student: a `Classifier`.

    Attributes:
        classes: the answers that it can give, C of them.
        learner: the regression, with a row of weights for each class.
        embed: texts to vectors, by the encoder that it was fitted with.
        pool: the vectors to smooth over (`smoothing.py`), (m, d).
        file: its place, for messages.
    """

    classes: tuple[str, ...]
    learner: LinearLearner
    embed: Embed
    pool: NDArray[np.float32]
    file: Path

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the probability of each class for n texts, (n, C), rows summing to 1.

        Raises:
            Refused: the vectors have another length than those that the student was fitted to.
        """
        if not texts:
            return np.zeros((0, len(self.classes)))
        vectors = self.embed(texts)
        wanted = self.learner.weights.shape[1]
        if vectors.shape[1] != wanted:
            raise Refused(
                f"{str(self.file)!r}: the student was fitted to vectors of {wanted} numbers, and the embedding model now gives"
                f" {vectors.shape[1]}",
                remedy="set `embedding.model` back to the one of that training, or begin another loop with `loop.folder`",
            )
        return self.learner.probabilities(smoothed(vectors, self.pool))


def _check(config: TrainerConfig, environ: Mapping[str, str]) -> None:  # noqa: ARG001  the form of a trainer
    read_options(NoOptions, config)


def _cost(job: TrainingJob) -> TrainingCost:  # noqa: ARG001  the form of a trainer
    return TrainingCost(tokens=0, usd=0.0)


def _train(job: TrainingJob, progress: Progress) -> TrainedModel:  # noqa: ARG001  `job.embed` has a bar of its own
    """Fit the student, and save it in the job's folder.

    A second time it is fitted again, to the same model.

    Raises:
        Refused: the rows have fewer than two classes.
    """
    started = time.monotonic()
    answers = [row.answer for row in job.rows]
    classes = tuple(dict.fromkeys(answers))
    vectors = job.embed([row.text for row in job.rows])
    learner = fit_classes(smoothed(vectors, job.embed(job.pool)), answers)
    if learner is None:
        shown = f"the same right answer, {one_line(classes[0], _SHOWN)!r}" if classes else "no right answer at all"
        raise Refused(
            f"{plural(len(answers), 'labelled case')} with {shown}: the student needs two different ones to learn from",
            remedy="label more cases (raise `loop.seed_labels`), or check that the labels have the right answer of each case and"
            " not only a verdict",
        )
    _save(job.folder / _FILE, learner, classes)
    few = (
        f"{plural(len(answers), 'labelled case')} with {len(classes):,} different right answers: the student learns little from so"
        " few of each. It suits answers that are labels; for texts choose another `loop.trainer`"
    )
    notes = (few,) if len(classes) * 2 > len(answers) else ()
    return TrainedModel("student", _FILE, time.monotonic() - started, tokens=0, usd=0.0, notes=notes)


@contextmanager
def _serve(model: TrainedModel, job: TrainingJob) -> Iterator[Student]:
    """Open a saved student.

    Raises:
        StorageError: its file is missing or damaged.
    """
    path = job.folder / model.model
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as arrays:
            classes = tuple(orjson.loads(arrays["classes"].tobytes()))
            learner = LinearLearner(arrays["weights"], arrays["intercepts"])
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise StorageError(
            f"{str(path)!r}: the saved student cannot be read ({error})",
            remedy="restore the file from a copy; or remove that round's `model.json` and the steps after it, and the same command"
            " trains again",
        ) from error
    yield Student(classes, learner, job.embed, job.embed(job.pool), path)


def _save(path: Path, learner: LinearLearner, classes: Sequence[str]) -> None:
    # The classes are bytes of JSON: numpy's own arrays of texts lose the zero bytes at their ends.
    buffer = io.BytesIO()
    names = np.frombuffer(orjson.dumps(classes), dtype=np.uint8)
    np.savez(buffer, weights=learner.weights, intercepts=learner.intercepts, classes=names)
    write_atomic(path, [buffer.getvalue()])


STUDENT = Trainer(
    name="student",
    description="logistic regression on sentence vectors, for answers that are labels; free, in seconds, on this computer",
    check=_check,
    cost=_cost,
    train=_train,
    serve=_serve,
    classifies=True,
)
