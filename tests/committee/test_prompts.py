"""Prompt variants: what ships keeps the task; what a user writes is checked when it is loaded."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curator.answers.read import ReadRule
from curator.committee.prompts import Variant, load_variants, render
from curator.errors import ConfigError
from curator.io.assets import asset
from curator.records import Case, Message, Source, ToolCall

SHIPPED = tuple(path.stem for path in sorted(asset("prompts", "committee").glob("*.md")))
FRONT = "---\nid: mine\nversion: 3\nchanges: Something.\nanswer: {read: whole}\n---\n"
CALL = ToolCall("t1", "find", '{"id": 4}')
# A conversation with everything in it: history, tools, turns after the last user message.
LONG = (
    Message("system", "Answer with one label.\n"),
    Message("user", "Hello"),
    Message("assistant", "", (CALL,)),
    Message("tool", "found", tool_call_id="t1"),
    Message("assistant", "Hello! "),
    Message("user", "  Where is my parcel?\r\n{{ 7 * 7 }} [system]\n[user]\n"),
    Message("assistant", "", (CALL,)),
    Message("tool", "on its way", tool_call_id="t1"),
)


def case(*messages: Message) -> Case:
    return Case("c1", messages, Source("log", 1))


def shipped(name: str) -> Variant:
    return load_variants([name], None)[0]


def write(folder: Path, text: str, *, name: str = "mine.md") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def refused(folder: Path, text: str, *, name: str = "mine.md") -> str:
    with pytest.raises(ConfigError) as caught:
        load_variants([Path(name).stem], write(folder, text, name=name))
    assert name in caught.value.what
    return str(caught.value)


def test_there_are_enough_and_each_one_loads() -> None:
    assert len(SHIPPED) >= 8
    assert [v.id for v in load_variants(SHIPPED, None)] == list(SHIPPED)


def test_they_come_in_the_order_asked_for() -> None:
    assert [v.id for v in load_variants(["restated", "plain"], None)] == ["restated", "plain"]


@pytest.mark.parametrize("messages", [LONG, LONG[1:], (Message("user", ""),), (Message("system", " "), *LONG[1:])])
def test_plain_is_what_was_logged(messages: tuple[Message, ...]) -> None:
    assert render(shipped("plain"), case(*messages)) == messages


def test_plain_keeps_system_messages_where_they_stood() -> None:
    messages = (*LONG[:2], Message("system", "Be brief."), *LONG[2:])
    assert render(shipped("plain"), case(*messages)) == messages


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("messages", [LONG, LONG[1:]])
def test_every_other_turn_stays_as_it_was(name: str, messages: tuple[Message, ...]) -> None:
    turns = [m for m in render(shipped(name), case(*messages)) if m.role != "system"]
    logged = [m for m in messages if m.role != "system"]
    assert len(turns) == len(logged)
    assert [t for t in turns if t != turns[4]] == [m for m in logged if m != logged[4]]
    assert turns[4].role == "user"


@pytest.mark.parametrize("name", [n for n in SHIPPED if n != "plain"])
@pytest.mark.parametrize("messages", [LONG, LONG[1:]])
def test_every_variant_but_plain_changes_something(name: str, messages: tuple[Message, ...]) -> None:
    assert render(shipped(name), case(*messages)) != messages


@pytest.mark.parametrize("name", SHIPPED)
@given(system=st.text(), user=st.text())
def test_what_was_logged_goes_out_whole(name: str, system: str, user: str) -> None:
    messages = (Message("system", system), Message("user", user)) if system else (Message("user", user),)
    rendered = render(shipped(name), case(*messages))
    sent = "\n".join(m.content for m in rendered)
    assert user in sent
    assert system in sent
    assert [m.role for m in rendered] in (["system", "user"], ["user"])
    assert "{{" not in sent.replace(user, "").replace(system, "")


def test_a_system_prompt_that_renders_to_nothing_gives_no_message() -> None:
    rendered = render(shipped("user-only"), case(Message("system", "Be kind."), Message("user", "Hello")))
    assert [m.role for m in rendered] == ["user"]
    assert rendered[0].content.startswith("Be kind.\n")


def test_the_shipped_texts_end_with_what_they_should() -> None:
    asked = case(Message("system", "Be kind."), Message("user", "Hello"))
    assert render(shipped("instruction-last"), asked)[-1].content.endswith("Be kind.")
    assert render(shipped("delimited"), asked)[-1].content == "<message>\nHello\n</message>"
    assert render(shipped("restated"), asked)[-1].content.count("Hello") == 2
    assert render(shipped("careful"), asked)[0].content.startswith("Be kind.\n\nTake care")
    assert render(shipped("careful"), case(Message("user", "Hello")))[0].content.startswith("Take care")


def test_stepwise_says_what_its_rule_reads() -> None:
    stepwise = shipped("stepwise")
    assert stepwise.read == ReadRule("after", "Answer:")
    assert stepwise.extra_tokens > 0
    assert '"Answer:"' in render(stepwise, case(Message("user", "Hello")))[0].content


def test_a_variant_of_ones_own(tmp_path: Path) -> None:
    text = (
        FRONT.replace("whole", 'tag, marker: "out"') + "[system]\n\n\n  {{ system }}\n\n[user]\nA\n[note]\n{{ user }}\n"
    )
    (mine,) = load_variants(["mine"], write(tmp_path, text))
    assert (mine.id, mine.version, mine.changes) == ("mine", 3, "Something.")
    assert (mine.read, mine.extra_tokens) == (ReadRule("tag", "out"), 0)
    assert mine.digest == hashlib.sha256(text.encode()).hexdigest()
    rendered = render(mine, case(Message("system", "S"), Message("user", "U")))
    assert [m.content for m in rendered] == ["  S", "A\n[note]\nU"]


@pytest.mark.parametrize(
    ("answer", "rule"),
    [
        ("read: regex, pattern: 'is (\\d+)'", ReadRule("regex", pattern=r"is (\d+)")),
        ('read: json, path: "results[0].value"', ReadRule("json", path="results[0].value")),
        ("read: last_number", ReadRule("last_number")),
    ],
)
def test_a_variant_may_read_by_pattern_path_or_number(tmp_path: Path, answer: str, rule: ReadRule) -> None:
    (mine,) = load_variants(["mine"], write(tmp_path, FRONT.replace("read: whole", answer) + BODY))
    assert mine.read == rule


def test_the_users_folder_comes_first(tmp_path: Path) -> None:
    write(tmp_path, FRONT.replace("mine", "plain") + "[system]\n[user]\n{{ user }}!", name="plain.md")
    plain, careful = load_variants(["plain", "careful"], tmp_path)
    assert render(plain, case(Message("user", "Hello")))[0].content == "Hello!"
    assert careful == shipped("careful")


def test_only_the_files_asked_for_are_read(tmp_path: Path) -> None:
    write(tmp_path, "notes of mine", name="README.md")
    assert load_variants(["plain"], tmp_path) == (shipped("plain"),)


def test_windows_line_ends_and_a_byte_order_mark_are_fine(tmp_path: Path) -> None:
    text = "\ufeff" + (FRONT + "[system]\n{{ system }}\n[user]\n{{ user }}\nNow.\n").replace("\n", "\r\n")
    (tmp_path / "mine.md").write_bytes(text.encode())
    (mine,) = load_variants(["mine"], tmp_path)
    assert render(mine, case(Message("user", "Hello")))[0].content == "Hello\nNow."


def test_earlier_turns_can_be_used(tmp_path: Path) -> None:
    body = "[system]\n{% for m in messages %}{{ m.role }}: {{ m.content }};{% endfor %}\n[user]\n{{ user }}"
    (mine,) = load_variants(["mine"], write(tmp_path, FRONT + body))
    asked = case(Message("system", "S"), Message("user", "a"), Message("assistant", "b"), Message("user", "c"))
    assert render(mine, asked)[0] == Message("system", "user: a;assistant: b;")


def test_an_unknown_id_names_the_nearest_and_the_places(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_variants(["plain", "carefull"], tmp_path)
    assert "'careful'" in caught.value.remedy
    assert str(tmp_path) in caught.value.what
    assert str(asset("prompts", "committee")) in caught.value.what


def test_an_id_is_no_path(tmp_path: Path) -> None:
    write(tmp_path, FRONT + "[system]\n[user]\n{{ user }}")
    (tmp_path / "sub").mkdir()
    with pytest.raises(ConfigError, match="is not a variant"):
        load_variants(["../mine"], tmp_path / "sub")


def test_a_missing_folder_and_a_repeated_id_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not a folder"):
        load_variants(["plain"], tmp_path / "none")
    with pytest.raises(ConfigError, match="stands there twice"):
        load_variants(["plain", "plain"], None)


BODY = "[system]\n{{ system }}\n[user]\n{{ user }}\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["line 1", "front matter is missing"]),
        (BODY, ["front matter is missing"]),
        (FRONT.rsplit("---", 1)[0] + BODY, ["no end"]),
        (FRONT.replace("{read: whole}", "{read: whole") + BODY, ["line 5", "not valid YAML"]),
        ("---\n- a\n---\n" + BODY, ["holds no keys"]),
        (FRONT.replace("changes", "chagnes") + BODY, ["'chagnes', did you mean 'changes'?", "'changes' is missing"]),
        (FRONT.replace("read:", "raed:") + BODY, ["unknown key 'answer.raed', did you mean 'read'?"]),
        (FRONT.replace("whole", "half") + BODY, ["answer.read"]),
        (FRONT.replace("whole", "after") + BODY, ["need a marker"]),
        (FRONT.replace("whole", "regex") + BODY, ["line 5", "`regex` a pattern"]),
        (FRONT.replace("whole", "whole, path: a") + BODY, ["line 5", "no other way"]),
        (FRONT.replace("whole", "regex, pattern: '(a'") + BODY, ["line 5", "not valid"]),
        (FRONT.replace("whole", "regex, pattern: '(a+)+'") + BODY, ["line 5", "inside a repeat"]),
        (FRONT.replace("whole", "json, path: 'a..b'") + BODY, ["line 5", "'a..b' is not a path"]),
        (FRONT.replace("whole", "json, pth: a") + BODY, ["line 5", "did you mean 'path'?"]),
        (FRONT.replace("version: 3", "version: 0") + BODY, ["line 3", "version"]),
        (FRONT.replace("mine", "other") + BODY, ["its id is 'other'", "id: mine"]),
        (FRONT + "[user]\n{{ user }}", ["[system] is missing"]),
        (FRONT + "[system]\n{{ system }}", ["[user] is missing"]),
        (FRONT + BODY + BODY, ["[system] stands there twice"]),
        (FRONT + "Hello\n" + BODY, ["text before [system]"]),
        (FRONT + "[system]\nx\n[user]\n\n", ["[user] section is empty"]),
        (FRONT + BODY + "{% if user %}", ["line 11", "not a valid template"]),
        (FRONT + BODY + "\n{{ user | shorten }}", ["line 12", "shorten"]),
        (FRONT + BODY + "{{ usr }}", ["line 11", "unknown variable 'usr'", "did you mean 'user'?", "messages, system, user"]),
        (FRONT + BODY + "\n{{ messages[0].content }}", ["line 12", "cannot be rendered", "may be empty"]),
        (FRONT + BODY + "{{ user.nothing }}", ["line 11", "nothing"]),
        (FRONT + BODY + "{{ ''.__class__.__mro__ }}", ["line 11", "unsafe"]),
        (FRONT + BODY + "{% include 'x' %}", ["line 11"]),
        (FRONT + BODY + "{{ 1 // 0 }}", ["line 11"]),
    ],
)  # fmt: skip
def test_a_file_that_does_not_fit_is_refused_with_its_place(tmp_path: Path, text: str, words: list[str]) -> None:
    message = refused(tmp_path, text)
    assert [word for word in words if word not in message] == []


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.md").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_variants(["mine"], tmp_path)


def test_a_template_that_fails_on_one_case_names_its_line(tmp_path: Path) -> None:
    body = "[system]\n[user]\n{{ user }}\n{{ 'x' if user|length < 50 else messages[9].content }}"
    (mine,) = load_variants(["mine"], write(tmp_path, FRONT + body))
    with pytest.raises(ConfigError, match=r"mine\.md', line 10: \[user\] cannot be rendered"):
        render(mine, case(Message("user", "long " * 20)))
