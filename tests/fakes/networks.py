"""Networks to choose from: fakes by attribute, and artifact folders made of the installed ones."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.artifacts.model_card import ARTIFACTS_DIR, CARD_FILE, SERVED_FILE
from core.attributes.estimator import Estimator
from tests.fakes.core import AGE_GENDER_CARD

GENDER_CARD = replace(AGE_GENDER_CARD, name="six_conv_gender", task="gender")
AGE_CARD = replace(AGE_GENDER_CARD, name="ssr_net_age", task="age")


def answering(*networks: Estimator) -> dict[str, Estimator]:
    """Attribute -> network, by their cards; a later one answers in place of an earlier."""
    return {attribute: network for network in networks for attribute in network.card.attributes}


OUR_ARTIFACTS = ("age_gender", "emotion", "face_detector")


def installed_copy(root: Path) -> Path:
    """``root`` with cards and served files of our own networks and the detector."""
    for card in (ARTIFACTS_DIR / name / CARD_FILE for name in OUR_ARTIFACTS):
        if (card.parent / SERVED_FILE).is_file():
            add_artifact(root, card.parent.name, card.parent.name)
    return root


def add_artifact(root: Path, name: str, source: str, served: bool = True, **changes: Any) -> Path:
    """The installed artifact ``source`` under another name, with ``changes`` on its card; without its model if not
    ``served``."""
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    card = json.loads((ARTIFACTS_DIR / source / CARD_FILE).read_text(encoding="utf-8")) | {"name": name} | changes
    if served:
        shutil.copy(ARTIFACTS_DIR / source / SERVED_FILE, folder / SERVED_FILE)
    else:
        card["not_included"] = {SERVED_FILE: {"bytes": 28_000_000, "sha256": "0" * 64}}
        del card["files"][SERVED_FILE]
    (folder / CARD_FILE).write_text(json.dumps(card), encoding="utf-8")
    return folder
