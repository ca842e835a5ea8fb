"""The three parts of a disagreement add up and agree with the score's own split."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.disagreement.equivalence.word_kernel import word_distances
from curator.disagreement.estimators.decomposition import Decomposition, decompose_classes, decompose_distances
from curator.disagreement.estimators.partition import entropy, rao_entropy, semantic_entropy

ANSWERS = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["m1", "m2"]), st.sampled_from(["v1", "v2", "v3"])),
    min_size=2,
    max_size=14,
)


def unzip(answers: list[tuple[str, str, str]]) -> tuple[list[str], list[str], list[str]]:
    said, models, variants = zip(*answers, strict=True)
    return list(said), list(models), list(variants)


@given(ANSWERS)
def test_the_parts_of_the_entropy_add_up_exactly_and_refine_the_split_of_the_score(
    answers: list[tuple[str, str, str]],
) -> None:
    said, models, variants = unzip(answers)
    parts = decompose_classes(said, models, variants)
    split = semantic_entropy(said, [f"{m}/{v}" for m, v in zip(models, variants, strict=True)])
    by_model = semantic_entropy(said, models)
    assert min(parts.models, parts.variants, parts.within) >= 0
    assert parts.total == pytest.approx(entropy(said) / np.log(len(said)), abs=1e-12)
    assert parts.within == pytest.approx(split.within, abs=1e-12)
    assert parts.models + parts.variants == pytest.approx(split.between, abs=1e-12)
    assert parts.models == pytest.approx(by_model.between, abs=1e-12)


@given(ANSWERS)
def test_the_parts_of_the_distances_add_up_exactly_too(answers: list[tuple[str, str, str]]) -> None:
    said, models, variants = unzip(answers)
    matrix = word_distances([f"the {word} {number % 3}" for number, word in enumerate(said)])
    parts = decompose_distances(matrix, models, variants)
    split = rao_entropy(matrix, [f"{m}/{v}" for m, v in zip(models, variants, strict=True)])
    assert min(parts.models, parts.variants, parts.within) >= 0
    assert parts.within == pytest.approx(split.within, abs=1e-12)
    assert parts.models + parts.variants == pytest.approx(split.between, abs=1e-12)


def test_each_part_is_what_its_name_says() -> None:
    models, variants = list("mmmmnnnn"), list("vvwwvvww")
    assert decompose_classes(list("aaaabbbb"), models, variants).models == pytest.approx(
        decompose_classes(list("aaaabbbb"), models, variants).total
    )
    by_variant = decompose_classes(list("aabbaabb"), models, variants)
    assert (by_variant.models, by_variant.within) == (pytest.approx(0), pytest.approx(0))
    noise = decompose_classes(list("abababab"), models, variants)
    assert noise.within == pytest.approx(noise.total)
    assert decompose_classes(list("aaaaaaaa"), models, variants) == Decomposition(0.0, 0.0, 0.0)
