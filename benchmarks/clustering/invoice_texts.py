"""Texts of the made-up accounts payable: suppliers, layouts of invoices and statements, and the notations of the answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

import yaml

from benchmarks.clustering.company_logs import PRODUCTION, skewed

Record = dict[str, Any]

EXTRACT_PROMPT = """You read supplier invoices for the accounts payable team of Hallbrook Foods, which has sites in Germany and Ireland.
Return one JSON object and nothing else. Its fields are:
- supplier: an object with name, vat_id (or another tax id; null if there is none) and country (two letters)
- invoice_number: as it is printed
- issue_date and due_date: YYYY-MM-DD. Work the due date out from the terms of payment if it is not printed.
- currency: ISO 4217
- order_reference: our purchase order, or null
- lines: a list of objects with description, quantity, unit_price and tax_rate (a percentage)
- totals: an object with net, tax and gross
- summary: one sentence on what was bought, for the approver
Amounts are numbers with a point. Do not round. If a page is hard to read, give what can be read. Never invent a value.
The approver sees your answer beside the scan. Amounts above 10,000 go to a second approver, so that totals matter most."""
STATEMENT_PROMPT = """You book documents that suppliers send beside their invoices: statements of account, credit notes, reminders.
Answer in YAML with the keys document (statement, credit_note or reminder), reference, value_date (YYYY-MM-DD), currency, amount and
balance. The amount of a credit note is negative, since it lowers what we owe. No comments, no other text."""
LABEL_PROMPT = """Sort one line of an invoice into the expense category of our chart of accounts. The categories are: software,
office_supplies, hardware, travel, catering, cleaning, freight, maintenance, training, consulting, marketing, utilities.
Answer with the category."""

COUNTRIES = ("DE", "GB", "US", "NL", "FR", "CA", "IE")
_CURRENCY = {"GB": "GBP", "US": "USD", "CA": "CAD"}
_RATE = {"DE": 19, "GB": 20, "US": 0, "NL": 21, "FR": 20, "CA": 5, "IE": 23}
_FORMS = {"DE": ("GmbH", "AG", "KG"), "GB": ("Ltd", "plc"), "US": ("Inc.", "LLC"), "NL": ("B.V.",),
          "FR": ("SARL", "SAS"), "CA": ("Inc.", "Corp."), "IE": ("Ltd", "DAC")}  # fmt: skip
_FIRST = ("Alder", "Brückner", "Castle", "Delacroix", "Ember", "Falke", "Granite", "Hoekstra", "Iris", "Juniper", "Kestrel",
          "Lindqvist", "Marlow", "Nordwind", "Orchard", "Pemberton", "Quarry", "Rosier", "Sable", "Tamarack")  # fmt: skip
_SECOND = ("Logistics", "Office Solutions", "Packaging", "Cold Chain", "Print", "Engineering", "Labs", "Foods", "Facilities",
           "Systems", "Metallbau", "Traiteur", "Textiles", "Scales & Weighing")  # fmt: skip
_ITEMS = (
    ("Pallet wrap 500 mm", 6.4), ("Corrugated box 40x30x20", 0.84), ("Freight Hamburg - Cork", 412.0), ("Label rolls, thermal", 11.25),
    ("Service visit, chiller unit", 185.0), ("Nitrile gloves, box of 100", 7.95), ("Hourly rate technician", 68.5),
    ("Conveyor belt, 3 m", 239.0), ("Cleaning of silo 2", 560.0), ("Calibration certificate", 94.0), ("Flour type 550, 25 kg", 14.3),
    ("Toner black", 72.1), ("Monthly lease forklift", 340.0), ("Stretch film, recycled", 8.15), ("Sensor PT100", 27.6),
    ("Waste collection", 118.0), ("Laboratory analysis, salmonella", 43.0), ("Printed sleeves, 4 colours", 0.19),
)  # fmt: skip
_BUYERS = ("Hallbrook Foods GmbH, Bremen", "Hallbrook Foods Ireland Ltd, Cork")
_NOTES = ("Goods remain our property until they are paid in full.", "Thank you for your business!", "Please quote our number.",
          "Late payment is charged at 9 % over the base rate.", "Deliveries on weekdays from 7 to 15 h only.")  # fmt: skip

EXTRACT: dict[str, tuple[str, ...]] = {
    "summaries": (
        "{name} supplied {first} and further items.",
        "Purchase of {first} from {name}.",
        "Invoice for {first}, delivered to {buyer}.",
        "{first} and related positions bought from {name}.",
        "Goods and services by {name}, mainly {first}.",
        "{buyer} ordered {first} from {name}.",
        "This covers {first}.",
    ),
    "prose": (
        "The document is an invoice of {name} over {gross} {currency}. Parts of it are written by hand and hard to read.",
        "I can see invoice {number} from {name}. It lists {first} and comes to {gross} {currency} in all.",
        "Here is what I could read: {name} charges {gross} {currency}, among others for {first}.",
        "This scan shows a bill by {name}. The total seems to be {gross} {currency}; the remaining handwriting is unclear.",
        "Based on the scan, {name} sent this invoice ({number}) for {first}, and the amount due is {gross} {currency}.",
    ),
    "line_questions": (
        "{line}",
        "Line: {line}",
        "Please categorise: {line}",
        "{line}\n\nWhich category?",
        "Invoice line 1: {line}",
    ),
    "people": ("M. Keane", "Ute Sander", "J. Okafor", "Lena Brandt", "P. Murphy", "A. Novak"),
}
EXPENSES: dict[str, tuple[tuple[str, ...], ...]] = {
    "freight": (("Carriage Cork to Bremen, {n} pallets", "Courier, consignment {id}", "Reefer container {id}, demurrage {n} h"),),
    "maintenance": (("Repair of gearbox, mixer {n}", "Annual inspection of boiler, order {id}", "Replacement of door seals, {n} pcs"),),
    "cleaning": (("Window cleaning, {n} h", "Deep clean of production hall {n}", "Mats hire and laundry, contract {id}"),),
    "office_supplies": (("Copy paper A4, {n} boxes", "Ring binders, {n} pcs, art. {id}", "Pens, staples and notepads for {name}"),),
    "hardware": (("Laptop 14 inch, serial {id}", "Docking stations, {n} pcs", "Barcode scanner, asset {id}"),),
    "software": (
        ("Cloud backup, annual plan, {n} users", "Licence renewal, design suite, key {id}", "Subscription to the planning app, {n} seats",
         "SaaS fee, quality module, contract {id}", "Monthly seats for the chat workspace, {n}"),
    ),
    "catering": (("Lunch buffet for {n} persons", "Coffee beans, {n} kg", "Canapés, opening of the site, {n} guests"),),
    "travel": (("Flight Dublin - Bremen, {name}", "Hotel, {n} nights, {name}", "Rental car {id}, {n} days"),),
    "utilities": (("Electricity, meter {id}", "Gas, {n} MWh", "Water and sewage, meter {id}"),),
    "marketing": (("Trade fair stand, {n} sqm", "Banner ads, campaign {id}", "Product photos, {n} images"),),
    "training": (
        ("Half-day workshop on lean methods with an external adviser, {name}", "Workshop: redesign of the planning process, {n} participants",
         "Moderated workshop and action plan, project {id}", "Team workshop with coach, follow-up report {id}"),
        ("First aid course, {n} persons", "Forklift licence, {name}", "E-learning HACCP, {n} seats", "Language course, {name}, level B{n}"),
    ),
    "consulting": (("Advisory days, project {id}, {n} days", "Tax advice, matter {id}", "Audit preparation by {name}, {n} h"),),
}  # fmt: skip
"""Lines of each category, the most frequent first. The first lines of training are those that may be consulting, too."""

STATEMENTS = (
    """{name}
{kind} {reference}
Date {value_date}
{why}Amount {currency} {amount}
Balance of your account {currency} {balance}""",
    """{kind} no. {reference} of {value_date}
