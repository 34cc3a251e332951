"""The files in ``deploy/`` at work: Caddy, coturn and two processes on machines of their own, and a browser behind a
router. For ``make test-deploy``, not for CI; needs root and Debian's packages."""

from __future__ import annotations

import hmac
import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from pages.shared.live.ice_servers import TURN_LIFETIME_S, turn_credentials
from tests.e2e.browser import LONG_MS, PEERS_JS, Tab, launch, settled
from tests.e2e.namespaces import PROXY, SERVER, TURN_PORT, Network
from tests.e2e.server import ROOT
from tests.e2e.test_live_e2e import start, stream_of, wait_for_frames

HOST = "facet.example.org"
PORTS = (8501, 8502)
OIDC_PORT = 9400
STARTUP_S = 60.0
TOOLS = {
    "caddy": "caddy",
    "turnserver": "coturn",
    "nft": "nftables",
    "ip": "iproute2",
    "certutil": "libnss3-tools",
    "openssl": "openssl",
    "curl": "curl",
}
"""Command -> Debian's package."""

# How the connection of a frame goes, and with which credentials.
CONNECTION_JS = """async () => {
  const peer = window.peers.at(-1);
  const stats = new Map([...(await peer.getStats())]);
  const transport = [...stats.values()].find((entry) => entry.type === "transport");
  const pair = stats.get(transport.selectedCandidatePairId);
  return [stats.get(pair.localCandidateId).candidateType, peer.getConfiguration().iceServers[0]];
}"""

# Candidates that a TURN server gives, and its errors.
ALLOCATE_JS = """async (server) => {
  const peer = new RTCPeerConnection({ iceServers: [server], iceTransportPolicy: "relay" });
  const candidates = [], errors = [];
  peer.onicecandidate = (event) => { if (event.candidate?.candidate) candidates.push(event.candidate.type); };
  peer.onicecandidateerror = (event) => errors.push(event.errorCode);
  peer.createDataChannel("test");
  const complete = new Promise((done) => {
    peer.onicegatheringstatechange = () => { if (peer.iceGatheringState === "complete") done(); };
  });
  await peer.setLocalDescription();
  await complete;
  peer.close();
  return [candidates, errors];
}"""


# The first visitors wait for two processes that load their models.
expect.set_options(timeout=LONG_MS)


# The answer to an upload of that many megabytes, which the page itself would not offer.
UPLOAD_JS = """async ([url, megabytes]) => {
  const body = new FormData();
  body.append("file", new Blob([new Uint8Array(megabytes * 2 ** 20)]), "large");
  const token = document.cookie.match(/_streamlit_xsrf=([^;]+)/)[1];
  return (await fetch(url, { method: "PUT", body, headers: { "X-Xsrftoken": token } })).status;
}"""


