"""Make the example logs: answers of the local model to `inputs/`, as a gateway logs them.

    python examples/make_logs.py --out examples/logs

Everything except the model's answers depends only on the inputs and the seed: duplicates, times, channels, feedback, damaged
lines. Requests are made one after the other, task by task, so that the answers are the same each time on one machine;
other processors may round differently, and then a few answers differ.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import yaml

from curator.committee.providers.local import LOCAL_MODEL, local_identity, open_local
from curator.committee.requests import ModelReply, ModelRequest
from curator.config import ModelConfig
from curator.records import Message

HERE = Path(__file__).resolve().parent
TASKS = ("route", "extract", "faq", "reply")
CHANNELS = ("chat", "chat", "chat", "app", "app", "email", "form")
Truth = str | list[str | None] | None
"""A label, a short answer or a reply; for `extract` the order number and the item; None where none was written."""
SEED = 20261001
DAYS = (datetime(2026, 10, 1, 7, tzinfo=UTC), datetime(2026, 10, 2, 7, tzinfo=UTC))
OPEN_S = 13 * 3600


@dataclass(frozen=True, slots=True)
class Question:
    """One request to log: its hand-written input (`spec`), its messages, and the right answer."""

    task: Mapping[str, Any]
    spec: Mapping[str, Any]
    messages: tuple[Message, ...]
    truth: Truth
    seed: int


@dataclass(frozen=True, slots=True)
class Logged:
    """A question with its answer, and whether the answer is right; None if it cannot be judged."""

    question: Question
    reply: ModelReply
    right: bool | None


def main() -> None:
    """Parse the arguments, ask, write, and print how often the model was right."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=HERE / "logs", help="the folder to write to")
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    questions = load_questions(HERE / "inputs", seed=arguments.seed)
    logged = asyncio.run(ask(questions, _load(HERE / "inputs" / "verdicts.yaml")))
    records = as_records(logged, _load(HERE / "inputs" / "feedback.yaml"), seed=arguments.seed)
    write(records, arguments.out)
    for line in measured(logged):
        print(line)


def load_questions(folder: Path, *, seed: int) -> list[Question]:
    """Every input of every task, each followed by its repetitions."""
    questions: list[Question] = []
    for name in TASKS:
        task = _load(folder / f"{name}.yaml")
        for spec in task["cases"]:
            turns = spec.get("turns", [spec.get("ask")])
            for change in ("as it is", *spec.get("again", ())):
                number = len(questions)
                text = vary(turns[-1], change, random.Random(f"{seed} {number}"))
                questions.append(
                    Question(
                        task,
                        spec,
                        messages=_messages(task, [*turns[:-1], text], rule=spec.get("rule", "")),
                        truth=_truth(spec, turns[-1], text if change == "order" else turns[-1]),
                        seed=(seed + number) % 2**31,
                    )
                )
    return questions


def vary(text: str, change: str, draw: random.Random) -> str:
    """Return the text as another customer would have typed it.

    Raises:
        ValueError: the change is unknown.
    """
    if change not in CHANGES:
        raise ValueError(f"unknown change {change!r}, known are {', '.join(CHANGES)}")
    return CHANGES[change](text, draw)


async def ask(questions: Sequence[Question], verdicts: Mapping[str, Sequence[str]]) -> list[Logged]:
    """Return the answers of the local model, asked one after the other."""
    async with open_local(ModelConfig(name="local", provider="local")) as client:
        return [_judged(question, await client.complete(_request(question)), verdicts) for question in questions]


def is_right(task: str, spec: Mapping[str, Any], truth: Truth, text: str) -> bool | None:
    """Return whether an answer is right by its input file; None if it cannot be judged."""
    if truth is None:
        return None
    if task == "route":
        return text.strip().strip(".").lower() == truth
    if task == "extract":
        return _extracted(text) == [_plain(part) for part in truth]
    # A blank at both ends lets a key such as "not " ask for a whole word.
    words = f" {text.lower()} "
    return any(key in words for key in spec["keys"]) and not any(key in words for key in spec.get("wrong", ()))


