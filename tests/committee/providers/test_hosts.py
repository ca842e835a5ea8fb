"""Hosts of providers: each one's own gets its key, and no look-alike does."""

from __future__ import annotations

import pytest

from curator.committee.providers.hosts import is_own_host


@pytest.mark.parametrize(
    ("provider", "host"),
    [
        ("openai", "api.openai.com"),
        ("azure", "my-team.openai.azure.com"),
        ("azure", "my-team.cognitiveservices.azure.com"),
        ("azure_ai", "my-team.services.ai.azure.com"),
        ("azure_ai", "Mistral-large-abcde.eastus2.models.ai.azure.com"),
        ("vertex_ai", "aiplatform.googleapis.com"),
        ("vertex_ai", "europe-west1-aiplatform.googleapis.com"),
        ("vertex_ai", "aiplatform.eu.rep.googleapis.com"),
        ("bedrock", "bedrock-runtime.eu-west-1.amazonaws.com"),
        ("bedrock", "bedrock-runtime-fips.us-east-1.amazonaws.com"),
        ("bedrock", "vpce-0a1b-c2d3.bedrock-runtime.us-east-1.vpce.amazonaws.com"),
        ("sagemaker", "runtime.sagemaker.us-east-1.amazonaws.com"),
        ("cohere", "api.cohere.com"),
        ("cohere_chat", "api.cohere.ai"),
        ("together_ai", "api.together.ai"),
        ("perplexity", "api.perplexity.ai"),
    ],
)
def test_a_providers_own_hosts(provider: str, host: str) -> None:
    assert is_own_host(provider, f"https://{host}/v1")
    assert not is_own_host("groq", f"https://{host}/v1")
    assert not is_own_host(provider, f"https://{host}.example/v1")
    assert not is_own_host(provider, f"https://example/{host}/v1")


@pytest.mark.parametrize(
    ("provider", "host"),
    [
        ("azure", "openai.azure.com.example"),
        ("azure", "notopenai.azure.com"),
        ("azure", "my-gateway.azure-api.net"),
        ("azure", "api.openai.com"),
        ("vertex_ai", "notgoogleapis.com"),
        ("bedrock", "ec2-1-2-3-4.compute-1.amazonaws.com"),
        ("bedrock", "abc.execute-api.us-east-1.amazonaws.com"),
        ("openai", "my-team.openai.azure.com"),
    ],
)
def test_hosts_of_others(provider: str, host: str) -> None:
    assert not is_own_host(provider, f"https://{host}/v1")
