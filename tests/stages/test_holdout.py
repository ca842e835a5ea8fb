"""What is held out never comes out of an export: whatever the order of the nights, the shares, and the logs that are gone."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from curator.config import Config, parse_config
from curator.dedup import deduplicate
from curator.exporters.trusted_targets import LEAKS, training_set
from curator.records import Case, DuplicateRecord, Message, Reference, Source, case_id
from curator.run_folder.leaks import leak_row
from curator.stages.holdout import HoldoutSplit, assign_splits, exclude_leaks
from curator.stages.ingest import IngestResult
from curator.state.registry import HeldOutRegistry
from curator.text.shingles import jaccard, normalise, shingles

TOPICS = (
    "the invoice for order {} is wrong and I want the difference back",
    "my router blinks red since the update and nothing works any more",
    "how can I move my subscription to another account without losing data",
    "which documents do I need to register a company in another country",
    "the parcel was left with a neighbour whom I do not know at all",
    "please explain the fee of last month on my statement to me again",
)
TAILS = ("", " today", " as of now", "!!", " thank you")


def case(text: str, *, line: int = 1, trusted: bool = True) -> Case:
    messages = (Message("user", text),)
    reference = Reference("the answer", "label") if trusted else None
    return Case(case_id(messages), messages, Source("a.jsonl", line), reference=reference)


def config(share: float = 0.5, **held_out: Any) -> Config:
    return parse_config({
        "committee": {"models": [{"name": "m", "model": "x", "base_url": "http://localhost"}]},
        "selection": {"held_out_share": share}, "held_out": held_out,
    })  # fmt: skip


def intake(texts: Sequence[str], cfg: Config) -> IngestResult:
    deduped = deduplicate([case(text, line=i) for i, text in enumerate(texts)], cfg.dedupe)
    return IngestResult(len(texts), deduped.cases, deduped.cases, deduped.merged, (), 0, ())


def by_first_word(texts: Sequence[str]) -> NDArray[np.float32]:
    """Vectors in which texts with the same last word are the same in meaning."""
    places = {"alpha": 0, "beta": 1, "gamma": 2}
    made = np.zeros((len(texts), 4), dtype=np.float32)
    for row, text in enumerate(texts):
        made[row, places.get(text.split()[-1], 3) if text else 3] = 1.0
    return made


def night(
    registry: HeldOutRegistry, texts: Sequence[str], cfg: Config, *, embed: Any = None
) -> tuple[HoldoutSplit, set[str]]:
    """One run: what it guards, and the texts that it exports."""
    taken = intake(texts, cfg)
    guarded = exclude_leaks(assign_splits(cfg, taken, registry), cfg, taken, registry, embed=embed)
    made = training_set(taken.cases, split_of_group=guarded.split_of, trusted_models=(), leaks=guarded.leaks)
    users = [example.messages[0].content for example in made.examples]
    return guarded, {str(text) for text in users}


def held(registry: HeldOutRegistry) -> list[str]:
    return [e.question for e in registry.entries()[0] if e.split == "eval"]


def alike(a: str, b: str) -> bool:
    return jaccard(shingles(normalise(a)), shingles(normalise(b))) >= 0.7


nights = st.lists(
    st.tuples(
        st.lists(
            st.tuples(st.integers(0, 5), st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=10, unique=True
        ),
        st.sampled_from([0.0, 0.3, 0.5, 0.8, 1.0]),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=60)
@given(nights)
def test_a_registered_case_never_comes_out_of_an_export(plan: list[tuple[list[tuple[int, int, int]], float]]) -> None:
    with tempfile.TemporaryDirectory() as folder, HeldOutRegistry(Path(folder) / "r.sqlite") as registry:
        settled: dict[str, str] = {}
        for picks, share in plan:
            texts = [TOPICS[topic].format(f"number {number}") + TAILS[tail] for topic, tail, number in picks]
            _, exported = night(registry, texts, config(share))
            assert not [(a, b) for a in exported for b in held(registry) if alike(a, b)]
            now = {e.id: e.split for e in registry.entries()[0]}
            assert settled.items() <= now.items()  # what was settled before is settled the same
            settled = dict(now)


def test_a_group_keeps_its_split_when_its_first_case_is_gone(tmp_path: Path) -> None:
    with HeldOutRegistry(tmp_path / "r.sqlite") as registry:
        night(registry, [TOPICS[1]], config(1.0))
        for tail in TAILS[1:]:
            guarded, exported = night(registry, [TOPICS[1] + tail, TOPICS[2]], config(0.0))
            assert exported == {TOPICS[2]}
            assert "eval" in guarded.settled.values()


def test_what_was_trained_on_is_never_evaluated_on(tmp_path: Path) -> None:
    with HeldOutRegistry(tmp_path / "r.sqlite") as registry:
        _, exported = night(registry, [TOPICS[1], TOPICS[2]], config(0.0))
        assert exported == {TOPICS[1], TOPICS[2]}
        guarded, again = night(registry, [TOPICS[1] + " today", TOPICS[3]], config(1.0))
        cases = {c.user: c for c in intake([TOPICS[1] + " today", TOPICS[3]], config(1.0)).cases}
        assert guarded.split_of(cases[TOPICS[1] + " today"].group) == "train"
        assert guarded.split_of(cases[TOPICS[3]].group) == "eval"
        assert again == {TOPICS[1] + " today"}


def test_a_lower_share_frees_nothing_that_is_held_out(tmp_path: Path) -> None:
    with HeldOutRegistry(tmp_path / "r.sqlite") as registry:
        night(registry, list(TOPICS[1:]), config(1.0))
        assert night(registry, list(TOPICS[1:]), config(0.0))[1] == set()


def test_a_case_that_was_merged_away_counts_by_its_id(tmp_path: Path) -> None:
    cfg = config(0.0)
    with HeldOutRegistry(tmp_path / "r.sqlite") as registry:
        night(registry, [TOPICS[1]], config(1.0))
        taken = intake([TOPICS[2]], cfg)
        gone = DuplicateRecord(Source("a.jsonl", 9), case(TOPICS[1]).id, taken.cases[0].id, "near", 0.9)
        assert assign_splits(cfg, replace(taken, merged=(gone,)), registry).settled == {taken.cases[0].group: "eval"}


def test_paraphrases_of_what_is_held_out_are_left_out_with_evidence(tmp_path: Path) -> None:
    with HeldOutRegistry(tmp_path / "r.sqlite") as registry:
        night(registry, ["how do I end my contract alpha"], config(1.0))
        texts = ["what must be done to leave for good alpha", "please raise my limit for travelling beta"]
        guarded, exported = night(registry, texts, config(0.0), embed=by_first_word)
        assert exported == {texts[1]}
        assert [(m.kind, m.held_text, m.question) for m in guarded.leaks] == [
            ("paraphrase", "how do I end my contract alpha", texts[0])
        ]
        assert leak_row(guarded.leaks[0])["held_out_text"] == "how do I end my contract alpha"
        made = training_set(intake(texts, config(0.0)).cases, split_of_group=guarded.split_of, trusted_models=(),
                             leaks=guarded.leaks)  # fmt: skip
        assert made.excluded == {LEAKS["paraphrase"]: 1}


def test_the_near_duplicates_of_a_leak_go_with_it(tmp_path: Path) -> None:
    with HeldOutRegistry(tmp_path / "r.sqlite") as registry:
        night(registry, ["how do I end my contract alpha"], config(1.0))
        twins = [
            "tell me now at once how one can leave 17 times in a row alpha",
            "tell me now at once how one can leave 18 times in a row beta",
        ]
        guarded, exported = night(registry, [*twins, TOPICS[2]], config(0.0), embed=by_first_word)
        assert exported == {TOPICS[2]}
        assert [(m.held_text, m.question) for m in guarded.leaks] == [
            ("how do I end my contract alpha", t) for t in twins
        ]


def test_a_case_nobody_asked_about_needs_no_vector(tmp_path: Path) -> None:
    cfg = config(1.0)
    with HeldOutRegistry(tmp_path / "r.sqlite") as registry:
        assign_splits(cfg, replace(intake(["how do I end my contract alpha"], cfg), asked=()), registry)

        def embed(texts: Sequence[str]) -> NDArray[np.float32]:
            raise AssertionError(texts)

        _, exported = night(registry, ["leave for good alpha"], config(0.0), embed=embed)
        assert exported == {"leave for good alpha"}


def test_what_was_exported_before_it_leaked_is_told(tmp_path: Path) -> None:
    with HeldOutRegistry(tmp_path / "r.sqlite") as registry:
        text = "what must be done to leave for good alpha"
        assert night(registry, [text], config(0.0), embed=by_first_word)[1] == {text}
        night(registry, ["how do I end my contract alpha"], config(1.0))
        guarded, exported = night(registry, [text], config(0.0), embed=by_first_word)
        assert exported == set()
        assert leak_row(guarded.leaks[0], guarded.exported_before)["exported_before"] is True
        assert any("exported for training" in warning for warning in guarded.warnings)


def test_the_jobs_whose_entries_decide_are_named(tmp_path: Path) -> None:
    with HeldOutRegistry(tmp_path / "r.sqlite") as registry:
        first, second = (
            config(share).model_copy(update={"name": name}) for share, name in ((1.0, "chat"), (0.0, "mail"))
        )
        leaking = "what must be done to leave for good alpha"
        night(registry, [leaking], second, embed=by_first_word)
        night(registry, [TOPICS[1], "how do I end my contract alpha"], first)
        assert not night(registry, [TOPICS[1]], first)[0].by_others  # by its own entries
        guarded, _ = night(registry, [TOPICS[1] + " today", TOPICS[2], leaking], second, embed=by_first_word)
        told = " ".join(guarded.warnings)
        assert set(guarded.by_others.values()) == {("chat",)}
        assert "1 case is held out by the job 'chat', so for this job, too: they share a registry" in told
        assert "exported for training by the job 'mail' ask what is held out now" in told
        assert "ask what is held out by the job 'chat' (leaks.jsonl)" in told
        assert leak_row(guarded.leaks[0], (), guarded.held_by)["held_out_by"] == "chat"
    with HeldOutRegistry(tmp_path / "own.sqlite") as registry:  # the remedy
        remedied, _ = night(registry, [TOPICS[1] + " today", TOPICS[2]], second, embed=by_first_word)
        assert (remedied.by_others, set(remedied.settled.values())) == ({}, set())


def test_another_run_that_registers_meanwhile_is_obeyed(tmp_path: Path) -> None:
    cfg, texts = config(0.0), [TOPICS[1]]
    with HeldOutRegistry(tmp_path / "r.sqlite") as mine, HeldOutRegistry(tmp_path / "r.sqlite") as other:
        taken = intake(texts, cfg)
        guarded = assign_splits(cfg, taken, mine)
        night(other, [TOPICS[1] + " today"], config(1.0))
        guarded = exclude_leaks(guarded, cfg, taken, mine, embed=None)
        assert [match.kind for match in guarded.leaks] == ["near"]


def test_what_is_registered_during_the_check_is_obeyed(tmp_path: Path) -> None:
    cfg, texts = config(0.0), [TOPICS[1], TOPICS[2]]
    with HeldOutRegistry(tmp_path / "r.sqlite") as mine, HeldOutRegistry(tmp_path / "r.sqlite") as other:
        night(other, [TOPICS[5]], config(1.0))

        def embed(asked: Sequence[str]) -> NDArray[np.float32]:
            if len(other.entries()[0]) == 1:
                night(other, [TOPICS[1] + " today"], config(1.0))
            return by_first_word(["nothing"] * len(asked)) * np.float32(0.5)

        _, exported = night(mine, texts, cfg, embed=embed)
        assert exported == {TOPICS[2]}
        assert {e.question for e in mine.entries()[0] if e.split == "train"} == {TOPICS[2]}


def test_a_group_that_joins_both_is_held_out_and_told(tmp_path: Path) -> None:
    with HeldOutRegistry(tmp_path / "r.sqlite") as registry:
        base = "the quick brown fox jumps over the lazy dog while the cat sleeps in the warm sun"
        left, right = base + " alpha omega", "so they say that " + base
        night(registry, [left], config(0.0))
        night(registry, [right.replace("lazy dog", "tired old hound")], config(1.0))
        guarded, exported = night(
            registry, [base, left, right.replace("lazy dog", "tired old hound"), right], config(0.0)
        )
        assert exported == set()
        assert guarded.mixed == 1
        assert any("not clean" in warning for warning in guarded.warnings)


def test_much_that_leaks_is_a_warning() -> None:
    with HeldOutRegistry(Path(":memory:")) as registry:
        night(registry, ["how do I end my contract alpha"], config(1.0))
        guarded, _ = night(
            registry, ["leave for good now alpha", "raise my limit soon beta"], config(0.0), embed=by_first_word
        )
    assert any("training candidates" in warning for warning in guarded.warnings)


def test_without_candidates_nothing_is_looked_at() -> None:
    cfg = config(0.0)
    with HeldOutRegistry(Path(":memory:")) as registry:
        taken = replace(intake(["a question"], cfg), cases=(replace(case("a question", trusted=False), group="g"),))
        guarded = assign_splits(cfg, taken, registry)
        assert exclude_leaks(guarded, cfg, taken, registry, embed=None) is guarded


@pytest.mark.parametrize("rules", [{"paraphrases": False}, {"paraphrase_similarity": 1.0}])
def test_paraphrases_can_be_let_be(rules: dict[str, Any]) -> None:
    with HeldOutRegistry(Path(":memory:")) as registry:
        night(registry, ["end my contract of 17 years alpha"], config(1.0))
        text = "leave for good after 23 months alpha"
        assert night(registry, [text], config(0.0, **rules), embed=by_first_word)[1] == {text}


TEMPLATE = """You are the assistant of a bank and stay polite, whatever a customer says. Never name another customer, never
promise a date, and never say what a colleague thinks. Where you know no answer, name the page on which it stands. Be brief.
"""
NAMES = "ann ben cleo dora emil fay gus hal ida joe kim lea max nell otto pia quin rob sue tom uma vic wes xia yan"
QUESTIONS = [f"does {word} know {word[::-1] * 3}" for word in NAMES.split()]


def test_a_night_of_few_cases_knows_the_template_of_an_earlier_one(tmp_path: Path) -> None:
    with HeldOutRegistry(tmp_path / "r.sqlite") as registry:
        night(registry, [TEMPLATE + q for q in QUESTIONS], config(1.0))
        assert night(registry, [TEMPLATE + QUESTIONS[3] + " please"], config(0.0))[1] == set()


def test_a_first_night_of_few_cases_does_not_keep_its_template_out_of_training(tmp_path: Path) -> None:
    with HeldOutRegistry(tmp_path / "r.sqlite") as registry:
        night(registry, [TEMPLATE + q for q in QUESTIONS[:3]], config(1.0))
        _, exported = night(registry, [TEMPLATE + q for q in QUESTIONS], config(0.0))
        assert exported == {TEMPLATE + q for q in QUESTIONS[3:]}


def filled_in(count: int = 40) -> list[str]:
    return [
        f"Write a query for the mean total of all sales on 2025-{1 + i // 28:02}-{1 + i % 28:02}." for i in range(count)
    ]


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_requests_of_one_template_give_both_an_eval_set_and_training_rows(tmp_path: Path, share: float) -> None:
    def as_vectors(texts: Sequence[str]) -> NDArray[np.float32]:
        return np.ones((len(texts), 1), dtype=np.float32)  # dates are near to each other for any encoder

    with HeldOutRegistry(tmp_path / "r.sqlite") as registry:
        guarded, exported = night(registry, filled_in(), config(share), embed=as_vectors)
        assert len(exported) + len(held(registry)) == 40
        assert 0.1 < len(exported) / 40 < 0.9
        assert "40 of 40 cases fill in a template" in guarded.warnings[0]
        again, later = night(registry, [*filled_in(), "Hello! " + filled_in()[7]], config(1 - share), embed=as_vectors)
        assert exported <= later | {case.question for case in again.leaks}
        assert not [text for text in later if text in {e.question for e in registry.entries()[0] if e.split == "eval"}]


@pytest.mark.parametrize(
    ("share", "empty", "other"),
    [(1.0, "no training data: 5 cases", "0"), (0.0001, "no eval set: none of 5 cases", "1")],
)
def test_an_empty_side_is_said_with_a_remedy_that_works(tmp_path: Path, share: float, empty: str, other: str) -> None:
    alike = [TOPICS[1] + tail for tail in (" ever since", " at night", " or so", " in there", " it seems")]
    with HeldOutRegistry(tmp_path / "r.sqlite") as registry:
        guarded, _ = night(registry, alike, config(share))
    (warning,) = guarded.warnings
    assert warning.startswith(empty)
    assert "one near-duplicate group, which is never divided" in warning
    assert f"`selection: {{held_out_share: {other}}}`" in warning
    with HeldOutRegistry(tmp_path / "another.sqlite") as registry:
        guarded, trained = night(registry, alike, config(float(other)))
        assert guarded.warnings == () or other == "1"
        assert len(trained) == (5 if other == "0" else 0)
        assert len(held(registry)) == (0 if other == "0" else 5)


WORDS = ["invoice", "router", "parcel", "garden", "engine", "bottle", "window", "camera", "mirror", "ticket", "helmet", "blanket", "pillow", "kettle", "drawer", "ladder", "saddle", "anchor", "basket", "candle", "hammer", "needle", "pocket", "ribbon", "shovel", "teapot", "violin", "wallet", "zipper", "cactus"]  # fmt: skip


def traffic(drawn: np.random.Generator, questions: int, size: int) -> list[str]:
    """Requests that return night after night, each with another courtesy, so that another record comes first."""
    chosen = drawn.choice(questions, size)
    numbered = (np.random.default_rng(int(question)).choice(WORDS, 9, replace=False) for question in chosen)
    return [f"please tell me about {' '.join(words)}{TAILS[drawn.integers(len(TAILS))]}" for words in numbered]


@pytest.mark.parametrize("trusted", [False, True])
def test_the_held_out_share_stays_over_many_jobs_and_nights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, trusted: bool
) -> None:
    def shares(name: str) -> list[float]:
        drawn, found, exported_ever = np.random.default_rng(1), [], set()
        with HeldOutRegistry(tmp_path / name) as registry:
            for _ in range(16):  # nights of four jobs by turns
                texts = traffic(drawn, 80, 60)
                cases = [case(text, line=i, trusted=trusted) for i, text in enumerate(texts)]
                deduped = deduplicate(cases, config().dedupe)
                taken = IngestResult(len(texts), deduped.cases, deduped.cases, deduped.merged, (), 0, ())
                guarded = exclude_leaks(assign_splits(config(), taken, registry), config(), taken, registry, embed=None)
                made = training_set(
                    taken.cases, split_of_group=guarded.split_of, trusted_models=(), leaks=guarded.leaks
                )
                exported = {str(example.messages[0].content) for example in made.examples}
                assert not [(a, b) for a in exported for b in held(registry) if alike(a, b)]
                exported_ever |= exported
                is_held = [guarded.split_of(c.group) == "eval" for c in taken.cases]
                found.append(sum(is_held) / len(is_held))
        return found

    kept = shares("kept.sqlite")
    assert 0.4 <= np.mean(kept[8:]) <= 0.6
    monkeypatch.setattr("curator.stages.holdout._within_share", lambda _: frozenset())
    grown = shares("grown.sqlite")
    assert trusted or np.mean(grown[8:]) > 0.7


def test_a_repeated_night_decides_as_before(tmp_path: Path) -> None:
    drawn = np.random.default_rng(2)
    with HeldOutRegistry(tmp_path / "r.sqlite") as registry:
        for _ in range(4):
            taken = intake(traffic(drawn, 80, 50), config())
            first, again = (assign_splits(config(), taken, registry) for _ in range(2))
            assert [first.split_of(c.group) for c in taken.cases] == [again.split_of(c.group) for c in taken.cases]


def test_a_group_that_is_too_large_for_its_side_is_named_with_the_remedy() -> None:
    groups = {"big": 60, **{f"g{i}": 1 for i in range(40)}}
    (sentence,) = HoldoutSplit(0.5, {"big": "eval"}, groups=groups).warnings
    assert "60 of 100 cases are one near-duplicate group (big), which is held out as a whole" in sentence
    assert "raise `dedupe.group_similarity`" in sentence
    assert HoldoutSplit(0.7, {"big": "eval"}, groups=groups).warnings == ()
