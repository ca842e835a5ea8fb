"""The options of a request that shape an answer, by their names in the chat-completions API."""

from __future__ import annotations

from collections.abc import Mapping

from curator.readers.json_text import EXACT, decoded
from curator.readers.tools import plain_tools
from curator.records import JsonValue

Fields = Mapping[str, JsonValue]

LOST_TOOLS = "tools of the provider itself (such as a web search): the committee is asked without them"
"""Another provider's model does not have them."""
CONFIGS = (
    "generationConfig", "generation_config", "config", "inferenceConfig", "textGenerationConfig", "parameters", "options",
    "toolConfig", "additionalModelRequestFields", "model_parameters",
)  # fmt: skip
"""Objects in a request that hold options."""
_MOST_TOKENS = (
    "max_completion_tokens", "max_output_tokens", "max_tokens", "maxOutputTokens", "maxTokens", "max_new_tokens",
    "max_tokens_to_sample", "max_gen_len", "maxTokenCount", "num_predict",
)  # fmt: skip
_STOPS = ("stop", "stop_sequences", "stopSequences")
_CHOICES = ("auto", "any", "none", "required")
_FORMS = ("responseSchema", "response_schema", "responseJsonSchema")
_SHAPING_KEYS = frozenset((
    *_MOST_TOKENS, *_STOPS, *_FORMS, "tools", "functions", "tool_choice", "toolChoice", "response_format", "text", "format",
    "responseMimeType", "response_mime_type",
))  # fmt: skip
OPTION_KEYS = _SHAPING_KEYS | {"model", "function_call"}
"""The keys of a request that are read as options, or that say nothing of what was asked."""


def request_options(
    body: Fields, model_parameters: JsonValue = None, notes: list[str] | None = None
) -> dict[str, JsonValue]:
    """The options of a request body, also in the objects that it has for them.

    LiteLLM logs them as `model_parameters`. What was lost is added to `notes`.
    """
    holders = [body, *(inner for key in CONFIGS if key in body and isinstance(inner := decoded(body[key]), dict))]
    if isinstance(parameters := decoded(model_parameters), dict):
        holders.append(parameters)
    options: dict[str, JsonValue] = {}
    for holder in reversed(holders):
        options |= call_options(holder, notes)
        if holder.get("tool_choice") == "auto":
            options["tool_choice"] = "auto"
    return options


def call_options(holder: Fields, notes: list[str] | None = None) -> dict[str, JsonValue]:
    """The options among the keys of one object. What was lost is added to `notes`."""
    options: dict[str, JsonValue] = {}
    if _SHAPING_KEYS.isdisjoint(holder):
        return options
    most = next((holder[key] for key in _MOST_TOKENS if holder.get(key)), None)
    if isinstance(most, int | float) and not isinstance(most, bool) and 0 < most < EXACT:
        options["max_tokens"] = int(most)
    stop = decoded(next((holder[key] for key in _STOPS if holder.get(key)), None))
    if isinstance(stop, str | list) and stop:
        options["stop"] = stop
    if form := _response_format(holder):
        options["response_format"] = form
    definitions = plain_tools(holder.get("tools") or holder.get("functions"))
    functions = [tool for tool in definitions if isinstance(tool, dict) and "function" in tool]
    if functions:
        options["tools"] = list(functions)
    if len(functions) < len(definitions) and notes is not None:
        notes.append(LOST_TOOLS)
    if choice := _tool_choice(decoded(holder.get("tool_choice") or holder.get("toolChoice"))):
        options["tool_choice"] = choice
    return options


def _tool_choice(choice: JsonValue) -> JsonValue:
    """The tool that must be called, in the words of every API; None where the model may choose."""
    if isinstance(choice, dict):
        kind = choice.get("type") or next(
            (key for key in (*_CHOICES, "tool") if isinstance(choice.get(key), dict)), None
        )
        inner = choice.get("tool") if "type" not in choice else choice
        if kind in ("tool", "function") and isinstance(inner, dict) and isinstance(name := inner.get("name"), str):
            return {"type": "function", "function": {"name": name}}
        choice = kind if kind in _CHOICES else choice
    if choice == "any":
        return "required"
    return choice if isinstance(choice, str | dict) and choice and choice != "auto" else None


def _response_format(holder: Fields) -> dict[str, JsonValue] | None:
    """The form of the answer that was asked for, in the words of every API."""
    text = holder.get("text")
    form = text.get("format") if isinstance(text, dict) else None
    if isinstance(form, dict) and form.get("type") == "json_schema":
        return {"type": "json_schema", "json_schema": {key: value for key, value in form.items() if key != "type"}}
    if isinstance(form, dict) and form.get("type") == "json_object":
        return {"type": "json_object"}
    mime = holder.get("responseMimeType") or holder.get("response_mime_type")
    schema = next((holder[key] for key in _FORMS if holder.get(key)), None)
    if isinstance(schema := decoded(schema) or holder.get("format"), dict) and schema and "text" not in holder:
        return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    if mime == "application/json" or holder.get("format") == "json":
        return {"type": "json_object"}
    plain = decoded(holder.get("response_format"))
    return plain if isinstance(plain, dict) and plain.get("type") not in (None, "text") else None
