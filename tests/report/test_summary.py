"""What the summary says of a small run, and that it adds up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.records import (
    BlindShare,
    Case,
    Category,
    Diagnosis,
    DiagnosisName,
    DuplicateRecord,
    Feedback,
    Generation,
    Kind,
    Member,
    MemberHealth,
    Message,
    NoiseFloor,
    Pick,
    Rate,
    Reference,
    RejectedRecord,
    Score,
    Source,
    Usage,
)
from curator.report.answer_groups import AnswerGroup
from curator.report.html import render_html
from curator.report.markdown import render_markdown
from curator.report.summarise import FIRST_SET_ASIDE, MOST_POINTS
from curator.report.summary import AdaptiveSummary, FinetuneSummary, summary_json
from curator.stats import Figure
from tests.report.summary_kit import RunRecords, summarise

NO_RATE = Rate(None, None, None, 0)


def case(name: str, *, weight: int = 1, **more: object) -> Case:
    made = Case(name, (Message("user", f"question {name}"),), Source("a.jsonl", 1), weight=weight, group=name)
    return replace(made, **more)  # type: ignore[arg-type]


def score(name: str, disagreement: float | None, *, kind: Kind = "label", **more: object) -> Score:
    known = disagreement is not None
    agreement = None if disagreement is None else 1 - disagreement
    made = Score(
        name, disagreement, 0.1 if known else None, 0.3 if known else None, disagreement, kind, "s-1", "x", agreement, 4
    )
    return replace(made, **more)  # type: ignore[arg-type]


def generation(name: str, variant: str = "plain", *, index: int = 0, **more: object) -> Generation:
    made = Generation(name, "answer", "small", variant, 0.8, index, "stop", Usage(10, 2), cost_usd=0.1)
    return replace(made, **more)  # type: ignore[arg-type]


def run(*cases: Case, **more: object) -> RunRecords:
    """A run over these cases in which nothing else happened."""
    made = RunRecords(
        name="job",
        logs=("a.jsonl",),
        read=len(cases),
        cases=cases,
        merged=(),
        unreadable=(),
        members=(Member("m1", "small", "plain", 0.8, 64), Member("m2", "small", "careful", 0.8, 64)),
        generations={},
        scores={},
        answers_of=lambda _: (AnswerGroup("answer", 2, ("plain",), is_target=True),),
        embedded=(),
        layout=np.zeros((0, 2), np.float32),
        categories=(),
        picks=(),
        finetune=FinetuneSummary(0, {}, {}),
        outputs={},
        health=(),
        noise=NoiseFloor(None, NO_RATE, None, cold=False, one_prompt=False),
        blind=BlindShare(NO_RATE, 0.05, {}, 0),
        diagnoses={},
        diagnose=lambda ids: diagnosis("stable", cases=len(ids)),
    )
    return replace(made, **more)  # type: ignore[arg-type]


def diagnosis(name: DiagnosisName, *, cases: int = 1, certain: bool = True) -> Diagnosis:
    return Diagnosis(name, f"advice for {name}", "seen in the answers", cases, 4, 0.1, 0.2, 0.3, certain=certain)


@given(
    st.integers(0, 5), st.lists(st.sampled_from(["exact", "near"]), max_size=5), st.integers(0, 5), st.integers(-2, 2)
)
def test_read_is_kept_and_merged_and_set_aside(kept: int, merged: list, aside: int, wrong: int) -> None:
    records = run(
        *(case(f"c{i}") for i in range(kept)),
        merged=[DuplicateRecord(Source("a.jsonl", 1), "c0", "c0", how, 1.0) for how in merged],
        unreadable=[RejectedRecord(Source("a.jsonl", 1), "no JSON", "mend it")] * aside,
        read=kept + len(merged) + aside + wrong,
    )
    if wrong:
        with pytest.raises(ValueError, match="records were lost"):
            summarise(records)
        return
    counts = summarise(records).counts
    assert counts.read == counts.kept + counts.merged_exact + counts.merged_near + counts.set_aside
    assert counts.merged_near == merged.count("near")


def test_cost_and_tokens_are_those_of_every_answer_used() -> None:
    records = run(
        case("a"),
        case("b"),
        generations={
            "a": [
                generation("a"),
                generation("a", "careful", finish_reason="length", usage=Usage(5, 3, estimated=True)),
            ],
            "b": [generation("b", error="refused", text="", usage=None, cost_usd=0.0)],
        },
    )
    committee = summarise(records).committee
    assert (committee.generations, committee.failed, committee.cut_off) == (3, 1, 1)
    assert (committee.input_tokens, committee.output_tokens, committee.estimated_usage) == (15, 5, 1)
    assert committee.cost_usd == 0.2
    assert committee.failures == {"refused": 1}
    assert [(m.generations, m.failed, m.cut_off, m.cost_usd) for m in committee.members] == [
        (2, 1, 0, 0.1),
        (1, 0, 1, 0.1),
    ]


def test_one_answer_for_each_prompt_cannot_show_sampling_noise() -> None:
    once = run(case("a"), generations={"a": [generation("a"), generation("a", "careful")]})
    again = run(case("a"), generations={"a": [generation("a"), generation("a", index=1)]})
    assert not summarise(once).committee.sees_within
    assert summarise(once).committee.sees_between
    assert summarise(again).committee.sees_within
    assert not summarise(again).committee.sees_between


def test_unanimous_cases_are_counted_with_and_against_production() -> None:
    scores = {
        "a": score("a", 0.0),
        "b": score("b", 1.0, agreement=1.0),
        "c": score("c", 0.5),
        "d": score("d", None, reason="fewer than two answers"),
    }
    summary = summarise(run(*map(case, "abcd"), scores=scores))
    spread = summary.disagreement
    assert (spread.unanimous, spread.unanimous_against_target) == (2, 1)
    assert spread.unscored == {"fewer than two answers": 1}
    assert spread.mean == Figure(0.5, 3)
    assert sum(spread.histogram) == summary.counts.scored == 3


def test_a_category_has_its_share_of_the_traffic_that_was_asked() -> None:
    cases = [case("a", weight=6), case("b", weight=2), case("c", weight=2), case("d", weight=90)]
    summary = summarise(
        run(
            *cases,
            generations={name: [generation(name)] for name in "abc"},
            scores={"a": score("a", 0.2), "b": score("b", 0.9), "c": score("c", 0.4)},
            embedded=("a", "b", "c"),
            layout=np.array([[0, 0], [1, 1], [0.5, 0.5]], np.float32),
            categories=(Category("k1", "bees", (), ("b",)), Category("k2", "ays", ("ay",), ("a",))),
            picks=(Pick("b", 0, "disagreement", 1.0, "eval"),),
        )
    )
    assert [c.name for c in summary.categories] == ["bees", "ays"]  # 2 x .9 comes before 6 x .2
    assert [c.traffic_share for c in summary.categories] == [0.2, 0.6]
    assert [c.selected for c in summary.categories] == [1, 0]
    assert summary.categories[0].disagreement == Figure(None, 1)
    assert [(p.case_id, p.category, p.selected) for p in summary.points] == [
        ("a", "k2", False), ("b", "k1", True), ("c", None, False),
    ]  # fmt: skip


def test_a_typical_case_is_cut_and_says_so() -> None:
    long = case(
        "a",
        messages=(
            Message("system", "s"),
            Message("user", "first"),
            Message("assistant", "x"),
            Message("user", "w" * 1000),
        ),
        target="t" * 400,
        feedback=Feedback(thumb="down"),
        reference=Reference("right", "correction"),
    )
    answers = tuple(AnswerGroup(f"answer {i}", 9 - i, ("plain",)) for i in range(8))
    summary = summarise(
        run(
            long,
            generations={"a": [generation("a", error="refused")]},
            answers_of=lambda _: answers,
            categories=(Category("k", "one", (), ("a",)),),
        )
    )
    (shown,) = summary.categories[0].typical
    assert (len(shown.input.text), shown.input.omitted, shown.earlier_turns) == (600, 400, 2)
    assert shown.target is not None
    assert shown.target.omitted == 100
    assert (len(shown.answers), shown.more_answers, shown.more_votes) == (5, 3, 4 + 3 + 2)
    assert (shown.thumb, shown.reference_source, shown.failed) == ("down", "correction", 1)


def test_the_map_is_bounded_and_keeps_the_selected_cases() -> None:
    names = [f"c{i}" for i in range(MOST_POINTS + 500)]
    last = names[-200:]
    picks = tuple(Pick(n, i, "random", 0.1, "train") for i, n in enumerate(last))
    summary = summarise(
        run(*map(case, names), embedded=names, layout=np.zeros((len(names), 2), np.float32), picks=picks)
    )
    assert len(summary.points) == MOST_POINTS
    assert {p.case_id for p in summary.points if p.selected} == set(last)


def test_the_set_aside_table_is_bounded_and_its_total_is_not() -> None:
    unreadable = [RejectedRecord(Source("a.jsonl", i), f"reason {i % 30}", "mend it") for i in range(100)]
    aside = summarise(run(unreadable=unreadable, read=100)).set_aside
    assert aside.total == sum(aside.by_reason.values()) == 100
    assert len(aside.first) == FIRST_SET_ASIDE
    assert "(10 others)" in aside.by_reason


def test_selection_counts_what_waits_for_a_label() -> None:
    cases = [case("a", reference=Reference("x", "label")), case("b"), case("c")]
    picks = (
        Pick("a", 0, "disagreement", 1.0, "eval"),
        Pick("b", 1, "random", 0.25, "eval"),
        Pick("c", 2, "random", 0.25, "train"),
    )
    selection = summarise(run(*cases, picks=picks)).selection
    assert (selection.total, selection.to_label, selection.probabilities) == (3, 2, (0.25, 0.25))
    assert selection.by_slice == {"random": 2, "disagreement": 1, "diversity": 0}
    assert selection.by_split == {"eval": 2, "train": 1}


def test_disagreement_that_only_measures_length_shows() -> None:
    names = [f"c{i:02d}" for i in range(12)]
    summary = summarise(
        run(
            *map(case, names),
            generations={n: [generation(n, text="x" * (i + 1))] for i, n in enumerate(names)},
            scores={n: score(n, i / 12) for i, n in enumerate(names)},
        )
    )
    answers, inputs = summary.length
    assert answers.spearman == Figure(1.0, 12)
    assert inputs.spearman == Figure(None, 12)  # every input is as long as the others


def test_the_same_records_give_the_same_bytes() -> None:
    records = run(case("a"), scores={"a": score("a", 0.1 + 0.2)}, outputs={"b": 1, "a": 2})
    written = summary_json(summarise(records))
    assert written == summary_json(summarise(replace(records, outputs={"a": 2, "b": 1})))
    assert orjson.loads(written)["counts"]["read"] == 1


def test_a_fixed_committee_has_no_adaptive_figures_and_an_adaptive_one_has_them_all() -> None:
    adaptive = AdaptiveSummary(50, 100, 40, 10, 12, 10, 0.25, 0.1, 0.5, 0.9)
    assert orjson.loads(summary_json(summarise(run(case("a")))))["adaptive"] is None
    written = orjson.loads(summary_json(summarise(run(case("a"), adaptive=adaptive))))["adaptive"]
    assert written == {
        "calls": 50, "calls_full": 100, "cases": 40, "least_cases": 10, "in_top": 12, "least_in_top": 10,
        "missed": 0.25, "low": 0.1, "high": 0.5, "rank_correlation": 0.9,
    }  # fmt: skip


def test_diagnoses_are_counted_and_weighed_by_traffic() -> None:
    summary = summarise(
        run(
            case("a", weight=5),
            *map(case, "bcd"),
            diagnoses={
                "a": diagnosis("stable"),
                "b": diagnosis("ambiguous", certain=False),
                "c": diagnosis("ambiguous"),
                "d": diagnosis("ambiguous"),
            },
        )
    )
    assert [(d.name, d.cases, d.possible, d.records, d.share, d.advice) for d in summary.diagnoses] == [
        ("ambiguous", 3, 1, 3, 0.75, "advice for ambiguous"),
        ("stable", 1, 0, 5, 0.25, "advice for stable"),
    ]


def test_a_category_has_the_diagnosis_of_its_cases_together_and_counts_their_own() -> None:
    summary = summarise(
        run(
            *map(case, "abc"),
            embedded="abc",
            layout=np.zeros((3, 2), np.float32),
            categories=(Category("k", "two", (), ("a", "b")),),
            diagnoses={"a": diagnosis("refusing"), "b": diagnosis("refusing"), "c": diagnosis("stable")},
            diagnose=lambda ids: diagnosis("prompt-sensitive", cases=len(ids)),
        )
    )
    (category,) = summary.categories
    assert (category.diagnosis.name, category.diagnosis.cases) == ("prompt-sensitive", 2)
    assert category.diagnoses == {"refusing": 2}


def test_health_stands_with_its_member() -> None:
    rates = (NO_RATE,) * 4
    health = MemberHealth("small", "careful", 0.8, 9, 0, *rates, None, NO_RATE, 0.5, "half of its answers are refusals")
    plain, careful = summarise(run(case("a"), health=(health,))).committee.members
    assert plain.health is None
    assert careful.health == health


def test_a_category_with_structured_answers_says_which_fields_differ_most() -> None:
    fields = [{"days": 1.0, "city": 0.5}, {"days": 0.5}, {}, None]
    found = {name: score(name, 0.5, kind="json", fields=f) for name, f in zip("abcd", fields, strict=True)}
    many = {name: score(name, 0.5, kind="json", fields={f"f{i}": 0.1 for i in range(9)}) for name in "efg"}
    summary = summarise(
        run(
            *map(case, "abcdefg"),
            scores={**found, **many},
            embedded="abcdefg",
            layout=np.zeros((7, 2), np.float32),
            categories=(
                Category("k1", "one", (), ("a", "b", "c", "d")),
                Category("k2", "few", (), ("a", "b")),
                Category("k3", "many", (), ("e", "f", "g")),
            ),
        )
    )
    by_name = {c.name: c.fields for c in summary.categories}
    assert [(f.path, f.disagreement.value, f.disagreement.n) for f in by_name["one"]] == [
        ("days", 0.5, 3), ("city", pytest.approx(0.5 / 3, abs=1e-6), 3),
    ]  # fmt: skip
    assert by_name["few"] == ()
    assert [f.path for f in by_name["many"]] == ["f0", "f1", "f2", "f3", "f4"]
    told = "Fields that differ most (share of answer pairs, n=3): days 0.50, city 0.17."
    assert told in render_html(summary)
    assert told in render_markdown(summary)
