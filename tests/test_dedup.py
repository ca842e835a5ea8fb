from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.config import DedupeConfig
from curator.dedup import DedupeResult, deduplicate
from curator.labels.current_answers import CurrentAnswers
from curator.records import Case, Feedback, Label, Message, Reference, Source, answer_mark, case_id
from curator.text.minhash import components, rows_per_band
from curator.text.shingles import jaccard, normalise, shingles

LONG = "I ordered a red winter coat from your shop last week and the parcel has still not arrived at my door"


def a_case(text: str, line: int = 1, *, system: str = "", **fields: object) -> Case:
    messages = (*((Message("system", system),) if system else ()), Message("user", text))
    return Case(case_id(messages), messages, Source("log.jsonl", line), **fields)  # type: ignore[arg-type]


def dedupe(*cases: Case) -> DedupeResult:
    return deduplicate(cases, DedupeConfig())


def groups(result: DedupeResult) -> list[str]:
    return [case.group for case in result.cases]


def test_equal_inputs_are_merged_and_weigh_together() -> None:
    result = dedupe(a_case("Where is it?", 1), a_case("Why?", 2), a_case("Where  is it?", 3))
    assert [(c.user, c.weight) for c in result.cases] == [("Where is it?", 2), ("Why?", 1)]
    (record,) = result.merged
    assert (record.source.line, record.into, record.how, record.similarity) == (3, result.cases[0].id, "exact", 1.0)


@pytest.mark.parametrize("variant", [LONG.upper() + "!", f"Hello, {LONG}. Thanks!", LONG.replace("winter", "wintr")])
def test_variants_of_one_input_are_merged(variant: str) -> None:
    result = dedupe(a_case(LONG, 1), a_case(variant, 2))
    (record,) = result.merged
    assert record.how == "near"
    assert record.similarity >= 0.9
    assert result.cases[0].weight == 2


def test_a_reworded_input_is_kept() -> None:
    result = dedupe(a_case("How do I add a card to the app?"), a_case("How do I remove a card from the app?"))
    assert len(result.cases) == 2


@pytest.mark.parametrize(
    "other",
    [
        a_case(LONG + " since the 5th"),
        a_case(LONG.replace("has still not", "has still")),
        a_case(LONG + ".", task="other"),
        a_case(LONG + ".", system="Answer in French."),
    ],
    ids=["number", "negation", "task", "system"],
)
def test_what_asks_for_another_answer_is_not_merged_but_grouped(other: Case) -> None:
    result = dedupe(a_case(LONG), other)
    assert not result.merged
    assert len(set(groups(result))) == 1
    assert result.cases[0].group == result.cases[0].id


def test_changed_order_numbers_share_a_group() -> None:
    result = dedupe(a_case("Where is my order 48213?"), a_case("Where is my order 90077?"))
    assert len(result.cases) == 2
    assert len(set(groups(result))) == 1


def test_a_system_prompt_that_differs_in_its_date_is_the_same() -> None:
    result = dedupe(a_case(LONG, 1, system="Today is 2026-01-01."), a_case(LONG, 2, system="Today is 2026-01-02."))
    assert len(result.cases) == 1
    assert result.merged[0].how == "near"


def test_unrelated_inputs_are_groups_of_their_own() -> None:
    result = dedupe(a_case("Where is my parcel?"), a_case("Translate this poem into French."))
    assert groups(result) == [c.id for c in result.cases]


REFERENCE = {"reference": Reference("billing", "label")}
DOWN = {"feedback": Feedback(thumb="down")}
UP = {"feedback": Feedback(thumb="up")}
CUT = {"finish_reason": "length"}


@pytest.mark.parametrize(
    ("better", "worse"), [(REFERENCE, DOWN), (DOWN, {}), (UP, CUT), ({}, CUT), (REFERENCE | CUT, {})]
)
@pytest.mark.parametrize("text", [LONG, LONG + "!"], ids=["exact", "near"])
def test_the_best_record_stands_for_its_duplicates(
    text: str, better: dict[str, object], worse: dict[str, object]
) -> None:
    for first, second in ((better, worse), (worse, better)):
        result = dedupe(a_case(LONG, 1, **first), a_case(text, 2, **second))
        (kept,) = result.cases
        assert kept.source.line == (1 if first is better else 2)
        assert [m.source.line for m in result.merged] == [2 if first is better else 1]
        assert result.merged[0].into == kept.id


def test_of_equals_the_first_one_stays() -> None:
    assert dedupe(a_case(LONG, 1, **UP), a_case(LONG, 2, **DOWN)).cases[0].source.line == 1
    result = dedupe(a_case(LONG, 1), a_case(LONG, 2), a_case(LONG + "!", 3))
    assert result.cases[0].source.line == 1


