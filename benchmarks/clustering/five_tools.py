"""A made-up log of an IT operations agent with five tools.

One prompt of one model, asked five times. Calls are written as `tool(key="value")`, one to three in an answer, on lines of
their own, in a list or in a fence; titles and messages are free words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from benchmarks.clustering.company_logs import Draft, Maker, Planted, Seat, Write, chat, skewed
from benchmarks.clustering.made_up import Mode
from benchmarks.clustering.ops_requests import (
    ASKS,
    CHANNELS,
    METRICS,
    MODES,
    ORDINARY,
    PEOPLE,
    SERVICES,
    SYSTEMS,
    Call,
    Value,
    any_host,
    restart_call,
)

SEATS = tuple(Seat("ops-model", "", 0.8) for _ in range(5))

PLANTED = (
    Planted(
        Mode(
            "restarts_database", "restarts a database where an incident is expected", ("restart", "incident", "database")
        ),
        0.04,
    ),
    Planted(Mode("severity_low", "the severity of an incident is too low", ("severity", "low", "critical")), 0.045),
    Planted(Mode("no_end", "access is granted without an end", ("days", "end", "missing")), 0.03),
    Planted(Mode("admin", "admin rights are granted where reading is asked for", ("admin", "group", "read")), 0.025),
    Planted(Mode("no_notice", "the team is not notified before maintenance", ("notif", "notice")), 0.03),
    Planted(Mode("only_says", "says that it restarted a service, and calls nothing", ("words", "no tool", "no call", "without")), 0.03),
    Planted(Mode("staging", "acts on the staging host", ("host", "staging")), 0.025),
    Planted(Mode("hours", "hours are given as minutes", ("minutes", "hours", "scaled", "window")), 0.025),
    Planted(Mode("refuses_logs", "refuses to read sign-in logs", ("refus", "declin")), 0.02),
    Planted(Mode("slow", "a slow service is restarted or measured first", ("restart", "metric", "slow")), 0.03, "split"),
    Planted(Mode("vpn_team", "VPN sign-in goes to network or to identity", ("team", "network", "identity")), 0.025, "split"),
    Planted(Mode("wrong_user", "access is granted to the person who asks", ("user", "person")), 0.03, "wrong"),
)  # fmt: skip

SYSTEM = """You are the on-call assistant of the IT operations of Tidewater Shipping. You work on requests from the chat channel #ops.
You have five tools. Call them as Python functions, by keyword, one call a line:

restart_service(host: str, service: str)
    Restarts one service on one host. Never for databases: those belong to the DBA team.
open_incident(title: str, severity: "low" | "medium" | "critical", team: "dba" | "network" | "identity" | "desktop" | "apps")
    Critical is for outages that stop the work of a site or a whole team.
grant_access(user: str, group: str, days: int)
    Access of contractors ends; give the number of days. Grant the smallest group that does.
query_metric(host: str, metric: str, minutes: int)
    Reads a metric or a log over the last minutes.
notify(channel: str, text: str)
    Posts to a channel. Announce every planned restart or maintenance there first.

Rules: act on production unless the request says otherwise. If host, service or person cannot be made out, ask one question instead of
guessing. Questions on how things work are answered in words. Keep titles short. Do not repeat the request. Times are local to the site."""


def draw(rng: Random, mode: str | None) -> Draft:
    """Return the draft of a case of the mode, or of an ordinary one."""
    situation = (MODES[mode] if mode else skewed(rng, ORDINARY, 0.5))(rng)
    before = rng.random()
    if before < 0.18:
        turns = [*rng.choice(_EARLIER), situation.says]
    elif before < 0.3:
        turns = [f"{rng.choice(_GREETINGS)} {situation.says}"]
    else:
        turns = [situation.says]
    slip = _slipped(situation.right, Random(rng.random()))
    return Draft(None, chat(SYSTEM, *turns), _written(situation.right), _written(slip), _written(situation.failing))


_EARLIER = (
    ("Is the change freeze still on?", "No, it ended this morning."),
    ("Morning. Anything open from the night shift?", "Nothing is open. Two disks were swapped and both arrays are healthy."),
    ("Which team owns the berth planner?", "The apps team owns it."),
    ("Thanks, that did it.", "Glad to hear. Tell me if it comes back."),
)  # fmt: skip
_GREETINGS = ("Hi,", "hello ops,", "Good evening.", "Sorry to bother you again -", "urgent?", "fyi and for action:")


def _written(answer: Sequence[Call] | Sequence[str]) -> Write:
    def write(rng: Random, style: str) -> str:
        words = [part for part in answer if isinstance(part, str)]
        if words:
            return rng.choice(words)
        calls = [_call(part, rng) for part in answer if isinstance(part, Call)]
        form = rng.random()
        if form < 0.2:
            return f"```tool_code\n{_lines(calls)}\n```"
        if form < 0.35 and style != "production":
            return f"[{', '.join(calls)}]"
        return f"{rng.choice(_LEADS)}\n{_lines(calls)}" if form < 0.55 else _lines(calls)

    return write


_LEADS = ("On it.", "I will do this now:", "Understood.", "Working on it:")


def _lines(calls: Sequence[str]) -> str:
    return "\n".join(calls)


def _call(call: Call, rng: Random) -> str:
    values = dict(call.arguments)
    if call.texts:
        values["title" if call.tool == "open_incident" else "text"] = rng.choice(call.texts)
    items = list(values.items())
    if rng.random() < 0.3:
        rng.shuffle(items)
    return f"{call.tool}({', '.join(f'{key}={_literal(value)}' for key, value in items)})"


def _literal(value: Value) -> str:
    return str(value) if isinstance(value, int) else f'"{value}"'


def _slipped(right: Sequence[Call] | Sequence[str], rng: Random) -> tuple[Call, ...] | tuple[str, ...]:
    """Return an answer with a random error: another value, a call too few, or words where calls are expected."""
    calls = [part for part in right if isinstance(part, Call)]
    if not calls:
        return (restart_call(any_host(rng), rng.choice(SERVICES)),)
    kind = rng.random()
    if kind < 0.15:
        return ASKS
    if kind < 0.3 and len(calls) > 1:
        return tuple(calls[1:])
    place = rng.randrange(len(calls))
    call = calls[place]
    key = rng.choice(list(call.arguments))
    pools: dict[str, Sequence[Value]] = {
        "host": [any_host(rng)],
        "service": SERVICES,
        "severity": ("low", "medium", "critical"),
        "team": ("dba", "network", "identity", "desktop", "apps"),
        "user": PEOPLE,
        "group": [f"{rng.choice(SYSTEMS)}-read"],
        "days": (7, 14, 30, 60, 90),
        "metric": METRICS,
        "minutes": (5, 10, 15, 30, 60),
        "channel": CHANNELS,
    }
    others = [value for value in pools[key] if value != call.arguments[key]]
    calls[place] = replace(call, arguments={**call.arguments, key: rng.choice(others or ["unknown"])})
    return tuple(calls)


five_tools = Maker("five_tools", PLANTED, SEATS, draw)
