"""Hosts of well-known providers, by the name that litellm gives the provider."""

from __future__ import annotations

from urllib.parse import urlsplit

OPENAI_BASE_URL = "https://api.openai.com/v1"
_PROVIDER_OF_HOST = {
    "api.anthropic.com": "anthropic",
    "api.deepseek.com": "deepseek",
    "api.fireworks.ai": "fireworks_ai",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral",
    "api.openai.com": "openai",
    "api.together.xyz": "together_ai",
    "api.x.ai": "xai",
    "generativelanguage.googleapis.com": "gemini",
    "openrouter.ai": "openrouter",
}


def provider_at(base_url: str | None) -> str | None:
    """Return the provider whose host a URL names; None for any other host.

    Without a URL it is OpenAI's.
    """
    return _PROVIDER_OF_HOST.get(urlsplit(base_url or OPENAI_BASE_URL).hostname or "")
