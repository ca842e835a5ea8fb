"""A local server that takes what the SDKs of LangSmith and Langfuse send, and keeps the bodies by their paths."""

from __future__ import annotations

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

received: list[tuple[str, bytes]] = []
BATCHES = {
    "use_multipart_endpoint": False,  # JSON instead
    "size_limit": 100,
    "size_limit_bytes": 20_000_000,
    "scale_up_nthreads_limit": 1,
    "scale_up_qsize_trigger": 1000,
    "scale_down_nempty_trigger": 4,
}
INFO = json.dumps({"version": "0.1", "batch_ingest_config": BATCHES}).encode()


class Stub(BaseHTTPRequestHandler):
    """Accepts everything."""

    def do_GET(self) -> None:
        self._send(INFO)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        received.append((self.path, body))
        self._send(b'{"successes": [], "errors": []}' if "ingestion" in self.path else b"{}")

    do_PATCH = do_POST  # noqa: N815

    def _send(self, data: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def serve() -> str:
    """Start the server; its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"
