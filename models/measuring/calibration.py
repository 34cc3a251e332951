"""Calibrate a trained network on the validation split, never on the test split.

Temperatures (Guo et al. 2017) and the scale of the age interval make stated probabilities and intervals true on
average; the confidence threshold follows from the calibrated probabilities.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import linprog, minimize_scalar

from core.age_groups import nearest_age_groups
from core.artifacts.storage import to_json
from core.attributes.postprocessing import (
    INTERVAL_COVERAGE,
    AgeCalibration,
    apply_temperature,
    extract_age_output,
    interval_half_widths,
)
from core.errors import DatasetError
from core.tasks import CLASSES

TARGET_ACCURACY, HIGHEST_THRESHOLD = 0.9, 0.75
"""Selective accuracy that confidence thresholds aim for, and how high they may be: above, a prediction that is most
probably right would read "uncertain"."""
_TEMPERATURES = (0.25, 20.0)
_KNOTS_YEARS = (1.0, 6.0, 15.0, 25.0, 35.0, 45.0, 55.0, 65.0, 80.0)
"""The middles of the age brackets; most of UTKFace's babies are labelled 1."""
_SMOOTHING_FACES = 1.0
"""A step of the scale between two knots weighs like this many faces, so that a knot without any gets a usual value."""
_MIN_SCALE = 0.05


def fit_calibration(
    outputs: Mapping[str, NDArray[np.float32]], labels: Mapping[str, NDArray[np.int64]], target_sigma: float = 0.0
) -> dict[str, Any]:
    """Fit ``temperature``, ``min_confidence`` and, for ages, ``age_calibration``, as they are stored on a card.

    ``outputs``: raw, on the validation split with ``labels``, as of ``Samples``; ``target_sigma`` as in
    ``AgeCalibration``. Raises ``DatasetError`` without images.
    """
    if not all(map(len, labels.values())):
        raise DatasetError("there are no images to calibrate on: the validation split is empty")
    fitted: dict[str, Any] = {"temperature": {}, "min_confidence": {}}
    temperature = fitted["temperature"]
    for output, probabilities in outputs.items():
        if output not in CLASSES:
            continue
        truth = nearest_age_groups(labels["age"]) if output == "age_group" else labels[output]
        temperature[output] = fit_temperature(probabilities, truth)
        calibrated = apply_temperature(probabilities, temperature[output])
        fitted["min_confidence"][output] = fit_confidence_threshold(calibrated, truth)
    ages = extract_age_output(outputs, temperature)
    if ages is not None:
        fitted["age_calibration"] = to_json(fit_age_calibration(ages, labels["age"], target_sigma))
    return fitted


def fit_temperature(probabilities: NDArray[np.float32], truth: NDArray[np.int64]) -> float:
    """Minimise the mean negative log likelihood of ``truth`` (N,) under (N, K) probabilities over the temperature."""
    row = np.arange(len(truth))

    def loss(log_temperature: float) -> float:
        likelihood = apply_temperature(probabilities, math.exp(log_temperature))[row, truth]
        return float(-np.log(likelihood).mean())

    found = minimize_scalar(loss, bounds=tuple(math.log(bound) for bound in _TEMPERATURES), method="bounded")
    return math.exp(float(found.x))


def fit_confidence_threshold(
    probabilities: NDArray[np.floating],
    truth: NDArray[np.int64],
    target_accuracy: float = TARGET_ACCURACY,
    most: float = HIGHEST_THRESHOLD,
) -> float:
    """Return the lowest threshold, in thousandths and at most ``most``, whose selective accuracy reaches
    ``target_accuracy`` (Geifman & El-Yaniv 2017).

    ``probabilities``: (N, K), calibrated; ``truth``: (N,) true classes. The threshold is always above 1/K, so a
    prediction that says nothing is uncertain.
    """
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    for thousandths in range(math.floor(1000 / probabilities.shape[1]) + 1, round(1000 * most)):
        kept = confidence >= thousandths / 1000
        if kept.any() and correct[kept].mean() >= target_accuracy:
            return thousandths / 1000
    return most


def fit_age_calibration(
    ages: NDArray[np.floating], age_true: NDArray[np.int64], target_sigma: float = 0.0
) -> AgeCalibration:
    """Fit the scale with which the interval covers ``INTERVAL_COVERAGE`` of the faces of EVERY true age.

    ``ages``: (N, 101) or (N, 1), see ``estimate_ages``. Label-conditional conformal prediction (Vovk 2012): a quantile
    of the scales that the faces need. The quantile varies with the true age, linearly between the knots: a quantile
    regression (Koenker and Bassett 1978), solved exactly as a linear programme.
    """
    mean, down, up = interval_half_widths(ages, target_sigma)
    needed = np.abs(age_true - mean) / np.where(age_true < mean, down, up)
    # As many faces as there are free values are met exactly and say nothing about new faces.
    level = min(1.0, INTERVAL_COVERAGE * (1 + len(_KNOTS_YEARS) / len(needed)))
    scale = _quantile_regression(age_true, needed, level)
    return AgeCalibration(_KNOTS_YEARS, tuple(scale.tolist()), target_sigma)


def _quantile_regression(years: NDArray[np.int64], needed: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    """Fit the ``level`` quantile of (N,) values over (N,) years; returns its (K,) values at the knots."""
    knots = len(_KNOTS_YEARS)
    weights = np.stack([np.interp(years, _KNOTS_YEARS, basis) for basis in np.eye(knots)], axis=1)
    steps = sparse.csr_matrix(np.diff(np.eye(knots), axis=0))
    faces, gaps = sparse.identity(len(years)), sparse.identity(knots - 1)
    # value at the face = what it needs - shortfall + surplus; step between knots = rise - fall; all four >= 0.
    equations = sparse.bmat([[weights, faces, -faces, None, None], [steps, None, None, -gaps, gaps]], format="csc")
    sizes = (knots, len(years), len(years), 2 * (knots - 1))
    cost = np.repeat([0.0, level, 1 - level, _SMOOTHING_FACES], sizes)
    lowest = np.repeat([_MIN_SCALE, 0.0, 0.0, 0.0], sizes)
    solved = linprog(
        cost,
        A_eq=equations,
        b_eq=np.concatenate([needed, np.zeros(knots - 1)]),
        bounds=np.stack([lowest, np.full(len(lowest), np.inf)], axis=1),
    )
    if solved.x is None:
        raise RuntimeError(f"the age interval could not be fitted: {solved.message}")
    return np.asarray(solved.x[:knots], np.float64)
