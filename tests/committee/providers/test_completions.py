"""What counts as an answer in a response with the status 200, and what is a failed call."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from curator.committee.providers.completions import Envelope, read_body, read_completion
from curator.committee.providers.openai_compatible import listed_window
from curator.committee.providers.refusals import cause_of, failure
from curator.committee.providers.reset_times import asked_wait_s
from curator.committee.requests import CallFailed, ModelReply
from curator.records import Usage

USAGE = {"prompt_tokens": 9, "completion_tokens": 64, "completion_tokens_details": {"reasoning_tokens": 60}}
NOW = 1_700_000_000.0


def completion(message: Any = None, finish: str = "stop", **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": finish, "message": message or {"content": "hi"}, **more}
    return {"choices": [choice], "usage": USAGE}


def failed_of(outcome: ModelReply | CallFailed) -> CallFailed:
    failed = outcome if isinstance(outcome, CallFailed) else outcome.failure
    assert failed is not None
    return failed


@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [
        ({"error": {"message": "Provider returned error", "code": 502}}, "retryable", 502),
        ({"error": {"message": "no", "code": "502"}, "choices": []}, "retryable", 502),
        ({"error": {"message": "slow down", "type": "rate_limit_error"}}, "retryable", 429),
        ({"error": {"message": "busy", "type": "overloaded_error"}}, "retryable", 503),
        ({"error": {"message": "who?", "code": "invalid_api_key"}}, "terminal", 401),
        ({"error": "upstream died"}, "retryable", 502),
        ({"object": "error", "message": "bad", "code": 400}, "rejected", 400),
        (completion(error={"code": 502, "message": "idle"}, finish="error"), "retryable", 502),
        (completion(finish="error"), "retryable", 502),
        (completion({"content": None, "error": {"code": 429}}), "retryable", 429),
    ],
)
def test_an_error_inside_a_200_is_a_failed_call_by_its_code(data: Any, kind: str, status: int) -> None:
    failed = failed_of(read_completion(data))
    assert (failed.kind, failed.status) == (kind, status)


@pytest.mark.parametrize(("finish", "name"), [("STOP", "stop"), ("end_turn", "stop"), ("tool_use", "tool_calls")])
def test_a_finish_reason_has_the_name_that_it_has_in_logs(finish: str, name: str) -> None:
    reply = read_completion(completion(finish=finish))
    assert isinstance(reply, ModelReply)
    assert (reply.text, reply.finish_reason) == ("hi", name)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html><head><title>503 Service Temporarily Unavailable</title></head></html>", "retryable"),
        (b"<html>log in</html>", "ambiguous"),
        (b"upstream connect error or disconnect/reset before headers", "retryable"),
    ],
)
def test_a_page_is_not_an_answer(body: bytes, kind: str) -> None:
    assert failed_of(read_body(body, Envelope())).kind == kind


@pytest.mark.parametrize("text", ["503 Service Unavailable", '{"error": "not found"}', "<title>404 Not Found</title>"])
def test_the_models_own_words_about_errors_are_an_answer(text: str) -> None:
    reply = read_completion(completion({"content": text}))
    assert isinstance(reply, ModelReply)
    assert (reply.text, reply.failure) == (text, None)


@pytest.mark.parametrize("finish", ["content_filter", "SAFETY", "refusal"])
def test_a_filtered_answer_is_a_failed_call(finish: str) -> None:
    failed = failed_of(read_completion(completion({"content": "Half"}, finish=finish)))
    assert (failed.kind, failed.cause) == ("rejected", "content_filter")


def test_a_blocked_prompt_of_google_is_filtered() -> None:
    failed = failed_of(read_completion({"promptFeedback": {"blockReason": "SAFETY"}}))
    assert (failed.kind, failed.cause) == ("rejected", "content_filter")


@pytest.mark.parametrize("content", ["", None, "  ", "<think>\nLet me see, first"])
def test_an_empty_answer_at_the_token_limit_counts_its_reasoning(content: str | None) -> None:
    message = {"content": content, "reasoning_content": "Let me see"}
    failed = failed_of(reply := read_completion(completion(message, finish="length")))
    assert (failed.cause, failed.reasoning_tokens) == ("token_limit", 60)
    assert isinstance(reply, ModelReply)
    assert reply.usage == Usage(9, 64)


@pytest.mark.parametrize(
    ("content", "finish"), [("half an ans", "length"), ("", "stop"), ("<think>x</think>4", "length")]
)
def test_other_short_answers_stay_answers(content: str, finish: str) -> None:
    reply = read_completion(completion({"content": content}, finish=finish))
    assert isinstance(reply, ModelReply)
    assert (reply.text, reply.failure) == (content, None)


def test_one_failed_choice_costs_no_other() -> None:
    data = completion()
    data["choices"] += completion({"content": ""}, finish="length")["choices"] + completion()["choices"]
    reply = read_completion(data)
    assert isinstance(reply, ModelReply)
    assert [answer.failure is None for answer in (reply, *reply.more)] == [True, False, True]


def test_a_stream_that_was_not_asked_for_is_put_together() -> None:
    parts: list[dict[str, Any]] = [
        {"role": "assistant", "content": "Let me "},
        {"content": "see."},
        {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": '{"x"'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": ": 1}"}}]},
    ]
    lines = [b": comment"]
    lines += [b"data: " + orjson.dumps({"choices": [{"index": 0, "delta": delta}]}) for delta in parts]
    end = [b"data: " + orjson.dumps({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": USAGE})]
    whole = read_body(b"\n\n".join([*lines, *end, b"data: [DONE]"]), Envelope())
    assert isinstance(whole, ModelReply)
    assert whole.text == '{"content":"Let me see.","tool_calls":[{"arguments":{"x":1},"name":"f"}]}'
    assert (whole.finish_reason, whole.usage) == ("stop", Usage(9, 64))
    assert failed_of(read_body(b"\n\n".join(lines), Envelope())).kind == "ambiguous"
    error = b'data: {"error": {"code": 429, "message": "slow"}}'
    assert failed_of(read_body(b"\n\n".join([*lines, error]), Envelope())).status == 429


def test_a_stream_has_every_choice_and_the_error_of_one() -> None:
    parts = [
        {"index": 1, "delta": {"content": "no"}, "finish_reason": "stop"},
        {"index": 0, "delta": {"content": [{"type": "text", "text": "yes"}]}, "finish_reason": "stop"},
        {"index": 2, "delta": {}, "error": {"code": 429, "message": "slow"}},
    ]
    reply = read_body(b"\n".join(orjson.dumps({"choices": [part]}) for part in parts), Envelope())
    assert isinstance(reply, ModelReply)
    assert [answer.text for answer in (reply, *reply.more)] == ["yes", "no", ""]
    assert failed_of(reply.more[1]).status == 429


AZURE = {"error": {"message": "filtered", "code": None, "innererror": {"code": "ResponsibleAIPolicyViolation"}}}


@pytest.mark.parametrize(
    ("status", "error", "cause"),
    [
        (400, {"error": {"code": "content_filter", "message": "no"}}, "content_filter"),
        (400, AZURE, "content_filter"),
        (403, {"error": {"message": "x", "metadata": {"flagged_input": "..."}}}, "content_filter"),
        (400, {"error": {"code": "invalid_prompt", "message": "violates our usage policy"}}, "content_filter"),
        (400, {"error": {"code": "context_length_exceeded", "message": "x"}}, "context_length"),
        (400, {"message": "This model's maximum context length is 4096 tokens"}, "context_length"),
        (400, {"error": {"type": "invalid_request_error", "message": "prompt is too long: 9 > 8"}}, "context_length"),
        (413, b"Payload Too Large", "context_length"),
        (400, {"error": {"code": "invalid_image_url", "message": "x"}}, "invalid_input"),
        (400, {"error": {"message": "bad", "param": "messages.[1].content"}}, "invalid_input"),
        (400, {"error": {"message": "bad", "code": "unsupported_value", "param": "messages[0].role"}}, None),
        (400, {"error": {"message": "Unsupported parameter: 'max_tokens'", "param": "max_tokens"}}, None),
        (400, {"error": {"message": "max_tokens is too large: 5000. maximum context length is 4096"}}, None),
        (401, {"error": {"message": "Your account was flagged"}}, None),
        (429, {"error": {"message": "too many tokens per minute"}}, None),
    ],
)
def test_the_cause_of_a_refusal(status: int, error: Any, cause: str | None) -> None:
    assert failure(status, error, {}, now=lambda: NOW).cause == cause


def test_a_setting_that_is_refused_has_no_cause_in_the_request() -> None:
    assert cause_of(400, {"unsupported_parameter"}, "Unsupported parameter: 'temperature'") is None


@pytest.mark.parametrize(
    ("headers", "error", "wait"),
    [
        ({"Retry-After": "86400"}, None, 86_400.0),
        ({"Retry-After": "Tue, 14 Nov 2023 22:15:00 GMT"}, None, 100.0),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "24h0m0s"}, None, 86_400.0),
        ({"x-ratelimit-remaining-requests": "3", "x-ratelimit-reset-requests": "24h0m0s"}, None, None),
        ({"x-ratelimit-remaining": "0", "X-RateLimit-Reset": "1700003600"}, None, 3600.0),
        (
            {"anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": "2023-11-14T23:13:20Z"},
            None,
            3600.0,
        ),
        ({}, {"error": {"details": [{"retryDelay": "34.07s"}]}}, 34.07),
        (
            {},
            {"error": {"metadata": {"headers": {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1700003600000"}}}},
            3600.0,
        ),
        ({}, {"error": {"message": "Please try again in 7m12s."}}, 432.0),
        ({}, {"error": {"message": "the quota resets in 3 hours and 5 minutes"}}, 11_100.0),
        ({}, {"error": {"message": "no answer within 5 s"}}, None),
        ({"Retry-After": "99999999"}, None, None),
    ],
)
def test_the_wait_is_read_from_headers_body_and_words(headers: dict[str, str], error: Any, wait: float | None) -> None:
    assert asked_wait_s(headers, error, now=lambda: NOW) == wait


@pytest.mark.parametrize(
    ("entry", "window"),
    [
        ({"max_model_len": 4096}, 4096), ({"context_length": 8192, "top_provider": {"context_length": 4000}}, 4000),
        ({"meta": {"n_ctx": 2048}}, 2048), ({}, None), ({"context_window": "big"}, None),
    ],
)  # fmt: skip
def test_the_context_window_is_read_from_the_list_of_models(entry: dict[str, Any], window: int | None) -> None:
    assert listed_window({"data": [{"id": "other", "max_model_len": 1}, {"id": "m", **entry}]}, "m") == window
    assert listed_window("no list", "m") is None
