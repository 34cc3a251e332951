"""Escape text from outside for Streamlit's Markdown."""

from __future__ import annotations

import re

# An underscore inside a word marks nothing up; leaving it alone keeps paths readable. Headings, quotations and lists
# begin a line.
_MARKUP = re.compile(r"[\\`*\[\]$~|<&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|^[#>+-]")
_NUMBERED = re.compile(r"^(\d+)([.)])")


def escape_markdown(text: str) -> str:
    """Return ``text`` on one line, with every character escaped that Markdown acts on."""
    return _NUMBERED.sub(r"\1\\\2", _MARKUP.sub(r"\\\g<0>", " ".join(text.split())))
