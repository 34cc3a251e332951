"""The comparison with a network trained without weights, through the command line."""

from __future__ import annotations

import pytest

from core.artifacts.model_card import PREDICTIONS_FILE, load_card, sha256_of
from core.evaluation.predictions import save_predictions
from core.evaluation.reweighting import REWEIGHTING_FILE, compared, load_reweighting
from models import reweighting
from tests.fakes.evaluation import emotion_predictions, write_artifact
from tests.fakes.reweighting import example_after, example_before

SIDES = ("validation", "test")
BEFORE = {side: example_before(seed=seed) for seed, side in enumerate(SIDES)}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    after = {side: example_after(before) for side, before in BEFORE.items()}
    monkeypatch.setenv("FACET_ARTIFACTS", str(tmp_path / "artifacts"))
    return write_artifact(tmp_path / "artifacts", "age_gender", "age_gender", after)


@pytest.fixture
def listed(folder):
    """With its predictions on the card, as training leaves it."""
    reweighting.write_card(folder, reweighting.read_card(folder))
    return folder


@pytest.fixture
def before(tmp_path):
    file = tmp_path / "before.npz"
    save_predictions(file, BEFORE)
    return file


def run(folder, before, *arguments):
    return reweighting.main([folder.name, "--before", str(before), *arguments])


def test_the_command_stores_the_comparison_and_lists_it_on_the_card(listed, before, capsys):
    assert run(listed, before, "--what", "Old people count more.") == 0
    report = load_reweighting(listed, load_card(listed))
    assert (report.artifact, report.what_changed) == ("age_gender", "Old people count more.")
    assert report.before_sha256 == sha256_of(before)
    assert report.after_sha256 == sha256_of(listed / PREDICTIONS_FILE)
    assert tuple(report.sides) == SIDES
    assert report.sides["test"].everybody == compared(BEFORE["test"], example_after(BEFORE["test"])).everybody
    out = capsys.readouterr().out
    old = report.sides["validation"].brackets[-1].age_mae
    assert f"{old.before.value:.2f} ->   {old.after.value:.2f} ({old.change.value:+.2f})*" in out
    assert out.count("everybody") == 2


def test_without_a_sentence_of_ones_own(listed, before):
    assert run(listed, before) == 0
    assert "over 60" in load_reweighting(listed, load_card(listed)).what_changed


def test_predictions_that_were_altered_are_refused(listed, before, capsys):
    save_predictions(listed / PREDICTIONS_FILE, BEFORE)
    assert run(listed, before) == 2
    assert "predictions.npz" in capsys.readouterr().err
    assert not (listed / REWEIGHTING_FILE).exists()


@pytest.mark.parametrize(
    ("sides", "message"),
    [
        ({"test": BEFORE["test"]}, "'validation'"),
        ({side: emotion_predictions() for side in SIDES}, "no answers about age and gender on 'validation'"),
        ({"validation": BEFORE["test"], "test": BEFORE["validation"]}, "about the same people"),
    ],
    ids=["a side is missing", "emotions", "sides mixed up"],
)
def test_files_that_cannot_be_compared(listed, tmp_path, capsys, sides, message):
    file = tmp_path / "other.npz"
    save_predictions(file, sides)
    assert run(listed, file) == 2
    assert message in capsys.readouterr().err
    assert not (listed / REWEIGHTING_FILE).exists()


def test_a_file_that_is_not_there(listed, tmp_path, capsys):
    assert run(listed, tmp_path / "nothing.npz") == 2
    assert "nothing.npz is missing" in capsys.readouterr().err


def test_an_artifact_that_is_not_there(listed, before, capsys):
    assert reweighting.main(["mood", "--before", str(before)]) == 2
    assert "no artifact 'mood'" in capsys.readouterr().err


def test_only_ages_can_be_compared_by_age(listed, before, capsys):
    write_artifact(listed.parent, "emotion", "emotion", {"private": emotion_predictions()})
    assert reweighting.main(["emotion", "--before", str(before)]) == 2
    assert "emotion is for emotion" in capsys.readouterr().err
