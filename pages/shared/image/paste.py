"""Images pasted with Ctrl+V anywhere on the page; Streamlit's file uploader only takes files and drops."""

from __future__ import annotations

import base64

import streamlit as st

from pages.shared.image.files import ImageFile, MemoryFile

MAX_PASTED = 8
"""Pasted images that the session keeps, the latest ones."""

PASTED = "image_pasted"

# Text on the clipboard is left to the widget that has the focus.
_PASTE_JS = """
export default function ({ setTriggerValue }) {
  const read = (file) => new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve({ name: file.name, base64: reader.result.split(",")[1] ?? "" });
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
  const onPaste = (event) => {
    const images = [...(event.clipboardData?.files ?? [])].filter((file) => file.type.startsWith("image/"));
    if (!images.length) return;
    event.preventDefault();
    Promise.all(images.map(read)).then((files) => setTriggerValue("images", files)).catch(() => {});
  };
  document.addEventListener("paste", onPaste);
  return () => document.removeEventListener("paste", onPaste);
}
"""


@st.cache_resource
def _listener() -> st.components.v2.types.ComponentRenderer:
    return st.components.v2.component("facet.paste", js=_PASTE_JS)


def pasted_files() -> list[ImageFile]:
    """Listen for pasted images, and return the latest ones that were not removed."""
    new = _listener()(key="image_paste", on_images_change=lambda: None).get("images") or []
    files: list[ImageFile] = st.session_state.setdefault(PASTED, [])
    files += [MemoryFile(file["name"], base64.b64decode(file["base64"])) for file in new]
    del files[:-MAX_PASTED]
    if files and st.button("Remove pasted images", icon=":material/delete:", key="image_paste_remove"):
        files.clear()
        st.rerun()
    return files


def forget_pasted() -> None:
    """Drop the pasted images."""
    st.session_state.pop(PASTED, None)
