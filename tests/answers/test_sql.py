"""Statements of SQL that mean the same have one normal form."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

from curator.answers.read import detect_kind, read_answer
from curator.answers.sql import read_sql


def key(text: str) -> str:
    statement = read_sql(text)
    assert statement is not None
    return statement.key


SAME = [
    ("SELECT Name FROM singer;", "select name\n  from Singer"),
    ("SELECT s.name FROM singer AS s", "SELECT name FROM singer"),
    (
        "SELECT T1.name FROM singer AS T1 JOIN concert AS T2 ON T1.id = T2.sid WHERE T2.year > 2014",
        "SELECT s.name FROM concert c, singer s WHERE (s.id = c.sid) AND 2014 < c.year",
    ),
    ('SELECT name FROM a WHERE c = "France"', "SELECT name FROM a WHERE 'France' = c"),
    ("SELECT avg(age) AS Average_Age FROM s", "SELECT AVG(s.age) FROM s"),
    (
        "SELECT a, count(*) AS n FROM t GROUP BY a ORDER BY n DESC LIMIT 5",
        "SELECT a, count(1) FROM t GROUP BY 1 ORDER BY 2 DESC FETCH FIRST 5 ROWS ONLY",
    ),
    ("WITH x AS (SELECT a FROM t WHERE b = 1) SELECT a FROM x", "SELECT q.a FROM (SELECT a FROM t WHERE b = 1) AS q"),
    (
        "WITH m AS (SELECT d, avg(s) AS v FROM e GROUP BY d) SELECT m.d FROM m WHERE m.v > 3",
        "SELECT x.d FROM (SELECT d, avg(s) AS mean FROM e GROUP BY d) x WHERE x.mean > 3",
    ),
    ("SELECT a FROM t WHERE b BETWEEN 1 AND 2", "SELECT a FROM t WHERE b >= 1 AND b <= 2.0"),
    ("SELECT `a` FROM `t`", "SELECT a FROM t"),
    ("SELECT TOP 5 a FROM t", "SELECT a FROM t LIMIT 5"),
    ("SELECT [a] FROM [t]", "SELECT a FROM t"),
    ("SELECT DISTINCT y FROM t", "SELECT y FROM t GROUP BY y"),
    ("SELECT a FROM t WHERE NOT (b = 1)", "SELECT a FROM t WHERE b <> 1"),
    ("SELECT a FROM t WHERE b IN (1)", "SELECT a FROM t WHERE b = 1"),
    ("SELECT a FROM t WHERE b IN (2, 1)", "SELECT a FROM t WHERE b IN (1, 2)"),
    ("SELECT a FROM x UNION SELECT b FROM y", "(SELECT b FROM y) UNION (SELECT a FROM x)"),
    ("SELECT a FROM t -- all\n WHERE b = 1", "SELECT a /* c */ FROM t WHERE b = 1"),
    ("SELECT T1.id FROM a T1 JOIN b T2 ON T1.id = T2.id", "SELECT T2.id FROM a T1 JOIN b T2 ON T1.id = T2.id"),
    ("SELECT count(*), d FROM c GROUP BY d", "SELECT d, count(*) FROM c GROUP BY d"),
    ("SELECT ts::date FROM t", "SELECT CAST(ts AS date) FROM t"),
    ("FROM t SELECT a", "SELECT a FROM t"),
    ("```sql\nSELECT a FROM t;\n```\nIt selects a.", "SELECT a FROM t"),
    ("Here is the query:\n\nSELECT a FROM t;\n\nThis selects all rows.", "SELECT a FROM t"),
    ("<sql>SELECT a FROM t</sql>", "SELECT a FROM t"),
    ('{"thought": "all of them", "query": "SELECT a FROM t;"}', "SELECT a FROM t"),
    ("SQL: `SELECT a FROM t`", "SELECT a FROM t"),
]
OTHER = [
    ("SELECT a FROM t LIMIT 10", "SELECT a FROM t LIMIT 5"),
    ("SELECT a.i FROM a LEFT JOIN b ON a.i = b.i", "SELECT a.i FROM a JOIN b ON a.i = b.i"),
    ("SELECT a FROM t ORDER BY a", "SELECT a FROM t ORDER BY a DESC"),
    ("SELECT a FROM t ORDER BY a, b", "SELECT a FROM t ORDER BY b, a"),
    ("SELECT a FROM x EXCEPT SELECT a FROM y", "SELECT a FROM y EXCEPT SELECT a FROM x"),
    ("SELECT a FROM x UNION ALL SELECT a FROM y", "SELECT a FROM x UNION SELECT a FROM y"),
    ("SELECT a FROM t WHERE b = 'X'", "SELECT a FROM t WHERE b = 'x'"),
    ("SELECT p.n FROM p JOIN p AS q ON p.k = q.m", "SELECT q.n FROM p JOIN p AS q ON p.k = q.m"),
    ("SELECT a FROM t WHERE b = 1 AND c = 2", "SELECT a FROM t WHERE b = 1 OR c = 2"),
    ("UPDATE t SET a = 1 WHERE b = 2", "UPDATE t SET a = 1"),
    ("SELECT count(a) FROM t", "SELECT count(DISTINCT a) FROM t"),
    ("SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u)", "SELECT a FROM t WHERE NOT EXISTS (SELECT 1 FROM u)"),
]


DOUBLING = ", ".join(f"a{i} AS (SELECT p.c FROM a{i - 1} p JOIN a{i - 1} q ON p.c = q.c)" for i in range(1, 40))


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_of_one_statement_are_equal(one: str, other: str) -> None:
    assert key(one) == key(other)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_other_statements_differ(one: str, other: str) -> None:
    assert key(one) != key(other)


@pytest.mark.parametrize(
    "text",
    [
        "Select the best option.",
        "Select B",
        "With love from me",
        "Update me",
        "create table tennis",
        "From the table, choose A",
        "The answer is 42",
        'c.execute("""\nCREATE TABLE t (a int)\n""")\nimport os',
        "",
    ],
)
def test_words_are_not_sql(text: str) -> None:
    assert read_sql(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * EXCLUDE (a) FROM read_csv('x.csv')",
        "SELECT date_trunc('month', d)::date, x->>'a' FROM t WHERE ts > now() - interval '7 days'",
        "SELECT a, row_number() OVER (PARTITION BY b ORDER BY c) AS rn FROM t QUALIFY rn = 1",
        "INSERT INTO t (a, b) VALUES (1, 'x')",
        "CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL)",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 9) SELECT * FROM r",
        "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET a = 1",
    ],
)
def test_statements_of_other_dialects_are_parsed(text: str) -> None:
    statement = read_sql(text)
    assert statement is not None
    assert statement.parts


def test_the_places_of_clauses_are_named() -> None:
    statement = read_sql("SELECT name FROM s WHERE age < (SELECT avg(age) FROM s) ORDER BY name LIMIT 3")
    assert statement is not None
    assert statement.parts >= {
        ("select", "name"),
        ("from", "s"),
        ("order", "0 name"),
        ("limit", "3"),
        ("sub.from", "s"),
    }


def test_sql_that_does_not_parse_is_compared_by_its_tokens() -> None:
    assert key("SELECT a FROM WHERE b = 1") == key("select  A from\nwhere b=1;")
    assert key("SELECT a FROM WHERE b = 1") != key("SELECT a FROM WHERE b = 2")


def test_a_limit_does_not_make_sql_a_number() -> None:
    queries = [f"SELECT name FROM t{n} WHERE x = {n} LIMIT {n}" for n in range(20)]
    assert detect_kind(queries) == "code"
    assert read_answer(queries[3], "code").key == key(queries[3])


@pytest.mark.parametrize(
    "text",
    [
        f"SELECT {'(' * 3_000}1{')' * 3_000} FROM t",
        f"SELECT a FROM t WHERE {'NOT ' * 2_000}a",
        f"SELECT a FROM {'x,' * 100_000}",
        f"WITH a0 AS (SELECT 1 AS c FROM z), {DOUBLING} SELECT * FROM a39",
        "SELECT 'a FROM t",
        "((((select 1" * 5_000,
    ],
    ids=["brackets", "not", "tables", "doubling", "quote", "open"],
)
def test_malformed_and_huge_sql_is_read(text: str) -> None:
    statement = read_sql(text)
    assert statement is None or len(statement.key) < 500_000


def test_the_parser_warns_of_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        read_sql("ALTER TABLE t SOMETHING (a) STRANGE b")
    assert not caplog.records


def test_the_parser_is_imported_only_for_sql() -> None:
    code = "import sys, curator.answers.structured as s; s.features_of('f(1)', 'sql'); print('sqlglot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
