"""Spans of a trace: wrappers, judges, documents, feedback and sessions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from curator.records import Document
from tests.readers.span_kit import batch, log, logs, messages, read_lines, span


def call(asked: str, said: str | None, **more: Any) -> dict[str, Any]:
    given = {"gen_ai.output.messages": json.dumps([{"role": "assistant", "content": said}])} if said is not None else {}
    return {"gen_ai.operation.name": "chat", "gen_ai.input.messages": asked, **given, **more}


def kind(name: str, **more: Any) -> dict[str, Any]:
    return {"openinference.span.kind": name, **more}


def retriever(*texts: str, **more: Any) -> dict[str, Any]:
    return kind(
        "RETRIEVER", **{f"retrieval.documents.{i}.document.content": text for i, text in enumerate(texts)}, **more
    )


def evaluation(value: Any, **more: Any) -> dict[str, Any]:
    return {"gen_ai.evaluation.name": "user_thumb", "gen_ai.evaluation.score.label": value, **more}


def vercel(step: str, **more: Any) -> dict[str, Any]:
    return {"ai.operationId": f"ai.generateText{step}", "ai.model.id": "m", "ai.telemetry.functionId": "help", **more}


def test_the_steps_of_the_ai_sdk_are_counted_once(tmp_path: Path) -> None:
    tool_call = [{"toolCallType": "function", "toolCallId": "c1", "toolName": "look", "args": '{"q":"x"}'}]
    system, question = (
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Where?"}]},
    )
    step = [
        {
            "role": "assistant",
            "content": [{"type": "tool-call", "toolCallId": "c1", "toolName": "look", "input": {"q": "x"}}],
        },
        {
            "role": "tool",
            "content": [
                {
                    "type": "tool-result",
                    "toolCallId": "c1",
                    "toolName": "look",
                    "output": {"type": "text", "value": "here"},
                }
            ],
        },
    ]
    tools = [json.dumps({"type": "function", "name": "look", "inputSchema": {"type": "object"}})]
    outer = vercel(
        "",
        **{
            "ai.prompt": json.dumps({"system": "Be brief.", "prompt": "Where?"}),
            "ai.response.text": "Here.",
            "ai.telemetry.metadata.userId": "u",
        },
    )
    first = vercel(
        ".doGenerate",
        **{
            "ai.prompt.messages": json.dumps([system, question]),
            "ai.prompt.tools": tools,
            "ai.response.toolCalls": json.dumps(tool_call),
            "ai.response.finishReason": "tool-calls",
        },
    )
    last = vercel(
        ".doGenerate",
        **{
            "ai.prompt.messages": json.dumps([system, question, *step]),
            "ai.response.text": "Here.",
            "ai.response.finishReason": "stop",
        },
    )
    spans = [
        span(1, outer, name="ai.generateText", seconds=9),
        span(2, first, parent=1, at=1),
        span(3, vercel("", **{"ai.operationId": "ai.toolCall", "ai.toolCall.args": "{}"}), parent=1, at=2),
        span(4, last, parent=1, at=3),
    ]
    cases, rejected, others, _ = read_lines(tmp_path, batch(*spans))
    assert not rejected
    assert others == {"calls that wrap another logged call": 1, "tool spans": 1}
    called, answered = cases
    assert json.loads(called.target or "")["tool_calls"][0] == {"name": "look", "arguments": {"q": "x"}}
    assert called.options["tools"] == [
        {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    ]
    assert messages(answered) == [("system", "Be brief."), ("user", "Where?"), ("assistant", ""), ("tool", "here")]
    assert (answered.target, answered.task) == ("Here.", "help")
    assert called.user_id
    assert called.user_id == answered.user_id


def test_an_outer_span_in_a_trace_of_its_own_is_known_by_its_times(tmp_path: Path) -> None:
    outer = span(
        1, vercel("", **{"ai.prompt": '{"prompt": "Where?"}', "ai.response.text": "Here."}), trace=1, seconds=3
    )
    inner = span(
        2,
        vercel(
            ".doGenerate",
            **{
                "ai.prompt.messages": '[{"role":"user","content":"Where?"}]',
                "ai.response.text": "Here.",
                "ai.response.id": "r",
            },
        ),
        trace=2,
        at=1,
    )
    later = span(3, vercel("", **{"ai.prompt": '{"prompt": "Where?"}', "ai.response.text": "Here."}), trace=3, at=10)
    cases, _, others, _ = read_lines(tmp_path, batch(outer, inner, later))
    assert [case.time for case in cases] == [1_770_000_001, 1_770_000_010]
    assert others == {"calls that wrap another logged call": 1}


def test_a_framework_over_a_client_is_counted_once_and_another_question_below_a_call_is_not(tmp_path: Path) -> None:
    spans = [
        span(1, call("Where is Paris?", "In France.")),
        span(
            2,
            call('[{"role":"system","content":"s"},{"role":"user","content":"Where is Paris?"}]', "In France."),
            parent=1,
            at=0.1,
        ),
        span(3, call("Plan a trip.", "By train."), trace=2),
        span(4, kind("TOOL"), parent=3, trace=2),
        span(5, call("Shorten this text: ...", "..."), parent=4, trace=2),
    ]
    cases, _, others, _ = read_lines(tmp_path, batch(*spans))
    assert [case.user for case in cases] == ["Where is Paris?", "Plan a trip.", "Shorten this text: ..."]
    assert cases[0].system == "s"
    assert others == {"calls that wrap another logged call": 1, "tool spans": 1}


def test_of_a_call_without_content_below_one_with_content_the_latter_counts(tmp_path: Path) -> None:
    spans = [span(1, call("Where?", "Here.")), span(2, {"gen_ai.operation.name": "chat"}, parent=1)]
    (case,), rejected, others, _ = read_lines(tmp_path, batch(*spans))
    assert not rejected
    assert case.target == "Here."
    assert others == {"calls whose content stands in another record": 1}


@pytest.mark.parametrize("judge", [kind("EVALUATOR"), {}])
def test_what_a_judge_asks_is_no_question(tmp_path: Path, judge: dict[str, Any]) -> None:
    spans = [
        span(1, call("Where?", "Here.")),
        span(2, judge, name="run" if judge else "AnswerEvaluator", trace=2),
        span(3, call("Is 'Here.' right?", "yes"), parent=2, trace=2),
        span(4, call("Is 'Here.' right?", "yes"), name="llm_judge relevance", trace=3),
    ]
    cases, rejected, others, _ = read_lines(tmp_path, batch(*spans))
    assert [case.user for case in cases] == ["Where?"]
    assert not rejected
    assert others == {"evaluator spans": 2, "calls of evaluators": 1}


def test_documents_go_to_the_calls_after_the_retrieval_below_the_same_parent(tmp_path: Path) -> None:
    spans = [
        span(1, kind("CHAIN"), seconds=20),
        span(2, kind("CHAIN"), parent=1),
        span(3, call("Rewrite: capital?", "capital of France"), parent=2, at=1),
        span(4, retriever("Paris is the capital.", "Lyon is a city."), parent=2, at=3),
        span(5, call("capital of France?", "Paris"), parent=2, at=5),
        span(6, kind("CHAIN"), parent=1, at=10),
        span(7, call("Thanks!", "Welcome."), parent=6, at=11),
    ]
    cases, *_ = read_lines(tmp_path, batch(*spans))
    assert [len(case.documents) for case in cases] == [0, 2, 0]
    assert cases[1].documents[0] == Document("Paris is the capital.")


def test_documents_go_to_the_calls_that_quote_them_and_a_reranker_orders_them(tmp_path: Path) -> None:
    reranker = kind(
        "RERANKER",
        **{
            "reranker.output_documents.0.document.content": "Paris is the capital.",
            "reranker.output_documents.0.document.score": 0.9,
        },
    )
    spans = [
        span(1, kind("CHAIN"), seconds=20),
        span(2, retriever("Lyon is a city.", "Paris is the capital."), parent=1, at=1),
        span(3, reranker, parent=1, at=2),
        span(4, call("Use: Paris is the capital. Question: capital?", "Paris"), parent=1, at=3),
        span(5, call("Write a title.", "Capitals"), parent=1, at=4),
    ]
    answered, title = read_lines(tmp_path, batch(*spans))[0]
    assert answered.documents == (Document("Paris is the capital.", score=0.9),)
    assert not title.documents


def test_documents_of_a_vector_store_and_of_the_genai_convention(tmp_path: Path) -> None:
    store = [
        (
            "db.query.result",
            {"db.query.result.id": "d1", "db.query.result.score": 0.5, "db.query.result.document": "Paris."},
        )
    ]
    genai = {
        "gen_ai.operation.name": "retrieval",
        "gen_ai.retrieval.documents": '[{"id": "d2", "score": 0.9, "content": "Lyon."}]',
    }
    spans = [
        span(1, kind("CHAIN")),
        span(2, {}, parent=1, events=store),
        span(3, genai, parent=1),
        span(4, call("Where?", "Here."), parent=1, at=1),
    ]
    (case,), *_ = read_lines(tmp_path, batch(*spans))
    assert case.documents == (Document("Paris.", "d1", 0.5), Document("Lyon.", "d2", 0.9))


def test_feedback_on_a_span_goes_to_the_answer_that_the_user_saw(tmp_path: Path) -> None:
    said = [{"role": "assistant", "content": "It rains."}]
    spans = [
        span(
            1,
            {
                "gen_ai.operation.name": "invoke_agent",
                "gen_ai.output.messages": json.dumps(said),
                "session.id": "s",
                "user.id": "u",
            },
            seconds=9,
        ),
        span(2, call("Weather?", '{"look": 1}'), parent=1, at=1),
        span(3, call("Weather?", "It rains."), parent=1, at=3),
        span(4, call("Write a title.", "Rain"), parent=1, at=5),
    ]
    event = log(
        "gen_ai.evaluation.result",
        "",
        id_=1,
        **evaluation("thumbs down", **{"gen_ai.evaluation.explanation": "wrong town"}),
    )
    cases, _, others, _ = read_lines(tmp_path, batch(*spans), logs(event))
    assert {case.target: case.feedback and (case.feedback.thumb, case.feedback.comment) for case in cases} == {
        '{"look": 1}': None,
        "It rains.": ("down", "wrong town"),
        "Rain": None,
    }
    assert len({case.session for case in cases}) == 1
    assert all(case.user_id for case in cases)
    assert others == {"agent spans": 1, "evaluations": 1}


def test_feedback_on_a_trace_goes_to_its_last_answer_and_on_no_call_is_named(tmp_path: Path) -> None:
    spans = [
        span(1, call("a?", "A"), at=1),
        span(2, call("b?", "B"), at=2),
        span(3, retriever("x", **{"session.id": "s"}), trace=9),
    ]
    events = [
        log("gen_ai.evaluation.result", "", **evaluation("up")),
        log("gen_ai.evaluation.result", "", id_=3, trace=9, **evaluation("up")),
    ]
    cases, _, others, _ = read_lines(tmp_path, batch(*spans), logs(*events))
    assert {case.target: case.feedback and case.feedback.thumb for case in cases} == {"A": None, "B": "up"}
    assert others["evaluations whose call is not in the logs"] == 1
    assert others["retriever spans whose call is not in the logs"] == 1


def test_evaluations_of_programs_are_metadata(tmp_path: Path) -> None:
    event = (
        "gen_ai.evaluation.result",
        {
            "gen_ai.evaluation.name": "Relevance",
            "gen_ai.evaluation.score.value": 0.4,
            "gen_ai.evaluation.score.label": "fail",
        },
    )
    (case,), *_ = read_lines(tmp_path, batch(span(1, call("a?", "A"), events=[event])))
    assert case.feedback is None
    assert case.metadata["Relevance"] == 0.4
    assert case.metadata["Relevance label"] == "fail"


def test_a_span_that_was_exported_twice_counts_once(tmp_path: Path) -> None:
    whole, early = span(1, call("a?", "A")), span(1, call("a?", None))
    for lines in ([batch(whole), batch(early), batch(whole)], [batch(early), batch(whole, whole)]):
        (case,), _, others, _ = read_lines(tmp_path, *lines)
        assert case.target == "A"
        assert sum(others.values()) == 2


def test_ids_that_repeat_in_other_traces_are_other_spans(tmp_path: Path) -> None:
    spans = [
        span(1, kind("EVALUATOR"), trace=1),
        span(1, kind("CHAIN"), trace=2),
        span(2, call("a?", "A"), parent=1, trace=2),
    ]
    (case,), *_ = read_lines(tmp_path, batch(*spans))
    assert case.target == "A"


def test_spans_that_are_their_own_ancestors_end(tmp_path: Path) -> None:
    spans = [span(1, call("a?", "A"), parent=2), span(2, kind("CHAIN"), parent=1), span(3, retriever("x"), parent=3)]
    assert len(read_lines(tmp_path, batch(*spans))[0]) == 1


def test_a_failed_call_is_a_case_without_an_answer(tmp_path: Path) -> None:
    failed = span(1, call("a?", None), failed=True, events=[("exception", {"exception.message": "rate limit"})])
    answered = span(2, call("b?", "B"), failed=True)
    first, second = read_lines(tmp_path, batch(failed, answered))[0]
    assert first.failed_call
    assert second.target == "B"
