"""An exchange as a reader understood it -> cases; the rules here hold for every format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from curator.errors import RecordError
from curator.readers.messages import require_question
from curator.readers.outcome import FAILED, FILTERED, failed_text, finish_reason_of
from curator.readers.pieces import Exchange
from curator.readers.replies import Reply, answer_of, split_answer
from curator.records import Case, Message, Reference, RejectedRecord, case_id, hashed_id


def cases_of(exchange: Exchange) -> Iterator[Case | RejectedRecord]:
    """Yield the cases of an exchange, or the rejected record; a conversation has several.

    A call that failed gives a case without a target, with the finish reason "error". `target` is "" where the model's answer
    was empty, and None where there was none.
    """
    if exchange.problem is not None and not exchange.asks:
        yield exchange.problem
        return
    try:
        if exchange.conversation and exchange.reply is None:
            yield from _conversation(exchange)
        else:
            yield _case(exchange, *split_answer(exchange.messages, exchange.reply))
    except RecordError as error:
        yield RejectedRecord(exchange.source, error.reason, error.remedy)


def _conversation(exchange: Exchange) -> Iterator[Case]:
    """Yield a case for each assistant turn that answers; all but the last are `further` ones.

    What a record says of its conversation as a whole (feedback, a label, a finish reason) belongs to the last answer.
    """
    messages = exchange.messages
    first = next((i for i, message in enumerate(messages) if message.role == "user"), len(messages))
    turns = [i for i, message in enumerate(messages) if message.role == "assistant" and i > first]
    for i in turns:
        last = i == len(messages) - 1
        about = exchange if last else replace(exchange, feedback=None, reference=None, latency_s=None, cost_usd=None)
        case = _case(*_about_turn(about, i, answer_of(messages[i])))
        yield case if last else replace(case, further=True)
    if not turns or turns[-1] != len(messages) - 1:
        yield _case(exchange, messages, Reply())  # its last question has no answer


def _about_turn(exchange: Exchange, i: int, reply: Reply) -> tuple[Exchange, tuple[Message, ...], Reply]:
    """The exchange, the question and the answer of one turn."""
    turn = exchange.turns.get(i)
    if turn is not None:
        exchange = replace(
            exchange,
            log_id=turn.log_id or exchange.log_id,
            model=turn.model or exchange.model,
            time=exchange.time if turn.time is None else turn.time,
            feedback=turn.feedback or exchange.feedback,
        )
        reply = replace(reply, finish_reason=turn.finish_reason)
    return exchange, exchange.messages[:i], reply


def _case(exchange: Exchange, messages: tuple[Message, ...], reply: Reply) -> Case:
    if not messages and (reply.text is not None or reply.finish_reason):
        raise RecordError(
            "an answer without its question",
            "read the file of the requests in the same run (name both files, or their folder); they are joined by their ids",
        )
    require_question(messages)
    reply = _with_outcome(reply)
    feedback = exchange.feedback
    correction = feedback.correction if feedback else None
    return Case(
        id=case_id(messages),
        messages=messages,
        source=exchange.source,
        target=reply.text,
        task=exchange.task,
        kind="json" if reply.is_call else exchange.kind,
        model=reply.model or exchange.model,
        finish_reason=reply.finish_reason,
        options=exchange.options,
        feedback=feedback,
        reference=exchange.reference or (Reference(correction, "correction") if correction else None),
        metadata=exchange.metadata,
        log_id=exchange.log_id or reply.id,
        target_logprobs=reply.logprobs,
        documents=exchange.documents,
        session=hashed_id(exchange.session) if exchange.session else None,
        user_id=hashed_id(exchange.user) if exchange.user else None,
        time=exchange.time,
        latency_s=exchange.latency_s,
        cost_usd=exchange.cost_usd,
    )


def _with_outcome(reply: Reply) -> Reply:
    """The reply without a text where the model did not write it."""
    reason = finish_reason_of(reply.finish_reason)
    failed = reply.text is not None and reason != FILTERED and failed_text(reply.text, written=reason is not None)
    if reply.text is not None and (reason == FAILED or failed):
        return replace(reply, text=None, finish_reason=FAILED, is_call=False, logprobs=None)
    if reason == FILTERED and not (reply.text or "").strip():
        return replace(reply, text=None, finish_reason=FILTERED)
    return reply if reason == reply.finish_reason else replace(reply, finish_reason=reason)
