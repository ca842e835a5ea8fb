"""Serve Argilla without Elasticsearch and Redis: an engine in memory that finds every record, and a fake Redis.

Arguments: the port, and pairs of a user's name and key; the first user is the owner.
"""

import asyncio
import os
import sys
from collections import defaultdict
from threading import Thread

from fakeredis import TcpFakeServer

port, *users = sys.argv[1:]
redis = TcpFakeServer(("127.0.0.1", 0), server_type="redis")
Thread(target=redis.serve_forever, daemon=True).start()
os.environ["ARGILLA_REDIS_URL"] = f"redis://127.0.0.1:{redis.server_address[1]}/0"
os.environ["ARGILLA_SEARCH_ENGINE"] = "memory"

from argilla_server.search_engine.base import SearchEngine, SearchResponseItem, SearchResponses

RECORDS = defaultdict(dict)


async def nothing(*_args, **_more):
    """Stand in for the upkeep of an index."""


class Memory(SearchEngine):
    """Finds all records of a dataset, whatever is sought."""

    @classmethod
    async def new_instance(cls):
        return cls()

    async def ping(self):
        return True

    async def info(self):
        return {}

    async def index_records(self, dataset, records):
        RECORDS[dataset.id] |= {record.id: record for record in records}

    async def get_dataset_progress(self, dataset):
        return {"total": len(RECORDS[dataset.id])}

    async def get_dataset_user_progress(self, dataset, user):
        return {"total": len(RECORDS[dataset.id])}

    async def search(self, dataset, *_args, offset=0, limit=100, **_more):
        ids = list(RECORDS[dataset.id])
        return SearchResponses(
            items=[SearchResponseItem(record_id=i) for i in ids[offset : offset + limit]], total=len(ids)
        )

    similarity_search = search


for method in SearchEngine.__abstractmethods__ - vars(Memory).keys():
    setattr(Memory, method, nothing)
Memory.__abstractmethods__ = frozenset()
SearchEngine.register("memory")(Memory)

import uvicorn
from argilla_server._app import app
from argilla_server.cli.database.migrate import migrate_db
from argilla_server.cli.database.users.create import _create
from argilla_server.enums import UserRole

migrate_db("head")
for number in range(0, len(users), 2):
    role = UserRole.annotator if number else UserRole.owner
    asyncio.run(
        _create(first_name=users[number], username=users[number], role=role, password="a-long-secret",  # noqa: S106
                api_key=users[number + 1], workspace=["labels"])
    )  # fmt: skip
uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning")
