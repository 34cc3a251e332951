"""The mean of a crop and its mirror image."""

import json

import numpy as np
import pytest

from core.artifacts.model_card import TWO_VIEWS_FILE, TWO_VIEWS_KEY, load_card
from core.datasets.samples import Samples
from core.datasets.splits import SplitDataset
from core.evaluation.predictions import load_predictions
from models import two_views
from tests.fakes.leaderboard import copy_real_network


class LeftMinusRight:
    """Answers whether the left half is brighter than the right one."""

    crop_shape = (4, 4, 1)

    def predict(self, crops):
        crops = crops.astype(np.float32)
        return {"emotion": np.stack([half.mean(axis=(1, 2, 3)) for half in (crops[:, :, :2], crops[:, :, 2:])], axis=1)}


def test_both_views_count_the_same():
    crops = np.random.default_rng(0).integers(0, 256, (3, 4, 4, 1), np.uint8)
    outputs = two_views.predict_two_views(LeftMinusRight(), crops)["emotion"]
    assert outputs[:, 0] == pytest.approx(outputs[:, 1])
    assert outputs[:, 0] == pytest.approx(crops.mean(axis=(1, 2, 3)), abs=1e-3)


def _data():
    rng = np.random.default_rng(1)
    splits = {
        split: Samples(
            np.array([f"{split}{row}" for row in range(12)]),
            rng.integers(0, 256, (12, 48, 48, 1), np.uint8),
            {"emotion": rng.integers(0, 7, 12)},
        )
        for split in ("public", "private")
    }
    return SplitDataset("made-up", splits, (), 0, 0)


def test_predictions_and_figures_are_stored_and_listed(tmp_path):
    folder = copy_real_network(tmp_path)
    two_views.store_two_views(folder, _data())
    stored = load_predictions(folder / TWO_VIEWS_FILE)
    card = load_card(folder)
    assert {split: len(one) for split, one in stored.items()} == {"public": 12, "private": 12}
    assert card.raw[TWO_VIEWS_KEY]["private"]["n"] == 12
    assert card.files[TWO_VIEWS_FILE]["bytes"] == (folder / TWO_VIEWS_FILE).stat().st_size


def test_the_command_prints_both_sides(tmp_path, monkeypatch, capsys):
    copy_real_network(tmp_path)
    monkeypatch.setenv("FACET_ARTIFACTS", str(tmp_path))
    monkeypatch.setattr(two_views, "load_data", lambda task, data_dir, size: _data())
    assert two_views.main(["emotion", "--data", str(tmp_path)]) == 0
    assert set(json.loads(capsys.readouterr().out)) == {"public", "private"}


def test_what_cannot_be_mirrored_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FACET_ARTIFACTS", str(tmp_path))
    assert two_views.main(["nobody", "--data", str(tmp_path)]) == 2
    assert "nobody" in capsys.readouterr().err
    card = json.loads((copy_real_network(tmp_path) / "card.json").read_text())
    (tmp_path / "emotion" / "card.json").write_text(json.dumps(card | {"task": "detection"}))
    assert two_views.main(["emotion", "--data", str(tmp_path)]) == 2
    assert "nothing to mirror" in capsys.readouterr().err
