"""Four machines in network namespaces, for ``make test-deploy``: a browser's, its router, a proxy and a server.

``browser -- router -- proxy -- server``: the router translates addresses and lets no UDP out but to the TURN server;
the proxy forwards nothing, so the browser reaches the server through Caddy and coturn only. No packet leaves.
"""

from __future__ import annotations

import os
import subprocess
from types import TracebackType

PROXY = "198.18.0.1"
"""Public address, of a range for tests of networks (RFC 2544)."""
SERVER = "10.9.0.2"
TURN_PORT = 3478

_LINKS = (
    (("browser", "192.168.77.2"), ("router", "192.168.77.1")),
    (("router", "198.18.0.2"), ("proxy", PROXY)),
    (("proxy", "10.9.0.1"), ("server", SERVER)),
)
_GATEWAYS = {"browser": "192.168.77.1", "server": "10.9.0.1"}
_ROUTER = f"""
table ip facet {{
  chain translate {{ type nat hook postrouting priority srcnat; oifname "to_proxy" masquerade; }}
  chain forward {{
    type filter hook forward priority filter; policy accept;
    ct state established accept
    ip daddr {PROXY} udp dport {TURN_PORT} accept
    meta l4proto udp drop
  }}
}}
"""


class Network:
    """``with Network() as network``; the namespaces are gone afterwards."""

    places = ("browser", "router", "proxy", "server")

    def __enter__(self) -> Network:
        try:
            for place in self.places:
                _ip("netns", "add", self._name(place))
                _ip("-n", self._name(place), "link", "set", "lo", "up")
            for (one, one_address), (other, other_address) in _LINKS:
                ends = (
                    ("name", f"to_{other}", "netns", self._name(one)),
                    ("name", f"to_{one}", "netns", self._name(other)),
                )
                _ip("link", "add", *ends[0], "type", "veth", "peer", *ends[1])
                for place, far, address in ((one, other, one_address), (other, one, other_address)):
                    _ip("-n", self._name(place), "addr", "add", f"{address}/24", "dev", f"to_{far}")
                    _ip("-n", self._name(place), "link", "set", f"to_{far}", "up")
            for place, gateway in _GATEWAYS.items():
                _ip("-n", self._name(place), "route", "add", "default", "via", gateway)
            self.run("router", "sysctl", "-qw", "net.ipv4.ip_forward=1")
            self.run("router", "nft", "-f", "-", text=_ROUTER)
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._remove()

    def at(self, place: str, *command: str) -> list[str]:
        """The command line that runs ``command`` at a place."""
        return ["ip", "netns", "exec", self._name(place), *command]

    def run(self, place: str, *command: str, text: str = "") -> str:
        """What ``command`` prints, given ``text``."""
        return subprocess.run(
            self.at(place, *command), input=text, capture_output=True, text=True, check=True, timeout=60
        ).stdout

    def _name(self, place: str) -> str:
        return f"facet-{os.getpid()}-{place}"

    def _remove(self) -> None:
        for place in self.places:
            subprocess.run(["ip", "netns", "del", self._name(place)], check=False, capture_output=True)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