@dataclass
class Site:
    """The app as the browser sees it. ``secrets``: content of secrets.toml."""

    network: Network
    folder: Path
    base: str = ""
    secrets: str = ""
    processes: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    cookie_secret: str = field(default_factory=lambda: secrets.token_hex(32))
    turn_secret: str = field(default_factory=lambda: secrets.token_hex(32))

    @property
    def url(self) -> str:
        return f"https://{HOST}{self.base}"

    def cookie(self, port: int) -> str:
        """The cookie of visitors whom Caddy leads to that process."""
        return hmac.new(self.cookie_secret.encode(), f"{SERVER}:{port}".encode(), "sha256").hexdigest()

    def settings(self) -> dict[str, str]:
        """``facet.env`` for this network."""
        lines = (ROOT / "deploy" / "facet.env.example").read_text(encoding="utf-8").splitlines()
        example = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
        changed = {
            "FACET_DOMAIN": HOST,
            "FACET_PROCESSES": " ".join(f"{SERVER}:{port}" for port in PORTS),
            "STREAMLIT_SERVER_ADDRESS": SERVER,
            "FACET_BASE_PATH": self.base,
            "STREAMLIT_SERVER_BASE_URL_PATH": self.base,
            "FACET_MAX_VIEWERS": "1",
            "FACET_COOKIE_SECRET": self.cookie_secret,
            "STREAMLIT_SERVER_COOKIE_SECRET": secrets.token_hex(32),
            "FACET_TURN_SECRET": self.turn_secret,
            "FACET_TURN_URL": example["FACET_TURN_URL"].replace(HOST, PROXY),
        }
        assert changed.keys() == example.keys(), "facet.env.example has other variables than this test"
        return changed

    @contextmanager
    def running(self) -> Iterator[Site]:
        (self.folder / "secrets.toml").write_text(self.secrets, encoding="utf-8")
        settings = self.settings() | {
            "FACET_TLS": f"tls {self.folder}/cert.pem {self.folder}/key.pem",
            "STREAMLIT_SECRETS_FILES": str(self.folder / "secrets.toml"),
            "HOME": str(self.folder),
            "FACET_DATA": str(self.folder / "data"),
        }
        turn = ("turnserver", "-c", str(ROOT / "deploy" / "turnserver.conf"), f"--pidfile={self.folder}/turn.pid")
        turn += (f"--userdb={self.folder}/turndb", f"--static-auth-secret={self.turn_secret}")
        unit = (ROOT / "deploy" / "facet@.service").read_text(encoding="utf-8")
        command = re.findall("^ExecStart=/opt/facet/.venv/bin/python (.*)$", unit, re.MULTILINE)[0]
        caddy = ("caddy", "run", "--adapter", "caddyfile", "--config", str(ROOT / "deploy" / "Caddyfile"))
        with ExitStack() as stack:
            stack.enter_context(self._process("proxy", settings, *turn, f"--allowed-peer-ip={SERVER}"))
            for port in PORTS:
                process = self._process(
                    "server", settings, sys.executable, *shlex.split(command.replace("%i", str(port)))
                )
                self.processes[port] = stack.enter_context(process)
            for port in PORTS:
                self._wait_for("proxy", f"http://{SERVER}:{port}{self.base}/_stcore/health")
            stack.enter_context(self._process("proxy", settings, *caddy))
            self._wait_for("browser", f"{self.url}/_stcore/health")
            yield self

    def curl(self, place: str, url: str, *options: str) -> str:
        """Status and body of the answer; the certificate has to be good."""
        known = ("--cacert", f"{self.folder}/ca.pem", "--resolve", f"{HOST}:443:{PROXY}")
        return self.network.run(place, "curl", "--silent", "--write-out", " %{http_code}", *known, *options, url)

    @contextmanager
    def _process(self, place: str, settings: Mapping[str, str], *command: str) -> Iterator[subprocess.Popen[bytes]]:
        name = f"{Path(command[0]).name}_{len(list(self.folder.glob('*.log')))}.log"
        with (self.folder / name).open("wb") as log:
            process = subprocess.Popen(
                self.network.at(place, *command),
                cwd=ROOT,
                env={**os.environ, **settings},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(15)

    def _wait_for(self, place: str, url: str) -> None:
        end_s = time.monotonic() + STARTUP_S
        while time.monotonic() < end_s:
            try:
                if self.curl(place, url) == "ok 200":
                    return
            except subprocess.CalledProcessError:
                pass
            time.sleep(0.2)
        logs = "\n".join(f"{log.name}:\n{log.read_text()[-2000:]}" for log in sorted(self.folder.glob("*.log")))
        raise RuntimeError(f"no answer from {url} in {STARTUP_S:.0f} s\n{logs}")


def make_certificate(folder: Path) -> None:
    """``ca.pem``, and ``cert.pem`` with ``key.pem`` for ``HOST``, signed by it."""
    new = (
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    )
    authority = ("-subj", "/CN=Authority of a test", "-keyout", "ca.key", "-out", "ca.pem")
    site = ("-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}", "-CA", "ca.pem", "-CAkey", "ca.key")
    site += ("-addext", "basicConstraints=critical,CA:FALSE", "-keyout", "key.pem", "-out", "cert.pem")
    for options in (authority, site):
        subprocess.run([*new, *options], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="session")
def network() -> Iterator[Network]:
    missing = sorted({package for tool, package in TOOLS.items() if not shutil.which(tool)})
    if missing:
        pytest.skip(f"NOT TRIED: apt-get install {' '.join(missing)}")
    if os.geteuid() != 0:
        pytest.skip("NOT TRIED: network namespaces need root")
    with Network() as running:
        yield running


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates, secrets and logs."""
    path = tmp_path_factory.mktemp("deployed")
    make_certificate(path)
    return path


@pytest.fixture(scope="session")
def far_browser(
    network: Network, folder: Path, playwright: Playwright, executable: Path, camera: Path
) -> Iterator[Browser]:
    """Behind the router; it trusts the authority."""
    store = folder / ".pki" / "nssdb"
    store.mkdir(parents=True)
    for options in (("-N", "--empty-password"), ("-A", "-n", "test", "-t", "C,,", "-i", f"{folder}/ca.pem")):
        subprocess.run(["certutil", "-d", f"sql:{store}", *options], check=True, capture_output=True)
    script = folder / "browser"
    script.write_text(f'#!/bin/sh\nHOME={folder} exec {shlex.join(network.at("browser", str(executable)))} "$@"\n')
    script.chmod(0o755)
    resolve = f"--host-resolver-rules=MAP {HOST} {PROXY}, MAP * ~NOTFOUND, EXCLUDE {PROXY}"
    running = launch(playwright, script, camera=camera, more=[resolve])
    yield running
    running.close()


def open_page(browser: Browser, url: str, **cookies: str) -> Page:
    """A page of a visitor of its own, who has the ``cookies``."""
    context = browser.new_context(viewport={"width": 1000, "height": 700})
    context.set_default_timeout(LONG_MS)
    context.add_init_script(PEERS_JS)
    context.add_cookies([{"name": name, "value": value, "url": url} for name, value in cookies.items()])
    page = Tab.open(context).page
    page.goto(url)
    return page


def process_of(page: Page) -> str:
    """Stands for the process that serves the page's session."""
    (cookie,) = [cookie for cookie in page.context.cookies() if cookie["name"] == "facet_process"]
    assert cookie["value"]
    return str(cookie["value"])


def analyze(page: Page, portrait: Path) -> None:
    """Upload a photograph and wait for its face."""
    page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files(str(portrait))
    expect(page.get_by_text("1 face found").first).to_be_visible()
    settled(page)


class TestAtTheRoot:
    @pytest.fixture(scope="class")
    @classmethod
    def site(cls, network: Network, folder: Path) -> Iterator[Site]:
        with Site(network, folder).running() as site:
            yield site

    def test_only_caddy_and_coturn_are_in_reach(self, site: Site) -> None:
        with pytest.raises(subprocess.CalledProcessError):
            site.curl("browser", f"http://{SERVER}:{PORTS[0]}/_stcore/health", "--max-time", "2")

    def test_uploads_in_both_processes(self, site: Site, far_browser: Browser, portrait: Path) -> None:
        first = open_page(far_browser, f"{site.url}/Analyze_Image")
        processes = {site.cookie(port) for port in PORTS}
        (other,) = processes - {process_of(first)}
        second = open_page(far_browser, f"{site.url}/Analyze_Image", facet_process=other)
        analyze(first, portrait)
        with second.expect_request(re.compile("/_stcore/upload_file/")) as request:
            analyze(second, portrait)
        assert second.evaluate(UPLOAD_JS, [request.value.url, 199]) == 204
        assert second.evaluate(UPLOAD_JS, [request.value.url, 201]) == 413
        assert {process_of(first), process_of(second)} == processes
        first.context.close()
        second.context.close()

    def test_live_video_is_relayed(self, site: Site, far_browser: Browser) -> None:
        page = open_page(far_browser, f"{site.url}/Live_Camera")
        settled(page)
        start(page)
        frames, with_faces, errors = wait_for_frames(page, 30)
        assert errors == 0
        assert with_faces >= 0.8 * frames
        candidate, server = stream_of(page).locator("body").evaluate(CONNECTION_JS)
        assert candidate == "relay"
        left_s = int(server["username"].split(":")[0]) - time.time()
        assert TURN_LIFETIME_S - 600 < left_s <= TURN_LIFETIME_S

        second = open_page(far_browser, f"{site.url}/Live_Camera", facet_process=process_of(page))
        expect(second.get_by_text("All places are taken")).to_be_visible()
        second.context.close()
        page.context.close()

    def test_credentials_expire(self, site: Site, far_browser: Browser) -> None:
        page = open_page(far_browser, site.url)

        def allocate(now_s: float) -> tuple[list[str], list[int]]:
            username, credential = turn_credentials(site.turn_secret, now_s)
            server = {"urls": f"turn:{PROXY}:{TURN_PORT}", "username": username, "credential": credential}
            return tuple(page.evaluate(ALLOCATE_JS, server))

        # 701: an address of the browser from which the server is out of reach.
        candidates, errors = allocate(time.time())
        assert (candidates, set(errors) - {701}) == (["relay"], set())
        candidates, errors = allocate(time.time() - TURN_LIFETIME_S - 60)
        assert (candidates, set(errors) - {701}) == ([], {401})
        page.context.close()

    def test_visitors_of_a_process_that_dies(self, site: Site, far_browser: Browser, portrait: Path) -> None:
        died, left = (site.cookie(port) for port in PORTS)
        page = open_page(far_browser, f"{site.url}/Analyze_Image", facet_process=died)
        settled(page)
        assert process_of(page) == died
        site.processes[PORTS[0]].kill()
        page.reload()
        settled(page)
        assert process_of(page) == left
        analyze(page, portrait)
        page.context.close()


class TestBelowAPathWithALogin:
    BASE = "/facet"

    @pytest.fixture(scope="class")
    @classmethod
    def site(cls, network: Network, folder: Path) -> Iterator[Site]:
        provider = f"http://{PROXY}:{OIDC_PORT}"
        auth = {
            "redirect_uri": f"https://{HOST}{cls.BASE}/oauth2callback",
            "cookie_secret": secrets.token_hex(32),
            "client_id": "facet",
            "client_secret": "of the client",
            "server_metadata_url": f"{provider}/.well-known/openid-configuration",
        }
        table = "[auth]\n" + "".join(f'{name} = "{value}"\n' for name, value in auth.items())
        site = Site(network, folder, cls.BASE, table)
        listen = ("-m", "oidc_provider_mock", "--host", PROXY, "--port", str(OIDC_PORT))
        with site._process("proxy", {}, sys.executable, *listen), site.running():
            yield site

    def test_every_page_asks(self, site: Site, far_browser: Browser) -> None:
        page = open_page(far_browser, site.url + "/")
        for name in ("", "Live_Camera", "Analyze_Image", "Model_Evaluation", "Analyze_Video"):
            page.goto(f"{site.url}/{name}")
            expect(page.get_by_role("button", name="Log in")).to_be_visible()
            settled(page)
            expect(page.locator("h1")).to_have_text("Facet")
            assert not page.get_by_test_id("stSidebar").get_by_role("combobox").count()
        page.context.close()

    def test_from_login_to_logout(self, site: Site, far_browser: Browser, portrait: Path) -> None:
        page = open_page(far_browser, site.url + "/")
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(f"http://{PROXY}:{OIDC_PORT}/**")
        page.locator("input[name=sub]").fill("somebody")
        page.get_by_role("button", name="Authorize").click()
        page.wait_for_url(f"{site.url}/")
        page.get_by_role("link", name="Analyze Image").click()
        analyze(page, portrait)
        page.get_by_role("link", name="Live Camera").click()
        settled(page)
        start(page)
        wait_for_frames(page, 10)
        page.get_by_role("button", name="Log out").click()
        # The provider's own session ends too.
        page.get_by_role("button", name="End session").click()
        expect(page.get_by_role("button", name="Log in")).to_be_visible()
        page.context.close()
