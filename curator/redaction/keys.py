"""Secrets with a form of their own.

Keys of providers, JSON web tokens, private keys, and passwords in URLs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from curator.redaction.checks import is_placeholder, is_uuid, looks_random
from curator.redaction.scan import Scan
from curator.redaction.spans import Span

# The forms that the providers document for their keys. A more special form stands before a more general one.
_FORMS = {
    "jwt": r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,3}",
    "anthropic-key": r"sk-ant-[A-Za-z0-9_-]{16,}",
    "openrouter-key": r"sk-or-[A-Za-z0-9_-]{16,}",
    "langfuse-key": r"[ps]k-lf-[0-9a-f-]{16,}",
    "openai-key": r"(?:sk|sess|ek|rk)-(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{16,}|sk-[A-Za-z]{32,}",
    "google-key": r"AIza[A-Za-z0-9_-]{30,}|ya29\.[A-Za-z0-9_-]{16,}|GOCSPX-[A-Za-z0-9_-]{16,}|1//0[A-Za-z0-9_-]{20,}|AQ\.Ab[A-Za-z0-9_-]{20,}",
    "aws-key": r"(?:AKIA|ASIA|ABIA|ACCA|AIDA|AROA)[A-Z0-9]{16}(?![A-Z0-9])|ABSK[A-Za-z0-9+/=]{40,}|bedrock-api-key-[A-Za-z0-9+/=_-]{16,}",
    "azure-key": r"[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}|[A-Za-z0-9]{52}(?:JQQJ99|AAAA|AzSe)[A-Za-z0-9]{20,}={0,2}|[A-Za-z0-9+/]{76}(?:AStA|ARm|AIoT|ACDb|APIM)[A-Za-z0-9+/]{4,}={0,2}|[A-Za-z0-9+/]{86}==",
    "github-token": r"gh[pousr]_[A-Za-z0-9_]{16,}|github_pat_[A-Za-z0-9_]{16,}",
    "gitlab-token": r"gl(?:pat|dt|rt|rtr|soat|cbt|ptt|ft|imt|agent|oas|ffct)-[A-Za-z0-9_.-]{16,}",
    "slack-token": r"xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{16,}|(?<=hooks\.slack\.com/)(?:services|workflows)/[A-Za-z0-9_/]{16,}",
    "stripe-key": r"[sprk]k_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{16,}",
    "huggingface-token": r"hf_[A-Za-z0-9]{20,}|api_org_[A-Za-z0-9]{20,}",
    "sendgrid-key": r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
    "twilio-key": r"SK[0-9a-f]{32}(?![0-9A-Za-z])",
    "telegram-token": r"[0-9]{8,10}:AA[A-Za-z0-9_-]{32,}",
    "discord-token": r"[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}",
    "age-key": r"AGE-SECRET-KEY-1[A-Z0-9]{40,}",
    "vault-token": r"hv[sbr]\.[A-Za-z0-9_-]{16,}",
    "mailgun-key": r"key-[0-9a-f]{32}",
    "databricks-token": r"dapi[0-9a-f]{32}(?:-[0-9])?|dose[0-9a-f]{32}",
    "api-key": r"(?:npm|dp\.[a-z]{2,4}\.|dop_v1|doo_v1|dor_v1|shp(?:at|ca|pa|ss)|dckr_(?:pat|oat)|lin_api|ntn|gsk|r8|nvapi|fw|rpa|figd|glc|glsa|sbp|sntry[su]|pscale_(?:tkn|pw|oauth)|ph[cx]|jina|e2b|vck|ops|rubygems|csk|tgp_v1|voy|bb_live|fo1|EAA[A-Za-z]|xai|tvly|pplx|fc|lsv2_(?:pt|sk)|pcsk|PMAK|NRAK|sq0(?:atp|csp)|pypi|ATATT3|ATCTT3|ATBB|EZ[AT]K|rnd|up|pat|pul|whsk|cfut|co)[-_]?(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_.=-]{20,}",
}
# A provider that is not in the list: a key says in its own prefix what it is, then comes something random.
_SELF_NAMED = r"(?:[A-Za-z0-9]{1,12}[-_])?(?:sk|pat|api|key|apikey|secret|token|live|prod|access|auth|pk|rk|svc|admin)(?:[-_][A-Za-z0-9]{1,8})?[-_](?P<random>[A-Za-z0-9]{16,})"
_KEY = re.compile(
    "(?<![A-Za-z0-9])(?:"
    + "|".join(f"(?P<{kind.replace('-', '_')}>{form})" for kind, form in _FORMS.items())
    + f"|(?P<self_named>{_SELF_NAMED}))"
)
_PRIVATE = re.compile(
    r"""-----BEGIN[ ](?P<what>[A-Z0-9 ]{0,30}PRIVATE[ ]KEY(?:[ ]BLOCK)?)----- (?: [\s\S]*? -----END[ ](?P=what)----- | (?:[A-Za-z0-9+/=\s:,\\-])* )""",
    re.VERBOSE,
)
_URL_PASSWORD = re.compile(
    r"://(?P<user>[^\s/:@\"'<>]*):(?P<password>[^\s\"'<>]+?)@(?=[\w\[.%-]+(?:[/:?#,\s\"'<>)\]\\]|$))"
)
_URL_TOKEN = re.compile(r"://(?P<token>[^\s/:@\"'<>]{16,})@(?=[A-Za-z0-9\[])")

_COMMAND = re.compile(
    r"(?<![\w-])(?:curl|wget)\b[^\n]{0,200}?\s(?:-u|--user)[ =]?[\"']?[^\s:\"']+:(?P<curl>[^\s\"'`]+)"
    r"|\b(?:mysql\w*|mariadb|sshpass|redis-cli)\b[^\n]{0,200}?\s-(?:p|a[ ])[ ]?[\"']?(?P<mysql>[^\s\"'`-][^\s\"'`]*)",
    re.MULTILINE,
)


def keys(scan: Scan) -> Iterator[Span]:
    """Yield the keys that are recognised by their own form."""
    text = scan.text
    for start, end in scan.long_words:
        for match in _KEY.finditer(text, max(0, start - 12), end):
            kind = match.lastgroup or ""
            if match["self_named"] is None:
                yield Span(*match.span(), kind.replace("_", "-"))
            elif looks_random(match["random"]):
                yield Span(*match.span(), "api-key")
    if b"private key" in scan.lower:
        for match in _PRIVATE.finditer(text):
            yield Span(*match.span(), "private-key")
    if b" -" in scan.plain:
        yield from _in_commands(text)
    if "@" in text and "://" in text:
        yield from _in_urls(text)


def _in_commands(text: str) -> Iterator[Span]:
    for match in _COMMAND.finditer(text):
        group = match.lastgroup or 0
        if not is_placeholder(match[group]):
            yield Span(*match.span(group), "password")


def _in_urls(text: str) -> Iterator[Span]:
    for match in _URL_PASSWORD.finditer(text):
        if not is_placeholder(match["password"]) or match["password"].isalpha():
            yield Span(*match.span("password"), "password")
    for match in _URL_TOKEN.finditer(text):
        if looks_random(match["token"]) and not is_uuid(match["token"]):
            yield Span(*match.span("token"), "token")
