"""Image files, whatever they come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import streamlit as st

HANDED_OVER_KEY = "image_handed_over"


class ImageFile(Protocol):
    """The common interface of Streamlit's uploaded files and snapshots, and of ``MemoryFile``."""

    @property
    def name(self) -> str: ...

    def getvalue(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class MemoryFile:
    """A file of the session's memory: a sample that comes with the app, or a snapshot of the live page."""

    name: str
    data: bytes

    def getvalue(self) -> bytes:
        return self.data


def hand_over(file: MemoryFile) -> None:
    """Give a picture of another page to the image page, which is to be opened next."""
    st.session_state[HANDED_OVER_KEY] = file


def handed_over() -> MemoryFile | None:
    """Return the picture of another page."""
    file: MemoryFile | None = st.session_state.get(HANDED_OVER_KEY)
    return file


def forget_handed_over() -> None:
    """Drop the picture of another page."""
    st.session_state.pop(HANDED_OVER_KEY, None)
