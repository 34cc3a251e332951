"""Environment variables that configure Facet; those of the video connection are in ``pages/shared/live``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

ARTIFACTS = "FACET_ARTIFACTS"
"""Folder of the installed models."""
DATA = "FACET_DATA"
"""Folder of the data sets."""
DETECTOR = "FACET_DETECTOR"
"""Name of the default face detector."""
NETWORKS: Mapping[str, str] = MappingProxyType(
    {attribute: f"FACET_{attribute.upper()}_NETWORK" for attribute in ("emotion", "age", "gender")}
)
"""Attribute -> variable with the name of its default network."""
YUNET = "FACET_YUNET"
"""Model file of the YuNet detector."""
CAFFE = "FACET_CAFFE_DIR"
"""Folder of the Caffe networks."""


def read_variable(name: str) -> str:
    """Return the variable's value without surrounding blanks; empty if it is not set."""
    return os.environ.get(name, "").strip()


def read_path(name: str, default: Path) -> Path:
    """Return the path that the variable names, with ``~`` expanded; ``default`` if it is not set."""
    named = read_variable(name)
    return Path(named).expanduser() if named else default
