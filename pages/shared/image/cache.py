"""What the image page remembers of pictures, in the session's memory alone, and only while they are chosen."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import Any, TypeVar

import streamlit as st

from pages.shared.image.inputs import PictureFile

RESULTS, EXPLANATIONS = "image_results", "image_explanations"
Kept = TypeVar("Kept")


def fingerprint(file: PictureFile) -> str:
    """Of what the file contains, whatever its name."""
    return hashlib.sha256(file.getvalue()).hexdigest()


def remembered(kind: str, key: tuple[Any, ...], make: Callable[[], Kept], most: int) -> Kept:
    """What the session remembers of ``key``, which begins with a fingerprint, or what ``make`` gives; of each kind the
    ``most`` that were used last are kept."""
    store: OrderedDict[tuple[Any, ...], Kept] = _store(kind)
    if key not in store:
        store[key] = make()
    store.move_to_end(key)
    while len(store) > most:
        store.popitem(last=False)
    return store[key]


def forget_all_but(fingerprints: Collection[str]) -> None:
    """Nothing is kept of pictures that were removed or replaced."""
    for store in map(_store, (RESULTS, EXPLANATIONS)):
        for key in [key for key in store if key[0] not in fingerprints]:
            del store[key]


def _store(kind: str) -> OrderedDict[tuple[Any, ...], Any]:
    store: OrderedDict[tuple[Any, ...], Any] = st.session_state.setdefault(kind, OrderedDict())
    return store
