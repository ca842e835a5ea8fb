"""Hosts of well-known providers, by the name that litellm gives the provider."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from curator.config.endpoint import OPENAI_BASE_URL

_PROVIDER_OF_HOST = {
    "api.anthropic.com": "anthropic",
    "api.cerebras.ai": "cerebras",
    "api.cohere.ai": "cohere",
    "api.cohere.com": "cohere",
    "api.deepinfra.com": "deepinfra",
    "api.deepseek.com": "deepseek",
    "api.fireworks.ai": "fireworks_ai",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral",
    "api.moonshot.ai": "moonshot",
    "api.openai.com": "openai",
    "api.perplexity.ai": "perplexity",
    "api.sambanova.ai": "sambanova",
    "api.together.ai": "together_ai",
    "api.together.xyz": "together_ai",
    "api.x.ai": "xai",
    "generativelanguage.googleapis.com": "gemini",
    "integrate.api.nvidia.com": "nvidia_nim",
    "openrouter.ai": "openrouter",
}
# Clouds have a host for each customer or region. Only hosts that the cloud itself answers are in the table: customers run
# servers of their own at other names below `amazonaws.com` (EC2, API Gateway), `azure.com` and `azure-api.net`.
_AZURE = re.compile(r"(?:[\w-]+\.)+(?:openai|cognitiveservices|services\.ai|models\.ai)\.azure\.(?:com|us)")
_GOOGLE = re.compile(r"(?:[\w-]+\.)+googleapis\.com")
_AWS = re.compile(
    r"(?:bedrock(?:-runtime)?|runtime\.sagemaker)(?:-fips)?\.[\w-]+\.amazonaws\.com(?:\.cn)?"
    r"|vpce-[\w-]+\.bedrock-runtime\.[\w-]+\.vpce\.amazonaws\.com"
)
_CLOUD_HOSTS = {
    "azure": _AZURE,
    "azure_ai": _AZURE,
    "bedrock": _AWS,
    "sagemaker": _AWS,
    "sagemaker_chat": _AWS,
    "vertex_ai": _GOOGLE,
    "vertex_ai_beta": _GOOGLE,
}
_SAME_PROVIDER = {"cohere_chat": "cohere"}


def provider_at(base_url: str | None) -> str | None:
    """Return the provider whose host a URL names; None for any other host.

    Without a URL it is OpenAI's.
    """
    return _PROVIDER_OF_HOST.get(urlsplit(base_url or OPENAI_BASE_URL).hostname or "")


def is_own_host(provider: str, base_url: str) -> bool:
    """Return whether a URL names a host of a provider, which may get the provider's key."""
    if _SAME_PROVIDER.get(provider, provider) == provider_at(base_url):
        return True
    cloud = _CLOUD_HOSTS.get(provider)
    return cloud is not None and bool(cloud.fullmatch(urlsplit(base_url).hostname or ""))
