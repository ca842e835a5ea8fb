from __future__ import annotations

import json
import pickle
import random
from collections.abc import Callable

import pytest

from curator.answers.frames.frame import Frame, ReadingChain, fields, trimmed
from curator.answers.frames.induction import induce_reading_chain
from curator.answers.frames.sample import information
from curator.answers.frames.tokens import inner_key
from tests.answers.invented_answers import KINDS
from tests.answers.invented_shapes import Shape, shape

CITIES = ("Lisbon", "New York City", "Graz", "Cape Town", "Oslo", "Kyoto", "Ghent", "Porto Alegre", "Tartu", "Lima")
REASONS = (
    "it rains often",
    "the map shows it",
    "that is known",
    "nothing else fits",
    "we looked it up",
    "the text hints at it",
)


@pytest.mark.parametrize(
    ("frame", "text", "inner"),
    [
        (Frame("marker", "action : answer"), 'So be it.\nAction: Answer("B")\n', '("B")'),
        (Frame("marker", 'answer ( "', '" )'), 'So be it.\nAction: Answer("B")\n', "B"),
        (
            Frame("marker", "so the answer is", "sentence"),
            "So the answer is C. Wait: so the answer is (B). Bye",
            "(B)",
        ),
        (Frame("marker", "answer :", "line", last=False), "Answer: B\nAnswer: C", "B"),
        (Frame("marker", "答 案", "text"), "我想,答案B。", "B"),
        (Frame("marker", "is", "word"), "This was Lisbon", None),
        (Frame("marker", "pick :", "since"), "PICK: New York City since it rains", "New York City"),
        (Frame("field", "answer"), 'Here: {"why": "a, b", "Answer": "B",} done', "B"),
        (Frame("field", "data.n"), '```json\n{"data": {"n": [1, 2]}}\n```', "[1, 2]"),
        (Frame("field", "answer"), "no JSON", None),
        (Frame("enclosure", "**", "**"), "I **think** of **B**.", "B"),
        (Frame("enclosure", "**", "**", last=False), "I **think** of **B**.", "think"),
        (Frame("enclosure", "```", "```"), "So:\n```sql\nSELECT 1\n```\n", "SELECT 1"),
        (Frame("enclosure", "\\boxed{", "}"), r"thus \boxed{\frac{1}{2}} holds", r"\frac{1}{2}"),
        (Frame("enclosure", "(", ")"), "f(x) (a (b))", "a (b)"),
        (Frame("block", "<muse>"), "<muse>Is it C?</muse>\nB", "B"),
        (Frame("place", "first", "line", last=False), "B\n\nbecause", "B"),
        (Frame("place", "last", "word"), "It must be **B**.", "B"),
    ],
)
def test_a_frame_reads_the_part_inside(frame: Frame, text: str, inner: str | None) -> None:
    assert frame.read(text) == inner
    assert pickle.loads(pickle.dumps(frame)) == frame  # noqa: S301
    assert frame.name


@pytest.mark.parametrize(
    ("text", "bare"),
    [('"B")', "B"), ("(B).", "(B)"), ("**[1, 2]**", "[1, 2]"), ("don't", "don't"), ("‘x’", "x"), ("-5", "-5")],  # noqa: RUF001
)
def test_quotes_and_lone_brackets_are_trimmed(text: str, bare: str) -> None:
    assert trimmed(text) == bare


def test_an_unclosed_block_leaves_nothing() -> None:
    chain = ReadingChain(((Frame("block", "<muse>"),),))
    assert chain.read("<muse>Is it") == ""
    assert chain.read("so</muse> B") == "B"
    assert chain.read("B") == "B"


def test_fields_are_read_from_broken_json() -> None:
    assert fields('{"a": "x", "b": "cut') == {"a": "x"}
    assert fields("{'a': 'it', \"N\": 3,\n}")["n"] == "3"


def test_numbers_are_compared_by_value_and_signs_where_there_is_nothing_else() -> None:
    assert inner_key("$1,000.50") == inner_key("1000.5") != inner_key("-1000.5")
    assert inner_key("] }") != inner_key("] )")


def test_information_is_least_where_agreement_is_no_more_than_chance() -> None:
    assert information(0.3, 0.3) == 0
    assert information(0.9, 0.3) > information(0.6, 0.3) > 0
    assert information(0.6, 0.0) > information(0.6, 0.3)


def committee(*wraps: Callable[[str, random.Random], str], cases: int = 40) -> list[list[str]]:
    """Return answers of members with these wrappers, most of them the usual one."""
    draw = random.Random(1)
    answers = []
    for _ in range(cases):
        usual, *others = draw.sample(CITIES, 4)
        given = [usual if draw.random() < 0.75 else draw.choice(others) for _ in range(len(wraps) + 2)]
        answers.append([wraps[place % len(wraps)](city, draw) for place, city in enumerate(given)])
    return answers


