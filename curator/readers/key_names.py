"""Usual names of the keys of logs, by what they hold, the surest ones first."""

from __future__ import annotations

from collections.abc import Mapping

USERS = frozenset(("user", "human", "customer", "visitor", "client", "caller"))
SPEAKERS = USERS | {"assistant", "bot", "chatbot", "agent", "ai", "model", "llm", "gpt", "chatgpt", "system"}
QUESTIONS = (
    "input", "prompt", "question", "query", "instruction", "user_input", "user_message", "user_query", "user_prompt", "user_text",
    "request", "text", "user", "utterance", "message", "messages", "content", "human", "customer_message", "problem", "ask", "asked",
    "conversation", "conversations", "inputs", "q", "said", "body", "subject", "frage", "anfrage", "eingabe", "pregunta", "consulta", "pergunta",
    "domanda", "vraag", "demande",
)  # fmt: skip
ANSWERS = (
    "target", "output", "response", "answer", "completion", "reply", "prediction", "result", "assistant", "bot", "bot_response",
    "assistant_response", "model_response", "model_output", "assistant_message", "bot_message", "bot_reply", "generated_text",
    "generation", "chosen", "llm_output", "llm_response", "ai_response", "outputs", "agent_reply", "gpt", "a", "solution", "message",
    "text", "content", "antwort", "ausgabe", "respuesta", "resposta", "risposta", "reponse", "antwoord",
)  # fmt: skip
LABELS = ("label", "gold", "expected", "expected_output", "expected_answer", "ideal", "reference", "reference_answer", "ground_truth",
           "correct_answer", "gold_answer", "gold_label", "human_answer", "golden_answer", "true_label", "reference_output")  # fmt: skip
CORRECTIONS = (
    "correction",
    "corrected",
    "corrected_answer",
    "edited",
    "edited_response",
    "fixed_answer",
    "better_answer",
    "rewrite",
)
IDS = ("id", "request_id", "record_id", "message_id", "uuid", "row_id", "log_id", "case_id", "event_id", "interaction_id",
        "query_id", "ticket", "ticket_id", "custom_id", "guid")  # fmt: skip
TASKS = ("task", "task_name", "use_case", "intent_task", "endpoint", "route", "prompt_name", "feature")
MODELS = (
    "model",
    "modell",
    "modelo",
    "modele",
    "model_name",
    "model_id",
    "engine",
    "deployment",
    "llm",
    "model_version",
    "deployment_name",
)
THUMBS = ("thumb", "thumbs", "feedback", "vote", "verdict", "user_feedback", "liked", "helpful", "reaction", "rating", "score",
           "like", "was_helpful", "thumbs_up", "is_helpful", "hilfreich", "util", "utile",
           "daumen", "pouce", "pulgar", "polegar", "pollice", "duim", "bewertung", "valoracion", "avaliacao", "label")  # fmt: skip
RATINGS = (
    "rating",
    "stars",
    "score",
    "csat",
    "user_rating",
    "star_rating",
    "satisfaction",
    "feedback_score",
    "nps",
    "user_score",
    "bewertung",
    "sterne",
    "estrellas",
    "etoiles",
    "stelle",
    "sterren",
    "valoracion",
    "calificacion",
    "puntuacion",
    "avaliacao",
    "valutazione",
    "beoordeling",
)
COMMENTS = (
    "comment",
    "comments",
    "feedback_text",
    "user_comment",
    "remark",
    "feedback_comment",
    "note",
    "notes",
    "feedback",
    "bemerkung",
    "kommentar",
    "anmerkung",
    "commentaire",
    "comentario",
    "commento",
    "opmerking",
)
SYSTEMS = ("system", "system_prompt", "system_message", "instructions", "preprompt", "system_instruction")
FIXED: Mapping[str, tuple[str, ...]] = {
    "tools": ("tools", "functions", "available_tools", "tool_definitions"),
    "options": ("options", "model_parameters", "parameters", "request_options", "invocation_params"),
    "documents": ("documents", "source_documents", "contexts", "retrieved_documents", "retrieved_contexts", "chunks", "passages", "sources", "retrieved",
                  "search_results", "docs", "context"),
    "user": ("benutzer", "nutzer", "usuario", "utilisateur", "user_id", "userid", "customer_id", "account_id", "user_hash", "visitor_id", "end_user", "client_id", "user_email"),
    "status": ("status_code", "status", "http_status", "response_status", "outcome", "state", "code"),
    "finish_reason": ("finish_reason", "stop_reason", "finishreason", "done_reason"),
    "latency": ("latency_ms", "latency", "latency_s", "duration_ms", "duration", "response_time", "response_time_ms", "elapsed_ms",
                "elapsed", "duration_s", "latency_seconds", "took_ms", "execution_duration_ms"),
    "cost": ("cost", "cost_usd", "total_cost", "price", "spend", "response_cost", "usd"),
}  # fmt: skip
NO_TEXT = frozenset(
    ("id", "ids", "time", "timestamp", "date", "count", "tokens", "token", "length", "len", "type", "language", "lang", "url", "status",
     "ms", "seconds", "version", "at", "hash", "name", "score", "rating", "cost", "code", "format", "index", "number", "no", "size",
     "category", "source", "key", "feedback", "comment", "email", "quality", "correct", "embedding", "vector", "model", "channel",
     "topic", "intent", "reason", "error")
)  # fmt: skip
"""Last words of keys that hold no text of a user or a model."""
PARENTS = ("parent_id", "parent_message_id", "parentid", "in_reply_to", "parent", "reply_to")
SOMETIMES_SESSIONS = (
    "ticket",
    "ticket_id",
    "case_id",
    "interaction_id",
    "call_id",
    "run_id",
    "trace_id",
    "contact_id",
    "call",
)
"""Keys that are the id of a session only where their values repeat."""
ID_WORDS = frozenset(
    ("id", "no", "number", "key", "uuid", "hash", "phone", "email", "ticket", "thread", "room", "contact")
)
QUESTION_OBJECTS = frozenset(("request", "prompt", "question", "user", "input", "inputs", "query", "human", "customer"))
ANSWER_OBJECTS = frozenset(
    ("response", "reply", "answer", "output", "outputs", "completion", "assistant", "bot", "result", "agent")
)
"""Objects that hold all about the question, or all about the answer."""
