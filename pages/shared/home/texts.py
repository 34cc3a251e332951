"""Texts of the landing page, and the links to the other pages."""

from __future__ import annotations

from typing import NamedTuple

LEAD = "Facet finds faces and reads emotion, age and perceived gender, and says how sure it is."


class PageLink(NamedTuple):
    """``file`` is relative to ``Home.py``; ``action``: what the button on the landing page says, if it has one."""

    file: str
    title: str
    icon: str
    action: str = ""


PAGES = (
    PageLink("pages/1_Live_Camera.py", "Live Camera", ":material/videocam:", "Try your camera"),
    PageLink("pages/2_Analyze_Image.py", "Analyze Image", ":material/add_photo_alternate:", "Try your photo"),
    PageLink("pages/4_Analyze_Video.py", "Analyze Video", ":material/movie:", "Try your video"),
    PageLink("pages/3_Model_Evaluation.py", "Model Evaluation", ":material/query_stats:"),
)
IMAGE, EVALUATION = PAGES[1], PAGES[-1]

NOTICE = "  \n".join(
    (
        "**Private.** Pictures and video stay on this server until you leave. They are never kept or sent elsewhere.",
        "**Limits.** An expression is not a feeling. Age and gender are estimates, and errors differ between groups.",
        "**Not for decisions about people.** The EU AI Act bans emotion recognition at work and in education.",
    )
)
"""Three lines."""
