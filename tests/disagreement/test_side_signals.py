from __future__ import annotations

from math import exp, log

import pytest

import curator
from curator.answers.read import read_answer
from curator.disagreement.side_signals import Stated, answer_logprobs, side_signals
from curator.records import Kind
from curator.records.token_logprobs import TokenLogprobs, read_logprobs
from curator.run_folder.scores import ScoreRow


def stated(text: str, kind: Kind = "short", probabilities: list[float] | None = None, *tokens: str) -> Stated:
    logprobs = None if probabilities is None else TokenLogprobs(tuple(map(log, probabilities)), tokens)
    return Stated(text, read_answer(text, kind), logprobs)


def test_only_the_tokens_of_the_answer_count() -> None:
    answer = stated(
        "So the total is 42.",
        "number",
        [0.1, 0.2, 0.3, 0.4, 0.9, 0.8, 0.5],
        "So",
        " the",
        " total",
        " is",
        " 4",
        "2",
        ".",
    )
    assert answer_logprobs(answer) == (log(0.9), log(0.8))
    signals = side_signals([answer, answer], None, lambda: [0, 0])
    assert signals is not None
    assert signals["token_nll"] == pytest.approx(-(log(0.9) + log(0.8)) / 2)
    assert signals["least_token_probability"] == pytest.approx(0.8)


def test_all_tokens_count_where_the_answer_cannot_be_found_in_them() -> None:
    values = (log(0.5), log(0.25))
    assert answer_logprobs(stated("42", "number", [0.5, 0.25])) == values
    assert answer_logprobs(stated("42", "number", [0.5, 0.25], "other", " words")) == values
    assert answer_logprobs(stated("42", "number")) == ()


def test_answers_without_log_probabilities_are_left_out_of_the_means() -> None:
    signals = side_signals([stated("a", "label", [0.5]), stated("b", "label")], None, lambda: [0, 1])
    assert signals is not None
    assert signals["token_nll"] == pytest.approx(log(2))
    assert "likelihood_entropy" not in signals


def test_the_entropy_is_weighted_by_likelihood() -> None:
    even = side_signals([stated("a", "label", [0.5]), stated("b", "label", [0.5])], None, lambda: [0, 1])
    uneven = side_signals([stated("a", "label", [0.9]), stated("b", "label", [0.1])], None, lambda: [0, 1])
    assert even is not None
    assert uneven is not None
    assert even["likelihood_entropy"] == pytest.approx(1)
    assert uneven["likelihood_entropy"] == pytest.approx(-(0.9 * log(0.9) + 0.1 * log(0.1)) / log(2))


def test_productions_answer_has_signals_of_its_own() -> None:
    target = stated('{"team": "a", "confidence": 0.2}', "json", [0.5, 0.5])
    assert side_signals([stated("Paris\nConfidence: 80%"), stated("Rome")], target, lambda: [0, 1]) == {
        "confidence": 0.8,
        "target_confidence": 0.2,
        "target_token_nll": pytest.approx(log(2)),
        "target_least_token_probability": pytest.approx(exp(log(0.5))),
    }


def test_answers_that_say_nothing_of_themselves_have_no_signals() -> None:
    assert side_signals([stated("a"), stated("b")], stated("a"), lambda: [0, 1]) is None


@pytest.mark.parametrize(
    ("value", "tokens", "expected"),
    [
        ([-0.5, -1], None, TokenLogprobs((-0.5, -1.0))),
        ([-0.5, -1], ["a", "b"], TokenLogprobs((-0.5, -1.0), ("a", "b"))),
        ([-0.5, -1], ["a"], TokenLogprobs((-0.5, -1.0))),
        ([{"token": "a", "logprob": -0.5, "top_logprobs": []}], None, TokenLogprobs((-0.5,), ("a",))),
        ({"content": [{"token": "a", "logprob": -0.5}], "refusal": None}, None, TokenLogprobs((-0.5,), ("a",))),
        ({"content": [{"token": None, "logprob": -0.5}]}, None, TokenLogprobs((-0.5,))),
        ({"content": None}, None, None),
        ({"content": [{"token": "a"}]}, None, None),
        ([], None, None),
        (["-0.5"], None, None),
        ([True], None, None),
        (None, ["a"], None),
    ],
)
def test_log_probabilities_are_read_in_each_shape(
    value: object, tokens: object, expected: TokenLogprobs | None
) -> None:
    assert read_logprobs(value, tokens) == expected


def test_a_score_shows_them_and_its_row_keeps_them() -> None:
    record = {
        "id": "c1",
        "input": "How many?",
        "kind": "number",
        "target": "42\nConfidence: 60%",
        "target_logprobs": {
            "content": [{"token": "42", "logprob": -1.0}, {"token": "\nConfidence: 60%", "logprob": -3.0}]
        },
        "generations": [{"text": "42\nConfidence: 90%", "logprobs": [-0.5, -0.5]}, {"text": "42", "logprobs": [-1.0]}],
    }
    (score,) = curator.score([record])
    assert score.disagreement == 0, "the confidence is no part of the answer"
    assert score.signals == pytest.approx(
        {
            "token_nll": 0.75, "least_token_probability": (exp(-0.5) + exp(-1)) / 2, "likelihood_entropy": 0.0,
            "confidence": 0.9, "target_token_nll": 1.0, "target_least_token_probability": exp(-1), "target_confidence": 0.6,
        }
    )  # fmt: skip
    assert ScoreRow.from_json(ScoreRow(score).to_json()) == ScoreRow(score)
    (plain,) = curator.score([{**record, "target": "42", "target_logprobs": None, "generations": ["42", "41"]}])
    assert plain.signals is None
    assert "signals" not in ScoreRow(plain).to_json()
