"""The splits of the real data sets are those that the models on the cards were trained and measured on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.artifacts.model_card import ARTIFACTS_DIR, load_card
from core.datasets import published_split, splits
from core.datasets.published_split import FOLDER, load_utkface_published
from core.datasets.splits import SplitDataset, load_fer2013, load_utkface

pytestmark = pytest.mark.data
SIZE = 80
"""At which near-duplicates of UTKFace are looked for, so that one reading does for all."""


@pytest.fixture(scope="module")
def utkface(data_dir: Path) -> dict[str, SplitDataset]:
    """Artifact -> UTKFace as it was split for it, read once."""
    if not (data_dir / FOLDER).is_dir():
        pytest.skip(f"{data_dir} lacks {FOLDER}")
    read = splits.utkface_with_duplicates(data_dir, SIZE)
    with pytest.MonkeyPatch.context() as patch:
        for module in (splits, published_split):
            patch.setattr(module, "utkface_with_duplicates", lambda data_dir, image_size: read)
        return {
            "age_gender": load_utkface(data_dir, SIZE),
            "age_gender_published": load_utkface_published(data_dir, SIZE),
        }


def test_utkface_is_split_as_the_cards_say(utkface: dict[str, SplitDataset]) -> None:
    published = load_card(ARTIFACTS_DIR / "age_gender_published").data
    assert utkface["age_gender_published"].fingerprints() == published["fingerprints"]
    assert utkface["age_gender_published"].near_duplicate_pairs == published["near_duplicate_pairs"]
    # Its training images are of several data sets.
    held_out = {name: value for name, value in utkface["age_gender"].fingerprints().items() if name != "train"}
    assert held_out.items() <= load_card(ARTIFACTS_DIR / "age_gender").data["fingerprints"].items()


def test_the_published_split_has_the_published_counts(utkface: dict[str, SplitDataset]) -> None:
    splits = utkface["age_gender_published"].splits
    ages = np.concatenate([samples.labels["age"] for samples in splits.values()])
    assert len(splits["published_test"]) == 3_287
    assert sum(len(samples) for samples in splits.values()) == 16_431
    assert (ages.min(), ages.max()) == (21, 60)


def test_fer2013_is_split_as_the_card_says(data_dir: Path) -> None:
    data = load_card(ARTIFACTS_DIR / "emotion").data
    found = load_fer2013(data_dir)
    # Faces without labels, of other data sets, are no split of FER2013.
    assert found.fingerprints() == {name: value for name, value in data["fingerprints"].items() if name != "unlabelled"}
    assert found.dropped == data["dropped_near_duplicates"]
