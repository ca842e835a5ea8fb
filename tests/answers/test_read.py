from __future__ import annotations

import itertools
import json
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from curator.answers.json_values import with_sorted_sets
from curator.answers.read import ReadRule, detect_kind, extract, read_answer
from curator.disagreement.equivalence.comparers import classes_by_key, meaning
from curator.records import KINDS, JsonValue, Kind

LABELS = ("billing", "card arrival", "card arrival delay", "shipping", "n/a", "C++", "C")
REFUSALS = (
    "I'm sorry, but I can't help with your 3 orders.",
    "I cannot tell whether billing or shipping is right: yes or no.",
    "As an AI language model, I do not have 18 opinions.",
    "I don’t know.",  # noqa: RUF001
)


def key(text: str, kind: Kind, labels: tuple[str, ...] = ()) -> str:
    return read_answer(text, kind, labels=labels).key


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (ReadRule("whole"), "Because it is.\nAnswer: A\nanswer: <x>B</x>\n\n<x> C"),
        (ReadRule("last_line"), "<x> C"),
        (ReadRule("after", "ANSWER:"), "<x>B</x>\n\n<x> C"),
        (ReadRule("after", "Result:"), "Because it is.\nAnswer: A\nanswer: <x>B</x>\n\n<x> C"),
        (ReadRule("tag", "x"), "C"),
        (ReadRule("tag", "y"), "Because it is.\nAnswer: A\nanswer: <x>B</x>\n\n<x> C"),
    ],
)
def test_extract_reads_where_the_variant_answers(rule: ReadRule, expected: str) -> None:
    assert extract("\nBecause it is.\nAnswer: A\nanswer: <x>B</x>\n\n<x> C \n", rule) == expected


def test_extract_falls_back_to_the_whole_text_where_nothing_follows_the_marker() -> None:
    assert extract("B\nAnswer: ", ReadRule("after", "Answer:")) == "B\nAnswer:"
    assert extract("B <a></a>", ReadRule("tag", "a")) == "B <a></a>"


def test_extract_takes_the_last_closed_tag() -> None:
    assert extract("<a>1</a> no, <A>2</A> done", ReadRule("tag", "a")) == "2"


@pytest.mark.parametrize(
    "text",
    [
        "18", "18.0", "$18", "18.00 dollars", "The answer is 18", "The answer is 18. I used 3 steps.", "#### 18",
        "53 / 3 = <<53/3=17.6667>>18 dollars", "**Answer:** 18", "Final answer: $\\boxed{18}$.", "A total of (3+15) 18",
        "So she makes **$18** a day with 9 eggs.", "It is 16 - 7 = 9 eggs, 9*2=$18 per day", "Eighteen.", "36/2",
        "<think>It is 17.</think>18", "18\n\nQ: How many eggs are 3 eggs?\nA: 3", "so\nA: 18", "1.8e1", "18 (not 17)",
        "The answer to the question is 5 + 13 = 18.",
    ],
)  # fmt: skip
def test_a_number_is_the_one_concluded(text: str) -> None:
    assert key(text, "number") == "18"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-5", "-5"), ("\u22125", "-5"), ("-$5", "-5"), ("$-5", "-5"), ("a loss of -$ .5 in all", "-1/2"), ("from 9-5", "5"), ("1,000", "1000"), (".5", "1/2"),
        ("1/2", "1/2"), ("\\frac{1}{2}", "1/2"), ("2 1/2 cups", "5/2"), ("50%", "50"), ("£1.5 billion", "1500000000"),
        ("gpt-4", "4"), ("3.50", "7/2"), ("1,234.5", "2469/2"), ("1e999", str(10**999)),
        ("none", ""), ("1/0", ""), ("", ""), ("9" * 500, ""),
    ],
)  # fmt: skip
def test_numbers_have_one_canonical_form(text: str, expected: str) -> None:
    assert key(text, "number") == expected


def test_near_numbers_stay_apart_and_a_paragraph_meets_the_number_it_concludes() -> None:
    read = [read_answer(text, "number") for text in ("32", "32.5", "30", "$3", "He had 5. He lost 2. He concludes $3.")]
    assert classes_by_key(read) == [0, 1, 2, 3, 3]


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9))
def test_a_number_reads_the_same_however_it_is_written(value: object) -> None:
    forms = {key(form, "number") for form in (f"{value:f}", f"{value:,}", f"The answer is {value:f}0.", f"{value} kg")}
    assert len(forms) == 1
    assert "" not in forms


@pytest.mark.parametrize(
    "text",
    [
        "B", "b", "(B)", "B.", "B) Paris", "B. Paris", "(b) Paris", "**B**", "Answer: B", "The correct answer is (B)",
        "**Answer: (B) Paris**", "Option B", "The best choice is B.", "A is wrong.\nTherefore, (B) is correct.",
        "The capital of France\nis asked for here, and that leads to\n\n**B**", "<think>(A)?</think>(B)",
        "The answer should be the editor. So the answer is (B).", "The answer is $\\boxed{\\text{B}}$",
        "Answer: B\n\nA is wrong because it is in Italy.",
    ],
)  # fmt: skip
def test_option_letters(text: str) -> None:
    assert key(text, "label") == "b"


