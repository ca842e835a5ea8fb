"""The texts of a case: all of them as one, to search it at once, and each one changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from curator.records import Case, Document, Feedback, LoggedAnswer, Message, Scalar, ToolCall, case_id
from curator.redaction.change import Change
from curator.redaction.json_values import dumped, redacted_value


def texts_of(case: Case) -> str:
    """Return every text of a case, joined by line breaks."""
    texts: list[str | None] = [case.target, case.task, case.model, case.finish_reason, case.log_id]
    for message in case.messages:
        texts += (message.content, message.tool_call_id)
        for call in message.tool_calls:
            texts += (call.id, call.name, call.arguments)
    if case.feedback:
        texts += (case.feedback.correction, case.feedback.comment)
        texts += _scalars(case.feedback.given)
    if case.reference:
        texts += (case.reference.text, case.reference.by)
    texts += _scalars(case.metadata)
    for document in case.documents:
        texts += (document.text, document.id, *_scalars(document.metadata))
    texts += [answer.text for answer in case.answers]
    if case.options:
        texts.append(dumped(case.options))
    return "\n".join(text for text in texts if text)


def redacted_case(case: Case, change: Change) -> Case:
    """Return the case with every text changed.

    The id follows the messages. Tokens of log-probabilities spell the target, and are dropped if it changes.
    """
    messages = tuple(_message(message, change) for message in case.messages)
    target = change.optional(case.target)
    logprobs = case.target_logprobs
    options = redacted_value(dict(case.options), change)
    return replace(
        case,
        id=case.id if messages == case.messages else case_id(messages),
        messages=messages,
        target=target,
        target_logprobs=replace(logprobs, tokens=()) if logprobs and target != case.target else logprobs,
        task=change.optional(case.task),
        model=change.optional(case.model),
        finish_reason=change.optional(case.finish_reason),
        log_id=change.optional(case.log_id),
        options=options if isinstance(options, dict) else {},
        feedback=_feedback(case.feedback, change) if case.feedback else None,
        reference=replace(case.reference, text=change.text(case.reference.text), by=change.optional(case.reference.by))
        if case.reference
        else None,
        metadata=_metadata(case.metadata, change),
        documents=tuple(_document(document, change) for document in case.documents),
        answers=tuple(_answer(answer, change) for answer in case.answers),
    )


def _scalars(values: Mapping[str, Scalar]) -> list[str]:
    return [
        f'"{name}": "{value}"' if isinstance(value, str) else f'"{name}": {value}' for name, value in values.items()
    ]


def _message(message: Message, change: Change) -> Message:
    calls = tuple(
        ToolCall(change.text(c.id), change.text(c.name), change.text(c.arguments)) for c in message.tool_calls
    )
    return replace(
        message,
        content=change.text(message.content),
        tool_calls=calls,
        tool_call_id=change.optional(message.tool_call_id),
    )


def _feedback(feedback: Feedback, change: Change) -> Feedback:
    return replace(
        feedback,
        correction=change.optional(feedback.correction),
        comment=change.optional(feedback.comment),
        given=_metadata(feedback.given, change),
    )


def _document(document: Document, change: Change) -> Document:
    return replace(
        document,
        text=change.text(document.text),
        id=change.optional(document.id),
        metadata=_metadata(document.metadata, change),
    )


def _answer(answer: LoggedAnswer, change: Change) -> LoggedAnswer:
    return replace(answer, text=change.optional(answer.text))


def _metadata(values: Mapping[str, Scalar], change: Change) -> dict[str, Scalar]:
    return {change.text(name): _scalar(name, value, change) for name, value in values.items()}


def _scalar(name: str, value: Scalar, change: Change) -> Scalar:
    if isinstance(value, bool | float):
        return value
    text = str(value)
    changed = change.named(name, text)
    return value if changed == text else int(changed) if isinstance(value, int) and changed.isdecimal() else changed
