"""The HTML and the Markdown page of a believable run, and of one whose logs mean harm."""

from __future__ import annotations

import html
import itertools
import random
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from curator.answers.read import read_answer
from curator.clustering.naming import build_topics
from curator.disagreement.diagnosis.answer_pattern import answer_pattern
from curator.disagreement.diagnosis.blind_spots import blind_share, noise_floor
from curator.disagreement.diagnosis.diagnose import LEAST_GROUP, diagnose
from curator.disagreement.equivalence.comparers import WordComparer
from curator.disagreement.ground_truth import failure_evidence
from curator.disagreement.members.case_answers import CaseAnswers, ComparableCase, group_case_answers
from curator.disagreement.members.health import member_health
from curator.disagreement.members.votes import failed_vote, member_key, vote
from curator.records import (
    BlindShare,
    Case,
    DuplicateRecord,
    Feedback,
    Generation,
    IntakeCounts,
    Member,
    MemberHealth,
    Message,
    NoiseFloor,
    PartQuality,
    Pick,
    Rate,
    RejectedRecord,
    Score,
    ScoreQuality,
    Source,
    StrategyYield,
    TaskQuality,
    Usage,
    case_id,
)
from curator.records.committee_advice import Addition, CommitteeAdvice, Interval, NoiseSource
from curator.report.answer_groups import AnswerGroup, GivenAnswer, group_answers
from curator.report.format import percent
from curator.report.html import MAP_HEIGHT, MAP_WIDTH, MOST_CATEGORIES, SHAPES, mark_of, render_html
from curator.report.markdown import render_markdown
from curator.report.markup import code_block, code_span, plain
from curator.report.sentences import adaptive_paragraph, funnel, noise_sentence
from curator.report.summary import AdaptiveSummary, FinetuneSummary, Summary
from curator.text.display import Excerpt, money
from tests.report.summary_kit import RunRecords, summarise

TOPICS = (
    ("I was charged twice for order {n}, please refund one of the payments", ("billing", "returns")),
    ("My parcel {n} says delivered but nothing has arrived at my door", ("delivery", "product")),
    ("The reset password link for account {n} has expired again, I cannot log in", ("account", "product")),
    ("Can I return the shoes from order {n} without the original box? They are too small", ("returns", "product")),
    ("How do I change the delivery address of order {n} after it was paid?", ("delivery", "account")),
)
VARIANTS = ("plain", "careful", "restated")
ADAPTIVE = AdaptiveSummary(
    calls=5000, calls_full=10000, cases=48, least_cases=10, in_top=12, least_in_top=10,
    missed=0.0004, low=0.0, high=0.243, rank_correlation=0.931,
)  # fmt: skip
EVIL = '</pre><script>alert(1)</script><img src=x onerror=alert(2)> {{ 7*7 }} | ``` "\u202egnp.exe\x07'


