"""The video connections of all viewers of this server: how many there may be, and an end for those that fail."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import Any, TypeAlias
from weakref import WeakSet

from streamlit_webrtc.webrtc import WebRtcWorker

from core.errors import ConfigError

CONNECT_S = 20.0
"""Connecting takes about a second; a connection without video after this long is closed."""
PER_CORE = 3
"""Two cores give four viewers 11 frames a second each, their browsers on the same machine; six still see motion."""

Worker: TypeAlias = WebRtcWorker[Any, Any]


def max_viewers(environ: Mapping[str, str] = os.environ) -> int:
    """Return ``FACET_MAX_VIEWERS``, or ``PER_CORE`` for each core. Raises ``ConfigError``."""
    value = environ.get("FACET_MAX_VIEWERS", "").strip()
    if not value:
        return PER_CORE * (os.cpu_count() or 1)
    if not (value.isascii() and value.isdigit() and int(value) > 0):
        raise ConfigError(f"FACET_MAX_VIEWERS must be a number from 1 on, not {value!r}")
    return int(value)


class Viewers:
    """Open connections; thread-safe. ``entering`` is held while a connection is let in and made."""

    def __init__(self, connect_s: float = CONNECT_S) -> None:
        self.entering = threading.Lock()
        self._connect_s = connect_s
        self._workers: WeakSet[Worker] = WeakSet()
        self._lock = threading.Lock()

    def add(self, worker: Worker) -> None:
        """Count ``worker`` until its connection is closed, and close it unless it has video in time. A browser that is
        gone before it is connected never says so, and Streamlit keeps the session of a tab that was closed or reloaded:
        socket and threads would stay."""
        with self._lock:
            if worker in self._workers:
                return
            self._workers.add(worker)
        timer = threading.Timer(self._connect_s, stop_unless_connected, [worker])
        timer.daemon = True
        timer.start()

    def __len__(self) -> int:
        with self._lock:
            return sum(is_open(worker) for worker in self._workers)


def is_open(worker: Worker | None) -> bool:
    """Return whether the worker has a connection, or makes one."""
    return worker is not None and worker.pc.connectionState not in ("closed", "failed")


def stop_unless_connected(worker: Worker) -> None:
    """Stop a worker whose connection has not been established."""
    if worker.pc.connectionState != "connected":
        worker.stop()


viewers = Viewers()
"""Of this process."""
