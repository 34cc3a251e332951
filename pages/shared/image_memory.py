"""What the image page remembers of pictures, in the session's memory alone, and only while they are chosen."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import streamlit as st

from pages.shared.image_inputs import PictureFile

RESULTS, EXPLANATIONS = "image_results", "image_explanations"


def fingerprint(file: PictureFile) -> str:
    """Of what the file contains, whatever its name."""
    return hashlib.sha256(file.getvalue()).hexdigest()


def remembered(kind: str) -> OrderedDict[Any, Any]:
    """What the session remembers under ``kind``, used longest ago first; every key begins with ``fingerprint``."""
    store: OrderedDict[Any, Any] = st.session_state.setdefault(kind, OrderedDict())
    return store


def forget_all_but(files: Iterable[PictureFile]) -> None:
    """Nothing is kept of pictures that were removed or replaced."""
    chosen = {fingerprint(file) for file in files}
    for kind in (RESULTS, EXPLANATIONS):
        store = remembered(kind)
        for key in [key for key in store if key[0] not in chosen]:
            del store[key]
