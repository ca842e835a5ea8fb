"""The length of a prompt in tokens, estimated without the tokenizer of its model."""

from __future__ import annotations

import math
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import orjson

from curator.records import JsonValue, Message

_WORD_BYTES = (string.ascii_letters + string.whitespace).encode()
_ASCII = bytes(range(128))
_TOKENS_PER_MESSAGE = 4


def estimate_tokens(messages: Iterable[Message], options: Mapping[str, JsonValue]) -> int:
    """Estimate the input tokens of a request.

    It is rather too many than too few, so that a budget holds: one token for every 4 ASCII letters and blanks, for every
    1.5 digits and signs, and for every 2 bytes of other UTF-8, and 4 for each message. Tool definitions
    and answer schemas among the options count as text. Measured with OpenAI's two tokenizers, that is 1.1 to 1.3 times the true number for English, code and JSON, and 1.05 to 3.7
    times for other languages. For text of only hexadecimal ids it is 0.8 times.
    """
    text = prompt_text(messages, (orjson.dumps(options[key]) for key in ("tools", "response_format") if key in options))
    return math.ceil(text.letters / 4 + text.signs / 1.5 + text.wide / 2) + _TOKENS_PER_MESSAGE * text.messages


@dataclass(frozen=True, slots=True)
class PromptText:
    """The bytes of a prompt: ASCII letters and blanks, other ASCII, the rest; and its messages."""

    letters: int
    signs: int
    wide: int
    messages: int


def prompt_text(messages: Iterable[Message], more: Iterable[bytes] = ()) -> PromptText:
    """Count the bytes of messages, with their calls of tools, and of `more` texts, by sort."""
    texts: list[bytes] = []
    count = 0
    for message in messages:
        count += 1
        texts.append(message.content.encode())
        texts.extend(text.encode() for call in message.tool_calls for text in (call.name, call.arguments))
    text = b"".join([*texts, *more])
    dense = text.translate(None, _WORD_BYTES)
    wide = dense.translate(None, _ASCII)
    return PromptText(len(text) - len(dense), len(dense) - len(wide), len(wide), count)
