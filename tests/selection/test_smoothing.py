from __future__ import annotations

import numpy as np

from curator.selection.learner import fit_classes, fit_learner
from curator.selection.smoothing import NEIGHBOURS, smoothed


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def groups(noise: float, *, count: int = 8, each: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Vectors about random directions, and the direction of each."""
    rng = np.random.default_rng(0)
    centres = np.linalg.qr(rng.normal(size=(64, count)))[0].T
    names = np.repeat(np.arange(count), each)
    return unit(centres[names] + rng.normal(scale=noise, size=(count * each, 64))), names


def test_a_text_moves_toward_its_nearest_in_the_pool_and_keeps_its_length() -> None:
    pool, names = groups(0.08)
    texts = unit(pool[::7] + 0.05)
    moved = smoothed(texts, pool)
    assert np.allclose(np.linalg.norm(moved, axis=1), 1, atol=1e-5)
    for text, new, name in zip(texts, moved, names[::7], strict=True):
        centre = pool[names == name].mean(axis=0)
        assert new @ centre > text @ centre


def test_near_neighbours_count_more_than_far_ones() -> None:
    pool = np.eye(3, dtype=np.float32)
    text = unit(np.array([[1.0, 0.5, 0.0]]))
    moved = smoothed(text, pool)
    assert moved[0, 0] / moved[0, 1] > 2.5
    assert moved[0, 2] < 1e-3


def test_the_rows_do_not_depend_on_each_other_nor_on_the_order_of_the_pool() -> None:
    pool, _ = groups(0.1)
    whole = smoothed(pool, pool)
    assert np.allclose(whole[:5], smoothed(pool[:5], pool[::-1]), atol=1e-5)


def test_a_pool_smaller_than_the_neighbours_and_an_empty_one() -> None:
    pool, _ = groups(0.1)
    assert smoothed(pool, pool[: NEIGHBOURS - 5]).shape == pool.shape
    assert smoothed(pool, pool[:0]) is pool
    assert smoothed(pool[:0], pool).shape == (0, 64)


def test_new_texts_gain_by_the_unlabelled_cases() -> None:
    vectors, names = groups(0.25)
    pool, texts, truth = vectors[::2], vectors[1::2], names[1::2]
    labels = names[::2][::10].tolist()
    plain = fit_classes(pool[::10], labels)
    helped = fit_classes(smoothed(pool[::10], pool), labels)
    assert plain is not None
    assert helped is not None
    right = (helped.probabilities(smoothed(texts, pool)).argmax(axis=1) == truth).mean()
    assert right > (plain.probabilities(texts).argmax(axis=1) == truth).mean() + 0.05


def test_the_learner_of_a_pool_learns_from_smoothed_vectors() -> None:
    pool, names = groups(0.05)
    places = [*range(0, len(pool), 20)]
    fitted = fit_classes(smoothed(pool, pool)[places], names[places].tolist())
    assert fitted is not None
    probabilities = fit_learner(pool, places, names[places].tolist())
    assert probabilities is not None
    assert np.allclose(probabilities, fitted.probabilities(smoothed(pool, pool)))
    assert not np.allclose(probabilities, fitted.probabilities(pool), atol=1e-3)
