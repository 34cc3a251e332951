"""Cache of the image page: in the session's memory only, and only for the files that are selected."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import Any, TypeVar

import streamlit as st

from core.io.archive import ArchivedFile
from pages.shared.image.files import ImageFile

RESULTS, SUMMARIES, EXPLANATIONS, VIEWS = "image_results", "image_summaries", "image_explanations", "image_views"
Value = TypeVar("Value")


def compute_fingerprint(file: ImageFile) -> str:
    """Return a text that only the same contents have."""
    if isinstance(file, ArchivedFile):  # It need not be unpacked.
        return file.fingerprint
    return hashlib.sha256(file.getvalue()).hexdigest()


def cached(kind: str, key: tuple[Any, ...], make: Callable[[], Value], max_entries: int) -> Value:
    """Return the cached value of ``key``, which starts with a fingerprint, or make it.

    The ``max_entries`` most recently used values per kind are kept.
    """
    store: OrderedDict[tuple[Any, ...], Value] = _store(kind)
    if key not in store:
        store[key] = make()
    store.move_to_end(key)
    while len(store) > max_entries:
        store.popitem(last=False)
    return store[key]


def forget_all_but(fingerprints: Collection[str]) -> None:
    """Drop everything about files that were removed or replaced."""
    kept = set(fingerprints)
    for store in map(_store, (RESULTS, SUMMARIES, EXPLANATIONS, VIEWS)):
        for key in [key for key in store if key[0] not in kept]:
            del store[key]


def _store(kind: str) -> OrderedDict[tuple[Any, ...], Any]:
    store: OrderedDict[tuple[Any, ...], Any] = st.session_state.setdefault(kind, OrderedDict())
    return store