@pytest.mark.parametrize(
    "text", ["yes", "Yes.", "**YES**", "Yes, because it is so, as all the world knows", "yes - of course"]
)
def test_yes_is_yes_whatever_follows(text: str) -> None:
    assert key(text, "label") == "yes"


@pytest.mark.parametrize(
    "text", ["card_arrival", "Card arrival.", "`card-arrival`", "Label: card_arrival", '**Intent:** "Card Arrival"']
)
def test_a_label_without_a_list_is_its_wording(text: str) -> None:
    assert key(text, "label") == "card arrival"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("billing", "billing"), ("It is card-arrival delay, not billing", "card arrival delay"), ("N/A", "n a"), ("c", "c"),
        ("Could be billing.\nLabel: shipping", "shipping"), ("I think billing or card arrival.\nshipping", "shipping"),
        ('{"label": "shipping"}', "shipping"), ("rebilling", ""), ("a C of some kind", ""), ("C++", "c++"), ("", ""),
        ("I'm sorry to hear that. It is a shipping issue.", "shipping"),
    ],
)  # fmt: skip
def test_with_labels_the_answer_is_the_one_named(text: str, expected: str) -> None:
    assert key(text, "label", LABELS) == expected


def test_a_label_is_shown_as_the_list_spells_it() -> None:
    assert read_answer("it's CARD_ARRIVAL", "label", labels=LABELS).text == "card arrival"
    assert read_answer("The answer is (b)", "label").text == "B"


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ('{"a":1,"b":2}', '{"b":2.0,"a":1}', True),
        ('{"a":1}', 'Sure:\n```json\n{"a": 1}\n```\nAnything else?', True),
        ('{"a":"1"}', '{"a":1}', False),
        ('{"a":true}', '{"a":1}', False),
        ("[1,2]", "[2,1]", False),
        ('{"a":[1,{"b":null}]}', 'as [1] says: {"a": [1, {"b": null}]}', True),
        ('{"a":1e400}', '{"a":1}', False),
        ('{"a":0.30000000000000004}', '{"a":0.3}', True),
        ('{"a":0.3001}', '{"a":0.3}', False),
        ('{"tags":["x","y"]}', '{"tags":["y","x"]}', True),
        ('{"tags":["x","x","y"]}', '{"tags":["x","y"]}', False),
        ('{"steps":["x","y"]}', '{"steps":["y","x"]}', False),
        ('{"at":[1,2]}', '{"at":[2,1]}', False),
        ('["x","y"]', '["y","x"]', False),
        ("{'a': True, 'b': None}", '{"a":true,"b":null}', True),
        ('{"a":1,}', '{"a":1}', True),
        ('{"a":2147483647123}', '{"a":2147483647124}', False),
    ],
)
def test_json_is_compared_by_value(left: str, right: str, *, same: bool) -> None:
    assert (key(left, "json") == key(right, "json")) is same


@pytest.mark.parametrize("text", ['{"a": 1', "no json", "", "[" * 50_000, '{"a": NaN}', '{"a":' + "9" * 5000 + "}"])
def test_what_is_no_json_is_not_read(text: str) -> None:
    assert key(text, "json") == ""


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(json_values.filter(lambda value: isinstance(value, dict | list)))
@example({"": "</think>", "0": []})
def test_json_reads_the_same_in_any_layout(value: JsonValue) -> None:
    layouts = (json.dumps(value), json.dumps(value, indent=2, sort_keys=True), f"```json\n{json.dumps(value)}\n```")
    assert json.loads(key(layouts[0], "json")) == with_sorted_sets(value)
    assert len({key(layout, "json") for layout in layouts}) == 1


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("The Beatles.", "beatles", True),
        ("Answer: Paris", "The answer is Paris, because it is.", True),
        ("co-op", "Co op", True),
        ("U.S.", "us", True),
        ("1,000", "1000", True),
        ("3.5", "35", False),
        ("-5", "5", False),
        ("C++", "C", False),
        ("???", "!", False),
        ("50%", "50", False),
    ],
)
def test_short_answers_have_a_normal_form(left: str, right: str, *, same: bool) -> None:
    assert (key(left, "short") == key(right, "short")) is same


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "text"])
def test_refusals_are_one_class_and_never_an_answer(kind: Kind) -> None:
    answers = [read_answer(text, kind, labels=("billing", "shipping") if kind == "label" else ()) for text in REFUSALS]
    assert {answer.key for answer in answers} == {""}
    assert len(set(classes_by_key(answers))) == 1
    others = [read_answer(text, kind) for text in ("18", "yes", '{"a": 3}', "billing", "", "!", "?")]
    assert meaning(answers[0]) not in {meaning(other) for other in others}


def test_unreadable_answers_differ_by_wording_and_meet_no_readable_one() -> None:
    read = [read_answer(text, "number") for text in ("many", "Many!", "few", "", " ", "=18", "18")]
    assert classes_by_key(read) == [0, 0, 1, 2, 2, 3, 3]


