"""Generations to scores: a member's health decides what its answers count for, in every score of a run alike."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from curator.committee.judge import Verdict
from curator.committee.prompts import load_variants
from curator.config import parse_config
from curator.disagreement.equivalence.comparers import VerdictComparer
from curator.disagreement.signals import Signals
from curator.progress import Silent
from curator.records import Case, Feedback, Generation, Message, Reference, Source
from curator.stages.equivalence import JudgeQueue, by_embedding
from curator.stages.score import Scorer, ScoringResult
from curator.state.vectors import VectorCache

LABELS = ("billing", "delivery", "returns", "account", "product")
VARIANTS = ("plain", "careful", "restated")


def cases(count: int = 60) -> list[Case]:
    return [
        Case(
            f"c{i}",
            (Message("user", f"question {i}"),),
            Source("a.jsonl", i + 1),
            target=LABELS[i % 5],
            task="route",
            group=f"c{i}",
        )
        for i in range(count)
    ]


def generations(asked: list[Case], *, empty_every: int) -> dict[str, list[Generation]]:
    """Each variant says the target, but that `careful` says nothing on every so many cases, and `plain` errs on some."""
    found = {}
    for i, case in enumerate(asked):
        texts = {"plain": LABELS[(i + 1) % 5] if i % 7 == 0 else case.target or "", "restated": case.target or ""}
        texts["careful"] = "" if i % empty_every == 0 else case.target or ""
        found[case.id] = [Generation(case.id, texts[v], "m", v, 0.8) for v in VARIANTS]
    return found


@pytest.fixture
def scored(job: dict[str, Any]) -> Any:
    def score(asked: list[Case], made: dict[str, list[Generation]]) -> ScoringResult:
        scorer = Scorer(parse_config(job), asked, load_variants(VARIANTS, None))
        found = scorer.score(made)
        assert scorer.scores(made) == found.scores
        return found

    return score


def weights(found: ScoringResult) -> dict[str, float]:
    return {member.variant: member.weight for member in found.health}


def test_a_member_at_half_weight_counts_for_half_in_the_score_and_in_full_in_the_shares(scored: Any) -> None:
    asked = cases()
    found = scored(asked, generations(asked, empty_every=5))
    assert weights(found) == {"careful": 0.5, "plain": 1.0, "restated": 1.0}
    alone = scored(asked[:5], generations(asked[:5], empty_every=5))  # too few cases to judge anybody
    assert weights(alone) == {"careful": 1.0, "plain": 1.0, "restated": 1.0}
    halved, full = found.scores["c0"], alone.scores["c0"]
    assert (halved.n, halved.against_target) == (full.n, full.against_target) == (3, pytest.approx(2 / 3))
    assert found.left_out == {}


def test_a_member_that_is_left_out_is_in_no_number(scored: Any) -> None:
    asked = cases()
    found = scored(asked, generations(asked, empty_every=2))
    assert weights(found)["careful"] == 0.0
    assert {score.n for score in found.scores.values()} == {2}
    assert {g.variant for own in found.left_out.values() for g in own} == {"careful"}
    assert found.scores["c2"].disagreement == 0.0
    assert found.patterns["c2"].answers == 2
    assert all("careful" not in group.by for groups in found.answers.values() for group in groups)


def test_labels_of_the_random_slice_measure_accuracy_and_others_do_not(scored: Any) -> None:
    asked = cases()
    drawn = [replace(c, reference=Reference(c.target or "", "label", slice="random")) for c in asked]
    picked = [replace(c, reference=Reference(c.target or "", "label", slice="disagreement")) for c in asked]
    made = generations(asked, empty_every=100)
    accuracy = {m.variant: m.accuracy for m in scored(drawn, made).health}
    assert accuracy["restated"].value == 1.0
    assert accuracy["plain"].value == pytest.approx(1 - 9 / 60, abs=1e-5)
    assert {m.accuracy.n for m in scored(picked, made).health} == {0}


def test_known_failures_with_a_score_of_0_are_those_nobody_would_have_seen(scored: Any) -> None:
    asked = [replace(c, feedback=Feedback(thumb="down")) if i < 20 else c for i, c in enumerate(cases())]
    found = scored(asked, generations(asked, empty_every=100))
    assert found.blind.unseen.n == 20
    assert found.blind.unseen.value == pytest.approx(17 / 20)  # `plain` errs on three of them


def test_a_fitted_score_ranks_and_what_nobody_would_have_seen_stays_that_of_the_default(job: dict[str, Any]) -> None:
    class Half:
        name = "half"

        def value(self, signals: Signals) -> float:
            return 0.5

    asked = [replace(c, feedback=Feedback(thumb="down")) if i < 20 else c for i, c in enumerate(cases())]
    found = Scorer(parse_config(job), asked, load_variants(VARIANTS, None), formula=Half()).score(
        generations(asked, empty_every=100)
    )
    assert {(score.disagreement, score.scorer) for score in found.scores.values()} == {(0.5, "half")}
    assert found.blind.unseen.value == pytest.approx(17 / 20)


def test_failed_calls_are_counted_with_their_member_and_compared_with_nothing(scored: Any) -> None:
    asked = cases(30)
    made = generations(asked, empty_every=100)
    made["c3"][1] = replace(made["c3"][1], text="", error="HTTP 500")
    found = scored(asked, made)
    assert {m.variant: m.failed for m in found.health} == {"careful": 1, "plain": 0, "restated": 0}
    assert found.scores["c3"].n == found.patterns["c3"].answers == 2


def test_a_diagnosis_takes_for_one_what_the_score_does(job: dict[str, Any]) -> None:
    job["tasks"]["route"] = {"kind": "short"}
    asked = [replace(c, reference=Reference("gravy train", "label")) for c in cases(5)]
    texts = {"plain": "steam engine", "careful": "iron horse", "restated": "iron horse"}
    made = {c.id: [Generation(c.id, texts[v], "m", v, 0.0) for v in VARIANTS] for c in asked}
    scorer = Scorer(parse_config(job), asked, load_variants(VARIANTS, None))
    apart = scorer.score(made)
    assert apart.patterns["c0"].pairwise_difference == pytest.approx(2 / 3)
    scorer.compare_by(partial(VerdictComparer, decide=lambda pairs: dict.fromkeys(pairs, True), name="all"))
    one = scorer.score(made)
    assert (one.patterns["c0"].pairwise_difference, one.patterns["c0"].wrong) == (0.0, False)
    for found in (apart, one):
        score, parts = found.scores["c0"], found.patterns["c0"].decomposition
        assert parts is not None
        assert parts.total == pytest.approx((score.within or 0) + (score.between or 0))


def short(job: dict[str, Any], texts: tuple[str, ...], **more: Any) -> tuple[Scorer, dict[str, list[Generation]]]:
    """A scorer of 20 equal cases, whose answers the variants give in turn."""
    job["tasks"]["route"] = {"kind": "short"}
    asked = [replace(c, **more) for c in cases(20)]
    made = {c.id: [Generation(c.id, text, "m", VARIANTS[i % 3], 0.8) for i, text in enumerate(texts)] for c in asked}
    return Scorer(parse_config(job), asked, load_variants(VARIANTS, None)), made


def judge_all_the_same(scorer: Scorer, made: dict[str, list[Generation]]) -> None:
    docket = JudgeQueue(scorer.compared(made), pairs_per_case=99)
    while pairs := docket.next_pairs():
        docket.learn(dict.fromkeys(pairs, Verdict(True)))
    scorer.compare_by(docket.comparer("judge"))


@pytest.mark.parametrize(
    ("first", "reference"), [("The Paris", None), ("Paris", Reference("Lutetia", "label", slice="random"))]
)
def test_vectors_are_there_for_all_that_is_compared(
    job: dict[str, Any], encoder: Any, tmp_path: Path, first: str, reference: Reference | None
) -> None:
    scorer, made = short(job, (first, "Rome town", "Oslo"), target="Paris", reference=reference)
    for answers in list(made.values())[:12]:
        answers[1] = replace(answers[1], text="")  # this member is left out, which leaves a part of what was embedded
    with VectorCache(tmp_path / "vectors") as cache:
        scorer.compare_by(by_embedding(scorer.compared(made), encoder, cache, progress=Silent()))
    found = scorer.score(made)
    assert found.left_out.keys() == made.keys()
    assert found.patterns["c0"].pairwise_difference == 1.0  # Paris and Oslo


def test_what_the_judge_takes_for_one_is_one_in_health_diagnosis_and_score(job: dict[str, Any]) -> None:
    texts = ("James the First", "King Jimmy", "Scots monarch") * 2
    reference = Reference("the son of Mary", "label", slice="random")
    scorer, made = short(job, texts, target="James Stuart", reference=reference)
    judge_all_the_same(scorer, made)
    found = scorer.score(made)
    assert found.scores["c0"].against_target == 0
    assert (found.patterns["c0"].pairwise_difference, found.patterns["c0"].wrong) == (0, False)
    assert [len(groups) for groups in found.answers.values()] == [1] * 20
    assert {(m.weight, m.accuracy.value) for m in found.health} == {(1, 1)}
    assert found.blind.unseen.n == 0


def test_production_fails_where_the_judge_takes_its_answer_and_the_label_for_two(job: dict[str, Any]) -> None:
    label = Reference("Henry", "label", slice="random")
    scorer, made = short(job, ("James", "James", "James"), target="James", reference=label)
    docket = JudgeQueue(scorer.compared(made), pairs_per_case=9)
    docket.learn(dict.fromkeys(docket.next_pairs(), Verdict(False)))
    scorer.compare_by(docket.comparer("judge"))
    found = scorer.score(made)
    assert (found.blind.unseen.n, found.blind.unseen.value, found.patterns["c0"].wrong) == (20, 1, True)


def test_answers_in_words_of_their_own_are_one_text_to_the_diagnosis_too(job: dict[str, Any]) -> None:
    texts = ("it came late", "the delay was long", "nobody brought it")
    scorer, made = short(job, texts, target="slow delivery", kind="text")
    judge_all_the_same(scorer, made)
    assert scorer.score(made).patterns["c0"].pairwise_difference == 0


def test_a_label_changes_no_score(job: dict[str, Any]) -> None:
    scores = []
    for reference in (None, Reference("a", "label"), Reference("w", "label")):
        scorer, made = short(job, ("u", "v", "w"), target="x", reference=reference)
        docket = JudgeQueue(scorer.compared(made), pairs_per_case=4)
        while pairs := docket.next_pairs():
            docket.learn({pair: Verdict("x" not in (pair.left, pair.right)) for pair in pairs})
        scorer.compare_by(docket.comparer("judge"))
        scores.append(scorer.score(made).scores)
    assert scores[0] == scores[1] == scores[2]


@pytest.mark.parametrize(("kind", "said"), [("text", "it is late"), ("short", "")])
def test_a_label_in_which_nothing_can_be_read_is_no_answer(job: dict[str, Any], kind: str, said: str) -> None:
    scorer, made = short(
        job, ("a", "a", "a"), target="a", reference=Reference(said, "label", slice="random"), kind=kind
    )
    assert {found.label for found in scorer.compared(made)} == {None}
    assert {m.accuracy.n for m in scorer.score(made).health} == {0}
