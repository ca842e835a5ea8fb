"""The reason and the remedy for a record in which no request is found."""

from __future__ import annotations

from curator.errors import RecordError
from curator.readers.hints import address_of_body, key_paths, listed
from curator.readers.json_text import decoded, type_name
from curator.readers.replies import holds_reply
from curator.readers.response_bodies import holds_answer
from curator.readers.suggest import suggested_mapping
from curator.records import JsonValue


def unknown_remedy(record: dict[str, JsonValue]) -> str:
    """The remedy for a response of unknown shape, with the mapping that names its text."""
    mapping = suggested_mapping([record])
    named = mapping if "target:" in mapping else "`logs: {mapping: {input: ..., target: ...}}`"
    return f"log it as text or as a chat completion (`choices`), or name the key of its text with {named}"


def unrecognised(record: dict[str, JsonValue]) -> RecordError:
    """The error of a record that holds no request."""
    keys = key_paths(record)
    if place := address_of_body(record):
        return RecordError(
            f"the request is not in the record: {place!r} names the file that holds it",
            "put the content of that file in its place, or leave such records out of the logs: all others are used",
        )
    if "messages" in record:
        return RecordError(
            f"`messages` is a JSON {type_name(record['messages'])}, not a list",
            'log the list: [{"role": "user", "content": "..."}]',
        )
    if holds_answer(record) or "custom_id" in record or holds_reply(decoded(record.get("response"))):
        return RecordError(
            f"an answer without its question: no `messages` among the keys {listed(keys)}",
            "log request and response in one record; a batch's output file is joined with its input on `custom_id`",
        )
    return RecordError(
        f"not a chat-completions record: found the keys {listed(keys)}",
        f"name the key that holds the user's text, for example {suggested_mapping([record])}",
    )