def believable_run(*, each: int = 9, topics: int = len(TOPICS), text: str | None = None, seed: int = 3) -> RunRecords:
    """`each` cases of each topic and a few of no topic, asked of three prompt variants twice."""
    rng = random.Random(seed)
    cases, labels, generations, scores, points = [], [], {}, {}, []
    for number in range(each * topics + 6):
        topic = number // each if number < each * topics else -1
        template, answers = TOPICS[topic % len(TOPICS)]
        asked = text or template.format(n=4000 + number * 7)
        messages = (
            Message("system", "Route the message to one label."),
            Message("user", asked + (f" ({number})" if text or topic >= len(TOPICS) else "")),
        )
        target = text or answers[0]
        case = Case(
            id=case_id(messages),
            messages=messages,
            source=Source("logs/2026-11-02.jsonl", number + 1),
            target=target,
            task="route",
            kind="label",
            feedback=Feedback(thumb=rng.choice(("up", "down"))) if rng.random() < 0.3 else None,
            weight=rng.choice((1, 1, 1, 2, 5)),
        )
        case = replace(case, group=case.id)
        cases.append(case)
        labels.append(topic)
        doubt = 0.1 + 0.16 * (topic + 1) if text is None else 0.5
        made = [
            Generation(
                case.id,
                (
                    rng.choice((answers[1], "Other: a person should look at this"))
                    if rng.random() < doubt
                    else answers[0]
                )
                if text is None
                else f"{text} {sample}{variant}",
                model="small",
                variant=variant,
                temperature=0.8,
                sample_index=sample,
                usage=Usage(120, 4 + sample),
                finish_reason="stop",
            )
            for variant in VARIANTS
            for sample in range(2)
        ]
        if number == 4:
            made[-1] = replace(made[-1], text="", error=text or "HTTP 500 after 6 tries", usage=None)
        generations[case.id] = made
        against = sum(g.text != target for g in made) / len(made)
        counts = [sum(g.text == a for g in made) for a in {g.text for g in made}]
        spread = 1 - sum((n / len(made)) ** 2 for n in counts)
        scores[case.id] = Score(
            case.id, against, spread * 0.4, spread * 0.6, against, "label", "typed-1", answers[0], max(counts) / 6, 6
        )
        angle = 2 * np.pi * (topic + 1) / (topics + 1)
        points.append(
            (0.5 + 0.36 * np.cos(angle) + rng.gauss(0, 0.05), 0.5 + 0.36 * np.sin(angle) + rng.gauss(0, 0.05))
        )
    ids = [c.id for c in cases]
    by_id = {c.id: c for c in cases}
    picks = [
        Pick(
            i,
            rank,
            "random" if rank % 5 == 0 else "disagreement",
            0.2 if rank % 5 == 0 else 1.0,
            ("eval", "train")[rank % 2],
        )
        for rank, i in enumerate(ids[::3])
    ]
    unreadable = [
        RejectedRecord(Source("logs/2026-11-02.jsonl", 900 + i), text or "not valid JSON", "mend or drop this line")
        for i in range(7)
    ]
    merged = [
        DuplicateRecord(Source("logs/2026-11-03.jsonl", i + 1), ids[0], ids[0], ("exact", "near")[i % 2], 1.0)
        for i in range(31)
    ]

    def answers_of(i: str) -> tuple[AnswerGroup, ...]:
        given = [GivenAnswer(g.text, g.text.casefold(), g.variant or "") for g in generations[i] if g.error is None]
        return group_answers(given, target_key=(by_id[i].target or "").casefold())

    return RunRecords(
        name="support-desk",
        logs=("logs/2026-11-02.jsonl", "logs/2026-11-03.jsonl"),
        read=len(cases) + len(merged) + len(unreadable),
        cases=cases,
        merged=merged,
        unreadable=unreadable,
        members=[Member(f"small/{v}/0.8", "small", v, 0.8, 40) for v in VARIANTS],
        generations=generations,
        scores=scores,
        answers_of=answers_of,
        embedded=ids,
        layout=np.clip(np.array(points, np.float32), 0, 1),
        categories=build_topics(ids, [c.user for c in cases], np.array(labels), np.linspace(1, 0, len(ids))),
        picks=picks,
        finetune=FinetuneSummary(5, {"correction": 3, "label": 2}, {"no trusted target": len(cases) - 5}),
        outputs={"eval_set.jsonl": sum(p.split == "eval" for p in picks), "label_queue.csv": len(picks)},
        **judged(cases, generations, scores),
    )


def judged(cases: list[Case], generations: dict[str, list[Generation]], scores: dict[str, Score]) -> dict[str, Any]:
    """What a run says of its committee, from the same answers."""
    votes = {
        i: [
            failed_vote(member_key(g)) if g.error else vote(member_key(g), read_answer(g.text, "label"), "label")
            for g in own
        ]
        for i, own in generations.items()
    }
    patterns = {case.id: answer_pattern(compared(case, generations[case.id])) for case in cases}
    failures = failure_evidence(cases, lambda _: None)
    return {
        "health": member_health(votes),
        "noise": noise_floor(votes),
        "blind": blind_share(failures, scores),
        "diagnoses": {i: diagnose([found]) for i, found in patterns.items()},
        "diagnose": lambda ids: diagnose([patterns[i] for i in ids], least=LEAST_GROUP),
    }


def compared(case: Case, generations: list[Generation]) -> CaseAnswers:
    given = [g for g in generations if not g.error]
    answers = tuple(read_answer(g.text, "label") for g in given)
    target = read_answer(case.target or "", "label")
    return group_case_answers(
        ComparableCase(case.id, case.user, answers, target), list(map(member_key, given)), "label", WordComparer("")
    )


@pytest.fixture(scope="module")
def summary() -> Summary:
    return summarise(believable_run())


@pytest.fixture(scope="module")
def page(summary: Summary) -> str:
    return render_html(summary)


