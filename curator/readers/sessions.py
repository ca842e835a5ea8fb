"""The turns of one conversation, each from a record of its own -> cases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from curator.readers.exchange import cases_of
from curator.readers.outcome import FAILED, failed_text
from curator.readers.pieces import Reading, Turn
from curator.readers.replies import Reply, answer_of
from curator.readers.traces import joined_feedback
from curator.readers.turns import continued
from curator.records import Message, OtherRecord, RejectedRecord

UNANSWERED = "turns that no later answer follows"
USER_TURNS = "turns before an answer"
CONTINUED = "turns that the next turn of the same speaker continues"
EARLIER = "earlier turns of conversations"
AFTER_DAMAGE = "an answer after a turn of the conversation that cannot be read"
MOST_UNNAMED = 500
"""More turns than this in a file without a session key are not one conversation: they would be asked with each other's history."""


def join_session(turns: Sequence[Turn], *, last_only: bool = False) -> Iterator[Reading]:
    """Yield the outcome of each turn: assistant turns answer the turns before them.

    Assistant turns that follow each other are one answer. With `last_only` earlier answers give no case.
    """
    if turns[0].session is None and len(turns) > MOST_UNNAMED:
        yield from (_unnamed(turn) for turn in turns)
        return
    if any(turn.exchange.place and turn.exchange.place.parent for turn in turns):
        paths, without = _tree_paths(turns)
    else:
        paths, without = _linear_paths(turns)
    yield from (_without_answer(turn, what) for turn, what in without)
    final = {id(path[-1]) for path in _longest(paths)} if last_only else set()
    for path in paths:
        if (damaged := next((turn for turn in path if turn.problem), None)) is not None:
            yield RejectedRecord(
                path[-1].source, f"{AFTER_DAMAGE} ({damaged.source})", "repair the earlier turn, or leave it"
            )
        elif last_only and id(path[-1]) not in final:
            yield OtherRecord(path[-1].source, EARLIER)
        else:
            yield from _answered(path)


def _without_answer(turn: Turn, what: str) -> Reading:
    """The outcome of a turn that gives no case; a problem of the turn comes first."""
    if turn.problem is not None:
        return RejectedRecord(turn.source, turn.problem.reason, turn.problem.remedy)
    return OtherRecord(turn.source, turn.skipped or what)


