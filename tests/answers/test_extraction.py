from __future__ import annotations

import pytest

from curator.answers.extraction import LOOKED_AT, ReadRule, extract, path_problem
from curator.committee.regex_safety import pattern_problem


@pytest.mark.parametrize(
    ("rule", "text", "expected"),
    [
        (ReadRule("regex", pattern=r"is (\d+)"), "It is 3. No, it is 4 of 5.", "4"),
        (ReadRule("regex", pattern=r"\d+"), "3 of 4", "4"),
        (ReadRule("regex", pattern=r"(?m)^Label: (.*)$"), "Label: a\nLabel: b\nthe end", "b"),
        (ReadRule("regex", pattern=r"x(y)?"), "no x here", "no x here"),
        (ReadRule("regex", pattern=r"\d+"), "none", "none"),
        (ReadRule("json", path="answer.label"), 'Here: {"answer": {"label": "x"}, "why": "y"}', "x"),
        (ReadRule("json", path="results[1].value"), '```json\n{"results": [{"value": 1}, {"value": 2.5}]}\n```', "2.5"),
        (ReadRule("json", path="a"), '{"a": {"b": [1, null]}}', '{"b": [1, null]}'),
        (ReadRule("json", path="[0]"), '["é", 2]', "é"),
        (ReadRule("json", path="a.c"), '{"a": {"b": 1}}', '{"a": {"b": 1}}'),
        (ReadRule("json", path="a[3]"), '{"a": [1]}', '{"a": [1]}'),
        (ReadRule("json", path="a"), '{"a": null}', '{"a": null}'),
        (ReadRule("json", path="a"), "no JSON", "no JSON"),
        (ReadRule("last_number"), "He has 5, then $1,000 more: 1005 in all.", "1005"),
        (ReadRule("last_number"), "none at all", "none at all"),
    ],
)
def test_extract_reads_patterns_paths_and_numbers(rule: ReadRule, text: str, expected: str) -> None:
    assert extract(text, rule) == expected


def test_a_pattern_sees_the_end_of_a_long_text() -> None:
    assert extract("A1" + " " * LOOKED_AT + "A2" + " " * 50, ReadRule("regex", pattern=r"A(\d)")) == "2"
    assert extract("A1" + "b" * LOOKED_AT, ReadRule("regex", pattern=r"A(\d)")).startswith("A1b")


@pytest.mark.parametrize(
    "pattern",
    [
        r"answer is (\w+)", r"(?i)label:\s*(.+)$", r"<a>(.*?)</a>", r"(?:\d{3},)+\d", r"[^\n]*", r"(a|b)", r"\d{1,3}(,\d{3})*", r"(?:ab){2,9}",
        r"(yes|no)\b.*",
    ],
)  # fmt: skip
def test_patterns_that_cannot_run_wild_are_fine(pattern: str) -> None:
    assert pattern_problem(pattern) == ""


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("(a", "not valid"),
        ("a{2}{3}", "not valid"),
        ("(a+)+$", "inside a repeat"),
        ("(?:a*)*b", "inside a repeat"),
        ("(a|aa)+$", "inside a repeat"),
        ("(?:(?:x?)y)*", "inside a repeat"),
        ("(?=(a+)+b)", "inside a repeat"),
        ("(a{1,9}){5,9}", "inside a repeat"),
        (".*a.*b.*c", "any character"),
        ("[^a]*x[^b]*y.+", "any character"),
    ],
)
def test_patterns_that_could_take_for_ever_are_named(pattern: str, words: str) -> None:
    assert words in pattern_problem(pattern)


@pytest.mark.parametrize("path", ["a", "answer.label", "results[0].value", "[0][1].a-b", "a_b"])
def test_paths(path: str) -> None:
    assert path_problem(path) == ""


@pytest.mark.parametrize("path", ["", ".a", "a.", "a[x]", "a[0", "$.a", "a b", "a..b", "[-1]"])
def test_what_is_no_path_is_named(path: str) -> None:
    assert repr(path) in path_problem(path)
