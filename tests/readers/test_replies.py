from typing import Any

import pytest

from curator.errors import RecordError
from curator.readers.replies import Reply, read_reply, split_answer
from curator.readers.response_bodies import MORE_CHOICES
from curator.records import Message, ToolCall
from curator.records.token_logprobs import TokenLogprobs

CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Bonn", "b": 1}'}}


def completion(message: dict[str, Any], reason: str | None = "stop") -> dict[str, Any]:
    return {"id": "cmpl-1", "model": "m-1", "choices": [{"index": 0, "finish_reason": reason, "message": message}]}


def test_a_completion() -> None:
    reply = read_reply(completion({"role": "assistant", "content": "Bonn"}))
    assert reply == Reply("Bonn", "stop", "m-1", "cmpl-1")


def test_the_first_of_several_choices_counts() -> None:
    value = completion({"role": "assistant", "content": "one"})
    value["choices"].append({"index": 1, "message": {"role": "assistant", "content": "two"}})
    assert read_reply(value).text == "one"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ("", ""),
        (None, None),
        ({}, None),
        ([], None),
        (7, "7"),
        (True, "true"),
        ({"role": "assistant", "content": "message"}, "message"),
        ({"message": {"role": "assistant", "content": "choice"}, "done_reason": "stop"}, "choice"),
        ({"choices": [{"text": "legacy", "finish_reason": "stop"}]}, "legacy"),
        ({"status_code": 200, "body": {"choices": [{"message": {"content": "batch"}}]}}, "batch"),
        ([{"role": "user", "content": "q"}, {"role": "assistant", "content": "last"}], "last"),
        ([{"role": "user", "content": "q"}], None),
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "a\nb"),
        ('{"choices": [{"message": {"role": "assistant", "content": "as text"}}]}', "as text"),
        ('{"category": "billing"}', '{"category": "billing"}'),
        ('{"choices": ["a", "b"]}', '{"choices": ["a", "b"]}'),
        ("[1, 2]", "[1, 2]"),
        ({"choices": []}, None),
        ({"choices": [{"message": {"content": None, "refusal": "I cannot."}}]}, "I cannot."),
    ],
)
def test_the_text_of_an_answer(value: Any, text: str | None) -> None:
    assert read_reply(value).text == text


def test_tool_calls_without_text_are_their_json() -> None:
    reply = read_reply(completion({"role": "assistant", "content": "", "tool_calls": [CALL]}, "tool_calls"))
    assert reply.text == '{"tool_calls":[{"arguments":{"b":1,"city":"Bonn"},"name":"weather"}]}'
    assert reply.is_call


def test_arguments_that_are_no_object_stay_as_logged() -> None:
    call = {"function": {"name": "weather", "arguments": '{"city": "Bo'}}
    reply = read_reply(completion({"content": None, "tool_calls": [call]}))
    assert reply.text == '{"tool_calls":[{"arguments":"{\\"city\\": \\"Bo","name":"weather"}]}'


def test_text_and_tool_calls_are_one_answer() -> None:
    reply = read_reply(completion({"content": " Let me look.", "tool_calls": [CALL]}))
    call = '{"arguments":{"b":1,"city":"Bonn"},"name":"weather"}'
    assert (reply.text, reply.is_call) == ('{"content":"Let me look.","tool_calls":[' + call + "]}", True)


@pytest.mark.parametrize("reason", ["length", "max_tokens", "MAX_TOKENS"])
def test_every_name_of_the_token_limit_is_length(reason: str) -> None:
    assert read_reply(completion({"content": "Bo"}, reason)).finish_reason == "length"


def test_an_answer_that_the_logger_shortened_is_truncated() -> None:
    text = "So ... (litellm_truncated 90 chars)"
    assert read_reply(completion({"content": text})).finish_reason == "length"
    assert read_reply(text).finish_reason == "length"


def test_chunks_of_a_stream_are_put_together() -> None:
    def chunk(delta: dict[str, Any], reason: str | None = None, index: int = 0) -> dict[str, Any]:
        return {"id": "s1", "model": "m", "choices": [{"index": index, "delta": delta, "finish_reason": reason}]}

    text = [chunk({"role": "assistant"}), chunk({"content": "Bo"}), chunk({"content": "no"}, index=1)]
    text += [chunk({"content": "nn"}), chunk({}, "length"), {"choices": [], "usage": {}}]
    assert read_reply(text) == Reply("Bonn", "length", "m", "s1", notes=(MORE_CHOICES,))  # type: ignore[arg-type]

    calls = [
        chunk({"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "f", "arguments": ""}}]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"x"'}}]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": ": 1}"}}]}, "tool_calls"),
    ]
    assert read_reply(calls).text == '{"tool_calls":[{"arguments":{"x":1},"name":"f"}]}'  # type: ignore[arg-type]


def test_an_error_is_no_answer() -> None:
    assert read_reply({"error": {"message": "boom"}}) == Reply(finish_reason="error")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"answer_text": "x", "n": 1}, "unknown shape with the keys 'answer_text', 'n'"),
        ({"choices": ["x"]}, "something else than objects"),
        ({"content": [{"type": "image_url"}]}, "an image in the content"),
    ],
)
def test_an_answer_that_cannot_be_read(value: Any, reason: str) -> None:
    with pytest.raises(RecordError) as caught:
        read_reply(value)
    assert reason in caught.value.reason


USER, ANSWER = Message("user", "q"), Message("assistant", "a")


def test_an_answer_appended_to_the_messages_is_the_target() -> None:
    assert split_answer((USER, ANSWER), None) == ((USER,), Reply("a"))
    assert split_answer((USER, ANSWER), Reply(model="m")) == ((USER,), Reply("a", model="m"))
    assert split_answer((USER, ANSWER), Reply("a", "stop")) == ((USER,), Reply("a", "stop"))


def test_appended_tool_calls_are_the_target() -> None:
    calling = Message("assistant", "", (ToolCall("1", "f", "{}"),))
    messages, reply = split_answer((USER, calling), None)
    assert messages == (USER,)
    assert reply.is_call


def test_a_prefill_belongs_to_the_question() -> None:
    prefilled = (USER, ANSWER)
    assert split_answer(prefilled, Reply("ab", "stop"))[0] == prefilled
    assert split_answer(prefilled, Reply(None, "content_filter"))[0] == prefilled
    assert split_answer(prefilled, Reply(finish_reason="error"))[0] == prefilled


def test_log_probabilities_of_the_answer_are_kept() -> None:
    content = [{"token": "bill", "logprob": -0.5, "bytes": None}, {"token": "ing", "logprob": -0.25, "bytes": None}]
    choice = {"message": {"role": "assistant", "content": "billing"}, "logprobs": {"content": content}}
    reply = read_reply({"choices": [choice]})
    assert reply.logprobs == TokenLogprobs((-0.5, -0.25), ("bill", "ing"))
    assert read_reply({"choices": [{**choice, "logprobs": None}]}).logprobs is None
