"""Measuring a made-up package on made-up images; and that the stored cards are those of the catalog."""

import re
import shutil
from dataclasses import replace

import numpy as np
import pytest

from core.artifacts.model_card import ARTIFACTS_DIR, PREDICTIONS_FILE, SPEED_FILE, load_card
from core.datasets.loading import read_split
from core.evaluation.leaderboard import load_leaderboard
from core.evaluation.predictions import load_predictions
from models.exporting.model_card import read_card
from models.peers import catalog, command
from models.peers.packages import REQUIREMENTS
from tests.fakes.evaluation import emotion_predictions, write_artifact

ALWAYS_HAPPY = np.array([0, 0, 0, 0.9, 0, 0.1, 0], np.float32)


@pytest.fixture
def artifacts(tmp_path, monkeypatch, fer2013_dir):
    """Facet's network, measured on the images of ``fer2013_dir``, and a package that says "happy" only."""
    monkeypatch.setenv("FACET_ARTIFACTS", str(tmp_path))
    splits = {}
    for split in ("private", "public"):
        samples = read_split(fer2013_dir, "emotion", split, np.array([]), 48).samples
        made_up = emotion_predictions(len(samples), ids=samples.ids)
        splits[split] = replace(made_up, truth={"emotion": samples.labels["emotion"]})
    write_artifact(tmp_path, "emotion", "emotion", splits)
    peer = replace(
        catalog.PEERS["peer_human_emotion"],
        load=lambda files: lambda crops: {"emotion": np.repeat(ALWAYS_HAPPY[None], len(crops), axis=0)},
    )
    monkeypatch.setattr(command, "PEERS", {"happy": replace(peer, name="happy", title="happy 1.0")})
    monkeypatch.setattr(command, "read_package", lambda package, folder, names: {"model.bin": b"abc"})
    return tmp_path


def test_a_package_is_measured_and_stored_like_a_network(artifacts, fer2013_dir, capsys):
    assert command.main(["--data", str(fer2013_dir)]) == 0
    predictions = load_predictions(artifacts / "happy" / PREDICTIONS_FILE)
    truth = predictions["private"].truth["emotion"]
    assert predictions["private"].probabilities["emotion"][0] == pytest.approx(ALWAYS_HAPPY, abs=1e-6), "not calibrated"
    card = load_card(artifacts / "happy")
    assert card.metrics["private"]["accuracy"] == pytest.approx((truth == 3).mean())
    assert (card.is_peer, card.is_own, card.is_baseline) == (True, False, False)
    assert card.package.files["model.bin"].bytes == 3
    assert (artifacts / "happy" / SPEED_FILE).is_file()
    assert f"accuracy {(truth == 3).mean():.4f}" in capsys.readouterr().out
    (row,) = [row for group in load_leaderboard(artifacts).groups for row in group.rows if row.network.name == "happy"]
    assert row.network.label == "happy 1.0 *"


def test_other_images_are_refused(artifacts, fer2013_dir, capsys):
    shutil.rmtree(artifacts / "emotion")
    write_artifact(artifacts, "emotion", "emotion", {split: emotion_predictions(14) for split in ("private", "public")})
    assert command.main(["--data", str(fer2013_dir)]) == 2
    assert "of the 14 images" in capsys.readouterr().err
    assert not (artifacts / "happy").exists()


def test_an_unknown_peer_is_an_error(artifacts, capsys):
    assert command.main(["nobody", "--data", "nowhere"]) == 2
    assert "choose from happy" in capsys.readouterr().err


@pytest.mark.parametrize("peer", catalog.PEERS.values(), ids=catalog.PEERS)
def test_stored_cards_say_what_the_catalog_says(peer):
    card = read_card(ARTIFACTS_DIR / peer.name)
    described = command.describe_peer(peer, {})
    measured = {"metrics", "files", "data", "package", "age_calibration"}
    assert {key: card[key] for key in described.keys() - measured} == {
        key: described[key] for key in described.keys() - measured
    }
    assert card["package"] | {"files": {}} == described["package"]
    assert set(card["package"]["files"]) == set(peer.files)
    assert card["data"]["dataset"] == peer.learnt_from


def test_required_packages_are_those_of_the_catalog():
    required = re.findall(r"^([\w-]+)==(\S+)", (ARTIFACTS_DIR.parents[1] / REQUIREMENTS).read_text(), re.MULTILINE)
    packages = {peer.package.registry: [] for peer in catalog.PEERS.values()}
    for peer in catalog.PEERS.values():
        packages[peer.package.registry].append((peer.package.name, peer.package.version))
    assert set(required) == set(packages["PyPI"])
    text = (ARTIFACTS_DIR.parents[1] / REQUIREMENTS).read_text()
    assert all(f"{name}@{version}" in text for name, version in packages["npm"])