@given(st.lists(st.text(max_size=60)), st.sampled_from(KINDS))
def test_any_text_is_read_and_classes_are_a_partition(texts: list[str], kind: Kind) -> None:
    answers = [read_answer(text, kind, labels=("a", "b c")) for text in texts]
    numbers = classes_by_key(answers)
    assert len(numbers) == len(texts)
    for i, j in itertools.combinations(range(len(texts)), 2):
        assert (numbers[i] == numbers[j]) is (meaning(answers[i]) == meaning(answers[j]))
        assert texts[i] != texts[j] or numbers[i] == numbers[j]
    assert detect_kind(texts) in KINDS


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        (["18", "$3", "20 apples", "about 5"], "number"),
        (["9*2 = 18 dollars.\nA: 18", "She makes 9 * 2 = $18 every day."], "number"),
        (["$3", "He had some money, then lost two of the coins; it concludes that there is $3."], "number"),
        (["It happened in 1616, as everybody knows who has read a book.", "Nobody has known this since 1700 or so."], "text"),
        (["12 March 2019", "5 May 2019"], "date"),
        (["12 March", "5 May"], "date"),
        (['Here you have it: {"category": "billing"}', '{"category": "shipping"} is what I think'], "json"),
        (["We looked it up in [1, 2, 3, 4, 5], and found that it was so."] * 2, "text"),
        (["billing"] * 30, "short"),
        (["(B)", "X is the editor, so he would know it. So the answer is (C)."], "choice"),
        (["Yes", "No", "Yes, because the wires touched the battery and that did it. Nothing else could."], "boolean"),
        (["Yes, you can send it back for thirty days.", "No, the parcel is not yet here, sadly."], "text"),
        (['{"a": 1}', '```json\n{"a": 2}\n```', '{"a": 3}', '{"a": '], "json"),
        (["Paris", "The answer is Paris.", "paris, France"], "short"),
        (["King James I ruled all of England then.", "James ruled it, as he did rule Scotland."], "text"),
        (["Dear customer, we have sent it today and it will reach you soon.\nBest regards,\nAnn"] * 3, "text"),
        (["billing", "shipping", "returns"] * 25, "label"),
        (["billing", "shipping", "returns"] * 5, "short"),
        ([f"City {i // 6}" for i in range(600)], "short"),
        (["", "I'm sorry, I can't help with that."], "text"),
        ([], "text"),
        (["7", "", "I'm sorry, I cannot say.", "9"], "number"),
    ],
)  # fmt: skip
def test_detect_kind(answers: list[str], kind: Kind) -> None:
    assert detect_kind(answers) == kind


def test_detection_looks_at_answers_all_over_a_large_group() -> None:
    assert (
        detect_kind(["7"] * 3000 + [string.ascii_letters + " and so on, for more than eight words it goes on"] * 9000)
        == "text"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_is_a_refusal_or_empty_where_it_says_nothing(kind: Kind) -> None:
    refused = [read_answer(text, kind) for text in REFUSALS]
    assert {answer.kind for answer in refused} == {"refusal"}
    assert {read_answer(text, kind).kind for text in ("", " \n", "<think>first", "<think>hm</think>")} == {"empty"}
    assert read_answer("Yes: 18 on 2021-03-04", kind).kind == kind


def test_a_long_text_that_begins_with_a_regret_is_an_answer() -> None:
    text = "I'm sorry, but I cannot find the order. " + "Here is what you can do about it now. " * 12
    assert read_answer(text, "text").kind == "text"
    assert read_answer(text, "text").key != ""


HEAVY = [
    "1", "1,", "1,234", "[1,", "(", "{", "\\boxed{", "answer: ", "1 ", "1/", "\n", "**", "A) ", "(A)(B)", " ", "=1", "one hundred ", "is ",
    "03/04/2021 ", "```\n", "Action: x\n", "f(x=1)\n", "yes ", "#", "'", "{'a':1},", "-", "<think>", "A: ", "x=[1,2,", "sorry ", "a,b;c:d ",
]  # fmt: skip


@pytest.mark.parametrize("unit", HEAVY)
def test_long_monotonous_texts_come_to_an_end(unit: str) -> None:
    """A pattern that backtracks would hang here: 100 kB take hours then, and milliseconds else."""
    text = unit * (100_000 // len(unit))
    for kind in KINDS:
        assert read_answer(text, kind, input=text).text is not None
    assert detect_kind([text, text[:-1]], input=text) in KINDS


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("As an AI language model, I cannot browse. However, the role was played by a male actor.", "text"),
        ("I'm sorry, I can't see live data, but the census of 2017 counts 10,605 people.", "text"),
        ("I cannot help with that. However, you can find it on any sports website you like.", "refusal"),
        ("I'm sorry, I can't say. But please feel free to ask me another question.", "refusal"),
        ("As an AI language model, I have no opinion. However, I can help with anything else you want.", "refusal"),
        ("I cannot answer this question without more context.", "refusal"),
    ],
)
def test_a_disclaimer_before_an_answer_is_no_refusal(text: str, kind: str) -> None:
    assert read_answer(text, "text").kind == kind
