"""Braintrust: the calls of a log, with what its roots say of them."""

from __future__ import annotations

from pathlib import Path

from curator.records import Reference
from tests.readers.reading_kit import read_all

DATA = Path(__file__).parents[1] / "data" / "logs"


def test_calls_with_the_scores_of_their_roots() -> None:
    cases, reading, _ = read_all([DATA / "braintrust.jsonl"])
    shop, abroad, again = sorted(cases, key=lambda case: case.log_id or "")
    assert (shop.system, shop.user, shop.target) == ("You run a shop.", "Is it open on Sunday?", "Yes, from ten.")
    assert (shop.model, shop.options, shop.finish_reason, shop.latency_s) == (
        "gpt-4o-mini",
        {"max_tokens": 60},
        "stop",
        0.5,
    )
    assert shop.feedback is not None
    assert (shop.feedback.thumb, shop.feedback.comment) == ("down", "closed!")
    assert (shop.metadata["Factuality"], shop.metadata["tags"]) == (0.6, "web")
    assert shop.session
    assert shop.user_id
    assert (abroad.user, abroad.target) == ("Do you ship abroad?", "Only to Norway.")
    assert abroad.reference == Reference("To all of Scandinavia.", "label")
    assert abroad.feedback is not None
    assert abroad.feedback.thumb == "up"
    assert (again.user, again.failed_call) == ("Again?", True)
    assert reading.account.others == {"traces and their roots": 1, "evaluator spans": 1}
