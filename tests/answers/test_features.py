"""How much of two structured answers is the same: code, records, and the weights of fields."""

from __future__ import annotations

import numpy as np
import pytest

from curator.answers.code_tokens import read_program
from curator.answers.record_fields import folded_value, parse_record
from curator.answers.structured import (
    FORMS,
    Form,
    features_of,
    field_weights,
    form_key,
    group_of,
    similarity,
    similarity_matrix,
)

PYTHON = """class Stack:
    \"\"\"A stack.\"\"\"

    def push(self, item):
        # one more
        items = self.items
        items.append(item)
        return len(items)
"""
LAYOUT = """```python
class Stack:
    def push(self, value):
        held = self.items
        held.append(
            value
        )
        return len(held)
```
"""


def alike(one: str, other: str, form: Form) -> float:
    left, right = features_of(one, form), features_of(other, form)
    assert left is not None
    assert right is not None
    return similarity(left, right, {})


def test_comments_layout_and_names_of_variables_do_not_count() -> None:
    assert form_key(PYTHON, "code") == form_key(LAYOUT, "code")
    assert alike(PYTHON, LAYOUT, "code") == 1


def test_code_is_graded() -> None:
    other = PYTHON.replace("return len(items)", "return items")
    unlike = "def area(r):\n    return 3.14 * r ** 2\n"
    assert form_key(PYTHON, "code") != form_key(other, "code")
    assert 0.4 < alike(PYTHON, other, "code") < 1
    assert alike(PYTHON, unlike, "code") < 0.2 < alike(PYTHON, other, "code")


def test_indentation_counts_where_it_makes_the_blocks() -> None:
    loop = "for x in y:\n    print(x)\n{}print(z)\n"
    assert form_key(loop.format("    "), "code") != form_key(loop.format(""), "code")
    assert form_key(loop.format("    ").replace("    ", "  "), "code") == form_key(loop.format("    "), "code")


def test_names_that_others_see_count() -> None:
    for old, new in (("push", "add"), ("Stack", "Heap"), ("append", "extend"), (".items", ".values")):
        assert form_key(PYTHON, "code") != form_key(PYTHON.replace(old, new), "code")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "```ts\nfunction add(a: number, b = 3): number {\n  const total = a + b; // sum\n  return total;\n}\n```",
            "```ts\nfunction add(x: number, y = 3): number { const s = x + y; return s; }\n```",
        ),
        (
            "```bash\nfor f in *.txt; do\n  echo 'a'  # c\ndone\n```",
            '```bash\nfor f in *.txt\ndo\n  echo "a"\ndone\n```',
        ),
        ("def f(x):\n    return [i for i in x]", "def f(y):\n    '''doc'''\n    return [k for k in y]"),
    ],
)
def test_programs_in_other_languages_have_one_key(one: str, other: str) -> None:
    assert form_key(one, "code") == form_key(other, "code")


def test_a_variable_is_numbered_in_its_function() -> None:
    program = read_program("def f(a):\n    b = a\n    return b\n\ndef g(c):\n    return c.b\n")
    assert program.statements == ("def f ( $0 ) :", "$1 = $0", "return $1", "def g ( $0 ) :", "return $0 . b")


def test_code_below_words_begins_at_its_first_line() -> None:
    lead = "Please complete the class below.\n\n"
    assert form_key(lead + PYTHON, "code") == form_key(PYTHON, "code")


@pytest.mark.parametrize(
    "text", ["The class is large.", "42", '{"a": 1}', "```json\n{}\n```", "SELECT a FROM t", "Paris; London", ""]
)
def test_other_answers_are_not_code(text: str) -> None:
    assert features_of(text, "code") is None


@pytest.mark.parametrize(
    "text",
    [
        '{"answer": "Leek", "tags": ["a", "b"]}',
        'Sure:\n```json\n{"tags": ["a", "b"],\n "Answer": "leek."}\n```',
        "{'answer': 'Leek', 'tags': ['a', 'b']}",
        "answer: leek\ntags:\n  - a\n  - b",
        "<result><answer>Leek</answer><tags>a</tags><tags>b</tags></result>",
    ],
)
def test_a_record_is_one_record_in_every_notation(text: str) -> None:
    features = features_of(text, "json")
    assert features is not None
    assert features == {("answer", "leek"), ("tags[]", "a"), ("tags[]", "b")}


