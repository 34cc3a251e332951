"""Tables of ``.streamlit/secrets.toml``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from core.errors import ConfigError


def secrets_table(name: str) -> Mapping[str, Any]:
    """Return the table, empty if there is none. Raises ``ConfigError`` if a file exists but cannot be read."""
    return read_table(name, st.secrets, st.get_option("secrets.files"))


def read_table(name: str, secrets: Mapping[str, Any], files: Sequence[str]) -> Mapping[str, Any]:
    """Return table ``name`` of Streamlit's ``secrets``, empty if none of their ``files`` exists. Raises ``ConfigError``
    if a file exists but cannot be read."""
    try:
        table = secrets.get(name, {})
    except (OSError, UnicodeDecodeError) as error:
        # Streamlit also raises FileNotFoundError for a file that is not TOML.
        if isinstance(error, FileNotFoundError) and not any(Path(file).is_file() for file in files):
            return {}
        raise ConfigError(
            f"the secrets in {' or '.join(files)} cannot be read: {error}. The file must be TOML in UTF-8; correct "
            "or remove it"
        ) from error
    if not isinstance(table, Mapping):
        raise ConfigError(f"[{name}] in secrets.toml must be a table: a line [{name}] with its settings below it")
    return table
