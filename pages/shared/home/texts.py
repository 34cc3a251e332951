"""Texts of the landing page, and the links to the other pages."""

from __future__ import annotations

from typing import NamedTuple

LEAD = (
    "Facet finds faces in live video and images and estimates **emotion**, **age** and **perceived gender** for each "
    "face. Every prediction has a probability or an interval. Every model is measured on images it was not trained on."
)


class PageLink(NamedTuple):
    """``file`` is relative to ``Home.py``."""

    file: str
    title: str
    icon: str
    description: str


PAGES = (
    PageLink(
        "pages/1_Live_Camera.py",
        "Live Camera",
        ":material/videocam:",
        "Analyze your webcam in real time: tracked faces, emotions and valence over time.",
    ),
    PageLink(
        "pages/2_Analyze_Image.py",
        "Analyze Image",
        ":material/add_photo_alternate:",
        "Upload images or take a snapshot: one card per face, suggestions, downloads as PNG, CSV and JSON.",
    ),
    PageLink(
        "pages/3_Model_Evaluation.py",
        "Model Evaluation",
        ":material/query_stats:",
        "See how accurate the models are: confusion matrices, age errors, calibration, leaderboard, model cards.",
    ),
)

LIMITS = """
- Models read an **expression**, not a feeling. They know seven expressions; people often disagree about them too.
- **Age** is an estimate from appearance. Its error depends on age: see *Model Evaluation*.
- **Perceived gender** has two labels, assigned by an algorithm and checked by people. It is not gender identity.
- Accuracy **differs between groups** of people: see *Model Evaluation*.
- Faces that are turned away, covered, very small or badly lit may be missed or misread.
- Facet does **not identify** anybody: it never compares or remembers faces.
- Do not use it for decisions about people. The EU AI Act (Article 5) prohibits emotion recognition at work and in
  education.
"""

PRIVACY = """
- Video and images are analyzed in the memory of the machine that runs Facet, then dropped.
- **Nothing is stored**: no images, no results, no logs of faces. You download what you want to keep.
- **Nothing is sent elsewhere**: no usage statistics, no external services. Live video uses STUN or TURN servers only
  if the operator has configured them.
- Results belong to your session and end with it.
"""
