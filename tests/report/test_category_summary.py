"""What a category carries: its order, labels, expected failures, best variant, cases and ids."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import orjson
import pytest

from curator.records import AnswerSide, Basis, Case, Category, Contrast, Feedback, Pick, Rate, Reference, Score, Verdict
from curator.report import category_text
from curator.report.best_variant import best_variant
from curator.report.category_summary import PRIOR_LABELS
from curator.report.html import render_html
from curator.report.markdown import render_markdown
from curator.report.markup import plain
from curator.report.summary import Summary, summary_json
from curator.report.summary_cases import CategorySummary, LabelSummary
from curator.stats import MIN_FOR_RATE, sign_test
from tests.report.summary_kit import RunRecords, summarise
from tests.report.test_summary import case, run, score

NO_RATE = Rate(None, None, None, 0)


def category(key: str, *ids: str, parent: str | None = None, basis: Basis = "production", **more: object) -> Category:
    made = Category(key, f"name of {key}", (), ids, parent=parent, basis=basis, sentence=f"sentence of {key}")
    return replace(made, **more)  # type: ignore[arg-type]


def against(name: str, share: float | None, disagreement: float = 0.5) -> Score:
    return score(name, disagreement, against_target=share)


def one(records: RunRecords) -> CategorySummary:
    (only,) = summarise(records).categories
    return only


def labelled(
    failures: dict[str, float], *, share: float = 0.5, basis: Basis = "production", **more: object
) -> CategorySummary:
    """The summary of one category of twenty cases, some of them labelled."""
    names = [f"c{i:02d}" for i in range(20)]
    return one(
        run(
            *map(case, names),
            scores={n: against(n, share) for n in names},
            categories=(category("k", *names, basis=basis),),
            failures=failures,
            **more,
        )
    )


def test_without_labels_the_expected_failures_are_those_that_the_committee_suggests() -> None:
    summary = labelled({})
    assert summary.expected_failures == pytest.approx(20 * 0.5)
    assert summary.labels == LabelSummary(0, 0.0, NO_RATE)
    assert category_text.failure_rate(summary) == "no labels yet"
    assert category_text.rate_or_contradiction(summary) == "50% of the committee's answers contradict production"


def test_labels_draw_the_expected_failures_to_their_own_rate() -> None:
    few = labelled({"c00": 1.0, "c01": 1.0})
    assert few.expected_failures == pytest.approx(20 * (PRIOR_LABELS * 0.5 + 2) / (PRIOR_LABELS + 2), abs=1e-5)
    many = labelled({f"c{i:02d}": 0.0 for i in range(20)})
    assert many.expected_failures == pytest.approx(20 * PRIOR_LABELS * 0.5 / (PRIOR_LABELS + 20), abs=1e-5)


def test_a_rate_has_an_interval_and_is_said_to_be_of_the_labelled_cases() -> None:
    summary = labelled({f"c{i:02d}": float(i < 4) for i in range(MIN_FOR_RATE)})
    labels = summary.labels
    assert (labels.labelled, labels.failed, labels.rate.value, labels.rate.n) == (MIN_FOR_RATE, 4.0, 0.4, MIN_FOR_RATE)
    assert labels.rate.low is not None
    assert 0.1 < labels.rate.low < 0.4
    assert "of its 10 labelled cases fail" in category_text.failure_rate(summary)
    assert category_text.rate_or_contradiction(summary) == category_text.failure_rate(summary)


def test_a_rate_of_cases_that_labels_found_says_so() -> None:
    found = labelled(dict.fromkeys((f"c{i:02d}" for i in range(MIN_FOR_RATE)), 1.0), basis="label")
    assert category_text.failure_rate(found).endswith("of its 10 labelled cases fail, by which it was found")


def test_where_only_the_committee_disagrees_its_disagreement_suggests_the_rate() -> None:
    assert labelled({}, share=0.0, basis="committee").expected_failures == pytest.approx(20 * 0.5)
    assert labelled({}, share=0.0).expected_failures == 0.0


def test_nothing_is_expected_where_nothing_suggests_a_rate() -> None:
    silent = one(run(case("a"), categories=(category("k", "a"),)))
    assert silent.expected_failures is None
    assert category_text.expected_failures(silent) == "-"
    told = one(run(case("a"), categories=(category("k", "a"),), failures={"a": 1.0}))
    assert told.expected_failures == 1.0


def test_a_case_that_its_user_rejected_is_expected_to_fail() -> None:
    down = case("a", weight=3, feedback=Feedback(thumb="down"))
    fine = case("b", feedback=Feedback(thumb="up"))
    scores = {n: against(n, 0.0) for n in "ab"}
    assert one(run(down, fine, scores=scores, categories=(category("k", "a", "b"),))).expected_failures == 3.0


def test_corrections_are_counted_apart_from_the_labels() -> None:
    names = [f"c{i:02d}" for i in range(MIN_FOR_RATE + 2)]
    cases = [case(n, reference=Reference("right", "correction")) for n in names[:-1]]
    judged = case(names[-1], reference=Reference("right", "correction"), verdict=Verdict(0.0))
    summary = one(run(*cases, judged, categories=(category("k", *names),), failures=dict.fromkeys(names, 1.0)))
    assert (summary.corrected, summary.labels.labelled) == (len(cases), 1)


def test_traffic_weighs_what_the_committee_suggests() -> None:
    cases = [case("a", weight=9), case("b")]
    scores = {"a": against("a", 1.0), "b": against("b", 0.0)}
    assert one(run(*cases, scores=scores, categories=(category("k", "a", "b"),))).expected_failures == 9.0


def test_categories_come_by_expected_failures_and_their_parts_after_all_of_the_top_level() -> None:
    cases = [case("a", weight=2), case("b", weight=5), case("c", weight=3), case("d")]
    summary = summarise(
        run(
            *cases,
            scores={c.id: against(c.id, 1.0) for c in cases[:3]},
            categories=(
                category("small", "a"),
                category("part 1", "c", parent="large"),
                category("unknown", "d"),
                category("large", "b", "c"),
                category("part 2", "b", parent="large"),
                category("even", "a"),
            ),
        )
    )
    assert [c.id for c in summary.categories] == ["large", "even", "small", "unknown", "part 2", "part 1"]
    assert [c.id for c in summary.top_categories] == ["large", "even", "small", "unknown"]
    page = render_markdown(summary)
    order = [page.index(f"| {text} |") for text in ("name of large", "\u21b3 name of part 2", "name of even")]
    assert order == sorted(order)
    assert page.index("**1. sentence of large**") < page.index("**2. sentence of even**") < order[0]
    assert "sentence of part 2**" not in page[: order[0]]
    assert page.index("## What fails") < page.index("## From log records to labels")


def test_the_cases_that_no_category_explains_are_counted_on_both_pages() -> None:
    summary = replace(summarise(run(case("a"))), ungrouped=7)
    for page in (render_markdown(summary), render_html(summary)):
        assert "7 cases of " in page
        assert "show a difference and are in no category" in page
    assert "show a difference and are" not in render_html(replace(summary, ungrouped=0))


def test_a_case_is_placed_on_the_map_by_its_top_category() -> None:
    summary = summarise(
        run(
            case("a"),
            embedded=("a",),
            layout=np.zeros((1, 2), np.float32),
            categories=(category("top", "a"), category("part", "a", parent="top")),
        )
    )
    assert [p.category for p in summary.points] == ["top"]


def test_three_central_cases_and_the_border_are_shown() -> None:
    names = ["e", "d", "c", "b", "a"]
    records = run(*map(case, names), categories=(category("k", *names, border="a"),))
    summary = one(records)
    assert [t.case_id for t in summary.typical] == ["e", "d", "c"]
    assert summary.border is not None
    assert summary.border.case_id == "a"
    assert one(replace(records, categories=(category("k", *names, border="d"),))).border is None


def test_the_queue_holds_what_waits_for_a_label_and_the_eval_set_what_is_held_out() -> None:
    names = ["a", "b", "c", "d"]
    done: Case = case("b", verdict=Verdict(1.0))
    picks = [
        Pick("b", 1, "random", 0.5, "eval"), Pick("a", 2, "random", 0.5, "train"), Pick("c", 3, "disagreement", 1.0, "eval"),
    ]  # fmt: skip
    cases = [case("a"), done, case("c"), case("d")]
    summary = one(run(*cases, picks=picks, categories=(category("k", *names),)))
    assert (summary.queue, summary.eval_set) == (("a", "c"), ("b", "c"))


def test_spread_is_the_sum_of_its_parts_and_apart_from_disagreement() -> None:
    summary = labelled({})
    assert summary.spread.value == pytest.approx(0.4)
    assert (summary.spread_within.value, summary.spread_between.value) == (0.1, 0.3)
    written = orjson.loads(summary_json(summarise(run(case("a"), categories=(category("k", "a"),)))))
    assert {"disagreement", "spread", "spread_within", "spread_between"} <= written["categories"][0].keys()
    assert not {"within", "between"} & (written["categories"][0].keys() | written["disagreement"].keys())


def rates(*variants: tuple[str, float], n: int) -> dict[str, dict[str, float]]:
    return {f"c{i:02d}": dict(variants) for i in range(n)}


def test_the_variant_that_matches_most_labels_is_named_if_it_is_ahead_by_more_than_chance() -> None:
    majority = rates(("plain", 1.0), ("careful", 0.0), n=20)
    labels = rates(("plain", 0.0), ("careful", 1.0), n=MIN_FOR_RATE)
    best = best_variant(majority, labels=labels, majority=majority)
    assert best is not None
    assert (best.name, best.agreement, best.reference, best.n) == ("careful", 1.0, "labels", MIN_FOR_RATE)
    too_few = best_variant(majority, labels=rates(("careful", 1.0), n=MIN_FOR_RATE - 1), majority=majority)
    assert too_few is not None
    assert (too_few.name, too_few.reference) == ("plain", "majority")


@pytest.mark.parametrize(
    ("ahead", "behind", "variants", "named"),
    [(5, 0, 2, False), (6, 0, 2, True), (6, 0, 3, False), (8, 0, 3, True), (6, 5, 2, False)],
)
def test_a_lead_that_chance_explains_names_no_variant(ahead: int, behind: int, variants: int, *, named: bool) -> None:
    cases = {}
    for i in range(40):  # on most cases all do equally well, which says nothing
        lead = 1.0 if i < ahead else -1.0 if i < ahead + behind else 0.0
        others = {f"v{v}": 0.5 for v in range(variants - 1)}
        cases[str(i)] = {**others, "best": 0.5 + lead / 2}
    assert (best_variant(cases, labels={}, majority=cases) is not None) == named


def test_variants_are_compared_on_the_cases_that_both_answered() -> None:
    apart = {f"a{i}": {"plain": 1.0} for i in range(20)} | {f"b{i}": {"careful": 0.0} for i in range(20)}
    assert best_variant(apart, labels={}, majority=apart) is None
    assert best_variant(apart, labels={}, majority={}) is None


def test_the_sign_test_is_exact() -> None:
    assert sign_test(0, 7) == 1.0
    assert sign_test(3, 0) == pytest.approx(1 / 8)
    assert sign_test(2, 1) == pytest.approx(4 / 8)


HOSTILE = "</b> | **x** `y` \u202e\x1b[31m [a](http://b)"


def hostile() -> Summary:
    shown = category(
        "k",
        "a",
        sentence=HOSTILE,
        name=HOSTILE,
        sides=(AnswerSide(HOSTILE, "production", 1.0), AnswerSide("", "committee", 0.7)),
    )
    return summarise(run(case("a", target=HOSTILE), scores={"a": against("a", 1.0)}, categories=(shown,)))


def test_texts_of_a_log_are_shown_and_never_obeyed() -> None:
    page = render_markdown(hostile())
    assert f"**1. {plain(HOSTILE)}**" in page
    assert "\u202e" not in page
    assert "\x1b" not in page
    assert "production: \\</b\\> \\|" in page
    assert "the committee: no answer (70%)" in page
    assert "\u202e" not in hostile().categories[0].sentence


def test_no_categories_is_said() -> None:
    page = render_markdown(summarise(run(case("a"))))
    assert "No group of cases shows one way to fail" in page
    assert "## Categories" not in page


def test_contradictions_are_those_in_what_the_category_is_about() -> None:
    names = ["a", "b", "c"]
    noise = {n: against(n, 1.0, disagreement=0.1) for n in names}  # all differ from production in some other field
    contrasts = {n: Contrast(n, "production", (), 0.25) for n in names}
    records = run(*map(case, names), scores=noise, categories=(category("k", *names),), contrasts=contrasts)
    assert one(records).against_target.value == 0.25
    assert one(records).expected_failures == pytest.approx(3 * 0.25)
    labels = {n: replace(contrast, basis="label", strength=1.0) for n, contrast in contrasts.items()}
    silent = {n: against(n, 0.0) for n in names}
    assert one(replace(records, scores=silent, contrasts=labels)).against_target.value == 0.0
    split = {n: replace(contrast, basis="committee") for n, contrast in contrasts.items()}
    of_committee = one(replace(records, contrasts=split, categories=(category("k", *names, basis="committee"),)))
    assert (of_committee.against_target.value, of_committee.expected_failures) == (1.0, pytest.approx(3 * 0.25))


def test_the_example_shows_the_words_that_differ() -> None:
    long = " ".join(f"word{i}" for i in range(200))
    contrast = Contrast("a", "production", (), 1.0, f"{long} amount 76375", f"{long} amount 763.75")
    page = render_markdown(summarise(run(case("a"), categories=(category("k", "a"),), contrasts={"a": contrast})))
    (line,) = (line for line in page.splitlines() if line.startswith("- For example"))
    assert "amount 76375`; the committee: `" in line
    assert line.endswith("amount 763.75`")
    assert len(line) < 600
