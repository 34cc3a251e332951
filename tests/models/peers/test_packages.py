import io
import tarfile

import pytest

from core.artifacts.package import PeerPackage
from core.errors import ArtifactMissingError
from models.peers.packages import REQUIREMENTS, read_package

HUMAN = PeerPackage("@vladmandic/human", "3.3.6", "npm", "")


def write_archive(folder, **files):
    with tarfile.open(folder / "vladmandic-human-3.3.6.tgz", "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def test_files_come_out_of_an_npm_archive(tmp_path):
    write_archive(tmp_path, **{"a.bin": b"weights", "b.json": b"{}"})
    assert read_package(HUMAN, tmp_path, ("a.bin", "b.json")) == {"a.bin": b"weights", "b.json": b"{}"}


def test_what_to_do_about_a_missing_or_broken_archive(tmp_path):
    advice = rf"npm pack @vladmandic/human@3\.3\.6 --pack-destination {tmp_path}"
    with pytest.raises(ArtifactMissingError, match=f"is missing. Get it with: {advice}"):
        read_package(HUMAN, tmp_path, ("a.bin",))
    write_archive(tmp_path, other=b"")
    with pytest.raises(ArtifactMissingError, match=rf"a\.bin.*{advice}"):
        read_package(HUMAN, tmp_path, ("a.bin",))
    (tmp_path / "vladmandic-human-3.3.6.tgz").write_bytes(b"no archive")
    with pytest.raises(ArtifactMissingError, match=f"cannot be read.*{advice}"):
        read_package(HUMAN, tmp_path, ("a.bin",))


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A made-up package of PyPI, version 1.0."""
    metadata = tmp_path / "some_peer-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: some-peer\nVersion: 1.0\n")
    (tmp_path / "some_peer").mkdir()
    (tmp_path / "some_peer" / "model.bin").write_bytes(b"weights")
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_files_come_out_of_an_installed_package(installed):
    found = read_package(PeerPackage("some-peer", "1.0", "PyPI", ""), installed, ("some_peer/model.bin",))
    assert found == {"some_peer/model.bin": b"weights"}
    with pytest.raises(ArtifactMissingError, match="Install it again"):
        read_package(PeerPackage("some-peer", "1.0", "PyPI", ""), installed, ("some_peer/other.bin",))


@pytest.mark.parametrize(
    ("name", "words"), [("some-peer", "2.0 is installed as 1.0"), ("no-such-peer", "2.0 is not installed")]
)
def test_what_to_do_about_a_missing_or_other_package(installed, name, words):
    with pytest.raises(ArtifactMissingError, match=f"{words}.*pip install --no-deps -r {REQUIREMENTS}"):
        read_package(PeerPackage(name, "2.0", "PyPI", ""), installed, ())
