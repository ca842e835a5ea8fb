"""`curator leaks` and `curator.leaks` on files of every shape, and planted leaks through whole runs."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import curator
from curator.cli import main
from curator.config import parse_config
from curator.errors import ConfigError, LogsError
from curator.readers.questions import read_questions
from curator.state.registry import Entry, HeldOutRegistry
from curator.workflows.run import run

ROUTER = "why does the blue lamp on my router blink twice after the update last night"
CANCEL = "how do I cancel the subscription that my late father had with you"
OTHER = "can I pay the invoice of March in three parts, and what would it cost me"


class Meanings:
    """Vectors by the one word of a text that is known; what has none of them is far from everything."""

    name = "meanings"

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        made = np.zeros((len(texts), 9), dtype=np.float32)
        for row, text in enumerate(texts):
            known = [i for i, word in enumerate(("router", "father", "invoice", "modem")) if word in text]
            made[row, known[0] % 3 if known else 3 + row % 6] = 1.0
        return made


def write(path: Path, records: Sequence[Mapping[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def chat(user: str, answer: str = "so it is") -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": user}, {"role": "assistant", "content": answer}]}


def check(train: Any, held: Any, tmp_path: Path, **options: Any) -> curator.LeakResult:
    options.setdefault("encoder", Meanings())
    return curator.find_leaks(train, held, cache=tmp_path / "vectors.sqlite", **options)


def test_each_kind_is_found_and_the_rest_is_clean(tmp_path: Path) -> None:
    german = (
        "Warum blinkt das Licht 1616 mal in 2024, siehe https://help.example/x?id=77, und was sagt der Code E_471 dazu"
    )
    english = "why does it blink 1616 times in 2024, see https://help.example/x?id=77, and what of the code E_471"
    train = write(tmp_path / "train.jsonl", [
        chat(ROUTER + "?"), chat(ROUTER.replace("twice", "twicee")), chat(" ".join(f"line{i * i}" for i in range(80)) + " " + CANCEL), chat(OTHER),
        chat("what makes the modem flash since the new version"), chat(german),
    ])  # fmt: skip
    held = write(tmp_path / "eval.jsonl", [{"input": ROUTER}, {"input": CANCEL}, {"input": english}])
    result = check(train, held, tmp_path, out=tmp_path / "leaks.jsonl", clean=tmp_path / "clean.jsonl")
    assert [(leak.line, leak.match.kind) for leak in result.leaks] == [
        (1, "exact"), (2, "near"), (3, "contained"), (5, "paraphrase"), (6, "translation"),
    ]  # fmt: skip
    assert result.exit_code == 3
    assert result.by_kind == {"exact": 1, "near": 1, "contained": 1, "paraphrase": 1, "translation": 1}
    written = [json.loads(line) for line in (tmp_path / "leaks.jsonl").read_text().splitlines()]
    assert [row["held_out"] for row in written] == [f"eval.jsonl:{n}" for n in (1, 1, 2, 1, 3)]
    assert written[4]["shared"][:2] == ["1616", "2024"]
    assert (tmp_path / "clean.jsonl").read_bytes() == train.read_bytes().splitlines(keepends=True)[3]
    again = check(tmp_path / "clean.jsonl", held, tmp_path)
    assert (again.leaks, again.exit_code) == ((), 0)


@pytest.mark.parametrize(
    "record",
    [
        chat(ROUTER),
        {"text": ROUTER},
        {"input": ROUTER, "target": "t"},
        {"question": ROUTER, "answer": "a"},
        {"prompt": ROUTER, "completion": "c"},
        {"query": ROUTER},
        {"instruction": "why does the blue lamp on my router", "input": "blink twice after the update last night"},
        {"input": [{"role": "system", "content": "s"}, {"role": "user", "content": ROUTER}], "ideal": "i"},
        {"input": ROUTER, "choices": ["x", "y"], "target": "B"},
        {"vars": {"q": ROUTER}, "assert": [{"type": "contains", "value": "x"}]},
        {"conversations": [{"from": "human", "value": ROUTER}, {"from": "gpt", "value": "a"}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "value": ROUTER}]}]},
        {"doc": {"question": ROUTER}, "doc_id": 1},
        {"request": chat(ROUTER), "response": {"choices": [{"message": {"role": "assistant", "content": "a"}}]}},
        {"custom_id": "1", "body": {"model": "m", "messages": [{"role": "user", "content": ROUTER}]}},
    ],
)
def test_the_question_is_found_in_every_shape(record: dict[str, Any], tmp_path: Path) -> None:
    file = read_questions(write(tmp_path / "a.jsonl", [record]))
    assert not file.rejected
    result = check([record, {"text": OTHER}], [ROUTER], tmp_path, embedding=False)
    assert [leak.line for leak in result.leaks] == [1]


def test_earlier_turns_count_and_courtesies_do_not(tmp_path: Path) -> None:
    talk = [("user", ROUTER), ("assistant", "which one?"), ("user", "the white one")]
    record = {"messages": [{"role": r, "content": c} for r, c in talk] + [{"role": "assistant", "content": "a"}]}
    assert [k.match.kind for k in check([record], [ROUTER], tmp_path).leaks] == ["exact"]
    thanks = {
        "messages": [*record["messages"][:1], {"role": "assistant", "content": "a"}, {"role": "user", "content": "ok"}]
    }
    assert not check([{"text": OTHER}], [thanks, {"text": "ok"}], tmp_path).leaks


def test_csv_rows_of_many_lines_are_cleaned_byte_for_byte(tmp_path: Path) -> None:
    train = tmp_path / "t.csv"
    content = f'id,question\r\n1,"{ROUTER}\r\n"\r\n2,"{OTHER}\r\nand\r\nmore"\r\n\r\n3,{CANCEL}\r\n'.encode()
    train.write_bytes(content)
    result = check(train, [ROUTER, CANCEL], tmp_path, embedding=False, clean=tmp_path / "c.csv")
    assert [leak.line for leak in result.leaks] == [2, 8]
    assert (tmp_path / "c.csv").read_bytes() == f'id,question\r\n2,"{OTHER}\r\nand\r\nmore"\r\n\r\n'.encode()


def test_a_packed_file_is_read_and_its_clean_copy_is_plain(tmp_path: Path) -> None:
    packed = tmp_path / "t.jsonl.gz"
    lines = [json.dumps(chat(text)).encode() for text in (ROUTER, OTHER)]
    packed.write_bytes(gzip.compress(b"\n".join(lines)))
    check(packed, [ROUTER], tmp_path, embedding=False, clean=tmp_path / "c.jsonl")
    assert (tmp_path / "c.jsonl").read_bytes() == lines[1]


def test_a_template_that_stands_once_in_the_other_file_hides_nothing(tmp_path: Path) -> None:
    template = "You are the assistant of a shop and stay polite.\nQuestion: "
    many = [f"is {chr(97 + n) * 5} sold in {chr(122 - n) * 5}" for n in range(25)]
    for train, held in (([many[7]], many), (many, [many[7]])):
        found = check([template + t for t in train], [template + t for t in held], tmp_path, embedding=False)
        assert [leak.match.kind for leak in found.leaks] == ["exact"]


def test_one_file_is_checked_at_a_time(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        write(tmp_path / name, [chat(OTHER)])
    with pytest.raises(LogsError, match="is 2 files, such as"):
        check(tmp_path, [ROUTER], tmp_path, embedding=False)
    with pytest.raises(LogsError, match="is 2 files, such as"):
        check([ROUTER], str(tmp_path / "*.jsonl"), tmp_path, embedding=False)


def test_a_registry_without_anything_held_out_is_no_clean_bill(tmp_path: Path) -> None:
    with HeldOutRegistry(tmp_path / "r.sqlite") as registry:
        registry.add([Entry("a", "train", "g", ROUTER, ROUTER, True, "night", 1.0)])
    with pytest.raises(LogsError, match="holds no held-out case"):
        check([ROUTER], tmp_path / "r.sqlite", tmp_path, embedding=False)


def test_two_outputs_have_two_names(tmp_path: Path) -> None:
    train = write(tmp_path / "train.jsonl", [chat(ROUTER)])
    with pytest.raises(ConfigError, match="is named twice"):
        check(train, [ROUTER], tmp_path, embedding=False, out=tmp_path / "x", clean=tmp_path / "." / "x")
    assert not (tmp_path / "x").exists()


def test_a_key_may_be_named(tmp_path: Path) -> None:
    train = write(tmp_path / "t.jsonl", [{"input": "x", "row": {"asked": ROUTER}}])
    assert not check(train, [ROUTER], tmp_path, embedding=False, train_key="input").leaks
    assert check(train, [ROUTER], tmp_path, embedding=False, train_key="row.asked").leaks


def test_no_known_key_names_those_that_are_there(tmp_path: Path) -> None:
    train = write(tmp_path / "t.jsonl", [{"frage": ROUTER, "n": 1}])
    with pytest.raises(LogsError, match=r"found 'frage', 'n'") as told:
        check(train, [ROUTER], tmp_path)
    assert "--train-key" in told.value.remedy
    with pytest.raises(LogsError, match=r"no key 'fragee', did you mean 'frage'"):
        check(train, [ROUTER], tmp_path, train_key="fragee")


def test_what_cannot_be_read_is_no_clean_bill(tmp_path: Path) -> None:
    train = tmp_path / "t.jsonl"
    train.write_text('{"text": "a question that is fine"}\n{"text": \n', encoding="utf-8")
    result = check(train, [ROUTER], tmp_path, embedding=False, clean=tmp_path / "c.jsonl")
    assert (result.exit_code, len(result.rejected)) == (6, 1)
    assert (tmp_path / "c.jsonl").read_bytes() == train.read_bytes()


def test_a_file_is_never_replaced_while_it_is_read(tmp_path: Path) -> None:
    train = write(tmp_path / "t.jsonl", [chat(ROUTER)])
    with pytest.raises(ConfigError, match=r"would be replaced"):
        check(train, [ROUTER], tmp_path, clean=train)
    with pytest.raises(ConfigError, match=r"`train` is in memory"):
        check([chat(ROUTER)], [ROUTER], tmp_path, clean=tmp_path / "c.jsonl")


def test_a_similarity_out_of_range_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"the similarity of paraphrases is 0\.2"):
        check([chat(ROUTER)], [ROUTER], tmp_path, paraphrase_similarity=0.2)


def test_the_registry_is_what_is_held_out(tmp_path: Path) -> None:
    with HeldOutRegistry(tmp_path / "held_out.sqlite") as registry:
        registry.add([
            Entry("c1", "eval", "c1", ROUTER, ROUTER, False, "n", 0.0),
            Entry("c2", "train", "c2", OTHER, OTHER, False, "n", 0.0),
        ])  # fmt: skip
    result = check([chat(ROUTER), chat(OTHER)], tmp_path / "held_out.sqlite", tmp_path, embedding=False)
    assert [(leak.line, leak.match.held) for leak in result.leaks] == [(1, "c1")]


def test_the_command_prints_gates_and_writes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "t.jsonl", [chat(ROUTER), chat(OTHER)])
    write(tmp_path / "e.jsonl", [{"input": ROUTER}])
    command = ["leaks", "t.jsonl", "e.jsonl", "--no-embedding", "--quiet"]
    assert main([*command, "--clean", "c.jsonl", "--out", "l.jsonl"]) == 3
    text = capsys.readouterr().out
    assert "1 of 2 training rows (50.0%)" in text
    assert "paraphrase   not looked for" in text
    assert "line 1, exact" in text
    assert main([*command[:1], "c.jsonl", *command[2:]]) == 0
    capsys.readouterr()
    assert main([*command, "--json"]) == 3
    shown = json.loads(capsys.readouterr().out)
    assert (shown["leaks"], shown["by_kind"]["exact"], shown["embedding"]) == (1, 1, False)
    assert main(["leaks", "none.jsonl", "e.jsonl", "--no-embedding"]) == 6
    assert "none.jsonl" in capsys.readouterr().err


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_gate_keeps_its_code_where_nobody_reads_on(more: list[str], tmp_path: Path) -> None:
    """As with `curator leaks ... | head -1` under `set -o pipefail`."""
    write(tmp_path / "t.jsonl", [chat(ROUTER)])
    write(tmp_path / "e.jsonl", [{"input": ROUTER}])
    read, written = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "curator.cli", "leaks", "t.jsonl", "e.jsonl", "--no-embedding", "--quiet", *more]
    with os.fdopen(written, "w") as out:
        done = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stderr) == (3, "")


def logged(user: str, i: int) -> dict[str, Any]:
    return {
        "id": f"r{i}",
        "request": {"model": "prod", "messages": [{"role": "user", "content": user}]},
        "response": {"model": "prod", "choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": "billing"}}]},
        "feedback": {"thumb": "down", "correction": "delivery"},
        "metadata": {"task": "route"},
    }  # fmt: skip


def test_planted_leaks_never_pass_the_export_of_a_later_run(job: dict[str, Any], endpoint: Any, tmp_path: Path) -> None:
    """A first night holds everything out; the second one's logs have leaks of each kind, and the first ones are gone."""
    logs = tmp_path / "logs.jsonl"
    filler = [f"a question about nothing in particular, number {word}" for word in ("red", "green", "pink")]
    options: dict[str, Any] = {"out": tmp_path / "out", "encoder": Meanings(), "environ": {}}
    write(logs, [logged(text, i) for i, text in enumerate([ROUTER, CANCEL, *filler])])
    run(parse_config(job | {"selection": {"k": 3, "held_out_share": 1.0}}), **options)
    planted = [
        ROUTER + "!",
        ROUTER.replace("blue", "bluee"),
        "please read what follows and sort it by subject. "
        + CANCEL
        + ". "
        + "he was ill for long and left papers. " * 5,
        "what makes the modem flash since the new version",
    ]
    write(logs, [logged(text, i) for i, text in enumerate([*planted, OTHER])])
    result = run(parse_config(job | {"selection": {"k": 3, "held_out_share": 0.0}}), **options)
    trained = [json.loads(line) for line in (tmp_path / "out" / "finetune.jsonl").read_text().splitlines()]
    assert [row["messages"][0]["content"] for row in trained] == [OTHER]
    leaks = [json.loads(line) for line in (tmp_path / "out" / "leaks.jsonl").read_text().splitlines()]
    assert sorted(row["kind"] for row in leaks) == ["contained", "paraphrase"]  # the others share a held-out group
    assert {row["held_out_text"] for row in leaks} == {ROUTER, CANCEL}
    splits = {json.loads(line)["split"] for line in (tmp_path / "out" / "cases.jsonl").read_text().splitlines()}
    assert splits == {"eval", "train"}
    assert any("training candidates" in warning for warning in result.warnings)
    found = curator.find_leaks(tmp_path / "out" / "finetune.jsonl", tmp_path / "held_out.sqlite", encoder=Meanings(),
                          cache=tmp_path / "vectors.sqlite")  # fmt: skip
    assert found.exit_code == 0


