"""The contract of `ESTIMATORS`: every entry passes the same tests, and every entry is documented and reachable."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from curator import cli, score
from curator.disagreement.equivalence.comparers import VectorComparer, WordComparer
from curator.disagreement.estimators import ESTIMATORS, require_estimators
from curator.disagreement.recorded import estimator_values
from curator.errors import ConfigError
from curator.records import Kind
from curator.records.recorded import Answered, Recorded

ROUNDING = 1e-9
EVERY = pytest.mark.parametrize("name", list(ESTIMATORS))
WORDINGS: dict[Kind, Sequence[str]] = {
    "label": ("billing", "returns", "delivery"),
    "short": ("King James", "James I", "Charles the First"),
    "text": ("The parcel is late because of snow.", "Snow delays the parcel.", "We never sent it, sorry.", "红色的车"),
    "json": ('{"a": 1, "b": ["x"]}', '{"a": 2, "b": ["x"]}', '{"b": []}'),
}


def vectors(texts: Sequence[str]) -> NDArray[np.float32]:
    """A unit vector for each text that depends on nothing but the text."""
    rows = np.stack([np.random.default_rng(list(text.encode())).normal(size=16) for text in texts])
    unit: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


by_vectors = partial(VectorComparer, vectors=vectors, name="test")


def record(kind: Kind, texts: Sequence[str], *, target: str | None) -> Recorded:
    generator = random.Random(len(texts))
    answers = tuple(
        Answered(text, prompt_id=f"m{i % 2}/v{i % 3}", logprobs=tuple(-generator.random() for _ in range(1 + i % 4)))
        for i, text in enumerate(texts)
    )
    return Recorded("c", answers, target, kind, ("billing", "returns", "delivery"), "Why?", "Why?")


def records() -> list[Recorded]:
    """Cases of 2 to 9 answers of every kind that is compared in its own way, with all that an estimator can need."""
    cases = []
    for seed in range(40):
        generator = random.Random(seed)
        kind = list(WORDINGS)[seed % len(WORDINGS)]
        texts = generator.choices(WORDINGS[kind], k=generator.randint(2, 9))
        cases.append(record(kind, texts, target=generator.choice(WORDINGS[kind])))
    return cases


def value(case: Recorded, name: str) -> float | None:
    return estimator_values(case, [name], comparer=by_vectors)[name]


@EVERY
def test_a_value_is_in_the_range_of_its_entry(name: str) -> None:
    entry = ESTIMATORS[name]
    values = [value(case, name) for case in records()]
    numbers = [number for number in values if number is not None]
    assert len(numbers) == len(values) if "json" not in entry.needs else numbers
    assert len(set(numbers)) > 1
    for number in numbers:
        assert entry.lowest is None or number >= entry.lowest - ROUNDING
        assert entry.highest is None or number <= entry.highest + ROUNDING


@EVERY
@pytest.mark.parametrize("kind", WORDINGS)
@pytest.mark.parametrize("n", [2, 7])
def test_answers_that_are_the_same_have_the_value_of_agreement(name: str, kind: Kind, n: int) -> None:
    text = WORDINGS[kind][0]
    entry = ESTIMATORS[name]
    if entry.on_agreement is not None and ("json" not in entry.needs or kind == "json"):
        assert value(record(kind, [text] * n, target=text), name) == pytest.approx(entry.on_agreement, abs=ROUNDING)


@EVERY
def test_the_order_of_the_answers_changes_no_value(name: str) -> None:
    for seed, case in enumerate(records()):
        answers = list(case.answers)
        random.Random(seed).shuffle(answers)
        assert value(replace(case, answers=tuple(answers)), name) == value(case, name)


@EVERY
def test_a_case_that_lacks_what_is_needed_has_no_value(name: str) -> None:
    entry = ESTIMATORS[name]
    full = record("json", WORDINGS["json"], target=WORDINGS["json"][0])
    assert value(full, name) is not None
    assert value(replace(full, answers=full.answers[:1]), name) is None
    assert value(replace(full, answers=()), name) is None
    assert (value(replace(full, target=None), name) is None) is ("target" in entry.needs)
    without = (*full.answers[:-1], replace(full.answers[-1], logprobs=None))
    assert (value(replace(full, answers=without), name) is None) is ("logprobs" in entry.needs)
    by_words_alone = estimator_values(full, [name], comparer=WordComparer)[name]
    assert (by_words_alone is None) is ("vectors" in entry.needs)
    no_json = record("label", WORDINGS["label"], target="billing")
    assert (value(no_json, name) is None) is ("json" in entry.needs)


@EVERY
def test_an_entry_says_what_it_is(name: str) -> None:
    entry = ESTIMATORS[name]
    assert entry.version >= 1
    assert entry.needs
    assert entry.meaning
    assert f"`{name}`" in (Path(__file__).parents[3] / "docs" / "estimators.md").read_text(encoding="utf-8")


def test_an_unknown_name_lists_the_names() -> None:
    assert require_estimators(["deg_words", "vote_margin", "deg_words"], where="here") == ("deg_words", "vote_margin")
    with pytest.raises(ConfigError, match="here: unknown estimator 'vote'") as caught:
        require_estimators(["vote"], where="here")
    assert "vote_margin" in str(caught.value.remedy)


RECORD: dict[str, Any] = {
    "id": "a",
    "input": "Is it open?",
    "target": "yes",
    "generations": [{"text": "yes", "model": "m"}, {"text": "no", "model": "m"}],
}


def test_the_public_function_adds_the_values() -> None:
    (scored,) = score([RECORD], estimators=["share_against", "eigen_score"])
    assert scored.estimators == {"share_against": 0.5, "eigen_score": None}
    assert score([RECORD])[0].estimators is None
    with pytest.raises(ConfigError, match="estimators: unknown estimator 'entropy'"):
        score([RECORD], estimators=["entropy"])


def test_the_command_adds_the_values_and_changes_nothing_else(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    recorded = tmp_path / "recorded.jsonl"
    recorded.write_text(json.dumps(RECORD) + "\n")
    assert cli.main(["score", str(recorded)]) == 0
    plain = json.loads(capsysbinary.readouterr().out)
    assert "estimators" not in plain
    arguments = ["score", str(recorded), "--estimator", "share_against", "--estimator", "likelihood_margin"]
    assert cli.main(arguments) == 0
    row = json.loads(capsysbinary.readouterr().out)
    assert row == {**plain, "estimators": {"share_against": 0.5, "likelihood_margin": None}}


def test_the_command_refuses_an_unknown_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded = tmp_path / "recorded.jsonl"
    recorded.write_text(json.dumps(RECORD) + "\n")
    assert cli.main(["score", str(recorded), "--estimator", "entropy"]) == ConfigError.exit_code
    assert "--estimator: unknown estimator 'entropy'" in capsys.readouterr().err
