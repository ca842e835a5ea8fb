"""Write parsed SQL in its normal form, and list its clauses.

The nodes are those of `sqlglot.exp`. They are told apart by their `key`, so that this module does not import the parser.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Node = Any
"""An expression of sqlglot, which has no types of its own here."""
LONGEST_FORM = 100_000
"""Characters of a normal form; nested common table expressions can grow it without bound."""
_EQUAL_COLUMNS = re.compile(r"=\(([\w#]+\.[\w.#]+),([\w#]+\.[\w.#]+)\)")
_FLIPPED = {"gt": "<", "gte": "<=", "lt": "<", "lte": "<="}
_EITHER_WAY = {"eq": "=", "neq": "<>", "add": "+", "mul": "*", "nullsafeeq": "<=>"}
_NEGATED = {"eq": "neq", "neq": "eq", "gt": "lte", "lte": "gt", "lt": "gte", "gte": "lt"}
_SETS = {"union", "intersect", "except"}
_READ_APART = frozenset(
    {
        "expressions",
        "from",
        "from_",
        "joins",
        "where",
        "group",
        "having",
        "order",
        "limit",
        "offset",
        "distinct",
        "with",
        "with_",
        "qualify",
        "kind",
    }
)


def normal_form_of(trees: Sequence[Node]) -> tuple[str, frozenset[tuple[str, str]]]:
    """Return the key of statements and the (place, text) of their clauses.

    Raises:
        ValueError: the normal form would be too long.
        RecursionError: the statement is nested too deeply.
    """
    writer = _Writer()
    key = ";".join(writer.text(_bare(tree), _Scope()) for tree in trees)
    return key, frozenset([*writer.parts, *(("statement", tree.key) for tree in trees)])


@dataclass(slots=True)
class _Scope:
    """The names that a query can refer to.

    Attributes:
        parent: the query around it.
        tables: the canonical name of each table, by its alias.
        renamed: for a table that is a subquery, the canonical name of each of its columns.
        outputs: the expression of each name in the list of columns, for `order by`.
        columns: the texts of the columns in order, for `order by 2`.
        same: one of the columns that inner joins make equal, by column.
        common: text and columns of each common table expression.
    """

    parent: _Scope | None = None
    tables: dict[str, str] = field(default_factory=dict)
    renamed: dict[str, Mapping[str, str]] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    columns: list[str] = field(default_factory=list)
    same: dict[str, str] = field(default_factory=dict)
    common: dict[str, tuple[str, Mapping[str, str]]] = field(default_factory=dict)

    def outward(self) -> Iterator[_Scope]:
        """Yield this scope and those around it."""
        scope: _Scope | None = self
        while scope:
            yield scope
            scope = scope.parent


class _Writer:
    """Writes nodes as texts and collects the clauses.

    Attributes:
        parts: (place, text) of clauses, and of the tables, columns, functions and values that are mentioned.
    """

    def __init__(self) -> None:
        self.parts: list[tuple[str, str]] = []
        self._depth = 0
        self._written = 0
        self._writers: dict[str, Callable[[Node, _Scope], str]] = {
            "select": lambda node, scope: self._query(node, scope)[0],
            **dict.fromkeys(_SETS, lambda node, scope: self._query(node, scope)[0]),
            "subquery": self._subquery,
            "paren": lambda node, scope: self.text(node.this, scope),
            "alias": lambda node, scope: self.text(node.this, scope),
            "column": self._column,
            "identifier": lambda node, _scope: str(node.name).lower(),
            "table": lambda node, scope: self._table(node, scope)[0],
            "literal": self._literal,
            "star": lambda _node, _scope: "*",
            "count": self._count,
            "not": self._not,
            "in": self._in,
            "between": lambda node, scope: "&".join(sorted(self._conditions(node, scope))),
            "ordered": lambda node, scope: self.text(node.this, scope) + (" desc" if node.args.get("desc") else ""),
            "anonymous": self._anonymous,
            **dict.fromkeys(_FLIPPED, self._comparison),
            **dict.fromkeys(_EITHER_WAY, self._comparison),
            "and": lambda node, scope: "&".join(sorted(set(self._conditions(node, scope)))),
            "or": lambda node, scope: "(" + "|".join(sorted({self.text(n, scope) for n in node.flatten()})) + ")",
        }

    def text(self, node: Node, scope: _Scope) -> str:
        """Return the normal form of a node."""
        return self._limited(self._writers.get(node.key, self._other)(node, scope))

    def _limited(self, written: str) -> str:
        self._written += len(written)
        if self._written > 20 * LONGEST_FORM or len(written) > LONGEST_FORM:
            raise ValueError("the normal form is too long")
        return written

    def _other(self, node: Node, scope: _Scope) -> str:
        """Write any other node by its key and what it holds."""
        values = []
        for name, value in node.args.items():
            for item in value if isinstance(value, list) else [value]:
                if item is True:
                    values.append(name)
                elif item:
                    values.append(self.text(item, scope) if hasattr(item, "args") else str(item).lower())
        written = f"{node.key}({','.join(values)})"
        self.parts += [("function", node.key), ("expression", written)]
        return written

    def _query(self, node: Node, parent: _Scope) -> tuple[str, Mapping[str, str]]:
        """Write a query; return its text and the canonical name of each of its columns."""
        scope = _Scope(parent)
        for common in (_arg(node, "with") or _Nothing).expressions:
            scope.common[common.alias.lower()] = self._nested(common.this, scope)
        if node.key in _SETS:
            return self._set(node, scope)
        place = "sub." * (self._depth > 0)
        clauses: list[tuple[str, str]] = []
        conditions: list[str] = []
        self._sources(node, scope, clauses, conditions)
        if where := node.args.get("where"):
            conditions += self._conditions(where.this, scope)
        clauses += [("where", condition) for condition in sorted(set(conditions))]
        for joined in filter(None, map(_EQUAL_COLUMNS.fullmatch, conditions)):
            scope.same[joined[2]] = scope.same.get(joined[1], joined[1])
        self._columns(node, scope, clauses)
        self._rest(node, scope, clauses)
        self.parts += [(place + name, text) for name, text in clauses]
        names = {
            column.alias_or_name.lower(): text for column, text in zip(node.expressions, scope.columns, strict=True)
        }
        return self._limited(f"select[{' '.join(f'{name}:{text}' for name, text in sorted(clauses))}]"), names

    def _columns(self, node: Node, scope: _Scope, clauses: list[tuple[str, str]]) -> None:
        for column in node.expressions:
            text = self.text(column, scope)
            scope.columns.append(text)
            if column.key == "alias":
                scope.outputs[column.alias.lower()] = text
        group = node.args.get("group")
        grouped = [self._referred(item, scope) for item in group.expressions] if group else []
        distinct = bool(node.args.get("distinct"))
        # Grouping by all columns without aggregates is `distinct`.
        if grouped and set(grouped) == set(scope.columns) and not node.args.get("having"):
            distinct, grouped = True, []
        clauses += [("select", text) for text in scope.columns]
        clauses += [("group", text) for text in grouped]
        clauses += [("distinct", "distinct")] if distinct else []

    def _rest(self, node: Node, scope: _Scope, clauses: list[tuple[str, str]]) -> None:
        for name in ("having", "qualify"):
            if condition := node.args.get(name):
                clauses += [(name, text) for text in self._conditions(condition.this, scope)]
        self._ends(node, scope, clauses)
        for name, value in node.args.items():
            if name not in _READ_APART and hasattr(value, "args"):
                clauses.append((name, self.text(value, scope)))

    def _ends(self, node: Node, scope: _Scope, clauses: list[tuple[str, str]]) -> None:
        """Add the order, with the place of each key, the limit and the offset."""
        if order := node.args.get("order"):
            for place, item in enumerate(order.expressions):
                direction = " desc" if item.args.get("desc") else ""
                clauses.append(("order", f"{place} {self._referred(item.this, scope)}{direction}"))
        for name in ("limit", "offset"):
            if held := node.args.get(name):
                count = held.args.get("count") or held.args.get("expression")
                clauses.append((name, self.text(count, scope) if count else name))

    def _set(self, node: Node, scope: _Scope) -> tuple[str, Mapping[str, str]]:
        """Write a union, intersection or difference; only the last one has an order."""
        left, names = self._nested(node.this, scope, operand=True)
        right, _ = self._nested(node.args["expression"], scope, operand=True)
        sides = [left, right] if node.key == "except" else sorted((left, right))
        name = node.key if node.args.get("distinct", True) else f"{node.key} all"
        scope.outputs |= names
        clauses: list[tuple[str, str]] = []
        self._ends(node, scope, clauses)
        self.parts += [("set", name), *clauses]
        return self._limited(f"{name}[{' '.join([*sides, *(f'{place}:{text}' for place, text in clauses)])}]"), names

    def _nested(self, node: Node, scope: _Scope, *, operand: bool = False) -> tuple[str, Mapping[str, str]]:
        """Write a query in brackets; its clauses count as those of a subquery, unless an `operand`."""
        while node.key in ("subquery", "paren") and not _arg(node, "with"):
            node = node.this
        self._depth += not operand
        written = self._query(node, scope) if node.key in {"select", *_SETS} else (self.text(node, scope), {})
        self._depth -= not operand
        return written

    def _subquery(self, node: Node, scope: _Scope) -> str:
        return f"({self._nested(node, scope)[0]})"

    def _sources(self, node: Node, scope: _Scope, clauses: list[tuple[str, str]], conditions: list[str]) -> None:
        """Add the tables; the conditions of inner joins are conditions of the query."""
        first = _arg(node, "from")
        joins = [*(first.this.args.get("joins") or [] if first else []), *(node.args.get("joins") or [])]
        sources = [*([first.this] if first else []), *(join.this for join in joins)]
        for source in sources:
            self._add_source(source, scope)
        names = list(scope.tables.values())
        clauses += [("from", names[0])] if first else []
        for place, join in enumerate(joins, 1 if first else 0):
            name = names[place] if place < len(names) else self.text(join.this, scope)
            held = [c for on in [join.args.get("on")] if on for c in self._conditions(on, scope)]
            held += [f"using {column.name.lower()}" for column in join.args.get("using") or []]
            side = " ".join(
                filter(
                    None, (join.side.lower(), join.kind.lower() if join.kind not in ("INNER", "CROSS", "OUTER") else "")
                )
            )
            if side or join.method:
                clauses.append(("from", f"{side or join.method.lower()} {name} on {'&'.join(sorted(held))}"))
            else:
                clauses.append(("from", name))
                conditions += held

    def _add_source(self, source: Node, scope: _Scope) -> None:
        text, names = self._table(source, scope)
        alias = (source.alias or (source.name if source.key == "table" else "") or text).lower()
        taken = list(scope.tables.values())
        number = sum(name.partition("#")[0] == text for name in taken)
        scope.tables[alias if alias not in scope.tables else f"{alias}#{number}"] = (
            f"{text}#{number + 1}" if number else text
        )
        scope.renamed[alias] = names

    def _table(self, node: Node, scope: _Scope) -> tuple[str, Mapping[str, str]]:
        if node.key != "table":
            text, names = self._nested(node, scope)
            return (f"({text})" if node.key == "subquery" else text), names
        if node.this is not None and node.this.key != "identifier":  # a function that returns a table
            return self.text(node.this, scope), {}
        name = ".".join(part.name.lower() for part in node.parts)
        self.parts.append(("table", name))
        common = next((outer.common[name] for outer in scope.outward() if name in outer.common), None)
        return (f"({common[0]})", common[1]) if common else (name, {})

    def _column(self, node: Node, scope: _Scope) -> str:
        """Write a column with its table, unless the query has only one."""
        name, table = node.name.lower(), node.table.lower()
        self.parts.append(("column", name))
        if not table:
            renamed = (names[name] for names in scope.renamed.values() if name in names)
            return scope.outputs.get(name) or scope.same.get(name) or next(renamed, name)
        for outer in scope.outward():
            if table in outer.tables:
                source = "sub" if outer.tables[table].startswith("(") else outer.tables[table]
                column = outer.renamed.get(table, {}).get(name, name)
                column = column if outer is scope and len(scope.tables) == 1 else f"{source}.{column}"
                return scope.same.get(column, column)
        return f"{table}.{name}"

    def _referred(self, node: Node, scope: _Scope) -> str:
        """Write a key of an order or group, which may be the number of a column."""
        number = int(node.name) if node.key == "literal" and node.name.isdecimal() and len(node.name) < 4 else 0
        return scope.columns[number - 1] if 0 < number <= len(scope.columns) else self.text(node, scope)

    def _literal(self, node: Node, _scope: _Scope) -> str:
        value = str(node.this)
        if node.args.get("is_string"):
            written = f"'{value}'"
        else:
            try:
                written = f"{float(value):.12g}"
            except ValueError:
                written = value
        self.parts.append(("value", written))
        return written

    def _count(self, node: Node, scope: _Scope) -> str:
        counted = node.this
        every = (
            counted is None or counted.key == "star" or (counted.key == "literal" and not counted.args.get("is_string"))
        )
        self.parts.append(("function", "count"))
        return "count(*)" if every else f"count({self.text(counted, scope)})"

    def _anonymous(self, node: Node, scope: _Scope) -> str:
        name = str(node.this).lower()
        self.parts.append(("function", name))
        return f"{name}({','.join(self.text(item, scope) for item in node.expressions)})"

    def _not(self, node: Node, scope: _Scope) -> str:
        inner = _bare(node.this)
        if inner.key in _NEGATED:
            return self._compared(_NEGATED[inner.key], inner.this, inner.args["expression"], scope)
        return f"not({self.text(inner, scope)})"

    def _in(self, node: Node, scope: _Scope) -> str:
        tested = self.text(node.this, scope)
        if query := node.args.get("query"):
            return f"in({tested},{self._subquery(query, scope)})"
        items = sorted({self._value(item, scope) for item in node.expressions})
        return f"=({','.join(sorted((tested, items[0])))})" if len(items) == 1 else f"in({tested},{','.join(items)})"

    def _comparison(self, node: Node, scope: _Scope) -> str:
        return self._compared(node.key, node.this, node.args["expression"], scope)

    def _compared(self, key: str, left: Node, right: Node, scope: _Scope) -> str:
        """Write a comparison with `<` or `<=` in one direction, or with sorted sides."""
        sides = [self.text(left, scope), self._value(right, scope)]
        if key in _EITHER_WAY:
            return f"{_EITHER_WAY[key]}({','.join(sorted(sides))})"
        if key in ("gt", "gte"):
            sides.reverse()
        return f"{_FLIPPED[key]}({','.join(sides)})"

    def _value(self, node: Node, scope: _Scope) -> str:
        """Write the right side of a comparison; some databases take "x" for a string there."""
        if node.key == "column" and not node.table and getattr(node.this, "quoted", False):
            self.parts.append(("value", f"'{node.name}'"))
            return f"'{node.name}'"
        return self.text(node, scope)

    def _conditions(self, node: Node, scope: _Scope) -> list[str]:
        """Return the texts of the conditions that `and` joins."""
        node = _bare(node)
        if node.key == "and":
            return [text for item in node.flatten() for text in self._conditions(item, scope)]
        if node.key == "between":
            tested = self.text(node.this, scope)
            return [
                f"<=({self.text(node.args['low'], scope)},{tested})",
                f"<=({tested},{self.text(node.args['high'], scope)})",
            ]
        return [self.text(node, scope)]


class _Nothing:
    expressions: tuple[Node, ...] = ()


def _arg(node: Node, name: str) -> Node:
    """Return an argument whose name has an underscore in newer versions of the parser."""
    return node.args.get(f"{name}_") or node.args.get(name)


def _bare(node: Node) -> Node:
    while node.key == "paren":
        node = node.this
    return node
