"""The plan: who is asked what, in which order, under which key, and what it can cost at most."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.answers.read import ReadRule
from curator.committee.cost import Estimate, ModelEstimate, estimate_cost
from curator.committee.plan import WINDOW, Plan, endpoint_of, members_of
from curator.committee.prompts import Section, Variant, load_variants
from curator.committee.providers.local import LOCAL_MODEL, local_identity
from curator.committee.requests import PlannedCall
from curator.config import CommitteeConfig, ModelConfig, Price
from curator.records import Case, JsonValue, Message, Source, ToolCall
from curator.state.generations import RecentMeans
from curator.text.tokens import estimate_tokens

LOCAL = {"name": "small", "provider": "local", "send_seed": True}
REMOTE = {"name": "big", "model": "gpt-x", "base_url": "https://host.example/v1/", "options": {"top_p": 0.9}}
PRICES = {"small": Price(input=0, output=0), "big": Price(input=1.0, output=2.0)}


def committee(**fields: object) -> CommitteeConfig:
    return CommitteeConfig.model_validate({"models": [LOCAL, REMOTE], "variants": ["plain", "stepwise"], **fields})


def cases(count: int, **fields: object) -> tuple[Case, ...]:
    made = []
    for i in range(count):
        messages = (Message("system", "Be kind."), Message("user", f"Question {i}"))
        made.append(Case(f"c{i}", messages, Source("log", i + 1), **fields))  # type: ignore[arg-type]
    return tuple(made)


def plan(asked: Sequence[Case], config: CommitteeConfig, *, seed: int = 0) -> Plan:
    return Plan(tuple(asked), config, load_variants(config.variants, None), seed, PRICES)


def place(call: PlannedCall) -> tuple[str, str, int]:
    return call.case_id, call.member.id, call.request.sample_index


def one(config: CommitteeConfig, **fields: object) -> PlannedCall:
    return next(iter(plan(cases(1, **fields), config)))


def test_members_are_models_by_variants_by_temperatures() -> None:
    members = members_of(committee(temperatures=[0, 0.75, 1.0], max_tokens=77))
    assert len(members) == 2 * 2 * 3
    assert [m.id for m in members][:4] == ["small/plain/t0", "small/plain/t0.75", "small/plain/t1", "small/stepwise/t0"]
    assert len({m.id for m in members}) == len(members)
    last = members[-1]
    assert (last.model, last.variant, last.temperature, last.max_tokens) == ("big", "stepwise", 1.0, 77)
    assert last.options == {"top_p": 0.9}


@settings(max_examples=30, deadline=None)
@given(count=st.integers(0, 11), repeats=st.integers(1, 3))
def test_every_case_is_asked_of_every_member_as_often_as_said(count: int, repeats: int) -> None:
    config = committee(repeats=repeats)
    made = plan(cases(count), config)
    calls = list(made)
    assert len(calls) == len(made) == count * 4 * repeats
    wanted = {(f"c{i}", m.id, r) for i in range(count) for m in members_of(config) for r in range(repeats)}
    assert {place(call) for call in calls} == wanted
    assert len({call.request.key for call in calls}) == len(calls)


def test_repeats_of_a_prompt_follow_each_other_and_are_a_window_apart_for_the_local_model() -> None:
    calls = list(plan(cases(WINDOW + 1), committee(repeats=2, variants=["plain"])))
    local, remote = calls[: 2 * WINDOW + 2], calls[2 * WINDOW + 2 :]
    assert [(c.member.model, remote[0].member.model) for c in local] == [("small", "big")] * len(local)
    window = [f"c{i}" for i in range(WINDOW)]
    assert [c.case_id for c in local] == window * 2 + [f"c{WINDOW}"] * 2
    assert [c.request.sample_index for c in local[: 2 * WINDOW]] == [0] * WINDOW + [1] * WINDOW
    assert [c.case_id for c in remote] == [f"c{i}" for i in range(WINDOW + 1) for _ in range(2)]
    assert [c.request.sample_index for c in remote] == [0, 1] * (WINDOW + 1)


def test_cases_that_share_a_system_prompt_are_asked_together() -> None:
    kind, strict = (
        replace(case, messages=(Message("system", system), *case.messages[1:]))
        for case, system in zip(cases(2), ("Be kind.", "Be strict."), strict=True)
    )
    mixed = [replace(case, id=f"{case.id}-{i}") for i in range(3) for case in (strict, kind)]
    calls = list(plan(mixed, committee(repeats=1)))
    assert [c.case_id for c in calls] == ["c0-0", "c0-1", "c0-2"] * 4 + ["c1-0", "c1-1", "c1-2"] * 4
    assert [c.member.variant for c in calls[:6]] == ["plain"] * 3 + ["stepwise"] * 3


def test_the_same_plan_gives_the_same_calls() -> None:
    made = plan(cases(5), committee())
    assert list(made) == list(made) == list(plan(cases(5), committee()))


def test_a_cases_calls_do_not_depend_on_the_other_cases() -> None:
    together = {c.request.key for c in plan(cases(6), committee()) if c.case_id == "c5"}
    assert together == {c.request.key for c in plan(cases(6)[5:], committee())}


def test_nor_do_they_when_another_case_gives_the_same_prompt() -> None:
    (first,) = cases(1)
    calls = list(plan([first, replace(first, id="c9")], committee(models=[REMOTE])))
    indices = [[c.request.sample_index for c in calls if c.case_id == case_id] for case_id in ("c0", "c9")]
    assert indices == [[0, 1, 0, 1]] * 2


def test_prompts_that_come_out_the_same_are_samples_of_their_own() -> None:
    twin = Variant("twin", 1, "Nothing.", ReadRule("whole"), 0, "", *(Section(f"{{{{ {n} }}}}", 1) for n in ("system", "user")),
                   file=load_variants(["plain"], None)[0].file)  # fmt: skip
    config = committee(models=[REMOTE], variants=["plain", "twin"], repeats=2)
    calls = list(Plan(cases(2), config, (*load_variants(["plain"], None), twin), 0, PRICES))
    assert len({call.request.key for call in calls}) == 8
    of_first = [(c.member.variant, c.request.sample_index) for c in calls if c.case_id == "c0"]
    assert of_first == [("plain", 0), ("plain", 1), ("twin", 2), ("twin", 3)]


def with_twin(repeats: int) -> Plan:
    """A plan with two variants whose prompts come out the same, and a third one."""
    twin = Variant("twin", 1, "Nothing.", ReadRule("whole"), 0, "", *(Section(f"{{{{ {n} }}}}", 1) for n in ("system", "user")),
                   file=load_variants(["plain"], None)[0].file)  # fmt: skip
    config = committee(models=[REMOTE, LOCAL], variants=["plain", "stepwise", "twin"], repeats=repeats)
    return Plan(cases(5), config, (*load_variants(["plain", "stepwise"], None), twin), 0, PRICES)


@settings(max_examples=30, deadline=None)
@given(repeats=st.integers(1, 3), cuts=st.lists(st.integers(0, 18), max_size=4))
def test_the_parts_of_a_plan_make_up_the_plan(repeats: int, cuts: list[int]) -> None:
    made = with_twin(repeats)
    edges = sorted({0, made.calls_per_case, *(cut for cut in cuts if cut < made.calls_per_case)})
    parts = [made.part({case.id: span for case in made.cases}) for span in itertools.pairwise(edges)]
    assert [len(part) for part in parts] == [len(list(part)) for part in parts]
    keys = [(call.case_id, call.request.key) for part in parts for call in part]
    assert len(set(keys)) == len(keys)
    assert set(keys) == {(call.case_id, call.request.key) for call in made}


def test_the_calls_of_a_part_are_those_of_the_plan() -> None:
    made = with_twin(2)
    by_key = {(call.case_id, call.request.key): call for call in made}
    part = made.part({"c1": (2, 9), "c3": (0, 1), "gone": (0, 5)})
    assert all(call == by_key[call.case_id, call.request.key] for call in part)
    assert list(part) == list(part)
    assert Counter(call.case_id for call in part) == {"c1": 7, "c3": 1}
    assert len(part) == 8


@pytest.mark.parametrize(("stop", "distinct"), [(1, 1), (3, 3), (6, 6), (8, 6), (12, 6)])
def test_the_first_calls_of_a_case_are_of_as_many_members_as_can_be(stop: int, distinct: int) -> None:
    found = Counter(call.member.id for call in with_twin(2).part({"c2": (0, stop)}))
    assert (found.total(), len(found)) == (stop, distinct)
    assert max(found.values()) - min(found.values()) <= 1


def test_a_part_of_nothing_is_empty() -> None:
    made = with_twin(2)
    for wanted in ({}, {"c1": (3, 3)}, {"c1": (5, 2)}, {"c1": (12, 20)}):
        assert (list(made.part(wanted)), len(made.part(wanted))) == ([], 0)


def test_a_request_names_who_answers() -> None:
    calls = list(plan(cases(1), committee(variants=["plain"], repeats=1)))
    assert [(c.request.endpoint, c.request.model) for c in calls] == [
        (local_identity(), LOCAL_MODEL),
        ("openai:https://host.example/v1", "gpt-x"),
    ]


@pytest.mark.parametrize(
    ("fields", "endpoint"),
    [
        ({"model": "gpt-x"}, "openai:https://api.openai.com/v1"),
        ({"provider": "litellm", "model": "anthropic/sage"}, "litellm:anthropic"),
        ({"provider": "litellm", "model": "sage"}, "litellm:auto"),
        ({"provider": "litellm", "model": "ollama/x", "base_url": "http://box:1/"}, "litellm:ollama@http://box:1"),
    ],
)
def test_endpoints(fields: dict[str, object], endpoint: str) -> None:
    assert endpoint_of(ModelConfig.model_validate({"name": "m", **fields})) == endpoint


@pytest.mark.parametrize(
    ("logged", "limit"),
    [({}, 100), ({"max_tokens": 40}, 40), ({"max_tokens": 400}, 100), ({"max_tokens": "40"}, 100), ({"max_tokens": 0}, 100)],
)  # fmt: skip
def test_the_smaller_limit_counts_and_a_variant_may_add_to_it(logged: dict[str, JsonValue], limit: int) -> None:
    assert one(committee(variants=["plain"], max_tokens=100), options=logged).request.max_tokens == limit
    stepwise = load_variants(["stepwise"], None)[0]
    call = one(committee(variants=["stepwise"], max_tokens=100), options=logged)
    assert call.request.max_tokens == limit + stepwise.extra_tokens


def test_logged_options_go_with_the_request_and_the_configs_own_over_them() -> None:
    logged: dict[str, JsonValue] = {"stop": ["\n"], "tools": [{"type": "function"}], "max_tokens": 9, "user": "u1"}
    config = committee(models=[{**REMOTE, "options": {"top_p": 0.9, "tool_choice": "none"}}], variants=["plain"])
    sent = one(config, options={**logged, "tool_choice": "auto", "response_format": {"type": "text"}}).request.options
    assert sent == {"stop": ["\n"], "tools": [{"type": "function"}], "tool_choice": "none", "top_p": 0.9,
                    "response_format": {"type": "text"}}  # fmt: skip


def test_a_logged_stop_does_not_cut_off_a_variant_that_thinks_first() -> None:
    assert "stop" not in one(committee(variants=["stepwise"]), options={"stop": "\n"}).request.options


def test_seeds_go_out_where_they_are_asked_for() -> None:
    made = list(plan(cases(3), committee(variants=["plain"]), seed=1))
    seeds = [c.request.seed for c in made if c.member.model == "small"]
    assert len(set(seeds)) == 6
    assert all(seed is not None and 0 <= seed < 2**31 for seed in seeds)
    assert {c.request.seed for c in made if c.member.model == "big"} == {None}
    other = [c.request.seed for c in plan(cases(3), committee(variants=["plain"]), seed=2) if c.member.model == "small"]
    assert set(other).isdisjoint(seeds)


def test_the_run_seed_leaves_the_keys_of_models_without_seeds_alone() -> None:
    config = committee(models=[REMOTE])
    assert [c.request.key for c in plan(cases(2), config, seed=1)] == [
        c.request.key for c in plan(cases(2), config, seed=2)
    ]


def test_the_estimate_adds_up() -> None:
    config = committee(repeats=3, max_tokens=50)
    made = plan(cases(7), config)
    calls = list(made)
    found = estimate_cost(made)
    assert (found.cases, found.members, found.calls, found.stored_calls) == (7, 4, len(calls), 0)
    assert found.input_tokens == sum(c.input_tokens for c in calls)
    assert found.max_output_tokens == sum(c.request.max_tokens for c in calls)
    small, big = found.by_model
    assert (small.model, small.usd_max, small.calls) == ("small", 0.0, 42)
    assert found.usd_max == big.usd_max == pytest.approx((big.input_tokens + 2 * big.max_output_tokens) / 1e6)
    assert found.input_tokens == small.input_tokens + big.input_tokens


def test_stored_calls_cost_nothing() -> None:
    made = plan(cases(200), committee(variants=["plain"]))
    calls = list(made)
    keys = {call.request.key for call in calls[::3]}
    asked: list[int] = []

    def stored(batch: Sequence[str]) -> set[str]:
        asked.append(len(batch))
        return keys.intersection(batch)

    found = estimate_cost(made, find_stored=stored)
    rest = [call for call in calls if call.request.key not in keys]
    assert found.stored_calls == len(keys) == sum(m.stored_calls for m in found.by_model)
    assert found.input_tokens == sum(c.input_tokens for c in rest)
    assert found.calls == len(calls) == sum(asked)
    assert max(asked) <= 500
    assert estimate_cost(made, find_stored=set).usd_max == 0


def test_an_empty_plan() -> None:
    made = plan((), committee())
    assert list(made) == []
    assert estimate_cost(made).usd_max == 0
    assert estimate_cost(made).seconds == 0


def timed(
    latency_s: dict[str, float], stored: set[str] | None = None, **fields: object
) -> tuple[Estimate, ModelEstimate, ModelEstimate]:
    """The estimate of ten cases asked of both models twice, and its two parts; `fields` are those of the remote one."""
    made = plan(cases(10), committee(models=[LOCAL, REMOTE | fields], variants=["plain"]))
    means = {name: RecentMeans(1, latency, 10.0) for name, latency in latency_s.items()}
    found = estimate_cost(made, find_stored=(lambda _: stored) if stored else None, find_means=means.get)
    return found, *found.by_model


def test_the_time_is_that_of_the_slowest_model_and_of_what_slows_it_most() -> None:
    found, small, big = timed({LOCAL_MODEL: 8.0, "gpt-x": 1.0}, concurrency=4, requests_per_minute=60)
    assert small.seconds == pytest.approx(20 * 8.0 / 16)
    assert big.seconds == pytest.approx(20)  # the limit, not 20 * 1.0 / 4
    assert found.seconds == big.seconds
    tokens = big.input_tokens + big.max_output_tokens
    _, _, big = timed({}, requests_per_minute=60, tokens_per_minute=tokens / 10)
    assert big.seconds == pytest.approx(600)
    _, _, big = timed({"gpt-x": 40.0}, concurrency=4, requests_per_minute=60)
    assert big.seconds == pytest.approx(20 * 40.0 / 4)


def test_the_time_is_unknown_without_limit_and_latency() -> None:
    found, small, big = timed({LOCAL_MODEL: 8.0})
    assert (small.seconds, big.seconds, found.seconds) == (10.0, None, None)


def test_stored_calls_take_no_time() -> None:
    keys = {call.request.key for call in plan(cases(10), committee(models=[LOCAL, REMOTE], variants=["plain"]))}
    found, *_ = timed({}, stored=keys)
    assert found.seconds == 0


def test_a_batch_takes_a_day_at_most_and_half_the_money() -> None:
    found, small, big = timed({LOCAL_MODEL: 8.0}, mode="batch")
    assert (small.usd_batch, big.seconds, found.seconds) == (None, 86_400, 86_400)
    assert big.usd_max == big.usd_batch == pytest.approx(big.usd_live / 2)
    assert (found.usd_max, found.usd_batch, found.usd_live) == (big.usd_batch, big.usd_batch, big.usd_live)


def test_both_prices_are_told_where_batches_can_be_had() -> None:
    found, _, big = timed({}, base_url=None)
    assert big.usd_max == big.usd_live == found.usd_max == found.usd_live
    assert found.usd_batch == big.usd_batch == pytest.approx(big.usd_live / 2)
    found, _, big = timed({})
    assert (found.usd_batch, big.usd_batch) == (None, None)


def test_token_estimates() -> None:
    assert estimate_tokens([Message("user", "a" * 40)], {}) == 10 + 4
    assert estimate_tokens([Message("user", "1" * 30), Message("assistant", "")], {}) == 20 + 8
    assert estimate_tokens([Message("user", "é" * 10)], {}) == 10 + 4
    call = Message("assistant", "", (ToolCall("t", "find", "1" * 3),))
    assert estimate_tokens([call], {}) == 1 + 2 + 4
    tools: list[JsonValue] = [{"name": "find"}]
    assert estimate_tokens([], {"tools": tools, "stop": "x" * 999}) == math.ceil(8 / 4 + 9 / 1.5)


@given(st.lists(st.text(), max_size=5))
def test_a_longer_request_never_has_fewer_tokens(texts: list[str]) -> None:
    messages = [Message("user", text) for text in texts]
    counts = [estimate_tokens(messages[:n], {}) for n in range(len(messages) + 1)]
    assert counts == sorted(counts)


def test_a_plan_is_made_while_it_is_read() -> None:
    made = plan(cases(1000), committee())
    first = Counter(call.case_id for call, _ in zip(made, range(3), strict=False))
    assert sum(first.values()) == 3
    assert len(made) == 8000


def test_the_expected_cost_follows_the_length_of_stored_answers() -> None:
    made = plan(cases(10), committee(models=[LOCAL, REMOTE], variants=["plain"]))
    means = {"gpt-x": RecentMeans(5, 1.0, 12.5), LOCAL_MODEL: RecentMeans(5, 1.0, 8.0)}
    small, big = estimate_cost(made, find_means=means.get).by_model
    price = made.prices["big"]
    assert big.usd_expected == pytest.approx((big.input_tokens * price.input + 20 * 12.5 * price.output) / 1e6)
    assert big.usd_expected is not None
    assert small.usd_expected == 0
    assert big.usd_expected < big.usd_max


def test_without_stored_answers_the_expected_cost_follows_the_logged_ones() -> None:
    logged = tuple(replace(case, target="four words of text") for case in cases(10))
    config = committee(models=[REMOTE], variants=["plain"])
    assert estimate_cost(plan(cases(10), config)).usd_expected is None
    known = estimate_cost(plan(logged, config))
    tokens = estimate_tokens([Message("assistant", "four words of text")], {})
    price = plan(logged, config).prices["big"]
    assert known.usd_expected == pytest.approx((known.input_tokens * price.input + 20 * tokens * price.output) / 1e6)


def test_the_expected_cost_never_exceeds_the_ceiling_and_is_zero_where_all_is_stored() -> None:
    made = plan(cases(10), committee(models=[REMOTE], variants=["plain"], max_tokens=5))
    long = {"gpt-x": RecentMeans(5, 1.0, 400.0)}
    estimate = estimate_cost(made, find_means=long.get)
    assert estimate.usd_expected == estimate.usd_max
    assert estimate_cost(made, find_stored=set).usd_expected == 0
