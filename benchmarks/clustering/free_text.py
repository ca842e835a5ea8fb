"""A made-up log of an assistant for staff questions at a retailer: free text only, and a system prompt for every site.

Three prompts at two temperatures. An answer is put together from wordings of the policy, of its details, and of what people say
around it, so that two right answers share few words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from random import Random

from benchmarks.clustering.company_logs import Draft, Maker, Planted, Seat, Write, chat, skewed
from benchmarks.clustering.made_up import Mode
from benchmarks.clustering.staff_questions import MODES, ORDINARY, Topic

SEATS = tuple(
    Seat("staff-model", variant, heat) for variant in ("handbook", "friendly", "stepwise") for heat in (0.3, 0.9)
)

PLANTED = (
    Planted(Mode("old_number", "an outdated number of days that can be carried over", ("carr", "days", "number")), 0.045),
    Planted(Mode("unit", "weeks are given for the days of a sick note", ("sick", "note", "week", "days")), 0.03),
    Planted(Mode("negation", "work from abroad is allowed where it is not", ("abroad", "not", "negat", "allowed")), 0.035),
    Planted(Mode("no_warning", "the tax warning on selling shares is missing", ("tax", "warning", "share", "sell")), 0.03),
    Planted(Mode("invented", "a button for payslips that does not exist", ("payslip", "button", "app")), 0.025),
    Planted(Mode("language", "questions in German or Spanish are answered in English", ("language", "english", "german", "spanish",
                                                                                     "urlaub", "vacaciones")), 0.03),
    Planted(Mode("refusal", "refuses questions on parental leave", ("refus", "declin", "parental")), 0.03),
    Planted(Mode("other_question", "asked for the bicycle scheme, answers on parking", ("bicycle", "bike", "cycle", "parking")), 0.02),
    Planted(Mode("short", "an answer on expenses that is too short to help", ("short", "expense", "receipt", "claim")), 0.025),
    Planted(Mode("overtime", "overtime is paid, or given back as time", ("overtime", "paid", "time off", "hours")), 0.03, "split"),
    Planted(Mode("contact", "payroll is named where the benefits desk is in charge", ("payroll", "benefits", "pension")), 0.03, "wrong"),
)  # fmt: skip

SITES = ("Leeds", "Utrecht", "Porto", "Graz", "Cork", "Malmö", "Ghent", "Tartu")
NAMES = (
    "Asha",
    "Benoît",
    "Carmen",
    "Dirk",
    "Elin",
    "Femi",
    "Grzegorz",
    "Hana",
    "Ines",
    "Jovan",
    "Kirsten",
    "Luca",
    "Maud",
    "Nils",
)
SYSTEM = """You are Penny, the assistant for staff questions of Halden & Rowe, a chain of household shops. You write to {name} at {site}.
Answer from the staff handbook only, in the language of the question. Be kind, and complete enough that {name} need not ask again, but do
not copy the handbook word for word. If a policy has a risk for the employee (tax, deadlines, loss of a claim), always say so. Never
promise exceptions. Never give advice on law. If the handbook does not cover a question, name the team that can help.
Personal matters such as leave for parents, illness or pay of the person who asks may be answered: they are asked for that purpose.
Opening hours of the people team: Monday to Friday, 9 to 16 h. Emergencies go to the duty manager. Today is {day} {month} 2026."""
MONTHS = ("January", "March", "April", "June", "September", "October")
OPENERS = {
    "handbook": ("", "", "According to the handbook: ", "The policy says the following. ", "Thank you for your question. "),
    "friendly": ("Hi {name}! ", "Hello {name}, good to hear from you. ", "Great question, {name}! ", "Sure thing. ", "Happy to help! "),
    "stepwise": ("", "Here is how it works. ", "In short: ", "Let me explain. ", "To answer your question: "),
    "production": ("", "Hi {name}, ", "Thanks for asking. ", "Hello! "),
}  # fmt: skip
CLOSERS = ("", "", "", " Let me know if anything is unclear.", " Have a good day!", " The people team can tell you more.",
           " I hope this helps.", " You can find it in the handbook, too.", " Anything else?")  # fmt: skip
HARDLY = ("Yes, you can.", "Yes.", "That is possible.", "Sure, just hand it in.", "Of course.", "You can.")
REFUSALS = (
    "I'm sorry, but I can't discuss personal or family matters.",
    "I am not able to help with questions about pregnancy or parental leave. Please speak to someone you trust.",
    "Sorry, this is a sensitive personal topic that I cannot comment on.",
    "I'm afraid I can't answer that, as it concerns private circumstances.",
    "Unfortunately I cannot provide information about personal leave of this kind.",
)


def draw(rng: Random, mode: str | None) -> Draft:
    """Return the draft of a case: a question of the mode, or of any ordinary topic."""
    topic = rng.choice(MODES[mode]) if mode else skewed(rng, ORDINARY, 0.6)
    site, name = skewed(rng, SITES), rng.choice(NAMES)
    facts = {"site": site, "name": name, **topic.facts(site)}
    system = SYSTEM.format(name=name, site=site, day=rng.randrange(1, 29), month=rng.choice(MONTHS))
    question = rng.choice(topic.questions).format(**facts)
    turns: tuple[str, ...]
    if rng.random() < 0.15 and not topic.foreign:
        other = rng.choice(ORDINARY)
        other_facts = {**facts, **other.facts(site)}
        turns = (
            rng.choice(other.questions).format(**other_facts),
            other.says[0].format(**other_facts),
            f"Thanks. {question}",
        )
    else:
        turns = (rng.choice(("{}", "{}", "Hi Penny, {}", "{} Thanks, {name}")).format(question, name=name),)
    return Draft(
        "staff_questions",
        chat(system, *turns),
        _says(topic, facts),
        _slip(topic, facts, rng.random()),
        _failing(mode, topic, facts),
    )


def _says(topic: Topic, facts: dict[str, str]) -> Write:
    """Return a writer of right answers: an opener, the policy, its details in words of their own, and a closer."""

    def write(rng: Random, style: str) -> str:
        details = [rng.choice(wordings) for wordings in topic.always]
        details += [rng.choice(wordings) for wordings in topic.sometimes if rng.random() < 0.5]
        if style == "stepwise" and rng.random() < 0.3 and details:
            body = "\n".join([rng.choice(topic.says), *(f"- {detail}" for detail in details)])
        else:
            body = " ".join([rng.choice(topic.says), *details])
        around = ("", "") if topic.foreign else (rng.choice(OPENERS[style]), rng.choice(CLOSERS))
        return f"{around[0]}{body}{around[1]}".format(**facts)

    return write


def _slip(topic: Topic, facts: dict[str, str], seed: float) -> Write:
    """Return a writer with one random error: another number, or the answer to another question."""
    rng = Random(seed)
    other = rng.choice([candidate for candidate in ORDINARY if candidate is not topic])
    elsewhere = _says(other, {**facts, **other.facts(facts["site"])})
    by = rng.choice((2, 3, 5, 10))

    def write(rng: Random, style: str) -> str:
        text = _says(topic, facts)(rng, style)
        changed = re.sub(r"\d+", lambda match: str(int(match[0]) + by), text, count=1)
        return changed if changed != text else elsewhere(rng, style)

    return write


def _failing(mode: str | None, topic: Topic, facts: dict[str, str]) -> Write:
    if mode == "refusal":
        return _one_of(REFUSALS)
    if mode == "short":
        return _one_of(HARDLY)
    if mode == "no_warning":
        return _says(replace(topic, always=()), facts)
    details = () if mode in ("language", "invented", "other_question") else topic.sometimes
    wrong = replace(topic, says=topic.wrong, always=topic.wrong_always, sometimes=details, foreign=False)
    return _says(wrong, facts)


def _one_of(texts: Sequence[str]) -> Write:
    return lambda rng, _style: rng.choice(texts)


free_text = Maker("free_text", PLANTED, SEATS, draw)
