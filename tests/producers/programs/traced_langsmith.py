"""Calls of a fake model under the SDK of LangSmith, with feedback -> the bodies that it sends, one a line.

usage: traced_langsmith.py RUNS FEEDBACK
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["LANGSMITH_TRACING"] = "true"

import contextlib

import fake_openai
import openai  # noqa: TID253  the program is run in an environment that has it
import platform_stub
from langsmith import Client, traceable  # noqa: TID253
from langsmith.run_helpers import get_current_run_tree  # noqa: TID253
from langsmith.wrappers import wrap_openai  # noqa: TID253

runs, feedback = map(Path, sys.argv[1:])
client = Client(api_url=platform_stub.serve(), api_key="key")
model = wrap_openai(
    openai.OpenAI(base_url=fake_openai.serve(), api_key="key", max_retries=0),
    tracing_extra={"client": client, "metadata": {"thread_id": "thread-1"}},
)
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}


@traceable(run_type="retriever", client=client)
def search(query: str) -> list[dict]:
    return [{"page_content": f"{query}: Norway.", "type": "Document", "metadata": {"id": "atlas", "score": 0.9}}]


@traceable(name="answer", client=client)
def answer(question: str) -> str:
    found = search(question)[0]["page_content"]
    messages = [{"role": "system", "content": "Use: " + found}, {"role": "user", "content": question}]
    done = model.chat.completions.create(model="gpt-4o", messages=messages, max_tokens=50)
    tree = get_current_run_tree()
    client.create_feedback(
        tree.id, "user_rating", score=1, comment="wrong", correction={"output": "In Norway."}, trace_id=tree.trace_id
    )
    return done.choices[0].message.content


answer("Where is Oslo?")
ask = [{"role": "user", "content": "Is it cold?"}]
model.chat.completions.create(model="gpt-4o", messages=ask, tools=[TOOL])
list(model.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Count."}], stream=True))
with contextlib.suppress(openai.BadRequestError):
    model.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Please fail."}])
client.flush()
client.tracing_queue.join()
with runs.open("wb") as run_file, feedback.open("wb") as feedback_file:
    for path, body in platform_stub.received:
        file = feedback_file if path.endswith("/feedback") else run_file if "/runs" in path else None
        if file is not None:
            file.write(body.replace(b"\n", b"") + b"\n")
