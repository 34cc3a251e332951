"""Changes of answers about the same face: counted by hand, and measured with the real detector and network."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.artifacts.model_card import ARTIFACTS_DIR, CONSISTENCY_FILE, DETECTOR_ARTIFACT, load_card
from core.errors import ArtifactCorruptError, ArtifactMissingError
from core.evaluation.consistency import consistency_table, count_changes, load_consistency
from core.evaluation.predictions import load_predictions
from core.settings import ViewSettings
from models import evaluate
from models.measuring import consistency
from pages.shared.samples import ASTRONAUT, GRACE_HOPPER

VIEWS = ViewSettings().count


def test_changes_are_counted_by_answer_and_by_face() -> None:
    second = {"as it is": [0.1, 0.9, 0.6, 0.4], "moved": [0.2, 0.9, 0.7, 0.8], "mirrored": [0.1, 0.4, 0.9, 0.9]}
    probabilities = {name: np.stack([1 - np.array(values), values], axis=1) for name, values in second.items()}
    ages = {"as it is": [10.0, 20, 30, 40], "moved": [11.0, 20, 30, 40], "mirrored": [10.0, 18, 30, 41]}
    changes = count_changes(2, probabilities, 0.8, {name: np.array(values) for name, values in ages.items()})
    assert (changes.answers.value, changes.answers.n) == (3 / 8, 8)
    assert (changes.faces.value, changes.faces.n) == (0.5, 4)
    assert changes.by_change == {"moved": 0.25, "mirrored": 0.5}
    assert changes.age_years == 0.5
    # The first two faces are certain; the answer about the second changes in the mirrored picture.
    assert (changes.certain.value, changes.certain.n) == (1 / 4, 4)
    assert changes.confidence == pytest.approx(np.mean([0.9, 0.9, 0.6, 0.6, 0.8, 0.9, 0.7, 0.8, 0.9, 0.6, 0.9, 0.9]))
    assert count_changes(2, probabilities, 0.8) == replace(changes, age_years=None)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Copies of the installed networks, measured on a FairFace of two sample portraits and one without a face."""
    root = tmp_path_factory.mktemp("consistency")
    data = root / "data/fairface"
    (data / "val").mkdir(parents=True)
    rows = ["file,age,gender,race,service_test"]
    for number, sample in enumerate((ASTRONAUT, GRACE_HOPPER), start=1):
        image = cv2.imread(str(sample))
        side = min(image.shape[:2])
        cv2.imwrite(str(data / f"val/{number}.jpg"), cv2.resize(image[:side, :side], (224, 224)))
        rows.append(f"val/{number}.jpg,30-39,Female,White,True")
    cv2.imwrite(str(data / "val/3.jpg"), np.full((224, 224, 3), 90, np.uint8))
    (data / "fairface_label_val.csv").write_text("\n".join([*rows, "val/3.jpg,0-2,Male,White,True"]))
    for name in ("age_gender", DETECTOR_ARTIFACT):
        shutil.copytree(ARTIFACTS_DIR / name, root / "artifacts" / name, ignore=shutil.ignore_patterns("*.keras"))
    (root / "artifacts/age_gender" / CONSISTENCY_FILE).unlink(missing_ok=True)
    return root / "artifacts/age_gender", root / "data"


def test_command_stores_the_report_and_lists_it(
    measured: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, data = measured
    monkeypatch.setenv("FACET_ARTIFACTS", str(folder.parent))
    with pytest.raises(ArtifactMissingError, match="models consistency age_gender --data DIR"):
        load_consistency(folder, load_card(folder))
    assert consistency.main(["age_gender", "--data", str(data)]) == 0
    assert "2 of 3 portraits" in capsys.readouterr().out
    card = load_card(folder)
    report = load_consistency(folder, card)
    assert (report.images, report.found, report.output) == (3, 2, "gender")
    assert [changes.views for changes in report.by_views] == [1, VIEWS]
    assert all(changes.answers.n == 2 * (len(consistency.CHANGES) - 1) for changes in report.by_views)
    assert all(changes.age_years is not None and changes.age_years > 0 for changes in report.by_views)
    table = consistency_table(report)
    assert table["views"].tolist() == [1, VIEWS]
    assert {"changed_answers_share_low", "mirrored_share", "age_change_years"} <= set(table)
    with pytest.raises(ArtifactCorruptError, match="another network"):
        load_consistency(folder, replace(card, files={**card.files, "model.tflite": {"bytes": 1, "sha256": "0" * 64}}))
    assert consistency.main([DETECTOR_ARTIFACT, "--data", str(data)]) == 2


def test_photographs_are_evaluated_without_the_training_data(
    measured: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, data = measured
    monkeypatch.setenv("FACET_ARTIFACTS", str(folder.parent))
    printed = []
    for views in ("1", str(VIEWS)):
        arguments = ["age_gender", "--data", str(data), "--split", "fairface", "--views", views, "--json"]
        assert evaluate.main(arguments) == 0
        printed.append(json.loads(capsys.readouterr().out))
    for result, views in zip(printed, (1, VIEWS), strict=True):
        assert (result["n"], result["found_share"], result["views"]) == (2, pytest.approx(2 / 3), views)
        assert {"gender_end_to_end", "bracket_within_one", "gender_ece", "interval_coverage"} <= set(result)
    assert printed[0]["interval_width"] != printed[1]["interval_width"]
    assert evaluate.main(["age_gender", "--data", str(data), "--split", "all_age_faces"]) == 2
    assert "no All-Age-Faces" in capsys.readouterr().err
    assert set(load_predictions(folder / "predictions.npz")) >= {"test", "validation"}, "nothing was stored"
