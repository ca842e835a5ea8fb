"""Claims: differences that more cases show than noise explains."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from curator.clustering.task_index import AskedCase, TaskIndex, in_words
from curator.records import Difference, Kind
from curator.records.differences import Contrast
from tests.clustering.planted_contrasts import KINDS, a_label, a_text, log, modes_of, plain

SPLIT = Difference("label", "", "account", "billing")


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_errors_at_the_rate_of_the_members_are_not_a_mode(kind: Kind, seed: int) -> None:
    assert not modes_of(log(kind, 150, seed))


def test_a_label_that_production_takes_for_another_is_a_mode() -> None:
    def production(draw: random.Random, truth: str) -> str:
        return "account" if truth == "returns" and draw.random() < 0.5 else a_label(draw, truth)

    modes = modes_of(log("label", 200, 1, production))
    assert list(modes) == ["label::account>returns"]
    assert modes["label::account>returns"].basis == "production"


def test_style_words_of_production_are_not_a_failure() -> None:
    def production(draw: random.Random, truth: str) -> str:
        return f"Dear customer, {a_text(draw, truth)} Best regards from Tom."

    assert not modes_of(log("text", 150, 1, production))


def test_words_of_a_failure_belong_to_a_topic() -> None:
    def production(draw: random.Random, truth: str) -> str:
        return "A coupon is the only compensation for it." if truth == "tent" else a_text(draw, truth)

    cases = log("text", 150, 1, production)
    (mode,) = modes_of(cases).values()
    assert in_words(mode.key)
    assert {cases[place].topics.get("tent") for place in mode.cases} == {"tent"}
    assert len(mode.cases) >= 0.9 * sum("tent" in case.topics for case in cases)


def split(number: int, *, dissenter: str = "", topics: str = "", is_split: bool = True) -> AskedCase:
    """A case whose committee agrees or is split; one member errs in a tenth of all."""
    case = plain(number, topics=topics)
    placebos = dict.fromkeys(SPLIT.keys, 1) if number % 3 == 0 else {}
    contrast = Contrast(case.contrasts.case_id, "committee", (SPLIT,), 0.4) if is_split else None
    contrasts = replace(
        case.contrasts, committee=contrast, dissenter=dissenter, placebo_keys=placebos, spread={"label:": 0.1}
    )
    return replace(case, contrasts=contrasts)


def claimed(cases: list[AskedCase]) -> bool:
    index = TaskIndex(cases, range(len(cases)))
    key = SPLIT.keys[0]
    return index.claims(key, index.having[key])


def test_splits_need_a_prompt_a_topic_or_many_more_cases() -> None:
    others = [split(n, is_split=False, topics=f"word{n}") for n in range(100, 300)]
    expected = TaskIndex([*others, split(0)], range(201)).noise.by_committee(SPLIT.keys[0])
    some = round(3 * expected) + 5
    assert not claimed([*(split(n) for n in range(5)), *others]), "too few"
    assert not claimed([*(split(n, dissenter=f"m/{n}") for n in range(some)), *others])
    assert claimed([*(split(n, dissenter="m/a") for n in range(some)), *others])
    assert claimed([*(split(n, topics="the lamp") for n in range(some)), *others])
    assert claimed([*(split(n, dissenter=f"m/{n}") for n in range(3 * some)), *others])


def labelled(number: int, *, fails: bool, noise: int) -> AskedCase:
    case = plain(number, *([SPLIT] if fails else []))
    placebos = dict.fromkeys(SPLIT.keys, noise)
    contrasts = replace(case.contrasts, placebo_keys=placebos, spread={"label:": 0.1})
    return replace(case, contrasts=contrasts, failed=fails)


def test_labels_beat_noise_only_beyond_it() -> None:
    few = [labelled(n, fails=n < 12, noise=0) for n in range(60)]
    assert claimed(few)
    assert not claimed([labelled(n, fails=n < 12, noise=1) for n in range(60)]), "a member errs as often"


def test_the_cases_of_other_tasks_do_not_count() -> None:
    cases = [plain(n, SPLIT) for n in range(10)]
    index = TaskIndex(cases, [0, 1, 2, 3])
    assert index.having[SPLIT.keys[0]] == [0, 1, 2, 3]
    assert index.noise.cases == 4


def test_the_mass_of_a_case_is_its_records_times_its_chance() -> None:
    case = replace(plain(1), weight=4, chance=0.5)
    assert case.mass == 2
    assert replace(case, chance=0.0).mass > 0