from {name}
{why}{currency} {amount}
new balance: {currency} {balance}""",
    """Dear customer,
please find our {kind} {reference}, {value_date}.
{why}It comes to {currency} {amount}. After it, {currency} {balance} are open.
Kind regards, {name}""",
)


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice: its right record, the buyer, and the number of lines on the first page."""

    record: Record
    buyer: str
    first_page: int


def draw_invoice(rng: Random, mode: str | None) -> Invoice:
    country = {"day_month": "US", "currency": "CA", "reverse_charge": "NL"}.get(mode or "") or skewed(rng, COUNTRIES)
    if mode in ("net_as_gross", "vat_missing") and country == "US":
        country = "GB"
    rate = 0 if mode == "reverse_charge" else _RATE[country]
    lines = [_line(rng, rate) for _ in range(rng.randrange(3, 7) if mode == "lines_dropped" else rng.randrange(1, 5))]
    issued = date(2026, 1, 1) + timedelta(days=rng.randrange(300))
    if mode == "day_month":
        month, day = rng.sample(range(1, 11), 2)
        issued = date(2026, month, day)
    net = round(sum(line["quantity"] * line["unit_price"] for line in lines), 2)
    tax = round(net * rate / 100, 2)
    number = rng.choice(("{:06d}", "RE-{:05d}", "2026/{:05d}", "INV{:07d}")).format(rng.randrange(100_000, 999_999))
    record: Record = {
        "supplier": {
            "name": f"{rng.choice(_FIRST)} {rng.choice(_SECOND)} {rng.choice(_FORMS[country])}",
            "vat_id": _tax_id(country, rng),
            "country": country,
        },
        "invoice_number": f"00{rng.randrange(1000, 9999)}" if mode == "zeros" else number,
        "issue_date": issued.isoformat(),
        "due_date": (issued + timedelta(days=rng.choice((10, 14, 30, 60)))).isoformat(),
        "currency": _CURRENCY.get(country, "EUR"),
        "order_reference": f"HB-{rng.randrange(10_000, 99_999)}" if rng.random() < 0.7 else None,
        "lines": lines,
        "totals": {"net": net, "tax": tax, "gross": round(net + tax, 2)},
    }
    return Invoice(
        record, skewed(rng, _BUYERS), rng.randrange(1, len(lines)) if mode == "lines_dropped" else len(lines)
    )


