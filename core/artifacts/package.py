"""What a card says about a network that is part of a published package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ListedFile:
    """A file as a card lists it."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class PeerPackage:
    """The published package that a peer comes from; only its predictions are stored here.

    ``registry``: "PyPI" or "npm"; ``input``: what its own code makes of a face; ``files``: the measured model files.
    ``seen``: what is known of test images in its training or model selection; empty if nothing is.
    """

    name: str
    version: str
    registry: str
    input: str
    seen: str = ""
    files: Mapping[str, ListedFile] = field(default_factory=dict)

    @property
    def size_mb(self) -> float:
        """Megabytes of the model files."""
        return sum(file.bytes for file in self.files.values()) / 1e6
