"""Calls of a fake model through LiteLLM with a callback that keeps its logging payloads, and of the openai SDK as pairs.

usage: logged_litellm.py PAYLOADS PAIRS
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import fake_openai
import litellm  # noqa: TID253  the program is run in an environment that has it
import openai  # noqa: TID253  the program is run in an environment that has it
from litellm.integrations.custom_logger import CustomLogger  # noqa: TID253  the program is run in an environment that has it

payloads, pairs = map(Path, sys.argv[1:])
base = fake_openai.serve()
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
CALLS = [
    {"messages": [{"role": "system", "content": "Be terse."}, {"role": "user", "content": "Where?"}], "max_tokens": 50},
    {"messages": [{"role": "user", "content": "Is it cold?"}], "tools": [TOOL]},
    {"messages": [{"role": "user", "content": "Count."}], "stream": True},
    {"messages": [{"role": "user", "content": "Please fail."}]},
]
lines: list[str] = []


class ToLines(CustomLogger):
    """Keeps the payload of each call."""

    def log_success_event(self, kwargs: dict, response_obj: object, start_time: object, end_time: object) -> None:
        lines.append(json.dumps(kwargs["standard_logging_object"], default=str))

    log_failure_event = log_success_event


litellm.callbacks = [ToLines()]
client = openai.OpenAI(base_url=base, api_key="key", max_retries=0)
with pairs.open("w") as file:
    for call in CALLS:
        try:
            done = litellm.completion(model="openai/gpt-4o", api_base=base, api_key="key", max_retries=0, **call)
            if call.get("stream"):
                list(done)
        except litellm.BadRequestError:
            pass
        request = {"model": "gpt-4o", **call}
        try:
            reply = client.chat.completions.create(**request)
            response = [chunk.model_dump() for chunk in reply] if call.get("stream") else reply.model_dump()
            file.write(json.dumps({"request": request, "response": response, "status": 200}) + "\n")
        except openai.APIStatusError as error:
            file.write(json.dumps({"request": request, "response": error.body, "status": error.status_code}) + "\n")
deadline = time.monotonic() + 20
while len(lines) < len(CALLS) and time.monotonic() < deadline:  # payloads are made in a thread
    time.sleep(0.05)
payloads.write_text("".join(line + "\n" for line in lines))
