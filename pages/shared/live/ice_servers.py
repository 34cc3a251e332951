"""ICE servers, which help browser and server to find each other: from configuration only, none by default.

Without a list, streamlit-webrtc uses a public STUN server or accounts from the environment, so it always gets a list.
Sources, the first one wins:

1. environment ``FACET_ICE_SERVERS``: a JSON list of ``{"urls": ..., "username": ..., "credential": ...}``;
2. environment ``FACET_TURN_URL`` with ``FACET_TURN_SECRET``, or with ``FACET_TURN_USERNAME`` and
   ``FACET_TURN_CREDENTIAL``;
3. ``.streamlit/secrets.toml``, table ``[ice]``: ``servers`` (the same list, as JSON text or as TOML tables) or
   ``turn_url`` with ``turn_secret``, or with ``turn_username`` and ``turn_credential``.

Browsers see their credentials. With a secret, which the TURN server shares, each page gets its own for a limited time.
"""

from __future__ import annotations

import base64
import hmac
import ipaddress
import json
import os
import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from core.errors import ConfigError
from pages.shared.secrets import secrets_table

IceServer = dict[str, Any]

TURN_LIFETIME_S = 8 * 3600
"""How long after its last rerun a page can begin video. Video that runs then goes on."""

# The forms that aiortc and browsers both accept; IPv6 literals are not among them.
_STUN = re.compile(r"stuns?:[^?:\s]+(:\d+)?")
_TURN = re.compile(r"turns?:[^?:\s]+(:\d+)?(\?transport=(udp|tcp))?")


def rtc_configuration() -> dict[str, list[IceServer]]:
    """Return the argument for ``webrtc_streamer``. Raises ``ConfigError`` if the configured servers are malformed."""
    return {"iceServers": ice_servers(os.environ, secrets_table("ice"), time.time())}


def ice_servers(environ: Mapping[str, str], secrets: Mapping[str, Any], now_s: float) -> list[IceServer]:
    """Return the validated servers; ``secrets`` is the ``[ice]`` table, ``now_s`` Unix time. Errors never repeat
    credentials."""
    if listed := environ.get("FACET_ICE_SERVERS", "").strip():
        return _parse_list(listed, "FACET_ICE_SERVERS")
    if url := environ.get("FACET_TURN_URL", "").strip():
        if secret := environ.get("FACET_TURN_SECRET"):
            return [_turn_server(url, *turn_credentials(secret, now_s), source="FACET_TURN_URL")]
        username, credential = environ.get("FACET_TURN_USERNAME"), environ.get("FACET_TURN_CREDENTIAL")
        return [_turn_server(url, username, credential, source="FACET_TURN_URL")]
    if servers := secrets.get("servers"):
        return _parse_list(servers, "[ice] servers in secrets.toml")
    if turn_url := secrets.get("turn_url"):
        source = "[ice] turn_url in secrets.toml"
        if secret := secrets.get("turn_secret"):
            return [_turn_server(turn_url, *turn_credentials(str(secret), now_s), source=source)]
        username, credential = secrets.get("turn_username"), secrets.get("turn_credential")
        return [_turn_server(turn_url, username, credential, source=source)]
    return []


def turn_credentials(secret: str, now_s: float) -> tuple[str, str]:
    """Return username and credential that are valid for ``TURN_LIFETIME_S`` from Unix time ``now_s`` on, as in the TURN
    REST API, which coturn calls ``use-auth-secret``."""
    username = f"{int(now_s) + TURN_LIFETIME_S}:facet"
    return username, base64.b64encode(hmac.digest(secret.encode(), username.encode(), "sha1")).decode()


def is_secure_origin(url: str | None) -> bool:
    """Return whether browsers allow the camera on a page at ``url``: HTTPS, or localhost. An unknown address counts as
    secure, because a false alarm would be worse than the browser's own message."""
    parts = urlsplit(url or "")
    host = parts.hostname or ""
    if not host or parts.scheme == "https":
        return True
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _parse_list(listed: object, source: str) -> list[IceServer]:
    if isinstance(listed, str):
        try:
            listed = json.loads(listed)
        except json.JSONDecodeError as error:
            raise ConfigError(
                f"{source} is not JSON (line {error.lineno}, column {error.colno}); expected a list such as "
                '[{"urls": "stun:stun.example.org:3478"}]'
            ) from None
    if isinstance(listed, Mapping) or not hasattr(listed, "__iter__"):
        raise ConfigError(f"{source} must be a list of servers, got {type(listed).__name__}")
    return [_parse_server(server, f"{source}, entry {number}") for number, server in enumerate(listed, start=1)]


def _parse_server(server: object, source: str) -> IceServer:
    if not isinstance(server, Mapping) or "urls" not in server:
        raise ConfigError(f'{source} must be an object with "urls", for example {{"urls": "stun:host:3478"}}')
    urls = server["urls"]
    urls = [urls] if isinstance(urls, str) else list(urls) if isinstance(urls, (list, tuple)) else []
    if not urls:
        raise ConfigError(f'{source}: "urls" must be a text or a list of texts')
    for url in urls:
        if not isinstance(url, str) or not (_STUN.fullmatch(url) or _TURN.fullmatch(url)):
            raise ConfigError(
                f"{source}: {url!r} is not a server address; allowed are stun:host:port and turn:host:port, "
                "or turns: for TURN over TLS, with ?transport=udp or tcp"
            )
    if not any(url.startswith("turn") for url in urls):
        return {"urls": urls}
    username, credential = server.get("username"), server.get("credential")
    if not (isinstance(username, str) and username and isinstance(credential, str) and credential):
        raise ConfigError(f"{source}: a TURN server needs a secret, or a username and a credential; one is missing")
    return {"urls": urls, "username": username, "credential": credential}


def _turn_server(url: object, username: object, credential: object, *, source: str) -> IceServer:
    # Several URLs of one server: UDP, and TCP for networks that let no UDP out.
    urls = url.split() if isinstance(url, str) else url
    return _parse_server({"urls": urls, "username": username, "credential": credential}, source)