def as_records(logged: Sequence[Logged], feedback: Mapping[str, Any], *, seed: int) -> list[dict[str, Any]]:
    """Return the log records in order of time, spread over the days."""
    draw = random.Random(f"{seed} traffic")
    offsets = sorted(draw.sample(range(len(DAYS) * OPEN_S), len(logged)))
    times = [DAYS[offset // OPEN_S] + timedelta(seconds=offset % OPEN_S) for offset in offsets]
    order = draw.sample(range(len(logged)), len(logged))
    return [_record(logged[index], time, feedback, draw) for index, time in zip(order, times, strict=True)]


def write(records: Sequence[Mapping[str, Any]], folder: Path) -> None:
    """Write one file a day, the last one compressed, with damaged lines in between."""
    folder.mkdir(parents=True, exist_ok=True)
    for day in DAYS:
        date = f"{day:%Y-%m-%d}"
        lines = [orjson.dumps(record) for record in records if record["timestamp"].startswith(date)]
        for position, line in _damaged(lines)[day == DAYS[-1]]:
            lines.insert(position, line)
        data = b"".join(line + b"\n" for line in lines)
        if day == DAYS[-1]:
            (folder / f"{date}.jsonl.gz").write_bytes(gzip.compress(data, mtime=0))
        else:
            (folder / f"{date}.jsonl").write_bytes(data)


def measured(logged: Sequence[Logged]) -> list[str]:
    """Return a line a task: right answers, answers cut off, and tokens."""
    lines = []
    for name in TASKS:
        entries = [entry for entry in logged if entry.question.task["task"] == name]
        judged = [entry.right for entry in entries if entry.right is not None]
        cut = sum(entry.reply.finish_reason == "length" for entry in entries)
        tokens = [entry.reply.usage for entry in entries if entry.reply.usage]
        lines.append(
            f"{name}: {len(entries)} records, {sum(judged)} of {len(judged)} judged are right, "
            f"{cut} cut off, {sum(u.input_tokens for u in tokens)} tokens in, "
            f"{sum(u.output_tokens for u in tokens)} out"
        )
    return lines


def _load(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def _messages(task: Mapping[str, Any], texts: Sequence[str], *, rule: str) -> tuple[Message, ...]:
    """Return the system prompt, the examples as earlier turns, then the texts in turns."""
    *earlier, last = texts
    shots = [turn for shot in task.get("shots", ()) for turn in shot]
    turns = [*shots, *earlier, task.get("user", "{ask}").format(ask=last, rule=rule)]
    spoken = (Message("assistant" if i % 2 else "user", content) for i, content in enumerate(turns))
    return (Message("system", task["system"]), *spoken)


def _truth(spec: Mapping[str, Any], original: str, text: str) -> Truth:
    """Return the right answer; the order number is read from `text`, which has other digits."""
    truth: Truth = spec.get("truth")
    if isinstance(truth, list) and truth[0]:
        start = original.index(truth[0])
        return [text[start : start + len(truth[0])], truth[1]]
    return truth


def _typo(text: str, draw: random.Random) -> str:
    """The text with two neighbouring letters of one of its words swapped."""
    words = text.split(" ")
    at = draw.choice([i for i, word in enumerate(words) if len(word) > 3 and word.isalpha()])
    k = draw.randrange(1, len(words[at]) - 1)
    words[at] = words[at][:k] + words[at][k + 1] + words[at][k] + words[at][k + 2 :]
    return " ".join(words)


def _hello(text: str, draw: random.Random) -> str:
    start = text if text.startswith("I ") or text[:2].isupper() else text[0].lower() + text[1:]
    return draw.choice(("Hi, ", "Hello, ", "Good morning, ", "Hey there, ")) + start


def _thanks(text: str, draw: random.Random) -> str:
    return text + draw.choice((" Thanks!", " Thank you.", " Many thanks", " Kind regards"))


def _other_order(text: str, draw: random.Random) -> str:
    return "".join(str(draw.randrange(1, 10)) if c.isdigit() else c for c in text)


CHANGES: Mapping[str, Callable[[str, random.Random], str]] = {
    "as it is": lambda text, _: text,
    "same": lambda text, _: text,
    "lower": lambda text, _: text.lower(),
    "shout": lambda text, _: text.upper(),
    "bare": lambda text, _: text.lower().translate(str.maketrans("", "", ".,?!")),
    "hello": _hello,
    "thanks": _thanks,
    "typo": _typo,
    "order": _other_order,
}


def _request(question: Question) -> ModelRequest:
    return ModelRequest(
        endpoint=local_identity(),
        model=LOCAL_MODEL,
        messages=question.messages,
        temperature=question.task["temperature"],
        max_tokens=question.task["max_tokens"],
        seed=question.seed,
    )


def _judged(question: Question, reply: ModelReply, verdicts: Mapping[str, Sequence[str]]) -> Logged:
    """Return the answer, judged; a reply is judged only if a person has read this very text."""
    name = question.task["task"]
    if name != "reply":
        right = is_right(name, question.spec, question.truth, reply.text)
    else:
        right = reply.text in verdicts["helpful"] or (False if reply.text in verdicts["unhelpful"] else None)
    return Logged(question, reply, right)


def _extracted(text: str) -> list[str] | None:
    """Return the order number and the item of an answer in JSON; None for another answer."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return [_plain(value.get("order")), _plain(value.get("item"))] if isinstance(value, dict) else None


def _plain(value: object) -> str:
    """Return a value for comparison: lower case, without article and plural."""
    text = "" if value is None else str(value).lower().strip()
    return text.removeprefix("the ").removesuffix("s")


def _record(logged: Logged, time: datetime, feedback: Mapping[str, Any], draw: random.Random) -> dict[str, Any]:
    question, reply = logged.question, logged.reply
    request = _request(question)
    name = hashlib.sha256(f"{request.key} {time}".encode()).hexdigest()[:16]
    record: dict[str, Any] = {
        "id": f"req_{name}",
        "timestamp": time.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "request": request.body(),
        "response": _response(name, reply, time),
        "metadata": {
            "task": question.task["task"],
            "channel": "chat" if "turns" in question.spec else draw.choice(CHANNELS),
            "app_version": draw.choice(("3.8.1", "3.9.0") if time.day == DAYS[0].day else ("3.9.0", "3.9.1")),
        },
    }
    if verdict := _feedback(logged, feedback, draw):
        record["feedback"] = verdict
    return record


def _response(name: str, reply: ModelReply, time: datetime) -> dict[str, Any]:
    usage = reply.usage
    answer = {"role": "assistant", "content": reply.text}
    return {
        "id": f"chatcmpl-{name}",
        "object": "chat.completion",
        "created": int(time.timestamp()),
        "model": LOCAL_MODEL,
        "choices": [{"index": 0, "message": answer, "finish_reason": reply.finish_reason}],
        "usage": usage
        and {
            "prompt_tokens": usage.input_tokens,
            "completion_tokens": usage.output_tokens,
            "total_tokens": usage.input_tokens + usage.output_tokens,
        },
    }


def _feedback(logged: Logged, feedback: Mapping[str, Any], draw: random.Random) -> dict[str, str] | None:
    """Return the feedback of the user, which always fits the answer; None without feedback."""
    shares = feedback["shares"]
    heard, corrects, comments = draw.random(), draw.random(), draw.random()
    if logged.right is None or heard >= shares["right" if logged.right else "wrong"]:
        return None
    thumb = "up" if logged.right else "down"
    verdict = {"thumb": thumb}
    truth = logged.question.truth
    if not logged.right and truth is not None and corrects < shares["corrected"]:
        verdict["correction"] = _json(truth) if isinstance(truth, list) else truth
    if comments < shares["commented"]:
        verdict["comment"] = draw.choice(feedback["comments"][thumb])
    return verdict


def _json(truth: Sequence[str | None]) -> str:
    """Return the extracted values in the form of the examples of the task."""
    order, item = (orjson.dumps(part).decode() for part in truth)
    return f'{{"order": {order}, "item": {item}}}'


def _damaged(lines: Sequence[bytes]) -> tuple[list[tuple[int, bytes]], list[tuple[int, bytes]]]:
    """Return the damaged lines of the first and of the last day, as (position, line)."""
    invalid = lines[7].replace(b'"content":"', b'"content":"\xff\xfe', 1)
    no_messages = {"id": "req_0", "request": {"model": LOCAL_MODEL}, "response": {}, "metadata": {"task": "route"}}
    failed = {
        "id": "req_1",
        "request": {"model": LOCAL_MODEL, "messages": []},
        "response": {"error": {"message": "upstream timed out", "code": 504}},
    }
    first = [
        (23, lines[23][: len(lines[23]) // 2]),
        (61, invalid),
        (104, b"gateway: log rotated, 0 records lost"),
    ]
    last = [(18, b"null"), (77, orjson.dumps(no_messages)), (120, orjson.dumps(failed))]
    return first, last


if __name__ == "__main__":
    main()