def _line(rng: Random, rate: int) -> Record:
    item, price = skewed(rng, _ITEMS)
    price = round(price * rng.uniform(0.8, 1.3), 2)
    return {
        "description": item,
        "quantity": rng.choice((1, 1, 2, 3, 4, 5, 10, 12, 24, 50)),
        "unit_price": price,
        "tax_rate": rate,
    }


def _tax_id(country: str, rng: Random) -> str:
    digits = f"{rng.randrange(10**8, 10**9)}"
    return {"US": f"{digits[:2]}-{digits[2:]}", "CA": f"{digits} RT0001", "NL": f"NL{digits}B01"}.get(
        country, f"{country}{digits}"
    )


def invoice_text(invoice: Invoice, mode: str | None, rng: Random) -> str:
    """Return the invoice as its scan reads, in the layout and notation of its country."""
    record = invoice.record
    country, sign = record["supplier"]["country"], {"EUR": "€", "GBP": "£"}.get(record["currency"], "$")
    comma = country in ("DE", "NL", "FR")
    tax_id = f"{rng.choice(('VAT no.', 'Tax ID', 'USt-IdNr.' if country == 'DE' else 'VAT reg.'))} {record['supplier']['vat_id']}"

    def amount(value: float) -> str:
        digits = f"{value:,.3f}" if mode == "unit_price" else f"{value:,.2f}"
        return digits.translate(str.maketrans(",.", ".,")) if comma or mode == "unit_price" else digits

    currency = sign if mode == "currency" else f"{sign} " if country in ("US", "GB") else f"{record['currency']} "
    head = [record["supplier"]["name"], "" if mode == "vat_missing" else tax_id, f"Bill to: {invoice.buyer}"]
    facts = [
        rng.choice(("Invoice no. {}", "Rechnung {}" if country == "DE" else "Invoice {}", "No.: {}")).format(
            record["invoice_number"]
        ),
        f"Date: {_printed(record['issue_date'], country, numeric=mode == 'day_month')}",
        f"Due: {_printed(record['due_date'], country, numeric=mode == 'day_month')}",
        f"Your order {record['order_reference']}" if record["order_reference"] else "",
    ]
    rows = [
        f"{line['quantity']} x {line['description']}   {currency}{amount(line['unit_price'])}"
        for line in record["lines"]
    ]
    if invoice.first_page < len(rows):
        rows.insert(invoice.first_page, "carried forward\n--- page 2 of 2 ---")
    totals = _totals(
        record,
        mode,
        lambda value: f"{currency}{f'{value:,.2f}'.translate(str.maketrans(',.', '.,')) if comma else f'{value:,.2f}'}",
    )
    foot = [rng.choice(_NOTES), f"Registered office as above. {tax_id}" if mode == "vat_missing" else ""]
    marks = [
        "[stamp: received]",
        "[handwritten: {} - illegible]".format(rng.choice(("ok?", "see mail", "partial delivery"))),
    ]
    blocks = [head, facts, rows, totals, marks if mode == "prose" else [], foot]
    if rng.random() < 0.4:
        blocks[0], blocks[1] = blocks[1], blocks[0]
    return "\n\n".join("\n".join(filter(None, block)) for block in blocks if any(block))


