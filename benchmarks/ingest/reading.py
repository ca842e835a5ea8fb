"""Speed and memory of reading logs to redacted cases, by format, beside a loop that only parses the same lines as JSON.

    python -m benchmarks.ingest.reading [--records 20000] [--repeats 3] [--formats chat litellm ...] [--processes 1 2] [--memory]

Every file holds made-up records of about 1 KB, without secrets. `ratio` is the time of `for line in open(path, "rb"): orjson.loads(line)`
divided by the time to read and redact the file: 1 is as fast. Times are the best of the repeats, taken in turn in one process. The start of
worker processes counts. Memory is the peak of a fresh process that reads the file, and one that reads ten times the records, workers not included.
"""

from __future__ import annotations

import argparse
import csv
import io
import multiprocessing
import random
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from benchmarks.ingest.timing import bare_records, best
from curator.config import FieldMapping, LogsConfig
from curator.config.redaction import RedactionConfig
from curator.readers.read import read
from curator.records import Case
from curator.redaction.redactor import Redacted, Redactor

WORDS = ("invoice", "parcel", "refund", "label", "d\u00e9livery", "size", "order", "late", "twice", "broken", "please")
MAPPING = FieldMapping(input="question", target="answer", id="ticket", system="context", model="engine")


def texts(seed: int) -> tuple[str, str, str]:
    """Make a system prompt, a question and an answer, about 650 characters together."""
    draw = random.Random(seed)
    system, question, answer = (" ".join(draw.choice(WORDS) for _ in range(words)) for words in (40, 30, 30))
    return system, f"{question} {seed}", answer


def messages(n: int) -> list[dict[str, str]]:
    system, question, _ = texts(n)
    return [{"role": "system", "content": system}, {"role": "user", "content": question}]


def completion(n: int) -> dict[str, Any]:
    return {
        "id": f"c-{n}",
        "object": "chat.completion",
        "model": "m-1",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": texts(n)[2]}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 90, "completion_tokens": 40, "total_tokens": 130},
    }


def chat(n: int) -> dict[str, Any]:
    request = {"model": "m", "messages": messages(n), "temperature": 0.2, "max_tokens": 200}
    return {"id": f"r{n}", "request": request, "response": completion(n), "metadata": {"tenant": "eu", "attempt": 1}}


def mapped(n: int) -> dict[str, Any]:
    system, question, answer = texts(n)
    return {"ticket": f"T-{n}", "context": system, "question": question, "answer": answer, "engine": "m"}


def anthropic(n: int) -> dict[str, Any]:
    system, question, answer = texts(n)
    asked = [{"role": "user", "content": [{"type": "text", "text": question}]}]
    return {
        "id": f"r{n}",
        "request": {"model": "m", "max_tokens": 200, "system": system, "messages": asked},
        "response": {
            "id": f"msg_{n}",
            "type": "message",
            "role": "assistant",
            "model": "m-1",
            "content": [{"type": "text", "text": answer}],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 90, "output_tokens": 40},
        },
    }


def otlp(n: int) -> dict[str, Any]:
    system, question, answer = texts(n)

    def parts(role: str, text: str) -> str:
        return orjson.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}]).decode()

    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "m",
        "gen_ai.system_instructions": orjson.dumps([{"type": "text", "content": system}]).decode(),
        "gen_ai.input.messages": parts("user", question),
        "gen_ai.output.messages": parts("assistant", answer),
    }
    span = {
        "traceId": f"{n:032x}",
        "spanId": f"{n:016x}",
        "name": "chat m",
        "startTimeUnixNano": str(1_770_000_000_000_000_000 + n),
        "endTimeUnixNano": str(1_770_000_001_000_000_000 + n),
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()],
    }
    return {
        "resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": [{"scope": {"name": "t"}, "spans": [span]}]}]
    }


def langfuse(n: int) -> dict[str, Any]:
    return {
        "id": f"o{n}",
        "trace_id": f"t{n}",
        "type": "GENERATION",
        "parent_observation_id": None,
        "start_time": "2026-03-02 09:00:01.000",
        "end_time": "2026-03-02 09:00:02.000",
        "level": "DEFAULT",
        "input": orjson.dumps(messages(n)).decode(),
        "output": orjson.dumps({"role": "assistant", "content": texts(n)[2]}).decode(),
        "provided_model_name": "m",
        "usage_details": {"input": 90, "output": 40},
        "total_cost": 0.0002,
        "latency": 1.0,
    }