def test_a_damaged_registry_stops_the_run_before_anything_is_asked(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    (tmp_path / "held_out.sqlite").write_bytes(b"damaged " * 1000)
    with pytest.raises(curator.UserError, match=r"registry of held-out cases is damaged"):
        run(parse_config(job), out=tmp_path / "out", encoder=encoder, environ={})
    assert endpoint.bodies == []
    assert not (tmp_path / "out" / "finetune.jsonl").exists()


def test_a_run_that_is_not_agreed_to_holds_nothing_out(
    job: dict[str, Any], endpoint: Any, encoder: Any, write_logs: Path, tmp_path: Path
) -> None:
    job["budget"] = {"confirm_above_usd": 0.0}
    with pytest.raises(curator.UserError):
        run(parse_config(job), out=tmp_path / "out", encoder=encoder, environ={}, confirm=lambda _: False)
    assert not (tmp_path / "held_out.sqlite").exists()


def with_examples(user: str) -> list[dict[str, Any]]:
    turns = [("Name the team. How do I return the boots?", "refund"), ("I want no more newsletters.", "account"),
             ("How big is the oak table in your shop window?", "product")]  # fmt: skip
    before = [
        {"role": role, "content": text}
        for pair in turns
        for role, text in zip(("user", "assistant"), pair, strict=True)
    ]
    return [*before, {"role": "user", "content": user}]


def test_examples_before_every_question_are_no_leak(tmp_path: Path) -> None:
    """A short question is compared with what was said before it, which here is the same for all."""
    shorts = ["Still broken", "On Friday", "Card declined", "Wrong size", "No parcel", "Nothing works"]
    train = [{"messages": [*with_examples(text), {"role": "assistant", "content": "x"}]} for text in shorts[:3] * 2]
    held = [{"input": with_examples(text)} for text in shorts[3:] * 2]
    assert check(train, held, tmp_path).leaks == ()
    assert len(check([*train, train[0] | {"messages": with_examples("No parcel")}], held, tmp_path).leaks) == 1


def test_a_held_out_question_is_no_example_however_often_it_stands_there(tmp_path: Path) -> None:
    train = [{"messages": with_examples(f"{OTHER} {n * n * 7919}")} for n in range(8)]
    held = [{"input": "How big is the oak table in your shop window?"}]
    assert len(check(train, held, tmp_path).leaks) == 8


@pytest.mark.parametrize("guessed", ["train", "held"])
def test_a_guessed_encoding_of_either_file_is_named(
    tmp_path: Path, guessed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(f"Wie kündige ich für Müller das Abo Nummer {n} über die Straße?,x\n" for n in range(12))
    for name in ("train", "held"):
        encoding = "cp1252" if name == guessed else "utf-8"
        (tmp_path / f"{name}.csv").write_bytes(f"question,answer\n{rows}".encode(encoding))
    files = tmp_path / "train.csv", tmp_path / "held.csv"
    result = curator.find_leaks(*files, embedding=False)
    (note,) = result.notes
    assert len(result.leaks) == 12
    assert note.startswith(f"{tmp_path / guessed}.csv: the text is not UTF-8 and was read as ")
    assert note.endswith("save it as UTF-8 if that is wrong")
    assert result.to_dict()["notes"] == [note]
    assert main(["leaks", str(files[0]), str(files[1]), "--no-embedding"]) == 3
    assert note in capsys.readouterr().out
