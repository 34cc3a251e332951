"""Text from outside in Streamlit's Markdown, and pictures in its HTML."""

from __future__ import annotations

import base64
import re
from html import escape

# An underscore inside a word marks nothing up; leaving it alone keeps paths readable. Headings, quotations and lists
# begin a line.
_MARKUP = re.compile(r"[\\`*\[\]$~|<&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|^[#>+-]")
_NUMBERED = re.compile(r"^(\d+)([.)])")


def escape_markdown(text: str) -> str:
    """Return ``text`` on one line, with every character escaped that Markdown acts on."""
    return _NUMBERED.sub(r"\1\\\2", _MARKUP.sub(r"\\\g<0>", " ".join(text.split())))


def picture_html(jpeg: bytes, alt: str, style: str = "max-width: 100%") -> str:
    """Return an image that is part of the page. For one of ``st.image``, the browser asks the server three more times,
    one after the other."""
    source = base64.b64encode(jpeg).decode()
    return f'<img alt="{escape(alt)}" style="border-radius: 0.6rem; {style}" src="data:image/jpeg;base64,{source}">'