def test_cases_stand_in_order_of_the_first_record_they_stand_for() -> None:
    result = dedupe(a_case(LONG, 1), a_case("Why?", 2), a_case(LONG + "!", 3, **REFERENCE))
    assert [c.source.line for c in result.cases] == [3, 2]


def test_a_merge_is_not_passed_on_along_a_chain() -> None:
    steps = [LONG]
    for old, new in (("red", "rde"), ("winter", "wniter"), ("shop", "shpo"), ("door", "dooor"), ("still", "stil")):
        steps.append(steps[-1].replace(old, new))
    result = dedupe(*(a_case(text, i) for i, text in enumerate(steps)))
    assert len(result.cases) > 1
    assert len(set(groups(result))) == 1
    by_id = {c.id: c for c in result.cases}
    for record in result.merged:
        apart = jaccard(shingles(normalise(steps[record.source.line])), shingles(normalise(by_id[record.into].user)))
        assert record.similarity == apart >= 0.9


def test_inputs_with_one_long_template_are_told_apart() -> None:
    template = "You are the assistant of a bank. Answer in three sentences at most, in a friendly tone. Question: "
    subjects = ("lost card", "exchange rate", "mortgage", "standing order", "cash machine", "new address")
    verbs = ("explain", "find", "cancel", "compare", "estimate")
    texts = [f"{template}{verb} my {subject} for my cousin" for verb in verbs for subject in subjects]
    result = dedupe(*(a_case(text, i) for i, text in enumerate(texts)))
    assert len(result.cases) == len(texts)
    assert max(Counter(groups(result)).values()) <= 3


def test_short_inputs_after_shared_examples_are_told_apart() -> None:
    shots = [Message("user", "How do I return the boots I bought?"), Message("assistant", "refund")] * 4
    words = ("I lost my card!", "My top up failed.", "Change currency", "how to change name", "Pending transfer?")
    asked = [f"{word} {extra}".strip() for word in words for extra in ("", "now", "since noon", "in Rome", "abroad")]
    cases = []
    for line, text in enumerate([*asked, "i lost my card"], start=1):
        messages = (*shots, Message("user", text))
        cases.append(Case(case_id(messages), messages, Source("log", line)))
    result = dedupe(*cases)
    assert [(r.source.line, r.into) for r in result.merged] == [(26, cases[0].id)]
    assert len(set(groups(result))) > 5


def test_a_long_conversation_with_another_question_is_not_merged() -> None:
    history = (Message("user", LONG), Message("assistant", f"I am sorry to hear that. You said: {LONG}"))
    cases = []
    for line, text in enumerate(["And in red?", "And in blue?"], start=1):
        messages = (*history, Message("user", text))
        cases.append(Case(case_id(messages), messages, Source("log", line)))
    result = dedupe(*cases)
    assert result.merged == ()
    assert len(set(groups(result))) == 1


def test_questions_in_a_template_that_few_share_are_not_merged() -> None:
    template = (
        "You are the assistant of a bank. Answer in three sentences at most, in a friendly tone, and never promise "
    )
    asked = ("block my card", "pay a bill", "open an account", "change my address", "stop a transfer", "raise a limit")
    result = dedupe(*(a_case(f"{template}what you cannot keep. Question: {q} today", i) for i, q in enumerate(asked)))
    assert result.merged == ()


def test_a_record_that_comes_later_does_not_rename_a_group() -> None:
    for number in range(20):
        first, later = a_case(f"{LONG} {number}th"), a_case(f"{LONG} {number}th since the 5th")
        assert dedupe(first, later).cases[0].group == dedupe(first).cases[0].group


def test_inputs_that_differ_in_their_instructions_are_not_merged() -> None:
    tasks = ("Translate this message into French:", "Say what mood this message is in:")
    cases = [a_case(f"{task}\nmessage number {chr(97 + i)}", i) for task in tasks for i in range(25)]
    assert dedupe(*cases).merged == ()


def test_empty_and_tiny_inputs() -> None:
    assert deduplicate([], DedupeConfig()) == DedupeResult((), (), {})
    result = dedupe(a_case("?", 1), a_case("\U0001f600", 2), a_case("ok", 3), a_case("OK!", 4))
    assert [c.user for c in result.cases] == ["?", "\U0001f600", "ok"]


WORDS = st.sampled_from(
    ["where", "is", "my", "parcel", "card", "not", "12345", "7", "Hello,", "thanks", "\u00e9t\u00e9"]
)
TEXTS = st.lists(WORDS, min_size=1, max_size=8).map(" ".join)


