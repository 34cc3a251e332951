from __future__ import annotations

from dataclasses import replace

import pytest

from core.evaluation.detection import tables
from core.evaluation.detection.conditions import CONDITIONS, LIVE, ORIGINAL
from core.evaluation.detection.figures import FIGURES
from tests.fakes.detection import example_report

DETECTORS = example_report()[0].detectors
FACET, HAAR = DETECTORS["facet"], DETECTORS["haar"]


def test_condition_table() -> None:
    table = tables.condition_table(DETECTORS)
    assert table["detector"].tolist() == ["Facet"] * len(CONDITIONS) + ["Haar"] * len(CONDITIONS)
    assert table["images"].tolist() == [condition.title for condition in CONDITIONS] * 2
    assert table["nme"].isna().tolist() == [False] * len(CONDITIONS) + [True] * len(CONDITIONS)
    first = table.iloc[0]
    assert (first["recall"], first["fppi"], first["nme"], first["median_ms"]) == (0.5, 1.0, 0.1, 2.5)
    assert len(tables.condition_table({"haar": replace(HAAR, default=replace(HAAR.default, conditions={}))})) == 0


def test_figures_have_a_column_per_detector() -> None:
    numbers, texts = tables.figure_table(DETECTORS), tables.figure_text_table(DETECTORS, matched=True)
    assert list(numbers) == list(texts) == ["figure", "Facet", "Haar"]
    assert numbers["figure"].tolist() == texts["figure"].tolist() == [figure.title for figure in FIGURES.values()]
    by_title = texts.set_index("figure")
    assert by_title.loc["Web images: false positives per image"].tolist() == ["0", "0"]
    assert by_title.loc["FairFace portraits: recall"].tolist() == ["50.0%", "0.0%"]
    assert by_title.loc["Landmark NME, All-Age-Faces"].tolist() == ["5.0%", "–"]
    assert by_title.loc["640x480, three faces, live settings"].tolist() == ["2.5 ms", "25.0 ms"]
    assert tables.figure_table({}).empty


def test_recall_table_has_intervals() -> None:
    table = tables.recall_table({"haar": HAAR}, "rotation", lambda detector: detector.default.by_rotation)
    first = HAAR.default.by_rotation[0]
    assert table["rotation"].tolist() == ["0°", "15°", "30°", "45°", "60°"]
    assert table.iloc[0].tolist() == [
        HAAR.title, "0°", first.recall.value, first.recall.low, first.recall.high, first.recall.n,
    ]  # fmt: skip


def test_curve_table_has_a_row_per_threshold() -> None:
    curve = FACET.curves[ORIGINAL.name]
    table = tables.curve_table({"facet": FACET}, ORIGINAL.name)
    assert (tuple(table["recall"]), tuple(table["fppi"])) == (curve.recall, curve.fppi)
    assert tables.curve_table({"facet": replace(FACET, curves={})}, ORIGINAL.name).empty


def test_nme_table_lists_detectors_with_landmarks() -> None:
    table = tables.nme_table(DETECTORS, ORIGINAL.name)
    assert set(table["detector"]) == {"Facet"}
    assert table["landmark_or_size"].tolist()[:5] == ["all", "left eye", "right eye", "nose", "mouth"]
    assert table["nme"][0] == pytest.approx(0.1)
    assert tables.nme_table({"haar": HAAR}, ORIGINAL.name).empty


def test_latencies_are_found_by_settings_and_frame() -> None:
    table = tables.latency_table(DETECTORS)
    assert table[table["frame"] == "640x480"]["median_ms"].tolist() == [2.5, 2.5, 25.0, 25.0]
    assert tables.frame_ms(FACET, LIVE) == 2.5
    assert tables.frame_ms(replace(FACET, latencies=()), ORIGINAL) is None
