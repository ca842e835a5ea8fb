"""A made-up log of accounts payable: invoices as JSON, account statements as YAML, and expense categories.

Two models with three prompts each. The answers come compact, indented or in a code fence, with their keys in any order and a
summary in free words, which no two answers share.
"""

from __future__ import annotations

from random import Random
from typing import Any

from benchmarks.clustering.company_logs import Draft, Maker, Planted, Seat, Write, chat, skewed
from benchmarks.clustering.invoice_texts import (
    EXPENSES,
    EXTRACT,
    EXTRACT_PROMPT,
    LABEL_PROMPT,
    STATEMENT_PROMPT,
    Invoice,
    as_json,
    as_yaml,
    draw_invoice,
    draw_statement,
    invoice_text,
    statement_text,
)
from benchmarks.clustering.made_up import Mode

Record = dict[str, Any]

PLANTED = (
    Planted(
        Mode("day_month", "day and month of the issue date are swapped", ("date", "day", "month")),
        0.045,
    ),
    Planted(Mode("net_as_gross", "the net total is given as the gross total", ("gross", "net")), 0.04),
    Planted(Mode("vat_missing", "the supplier's VAT id is missing", ("vat", "tax id")), 0.035),
    Planted(Mode("currency", "USD is given for Canadian dollars", ("currency", "usd", "cad")), 0.03),
    Planted(Mode("unit_price", "unit prices are a thousand times too high", ("price", "scaled", "thousand")), 0.03),
    Planted(Mode("lines_dropped", "the lines of the second page are missing", ("line",)), 0.025),
    Planted(Mode("prose", "a description in words where JSON is expected", ("format", "json", "prose", "form")), 0.03),
    Planted(Mode("credit_sign", "a credit note has a positive amount", ("amount", "sign", "negative", "credit")), 0.02),
    Planted(Mode("software", "software is labelled as office supplies", ("software", "supplies")), 0.025),
    Planted(Mode("reverse_charge", "the tax rate of a reverse charge is unclear", ("rate", "reverse")), 0.025, "split"),
    Planted(Mode("workshop", "workshops are training or consulting", ("training", "consulting")), 0.02, "split"),
    Planted(Mode("zeros", "leading zeros of the invoice number are lost", ("number", "zero")), 0.03, "wrong"),
)
TASK_OF = {"credit_sign": "statement", "software": "label", "workshop": "label"}
SEATS = tuple(
    Seat(model, variant, 0.7) for model in ("model-a", "model-b") for variant in ("compact", "fenced", "shuffled")
)


def draw(rng: Random, mode: str | None) -> Draft:
    """Return the draft of a case: of the task of the mode, or of any."""
    task = TASK_OF.get(mode, "invoice") if mode else rng.choices(("invoice", "statement", "label"), (66, 16, 18))[0]
    return {"invoice": _invoice, "statement": _statement, "label": _label}[task](rng, mode)


def _invoice(rng: Random, mode: str | None) -> Draft:
    invoice = draw_invoice(rng, mode)
    pages = invoice_text(invoice, mode, rng)
    turns = (pages,) if rng.random() < 0.92 else ("One more invoice follows.", "Please send it.", pages)
    right = invoice.record
    wrong: Write = _in_words(invoice) if mode == "prose" else _written(_failed(invoice, mode), invoice)
    slip = _written(_slipped(right, Random(rng.random())), invoice)
    return Draft("extract_invoice", chat(EXTRACT_PROMPT, *turns), _written(right, invoice), slip, wrong)


def _written(record: Record, invoice: Invoice) -> Write:
    def write(rng: Random, style: str) -> str:
        return as_json({**record, "summary": _summary(invoice, rng)}, style, rng)

    return write


def _summary(invoice: Invoice, rng: Random) -> str:
    name, first = invoice.record["supplier"]["name"], invoice.record["lines"][0]["description"]
    return rng.choice(EXTRACT["summaries"]).format(name=name, first=first, buyer=invoice.buyer)