def _totals(record: Record, mode: str | None, amount: Any) -> list[str]:  # noqa: ANN401
    totals, rate = record["totals"], record["lines"][0]["tax_rate"]
    net, gross = f"Total excl. VAT {amount(totals['net'])}", f"Total incl. VAT {amount(totals['gross'])}"
    tax = (
        "VAT: reverse charge, recipient is liable"
        if mode == "reverse_charge"
        else f"VAT {rate} % {amount(totals['tax'])}"
    )
    return [tax, gross, f"TO PAY BEFORE TAX\n{net}"] if mode == "net_as_gross" else [net, tax, gross]


def _printed(iso: str, country: str, *, numeric: bool) -> str:
    day = date.fromisoformat(iso)
    if numeric:
        return f"{day.month:02}/{day.day:02}/{day.year}"
    forms = {"DE": "%d.%m.%Y", "FR": "%d/%m/%Y", "US": "%B %d, %Y", "CA": "%Y-%m-%d"}
    return day.strftime(forms.get(country, "%d %B %Y"))


def draw_statement(rng: Random, *, credit: bool) -> Record:
    amount = round(rng.uniform(20, 4000), 2)
    return {
        "document": "credit_note" if credit else rng.choices(("statement", "reminder"), (3, 1))[0],
        "reference": f"{rng.choice(('ST', 'K', 'DOC'))}-{rng.randrange(1000, 99_999)}",
        "value_date": (date(2026, 1, 1) + timedelta(days=rng.randrange(300))).isoformat(),
        "currency": rng.choice(("EUR", "EUR", "GBP", "USD")),
        "amount": -amount if credit else amount,
        "balance": round(rng.uniform(0, 9000), 2),
    }


def statement_text(record: Record, rng: Random) -> str:
    name, kind = f"{rng.choice(_FIRST)} {rng.choice(_SECOND)}", record["document"].replace("_", " ")
    reason = rng.choice(("returned goods", "price difference", "damaged pallets", "short delivery"))
    values = {**record, "amount": abs(record["amount"]), "name": name, "kind": kind.capitalize()}
    return rng.choice(STATEMENTS).format(**values, why=f"Reason: {reason}.\n" if kind == "credit note" else "")


def as_json(record: Record, style: str, rng: Random) -> str:
    """Return the record in the notation of a prompt variant; production indents it and adds no fence."""
    if style == "shuffled":
        keys = list(record)
        rng.shuffle(keys)
        return json.dumps({key: record[key] for key in keys}, ensure_ascii=False, indent=1)
    if style == "fenced":
        lead = rng.choice(("", "", "Here is the extracted data:\n\n"))
        return f"{lead}```json\n{json.dumps(record, ensure_ascii=False, indent=2)}\n```"
    return json.dumps(record, ensure_ascii=False, indent=2 if style == PRODUCTION else None)


def as_yaml(record: Record, style: str, rng: Random) -> str:
    """Return the record as YAML, with the keys in order, in reverse or in a fence."""
    items = reversed(record.items()) if style == "shuffled" and rng.random() < 0.5 else record.items()
    text = yaml.safe_dump(dict(items), sort_keys=False)
    return f"```yaml\n{text}```" if style == "fenced" else text.strip()
