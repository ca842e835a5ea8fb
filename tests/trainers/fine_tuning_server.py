"""A fine-tuning API on the loopback interface, as OpenAI documents its own: files, jobs, events, pages of lists.

`faults` maps a request (`POST files`) to what happens to the next ones of its kind, in their order:

* `lost`: it is carried out, and the connection breaks before the answer;
* `refused`: the connection breaks before it is carried out;
* a number: it is not carried out, and this status comes back;
* `kill before`, `kill after`: the process `victim` is killed before or after it is carried out.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from aiohttp import web

KEY = "sk-local-0123456789abcdef"
_PAGE = 2  # small, so that lists have several pages
_ENDS = ("succeeded", "failed", "cancelled")


class FineTuningServer:
    """The server in a thread. Its time is the number of requests: a job moves on with each look at it."""

    def __init__(self) -> None:
        self.files: list[dict[str, Any]] = []
        self.contents: dict[str, bytes] = {}
        self.jobs: list[dict[str, Any]] = []
        self.asked: dict[str, int] = defaultdict(int)  # requests that reached the server, by kind
        self.faults: dict[str, list[str | int]] = {}
        self.victim = 0
        self.looks = 3  # looks at a job until it ends
        self.end = "succeeded"
        self.error = {"code": "invalid_training_file", "message": "bad rows", "param": "training_file"}
        self.retry_after = ""
        self.code: str | None = None  # of an error status
        self.without: str | None = None  # a field of jobs that lists do not show
        self.hidden = 0  # lists of jobs that do not show the newest one yet
        self.events_status = 200
        self.base_url = ""
        self._looked: dict[str, int] = defaultdict(int)
        self._events: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self._ready.wait(10)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def job(self, **fields: Any) -> dict[str, Any]:
        """Add a job, as another program of the organisation does."""
        number = len(self.jobs)
        job = {
            "id": f"ftjob-{number}", "object": "fine_tuning.job", "created_at": 1_000 + number, "finished_at": None,
            "error": None, "fine_tuned_model": None, "hyperparameters": {"n_epochs": 3}, "model": "base", "seed": 0,
            "organization_id": "org-1", "result_files": [], "status": "validating_files", "trained_tokens": None,
            "training_file": "file-other", "validation_file": None, "metadata": None,
        } | fields  # fmt: skip
        self.jobs.append(job)
        self._event(job["id"], f"Created fine-tuning job: {job['id']}")
        return job

    def file(self, name: str, content: bytes = b"") -> dict[str, Any]:
        number = len(self.files)
        file = {
            "id": f"file-{number}", "object": "file", "bytes": len(content), "created_at": 1_000 + number,
            "filename": name, "purpose": "fine-tune", "status": "processed",
        }  # fmt: skip
        self.files.append(file)
        self.contents[file["id"]] = content
        return file

    def _event(self, job: str, message: str) -> None:
        number = len(self._events[job])
        event = {
            "id": f"ftevent-{job}-{number}", "object": "fine_tuning.job.event", "created_at": 1_000 + number,
            "level": "info", "message": message, "type": "message", "data": None,
        }  # fmt: skip
        self._events[job].append(event)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._start())
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._runner.cleanup())
        self._loop.close()

    async def _start(self) -> None:
        app = web.Application()
        routes: tuple[tuple[str, str, Callable[[web.Request], Any]], ...] = (
            ("POST", "files", self._upload),
            ("GET", "files", lambda request: self._page(request, self.files)),
            ("POST", "fine_tuning/jobs", self._create),
            ("GET", "fine_tuning/jobs", self._jobs),
            ("GET", "fine_tuning/jobs/{id}", self._job),
            ("GET", "fine_tuning/jobs/{id}/events", self._job_events),
        )
        for method, path, act in routes:
            app.router.add_route(method, f"/v1/{path}", self._handler(f"{method} {path}", act))
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"

    def _handler(self, kind: str, act: Callable[[web.Request], Any]) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.Response:
            self.asked[kind] += 1
            with ExitStack() as uploads:
                if kind == "POST files":
                    uploads.enter_context((await request.post())["file"].file)  # type: ignore[union-attr]
                fault = self.faults[kind].pop(0) if self.faults.get(kind) else ""
                return await self._answer(request, act, fault)

        return handle

    async def _answer(self, request: web.Request, act: Callable[[web.Request], Any], fault: str | int) -> web.Response:
        await request.read()
        if isinstance(fault, int):
            return self._refusal(fault, "no, not with " + request.headers.get("Authorization", "no key"))
        if fault == "kill before":
            os.kill(self.victim, signal.SIGKILL)
        if fault in ("refused", "kill before"):
            self._break(request)
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return self._refusal(401, "Incorrect API key provided: " + request.headers.get("Authorization", ""))
        answer: web.Response = await act(request)
        if fault == "kill after":
            os.kill(self.victim, signal.SIGKILL)
        if fault in ("lost", "kill after"):
            self._break(request)
        return answer

    def _break(self, request: web.Request) -> None:
        assert request.transport is not None
        request.transport.abort()
        raise asyncio.CancelledError

    def _refusal(self, status: int, message: str) -> web.Response:
        headers = {"Retry-After": self.retry_after} if self.retry_after else {}
        error = {"message": message, "type": "error", "param": None, "code": self.code}
        return web.json_response({"error": error}, status=status, headers=headers)

    async def _upload(self, request: web.Request) -> web.Response:
        field = (await request.post())["file"]
        return web.json_response(self.file(field.filename, field.file.read()))

    async def _create(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body["training_file"] not in self.contents:
            return self._refusal(400, f"File {body['training_file']} does not exist")
        if body["model"] == "unknown":
            return self._refusal(400, f"Model {body['model']} is not available for fine-tuning")
        return web.json_response(
            self.job(
                model=body["model"],
                training_file=body["training_file"],
                metadata=body["metadata"],
                seed=body["seed"],
                suffix=body["suffix"],
                hyperparameters=body["method"]["supervised"]["hyperparameters"],
            )
        )

    async def _jobs(self, request: web.Request) -> web.Response:
        jobs = self.jobs[::-1]
        if self.hidden:
            self.hidden, jobs = self.hidden - 1, jobs[1:]
        return await self._page(request, [job | {self.without: None} if self.without else job for job in jobs])

    async def _page(self, request: web.Request, items: list[dict[str, Any]]) -> web.Response:
        after = request.query.get("after")
        first = next((i + 1 for i, item in enumerate(items) if item["id"] == after), 0)
        page = items[first : first + _PAGE]
        return web.json_response({"object": "list", "data": page, "has_more": first + _PAGE < len(items)})

    async def _job(self, request: web.Request) -> web.Response:
        job = next((job for job in self.jobs if job["id"] == request.match_info["id"]), None)
        if job is None:
            return self._refusal(404, "Could not find fine tune")
        name = job["id"]
        self._looked[name] += 1
        if job["status"] not in _ENDS:
            if self._looked[name] >= self.looks:
                self._finish(job)
            else:
                job["status"] = "running"
                self._event(name, f"Step {self._looked[name]}: training loss=0.5")
        return web.json_response({key: value for key, value in job.items() if key != "suffix"})

    def _finish(self, job: dict[str, Any]) -> None:
        job |= {"status": self.end, "finished_at": job["created_at"] + 90}
        if self.end == "succeeded":
            content = self.contents.get(job["training_file"], b"")
            job["trained_tokens"] = len(content) // 4 * job["hyperparameters"]["n_epochs"]
            job["fine_tuned_model"] = f"ft:{job['model']}:org:{job.get('suffix')}:{job['id'][-1]}"
        elif self.end == "failed":
            job["error"] = self.error

    async def _job_events(self, request: web.Request) -> web.Response:
        if self.events_status != 200:
            return self._refusal(self.events_status, "no events here")
        newest = self._events[request.match_info["id"]][::-1]
        return web.json_response({"object": "list", "data": newest[:50], "has_more": False})
