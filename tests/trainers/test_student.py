"""The student: a fitted model is saved without pickle, and reopened as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from curator.errors import Refused, StorageError
from curator.progress import Silent
from curator.selection.learner import fit_classes
from curator.selection.smoothing import smoothed
from curator.trainers import TRAINERS, TrainedModel
from tests.conftest import HashingEncoder
from tests.trainers.jobs import ANSWERS, job_of, rows_of

STUDENT = TRAINERS["student"]
ODD = ("billing", " billing\x00", "Lieferung \U0001f600", '"x"\n')


@pytest.mark.parametrize("answers", [ANSWERS * 6, ODD * 5], ids=["two classes", "texts of any kind"])
def test_a_reopened_student_answers_as_the_fitted_one(tmp_path: Path, answers: tuple[str, ...]) -> None:
    job = job_of(tmp_path, answers)
    model = STUDENT.train(job, Silent())
    texts = [row.text for row in job.rows]
    fitted = fit_classes(job.embed(texts), answers)
    assert fitted is not None
    with STUDENT.serve(model, job_of(tmp_path, answers)) as student:
        assert not hasattr(student, "base_url")
        assert student.classes == tuple(dict.fromkeys(answers))  # type: ignore[union-attr]
        probabilities = student.probabilities(texts)  # type: ignore[union-attr]
        assert student.probabilities([]).shape == (0, len(set(answers)))  # type: ignore[union-attr]
        guesses = [student.classes[place] for place in probabilities.argmax(axis=1)]  # type: ignore[union-attr]
    assert np.array_equal(probabilities, fitted.probabilities(job.embed(texts)))
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert guesses == list(answers)


@pytest.mark.parametrize("classes", [2, 3])
def test_the_probabilities_are_those_of_scikit_learn(classes: int) -> None:
    from sklearn.linear_model import LogisticRegression

    vectors = np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32)
    labels = [place % classes for place in range(60)]
    fitted = fit_classes(vectors, labels)
    assert fitted is not None
    reference = LogisticRegression(C=30.0, max_iter=300).fit(vectors, labels)
    assert np.allclose(fitted.probabilities(vectors), reference.predict_proba(vectors))


def test_the_pool_smooths_what_the_student_learns_and_what_it_is_asked(tmp_path: Path) -> None:
    job = replace(job_of(tmp_path), pool=[f"about {answer} letter{i}" for i in range(9) for answer in ANSWERS])
    model = STUDENT.train(job, Silent())
    texts = [row.text for row in job.rows]
    inputs = smoothed(job.embed(texts), job.embed(job.pool))
    fitted = fit_classes(inputs, [row.answer for row in job.rows])
    assert fitted is not None
    with STUDENT.serve(model, job) as student:
        probabilities = student.probabilities(texts)  # type: ignore[union-attr]
    assert np.array_equal(probabilities, fitted.probabilities(inputs))
    with STUDENT.serve(model, job_of(tmp_path)) as student:
        assert not np.allclose(probabilities, student.probabilities(texts))  # type: ignore[union-attr]


def test_no_pickle_is_in_the_file(tmp_path: Path) -> None:
    job = job_of(tmp_path)
    model = STUDENT.train(job, Silent())
    with np.load(tmp_path / model.model, allow_pickle=False) as arrays:
        assert set(arrays) == {"weights", "intercepts", "classes"}


@pytest.mark.parametrize(("answers", "shown"), [(("billing",) * 3, "'billing'"), ((), "no right answer")])
def test_fewer_than_two_classes_are_refused_with_a_remedy_that_works(
    tmp_path: Path, answers: tuple[str, ...], shown: str
) -> None:
    with pytest.raises(Refused, match=shown) as caught:
        STUDENT.train(job_of(tmp_path, answers), Silent())
    assert "seed_labels" in caught.value.remedy
    assert STUDENT.train(job_of(tmp_path, (*answers, "billing", "delivery")), Silent()).usd == 0


def test_answers_that_are_all_different_are_noted(tmp_path: Path) -> None:
    note = STUDENT.train(job_of(tmp_path, ("a", "b", "c")), Silent()).notes[0]
    assert "3 labelled cases with 3 different" in note
    assert not STUDENT.train(job_of(tmp_path), Silent()).notes


def test_vectors_of_another_model_are_refused(tmp_path: Path) -> None:
    model = STUDENT.train(job_of(tmp_path), Silent())
    other = job_of(tmp_path, embed=lambda texts: HashingEncoder().encode(texts)[:, :8])
    with STUDENT.serve(model, other) as student, pytest.raises(Refused, match=r"64 numbers.* gives 8"):
        student.probabilities(["a"])  # type: ignore[union-attr]


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04cut", b"\x80\x04K\x01."])
def test_a_damaged_file_is_named_and_training_again_repairs_it(tmp_path: Path, content: bytes | None) -> None:
    job = job_of(tmp_path)
    model = STUDENT.train(job, Silent())
    path = tmp_path / model.model
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(StorageError, match=r"student\.npz"), STUDENT.serve(model, job):
        pass
    STUDENT.train(job, Silent())
    with STUDENT.serve(model, job) as student:
        assert student.probabilities([rows_of(ANSWERS)[0].text]).argmax() == 0  # type: ignore[union-attr]


def test_a_second_training_gives_the_same_file(tmp_path: Path) -> None:
    job = job_of(tmp_path)
    path = tmp_path / STUDENT.train(job, Silent()).model
    first = dict(np.load(path))
    assert isinstance(STUDENT.train(job, Silent()), TrainedModel)
    assert all(np.array_equal(first[key], value) for key, value in np.load(path).items())