class Tags(HTMLParser):
    """Every element and attribute of a page, as a browser would see them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def test_both_pages_show_the_same_key_figures(summary: Summary, page: str) -> None:
    markdown = render_markdown(summary)
    for text in [
        *(c.name for c in summary.categories),
        *(c.diagnosis.advice for c in summary.categories),
        *(c.diagnosis.evidence for c in summary.categories),
        *(d.advice for d in summary.diagnoses),
        f"disagreement {summary.categories[0].typical[0].disagreement:.2f}",
        "HTTP 500 after 6 tries",
        "not valid JSON",
        "logs/2026-11-02.jsonl:900",
        "small/careful/0.8",
        "no trusted target",
    ]:
        assert text in html.unescape(page), text
        assert text in markdown.replace("\\", ""), text


def test_the_page_is_one_file_that_asks_for_nothing_and_runs_nothing(page: str) -> None:
    tags = Tags(page).seen
    assert "script" not in {tag for tag, _ in tags}
    for tag, attributes in tags:
        assert not [name for name in attributes if name.startswith("on") or name == "src"], (tag, attributes)
        assert (attributes.get("href") or "#").startswith(("#", "data:,")), (tag, attributes)
    assert "default-src 'none'" in page
    assert not re.search(r"url\(|@import|https?://", page)


def test_the_page_has_a_language_and_headings_in_order(page: str) -> None:
    tags = Tags(page).seen
    assert ("html", {"lang": "en"}) in tags
    levels = [int(tag[1]) for tag, _ in tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))


def test_every_link_inside_the_page_has_its_place(page: str) -> None:
    tags = Tags(page).seen
    ids = {attributes["id"] for _, attributes in tags if "id" in attributes}
    links = {a["href"] for tag, a in tags if tag in ("a", "use") and a.get("href")}
    assert len(links) > 10
    assert {link[1:] for link in links} <= ids


def test_what_a_log_says_is_shown_and_never_obeyed() -> None:
    summary = summarise(believable_run(text=EVIL))
    page, markdown = render_html(summary), render_markdown(summary)
    tags = Tags(page).seen
    assert not {"script", "img"} & {tag for tag, _ in tags}
    assert not [a for _, a in tags if "onerror" in a]
    assert "{{ 7*7 }}" in page
    assert "&lt;script&gt;alert(1)" in page
    for text in (page, markdown):
        assert "\u202e" not in text
        assert "\x07" not in text
    outside = re.sub(r"(?ms)^(`{3,})text\n.*?\n\1$", "", markdown)
    outside = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", outside)
    assert "<script" not in outside


def test_a_huge_run_stays_small_and_says_what_it_leaves_out() -> None:
    run = believable_run(each=50, topics=40, text='"' * 3000)
    labels = {c: i // 50 for i, c in enumerate(run.embedded)}
    names = build_topics(
        run.embedded,
        [f"topic{'abcdefghij'[n % 10]}{'abcdefghij'[n // 10]}" for n in labels.values()],
        np.array([n if n < 40 else -1 for n in labels.values()]),
        np.ones(len(labels), np.float32),
    )
    summary = summarise(replace(run, categories=names))
    page = render_html(summary)
    assert len(summary.categories) == 40
    assert page.count('class="card category"') == MOST_CATEGORIES
    assert "10 smaller categories with 500 cases" in page
    assert len(summary.points) == 1500
    assert "1,500 of 2,006" in page
    assert re.search(r"2,40\d more characters", page)
    assert len(page.encode()) < 2_400_000
    assert "10 smaller categories not shown here: see `categories.jsonl`." in render_markdown(summary)


def test_an_empty_run_has_pages_too() -> None:
    run = believable_run(each=0, topics=0)
    nothing = replace(
        run, read=0, cases=(), merged=(), unreadable=(), generations={}, scores={}, embedded=(), picks=(), categories=(),
        layout=np.zeros((0, 2), np.float32), members=(), outputs={}, logs=(), finetune=FinetuneSummary(0, {}, {}),
        diagnoses={}, health=(),
    )  # fmt: skip
    summary = summarise(nothing)
    assert "not enough data (n=0)" in render_markdown(summary)
    page = render_html(summary)
    assert page.count("there are no categories") == 1
    assert "No case was embedded" in page
    assert "every log record could be read" in page


def test_both_pages_tell_what_an_adaptive_committee_saved_and_missed(summary: Summary) -> None:
    adaptive = replace(summary, adaptive=ADAPTIVE)
    page, markdown = render_html(adaptive), render_markdown(adaptive)
    said = adaptive_paragraph(ADAPTIVE)
    for part in (
        "it made 5,000 of the 10,000 calls of the whole committee (50% saved)",
        "A random share of 48 cases got the whole committee",
        "ranked out <0.1% (95% interval 0% to 24%, n=12)",
        "Spearman +0.93 (n=48)",
        "the cost of stopping early, not how many wrong answers were missed",
    ):
        assert part in said, part
    assert f"\n\n{said}\n\n| member |" in markdown
    section = page.split('<section id="committee">')[1].split("</section>")[0]
    assert f"<p>{said}</p>" in html.unescape(section)
    assert "&lt;0.1%" in section
    assert "<0.1%" not in section


def test_a_random_share_that_is_too_small_says_how_much_it_would_take() -> None:
    few = replace(ADAPTIVE, cases=4, in_top=1, missed=None, low=None, high=None, rank_correlation=None)
    said = adaptive_paragraph(few)
    assert "not enough data (n=1 in the top by the whole committee, 10 are needed" in said
    assert "Rank correlation of both rankings: not enough data (n=4, 10 are needed)" in said
    alike = adaptive_paragraph(replace(ADAPTIVE, rank_correlation=None))
    assert "not enough data (n=48, all equal in one of them)" in alike
    none = adaptive_paragraph(replace(few, cases=0, in_top=0))
    assert "not enough data (n=0)" in none
    assert "A random share of" not in none
    assert "not how many wrong answers" not in none
    for text in (said, alike, none):
        assert "None" not in text
    assert "0% saved" in adaptive_paragraph(replace(few, calls=0, calls_full=0))


def test_a_fixed_committee_gets_no_word_about_what_was_missed(summary: Summary, page: str) -> None:
    for text in (page, render_markdown(summary)):
        assert "adaptive" not in text
        assert "whole committee" not in text
        assert "what cases are ranked by" in text
        assert "each by the answers that it got" not in text


def test_what_is_said_of_scores_is_true_of_cases_with_different_numbers_of_answers(summary: Summary) -> None:
    adaptive = replace(summary, adaptive=ADAPTIVE)
    for text in (render_html(adaptive), render_markdown(adaptive)):
        assert "what cases are ranked by" not in text
        assert "ranked by the posterior mean" in text
        assert "each by the answers that it got" in text
        assert "A case whose prompts were asked once each shows none" in text


RATE = Rate(0.25, 0.1, 0.5, 20)


def test_both_pages_say_what_disagreement_could_not_have_seen(summary: Summary) -> None:
    seen = replace(
        summary,
        blind=BlindShare(RATE, 0.05, {"label": 12, "thumb down": 8}, 3),
        noise=NoiseFloor(0.02, Rate(0.04, 0.01, 0.1, 90), 0.3, cold=False, one_prompt=False),
    )
    for text in (html.unescape(render_html(seen)), render_markdown(seen)):
        assert (
            "Of the 20 known failures of production (12 by a label, 8 by a thumb down), 25% (95% interval 10% to 50%)"
            in text
        )
        assert "3 failures that only came to light because the committee disagreed are not counted" in text
        assert "4.0% (95% interval 1.0% to 10%) of 90 cases" in text
        assert "is above that floor" in text
    few = replace(summary, blind=BlindShare(Rate(None, None, None, 4), 0.05, {"label": 4}, 0))
    assert "not enough data (n=4;" in render_markdown(few)


def test_agreement_at_temperature_0_is_never_called_certain() -> None:
    rate = Rate(0.0, 0.0, 0.04, 90)
    cold = noise_sentence(NoiseFloor(0.004, rate, 0.004, cold=True, one_prompt=True))
    assert "carry no signal" in cold
    assert "differ by 0.004 on average, and not all are the same on 0% (95% interval 0% to 4.0%) of 90 cases" in cold
    few = Rate(None, None, None, 3)
    assert "differ" not in noise_sentence(NoiseFloor(None, few, None, cold=True, one_prompt=True))
    near = noise_sentence(NoiseFloor(0.01, rate, 0.02, cold=True, one_prompt=False))
    assert "not certainty" in near
    assert "near that floor" in near
    assert "not enough data (n=3 cases" in noise_sentence(
        NoiseFloor(None, Rate(None, None, None, 3), None, cold=False, one_prompt=True)
    )


def test_a_member_that_is_left_out_is_told_of_at_the_top_with_the_reason(summary: Summary, page: str) -> None:
    assert "do not count in full" not in page
    assert "do not count in full" not in render_markdown(summary)
    sick = MemberHealth("small", "plain", 0.8, 102, 0, RATE, RATE, RATE, RATE, -0.01, RATE, 0.0, "96% are <none>")
    weak = replace(sick, weight=0.5, reason="slow | weak", accuracy=Rate(None, None, None, 4))
    members = summary.committee.members
    changed = (replace(members[0], health=sick), replace(members[1], health=weak), *members[2:])
    told = replace(summary, committee=replace(summary.committee, members=changed))
    page, markdown = render_html(told), render_markdown(told)
    assert page.index("do not count in full") < page.index('id="categories"')
    assert "left out of every score, category and diagnosis: 96% are &lt;none&gt;" in page
    assert markdown.index("left out of every score, category and diagnosis: 96% are \\<none\\>") < markdown.index(
        "## Categories"
    )
    assert "weight 0.5: slow \\| weak" in markdown
    assert "25% (10%-50%), n=20" in page
    assert "not enough data, n=4" in page
    assert "-0.01" in page


def test_what_to_do_is_a_table_of_diagnoses_with_their_advice(summary: Summary, page: str) -> None:
    assert sum(d.cases for d in summary.diagnoses) == summary.counts.asked
    table = page.split('<section id="diagnoses">')[1].split("</section>", maxsplit=1)[0]
    for found in summary.diagnoses:
        assert found.name.replace("-", " ") in table
        assert f"| {found.name.replace('-', ' ')} |" in render_markdown(summary)
    unsure = replace(summary.diagnoses[0], cases=9, possible=4)
    assert '9 <span class="muted">(4 possibly)</span>' in render_html(replace(summary, diagnoses=(unsure,)))
    assert "| 9 (4 possibly) |" in render_markdown(replace(summary, diagnoses=(unsure,)))
    assert "What to do about it" not in render_html(replace(summary, diagnoses=()))
    assert "What to do about it" not in render_markdown(replace(summary, diagnoses=()))


def test_a_diagnosis_that_is_only_suggested_says_possibly(summary: Summary) -> None:
    first = summary.categories[0]
    unsure = replace(first, diagnosis=replace(first.diagnosis, name="ambiguous", certain=False, evidence="by *x*"))
    told = replace(summary, categories=(unsure, *summary.categories[1:]))
    assert "possibly ambiguous" in render_html(told)
    assert "**possibly ambiguous**" in render_markdown(told)
    assert "by \\*x\\*" in render_markdown(told)


def test_the_funnel_adds_up(summary: Summary) -> None:
    steps = funnel(summary)
    for before, after in itertools.pairwise(steps):
        assert before.count - sum(n for _, n in after.lost) == after.count


def test_the_funnel_begins_with_every_record_of_the_logs(summary: Summary) -> None:
    c = summary.counts
    counts = replace(c, intake=IntakeCounts(other_records=7, earlier_turns=2))
    page = replace(summary, counts=counts)
    records, logged, *rest = funnel(page)
    assert (records.count, logged.count, logged.lost) == (c.read + 5, c.read, (("without a case of their own", 7),))
    assert rest == [*funnel(summary)[1:]]
    assert f"| log records read | {c.read + 5} |" in render_markdown(page)


def test_forty_categories_look_different() -> None:
    assert len({mark_of(i) for i in range(40)}) == 40
    assert {mark_of(i).shape for i in range(5)} == set(SHAPES)


def test_the_map_of_one_case_says_so(summary: Summary) -> None:
    assert f'aria-label="Map of {len(summary.points)} cases: similar' in render_html(summary)
    one = replace(summary, points=summary.points[:1])
    assert 'aria-label="Map of 1 case: similar' in render_html(one)


def test_the_map_keeps_its_labels_inside_and_apart(summary: Summary, page: str) -> None:
    placed = [(float(x), float(y)) for x, y in re.findall(r'<text x="([\d.]+)" y="([\d.]+)"', page)]
    assert len(placed) == len(summary.categories)
    assert all(0 < x < MAP_WIDTH and 0 < y < MAP_HEIGHT for x, y in placed)


def test_code_in_markdown_cannot_be_left_by_its_content() -> None:
    assert code_span("a`b``c|d\ne") == "``` a`b``c\\|d e ```"
    assert code_block(Excerpt("x\n````\ny", 5)).startswith("`````text\nx\n````\ny\n`````")
    assert plain("a|b <i> [x](y) `z`") == "a\\|b \\<i\\> \\[x\\](y) \\`z\\`"


@pytest.mark.parametrize(("value", "shown"), [(0, "0%"), (0.0004, "<0.1%"), (0.034, "3.4%"), (0.5, "50%"), (1, "100%")])
def test_small_shares_do_not_vanish(value: float, shown: str) -> None:
    assert percent(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(0, "$0"), (0.00012, "$0.00012"), (0.014, "$0.01"), (999.5, "$999.50"), (1234.4, "$1,234")]
)
def test_small_costs_do_not_vanish(value: float, shown: str) -> None:
    assert money(value) == shown


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(page: str, scheme: str) -> None:
    """WCAG 2 AA: 4.5 to 1 for text, 3 to 1 for marks."""
    light, dark = page.split("@media (prefers-color-scheme: dark)", 1)
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", light if scheme == "light" else dark.split("* {")[0]))
    grounds = [colours[name] for name in ("bg", "surface", "sunken")]
    for name in ("ink", "muted", "accent"):
        assert min(_contrast(colours[name], ground) for ground in grounds) >= 4.5, name
    for ink, ground in (("accent", "accent-soft"), ("warn", "warn-soft"), ("ink", "warn-soft"), ("good", "good-soft")):
        assert _contrast(colours[ink], colours[ground]) >= 4.5, ink
    for name in ("between", "within", *(f"c{i}" for i in range(8))):
        assert min(_contrast(colours[name], ground) for ground in grounds) >= 3, name


def _contrast(a: str, b: str) -> float:
    high, low = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
    channels = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_both_pages_say_what_more_answers_would_add(summary: Summary) -> None:
    models = Addition("1 model", 2, 400, 1.5, Interval(0.8, 0.7, 0.9), Interval(0.1, 0.0, 0.2), None)
    repeats = Addition(
        "2 repeats per variant", 4, 800, 3.0, None, None, None, "not measured: no prompt was asked twice"
    )
    advice = CommitteeAdvice(
        "add", models, cases=200, answers=2, noise=(NoiseSource("model", 2, 250.0),), error=0.04,
        reliability=Interval(0.7, 0.6, 0.8), additions=(repeats, models),
    )  # fmt: skip
    for render in (render_html, render_markdown):
        shown = html.unescape(render(replace(summary, committee_advice=advice)))
        assert "Add 1 model: reliability 0.70 -> 0.80 (0.70 to 0.90) for 400 calls ($1.50)." in shown.replace("\\", "")
        assert "not measured: no prompt was asked twice" in shown
        assert ">100 between models (2 models)" in shown
        few = replace(summary, committee_advice=CommitteeAdvice("not enough data", reason="no case"))
        assert "not enough data: no case." in render(few)
        assert "What more answers would add" not in render(summary)


def test_both_pages_show_how_well_the_score_ranks(summary: Summary, page: str) -> None:
    few = PartQuality(20, 4, Rate(None, None, None, 20), Rate(None, None, None, 20), "not enough labels", 30)
    poor = PartQuality(60, 25, Rate(0.41, 0.3, 0.53, 60), Rate(0.5, 0.4, 0.6, 60), "not better than chance")
    quality = ScoreQuality(poor, poor, (TaskQuality("orders <b>", poor), TaskQuality("", few)))
    yields = (StrategyYield("random", 30, 6, 0.2, 25.0),)
    labelled = replace(summary, score_quality=quality, yields=yields)
    text, shown = render_markdown(labelled), html.unescape(render_html(labelled))
    for part in (
        "The score is not better than chance: AUROC 0.41 (95% interval 0.30 to 0.53)",
        "not enough labels: about 30 more",
        "6 of 30 labels at random (20% by their weights)",
    ):
        assert part in text
        assert part in shown
    assert "<b>" not in render_html(labelled).split('id="quality"')[1].split("</section>")[0]
    assert "AUROC of the score: not enough data" in render_markdown(summary)
    assert "AUROC of the score: not enough data" in page
