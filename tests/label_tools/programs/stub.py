"""An HTTP server of JSON routes, for programs that stand in for a service."""

import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Refused(Exception):
    """An answer with another status than 200."""

    def __init__(self, status, reason):
        super().__init__(reason)
        self.status = status


class Routes:
    """The routes of a service: method and path (a regular expression) to a function of groups, query and body."""

    def __init__(self):
        self.routes = []
        self.calls = []
        self.check = lambda headers, path: None

    def on(self, method, path):
        """Register the function of a route."""

        def register(function):
            self.routes.append((method, re.compile(path), function))
            return function

        return register

    def answer(self, method, url, headers, body):
        """Return status and content."""
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        self.calls.append((method, parts.path))
        for wanted, path, function in self.routes:
            if wanted == method and (match := path.fullmatch(parts.path)):
                try:
                    if not parts.path.startswith("/stub/"):
                        self.check(headers, parts.path)
                    return 200, function(*match.groups(), query=query, body=json.loads(body or "null"))
                except Refused as refused:
                    return refused.status, {"message": str(refused), "detail": str(refused)}
        return 404, {"message": f"the stub has no {method} {parts.path}", "detail": "no such route"}

    def serve(self, port):
        """Answer requests until the program ends, one at a time."""
        routes, lock = self, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def reply(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with lock:
                    try:
                        status, content = routes.answer(self.command, self.path, self.headers, body)
                    except Exception as error:  # noqa: BLE001  a request that the service would refuse
                        sys.stderr.write(f"{self.command} {self.path} {body[:2000]!r} {error!r}\n")
                        status, content = 422, {"message": repr(error), "detail": repr(error)}
                data = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = do_DELETE = reply  # noqa: N815  the names that the library calls

            def log_message(self, *_):
                """Stay silent."""

        ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
