"""What the landing page says beside the figures."""

from __future__ import annotations

LEAD = (
    "Facet finds faces in live video and in pictures and estimates, for each of them, the **emotion** it "
    "shows, its **age** and its **perceived gender**. Every answer comes with its probability or interval, "
    "and every model with figures measured on images that it has never seen."
)

PAGES: tuple[tuple[str, str, str, str], ...] = (
    (
        "pages/1_Live_Camera.py",
        "Live camera",
        ":material/videocam:",
        "Your own face, analysed while you move: boxes, stable face numbers, emotions and mood over time.",
    ),
    (
        "pages/2_Analyze_Image.py",
        "Analyze image",
        ":material/add_photo_alternate:",
        "Upload pictures or take a snapshot: a card per face, suggestions, downloads as PNG, CSV and JSON.",
    ),
    (
        "pages/3_Model_Evaluation.py",
        "Model evaluation",
        ":material/query_stats:",
        "How good the models are: confusion matrices, age errors by bracket, training curves, model cards.",
    ),
)
"""File, label, icon and description of each page."""

LIMITS = """
- A face shows an **expression**, not a feeling. The emotion models know seven expressions, and people who
  look at the same pictures often disagree about them too.
- **Age** is a guess from looks; the interval beside it matters as much as the number. How far off it is
  depends on the age: the model evaluation page shows it bracket by bracket.
- **Perceived gender** is a label that an algorithm gave to pictures and people checked. It is neither sex nor
  gender identity, and it knows two values only.
- Errors **differ between groups** of people; the same page shows by how much.
- Faces that are turned away, covered, very small or badly lit are missed or misread.
- It does **not recognise** anybody: no face is compared with another person's or remembered.
- Not for decisions about people. In the European Union, reading emotions at work and in education is
  prohibited by the AI Act (Article 5).
"""

PRIVACY = """
- Video frames and pictures are analysed in the memory of the machine that runs Facet and are dropped
  afterwards.
- **Nothing is stored**: no picture, no result, no log of faces. What you want to keep, you download.
- **Nothing is sent elsewhere**: no usage statistics, no outside service. Live video uses STUN or TURN servers
  only if whoever runs Facet has configured some.
- Results live in your session and end with it; nobody else sees them.
"""
