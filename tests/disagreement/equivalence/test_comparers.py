from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from curator.answers.read import Answer, read_answer
from curator.disagreement.equivalence.comparers import (
    WORD_COMPARER,
    CachedComparer,
    VectorComparer,
    VerdictComparer,
    WordComparer,
    open_pairs,
)
from curator.disagreement.equivalence.leader_clustering import Pair, cheap_verdict, cluster_by_leaders, pair_of
from curator.disagreement.equivalence.text_distance import text_distances as distances
from curator.disagreement.score import SCORER, Answered, score_case
from curator.records import Kind

Verdicts = dict[Pair, bool | None]
said = st.sampled_from(
    ["red car", "a car that is red", "blue", "not red", "3 cars", "4 cars", "", "I can't say.", "Red"]
)
answers = st.lists(said, min_size=1, max_size=9)
opinion = st.sampled_from([True, False, None])


def read(texts: Sequence[str], kind: Kind = "short") -> list[Answer]:
    return [read_answer(text, kind) for text in texts]


def nobody(pairs: Sequence[Pair]) -> Verdicts:
    return dict.fromkeys(pairs)


def everybody(pairs: Sequence[Pair]) -> Verdicts:
    return dict.fromkeys(pairs, True)


def one_vector(texts: Sequence[str]) -> NDArray[np.float32]:
    return np.ones((len(texts), 1), dtype=np.float32)


@pytest.mark.parametrize(
    ("question", "one", "other", "verdict"),
    [
        ("who ruled England in 1616", "King James I", "In 1616 England was ruled by King James I.", True),
        ("who ruled England in 1616", "King James I", "The ruler of England in 1616 was King James I.", None),
        ("which flight", "the flight from London", "the flight to London", None),
        ("who was the ruler of England", "King James", "The ruler of England was King James.", True),
        ("", "King James", "The ruler of England was King James.", None),
        ("which priority", "high", "high priority", True),
        ("Is X bigger than Y?", "X is much bigger", "Y is much bigger", None),
        ("Is it X or Y?", "X", "Y", None),
        ("who bites", "the dog bites the man", "the man bites the dog", None),
        ("how long", "32 days", "30 days", False),
        ("Is it so?", "Yes", "No", False),
        ("Can it be returned?", "it can be returned in May", "it can not be returned in May", None),
    ],
)
def test_what_the_cheap_steps_decide(question: str, one: str, other: str, verdict: bool | None) -> None:
    assert cheap_verdict(pair_of(question, one, other)) is verdict
    assert cheap_verdict(pair_of(question, other, one)) is verdict


