from __future__ import annotations

import contextlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.disagreement.equivalence.comparers import VerdictComparer, WordComparer
from curator.disagreement.equivalence.leader_clustering import Pair
from curator.disagreement.members.health import group_weights
from curator.disagreement.recorded import fit_scoring, score_record
from curator.disagreement.score import SCORER
from curator.errors import RecordError
from curator.records import Score
from curator.run_folder.recorded import read_record
from curator.workflows import score as api

GOLDEN = Path(__file__).parents[1] / "golden"
CONTRACT = ("id", "disagreement", "within", "between", "against_target", "kind", "scorer", "majority", "agreement", "n")


def score_one(record: object) -> Score:
    return score_record(read_record(orjson.dumps(record)))


def test_recorded_answers_give_the_golden_scores() -> None:
    lines = (GOLDEN / "disagreement.recorded.jsonl").read_bytes().splitlines()
    scores = [score_record(read_record(line)) for line in lines]
    expected = [orjson.loads(line) for line in (GOLDEN / "disagreement.scores.jsonl").read_bytes().splitlines()]
    assert len(scores) == len(expected) == len(lines)
    for score, wanted in zip(scores, expected, strict=True):
        written = orjson.loads(orjson.dumps(score))
        assert tuple(written)[: len(CONTRACT)] == CONTRACT
        assert written.pop("estimators") is None
        assert written.pop("signals") == pytest.approx(wanted.pop("signals", None), abs=1e-12)
        assert written == {k: pytest.approx(v, abs=1e-12) if isinstance(v, float) else v for k, v in wanted.items()}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"id": "x", "gener', "not valid JSON"),
        (b"[1]", "expected an object, found list"),
        (b'{"id": "x"}', "no list of answers to compare among the keys 'id'"),
        (b'{"id": "x", "generations": "18"}', "no list of answers to compare among the keys 'id', 'generations'; `gen"),
        (b'{"id": "x", "generations": [18]}', "a generation is int"),
        (b'{"id": "\xff", "generations": []}', "not valid JSON"),
    ],
)
def test_a_record_that_does_not_fit_is_refused_with_a_remedy(line: bytes, reason: str) -> None:
    with pytest.raises(RecordError) as caught:
        read_record(line)
    assert caught.value.reason.startswith(reason)
    assert caught.value.remedy


def test_model_and_variant_together_are_the_group() -> None:
    def between(left: dict[str, str], right: dict[str, str]) -> float | None:
        result = score_one({"id": "a", "generations": [{"text": "1", **left}, {"text": "2", **right}]})
        return result.between

    assert between({"model": "m", "variant": "v"}, {"model": "m", "variant": "v"}) == 0
    assert between({"model": "m", "variant": "v"}, {"model": "m", "variant": "w"}) == 1
    assert between({"model": "m", "variant": "v"}, {"model": "n", "variant": "v"}) == 1
    assert between({"model": "mv"}, {"model": "m", "variant": "v"}) == 1


def test_the_kind_is_detected_where_it_is_missing_or_unknown() -> None:
    generations = ["yes", "Yes, because it is so and nothing else could ever be the case here.", "no"]
    for extra in ({}, {"kind": None}, {"kind": "no kind"}):
        result = score_one({"id": "a", "generations": generations, **extra})
        assert (result.kind, result.majority) == ("boolean", "yes")
    given_kind = score_one({"id": "a", "generations": generations, "kind": "text"})
    assert given_kind.kind == "text"


@pytest.mark.parametrize(
    "asked",
    [
        "Which?\n(A) Rome\n(B) Paris",
        [
            {"role": "user", "content": "Which?\n(A) Rome\n(B) Paris"},
            {"role": "assistant", "content": "(A) one\n(B) two"},
        ],
        [
            {"role": "system", "content": "Choose."},
            {"role": "user", "content": [{"type": "text", "text": "(A) Rome\n(B) Paris"}]},
        ],
    ],
)
def test_the_options_of_the_input_make_letter_and_wording_one(asked: object) -> None:
    result = score_one(
        {"id": "a", "input": asked, "generations": ["(B)", "Paris", "The answer is B."], "target": "paris"}
    )
    assert isinstance(result, Score)
    assert (result.kind, result.disagreement, result.against_target) == ("choice", 0, 0)


def test_a_target_need_not_be_a_text() -> None:
    result = score_one({"id": "a", "target": 18, "generations": ["18", "17"]})
    assert result.against_target == 0.5


def nested(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return (
        inner
        | st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["text", "model", "x"]), inner, max_size=3)
    )


scalars = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9, allow_nan=False) | st.text(max_size=9)
json_values = nested(nested(scalars))


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["id", "generations", "target", "kind", "input"]), json_values), max_size=5
    )
)
def test_every_record_is_scored_or_refused(records: list[object]) -> None:
    for record in records:
        with contextlib.suppress(RecordError):
            assert score_one(record).scorer == SCORER


def test_members_are_judged_by_what_their_answers_mean_and_not_by_their_wording() -> None:
    said = {"plain": "Paris", "careful": "Paris", "restated": "The city called Paris"}
    generations = [{"text": text, "variant": variant} for variant, text in said.items()]
    record = {"input": "What is the capital city called?", "kind": "short", "generations": generations}
    _, found = fit_scoring([read_record(orjson.dumps(record | {"id": str(i)})) for i in range(40)])
    assert group_weights(found) == {"careful": 1, "plain": 1, "restated": 1}


def test_members_are_judged_by_what_compares_their_answers() -> None:
    said = {"plain": "steam engine", "careful": "steam engine", "restated": "iron horse"}
    generations = [{"text": text, "variant": variant} for variant, text in said.items()]
    record = {"input": "what pulls it", "kind": "short", "generations": generations}
    records = [read_record(orjson.dumps(record | {"id": str(i)})) for i in range(40)]
    same = partial(VerdictComparer, decide=lambda pairs: dict.fromkeys(pairs, True), name="all")
    alike, by_words = ({h.variant: h.agreement.value for h in fit_scoring(records, c)[1]} for c in (same, WordComparer))
    assert alike == {"careful": 1, "plain": 1, "restated": 1}
    assert by_words == {"careful": 0.5, "plain": 0.5, "restated": 0}


def test_a_score_weighs_members_by_what_compares_their_answers() -> None:
    said = {"plain": "steam engine", "careful": "steam engine", "restated": "iron horse"}
    generations = [{"text": text, "variant": variant} for variant, text in said.items()]
    record = {"input": "what pulls it", "kind": "short", "target": "a mule", "generations": generations}
    other = record | {"generations": [g | {"text": t} for g, t in zip(generations, ("x", "x", "a mule"), strict=True)]}
    records = [*(record | {"id": str(i)} for i in range(40)), other | {"id": "other"}]

    def decide(pairs: Sequence[Pair]) -> dict[Pair, bool | None]:
        return {pair: {pair.left, pair.right} == {"steam engine", "iron horse"} for pair in pairs}

    scores = api.score(records, scoring=api.Scoring(comparer=partial(VerdictComparer, decide=decide, name="two")))
    one_in_three, alone = scores[-1], api.score(records)[-1]
    assert one_in_three.disagreement is not None
    assert alone.disagreement is not None
    assert one_in_three.disagreement < 0.75 < alone.disagreement
