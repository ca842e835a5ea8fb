"""Redaction: planted secrets and personal data that are found, false alarms, and speed.

python benchmarks/ingest/redaction.py [--data FOLDER]

FOLDER holds `banking77` and `gsm8k-model-solutions` for the false alarms. The baseline is a list of regular expressions that are
often copied for this purpose. The family `held out` was made before the rules were tried on it.
"""

from __future__ import annotations

import argparse
import base64
import csv
import json
import re
import timeit
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import orjson

from benchmarks.ingest.planted_texts import Planted, planted
from curator.config.redaction import PERSONAL_KINDS, RedactionConfig
from curator.records import Case, Message, Source
from curator.redaction.redactor import Redactor

COUNT = 200
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff]")
_WORD = re.compile(r"[A-Za-z0-9+/_=-]{16,}")
BASELINE = re.compile(
    r"sk-[A-Za-z0-9-]{20,}|AKIA[0-9A-Z]{16}|AIza[0-9A-Za-z_-]{35}|gh[pousr]_[A-Za-z0-9]{36}|xox[baprs]-[A-Za-z0-9-]+"
    r"|eyJ[\w-]+\.[\w-]+\.[\w-]+|-----BEGIN [A-Z ]+-----[\s\S]+?-----END [A-Z ]+-----|(?i:password\s*[=:]\s*\S+)"
    r"|\b(?:\d[ -]?){13,16}\b|[\w.+-]+@[\w-]+\.[\w.]+|\+?\d{1,2}[ -]?\(?\d{3}\)?[ -]?\d{3}[ -]?\d{4}|\b[A-Z]{2}\d{2}[A-Z0-9 ]{11,30}"
    r"|\b(?:\d{1,3}\.){3}\d{1,3}\b"
)


def readings(text: str) -> Iterator[str]:
    """Yield a text as others may decode it."""
    for _ in range(3):
        yield text
        yield _INVISIBLE.sub("", text)
        for word in _WORD.findall(text):
            for decode in (lambda w: base64.b64decode(w + "=" * (-len(w) % 4)), bytes.fromhex):
                try:
                    yield decode(word).decode()
                except ValueError:
                    continue
        text = re.sub(r"\\u([0-9a-f]{4})", lambda m: chr(int(m[1], 16)), unescape(unquote(text)))
        text = text.replace("\\n", "\n").replace('\\"', '"').replace("\\\\", "\\")


def leaks(item: Planted, case: Case) -> bool:
    """Return whether the planted text can still be read in a case."""
    whole = json.dumps(asdict(case), ensure_ascii=False)
    return any(item.original in text for text in readings(whole))


def by_baseline(case: Case) -> Case:
    """Redact the texts of a case by the list of regular expressions alone."""

    def change(value: object) -> object:
        if isinstance(value, str):
            return BASELINE.sub("[redacted]", value)
        if isinstance(value, dict):
            return {change(k): change(v) for k, v in value.items()}
        return [change(v) for v in value] if isinstance(value, list | tuple) else value

    changed = change(asdict(case))
    return Case(id="c", messages=(Message("user", json.dumps(changed, ensure_ascii=False)),), source=Source("log", 1))


def report(name: str, items: list[Planted], redact: Callable[[Case], Case], *, verbose: bool) -> None:
    """Print the share that is found, by family, and what is missed."""
    missed = [item for item in items if leaks(item, redact(item.case))]
    families = Counter(item.family for item in items)
    lost = Counter(item.family for item in missed)
    shares = ", ".join(f"{family} {families[family] - lost[family]}/{families[family]}" for family in sorted(families))
    print(f"  {name:<10} found {len(items) - len(missed)}/{len(items)} ({shares})")
    for (kind, encoding), n in Counter((i.kind, i.encoding) for i in missed).most_common(40) if verbose else ():
        print(f"    missed {n}: {kind}, {encoding}")


def false_alarms(redactor: Redactor, data: Path) -> None:
    """Print the texts of real data sets that are changed."""
    utterances = [
        row["text"] for path in sorted((data / "banking77").glob("*.csv")) for row in csv.DictReader(path.open())
    ]
    changed = sum(redactor.text(text) != text for text in utterances)
    base = sum(BASELINE.sub("", text) != text for text in utterances)
    print(f"  BANKING77: {changed} of {len(utterances)} utterances changed (baseline {base})")
    lines = (data / "gsm8k-model-solutions" / "example_model_solutions.jsonl").read_text(encoding="utf-8").splitlines()
    numbers = re.compile(r"\d[\d,.]*")
    texts = [str(value) for line in lines for value in orjson.loads(line).values()]
    lost = sum(numbers.findall(redactor.text(text)) != numbers.findall(text) for text in texts)
    base = sum(numbers.findall(BASELINE.sub("", text)) != numbers.findall(text) for text in texts)
    print(f"  GSM8K: numbers changed in {lost} of {len(texts)} texts (baseline {base})")


def speed(redactor: Redactor, name: str) -> None:
    """Print the time for cases of 1 KB, beside parsing them."""
    words = (
        "The customer asked whether order 4711-223 would arrive before Friday, 3 May; support said it takes 3 days. "
    )
    cases = [
        Case(
            id="c", messages=(Message("system", "You are a support agent."), Message("user", f"{n} {words * 7}"[:900])),
            source=Source("log", n), target="It will arrive on Friday.", log_id=f"req_{n}", metadata={"channel": "web", "n": n},
        )
        for n in range(500)
    ]  # fmt: skip
    lines = [orjson.dumps(asdict(case)) for case in cases]
    redact = min(timeit.repeat(lambda: [redactor.case(case) for case in cases], number=1, repeat=7)) / len(cases)
    parse = min(timeit.repeat(lambda: [orjson.loads(line) for line in lines], number=1, repeat=7)) / len(cases)
    print(f"  {name:<14} {redact * 1e6:.1f} us a case of 1 KB, {redact / parse:.1f} times orjson.loads")


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="the folder of the data sets for false alarms")
    parser.add_argument("--verbose", action="store_true", help="list what is missed")
    parser.add_argument("--seed", type=int, default=14)
    arguments = parser.parse_args()
    full = Redactor(RedactionConfig(personal=PERSONAL_KINDS), b"benchmark key of redaction 32 by")
    for name, personal in (("secrets", False), ("personal data", True)):
        print(name)
        items = planted(COUNT, arguments.seed, personal=personal)
        report("curator", items, lambda case: full.case(case).value, verbose=arguments.verbose)
        report("baseline", items, by_baseline, verbose=False)
    if arguments.data:
        print("false alarms, with all kinds of personal data")
        false_alarms(full, arguments.data)
    print("speed")
    speed(full.secrets_only(), "secrets")
    speed(full, "and personal")


if __name__ == "__main__":
    main()
