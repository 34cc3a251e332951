"""Images pasted with Ctrl+V anywhere on the page go to the file uploader, which itself takes files and drops only."""

from __future__ import annotations

import streamlit as st

# Text on the clipboard is left to the widget that has the focus. One listener serves the whole visit.
_PASTE_JS = """<script>
window.facetPaste ??= document.addEventListener("paste", (event) => {
  const input = document.querySelector(".st-key-UPLOADER input[type=file]");
  const images = [...(event.clipboardData?.files ?? [])].filter((file) => file.type.startsWith("image/"));
  if (!input || !images.length) return;
  event.preventDefault();
  const files = new DataTransfer();
  images.forEach((image) => files.items.add(image));
  input.files = files.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}) ?? true;
</script>"""


def accept_pasted(uploader_key: str) -> None:
    """Hand pasted images to the uploader with this key."""
    st.html(_PASTE_JS.replace("UPLOADER", uploader_key), unsafe_allow_javascript=True)