def _in_words(invoice: Invoice) -> Write:
    def write(rng: Random, _style: str) -> str:
        record = invoice.record
        return rng.choice(EXTRACT["prose"]).format(
            name=record["supplier"]["name"],
            number=record["invoice_number"],
            gross=record["totals"]["gross"],
            currency=record["currency"],
            first=record["lines"][0]["description"],
        )

    return write


def _failed(invoice: Invoice, mode: str | None) -> Record:
    """Return the record as it is where the mode shows; the right one without a mode."""
    right = invoice.record
    totals, lines = right["totals"], right["lines"]
    changes: dict[str | None, Record] = {
        "day_month": {"issue_date": _swapped(right["issue_date"])},
        "net_as_gross": {"totals": {**totals, "gross": totals["net"]}},
        "vat_missing": {"supplier": {**right["supplier"], "vat_id": None}},
        "currency": {"currency": "USD"},
        "unit_price": {"lines": [{**line, "unit_price": round(line["unit_price"] * 1000, 2)} for line in lines]},
        "lines_dropped": {"lines": lines[: invoice.first_page]},
        "reverse_charge": {"lines": [{**line, "tax_rate": 19} for line in lines]},
        "zeros": {"invoice_number": str(right["invoice_number"]).lstrip("0")},
    }
    return {**right, **changes.get(mode, {})}


def _swapped(date: str) -> str:
    year, month, day = date.split("-")
    return f"{year}-{day}-{month}"


def _slipped(right: Record, rng: Random) -> Record:
    """Return the record with one random error."""
    lines = [dict(line) for line in right["lines"]]
    place = rng.randrange(len(lines))
    kind = rng.randrange(8)
    if kind == 0:
        lines[place]["quantity"] += rng.choice((1, 2, 9))
    elif kind == 1:
        lines[place]["unit_price"] = round(lines[place]["unit_price"] + rng.choice((0.1, 1, 10, -0.05)), 2)
    elif kind == 2:
        lines[place]["description"] = lines[place]["description"].split()[0]
    changes: dict[int, Record] = {
        3: {"due_date": None},
        4: {"order_reference": None if right["order_reference"] else "PO-1"},
        5: {"invoice_number": f"{right['invoice_number']}{rng.randrange(10)}"},
        6: {"supplier": {**right["supplier"], "country": rng.choice(("DE", "US", "NL", "IE"))}},
        7: {"totals": {**right["totals"], "tax": round(right["totals"]["tax"] + rng.choice((0.01, 1, 9)), 2)}},
    }
    return {**right, "lines": lines, **changes.get(kind, {})}


def _statement(rng: Random, mode: str | None) -> Draft:
    record = draw_statement(rng, credit=mode == "credit_sign")
    wrong = {**record, "amount": abs(record["amount"])}
    key = rng.choice(("reference", "balance", "value_date"))
    slip = {**record, key: {"reference": "unknown", "balance": record["balance"] + 10, "value_date": None}[key]}

    def written(value: Record) -> Write:
        return lambda rng, style: as_yaml(value, style, rng)

    messages = chat(STATEMENT_PROMPT, statement_text(record, rng))
    return Draft("account_statement", messages, written(record), written(slip), written(wrong))


def _label(rng: Random, mode: str | None) -> Draft:
    label = {"software": "software", "workshop": "training"}.get(mode or "") or skewed(rng, list(EXPENSES))
    texts = EXPENSES[label][label == "training" and mode is None]  # workshops are the inputs of their mode only
    text = rng.choice(texts)
    given = {"software": "office_supplies", "workshop": "consulting"}.get(mode or "", label)
    slip = rng.choice([other for other in EXPENSES if other != label])
    line = text.format(n=rng.randrange(2, 40), id=rng.randrange(1000, 99999), name=rng.choice(EXTRACT["people"]))

    def written(value: str) -> Write:
        forms = ("{}", "{}", "Category: {}", "`{}`", "{}.")
        return lambda rng, style: forms[0].format(value) if style == "compact" else rng.choice(forms).format(value)

    messages = chat(LABEL_PROMPT, rng.choice(EXTRACT["line_questions"]).format(line=line))
    return Draft("expense_category", messages, written(label), written(slip), written(given))


invoices = Maker("invoices", PLANTED, SEATS, draw)
