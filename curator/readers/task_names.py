"""The name of a call's task, under the keys that the formats have for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from curator.readers.json_text import decoded
from curator.records import JsonValue

_TASKS = ("task", "task_name")
_PROMPTS = ("prompt_name", "promptName", "prompt_slug", "promptSlug", "lc_hub_repo", "Helicone-Prompt-Id")
"""Names of stored prompts: of Langfuse, of other platforms, of LangChain's hub, and of Helicone."""
_PROMPT_OBJECTS = ("prompt", "prompt_management_metadata", "mlflow.linkedPrompts")
"""Objects about a stored prompt: of the Responses API and Braintrust, of LiteLLM, and a list of them of MLflow."""
_NAMES = ("name", "slug", "key", "prompt_id", "id")
_BODIES = frozenset(("messages", "content", "contents", "text", "input", "role"))
"""Keys of a prompt that was sent, not of one that is stored elsewhere."""
_ABOUT_CALLS = ("metadata", "requestMetadata", "properties", "request_properties")
"""Objects in which users say what a call was for; the last three are Bedrock's and Helicone's."""
_NESTED = (
    "metadata", "traceloop.association.properties", "ai.telemetry.metadata", "langfuse.observation.metadata",
    "langfuse.trace.metadata", "langsmith.metadata",
)  # fmt: skip
SPAN_TASKS = (
    *(f"{prefix}.{key}" for prefix in _NESTED for key in _TASKS),
    "gen_ai.prompt.name",
    "langfuse.observation.prompt.name",
    "traceloop.prompt.key",
    "langsmith.metadata.lc_hub_repo",
    "ai.telemetry.functionId",
    "prompt.id",
)
"""Attributes of spans that name the task, the surest ones first; `prompt.id` is that of OpenInference."""


def named_task(*holders: Mapping[str, JsonValue] | JsonValue) -> str | None:
    """The task that the objects name, else the stored prompt that was used; None without either.

    Earlier holders count first. Holders that are no objects, such as None, name none.
    """
    objects = [holder for holder in holders if isinstance(holder, Mapping)]
    for keys in (_TASKS, _PROMPTS):
        for holder in objects:
            if (name := _first_text(holder, keys)) is not None:
                return name
    return next((name for holder in objects for name in _stored_prompts(holder)), None)


def task_of_call(record: Mapping[str, JsonValue], request: Mapping[str, JsonValue]) -> str | None:
    """The task that a record or the request in it names, themselves or in their metadata."""
    about = [decoded(holder[key]) for holder in (record, request) for key in _ABOUT_CALLS if key in holder]
    return named_task(*about, record, request)


def _stored_prompts(holder: Mapping[str, JsonValue]) -> Iterator[str]:
    for key in _PROMPT_OBJECTS:
        if key not in holder:
            continue
        value = decoded(holder[key])
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, dict) and _BODIES.isdisjoint(first) and (name := _first_text(first, _NAMES)):
            yield name


def _first_text(holder: Mapping[str, JsonValue], keys: tuple[str, ...]) -> str | None:
    """The first value that is a text or a number."""
    for key in keys:
        value = holder.get(key)
        named = isinstance(value, str | int) and not isinstance(value, bool)
        if named and (text := str(value).strip()):
            return text
    return None
