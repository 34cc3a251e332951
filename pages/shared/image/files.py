"""Image files, whatever they come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class ImageFile(Protocol):
    """The common interface of Streamlit's uploaded files and snapshots, and of ``MemoryFile``."""

    @property
    def name(self) -> str: ...

    def getvalue(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class MemoryFile:
    """A file that comes with the app."""

    name: str
    data: bytes

    def getvalue(self) -> bytes:
        return self.data
