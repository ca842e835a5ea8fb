"""A run over logs with planted secrets and personal data: none leaves the logs, in no encoding, to no place."""

from __future__ import annotations

import base64
import json
import logging
import re
import stat
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

import curator
from curator.cli import main
from curator.config import parse_config
from curator.state.pseudonyms import read_pseudonyms

KEY = "sk-proj-Ab3dEf9hIj2kLmN5pQrS7tUv_WxYz0123456789abcd"
PASSWORD = "Winter2024#Graz"  # noqa: S105  made up
CARD = "4111 1111 1111 1111"
MAIL = "anna.schmidt@firma.de"
PHONE = "+49 170 1234567"
ECHO = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
NEEDLES = (KEY, PASSWORD, CARD, MAIL, PHONE, ECHO, "anna.schmidt", "1234567")
_LONG = re.compile(r"[A-Za-z0-9+/]{24,}={0,2}")


def plant(path: Path) -> None:
    """Put something sensitive into every field of the records, and into those that cannot be read."""
    forms = [
        f"my key {KEY} fails", json.dumps({"payload": f"line\n{KEY}"}), f"https://x.y/?q={quote(KEY + ' ' + MAIL)}",
        base64.b64encode(f"config: {KEY} and {MAIL}".encode()).decode(), KEY[:9] + "\u200b" + KEY[9:],
        f"postgres://app:{quote(PASSWORD)}@db/x", f"password={PASSWORD} card {CARD}", f"I am {MAIL}, call {PHONE}",
    ]  # fmt: skip
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        try:
            record = json.loads(line)
            messages = record["request"]["messages"]
        except (ValueError, KeyError):
            continue
        text = forms[number % len(forms)]
        messages[1]["content"] += f" {text}"
        call = {
            "id": "call_1",
            "type": "function",
            "function": {"name": "look", "arguments": json.dumps({"password": PASSWORD})},
        }
        messages[1:1] = [
            {"role": "user", "content": text}, {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_1", "content": f"found {MAIL} {KEY}"},
        ]  # fmt: skip
        record["request"]["tools"] = [
            {"type": "function", "function": {"name": "look", "description": f"use {KEY}", "parameters": {}}}
        ]
        record["response"]["choices"][0]["message"]["content"] += f" {text}"
        record["metadata"] |= {"api_key": KEY, "contact": MAIL, "password": PASSWORD}
        record["id"] = f"{number} {KEY}"
        if "feedback" in record:
            record["feedback"] |= {
                "comment": f"write to {MAIL}, {PASSWORD} is my password",
                "correction": f"delivery {KEY}",
            }
        lines[number] = json.dumps(record)
    lines.append(
        json.dumps({"id": KEY, "request": {"messages": [{"role": KEY, "content": 5}]}, "response": {}, KEY: MAIL})
    )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def leaks(text: str) -> list[str]:
    """The planted texts that can be read in a text, or in what its long words encode."""
    texts = [text, text.replace("\u200b", "").replace("\\u200b", "")]
    for word in _LONG.findall(text):
        try:
            texts.append(base64.b64decode(word + "=" * (-len(word) % 4)).decode())
        except ValueError:
            continue
    return [needle for needle in NEEDLES for t in texts if needle in t]


@pytest.mark.slow
def test_nothing_sensitive_leaves_the_logs(
    write_logs: Path, job: dict[str, Any], endpoint: Any, encoder: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    plant(write_logs)
    endpoint.answer = lambda: f"delivery, {ECHO}"
    job["redaction"] = {"personal": ["mail", "phone"]}
    job["tasks"] = {}
    with caplog.at_level(logging.DEBUG):
        result = curator.run(parse_config(job), out=tmp_path / "out", encoder=encoder)
    assert len(endpoint.bodies) > 50
    assert not leaks(json.dumps(endpoint.bodies, ensure_ascii=False))
    assert not leaks(caplog.text)
    printed = capsys.readouterr()
    assert not leaks(printed.out + printed.err + result.to_text() + json.dumps(result.to_dict()))
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path != write_logs]
    assert len(files) > 10
    for path in files:
        if path.name != "pseudonyms.sqlite":
            assert not leaks(path.read_bytes().decode("utf-8", "replace")), path.name
    assert result.summary.redacted["mail"] > 10
    assert result.summary.redacted["openai-key"] > 40
    counts = json.loads((tmp_path / "out" / "manifest.json").read_bytes())["counts"]
    assert counts["redacted"] == dict(result.summary.redacted)
    assert "Replaced in the logs" in (tmp_path / "out" / "report.md").read_text()


def test_the_key_and_the_map_are_their_owners_and_hold_no_secret(
    write_logs: Path, job: dict[str, Any], encoder: Any, tmp_path: Path
) -> None:
    plant(write_logs)
    job["redaction"] = {"personal": ["mail", "phone"]}
    config = parse_config(job)
    first = curator.run(config, out=tmp_path / "out", encoder=encoder)
    pseudonyms = read_pseudonyms(tmp_path / "pseudonyms.sqlite")
    assert {MAIL, PHONE} <= set(pseudonyms.values())
    assert not any(secret in text for pair in pseudonyms.items() for text in pair for secret in (KEY, PASSWORD, CARD))
    for name in ("redaction.key", "pseudonyms.sqlite"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    again = curator.run(config, out=tmp_path / "out", encoder=encoder)
    assert (again.sent, again.from_store) == (0, first.sent + first.from_store)
    assert read_pseudonyms(tmp_path / "pseudonyms.sqlite") == pseudonyms


def test_the_message_of_a_log_that_cannot_be_read_quotes_no_secret(
    job: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = json.dumps({"request": {"messages": [{"role": KEY, "content": MAIL}]}, "response": {}})
    (tmp_path / "logs.jsonl").write_text(f"{line}\n{line[:-9]}\n", encoding="utf-8")
    (tmp_path / "curator.yaml").write_text(json.dumps(job), encoding="utf-8")
    assert main(["run", str(tmp_path / "curator.yaml"), "--out", str(tmp_path / "out")]) == 6
    printed = capsys.readouterr()
    assert not leaks(printed.out + printed.err)
    assert not leaks((tmp_path / "out" / "set_aside.failed.jsonl").read_text(encoding="utf-8"))


def test_a_label_keeps_the_pseudonyms_that_the_annotator_saw_and_loses_secrets(
    write_logs: Path, job: dict[str, Any], encoder: Any, tmp_path: Path
) -> None:
    plant(write_logs)
    job |= {"redaction": {"personal": ["mail"]}, "tasks": {}}
    config, out = parse_config(job), tmp_path / "out"
    curator.run(config, out=out, encoder=encoder)
    pseudonym = {v: k for k, v in read_pseudonyms(tmp_path / "pseudonyms.sqlite").items()}[MAIL]
    cases = [json.loads(line)["id"] for line in (out / "cases.jsonl").read_text().splitlines()]
    labels = tmp_path / "labels.jsonl"
    labels.write_text(json.dumps({"case_id": cases[0], "label": f"write to {pseudonym} about {KEY} and {MAIL}"}) + "\n")
    curator.run(config, out=out, labels=[labels], encoder=encoder)
    rows = [json.loads(line) for line in (out / "recorded.jsonl").read_text().splitlines()]
    (reference,) = [row["reference"] for row in rows if row["id"] == cases[0]]
    assert re.fullmatch(
        rf"write to {re.escape(pseudonym)} about \[secret:openai-key:....\] and {re.escape(pseudonym)}", reference
    )
