"""Spans of traces -> exchanges with what other records of their trace say about them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from curator.readers.pieces import Attachment, Exchange, Place
from curator.readers.trace_parts import WRAPPED, merge_records
from curator.readers.trace_tree import Node, Trees, begin_of, id_of
from curator.records import Document, Feedback, OtherRecord, normalise_space

SPEAKERS = "traces and their roots"
WRAPPERS = "calls that wrap another logged call"
JUDGE_CALLS = "calls of evaluators"


def join_traces(spans: Sequence[Node]) -> Iterator[Exchange | OtherRecord]:
    """Yield the exchanges with what belongs to them, and the other records.

    An exchange with the same one below it is that call as a framework logged it, and gives no case of its own. The calls below
    an evaluator judge answers, and give none either. A span that was exported twice counts once.
    """
    records, others = merge_records(spans)
    records = _without_speakers(records)
    trees = Trees(records)
    additions: dict[int, list[Attachment]] = defaultdict(list)
    lost: set[int] = set()
    for span in records:
        if isinstance(span, Attachment):
            targets = _targets(trees, span)
            for target in targets:
                additions[id(target)].append(span)
            reply = span.reply if span.what != SPEAKERS else None
            if not targets and (span.feedback or span.reference or span.documents or span.messages or reply):
                lost.add(id(span))
    for span in records:
        if not isinstance(span, Exchange):
            yield OtherRecord(
                span.source, f"{span.what} whose call is not in the logs" if id(span) in lost else span.what
            )
        elif trees.is_judge(span):
            yield OtherRecord(span.source, JUDGE_CALLS)
        elif trees.is_wrapper(span):
            yield OtherRecord(span.source, WRAPPERS)
        elif trees.is_wrapped(span):
            yield OtherRecord(span.source, WRAPPED)
        else:
            whole = _with_wrappers(span, trees)
            yield _with_session(_with_additions(whole, additions.get(id(span), [])), trees)
    yield from others


def _without_speakers(records: Sequence[Node]) -> list[Node]:
    """The records, with one call at most for each trace among those that speak for it.

    It has one where no other call of the trace is in the logs. The others say of the calls of their trace who asked, and what the user thought of the answer.
    """
    calls = [record for record in records if isinstance(record, Exchange) and record.asks and record.place]
    called = {call.place.trace for call in calls if call.place and not call.speaks}
    speaker: dict[str | None, Exchange] = {}
    for call in calls:
        if call.speaks and call.place and call.place.trace not in called:
            best = speaker.get(call.place.trace)
            if best is None or (best.reply is None and call.reply is not None):
                speaker[call.place.trace] = call
    spoken = called | speaker.keys()
    return [
        _about_trace(record)
        if isinstance(record, Exchange)
        and record.speaks
        and record.place
        and record.place.trace in spoken
        and speaker.get(record.place.trace) is not record
        else record
        for record in records
    ]


def _about_trace(speaker: Exchange) -> Attachment:
    place = speaker.place or Place()
    return Attachment(
        source=speaker.source,
        place=place if place.span != place.trace else Place(place.trace),
        what=SPEAKERS,
        reply=speaker.reply,
        feedback=speaker.feedback,
        reference=speaker.reference,
        session=speaker.session,
        user=speaker.user,
        task=speaker.task,
        metadata=speaker.metadata,
    )


def _targets(trees: Trees, addition: Attachment) -> list[Exchange]:
    """The exchanges that an attachment belongs to."""
    place = addition.place
    about = trees.id_near(place, place.span or place.parent)
    if addition.documents:
        return _with_documents(_after(trees, addition), addition.documents)
    below = trees.below(about) if about else []
    if about is None or about not in trees:
        below = trees.of_trace(place.trace) if place.trace else []
        if not below and not place.trace and not about and addition.session:
            below = trees.of_session(addition.session)
    if addition.feedback or addition.reference:
        return _answering(below, trees.answer(about, place.trace))
    return below


def _after(trees: Trees, addition: Attachment) -> list[Exchange]:
    """The exchanges after a retrieval, below the nearest span above it that has such."""
    place = addition.place
    for above in trees.ancestors(trees.id_near(place, place.parent)):
        if later := [exchange for exchange in trees.below(above) if _began_after(exchange, addition)]:
            return later
    of_trace = trees.of_trace(place.trace) if place.trace else []
    return [exchange for exchange in of_trace if _began_after(exchange, addition)]


def _began_after(exchange: Exchange, addition: Attachment) -> bool:
    return addition.place.time is None or begin_of(exchange) >= addition.place.time


def _with_documents(exchanges: list[Exchange], documents: Sequence[Document]) -> list[Exchange]:
    """The exchanges whose prompt has the text of a document; all where none has.

    A prompt may show documents in another form.
    """
    if len(exchanges) < 2:
        return exchanges
    probes = [probe for document in documents if (probe := normalise_space(document.text)[:80])]
    prompts = [normalise_space(" ".join(message.content for message in exchange.messages)) for exchange in exchanges]
    quoting = [
        exchange
        for exchange, prompt in zip(exchanges, prompts, strict=True)
        if any(probe in prompt for probe in probes)
    ]
    return quoting or exchanges


def _answering(exchanges: list[Exchange], answer: str | None) -> list[Exchange]:
    """The exchange with the answer that the output of the span has, else the last with a text."""
    texts = [_answer_text(exchange) for exchange in exchanges]
    if answer:
        shown = normalise_space(answer)
        for exchange, text in zip(reversed(exchanges), reversed(texts), strict=True):
            if text and text in shown:
                return [exchange]
    with_text = [exchange for exchange, text in zip(exchanges, texts, strict=True) if text]
    return (with_text or exchanges)[-1:]


def _answer_text(exchange: Exchange) -> str:
    reply = exchange.reply
    return normalise_space(reply.text) if reply and reply.text and not reply.is_call else ""


def _with_wrappers(exchange: Exchange, trees: Trees) -> Exchange:
    """The exchange with what its wrappers say; their feedback belongs to the last one below."""
    for above in trees.wrappers(exchange):
        exchange = replace(
            exchange,
            session=exchange.session or above.session,
            user=exchange.user or above.user,
            task=exchange.task or above.task,
            kind=exchange.kind or above.kind,
            options={**above.options, **exchange.options},
            documents=exchange.documents or above.documents,
            metadata={**above.metadata, **exchange.metadata},
        )
        if above.feedback or above.reference:
            below = trees.below(id_of(above.place)) if above.place else []
            text = above.reply.text if above.reply else None
            if any(chosen.place == exchange.place for chosen in _answering(below, text)):
                exchange = replace(
                    exchange,
                    feedback=joined_feedback(above.feedback, exchange.feedback),
                    reference=exchange.reference or above.reference,
                )
    return exchange


def _with_additions(exchange: Exchange, additions: Sequence[Attachment]) -> Exchange:
    if not additions:
        return exchange
    metadata = dict(exchange.metadata)
    feedback, reference = exchange.feedback, exchange.reference
    session, user, task = exchange.session, exchange.user, exchange.task
    for addition in additions:
        feedback = joined_feedback(feedback, addition.feedback)
        reference = addition.reference or reference
        session, user, task = session or addition.session, user or addition.user, task or addition.task
        metadata = {**addition.metadata, **metadata}
    return replace(
        exchange,
        documents=_documents(exchange, additions),
        feedback=feedback,
        reference=reference,
        session=session,
        user=user,
        task=task,
        metadata=metadata,
    )


def _documents(exchange: Exchange, additions: Sequence[Attachment]) -> tuple[Document, ...]:
    """The documents of all retrievals; one that only ranks those of earlier ones replaces them."""
    retrievals = [addition for addition in additions if addition.documents]
    retrievals.sort(key=lambda addition: addition.place.time or 0.0)
    documents: dict[str, Document] = {document.text: document for document in exchange.documents}
    for retrieval in retrievals:
        texts = {document.text: document for document in retrieval.documents}
        documents = texts if texts.keys() <= documents.keys() else {**documents, **texts}
    return tuple(documents.values())


def _with_session(exchange: Exchange, trees: Trees) -> Exchange:
    """The exchange with the session and the user that the spans above it name."""
    if exchange.session and exchange.user:
        return exchange
    session, user = trees.session_of(exchange)
    return replace(exchange, session=exchange.session or session, user=exchange.user or user)


def joined_feedback(first: Feedback | None, second: Feedback | None) -> Feedback | None:
    """Two feedbacks on one answer as one; of what both say the second counts."""
    if first is None or second is None:
        return first or second
    return replace(
        first,
        thumb=second.thumb or first.thumb,
        correction=second.correction or first.correction,
        comment="\n".join(dict.fromkeys(filter(None, (first.comment, second.comment)))) or None,
        rating=first.rating if second.rating is None else second.rating,
        given={**first.given, **second.given},
    )