def reasons(draw: random.Random) -> str:
    return " ".join(f"{draw.choice(REASONS).capitalize()} and {draw.choice(REASONS)}." for _ in range(4))


def test_members_with_different_frames_are_read_alike() -> None:
    cases = committee(
        lambda city, draw: f"{reasons(draw)}\nMy pick => {city}!",
        lambda city, _: city,
        lambda city, draw: f'{{"musings": "{reasons(draw)}", "spot": "{city}"}}',
        lambda city, draw: f"<muse>{reasons(draw)} {reasons(draw)}</muse><spot>{city}</spot> {draw.choice(REASONS)}",
    )
    chain = induce_reading_chain(cases)
    read = [chain.read(text) for case in cases for text in case]
    assert set(map(inner_key, read)) == set(map(inner_key, CITIES))
    assert chain.agreement > 0.4 > chain.chance
    assert chain.read("unframed") == "unframed"


def test_frames_do_not_depend_on_the_order() -> None:
    cases = committee(lambda city, draw: f"{reasons(draw)} Therefore: {city}.", lambda city, _: f"[{city}]")
    shuffled = [random.Random(2).sample(case, len(case)) for case in random.Random(3).sample(cases, len(cases))]
    assert induce_reading_chain(cases).frames == induce_reading_chain(shuffled).frames != ()


@pytest.mark.parametrize("kind", ["queries", "calls", "objects", "lists"])
def test_content_that_many_answers_share_is_not_a_frame(kind: str) -> None:
    cases = []
    for number in range(40):
        draw = random.Random(number)
        usual, *others = KINDS[kind](draw)
        cases.append([usual if draw.random() < 0.7 else draw.choice(others) for _ in range(5)])
    chain = induce_reading_chain(cases)
    for case in cases:
        assert len({inner_key(text) for text in case}) == len({inner_key(chain.read(text)) for text in case})


def test_prose_has_no_frame() -> None:
    assert induce_reading_chain(committee(lambda _, draw: reasons(draw))).frames == ()


def test_too_few_cases_have_no_frames() -> None:
    assert induce_reading_chain([["Answer: B", "Answer: C"]] * 3).frames == ()
    assert induce_reading_chain([["Answer: B"]] * 50).frames == ()
    assert induce_reading_chain([]).frames == ()


def share_read(task: Shape) -> float:
    """Return the share of answers whose class in the case is that of the known ones."""
    chain = induce_reading_chain([case.wrapped for case in task.cases])
    right = total = 0
    for case in task.cases:
        keys, read = list(map(inner_key, case.known)), [inner_key(chain.read(text)) for text in case.wrapped]
        for place in range(len(keys)):
            right += [key == keys[place] for key in keys] == [key == read[place] for key in read]
            total += 1
    return right / total


def test_answers_in_invented_shapes_are_read() -> None:
    shares = [share_read(shape(seed, cases=40)) for seed in range(5000, 5004)]
    assert sum(shares) / len(shares) >= 0.97


@pytest.mark.slow
def test_answers_in_many_invented_shapes_are_read() -> None:
    # The aim is 0.97; the benchmark measured 0.949 and 0.962 on shapes that no rule was made on.
    shares = [share_read(shape(seed)) for seed in range(7000, 7020)]
    assert sum(shares) / len(shares) >= 0.93


def records_of_two_answers() -> list[list[str]]:
    """Records with a place and a number, in both of which the members mostly agree, and a line of reasoning."""
    draw, cases = random.Random(1), []
    for _ in range(40):
        usual, people = draw.choice(CITIES), draw.randrange(10)
        cases.append(
            [
                json.dumps(
                    {
                        "spot": usual if draw.random() < 0.85 else draw.choice(CITIES),
                        "people": people if draw.random() < 0.85 else draw.randrange(10),
                        "note": reasons(draw),
                    }
                )
                for _ in range(5)
            ]
        )
    return cases


def test_a_record_of_several_answers_has_no_field_that_is_the_answer() -> None:
    assert not induce_reading_chain(records_of_two_answers()).frames


@pytest.mark.parametrize("other", ["confidence", "reasoning"])
def test_a_record_around_one_answer_has_a_field_frame(other: str) -> None:
    def member(city: str, draw: random.Random) -> str:
        beside = round(draw.random(), 2) if other == "confidence" else reasons(draw)
        fields = {"answer": city, other: beside} if other == "confidence" else {other: beside, "answer": city}
        return json.dumps(fields)

    chain = induce_reading_chain(committee(*[member] * 4))
    assert {inner_key(chain.read(member(city, random.Random(5)))) for city in CITIES} == set(map(inner_key, CITIES))
