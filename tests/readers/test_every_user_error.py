"""Each error that stops a reading is provoked, and its remedy is followed: the logs are then read right."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from curator.errors import UserError
from curator.io.lines import expand
from curator.io.log_file import _copy_of_standard_input
from curator.readers.questions import read_questions
from tests.readers.reading_kit import read_all
from tests.readers.test_every_remedy import ROOMS, A, Q
from tests.readers.test_remedies import options_in

LINE = orjson.dumps({"ask": Q, "told": A, "stars": 5}) + b"\n"
MAPPING = {"mapping": {"input": "ask", "target": "told"}}


@dataclass(frozen=True)
class Place:
    """A folder with a log, and what the test may change of the process."""

    folder: Path
    patch: pytest.MonkeyPatch

    @property
    def log(self) -> Path:
        file = self.folder / "a.jsonl"
        file.write_bytes(LINE)
        return file


def read(*paths: object, **options: Any) -> list[str]:
    return [f"{case.user} {case.target}" for case in read_all(paths, **MAPPING, **options)[0]]


def questions(path: object) -> list[str]:
    return [question.case.user for question in read_questions(str(path), key="ask").questions]


def hidden(place: Place) -> Path:
    (place.folder / "logs").mkdir(exist_ok=True)
    file = place.folder / "logs" / ".a.jsonl"
    file.write_bytes(LINE)
    return file


def piped(place: Place, content: bytes | None) -> list[str]:
    _copy_of_standard_input.cache_clear()
    stdin = None if content is None else SimpleNamespace(buffer=io.BytesIO(content), isatty=lambda: False)
    place.patch.setattr(sys, "stdin", stdin)
    return read("-")


def without_package(place: Place) -> list[str]:
    from fsspec.registry import known_implementations

    place.patch.setitem(known_implementations, "zz", {"class": "no_such_package_zz.Files"})
    return read("zz://bucket/a.jsonl")


def in_memory() -> str:
    import fsspec

    with fsspec.open("memory://every/a.jsonl", "wb") as file:
        file.write(LINE)
    return "memory://every/a.jsonl"


def table(place: Place) -> Path:
    file = place.folder / "a.csv"
    file.write_text(f"question,told\n{Q},{A}\n")
    return file


def two_files(place: Place) -> str:
    for name in ("x.jsonl", "y.jsonl"):
        (place.folder / name).write_bytes(LINE)
    return f"{place.folder}/[xy].jsonl"


def joined(place: Place, remedy: str) -> list[str]:
    match = re.search("`(.*)`", remedy)
    assert match
    one = place.folder / "ONE.jsonl"
    command = match[1].replace("FILES", two_files(place)).replace("ONE.jsonl", str(one))
    subprocess.run(["/bin/sh", "-c", command], check=True)
    return questions(one)


def config_without_mapping(place: Place, **options: Any) -> list[str]:
    return [f"{case.user} {case.target}" for case in read_all([place.log], **options)[0]]


Wrong = Callable[[Place], object]
Right = Callable[[Place, str], list[str]]
RIGHT = [f"{Q} {A}"]
FOLLOWED: dict[str, tuple[Wrong, Right]] = {
    "name a file, a folder or a glob that exists; the path is looked up from": (
        lambda _: read("nowhere.jsonl"),
        lambda place, remedy: (place.patch.chdir(place.log.parent), read("a.jsonl"))[1],
    ),
    "name a file, a folder or a glob that exists there": (
        lambda _: read("memory://nowhere/*.jsonl"),
        lambda place, remedy: read(in_memory()),
    ),
    "a folder is searched for": (
        lambda place: read(hidden(place).parent),
        lambda place, remedy: read(hidden(place)),
    ),
    "pipe a log in": (lambda place: piped(place, None), lambda place, remedy: piped(place, LINE)),
    "install it with `pip install no_such_package_zz`, or copy": (
        without_package,
        lambda place, remedy: read(place.log),
    ),
    "name files of this machine, or an address that fsspec knows": (
        lambda _: read("nothing-x://a.jsonl"),
        lambda place, remedy: read(in_memory()),
    ),
    "copy the file to this machine": (
        lambda _: expand([in_memory()]),
        lambda place, remedy: read(*expand([str(place.log)])),
    ),
    "name the key or column that holds the user's text": (
        lambda place: config_without_mapping(place, format="mapped"),
        lambda place, remedy: config_without_mapping(
            place, mapping={**options_in(remedy.replace("...", "ask"))["mapping"], "target": "told"}
        ),
    ),
    "name one file, or join them": (
        lambda place: questions(two_files(place)),
        lambda place, remedy: [f"{question} {A}" for question in dict.fromkeys(joined(place, remedy))],
    ),
    "set `logs: {paths: [...]}` in the config": (
        lambda _: read(),
        lambda place, remedy: read(*options_in(remedy.replace("...", str(place.log)))["paths"]),
    ),
    "name one of these columns in the mapping": (
        lambda place: read(table(place)),
        lambda place, remedy: config_of_table(table(place)),
    ),
    "write the worst and the best rating, such as `1-5`": (
        lambda place: read(place.log, feedback_scale="five stars"),
        lambda place, remedy: read(place.log, feedback_scale=remedy.rpartition("such as `")[2].strip("`")),
    ),
}
ELSEWHERE = {
    "eval_results.py": "tests/readers/test_eval_results.py: results of systems, which are no logs",
    "atomic.py": "tests/io/test_atomic.py: what is written, not read",
    "local_weights.py": "tests/committee/providers: the weights of the local model, which are no logs",
    "sqlite.py": "tests/io/test_sqlite.py and tests/state: databases of curator's own",
}
NOT_FOLLOWED = {
    "check that you may read it": "it depends on rights, which the superuser has",
    "check the address, the network and the credentials": "it depends on the network",
}


def config_of_table(file: Path) -> list[str]:
    cases = read_all([file], mapping={"input": "question", "target": "told"})[0]
    return [f"{case.user} {case.target}" for case in cases]


@pytest.mark.parametrize("says", FOLLOWED)
def test_a_remedy_that_is_followed_leads_to_the_right_data(
    says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(tmp_path, monkeypatch)
    wrong, right = FOLLOWED[says]
    with pytest.raises(UserError) as caught:
        wrong(place)
    assert says in caught.value.remedy
    assert right(place, caught.value.remedy) == RIGHT
    _copy_of_standard_input.cache_clear()


def templates() -> Iterator[tuple[str, str]]:
    """The remedies of errors for the user, as (file, text before the first part that is filled in)."""
    for path in (path for room in ROOMS for path in sorted(room.glob("*.py")) if path.name not in ELSEWHERE):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for keyword in call.keywords if isinstance(call, ast.Call) else ():
                if keyword.arg == "remedy" and (text := beginning_of(keyword.value)):
                    yield path.name, text


def beginning_of(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        return beginning_of(node.values[0])
    return str(node.value) if isinstance(node, ast.Constant) else ""


def test_every_remedy_of_an_error_is_followed() -> None:
    known = (*FOLLOWED, *NOT_FOLLOWED)
    missing = [
        (file, text) for file, text in templates() if not any(k.startswith(text) or text.startswith(k) for k in known)
    ]
    assert not missing, "add an entry to FOLLOWED that provokes the error and follows its remedy"


def test_no_exception_is_out_of_date() -> None:
    texts = [text for _, text in templates()]
    assert len(texts) >= len(FOLLOWED)
    assert all(any(text.startswith(start) for text in texts) for start in NOT_FOLLOWED)
