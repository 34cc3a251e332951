"""The app in a process of its own, reachable from this machine only."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import psutil

from tests.e2e.browser import INSECURE_HOST

ROOT = Path(__file__).parents[2]
STARTUP_S = 60.0

# streamlit-webrtc would ask these services for TURN servers; the tests expect the app's own defaults.
_KEPT_OUT = ("HF_TOKEN", "TWILIO_", "CLOUDFLARE_", "FACET_ICE", "FACET_TURN", "FACET_DETECTOR")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """``with Server(log) as server``: started, healthy, and ended by its own handle.

    ``environ``: added to this process' environment.
    """

    log: Path
    port: int = 0
    environ: Mapping[str, str] = field(default_factory=dict)
    script: Path = ROOT / "Home.py"

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def insecure_url(self) -> str:
        return f"http://{INSECURE_HOST}:{self.port}"

    @property
    def process(self) -> psutil.Process:
        return psutil.Process(self._process.pid)

    def memory_mb(self) -> float:
        """Resident memory of the server's process."""
        return float(self.process.memory_info().rss / 2**20)

    def __enter__(self) -> Server:
        self.port = free_port()
        options = {
            "server.port": self.port,
            "server.address": "127.0.0.1",
            "server.headless": "true",
            "server.fileWatcherType": "none",
            "browser.gatherUsageStats": "false",
            # Web sockets are accepted from this origin and localhost only.
            "browser.serverAddress": INSECURE_HOST,
        }
        command = [sys.executable, "-m", "streamlit", "run", str(self.script)]
        command += [f"--{name}={value}" for name, value in options.items()]
        environ = {k: v for k, v in os.environ.items() if not k.startswith(_KEPT_OUT)} | dict(self.environ)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=environ, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
            )
        try:
            self._wait_until_healthy()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _wait_until_healthy(self) -> None:
        end_s = time.monotonic() + STARTUP_S
        while time.monotonic() < end_s and self._process.poll() is None:
            try:
                # The address, not a name: proxies from the environment must not be asked.
                opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
                with opener.open(f"http://127.0.0.1:{self.port}/_stcore/health", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, TimeoutError, ConnectionError):
                time.sleep(0.1)
        raise RuntimeError(f"the server did not start in {STARTUP_S:.0f} s; its log:\n{self.log.read_text()[-3000:]}")

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(15)

    def udp_sockets(self) -> int:
        """How many UDP sockets the server holds: video connections, as nothing else in it speaks UDP."""
        process = Path("/proc") / str(self._process.pid)
        tables = [(process / "net" / name).read_text().splitlines()[1:] for name in ("udp", "udp6")]
        inodes = {line.split()[9] for table in tables for line in table}
        return sum(f"{target[8:-1]}" in inodes for target in self._socket_links(process))

    @staticmethod
    def _socket_links(process: Path) -> list[str]:
        links = []
        for descriptor in (process / "fd").iterdir():
            try:
                target = str(descriptor.readlink())
            except FileNotFoundError:  # closed since it was listed
                continue
            if target.startswith("socket:["):
                links.append(target)
        return links
