"""Held-out questions are found by their wording, in large registries as in small ones."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.contamination.records import HeldText, Match, TrainingRow
from curator.contamination.wording import MIN_WORDS, WordingIndex
from curator.text.shingles import jaccard, normalise, shingles

QUESTION = "why does the blue lamp on my router blink twice after the update last night"


def find(rows: list[TrainingRow], *held: str, similarity: float = 0.7) -> dict[str, Match]:
    texts = [HeldText(f"h{i}", text) for i, text in enumerate(held)]
    return WordingIndex(texts, similarity=similarity, permutations=128).find(rows)


def row(text: str, *, whole: str | None = None) -> TrainingRow:
    return TrainingRow("r", (text,), text if whole is None else whole)


@pytest.mark.parametrize("text", [QUESTION, QUESTION.upper() + "?!", f"Hello, {QUESTION}, thanks!"])
def test_case_punctuation_and_courtesies_do_not_matter(text: str) -> None:
    match = find([row(text)], "something else", QUESTION)["r"]
    assert (match.kind, match.held, match.similarity) == ("exact", "h1", 1.0)


def test_a_typo_is_near() -> None:
    match = find([row(QUESTION.replace("router", "routre"))], QUESTION)["r"]
    assert match.kind == "near"
    assert 0.7 <= match.similarity < 1.0


def test_another_question_is_nothing() -> None:
    assert find([row("how do I cancel my subscription before the trial ends")], QUESTION) == {}


def test_a_question_inside_a_longer_text_is_contained() -> None:
    long = (
        f"You are a helpful clerk. Example one. {QUESTION}. Now classify what follows and answer in JSON please "
        + "x y z " * 40
    )
    match = find([TrainingRow("r", ("classify",), long)], QUESTION)["r"]
    assert (match.kind, match.similarity) == ("contained", 1.0)


def test_a_short_question_must_be_contained_word_for_word() -> None:
    changed = QUESTION.replace("night", "week")
    assert find([TrainingRow("r", ("x",), "so " * 60 + changed)], QUESTION) == {}
    assert find([TrainingRow("r", ("x",), "so " * 60 + QUESTION)], QUESTION)["r"].kind == "contained"


def test_a_long_question_may_lack_a_little() -> None:
    words = [f"word{i}" for i in range(60)]
    changed = " ".join([*words[:30], "other", *words[31:]])
    assert find([TrainingRow("r", ("x",), "so " * 200 + changed)], " ".join(words))["r"].kind == "contained"
    halved = " ".join(words[:30])
    assert find([TrainingRow("r", ("x",), "so " * 200 + halved)], " ".join(words)) == {}


def test_rows_beyond_one_chunk_are_looked_at() -> None:
    rows = [TrainingRow(str(i), (f"number {i} is not it",), "") for i in range(4200)]
    assert list(find([*rows, TrainingRow("last", (QUESTION,), "")], QUESTION)) == ["last"]


def test_a_question_of_few_words_is_not_looked_for_inside() -> None:
    short = " ".join(f"w{i}" for i in range(MIN_WORDS - 1))
    assert find([TrainingRow("r", ("x",), f"so {short} and more of that")], short) == {}
    assert find([TrainingRow("r", (short,), short)], short)["r"].kind == "exact"


def test_the_surest_question_of_a_row_is_its_match() -> None:
    match = find([TrainingRow("r", (QUESTION.replace("night", "nigth"), "what is the price of the red coat"), "")],
                 QUESTION, "what is the price of the red coat")["r"]  # fmt: skip
    assert (match.kind, match.held) == ("exact", "h1")


def test_nothing_is_found_in_nothing() -> None:
    assert find([row(QUESTION)]) == {}
    assert find([], QUESTION) == {}
    assert find([row("")], "", "...") == {}


def test_equal_held_texts_are_one_and_the_first_id_stands() -> None:
    held = [HeldText("b", QUESTION), HeldText("a", QUESTION)]
    assert WordingIndex(held, similarity=0.7, permutations=128).find([row(QUESTION)])["r"].held == "a"


def test_a_large_registry_finds_what_a_small_one_does() -> None:
    rng = random.Random(1)
    words = [f"{a}{b}" for a in ("bo", "ka", "li", "mu", "te") for b in ("rin", "sol", "tav", "wex", "zud")]
    held = [" ".join(rng.choices(words, k=12)) for _ in range(600)]
    rows = [TrainingRow(str(i), (text.replace(text.split()[3], "other", 1),), "") for i, text in enumerate(held[:100])]
    found = find(rows, *held)
    sets = [shingles(normalise(text)) for text in held]
    asked = [(r.id, shingles(normalise(r.questions[0]))) for r in rows]
    truth = [name for name, mine in asked if max(jaccard(mine, other) for other in sets) >= 0.7]
    assert len(truth) > 75
    assert sorted(found) == sorted(truth)


@given(st.lists(st.sampled_from(["red", "blue", "car", "house", "where", "when", "is", "my"]), min_size=1, max_size=12),
       st.lists(st.sampled_from(["red", "blue", "car", "house", "where", "when", "is", "my"]), min_size=1, max_size=12))  # fmt: skip
def test_likeness_of_wording_is_symmetric(a: list[str], b: list[str]) -> None:
    x, y = " ".join(a), " ".join(b)
    there, back = (find([TrainingRow("r", (p,), "")], q) for p, q in ((x, y), (y, x)))
    assert there.keys() == back.keys()
    assert [m.similarity for m in there.values()] == [m.similarity for m in back.values()]
