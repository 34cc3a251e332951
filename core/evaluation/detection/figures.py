"""The figures that face detectors are compared by, each with a key, a title and a unit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from core.evaluation.detection.conditions import (
    CLOSE_UPS,
    CLOSE_UPS_PX,
    GROUPS,
    LANDMARKS,
    NOBODY,
    PORTRAITS,
    ROTATED,
    ROTATIONS_DEG,
    SHIFTED,
    TURNS_DEG,
    VIDEO_WH,
    close_up_run,
    rotation_run,
    setting,
    turn_run,
)
from core.evaluation.detection.landmarks import landmark_scatter, portrait_errors, round_metric
from core.evaluation.detection.matching import UNMATCHED, concatenate, match_group, match_portrait
from core.evaluation.detection.report import ConditionReport, Latency
from core.evaluation.detection.results import Results, SetResults
from core.evaluation.intervals import MetricValue, mean_difference, wilson_interval
from core.geometry import sizes

GROUP_HEIGHTS_PX = (16, 32, 64, math.inf)


@dataclass(frozen=True)
class Figure:
    """``unit``: ``%`` of a share in [0, 1], ``ms``, or nothing for a number."""

    title: str
    unit: str = "%"


def _live(text: str, live: bool) -> str:
    return f"{text}, live settings" if live else text


FIGURES: Mapping[str, Figure] = {
    "web_recall": Figure("Web images: recall"),
    "web_fppi": Figure("Web images: false positives per image", ""),
    "groups_recall": Figure("Groups: recall of faces from 16 px"),
    "groups_16": Figure("Groups: 16 to 32 px"),
    "groups_32": Figure("Groups: 32 to 64 px"),
    "groups_64": Figure("Groups: over 64 px"),
    "portraits": Figure("FairFace portraits: recall"),
    "portraits_margin": Figure("FairFace portraits with a margin: recall"),
    **{f"close_up_{px}": Figure(f"UTKFace close-ups, {px:,} px: exactly one box") for px in CLOSE_UPS_PX},
    **{
        f"rotation_{degrees}_{setting(live)}": Figure(_live(f"Portraits rotated by {degrees}°: recall", live))
        for live in (False, True)
        for degrees in ROTATIONS_DEG
    },
    **{f"turn_{degrees}": Figure(f"Portraits turned by {degrees}°: recall") for degrees in TURNS_DEG},
    **{f"nme_{setting(live)}": Figure(_live("Landmark NME, All-Age-Faces", live)) for live in (False, True)},
    **{
        f"scatter_{name}_{setting(live)}": Figure(_live(f"Landmark scatter, {name}", live))
        for live in (False, True)
        for name in ("mean", "median")
    },
    "nobody": Figure("Images without a person: boxes", ""),
    **{f"ms_{setting(live)}": Figure(_live("640x480, three faces", live), "ms") for live in (False, True)},
}
"""Key -> figure, in the order of the table."""


def measure_figures(
    results: Results, detector: str, web: ConditionReport | None, latencies: Sequence[Latency]
) -> dict[str, MetricValue]:
    """Compute the figures of one detector by key; those of sets that are not in ``results`` are missing.

    ``web``: the report on web images as they are.
    """
    measured = {} if web is None else {"web_recall": web.recall, "web_fppi": _number(web.fppi_web, web.recall.n)}
    for name, measure in _MEASURES.items():
        if name in results:
            measured |= measure(results[name], detector)
    frame = {setting(part.live): part.median_ms for part in latencies if (part.width, part.height) == VIDEO_WH}
    measured |= {f"ms_{name}": _number(median_ms, 1) for name, median_ms in frame.items()}
    return {key: measured[key] for key in FIGURES if key in measured}


def format_figure(key: str, value: MetricValue | None) -> str:
    """Format a figure with its unit for the screen."""
    if value is None or math.isnan(value.value):
        return "–"
    unit = FIGURES[key].unit
    if unit == "%":
        return f"{value.value:.1%}"
    return f"{value.value:.1f} ms" if unit else f"{value.value:.2f}".removesuffix(".00")


def _groups(results: SetResults, detector: str) -> dict[str, MetricValue]:
    images, runs = results.of(detector)
    matches = [match_group(faces.xyxy, image.boxes) for faces, image in zip(runs["as_is"], images, strict=True)]
    hit = concatenate([rows != UNMATCHED for rows in matches], ()).astype(bool)
    height = concatenate([sizes(image.boxes)[:, 1] for image in images], ())
    measured = {"groups_recall": _share(hit[height >= GROUP_HEIGHTS_PX[0]])}
    for low, high in pairwise(GROUP_HEIGHTS_PX):
        measured[f"groups_{low}"] = _share(hit[(height >= low) & (height < high)])
    return measured


def _portraits(results: SetResults, detector: str) -> dict[str, MetricValue]:
    return _portrait_recall(results, detector, {"portraits": "as_is", "portraits_margin": "margin"})


def _rotated(results: SetResults, detector: str) -> dict[str, MetricValue]:
    rotations = (rotation_run(degrees, live) for live in (False, True) for degrees in ROTATIONS_DEG)
    runs = [*rotations, *(turn_run(degrees) for degrees in TURNS_DEG)]
    return _portrait_recall(results, detector, {run: run for run in runs})


def _portrait_recall(results: SetResults, detector: str, run_by_key: Mapping[str, str]) -> dict[str, MetricValue]:
    images, runs = results.of(detector)
    return {
        key: _share(
            match_portrait(faces.xyxy, image.resolution_wh) != UNMATCHED
            for faces, image in zip(runs[run], images, strict=True)
        )
        for key, run in run_by_key.items()
    }


def _close_ups(results: SetResults, detector: str) -> dict[str, MetricValue]:
    runs = results.of(detector)[1]
    return {f"close_up_{px}": _share(len(faces) == 1 for faces in runs[close_up_run(px)]) for px in CLOSE_UPS_PX}


def _landmarks(results: SetResults, detector: str) -> dict[str, MetricValue]:
    images, runs = results.of(detector)
    measured = {}
    for run, found in runs.items():
        errors = [portrait_errors(image, faces) for image, faces in zip(images, found, strict=True)]
        measured[f"nme_{run}"] = _mean(concatenate(errors, ()))
    return measured


def _shifted(results: SetResults, detector: str) -> dict[str, MetricValue]:
    images, runs = results.of(detector)
    measured = {}
    for live in (False, True):
        found = zip(*(runs[run] for run in runs if run.endswith(setting(live))), strict=True)
        scatter = [landmark_scatter(image, faces) for image, faces in zip(images, found, strict=True)]
        known = np.array(scatter)[np.isfinite(scatter)]
        measured[f"scatter_mean_{setting(live)}"] = _mean(known)
        median = round_metric(np.median(known)) if len(known) else math.nan
        measured[f"scatter_median_{setting(live)}"] = _number(median, len(known))
    return measured


def _nobody(results: SetResults, detector: str) -> dict[str, MetricValue]:
    images, runs = results.of(detector)
    return {"nobody": _number(float(sum(len(faces) for faces in runs["as_is"])), len(images))}


_MEASURES: Mapping[str, Callable[[SetResults, str], dict[str, MetricValue]]] = {
    GROUPS: _groups,
    PORTRAITS: _portraits,
    CLOSE_UPS: _close_ups,
    ROTATED: _rotated,
    LANDMARKS: _landmarks,
    SHIFTED: _shifted,
    NOBODY: _nobody,
}
"""Test set -> what is computed from it."""


def _share(hits: Iterable[bool]) -> MetricValue:
    flags = list(hits)
    return wilson_interval(int(sum(flags)), len(flags))


def _mean(values: NDArray[np.float64]) -> MetricValue:
    mean = mean_difference(values)

    def rounded(value: float) -> float:
        # The one NaN that equals itself in comparisons of reports.
        return math.nan if math.isnan(value) else round_metric(value)

    return MetricValue(rounded(mean.value), rounded(mean.low), rounded(mean.high), mean.n)


def _number(value: float, n: int) -> MetricValue:
    return MetricValue(value, math.nan, math.nan, n)
