"""Evaluation of labelled photographs with an analyzer that needs no model."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import replace

import numpy as np
import pytest

from core.datasets.own_images import OwnImages, read_own_images
from core.errors import ConfigError
from core.evaluation.own_images import (
    OwnEvaluation,
    comparison_table,
    count_table,
    evaluate_own_images,
    find_worst,
    missing_classes,
    prediction_csv,
    report_tables,
)
from core.io.images import encode_png
from core.settings import Attributes
from core.types import Analysis
from pages.shared.image.files import MemoryFile
from tests.fakes.core import EMOTION_CARD, FakeAnalyzer


class WidthAnalyzer(FakeAnalyzer):
    """Finds as many happy children of seven, all female, as the image is tens of pixels wide."""

    def analyze(self, frame, attributes=Attributes()):
        self.count = frame.shape[1] // 10
        return super().analyze(frame, attributes)


def image(faces: int) -> bytes:
    return encode_png(np.zeros((20, 10 * faces + 1, 3), np.uint8))


FILES = {
    "happy/one.png": image(1),
    "happy/none.png": image(0),
    "sad/two.png": image(2),
    "sad/bad.png": b"<html>",
    "odd/x.png": image(1),
    "9_1_=a.png": image(1),
    "17_0_b.png": image(0),
}


@pytest.fixture(scope="module")
def evaluation() -> OwnEvaluation:
    own = read_own_images([MemoryFile(name, data) for name, data in FILES.items()])
    return evaluate_own_images(own, WidthAnalyzer())


def test_missed_faces_count_separately(evaluation: OwnEvaluation) -> None:
    emotion, age, gender = evaluation.counts
    assert (emotion.found.n, emotion.missed, emotion.several) == (3, 1, 1)
    assert emotion.end_to_end is not None
    assert emotion.end_to_end.value == pytest.approx(1 / 3), "one right, one wrong, one missed"
    assert (age.missed, age.end_to_end) == (1, None)
    assert gender.end_to_end is not None
    assert gender.end_to_end.value == 0.5
    assert evaluation.missed == ("happy/none.png", "17_0_b.png")
    table = count_table(evaluation).set_index("attribute")
    assert table.loc["emotion", "missed_faces"] == 1
    assert math.isnan(table.loc["age", "end_to_end_accuracy"])


def test_metrics_are_over_the_faces_found(evaluation: OwnEvaluation) -> None:
    tables = report_tables(evaluation, {})
    assert set(tables) == {
        *("counts", "comparison", "emotion_classes", "emotion_confusion"),
        *("age_brackets", "gender_classes", "gender_confusion"),
    }
    classes = tables["emotion_classes"].set_index("class")
    assert (classes.loc["happy", "recall"], classes.loc["sad", "recall"]) == (1, 0)
    assert math.isnan(classes.loc["fear", "recall"]), "no figure over classes that are not there"
    assert tables["age_brackets"]["age_mae"].tolist() == [pytest.approx(1.6)]
    assert missing_classes(evaluation)["gender"] == ("male",)


def test_largest_face_counts() -> None:
    class TwoSizes(FakeAnalyzer):
        def analyze(self, frame, attributes=Attributes()):
            small = super().analyze(frame, attributes).faces[0]
            large = replace(small, detection=small.detection.scaled(2, 2))
            return Analysis(200, 200, (small, large, small))

    own = read_own_images([MemoryFile("happy/a.png", image(1))])
    (outcome,) = evaluate_own_images(own, TwoSizes()).outcomes
    assert outcome.face is not None
    assert (outcome.face.box.width, outcome.faces) == (80, 3)


def test_unreadable_images_are_left_out(evaluation: OwnEvaluation) -> None:
    assert {rejected.where: rejected.reason for rejected in evaluation.rejected} == {
        "odd/x.png": "unknown class folder: odd",
        "sad/bad.png": "unreadable image",
    }
    own = read_own_images([MemoryFile("happy/bad.png", b"")])
    with pytest.raises(ConfigError, match="none of the labelled images can be read"):
        evaluate_own_images(own, FakeAnalyzer())


def test_comparison_with_the_public_test_set(evaluation: OwnEvaluation) -> None:
    table = comparison_table(evaluation, {"emotion": EMOTION_CARD})
    accuracy = table[(table["attribute"] == "emotion") & (table["metric"] == "Accuracy")].iloc[0]
    assert accuracy["own_images"] == 0.5
    assert accuracy["public_test_set"] == EMOTION_CARD.metrics["private"]["accuracy"]
    assert accuracy["test_set"] == "FER2013 PrivateTest"
    assert table[table["attribute"] == "age"]["public_test_set"].isna().all()


def test_predictions_for_download(evaluation: OwnEvaluation) -> None:
    rows = {row["file"]: row for row in csv.DictReader(io.StringIO(prediction_csv(evaluation), newline=""))}
    assert len(rows) == 5
    assert (rows["sad/two.png"]["true_emotion"], rows["sad/two.png"]["emotion"]) == ("sad", "happy")
    assert (rows["sad/two.png"]["faces"], rows["happy/none.png"]["faces"]) == ("2", "0")
    assert (rows["17_0_b.png"]["true_age"], rows["17_0_b.png"]["age_years"]) == ("17", "")


def test_worst_errors(evaluation: OwnEvaluation) -> None:
    assert [error.caption for error in find_worst(evaluation, "emotion", 5)] == ["sad → happy 85%"]
    assert find_worst(evaluation, "gender", 5) == ()
    assert [error.sample_id for error in find_worst(evaluation, "age", 5)] == ["9_1_=a.png"]


def test_no_face_at_all() -> None:
    own = OwnImages(read_own_images([MemoryFile("happy/a.png", image(0))]).images, ())
    evaluation = evaluate_own_images(own, WidthAnalyzer())
    assert evaluation.predictions == {}
    assert (evaluation.counts[0].missed, evaluation.counts[0].end_to_end.value) == (1, 0)
    assert list(report_tables(evaluation, {})) == ["counts", "comparison"]
