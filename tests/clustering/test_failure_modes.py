"""The search for failure modes: each planted one alone, whatever the order of the cases."""

from __future__ import annotations

import json
import random

from curator.clustering.category_ids import category_id
from curator.clustering.failure_modes import FailureMode, find_modes
from curator.clustering.task_index import AskedCase, in_words
from curator.records import Difference
from tests.clustering.planted_contrasts import a_label, a_record, a_text, categories_of, log, modes_of, plain


def two_faults(draw: random.Random, truth: str) -> str:
    record = json.loads(a_record(draw, truth))
    if truth == "delivery":
        record["total"] = 4000
    elif truth == "privacy":
        record.pop("total")
    return json.dumps(record)


def test_two_faults_of_one_field_are_two_modes() -> None:
    cases = log("json", 240, 1, two_faults)
    modes = modes_of(cases)
    assert set(modes) == {"field:total:scaled", "field:total:missing"}
    for key, truth in (("field:total:scaled", "delivery"), ("field:total:missing", "privacy")):
        of_truth = [truth[:6] in cases[place].topics for place in modes[key].cases]
        assert sum(of_truth) >= 0.8 * len(of_truth)


def test_the_same_fault_in_two_tasks_is_two_modes() -> None:
    wrong = Difference("label", "", "account", "billing")
    cases = [plain(n, wrong, task=task) for task in ("a", "b") for n in range(8)]
    assert [(mode.task, mode.key, len(mode.cases)) for mode in find_modes(cases)] == [
        ("a", "label::account>billing", 8), ("b", "label::account>billing", 8),
    ]  # fmt: skip


def test_a_difference_of_an_earlier_night_needs_fewer_cases() -> None:
    wrong = Difference("label", "", "account", "billing")
    others = [Difference("label", "", f"given {n}", f"expected {n}") for n in range(250)]
    cases = [plain(n, wrong if n < 3 else others[n]) for n in range(250)]
    key = "label::account>billing"
    assert key not in {mode.key for mode in find_modes(cases)}
    assert key not in {mode.key for mode in find_modes(cases, {category_id("other task", key)})}
    assert key in {mode.key for mode in find_modes(cases, {category_id(cases[0].task, key)})}


def test_a_case_is_in_one_mode_at_most() -> None:
    first, second = Difference("label", "", "account", "billing"), Difference("refusal", "", "refuses", "answers")
    cases = [plain(n, *([first, second] if n < 4 else [first] if n < 12 else [second])) for n in range(20)]
    places = [place for mode in find_modes(cases) for place in mode.cases]
    assert sorted(places) == list(range(20))


COUPONS = ("coupon", "voucher", "compensation", "discount", "bonus")


def coupons(draw: random.Random, truth: str) -> str:
    """Three of five words, so that no word is in all of the cases."""
    if truth != "tent":
        return a_text(draw, truth)
    return f"{a_text(draw, truth)} As a {' or '.join(draw.sample(COUPONS, 3))} only."


def test_a_mode_of_free_text_takes_in_cases_that_lack_its_first_word() -> None:
    cases = log("text", 200, 2, coupons)
    (mode,) = modes_of(cases).values()
    assert in_words(mode.key)
    assert any(mode.key not in cases[place].contrasts.keys for place in mode.cases)
    planted = {place for place, case in enumerate(cases) if "tent" in case.topics}
    assert len(planted & set(mode.cases)) >= 0.9 * len(planted)
    assert set(mode.cases) <= planted
    assert mode.topics[0] == "tent"


def taken_for(draw: random.Random, truth: str) -> str:
    wrong = {"returns": "account", "privacy": "product"}
    return wrong[truth] if truth in wrong and draw.random() < 0.6 else a_label(draw, truth)


def test_the_order_of_the_cases_does_not_matter() -> None:
    cases = [
        *log("label", 120, 3, taken_for, task="label"), *log("text", 90, 3, coupons, task="text"),
        *log("json", 120, 3, two_faults, task="record"),
    ]  # fmt: skip
    built = categories_of(cases)
    assert len(built) >= 5
    for seed in (1, 2):
        assert categories_of(random.Random(seed).sample(cases, len(cases))) == built


def committee_of_prompts(draw: random.Random, truth: str) -> str:
    return "product" if truth == "returns" else a_label(draw, truth)


def test_a_prompt_that_answers_otherwise_splits_the_committee() -> None:
    cases = log("label", 200, 4, member=committee_of_prompts)
    (mode,) = [mode for mode in find_modes(cases) if mode.basis == "committee"]
    assert {"returns"[:6] in cases[place].topics for place in mode.cases} == {True}


def test_the_basis_of_a_mode_is_the_label_where_most_cases_have_one() -> None:
    modes = modes_of(log("label", 120, 5, taken_for, labelled=1.0))
    assert {mode.basis for mode in modes.values()} == {"label"}
    assert {"label::account>returns", "label::product>privacy"} <= modes.keys()


def test_central_cases_come_first() -> None:
    """The central cases have the topics of most; the last one has none of them."""
    wrong = Difference("label", "", "account", "billing")
    cases = [plain(n, wrong, topics="the lamp shade" if n else "something") for n in range(10)]
    others = [plain(n, topics="another wish") for n in range(10, 60)]
    (mode,) = find_modes([*cases, *others])
    assert mode.cases[-1] == 0


def is_a_rest(mode: FailureMode, cases: list[AskedCase]) -> bool:
    return mode.key == "field:*" and len(mode.cases) == len(cases)


def test_cases_that_share_only_the_aspect_are_its_rest() -> None:
    cases = [plain(n, Difference("field", f"name{n}", "1", "2")) for n in range(12)]
    (mode,) = find_modes(cases)
    assert is_a_rest(mode, cases)