def litellm(n: int) -> dict[str, Any]:
    return {
        "id": f"l{n}",
        "litellm_call_id": f"u{n}",
        "call_type": "acompletion",
        "status": "success",
        "startTime": 1795000000.5,
        "endTime": 1795000001.75,
        "response_cost": 0.0004,
        "model": "m",
        "messages": messages(n),
        "response": completion(n),
        "model_parameters": {"temperature": 0.1},
    }


def conversations(n: int) -> dict[str, Any]:
    system, question, answer = texts(n)
    turns = {"system": system, "human": question[:80], "gpt": answer[:80]}
    listed = [{"from": role, "value": text} for role, text in turns.items()]
    listed += [{"from": "human", "value": question[80:]}, {"from": "gpt", "value": answer[80:]}]
    return {"id": f"a{n}", "conversations": listed}


MAKERS: Mapping[str, Callable[[int], dict[str, Any]]] = {
    "chat": chat, "mapped": mapped, "mapped.csv": mapped, "anthropic": anthropic, "otlp": otlp, "langfuse": langfuse,
    "litellm": litellm, "conversations": conversations,
}  # fmt: skip


def config_of(name: str) -> LogsConfig:
    return LogsConfig(mapping=MAPPING) if name.startswith("mapped") else LogsConfig()


def write(folder: Path, name: str, count: int) -> Path:
    """Write a file of one format; a table also as the JSON lines that it is compared with."""
    rows = map(MAKERS[name], range(count))
    path = folder / (name if name.endswith(".csv") else f"{name}.jsonl")
    with path.open("wb") as file:
        if path.suffix != ".csv":
            file.writelines(orjson.dumps(row) + b"\n" for row in rows)
            return path
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        table = csv.DictWriter(text, list(mapped(0)))
        table.writeheader()
        table.writerows(rows)
        text.flush()
        text.detach()
    return path


class Counted:
    """Redacts by a key of its own, and forgets what was replaced."""

    redactor = Redactor(RedactionConfig(), b"key of the benchmark of reading.")

    def counted(self, redacted: Redacted[Case]) -> Case:
        """Return the case."""
        return redacted.value


def case_count(name: str, path: Path, processes: int = 1) -> int:
    """Read a file and redact its cases, as a run does; the cases are dropped."""
    reading = read(config_of(name), paths=[str(path)], redaction=Counted(), processes=processes)
    cases = sum(isinstance(record, Case) for record in reading)
    if reading.account.rejected or not cases:
        raise RuntimeError(f"{name}: {cases} cases, {reading.account.rejected} records set aside")
    return cases


def _peak(name: str, path: Path, results: multiprocessing.Queue[float]) -> None:
    case_count(name, path)
    # Not `ru_maxrss`: a process inherits that of the one that started it.
    status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    results.put(next(int(line.split()[1]) / 1000 for line in status if line.startswith("VmHWM:")))


def peak_mb(name: str, path: Path) -> float:
    """Return the most memory that a process had which reads the file."""
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[float] = context.Queue()
    process = context.Process(target=_peak, args=(name, path, results))
    process.start()
    try:
        return results.get(timeout=900)
    finally:
        process.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--formats", nargs="+", choices=list(MAKERS), default=list(MAKERS))
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--memory", action="store_true", help="also read ten times the records, for the peak of memory")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name in arguments.formats:
            path = write(folder, name, arguments.records)
            lines = path if path.suffix != ".csv" else write(folder, "mapped", arguments.records)
            calls = [partial(bare_records, lines)]
            calls += [partial(case_count, name, path, processes) for processes in arguments.processes]
            (bare, records), *timed = best(calls, arguments.repeats)
            print(
                f"{name}: {path.stat().st_size / records:.0f} bytes a record, JSON alone {records / bare:,.0f} a second"
            )
            for processes, (seconds, _) in zip(arguments.processes, timed, strict=True):
                speed = f"{records / seconds:8,.0f} records a second   ratio {bare / seconds:5.3f}"
                print(f"  {processes} process{'es' if processes > 1 else '  '} {speed}", flush=True)
            if arguments.memory:
                small = peak_mb(name, path)
                print(f"  peak {small:.0f} MB, of ten times the records", end=" ", flush=True)
                print(f"{peak_mb(name, write(folder, name, 10 * arguments.records)):.0f} MB", flush=True)


if __name__ == "__main__":
    main()
