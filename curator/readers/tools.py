"""The tools that a model was offered, in the form of the chat-completions API."""

from __future__ import annotations

from curator.readers.json_text import decoded
from curator.records import JsonValue

_SCHEMAS = ("parameters", "input_schema", "inputSchema", "parametersJsonSchema", "parameters_json_schema", "schema")


def plain_tools(value: JsonValue) -> list[JsonValue]:
    """The tools of a value, [] without any.

    Functions of the deprecated `functions`, of the Responses API, Anthropic, Bedrock and Gemini become tools of type
    `function`. A tool of another type, such as a search of the provider, stays as it is.
    """
    value = decoded(value)
    if isinstance(value, dict):
        value = value.get("tools") or value.get("functionDeclarations") or value.get("function_declarations") or [value]
    if not isinstance(value, list):
        return []
    tools: list[JsonValue] = []
    for item in value:
        tool = decoded(item)
        if isinstance(tool, dict) and isinstance(schema := decoded(tool.get("json_schema")), dict):
            tool = schema  # as OpenInference wraps it
        if not isinstance(tool, dict):
            continue
        group = tool.get("functionDeclarations") or tool.get("function_declarations")
        tools += plain_tools(group) if isinstance(group, list) else [_tool(tool)]
    return tools


def _tool(tool: dict[str, JsonValue]) -> JsonValue:
    inner = tool.get("function") or tool.get("toolSpec") or tool.get("tool_spec") or tool
    if (
        not isinstance(inner, dict)
        or not isinstance(inner.get("name"), str)
        or tool.get("type") not in (None, "function", "custom")
    ):
        return tool
    function: dict[str, JsonValue] = {"name": inner["name"]}
    if isinstance(inner.get("description"), str):
        function["description"] = inner["description"]
    schema = next((decoded(inner[key]) for key in _SCHEMAS if inner.get(key) is not None), None)
    if isinstance(schema, dict):
        function["parameters"] = schema.get("json", schema) if set(schema) == {"json"} else schema
    if isinstance(inner.get("strict"), bool):
        function["strict"] = inner["strict"]
    return {"type": "function", "function": function}
