"""The samples of the named formats, case by case."""

from __future__ import annotations

from pathlib import Path

from curator.records import Case, RejectedRecord
from tests.readers.reading_kit import read_all

DATA = Path(__file__).parents[1] / "data" / "logs"


def sample(*names: str) -> tuple[dict[str, Case], list[str]]:
    """The cases of samples by their ids, and the reasons of rejected records."""
    cases, _, results = read_all([DATA / name for name in names])
    return {case.log_id or str(case.source.line): case for case in cases}, [
        result.reason for result in results if isinstance(result, RejectedRecord)
    ]


def outcomes(cases: dict[str, Case]) -> dict[str, tuple[str | None, str | None]]:
    return {id_: (case.target, case.finish_reason) for id_, case in cases.items()}


def test_a_batch_is_joined_with_its_answers_and_errors() -> None:
    cases, rejected = sample("batch_input.jsonl", "batch_output.jsonl", "batch_errors.jsonl")
    assert rejected == []
    assert outcomes(cases) == {
        "b-0": ("Assam", "stop"), "b-1": (None, "error"), "b-2": ("Apple", "stop"), "b-3": (None, "error"),
        "a-1": ("Rye", "stop"),
    }  # fmt: skip
    assert cases["a-1"].system == "Be brief."
    assert cases["b-0"].time == 1795000000


def test_stored_completions_are_joined_with_their_messages() -> None:
    cases, rejected = sample("stored_completions.json", "stored_messages.json")
    assert [(case.user, case.target) for case in cases.values()] == [("A haiku on machines", "Circuits hum at night")]
    assert rejected == ["an answer without its question"]


def test_captured_data_of_an_endpoint_plain_and_in_base64() -> None:
    cases, rejected = sample("sagemaker.jsonl")
    assert rejected == []
    assert outcomes(cases) == {
        "g1": ("Shelf 4.", "stop"),
        "g2": ("Oak", None),
        "g3": ("Wren", None),
        "g4": (None, "error"),
    }
    assert [case.user for case in cases.values()] == [
        "Where are nails?",
        "Name a tree.",
        "Name a bird.",
        "Name a fish.",
    ]
    assert cases["g2"].options == {"max_tokens": 9}


def test_litellm_payloads_and_spend_logs() -> None:
    cases, rejected = sample("litellm.jsonl")
    assert outcomes(cases) == {"l1": ("Two years.", "stop"), "l2": (None, "error"), "l3": ("Green", "stop")}
    first = cases["l1"]
    assert [(document.text, document.score) for document in first.documents] == [("Warranty: two years.", 0.91)]
    assert (first.latency_s, first.cost_usd, bool(first.user_id), bool(first.session)) == (1.25, 0.0004, True, True)
    assert first.options["tools"]
    assert all("removed or shortened" in reason for reason in rejected)
    assert len(rejected) == 2


def test_bedrock_logs_of_every_operation() -> None:
    cases, rejected = sample("bedrock.jsonl")
    assert rejected == []
    call = '{"content":"I look.","tool_calls":[{"arguments":{"item":"4"},"name":"stock"}]}'
    assert outcomes(cases) == {
        "k1": (call, "tool_calls"), "k2": ("First", "length"), "k3": ("Oak", "stop"), "k4": ("Wren", "stop"),
        "k5": (None, "error"),
    }  # fmt: skip
    assert (cases["k1"].system, cases["k1"].options["max_tokens"]) == ("Be polite.", 60)


def test_anthropic_tools_thoughts_and_images() -> None:
    cases, rejected = sample("anthropic.jsonl")
    assert outcomes(cases) == {
        "n1": ("Good day.", "stop"),
        "n2": ("Yes, three.", "stop"),
        "n4": (None, "error"),
    }
    assert [message.role for message in cases["n2"].messages] == ["system", "user", "assistant", "tool"]
    assert cases["n2"].messages[3].tool_call_id == cases["n2"].messages[2].tool_calls[0].id == "u1"
    assert cases["n2"].options["tool_choice"] == "required"
    assert "an image in the content" in rejected[0]


def test_responses_with_files_and_with_context_elsewhere() -> None:
    cases, rejected = sample("responses.jsonl")
    assert [(case.target, case.finish_reason) for case in cases.values()] == [
        ("Two years.", "stop"), ("One", "length"), (None, "error"),
    ]  # fmt: skip
    first, second, _ = cases.values()
    assert (first.system, first.documents[0].score) == ("Answer from the files.", 0.8)
    assert [message.role for message in second.messages] == ["user", "assistant", "tool"]
    assert second.options["max_tokens"] == 5
    assert "`previous_response_id`" in rejected[0]


def test_gemini_calls_streams_and_blocked_prompts() -> None:
    cases, rejected = sample("gemini.jsonl")
    assert [(case.target, case.finish_reason) for case in cases.values()] == [
        ('{"n": 3}', "stop"), ("Once", "length"), (None, "content_filter"),
    ]  # fmt: skip
    first = next(iter(cases.values()))
    assert [message.role for message in first.messages] == ["system", "user", "assistant", "tool"]
    assert first.options["response_format"] == {"type": "json_object"}
    assert "an image in the content" in rejected[0]


def test_rows_of_gateways() -> None:
    cases, rejected = sample("gateway.jsonl")
    assert rejected == []
    assert outcomes(cases) == {"h1": ("Hello.", "stop"), "h2": (None, "error"), "h3": (" a time", "length")}
    assert (cases["h1"].latency_s, len(cases["h1"].options["tools"])) == (0.8, 1)  # type: ignore[arg-type]
