"""Made-up secrets and personal data by seed, in sentences, encodings and fields of a case."""

from __future__ import annotations

import base64
import json
import random
import string
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from curator.records import Case, Document, Feedback, Message, Reference, Source, ToolCall

LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Planted:
    """A sensitive text in its sentence, as it is written in a field of a case."""

    kind: str
    family: str
    original: str
    written: str
    encoding: str
    field: str
    case: Case


def planted(count: int, seed: int, *, personal: bool) -> list[Planted]:
    """Return that many planted texts; kinds, encodings and fields take turns."""
    rng = random.Random(seed)
    makers = list((PERSONAL if personal else SECRETS).items())
    result = []
    for number in range(count):
        (kind, family), make = makers[number % len(makers)]
        original, sentence = make(rng)
        encoding = (
            list(ENCODINGS)[(number + number // len(makers)) % len(ENCODINGS)] if "\n" not in original else "plain"
        )
        field = list(FIELDS)[(number * 7 + number // len(FIELDS)) % len(FIELDS)]
        written = ENCODINGS[encoding](sentence, original)
        if field == "tool_arguments":
            written = json.dumps({"note": written})
        case = Case(
            id="c", messages=(Message("user", "Where is my order?"),), source=Source("log", 1), target="On its way."
        )
        result.append(Planted(kind, family, original, written, encoding, field, FIELDS[field](case, written)))
    return result


def _random(rng: random.Random, size: int, alphabet: str = LETTERS) -> str:
    return "".join(rng.choices(alphabet, k=size))


def _key(
    prefix: str, size: int, alphabet: str = LETTERS, *, sentence: str = "I use {} for this"
) -> Callable[[random.Random], tuple[str, str]]:
    def make(rng: random.Random) -> tuple[str, str]:
        key = prefix + _random(rng, size, alphabet)
        return key, sentence.format(key)

    return make


def _password(sentence: str) -> Callable[[random.Random], tuple[str, str]]:
    def make(rng: random.Random) -> tuple[str, str]:
        word = (
            rng.choice(["winter", "dragon", "Sommer", "letmein", "kaffee", "Manchester"])
            + _random(rng, 3, string.digits)
            + rng.choice("!$#*")
        )
        return word, sentence.format(word)

    return make


def _luhn(body: str) -> str:
    total = sum(sum(divmod(int(digit) * (1 if place % 2 else 2), 10)) for place, digit in enumerate(reversed(body)))
    return body + str(-total % 10)


def _card(rng: random.Random) -> tuple[str, str]:
    number = _luhn(rng.choice(["4", "51", "55", "2221"]).ljust(4, "7") + _random(rng, 11, string.digits))
    shown = rng.choice(
        [
            number,
            " ".join(number[i : i + 4] for i in range(0, 16, 4)),
            "-".join(number[i : i + 4] for i in range(0, 16, 4)),
        ]
    )
    return shown, f"please charge {shown} today"


def _pem(rng: random.Random) -> tuple[str, str]:
    body = "\n".join(_random(rng, 64, LETTERS + "+/") for _ in range(4))
    key = f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----"
    return body.splitlines()[1] + "\n" + body.splitlines()[2], f"deploy with\n{key}\nplease"


def _jwt(rng: random.Random) -> tuple[str, str]:
    parts = [
        base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=")
        for p in ({"alg": "HS256", "typ": "JWT"}, {"sub": _random(rng, 10)})
    ]
    token = ".".join([*parts, _random(rng, 43, LETTERS + "-_")])
    return token, f"it sends {token} and fails"


def _uuid_key(rng: random.Random) -> tuple[str, str]:
    key = str(uuid.UUID(int=rng.getrandbits(128)))
    return key, f"api_key={key}"


def _personal(forms: list[str], sentence: str) -> Callable[[random.Random], tuple[str, str]]:
    def make(rng: random.Random) -> tuple[str, str]:
        form = rng.choice(forms)
        text = "".join(str(rng.randint(1, 9)) if c == "#" else c for c in form)
        text = (
            text.replace("{first}", rng.choice(FIRST))
            .replace("{last}", rng.choice(LAST))
            .replace("{town}", rng.choice(TOWNS))
        )
        text = text.replace("{firm}", rng.choice(["contoso", "alpenbank", "studio-nord", "mailbox"]))
        return text, sentence.format(text)

    return make


def _iban(rng: random.Random) -> tuple[str, str]:
    country, size = rng.choice([("DE", 18), ("FR", 23), ("AT", 16), ("ES", 20), ("PL", 24)])
    body = _random(rng, size, string.digits)
    check = 98 - int(body + "".join(str(int(c, 36)) for c in country) + "00") % 97
    iban = f"{country}{check:02d}{body}"
    shown = rng.choice([iban, " ".join(iban[i : i + 4] for i in range(0, len(iban), 4))])
    return shown, f"send it to {shown} until Friday"


FIRST = ["anna", "jean-luc", "maria", "tom", "olga", "Priya", "sven"]
LAST = ["schmidt", "novak", "garcia", "lee", "O.brien", "Keller"]
TOWNS = ["Berlin", "Graz", "Ulm", "Springfield", "Leeds"]
HEX = "0123456789abcdef"
SECRETS: dict[tuple[str, str], Callable[[random.Random], tuple[str, str]]] = {
    ("openai", "known"): _key("sk-proj-", 48, LETTERS + "-_"),
    ("openai legacy", "known"): _key("sk-", 48),
    ("anthropic", "known"): _key("sk-ant-api03-", 80, LETTERS + "-_"),
    ("google", "known"): _key("AIza", 35, LETTERS + "-_"),
    ("aws id", "known"): _key("AKIA", 16, string.ascii_uppercase + "234567"),
    ("aws secret", "known"): _key("", 40, LETTERS + "/+", sentence="aws_secret_access_key = {}"),
    ("azure", "known"): _key("", 32, HEX, sentence="AZURE_OPENAI_API_KEY={}"),
    ("github", "known"): _key("ghp_", 36),
    ("slack", "known"): _key("xoxb-", 40, string.digits + string.ascii_lowercase),
    ("stripe", "known"): _key("sk_live_", 24),
    ("hugging face", "known"): _key("hf_", 34, string.ascii_letters),
    ("jwt", "known"): _jwt,
    ("bearer", "known"): _key("", 32, sentence="curl -H 'Authorization: Bearer {}' fails"),
    ("pem", "known"): _pem,
    ("password in url", "known"): _password("postgres://app:{}@db.internal:5432/shop"),
    ("password in json", "known"): _password('{{"user": "app", "password": "{}"}}'),
    ("password =", "known"): _password("DB_PASSWORD={}"),
    ("password told", "known"): _password("my password is {} but it does not work"),
    ("key told", "known"): _key("", 32, HEX, sentence="the secret key for it is {} I think"),
    ("card", "known"): _card,
    # The rules were written before these were looked at.
    ("unknown provider", "held out"): _key("zorp_live_", 24),
    ("unknown provider 2", "held out"): _key("qx-secret-", 32),
    ("netrc", "held out"): _password("machine example.org login bot password {}"),
    ("xml", "held out"): _password("<db><password>{}</password></db>"),
    ("connection string", "held out"): _password("Server=tcp:db,1433;User ID=sa;Password={};Encrypt=True"),
    ("uuid key", "held out"): _uuid_key,
    ("yaml", "held out"): _key("", 28, sentence="service:\n  client_secret: {}\n  port: 80"),
    ("markdown table", "held out"): _key("", 24, sentence="| API key | {} |"),
    ("german", "held out"): _password("das Passwort lautet {} und geht nicht"),
    ("basic auth", "held out"): _key("", 20, sentence="curl -u admin:{} https://example.org"),
}  # fmt: skip
PERSONAL: dict[tuple[str, str], Callable[[random.Random], tuple[str, str]]] = {
    ("mail", "known"): _personal(["{first}.{last}@{firm}.de", "{first}##@{firm}.co.uk", "{first}_{last}+news@mail.{firm}.com"], "write to {} please"),
    ("phone", "known"): _personal(["+49 ### #######", "+1 (###) ###-####", "+44 #### ######", "+33 # ## ## ## ##"], "my number is {} after five"),
    ("phone national", "known"): _personal(["0### #######", "(4##) ###-####", "5##-###-####", "0## / ### ## ##"], "call me: {} after five"),
    ("iban", "known"): _iban,
    ("address german", "known"): _personal(["Hauptstra\u00dfe ##, ##### {town}", "Am Alten Markt-Weg #, ##### {town}", "Bergstr. #a"], "send it to {} please"),
    ("address english", "known"): _personal(["### Maple Street, {town}, IL #####", "## Kings Road", "## N Oak Avenue, Apt #"], "I live at {}, thanks"),
    ("ip", "known"): _personal(["18#.2#.#.1##", "2001:db8:#:#::#a#"], "from {} only"),
    ("birth date", "known"): _personal(["0#.0#.19##", "19##-0#-1#"], "born on {}, he said"),
    ("mail [at]", "held out"): _personal(["{first}.{last}[at]{firm}.de"], "or {} if you like"),
    ("phone in words", "held out"): _personal(["017########", "5## ### ####"], "text me on {} tomorrow"),
    ("address other", "held out"): _personal(["## rue des Lilas, ##### Lyon", "Calle Mayor ##, ##### Madrid", "Via Roma ##", "Kerkstraat ##, #### AB Utrecht", "PO Box ####"], "send it to {} please"),
}  # fmt: skip
ENCODINGS: dict[str, Callable[[str, str], str]] = {
    "plain": lambda s, _: s,
    "json": lambda s, _: json.dumps({"text": s}),
    "plain twice": lambda s, _: f"{s} -- again: {s}",
    "json in json": lambda s, _: json.dumps({"payload": json.dumps({"text": s, "n": 1})}),
    "url": lambda s, _: f"https://example.org/?q={quote(s, safe='')}&page=2",
    "code block": lambda s, _: f"It fails:\n```\n{s}\n```\nWhy?",
    "base64": lambda s, _: base64.b64encode(s.encode()).decode(),
    "zero width": lambda s, o: s.replace(o, o[: len(o) // 2] + "\u200b" + o[len(o) // 2 :]),
    "unicode escapes": lambda s, _: (
        json.dumps({"t": s}).replace("@", "\\u0040").replace("-", "\\u002d").replace("=", "\\u003d")
    ),
    "hex": lambda s, _: s.encode().hex(),
}
FIELDS: dict[str, Callable[[Case, str], Case]] = {
    "user": lambda c, t: _with(c, messages=(Message("user", t),)),
    "system": lambda c, t: _with(c, messages=(Message("system", t), *c.messages)),
    "tool_arguments": lambda c, t: _with(c, messages=(*c.messages, Message("assistant", "", (ToolCall("1", "f", t),)))),
    "tool_result": lambda c, t: _with(c, messages=(*c.messages, Message("tool", t, tool_call_id="1"))),
    "target": lambda c, t: _with(c, target=t),
    "reference": lambda c, t: _with(c, reference=Reference(t, "label")),
    "comment": lambda c, t: _with(c, feedback=Feedback("down", comment=t)),
    "correction": lambda c, t: _with(c, feedback=Feedback("down", correction=t)),
    "metadata": lambda c, t: _with(c, metadata={"note": t}),
    "metadata_key": lambda c, t: _with(c, metadata={t: 1}),
    "document": lambda c, t: _with(c, documents=(Document(t),)),
    "options": lambda c, t: _with(c, options={"tools": [{"description": t}]}),
    "log_id": lambda c, t: _with(c, log_id=t),
}


def _with(case: Case, **changes: object) -> Case:
    from dataclasses import replace

    return replace(case, **changes)  # type: ignore[arg-type]
