from dataclasses import replace

import numpy as np
import pytest

from core.artifacts.storage import from_json, to_json
from core.attributes.postprocessing import (
    UNCALIBRATED_AGE,
    AgeCalibration,
    age_targets,
    apply_temperature,
    estimate_ages,
    interval_half_widths,
    normalize_rows,
    postprocess_outputs,
)

TILTED = AgeCalibration((20.0, 40.0, 60.0), (0.5, 1.0, 2.0))


def gaussian_ages(means, sigma):
    years = np.arange(101)
    shares = np.exp(-((years - np.asarray(means)[:, None]) ** 2) / (2 * sigma**2))
    return (shares / shares.sum(1, keepdims=True)).astype(np.float32)


def test_normalize_rows():
    rows = normalize_rows(np.array([[0, 0, 0], [2, 1, 1], [-1, 1, 0]], np.float32))
    assert rows.sum(axis=1) == pytest.approx([1, 1, 1])
    assert rows[1] == pytest.approx([0.5, 0.25, 0.25])


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_temperature_divides_logits_and_is_invertible(temperature):
    logits = np.array([[2.0, 0.5, -1.0], [0.0, 0.1, 0.2]])
    expected = np.exp(logits / temperature)
    expected /= expected.sum(axis=1, keepdims=True)
    plain = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    answered = apply_temperature(plain, temperature)
    assert answered == pytest.approx(expected, abs=1e-6)
    assert apply_temperature(answered.astype(np.float32), 1 / temperature) == pytest.approx(plain, abs=1e-5)


@pytest.mark.parametrize("temperature", [0.0, -1.0])
def test_temperature_is_positive(temperature):
    with pytest.raises(ValueError, match="must be positive"):
        apply_temperature(np.ones((1, 2), np.float32), temperature)


def test_age_is_the_mean_and_the_interval_the_quantiles():
    years, low, high = estimate_ages(gaussian_ages([40, 60], 5.0))
    assert years == pytest.approx([40, 60], abs=0.01)
    assert low == pytest.approx([40 - 1.2816 * 5, 60 - 1.2816 * 5], abs=0.15)
    assert high == pytest.approx([40 + 1.2816 * 5, 60 + 1.2816 * 5], abs=0.15)


def test_networks_that_learn_distributions_answer_by_the_median():
    lopsided = np.zeros((1, 101), np.float32)
    lopsided[0, [20, 30, 80]] = 0.45, 0.25, 0.3
    assert estimate_ages(lopsided)[0] == pytest.approx(0.45 * 20 + 0.25 * 30 + 0.3 * 80)
    assert estimate_ages(lopsided, AgeCalibration(target_sigma=2.0))[0] == pytest.approx([29.7], abs=0.01)


@pytest.mark.parametrize("scale", [AgeCalibration(scale=(2.5,)), TILTED, AgeCalibration(scale=(0.0,))])
@pytest.mark.parametrize("mean", [0, 1, 25, 50, 99, 100])
def test_interval_contains_the_mean(mean, scale):
    years, low, high = estimate_ages(gaussian_ages([mean], 3.0), scale)
    assert 0 <= low[0] <= years[0] <= high[0]


def test_constant_scale_multiplies_both_half_widths():
    mean, low, high = estimate_ages(gaussian_ages([30, 60], 4.0))
    _, wide_low, wide_high = estimate_ages(gaussian_ages([30, 60], 4.0), AgeCalibration(scale=(1.5,)))
    assert mean - wide_low == pytest.approx(1.5 * (mean - low))
    assert wide_high - mean == pytest.approx(1.5 * (high - mean))


@pytest.mark.parametrize("mean", [5, 18, 22, 39, 45, 59, 75])
def test_interval_holds_the_ages_that_their_scale_reaches(mean):
    distribution = gaussian_ages([mean], 4.0)
    answered, down, up = (part[0] for part in interval_half_widths(distribution))
    _, low, high = (part[0] for part in estimate_ages(distribution, TILTED))
    ages = np.arange(0, 110, 0.01)
    reach = np.where(ages < answered, down, up) * np.interp(ages, TILTED.knots, TILTED.scale)
    inside = ages[np.abs(ages - answered) <= reach]
    assert (low, high) == pytest.approx((inside.min(), inside.max()), abs=0.02)


def test_interval_is_contiguous_where_the_scale_jumps():
    """Ages from 46 on would be near enough again, but those between 40 and 46 are not."""
    steep = AgeCalibration((40.0, 45.0), (0.1, 4.0))
    mean, _, up = interval_half_widths(gaussian_ages([38], 2.0))
    _, _, high = estimate_ages(gaussian_ages([38], 2.0), steep)
    assert high[0] == pytest.approx(mean[0] + 0.1 * up[0])


