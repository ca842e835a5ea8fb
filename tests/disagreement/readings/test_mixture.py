"""The mixture of readings: what it is fitted to, and the distances that it gives."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import orjson
import pytest

from curator.answers.candidates import field_readings
from curator.disagreement.readings.content import WordWeights, containment, content, polarity
from curator.disagreement.readings.fit import MOST_MEMBERS, fit_mixture
from curator.disagreement.readings.mixture import PRODUCTION, CaseTexts, Distances, Mixture
from curator.disagreement.recorded import fit_scoring, score_record
from curator.run_folder.recorded import read_record

Wrap = Callable[[str, random.Random], str]
TALK = (
    "Let me think about that for a moment.", "We start from what is given.", "Some care is needed here.",
    "There is more than one way to see it.", "First the units, then the rest.",
)  # fmt: skip


def bare(answer: str, _random: random.Random) -> str:
    return answer


def reasoned(answer: str, random: random.Random) -> str:
    return f"{' '.join(random.sample(TALK, 3))} Verdict -> {answer}"


def fielded(answer: str, random: random.Random) -> str:
    return f'{{"why": "{" ".join(random.sample(TALK, 2))}", "pick": "{answer}"}}'


def task(wraps: Sequence[Wrap], *, cases: int = 120, seed: int = 0) -> tuple[list[CaseTexts], list[list[str]]]:
    """Make cases with one member a wrap, which is right in four of five cases, and the bare answers of each."""
    draw = random.Random(seed)
    made, plain = [], []
    for number in range(cases):
        answers = [str(number * 7) if draw.random() < 0.8 else str(draw.randrange(1000)) for _ in wraps]
        texts = [wrap(answer, draw) for wrap, answer in zip(wraps, answers, strict=True)]
        made.append(CaseTexts(texts, [f"m{i}" for i in range(len(wraps))], [None] * len(wraps), f"case {number}?"))
        plain.append(answers)
    return made, plain


def rank_agreement(mixture: Mixture, cases: Sequence[CaseTexts], plain: Sequence[Sequence[str]]) -> float:
    """Return the chance that a case whose bare answers differ is above one whose bare answers are the same."""
    scores = [mixture.distances(case, {}).total for case in cases]
    split = [s for s, answers in zip(scores, plain, strict=True) if len(set(answers)) > 1]
    same = [s for s, answers in zip(scores, plain, strict=True) if len(set(answers)) == 1]
    return sum((a > b) + (a == b) / 2 for a in split for b in same) / (len(split) * len(same))


@pytest.mark.parametrize("wraps", [(bare,) * 4, (reasoned,) * 4, (fielded,) * 4, (bare, reasoned, reasoned, fielded)])
def test_the_answer_inside_a_wrap_decides(wraps: Sequence[Wrap]) -> None:
    cases, plain = task(wraps)
    assert rank_agreement(fit_mixture(cases), cases, plain) > 0.95


def test_a_reading_that_only_some_members_share_has_weight_for_those_alone() -> None:
    cases, _ = task((bare, bare, reasoned))
    mixture = fit_mixture(cases)
    assert mixture.weights is not None
    whole = mixture.names.index("whole text")
    terse, other, verbose = (mixture.places[member] for member in ("m0", "m1", "m2"))
    assert mixture.weights[whole, terse, other] > 0.4
    assert mixture.weights[whole, terse, verbose] < 0.15


def test_the_fit_does_not_depend_on_the_order_of_the_cases() -> None:
    cases, _ = task((bare, reasoned))
    shuffled = random.Random(1).sample(cases, len(cases))
    assert fit_mixture(cases).evidence == fit_mixture(shuffled).evidence


def test_equal_answers_have_distance_0_and_unrelated_ones_about_1() -> None:
    cases, _ = task((bare, bare, bare))
    mixture = fit_mixture(cases)
    members = ["m0", "m1", PRODUCTION]
    assert mixture.distances(CaseTexts(["5", "5", "5"], members, [None] * 3, "q"), {}) == Distances(0.0, 0.0)
    apart = mixture.distances(CaseTexts(["5", "81", "902"], members, [None] * 3, "q"), {})
    assert apart.total == pytest.approx(1, abs=0.05)
    assert apart.against == pytest.approx(1, abs=0.05)


def test_an_answer_that_a_reading_cannot_read_is_neither_near_nor_far() -> None:
    cases, _ = task((bare, bare, bare))
    mixture = fit_mixture(cases)
    members = ["m0", "m1"]
    same, unread, other = (
        mixture.distances(CaseTexts(["5", text], members, [None] * 2, "q"), {}).total for text in ("5", "???", "6")
    )
    assert same < unread < other


def test_a_member_of_weight_0_does_not_count_unless_fewer_than_two_would() -> None:
    case = CaseTexts(["5", "5", "6"], ["m0", "m1", "odd"], ["5", "5", "6"], "q")
    assert Mixture().distances(case, {"odd": 0.0}).total == 0
    assert Mixture().distances(case, {"odd": 0.0, "m0": 0.0}).total == pytest.approx(2 / 3)


def test_without_a_sample_the_value_of_the_kind_decides() -> None:
    members = ["m0", "m1"]
    assert Mixture().distances(CaseTexts(["$3", "3.00"], members, ["3", "3"], "q"), {}).total == 0
    assert Mixture().distances(CaseTexts(["in Paris", "Paris"], members, [None, None], "q"), {}).total < 0.5


def test_words_of_the_question_say_nothing_and_rare_words_say_more() -> None:
    weights = WordWeights.of(100, {"model": 99, "language": 99})
    assert set(content("The capital is Paris", frozenset({"the", "capital", "is"}), weights)) == {"paris"}
    disclaimer = content("language model: Oslo", frozenset(), weights)
    assert containment(disclaimer, content("language model: Rome", frozenset(), weights)) < 0.2
    assert containment(disclaimer, content("it is Oslo, by the fjord", frozenset(), weights)) > 0.9


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("Yes, it has.", "yes"),
        ("No, it never has.", "no"),
        ("I cannot browse the web. The bridge across the Rhine is open to bicycles.", "yes"),
        ("I can look that up. The bridge across the Rhine isn't open to bicycles.", "no"),
        ("Nein, die Rhine Brücke ist nicht offen.", "no"),
        ("...", None),
    ],
)
def test_the_sentence_about_the_question_affirms_or_denies(text: str, verdict: str | None) -> None:
    assert polarity(text, frozenset(["bridge", "across", "rhine", "open", "bicycles"])) == verdict


def test_fields_that_the_answers_share_become_readings() -> None:
    answers = ['{"out": {"label": "A"}, "note": "x"}', 'Sure: {"out": {"label": "b"}, "note": "y"}'] * 30 + ["plain"]
    readings = {reading.name: reading.read for reading in field_readings(answers)}
    assert set(readings) == {"JSON field out.label", "JSON field note"}
    assert readings["JSON field out.label"](answers[1]) == "b"
    assert readings["JSON field note"]("plain") is None


def test_calls_are_compared_by_their_arguments_and_not_by_their_last_word() -> None:
    texts = ['book(city="Rome %d", days=%d)', '{"name": "book", "arguments": {"days": %d, "city": "Rome %d"}}']
    cases = [
        CaseTexts(
            [texts[0] % (i, i), texts[1] % (i, i), texts[0] % (i, i + i % 2)], ["a", "b", "c"], [None] * 3, "book"
        )
        for i in range(60)
    ]
    mixture = fit_mixture(cases)
    assert not mixture.is_prose
    assert mixture.evidence[0].name == "structure of tool_call"
    same, other = (mixture.distances(CaseTexts([texts[0] % (5, 5), t], ["a", "b"], [None] * 2, ""), {}).total for t in (
        texts[1] % (5, 5), texts[1] % (9, 5),
    ))  # fmt: skip
    assert same < other / 2


def test_the_value_is_read_inside_the_frame_that_the_answers_share() -> None:
    draw = random.Random(3)
    lines = [
        {
            "id": str(i),
            "input": f"question {i}",
            "generations": [
                {"text": f"{' '.join(draw.sample(TALK, 2))} Verdict -> {7 * i + 11} !", "model": f"m{k}"}
                for k in range(4)
            ],
        }
        for i in range(60)
    ]
    records = [read_record(orjson.dumps(line)) for line in lines]
    model, _ = fit_scoring(records)
    (task,) = model.readings
    assert task.frames
    read = [score_record(record, model=model) for record in records]
    assert [(score.majority or "").split()[-1] for score in read] == [str(7 * i + 11) for i in range(60)]
    assert sum(score.agreement or 0 for score in read) / len(read) > 0.75


def test_a_committee_of_many_members_keeps_small_tables() -> None:
    members = [f"prompt {i}" for i in range(60)]
    cases = [
        CaseTexts([str(n)] * 60, members, [str(n)] * 60, f"case {n}?") for n in range(120)
    ]  # 12 of the 60 answers of a case are used
    mixture = fit_mixture([replace(c, texts=c.texts[i % 5 * 12 :][:12], members=members[i % 5 * 12 :][:12],
                                   values=c.values[:12]) for i, c in enumerate(cases)])  # fmt: skip
    assert len(mixture.places) == MOST_MEMBERS + 1
    assert mixture.distances(CaseTexts(["1", "2"], ["prompt 59", "new"], ["1", "2"], "q"), {}).total > 0.9
