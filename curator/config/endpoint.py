"""Checks of an endpoint: keys and hosts have places of their own in a config."""

from __future__ import annotations

import re
from collections.abc import Mapping

from curator.errors import ConfigError

OPENAI_BASE_URL = "https://api.openai.com/v1"
OPENAI_KEY = "OPENAI_API_KEY"
"""The variable of OpenAI's own endpoint; its key goes to no other one."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Some providers' keys (`gsk_...`, `hf_...`, `AIza...`) have the form of a name, but no variable mixes its letters so.
_KEY_WITH_FORM_OF_NAME = re.compile(r"(?:sk_|gsk_|hf_|r8_|AIza)\w{12,}|(?=\w*[a-z])(?=(?:\w*[0-9]){3})\w{24,}")
# A key of capitals and digits only (`AKIA...`) passes both checks above, but it has no underscore between words.
_CONVENTIONAL_NAME = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")

# litellm reads these fields of a request as its own arguments. They would send a key to a host that it was not named for,
# or put a key into the config. The clouds' regions and projects are neither.
_HOST_OPTIONS = re.compile(
    r"api_base|base_url|custom_llm_provider|use_litellm_proxy|fallbacks|context_window_fallback_dict|model_list"
    r"|aws_\w*endpoint\w*|\w+_(?:base_url|endpoint_url|token_url|auth_url|issuer_url)"
)
_CREDENTIAL_OPTIONS = re.compile(
    r"(?:\w+_)?api_key|organization|(?:\w+_)?headers?|authorization"
    r"|aws_(?!region_name$)\w+|azure_(?:ad_token\w*|username|password)|vertex_(?:ai_)?credentials"
    r"|litellm_credential_name|client_id|\w*(?:access_token|identity_token\w*|secret\w*|password|access_key\w*)"
)


def is_conventional_name(text: str) -> bool:
    """Return whether a text has the usual form of a variable's name (`MY_KEY`).

    Any other `api_key_env` may be the key itself, and is not shown.
    """
    return bool(_CONVENTIONAL_NAME.fullmatch(text)) and not _KEY_WITH_FORM_OF_NAME.fullmatch(text)


def _is_variable_name(text: str) -> bool:
    return bool(_VARIABLE_NAME.fullmatch(text)) and not _KEY_WITH_FORM_OF_NAME.fullmatch(text)


def check_endpoint(base_url: str | None, api_key_env: str | None) -> None:
    """Refuse an address with a secret in it, and a variable name that may be a key.

    Raises:
        ValueError: either of them; it shows neither.
    """
    if api_key_env is not None and not _is_variable_name(api_key_env):
        raise ValueError(
            "api_key_env: this is not the name of an environment variable, and may be the key itself: "
            "write the name here (such as MY_KEY), and put the key into that variable"
        )
    if base_url and ("@" in base_url or "?" in base_url):
        raise ValueError("base_url: it must not hold a name, password or query; give the key through `api_key_env`")


def endpoint_remedy(option: str) -> str | None:
    """Return the remedy for an option that sets a host or a credential; None for any other."""
    name = option.strip().lower().replace("-", "_")
    if _HOST_OPTIONS.fullmatch(name):
        return "name the endpoint with `base_url:`, and the provider in front of `model:`"
    if _CREDENTIAL_OPTIONS.fullmatch(name):
        return (
            "put the key into an environment variable, and name the variable with `api_key_env:` "
            "(litellm reads the credentials of AWS, Azure and Google from their usual variables)"
        )
    return None


def read_key(variable: str, environ: Mapping[str, str], *, owner: str) -> str:
    """Return the key that an environment variable holds.

    Args:
        variable: its name, as the config has it.
        environ: the environment.
        owner: the words for what the key belongs to, such as "model 'm'".

    Raises:
        ConfigError: the variable is missing or empty, or does not hold a key.
    """
    key = environ.get(variable, "").strip()
    if not key:
        raise ConfigError(
            f"{owner}: {words_for(variable, owner)} should hold its key and is not set",
            remedy=f"export {variable}=..., or name another variable in `api_key_env`"
            if is_conventional_name(variable)
            else "write the NAME of an environment variable into `api_key_env`, such as MY_KEY, not the key itself; "
            "then put the key into that variable",
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigError(
            f"{owner}: {words_for(variable, owner)} does not hold a key (there are blanks or special characters in it)",
            remedy="set it to the key and nothing else",
        )
    return key


def words_for(variable: str, owner: str) -> str:
    """Return the words for the variable of a key.

    A name of an unusual form may be the key itself, and is not shown.
    """
    if is_conventional_name(variable):
        return f"the environment variable {variable!r}"
    return f"the environment variable that `api_key_env` of {owner} names"