def test_bias_of_truncated_targets_is_removed():
    ages = np.array([0, 1, 2, 3, 30, 98, 100])
    learnt = age_targets(ages, sigma=2.0)
    middle = interval_half_widths(learnt, target_sigma=1e-9)[0]
    assert middle[:3] == pytest.approx([1.07, 1.57, 2.26], abs=0.01)
    mean, low, high = estimate_ages(learnt, AgeCalibration(target_sigma=2.0))
    assert mean == pytest.approx(ages, abs=1e-4)
    assert ((low <= mean) & (mean <= high) & (low >= 0)).all()
    surer_than_possible = np.eye(101, dtype=np.float32)[[0]]
    assert estimate_ages(surer_than_possible, AgeCalibration(target_sigma=2.0))[0].tolist() == [0.0]


@pytest.mark.parametrize("sigma", [-1.0, np.nan, np.inf])
def test_sigma_is_validated(sigma):
    with pytest.raises(ValueError, match="sigma"):
        AgeCalibration(target_sigma=sigma)


def test_certain_distribution_still_has_an_interval():
    distribution = np.eye(101, dtype=np.float32)[[33]]
    _, low, high = estimate_ages(distribution, AgeCalibration(scale=(4.0,)))
    assert (low[0], high[0]) == pytest.approx((31.0, 35.0), abs=0.01)


@pytest.mark.parametrize("scale", [UNCALIBRATED_AGE, TILTED])
def test_empty_batch(scale):
    assert [len(part) for part in estimate_ages(np.empty((0, 101), np.float32), scale)] == [0, 0, 0]


def test_outputs_are_calibrated_separately():
    outputs = {
        "age": gaussian_ages([30], 4.0),
        "gender": np.array([[0.8, 0.2]], np.float32),
        "emotion": np.array([[0.8, 0.2]], np.float32),
    }
    answers = postprocess_outputs(outputs, {"gender": 2.0}, TILTED)
    assert np.stack(answers.age) == pytest.approx(np.stack(estimate_ages(outputs["age"], TILTED)))
    assert answers.probabilities["gender"] == pytest.approx(np.array([[2 / 3, 1 / 3]]))
    assert answers.probabilities["emotion"] == pytest.approx(np.array([[0.8, 0.2]]))


def test_point_estimate_gets_its_interval_from_the_scale():
    years = np.array([[30.0], [-4.0], [120.0]], np.float32)
    mean, low, high = estimate_ages(years, AgeCalibration(scale=(0.5,)))
    assert mean.tolist() == [30.0, 0.0, 100.0]
    assert (mean - low)[[0, 2]].tolist() == (high - mean)[[0, 2]].tolist()
    assert (high - mean).min() == (high - mean).max() > 1
    assert low[1] == 0.0
    _, wide_low, _ = estimate_ages(years, AgeCalibration(scale=(1.0,)))
    assert (mean - wide_low)[0] == pytest.approx(2 * (mean - low)[0])


@pytest.mark.parametrize("columns", [1, 101])
def test_scale_depends_on_age_for_both_output_forms(columns):
    ages = np.array([[30.0]], np.float32) if columns == 1 else gaussian_ages([30], 4.0)
    mean, low, high = estimate_ages(ages, TILTED)
    assert 0 < (mean - low)[0] < (high - mean)[0]


def test_age_groups_become_an_age():
    groups = np.zeros((1, 8), np.float32)
    groups[0, [3, 4]] = 0.8, 0.2
    outputs = {"age_group": groups, "gender": np.array([[0.8, 0.2]], np.float32)}
    plain = postprocess_outputs(outputs, {})
    assert set(plain.probabilities) == {"age_group", "gender"}
    assert plain.age.years[0] == pytest.approx(0.8 * 17.5 + 0.2 * 28.5, abs=1e-3)
    softer = postprocess_outputs(outputs, {"age_group": 2.0}).age.years[0]
    assert softer > plain.age.years[0] + 1


def test_calibration_round_trip():
    written = replace(TILTED, target_sigma=1.5)
    assert from_json(AgeCalibration, to_json(written)) == written


@pytest.mark.parametrize(
    ("knots", "scale", "words"),
    [
        ((), (), "every knot"),
        ((1.0, 2.0), (1.0,), "every knot"),
        ((2.0, 1.0), (1.0, 1.0), "increase"),
        ((1.0,), (-0.1,), "at least 0"),
        ((1.0,), (float("nan"),), "at least 0"),
    ],
)
def test_calibration_is_validated(knots, scale, words):
    with pytest.raises(ValueError, match=words):
        AgeCalibration(knots, scale)