@settings(deadline=None, max_examples=60)
@given(st.lists(TEXTS, max_size=25))
def test_every_record_is_kept_or_merged_and_weighs_one(texts: list[str]) -> None:
    cases = [a_case(text, line) for line, text in enumerate(texts)]
    result = deduplicate(cases, DedupeConfig())
    assert len(result.cases) + len(result.merged) == len(cases)
    assert sum(c.weight for c in result.cases) == len(cases)
    sources = [c.source.line for c in result.cases] + [m.source.line for m in result.merged]
    assert sorted(sources) == list(range(len(cases)))
    ids = {c.id for c in result.cases}
    assert {m.into for m in result.merged} <= ids
    assert {c.group for c in result.cases} <= {c.id for c in cases}


@settings(deadline=None, max_examples=40)
@given(st.lists(TEXTS, max_size=20, unique=True), st.randoms())
def test_groups_do_not_hang_on_the_order_of_the_log(texts: list[str], rng: random.Random) -> None:
    """Two cases that nothing is merged into are in one group or in two, whatever came first."""
    config = DedupeConfig(merge_similarity=1.0)
    cases = [a_case(text, line) for line, text in enumerate(texts)]
    shuffled = rng.sample(cases, len(cases))
    groups_of = [{c.id: c.group for c in deduplicate(order, config).cases} for order in (cases, shuffled)]
    common = groups_of[0].keys() & groups_of[1].keys()
    for one in common:
        for other in common:
            assert (groups_of[0][one] == groups_of[0][other]) == (groups_of[1][one] == groups_of[1][other])


def test_every_alike_pair_is_found() -> None:
    rng = random.Random(5)
    words = [f"{a}{b}" for a in ("ka", "lo", "mi", "nu", "pe", "ri") for b in ("ter", "sol", "van", "dim", "gor")]
    texts: list[str] = []
    for _ in range(60):
        base = rng.sample(words, 10)
        texts += [" ".join(base), " ".join([*base[:-1], rng.choice(words)])]
    result = deduplicate([a_case(t, i) for i, t in enumerate(texts)], DedupeConfig())
    group = {c.user: c.group for c in result.cases}
    kept = [normalise(c.user) for c in result.cases]
    alike = [(a, b) for i, a in enumerate(kept) for b in kept[i + 1 :] if jaccard(shingles(a), shingles(b)) >= 0.7]
    assert len(alike) > 30
    assert all(group[a] == group[b] for a, b in alike)


def test_a_crowded_band_is_not_compared_pair_by_pair() -> None:
    asked: list[tuple[int, int]] = []

    def never(i: int, j: int) -> bool:
        asked.append((i, j))
        return False

    found = components(["the same"] * 2000, never, threshold=0.7, permutations=16)
    assert len(found) == 2000
    assert max(Counter(asked).values()) <= 16
    assert len(set(asked)) <= 2000 * 64


