"""A local server that answers as the chat-completions API does: a weather tool, a stream, a failure."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def answer_to(body: dict) -> dict:
    """The completion for a request: a call of its first tool, unless the tool has answered; else an echo."""
    last = body["messages"][-1]
    message = {"role": "assistant", "content": "You asked: " + str(last["content"])}
    reason = "stop"
    if body.get("tools") and last["role"] == "user":
        function = {"name": body["tools"][0]["function"]["name"], "arguments": '{"city": "Oslo"}'}
        message = {
            "role": "assistant",
            "content": "Let me look.",
            "tool_calls": [{"id": "call_1", "type": "function", "function": function}],
        }
        reason = "tool_calls"
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "gpt-4o-2024-08-06",
        "choices": [{"index": 0, "finish_reason": reason, "message": message}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
    }


class Handler(BaseHTTPRequestHandler):
    """Answers POST requests."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "fail" in str(body["messages"][-1]["content"]):
            self._send(
                400, "application/json", json.dumps({"error": {"message": "no", "type": "invalid_request_error"}})
            )
        elif body.get("stream"):
            self._send(200, "text/event-stream", "".join(self._chunks(answer_to(body))))
        else:
            self._send(200, "application/json", json.dumps(answer_to(body)))

    def _chunks(self, completion: dict) -> list[str]:
        choice = completion["choices"][0]
        head = {key: completion[key] for key in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
        deltas = [{"role": "assistant", "content": ""}] + [
            {"content": word + " "} for word in choice["message"]["content"].split()
        ]
        chunks = [{**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
        chunks.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        chunks.append({**head, "choices": [], "usage": completion["usage"]})
        return [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks] + ["data: [DONE]\n\n"]

    def _send(self, status: int, kind: str, text: str) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def serve() -> str:
    """Start the server; the base URL of its API."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/v1"
