"""A headless Chromium, driven through its DevTools protocol over two pipes: no port, no package.

This is not a script. Protocol: https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import time
from base64 import b64decode
from pathlib import Path
from types import TracebackType
from typing import Any, Self

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--disable-dev-shm-usage",
)  # fmt: skip
KEYS = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "ArrowLeft": 37, "ArrowRight": 39, "ArrowDown": 40}
TIMEOUT_S = 60.0
# The browser reads descriptor 3 and writes descriptor 4; the pipes may have these numbers already, the wrong way round.
_LAUNCHER = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3]]
os.dup2(ends[0], 3)
os.dup2(ends[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


def executable() -> str | None:
    """Return the path of a Chromium on this machine; None without one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Chromium:
    """One browser with one page at a time. `events` are those of the page since it was opened."""

    def __init__(self, folder: Path) -> None:
        """Start the browser; `folder` keeps its profile."""
        path = executable()
        if path is None:
            raise RuntimeError(f"none of {', '.join(NAMES)} is on this machine")
        for_browser, self._to = os.pipe()
        self._from, by_browser = os.pipe()
        flags = [*FLAGS, "--remote-debugging-pipe", f"--user-data-dir={folder / 'profile'}", "about:blank"]
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", _LAUNCHER, str(for_browser), str(by_browser), path, *flags],
            pass_fds=(for_browser, by_browser), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(for_browser)
        os.close(by_browser)
        self._received = b""
        self._number = 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError, RuntimeError):
            self._session = None
            self.call("Browser.close")
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
        os.close(self._to)
        os.close(self._from)

    def open(self, url: str, *, width: int = 1280, height: int = 900, scripts: bool = True) -> float:
        """Open a new page and return the seconds until its `load` event, its own script included."""
        self._session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        if not scripts:
            self.call("Emulation.setScriptExecutionDisabled", value=True)
        self.events.clear()
        start = time.perf_counter()
        self.call("Page.navigate", url=url)
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self._read()
        return time.perf_counter() - start

    def evaluate(self, expression: str) -> Any:  # noqa: ANN401
        """Return the JSON value of an expression in the page; a promise is awaited.

        Raises:
            RuntimeError: the expression threw.
        """
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"])[:500])
        return answer["result"].get("value")

    def press(self, key: str, *, times: int = 1) -> None:
        """Press a key of `KEYS`, or type a character."""
        text = {"Enter": "\r", " ": " "}.get(key, key if len(key) == 1 else "")
        code = KEYS.get(key, ord(key.upper()) if len(key) == 1 else 0)
        for _ in range(times):
            for kind in ("keyDown", "keyUp"):
                down = {"text": text} if text and kind == "keyDown" else {}
                self.call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **down)

    def type(self, text: str) -> None:
        """Type a text, key by key."""
        for character in text:
            self.press(character)

    def choose_file(self, selector: str, path: Path) -> None:
        """Choose a file in an `<input type="file">`, as a person does in the dialog of the browser."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(path)])

    def download_into(self, folder: Path) -> None:
        """Let downloads of the page go into a folder."""
        self.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(folder))

    def emulate(self, **features: str) -> None:
        """Set media features, such as `prefers_color_scheme="dark"`; `media` is the medium."""
        medium = features.pop("media", "")
        named = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.call("Emulation.setEmulatedMedia", media=medium, features=named)

    def picture(self, path: Path, *, whole: bool = False) -> None:
        """Write a PNG of the window, or of the whole page."""
        path.write_bytes(b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=whole)["data"]))

    @property
    def requested(self) -> list[str]:
        """The addresses that the page asked for."""
        return [e["params"]["request"]["url"] for e in self.events if e["method"] == "Network.requestWillBeSent"]

    @property
    def errors(self) -> list[str]:
        """The exceptions and the errors in the page's console."""
        kinds = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
        return [json.dumps(event["params"])[:500] for event in self.events if event["method"] in kinds]

    def call(self, method: str, **params: Any) -> dict[str, Any]:  # noqa: ANN401
        """Return the result of a command of the protocol.

        Raises:
            RuntimeError: the browser refused it, or did not answer in time.
        """
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return dict(answer["result"])

    def _read(self) -> dict[str, Any]:
        """Return the next message; an event is also kept in `events`."""
        while b"\0" not in self._received:
            if not select.select([self._from], [], [], TIMEOUT_S)[0]:
                raise RuntimeError(f"the browser said nothing for {TIMEOUT_S:g} s")
            piece = os.read(self._from, 1 << 20)
            if not piece:
                raise RuntimeError("the browser ended")
            self._received += piece
        first, _, self._received = self._received.partition(b"\0")
        message: dict[str, Any] = json.loads(first)
        if "method" in message:
            self.events.append(message)
        return message