def test_in_long_prose_a_number_is_a_detail() -> None:
    prose = " ".join(f"word{chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(40))
    assert cheap_verdict(pair_of("", f"{prose} 3", f"{prose} 4")) is None


def test_there_are_no_chains() -> None:
    like = {frozenset("ab"), frozenset("bc"), frozenset("cd")}

    def neighbours(pairs: Sequence[Pair]) -> Verdicts:
        return {pair: frozenset((pair.left, pair.right)) in like for pair in pairs}

    assert cluster_by_leaders(["a", "b", "c", "d"], "", neighbours).leader == (0, 0, 2, 2)


def test_where_all_mean_the_same_one_round_of_comparisons_is_enough() -> None:
    rounds: list[int] = []

    def agree(pairs: Sequence[Pair]) -> Verdicts:
        rounds.append(len(pairs))
        return everybody(pairs)

    assert set(cluster_by_leaders(["a", "b", "c", "d"], "", agree).leader) == {0}
    assert rounds == [3]


def test_it_stops_where_a_pair_is_not_decided_yet() -> None:
    found = cluster_by_leaders(
        ["a", "b", "c"], "q", lambda pairs: {p: False for p in pairs if "b" in (p.left, p.right)}
    )
    assert found.open == (Pair("q", "a", "c"),)
    assert cluster_by_leaders(["a", "b", "c"], "q", nobody).open == ()


@given(answers, st.none() | said, st.randoms(use_true_random=False), st.lists(opinion, min_size=1, max_size=7))
def test_classes_are_a_partition_whatever_the_order(
    texts: list[str], target: str | None, chance: object, opinions: list[bool | None]
) -> None:
    def decide(pairs: Sequence[Pair]) -> Verdicts:
        return {pair: opinions[(len(pair.left) + len(pair.right)) % len(opinions)] for pair in pairs}

    compare = VerdictComparer("what is it", decide, "x")
    against = None if target is None else read_answer(target, "short")
    numbers = compare.classes(read(texts), against)
    everything = [*texts, *([] if target is None else [target])]
    assert len(numbers) == len(everything)
    for i, one in enumerate(everything):
        for j, other in enumerate(everything):
            assert one != other or numbers[i] == numbers[j]
    order = chance.sample(range(len(texts)), len(texts))  # type: ignore[attr-defined]
    shuffled = compare.classes(read([texts[i] for i in order]), against)
    for i, a in enumerate(order):
        for j, b in enumerate(order):
            assert (shuffled[i] == shuffled[j]) == (numbers[a] == numbers[b])


@given(answers, said, said, st.lists(opinion, min_size=1, max_size=7))
def test_a_label_changes_nothing_among_the_others_and_a_part_is_compared_as_the_whole(
    texts: list[str], target: str, label: str, opinions: list[bool | None]
) -> None:
    def decide(pairs: Sequence[Pair]) -> Verdicts:
        return {pair: opinions[(len(pair.left) + 3 * len(pair.right)) % len(opinions)] for pair in pairs}

    told, known, against = tuple(read(texts)), read_answer(label, "short"), read_answer(target, "short")
    for compare in (
        VerdictComparer("what is it", decide, "x"),
        VectorComparer("q", one_vector, "v"),
        WordComparer("q"),
    ):
        without = compare.classes(told, against)
        whole = compare.classes(told, against, label=known)
        assert whole[:-1] == without
        settled = CachedComparer(compare, told, against, known)
        assert settled.classes(told, against, label=known) == whole
        part = settled.classes([*told[1:], known], None)
        for i, one in enumerate([*whole[1:-2], whole[-1]]):
            for j, other in enumerate([*whole[1:-2], whole[-1]]):
                assert (part[i] == part[j]) == (one == other)
        matrix = compare.distances(told, against)
        assert (settled.distances(told[1:], against) == matrix[1:, 1:]).all()
        assert (settled.distances(told, None) == matrix[:-1, :-1]).all()


@given(answers, said, st.sampled_from([nobody, everybody]))
def test_distances_are_symmetric_and_in_the_unit_interval(texts: list[str], target: str, decide: object) -> None:
    for compare in (VerdictComparer("q", decide, "x"), VectorComparer("q", one_vector, "v")):  # type: ignore[arg-type]
        matrix = compare.distances(read(texts, "text"), read_answer(target, "text"))
        assert matrix.shape == (len(texts) + 1, len(texts) + 1)
        assert (matrix == matrix.T).all()
        assert (matrix >= 0).all()
        assert (matrix <= 1).all()
        everything = [*texts, target]
        for i, one in enumerate(everything):
            for j, other in enumerate(everything):
                assert one != other or matrix[i, j] == 0


@pytest.mark.parametrize("kind", ["label", "number", "json"])
def test_typed_answers_are_never_asked_about(kind: Kind) -> None:
    def refuse(pairs: Sequence[Pair]) -> Verdicts:
        raise AssertionError(pairs)

    texts = ["32", "32.5", "30", '{"a": 1}', "yes"]
    assert len(set(VerdictComparer("q", refuse, "x").classes(read(texts, kind), None))) >= 3
    assert open_pairs(read(texts, kind), None, "q", {}) == ()


@pytest.mark.parametrize("kind", ["short", "text"])
def test_numbers_stay_apart_whatever_a_judge_or_a_cosine_says(kind: Kind) -> None:
    texts = read(["about 32", "about 32.5", "about 30"], kind)
    verdicts, vectors = VerdictComparer("q", everybody, "x"), VectorComparer("q", one_vector, "v")
    assert verdicts.classes(texts, None) == vectors.classes(texts, None) == [0, 1, 2]
    assert (verdicts.distances(texts, None) + np.eye(3) == 1).all()
    assert (vectors.distances(texts, None) + np.eye(3) > 0.85).all()


def test_what_differs_stays_apart_whatever_the_cosine_says() -> None:
    pairs = [
        ("on Monday", "on Tuesday"),
        ("in old Paris", "in old London"),
        ("can be returned", "can not be returned"),
        ("low priority", "high priority"),
    ]
    compare = VectorComparer("", one_vector, "v")
    for one, other in pairs:
        assert compare.classes(read([one, other]), None) == [0, 1]
        texts = read([one, other], "text")
        assert compare.distances(texts, None)[0, 1] > 0.85
    assert compare.classes(read(["wants a refund", "asks for money"]), None) == [0, 0]


def test_a_cosine_below_the_threshold_keeps_short_answers_apart() -> None:
    near = {"refund": (1.0, 0.0), "money back": (0.91, 0.4146), "repay": (0.89, 0.456)}

    def vectors(texts: Sequence[str]) -> NDArray[np.float32]:
        return np.array([near[text] for text in texts], dtype=np.float32)

    assert VectorComparer("", vectors, "v").classes(read(["refund", "money back"]), None) == [0, 0]
    assert VectorComparer("", vectors, "v").classes(read(["refund", "repay"]), None) == [0, 1]


def test_a_large_cosine_brings_texts_of_other_words_together() -> None:
    def at_right_angles(texts: Sequence[str]) -> NDArray[np.float32]:
        return np.eye(len(texts), dtype=np.float32)

    texts = read(["the parcel is late", "a delayed delivery"], "text")
    assert VectorComparer("", one_vector, "v").distances(texts, None)[0, 1] == pytest.approx(0, abs=1e-6)
    assert VectorComparer("", at_right_angles, "v").distances(texts, None)[0, 1] == 1


def test_the_question_tells_which_words_say_something() -> None:
    texts = read(["King James", "The ruler of England was King James."], "text")
    # a tenth of the two further words, which count an eighth each if they are the question's
    assert WordComparer("who was the ruler of England").distances(texts, None)[0, 1] == pytest.approx(0.025 / 2.025)
    assert WORD_COMPARER.distances(texts, None)[0, 1] == pytest.approx(0.2 / 2.2)


def test_a_text_that_says_yes_and_one_that_says_no_are_wholly_different() -> None:
    texts = read(["Yes, it is a prime number.", "No, it is not a prime number.", "It is a prime number."], "text")
    matrix = WORD_COMPARER.distances(texts, None)
    assert matrix[0, 1] == 1
    assert 0 < matrix[0, 2] < 0.5 < matrix[1, 2] < 1


def test_verdicts_make_texts_the_same_or_wholly_different() -> None:
    texts = read(["the parcel is late", "a late delivery", "nothing of the sort"], "text")

    def decide(pairs: Sequence[Pair]) -> Verdicts:
        known = {("a late delivery", "the parcel is late"): True, ("nothing of the sort", "the parcel is late"): None}
        return {pair: known.get((pair.left, pair.right), False) for pair in pairs}

    matrix = VerdictComparer("", decide, "x").distances(texts, texts[0])
    assert matrix[0].tolist() == [0, 0, distances([texts[0].key, texts[2].key])[0, 1], 0]
    apart = VerdictComparer("", lambda pairs: dict.fromkeys(pairs, False), "x").distances(texts, None)
    assert (apart + np.eye(3) == 1).all()


def test_refusals_are_no_answer_and_are_not_asked_about() -> None:
    texts = read(["I'm sorry, I can't say.", "I cannot help with that.", "red"])
    assert VerdictComparer("q", everybody, "x").classes(texts, None) == [0, 0, 1]


def test_the_target_is_compared_with_every_answer_first() -> None:
    texts = read(["b", "b", "c"])
    target = read_answer("z", "short")
    first = open_pairs(texts, target, "q", {})
    assert first == (Pair("q", "b", "z"), Pair("q", "c", "z"))
    known: Verdicts = dict.fromkeys(first, False)
    assert open_pairs(texts, target, "q", known) == (Pair("q", "b", "c"),)
    assert open_pairs(texts, target, "q", known | {Pair("q", "b", "c"): None}) == ()


def test_a_score_names_what_compared_its_answers() -> None:
    committee = [Answered("red", "a"), Answered("crimson", "a")]
    judged = score_case("c", committee, target="red", kind="short", compare=VerdictComparer("q", everybody, "judge(j)"))
    assert (judged.scorer, judged.against_target, judged.agreement) == (f"{SCORER}+judge(j)", 0, 1)
    by_default = score_case("c", committee, target="red", kind="short")
    assert (by_default.scorer, by_default.against_target) == (SCORER, 0.5)


def test_a_refusing_text_is_wholly_different_from_an_answer_and_as_far_from_another_as_its_words() -> None:
    texts = read(["I cannot help with that.", "I'm sorry, I can't help.", "It was sent on Monday."], "text")
    matrix = WORD_COMPARER.distances(texts, None)
    assert (matrix[0, 2], matrix[1, 2]) == (1, 1)
    assert matrix[0, 1] == distances([t.key for t in texts])[0, 1]
    assert 0 < matrix[0, 1] < 1