@pytest.mark.parametrize(
    ("value", "folded"),
    [(26, "26"), (26.0, "26"), ("26", "26"), ("$26.00", "26"), ("1,234", "1234"), ("007", "007"), (True, "true")],
)
def test_numbers_are_compared_by_value(value: object, folded: str) -> None:
    assert folded_value(value) == folded  # type: ignore[arg-type]


def test_whole_fields_of_broken_json_are_read() -> None:
    assert parse_record('{"reason": "he said "no" to it", "answer": "26", "more": "cut o') == {
        "reason": "he said ",
        "answer": "26",
    }


@pytest.mark.parametrize("text", ["Answer: B", "42", "So it is.\nB: c", "The sum (3, 4)", "f([1, 2])", "a[0] = b", ""])
def test_words_are_not_records(text: str) -> None:
    assert parse_record(text) is None


def test_free_text_counts_less_than_the_fields_that_answer() -> None:
    words = ["so", "then", "we", "add", "all", "of", "it", "up", "again", "and", "see", "what", "comes", "out", "when"]
    cases = [
        [
            features
            for member in range(5)
            if (
                features := features_of(
                    f'{{"reasoning": "{" ".join(words[(case + member) % 9 :][:6])} {member}", "answer": "{case % 40}"}}',
                    "json",
                )
            )
        ]
        for case in range(80)
    ]
    weights = field_weights(cases)
    assert weights["answer"] > 10 * max(weights["reasoning"], weights["reasoning~"])


def test_rare_arguments_share_the_weight_of_all_arguments() -> None:
    cases = [
        [f for m in range(4) if (f := features_of(f"f{n}(arg{n}={n if m else -1})", "tool_call"))] for n in range(60)
    ]
    weights = field_weights(cases)
    assert "argument.arg3" not in weights
    assert weights[group_of("argument.arg3")] > 0
    one, other = features_of("f3(arg3=3)", "tool_call"), features_of("f3(arg3=4)", "tool_call")
    assert one is not None
    assert other is not None
    assert 0 < similarity(one, other, weights) < 1


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\ud800",
        "{" * 50_000,
        "[" * 50_000,
        "def f(" * 10_000,
        '{"a":"\\' * 10_000,
        "a: 1\n" * 10_000,
        "\x00" * 99,
    ],
    ids=["empty", "blank", "surrogate", "braces", "brackets", "functions", "escapes", "lines", "nul"],
)
def test_any_text_has_features_and_a_key_or_neither(text: str, form: Form) -> None:
    assert (features_of(text, form) is None) == (form_key(text, form) is None)


@pytest.mark.parametrize("form", FORMS)
def test_keys_can_be_written(form: Form) -> None:
    for text in ('{"a": "\ud800"}', "f(x='\ud83d')", r"f(x='\ud83d')", "SELECT a FROM t WHERE b = '\ud800'"):
        key = form_key(text, form) or ""
        assert key.encode().decode() == key


def test_similarities_are_the_weighted_share_of_common_features() -> None:
    answers = [frozenset({("a", "1"), ("b", "2")}), frozenset({("a", "1"), ("b", "3")}), frozenset({("c", "1")})]
    matrix = similarity_matrix(answers, {"a": 3.0, "b": 1.0, "*": 2.0})
    assert matrix.tolist() == [[1, 3 / 5, 0], [3 / 5, 1, 0], [0, 0, 1]]
    assert similarity(answers[0], answers[1], {}) == 1 / 3


def test_the_similarities_of_a_case_are_positive_definite() -> None:
    queries = [f"SELECT a{n % 3}, b FROM t{n % 2} WHERE c = {n % 4}" for n in range(12)]
    features = [answer for query in queries if (answer := features_of(query, "sql"))]
    assert np.linalg.eigvalsh(similarity_matrix(features, field_weights([features[:6], features[6:]]))).min() > -1e-9