def merged_messages(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The messages, those of the assistant that follow each other as one message."""
    merged: list[Message] = []
    for message in messages:
        if message.role == "assistant" and merged and merged[-1].role == "assistant":
            merged[-1] = continued(merged[-1], message)
        else:
            merged.append(message)
    return tuple(merged)


def _linear_paths(turns: Sequence[Turn]) -> tuple[list[list[Turn]], list[tuple[Turn, str]]]:
    """For each answer the turns up to it, and the turns without an answer of their own."""
    ordered = list(turns)
    if all(turn.order is not None for turn in ordered):
        ordered.sort(key=lambda turn: turn.order or 0.0)
    paths: list[list[Turn]] = []
    without: list[tuple[Turn, str]] = []
    so_far: list[Turn] = []
    waiting: list[Turn] = []
    for turn, following in zip(ordered, [*ordered[1:], None], strict=True):
        if turn.skipped:
            without.append((turn, turn.skipped))
            continue
        if turn.begins or (
            turn.session is None and turn.message.role == "system" and any(_is_answer(earlier) for earlier in so_far)
        ):
            so_far = []
        so_far.append(turn)
        if not _is_answer(turn) or not _asked(so_far):
            waiting.append(turn)
        elif following is not None and _is_answer(following) and not following.before:
            without.append((turn, CONTINUED))
        else:
            without += [(earlier, USER_TURNS) for earlier in waiting]
            waiting = []
            paths.append(so_far[:])
    return paths, without + [(turn, UNANSWERED) for turn in waiting]


def _tree_paths(turns: Sequence[Turn]) -> tuple[list[list[Turn]], list[tuple[Turn, str]]]:
    """The same where each turn names the one before it; a turn logged twice counts once."""
    by_id: dict[str, Turn] = {}
    children: dict[str, list[Turn]] = defaultdict(list)
    without: list[tuple[Turn, str]] = []
    for turn in turns:
        place = turn.exchange.place
        if place is None or place.span is None or place.span in by_id:
            without.append((turn, "records that were logged twice" if place and place.span else UNANSWERED))
            continue
        by_id[place.span] = turn
        if place.parent:
            children[place.parent].append(turn)
    results = _results(turns)
    paths: list[list[Turn]] = []
    used: set[str] = set()
    others: list[tuple[str, Turn]] = []
    for id_, turn in by_id.items():
        path = _path_to(id_, by_id)
        if not _is_answer(turn) or not _asked(path):
            others.append((id_, turn))
        elif _continues(id_, children):
            without.append((turn, CONTINUED))
        else:
            paths.append(_with_results(path, results))
            used |= {step.exchange.place.span or "" for step in paths[-1] if step.exchange.place}
    without += [(turn, USER_TURNS if id_ in used else UNANSWERED) for id_, turn in others]
    return paths, without


def _continues(id_: str, children: Mapping[str, Sequence[Turn]]) -> bool:
    """Return whether the next turn, past links without a message, is of the assistant."""
    waiting = list(children.get(id_, ()))
    while waiting:
        child = waiting.pop()
        if _is_answer(child):
            return True
        place = child.exchange.place
        if child.skipped and place and place.span:
            waiting += children.get(place.span, ())
    return False


def _path_to(id_: str, by_id: dict[str, Turn]) -> list[Turn]:
    path: list[Turn] = []
    seen: set[str] = set()
    step: str | None = id_
    while step is not None and step in by_id and step not in seen:
        seen.add(step)
        turn = by_id[step]
        path.append(turn)
        step = turn.exchange.place.parent if turn.exchange.place else None
    return [turn for turn in reversed(path) if not turn.skipped]


def _results(turns: Sequence[Turn]) -> dict[str, Turn]:
    """The turns with results of tools, by the ids of their calls."""
    return {
        message.tool_call_id: turn
        for turn in turns
        for message in (*turn.before, turn.message)
        if message.role == "tool" and message.tool_call_id
    }


def _with_results(path: list[Turn], results: dict[str, Turn]) -> list[Turn]:
    """The path with the results of parallel calls, which are on branches beside it."""
    present = {id(turn) for turn in path}
    whole: list[Turn] = []
    open_calls: list[str] = []
    for turn in path:
        if open_calls and not _is_answer(turn):
            for call in open_calls:
                result = results.get(call)
                if result is not None and id(result) not in present:
                    present.add(id(result))
                    whole.append(result)
            open_calls = []
        whole.append(turn)
        open_calls += [call.id for call in turn.message.tool_calls]
    return whole


def _is_answer(turn: Turn) -> bool:
    return turn.message.role == "assistant" and not turn.skipped and not turn.problem


def _asked(path: Sequence[Turn]) -> bool:
    return any(message.role == "user" for turn in path for message in (*turn.before, turn.message))


def _longest(paths: Sequence[list[Turn]]) -> Iterator[list[Turn]]:
    """The paths that are not the beginning of another one."""
    inner = {id(turn) for path in paths for turn in path[:-1]}
    return (path for path in paths if id(path[-1]) not in inner)


def _answered(path: Sequence[Turn]) -> Iterator[Reading]:
    """The case of the answer at the end of a path; the answer may be several turns."""
    start = len(path) - 1
    while start > 0 and _is_answer(path[start - 1]) and not path[start].before:
        start -= 1
    answer = merged_messages([turn.message for turn in path[start:]])[-1]
    asked = [message for turn in path[:start] for message in (*turn.before, turn.message) if _was_said(turn, message)]
    exchange = path[-1].exchange
    for turn in path[start:-1]:
        exchange = replace(exchange, feedback=joined_feedback(turn.exchange.feedback, exchange.feedback))
    messages = merged_messages([*asked, *path[start].before])
    yield from cases_of(replace(exchange, messages=messages, reply=_reply(answer, exchange.reply)))


def _was_said(turn: Turn, message: Message) -> bool:
    """Return whether a message is a part of the history: the answer of a failed call is not."""
    if message is not turn.message or message.role != "assistant":
        return True
    failed = turn.exchange.reply is not None and turn.exchange.reply.finish_reason == FAILED
    failed = failed or (not message.tool_calls and failed_text(message.content) is not None)
    return not failed and bool(message.content.strip() or message.tool_calls)


def _reply(message: Message, logged: Reply | None) -> Reply:
    """The answer of a turn with what its record says about it; a failed call has none."""
    reply = answer_of(message)
    if logged is None:
        return reply
    if logged.finish_reason == FAILED or logged.text is not None or not (message.content or message.tool_calls):
        return logged
    return replace(reply, finish_reason=logged.finish_reason or reply.finish_reason, model=logged.model, id=logged.id)


def _unnamed(turn: Turn) -> RejectedRecord:
    return RejectedRecord(
        turn.source,
        "a turn of a conversation that has no id of its conversation",
        "name the key that all turns of a conversation share with `logs: {mapping: {session: ...}}`, beside `input` and "
        "`role`; a log without one cannot be taken apart, unless each file is one conversation",
    )