def test_bands_hold_the_promised_recall() -> None:
    for threshold in (0.3, 0.5, 0.7, 0.9, 1.0):
        rows = rows_per_band(threshold, 128)
        missed = (1 - threshold**rows) ** (128 // rows)
        assert rows == 1 or missed <= 1e-3
    assert rows_per_band(0.7, 128) == 4
    assert rows_per_band(0.0, 16) == 1


def run_in_new_process(hash_seed: str, texts: Sequence[str]) -> str:
    code = """
import sys
from curator.config import DedupeConfig
from curator.dedup import deduplicate
from curator.records import Case, Message, Source, case_id
cases = [Case(case_id(m), m, Source("f", i)) for i, t in enumerate(sys.argv[1:]) for m in [(Message("user", t),)]]
print(deduplicate(cases, DedupeConfig()))
"""
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [sys.executable, "-c", code, *texts], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_every_process_comes_to_the_same_result() -> None:
    texts = [LONG, LONG + "!", LONG.replace("red", "blue"), "Why?", LONG.replace("coat", "caot")]
    assert run_in_new_process("1", texts) == run_in_new_process("2", texts)


def answered(text: str, target: str | None, line: int, **fields: object) -> Case:
    return a_case(text, line, target=target, **fields)


def test_each_answer_to_a_question_is_a_case_with_its_own_records() -> None:
    result = dedupe(*(answered("Is it open?", "Yes" if n % 5 else "No", n) for n in range(60)))
    assert [(case.target, case.weight, case.question) for case in result.cases] == [
        ("No", 12, ""),
        ("Yes", 48, result.cases[0].id),
    ]
    assert {case.group for case in result.cases} == {result.cases[0].id}
    assert [(a.text, a.records) for a in result.cases[1].answers] == [("No", 12), ("Yes", 48)]
    into = Counter(record.into for record in result.merged)
    assert [into[case.id] for case in result.cases] == [11, 47]


def test_thumbs_are_counted_for_each_answer() -> None:
    thumbs = [Feedback("up"), Feedback("down"), Feedback("down"), None]
    result = dedupe(*(answered("Why?", "So.", n, feedback=thumb) for n, thumb in enumerate(thumbs)))
    assert [(a.records, a.up, a.down) for a in result.cases[0].answers] == [(4, 1, 2)]


def test_failed_calls_have_no_weight_beside_answers() -> None:
    records = [answered("Why?", None, 1, finish_reason="error"), answered("Why?", "So.", 2), answered("Why?", "So.", 3)]
    result = dedupe(*records)
    assert [(case.target, case.weight) for case in result.cases] == [("So.", 2)]
    assert len(result.merged) == 2
    assert [(a.text, a.records) for a in result.cases[0].answers] == [("So.", 2), (None, 1)]
    assert [case.target for case in dedupe(records[0]).cases] == [None]


def test_rare_answers_share_a_case_whose_answer_is_drawn_by_its_records() -> None:
    texts = [
        *(f"often {n}" for n in range(4) for _ in range(3)),
        *("rare" for _ in range(2)),
        *(f"once {n}" for n in range(6)),
    ]
    shown: Counter[str | None] = Counter()
    for question in range(400):
        cases = dedupe(*(answered(f"Question {question}?", text, n) for n, text in enumerate(texts))).cases
        assert [case.weight for case in cases] == [3, 3, 3, 3, 8]
        shown[cases[-1].target] += 1
    assert sum(shown.values()) == 400
    assert shown["rare"] == pytest.approx(100, abs=35)


def test_near_duplicates_with_other_answers_ask_the_question_once() -> None:
    result = dedupe(answered(LONG, "Sorry.", 1), answered(LONG.replace("winter", "wintr"), "It is late.", 2))
    first, second = result.cases
    assert second.messages == first.messages
    assert (second.question, second.target, second.weight) == (first.id, "It is late.", 1)
    assert result.merged == ()


@pytest.mark.parametrize("answer", ["It is late.", "It is\n late."])
def test_a_case_keeps_the_ids_that_its_answers_have_in_other_logs(answer: str) -> None:
    records = [answered(LONG, "Sorry.", 1), answered(LONG.replace("winter", "wintr"), answer, 2)]
    result = dedupe(*records)
    (alone,) = dedupe(records[1]).cases
    assert result.case_of == {alone.id: result.cases[1].id}
    other_order = dedupe(records[1], replace(records[0], target=answer), answered(LONG, "Sorry.", 3))
    assert all(other_order.case_of[case.id] in {c.id for c in other_order.cases} for case in dedupe(records[0]).cases)


def test_the_id_of_a_kept_case_is_its_own() -> None:
    """The record that names the question is not the first one, so that its id is that of another answer."""
    liked = answered(LONG + " please", "It was lost.", 2, feedback=Feedback(thumb="up"))
    result = dedupe(answered(LONG, "It comes tomorrow.", 1), liked)
    assert (result.cases[0].id, result.cases[0].target) == (liked.id, "It comes tomorrow.")
    assert not result.case_of.keys() & {case.id for case in result.cases}


def test_labels_of_the_cases_of_a_log_come_back_to_them() -> None:
    liked = answered(LONG + " please", "It was lost.", 2, feedback=Feedback(thumb="up"))
    result = dedupe(answered(LONG, "It comes tomorrow.", 1), liked, answered(LONG, "Ask the carrier.", 3))
    current = CurrentAnswers.of((case.id, case.question or case.id, case.target) for case in result.cases)
    rows = [Label(case.id, Source("queue", 1), 0.0, answer_mark=answer_mark(case.target)) for case in result.cases]
    assigned, others = current.assign(rows, result.case_of)
    assert not others
    assert [row.case_id for row in assigned] == [case.id for case in result.cases]


def test_the_label_of_a_rare_answer_does_not_speak_for_the_others() -> None:
    texts = [*(f"often {n}" for n in range(4) for _ in range(3)), *(f"once {n}" for n in range(5))]
    found = 0
    for number in range(30):
        wording = LONG.replace("red", f"red{chr(97 + number)}")
        logged = [answered(wording, text, n) for n, text in enumerate(texts)]
        rare = answered(wording.replace("winter", "wintr"), "once 5", 99)
        result = dedupe(*logged, rare)
        kept = next((case for case in result.cases if case.id == result.case_of.get(rare.id)), None)
        assert kept is None or kept.target == "once 5"
        found += kept is not None
    assert 0 < found < 30


def test_a_record_that_was_logged_twice_counts_once() -> None:
    first = answered("Why?", "So.", 1, log_id="r1", time=1000.0)
    again, later = (
        replace(first, source=Source("log.jsonl", 2)),
        replace(first, source=Source("log.jsonl", 3), time=1001.0),
    )
    result = dedupe(first, again, later)
    assert [case.weight for case in result.cases] == [2]
    assert [record.source.line for record in result.merged] == [2, 3]
