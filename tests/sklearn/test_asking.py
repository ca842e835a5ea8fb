"""Texts to recorded answers, asked of an endpoint on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from curator.config import parse_config
from curator.errors import BudgetReached, UserError
from curator.sklearn import AskCommittee, CommitteeDisagreement, PromptCommittee
from tests.conftest import LABELS, FakeEndpoint

TEXTS = [f"my parcel number {i} is late" for i in range(8)]


@pytest.fixture
def committee(job: dict[str, Any]) -> AskCommittee:
    return AskCommittee(parse_config(job), system="Name the topic.", task="route", environ={})


def test_each_text_gets_the_answers_of_all_members(committee: AskCommittee, endpoint: FakeEndpoint) -> None:
    records = committee.fit(TEXTS).transform(TEXTS)
    assert records.shape == (8,)
    for text, record in zip(TEXTS, records, strict=True):
        assert record["input"][-2:] == [
            {"role": "system", "content": "Name the topic."}, {"role": "user", "content": text},
        ]  # fmt: skip
        assert [(g["model"], g["variant"]) for g in record["generations"]] == [("m", "plain")] * 2 + [
            ("m", "careful")
        ] * 2
        assert record["kind"] == "label"
        assert record["labels"] == list(LABELS)
    assert len(endpoint.bodies) > 0


def test_a_question_is_paid_for_once(committee: AskCommittee, endpoint: FakeEndpoint) -> None:
    first = committee.transform(TEXTS)
    asked = len(endpoint.bodies)
    again = clone(committee).transform([*TEXTS, TEXTS[0]])
    assert len(endpoint.bodies) == asked
    assert again.tolist() == [*first.tolist(), first[0]]


def test_it_feeds_the_classifier_and_the_transformer(committee: AskCommittee) -> None:
    labels = [LABELS[i % 5] for i in range(8)]
    classifier = make_pipeline(committee, PromptCommittee()).fit(TEXTS, labels)
    np.testing.assert_allclose(classifier.predict_proba(TEXTS).sum(axis=1), 1)
    signals = make_pipeline(committee, CommitteeDisagreement()).fit_transform(TEXTS)
    assert signals.shape == (8, 4)
    assert PromptCommittee(["m/plain"]).fit(committee.transform(TEXTS), labels).members == ["m/plain"]


def test_messages_are_asked_as_they_are(job: dict[str, Any]) -> None:
    messages = [
        {"role": "user", "content": "late?"},
        {"role": "assistant", "content": "which?"},
        {"role": "user", "content": "51190"},
    ]
    (record,) = AskCommittee(parse_config(job), environ={}).transform([messages])
    assert record["input"] == messages
    assert "kind" not in record


def test_secrets_are_redacted_before_they_are_sent(committee: AskCommittee, endpoint: FakeEndpoint) -> None:
    key = "sk-proj-" + "a1B2" * 12
    (record,) = committee.transform([f"my key is {key}, why is it refused?"])
    assert key not in str(endpoint.bodies) + str(record)
    assert "why is it refused?" in str(endpoint.bodies)


def test_at_the_budget_the_answers_so_far_are_kept(job: dict[str, Any], endpoint: FakeEndpoint) -> None:
    limited = AskCommittee(parse_config({**job, "budget": {"max_requests": 6}}), environ={})
    with pytest.raises(BudgetReached):
        limited.transform(TEXTS)
    asked = len(endpoint.bodies)
    assert 0 < asked <= 6
    AskCommittee(parse_config(job), environ={}).transform(TEXTS)
    assert len(endpoint.bodies) == 32


def test_what_cannot_be_asked_is_named(committee: AskCommittee, job: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="text 1 of X: the user message is empty"):
        committee.transform(["late", " "])
    with pytest.raises(ValueError, match="text 0 of X: messages"):
        committee.transform([[{"role": "poet", "content": "late"}]])
    with pytest.raises(ValueError, match=r"the config has no task 'sort'; it has \['route'\]"):
        AskCommittee(parse_config(job), task="sort").fit(TEXTS)
    with pytest.raises(UserError):
        AskCommittee(tmp_path / "gone.yaml").fit(TEXTS)
