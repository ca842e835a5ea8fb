"""Ports of this computer for trained models.

The address of an endpoint is a part of the key of its stored answers. A model therefore gets the same port each time, where it is free.
"""

from __future__ import annotations

import hashlib
import socket
from contextlib import closing

_FIRST, _COUNT = 20_000, 10_000  # below the ports that systems choose by themselves


def listening(identity: str) -> socket.socket:
    """Return a socket that listens on the port of an identity, or else on any free port."""
    wanted = _FIRST + int(hashlib.sha256(identity.encode()).hexdigest()[:8], 16) % _COUNT
    try:
        return socket.create_server(("127.0.0.1", wanted))
    except OSError:
        return socket.create_server(("127.0.0.1", 0))


def free_port(identity: str) -> int:
    """Return the port that `listening` would take now."""
    with closing(listening(identity)) as probe:
        port: int = probe.getsockname()[1]
        return port
