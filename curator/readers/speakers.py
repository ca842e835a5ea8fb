"""Speakers of conversations by their usual names, and the usual keys around them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from unicodedata import combining, normalize

from curator.records import JsonValue, Role

_ROLES: Mapping[str, Role] = {
    **dict.fromkeys(
        ("user", "human", "customer", "visitor", "client", "prompter", "guest", "caller", "patient", "student", "shopper",
         "consumer", "buyer", "enduser", "contact", "lead", "requester", "employee", "inbound", "incoming", "questioner", "kunde", "kundin", "nutzer", "benutzer", "cliente", "usuario",
         "utilisateur", "klant", "gebruiker", "utente"),
        "user",
    ),
    **dict.fromkeys(
        ("assistant", "bot", "chatbot", "agent", "ai", "model", "gpt", "chatgpt", "bing", "bard", "claude", "gemini", "llm",
         "copilot", "operator", "support", "representative", "rep", "advisor", "consultant", "outbound", "outgoing",
         "expert", "tutor", "seller", "staff", "moss", "llama", "mistral", "assistent", "assistentin", "asistente", "assistente",
         "agente", "mitarbeiter", "berater", "conseiller", "medewerker"),
        "assistant",
    ),
    **dict.fromkeys(("system", "developer", "instructions"), "system"),
    **dict.fromkeys(("tool", "function", "observation", "ipython", "environment"), "tool"),
}  # fmt: skip
CALLS = frozenset(("function_call", "tool_call", "tool_calls", "function_calls", "action"))
"""Speakers whose text is the call of a tool, as ShareGPT has them."""
RESULTS = frozenset(("function_response", "tool_response", "tool_result", "function_result", "tool_output"))

ROLE_KEYS = ("role", "from", "speaker", "sender", "author", "participant", "sender_type", "author_type", "message_type",
             "type", "direction", "who", "actor", "speaker_type", "user_type", "source", "party", "sent_by")  # fmt: skip
"""Keys of a speaker, the surest first; one of the last ones is used only where its value is a speaker."""
TEXT_KEYS = ("content", "text", "message", "value", "body", "utterance", "msg", "parts", "contents", "message_text",
             "transcript", "said", "line", "blocks")  # fmt: skip
"""Keys of the text of a turn."""
SESSION_KEYS = ("session_id", "conversation_id", "thread_id", "chat_id", "call_id", "dialog_id", "dialogue_id", "session",
                "conversation", "thread", "thread_ts", "ticket_id", "case_id", "room_id", "channel_id", "conv_id", "convo_id", "sid", "cid", "session_uuid", "interaction_id",
                "message_tree_id", "transcript_id", "ticket", "contact_id", "chat", "call", "dialog", "dialogue", "conversation_hash",
                "gesprach", "gesprachs_id", "gesprachsnummer", "konversation", "konversations_id", "sitzung", "sitzungs_id", "unterhaltung",
                "id_conversation", "conversacion", "id_conversacion", "sesion", "id_sesion", "conversa", "sessao", "id_sessao",
                "conversazione", "sessione", "gesprek", "gesprek_id", "sessie", "sessie_id",
                "group_id", "run_id", "trace_id")  # fmt: skip
"""Keys that join the turns of a conversation."""
ORDER_KEYS = ("turn", "turn_id", "turn_index", "turn_number", "turn_no", "turn_idx", "message_index", "message_number", "message_no",
              "seq", "sequence", "sequence_number", "position", "order", "step", "index", "idx", "msg_index", "line_number",
              "utterance_index")  # fmt: skip
"""Keys of the place of a turn in its conversation."""
TIME_KEYS = ("timestamp", "created_at", "time", "created", "sent_at", "date", "datetime", "ts", "create_time", "created_time",
             "message_time", "start_time", "sent", "event_time", "occurred_at", "logged_at", "createdat", "created_date",
             "request_time", "when", "at", "started_at", "date_time", "posted_at", "inserted_at", "received_at")  # fmt: skip


_YES_NO = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@lru_cache(maxsize=4096)
def role_of(speaker: str) -> Role | None:
    """The role that the name of a speaker says, None where it says none.

    Of several words the last one counts: `Support Bot`, `customer_123`, `ShopBot`, `AI agent`.
    """
    plain = name_words(speaker)
    if len(plain) > 4:
        return None
    joined = "_".join(plain)
    if joined in CALLS or joined in RESULTS:
        return "assistant" if joined in CALLS else "tool"
    return next((_ROLES[word] for word in reversed(plain) if word in _ROLES), None)


def role_of_others(roles: Mapping[str, Role]) -> Role | None:
    """The role of all speakers beside the named ones: users, where only assistants are named."""
    return "user" if "assistant" in roles.values() and "user" not in roles.values() else None


@lru_cache(maxsize=16384)
def name_words(name: str) -> tuple[str, ...]:
    """The words of a name: `userMessage`, `user_message` and `User message` have the same."""
    if not name.isascii():  # `réponse` is `reponse`
        name = "".join(letter for letter in normalize("NFKD", name) if not combining(letter))
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return tuple(re.findall(r"[a-z]+|\d+", spaced.lower()))


@lru_cache(maxsize=16384)
def plain_name(name: str) -> str:
    """A key in the form of the lists of this module: `sessionId` becomes `session_id`."""
    return "_".join(name_words(name))


def speaker_of(turn: Mapping[str, JsonValue], roles: Mapping[str, Role]) -> tuple[str, Role] | None:
    """The key of the speaker of a turn and the speaker's role; None where no key says one.

    `roles` are those of speakers whose names say nothing.
    """
    for key in sorted(turn, key=_role_rank):
        if _role_rank(key) == len(ROLE_KEYS):
            break
        value = turn[key]
        if isinstance(value, dict):
            value = value.get("role") or value.get("type") or value.get("name")
        if isinstance(value, str) and (role := roles.get(value) or role_of(value)) is not None:
            return key, role
    return next(((key, role) for key, value in turn.items() if (role := flagged_role(key, value)) is not None), None)


def flagged_role(key: str, value: JsonValue) -> Role | None:
    """The role that a yes or no says, such as `is_bot: true`; None for any other value."""
    words = name_words(key)
    if not 1 < len(words) <= 3 or words[0] not in ("is", "from", "by"):
        return None
    role = role_of(words[-1])
    yes = str(value).lower()
    if role not in ("user", "assistant") or yes not in _YES_NO:
        return None
    return role if _YES_NO[yes] else "assistant" if role == "user" else "user"


def marks_bot(key: str) -> bool:
    """Return whether only the turns of a bot have a key, such as `bot_id` in chat products."""
    words = name_words(key)
    return len(words) == 2 and words[0] in ("bot", "chatbot") and words[1] in ("id", "name")


def _role_rank(key: str) -> int:
    name = plain_name(key)
    return ROLE_KEYS.index(name) if name in ROLE_KEYS else len(ROLE_KEYS)
