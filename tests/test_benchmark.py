"""What the benchmark measures and says; how fast anything is depends on the machine and is not tested here."""

import time

import pytest

from core import benchmark
from core.benchmark import run_benchmark
from core.detection import DETECTORS
from core.errors import ConfigError
from core.settings import NetworkChoice
from tests.fakes.networks import add_artifact, installed_copy


class SlowDetector:
    """Finds nobody, in ``takes_s``."""

    takes_s = 0.02

    def __init__(self, settings):
        self.settings = settings

    def detect(self, frame):
        time.sleep(self.takes_s)
        return ()


class SlowerDetector(SlowDetector):
    takes_s = 0.06


@pytest.fixture
def timings(monkeypatch):
    monkeypatch.setitem(DETECTORS, "fast", SlowDetector)
    monkeypatch.setitem(DETECTORS, "haar", SlowerDetector)
    return run_benchmark(repeats=3, detector_name="fast")


def test_every_stage_has_median_and_95th_percentile(timings):
    searches = {"detect", "detect, settings for photos"}
    assert set(timings["stages"]) == {
        "decode",
        *searches,
        *(f"{search}, haar" for search in searches),
        *(f"crop for {name}" for name in ("emotion", "age_gender")),
        *(f"{name}, one face" for name in ("emotion", "age_gender")),
        *(f"{what}, {count}" for what in ("all but detection", "whole") for count in ("1 face", "3 faces")),
    }
    assert all(0 < stage["median_ms"] <= stage["p95_ms"] for stage in timings["stages"].values())
    assert timings["networks"] == {"emotion": "emotion", "age": "age_gender", "gender": "age_gender"}
    assert (timings["frame"], timings["threads"], timings["repeats"], timings["detector"]) == ("640x480", 1, 3, "fast")


@pytest.mark.parametrize("repeats", [0, -1])
def test_no_repeats_are_refused_before_anything_is_loaded(repeats):
    with pytest.raises(ConfigError, match=f"repeats must be at least 1, got {repeats}"):
        run_benchmark(repeats, "eagle")


def test_shares_add_up_to_the_whole_and_include_the_search(timings):
    assert set(timings["shares"]) == {"whole, 1 face", "whole, 3 faces"}
    for whole, shares in timings["shares"].items():
        assert set(shares) == {"detect", "align", "quality", "emotion", "age_gender", "rest"}
        # Medians of shares need not add up exactly.
        assert sum(shares.values()) == pytest.approx(1.0, abs=0.1)
        assert 0 < shares["detect"] < 1
        assert timings["stages"][whole]["median_ms"] > 1000 * SlowDetector.takes_s


def test_haar_is_compared_in_the_same_run(timings):
    assert set(timings["times_as_fast_as_haar"]) == {"detect", "detect, settings for photos"}
    stages = timings["stages"]
    ratio = stages["detect, haar"]["median_ms"] / stages["detect"]["median_ms"]
    assert timings["times_as_fast_as_haar"]["detect"] == ratio > 1


def test_haar_is_not_compared_with_itself(monkeypatch):
    monkeypatch.setitem(DETECTORS, "haar", SlowDetector)
    timings = run_benchmark(repeats=1, detector_name="haar")
    assert timings["times_as_fast_as_haar"] == {}
    assert not any(name.endswith(", haar") for name in timings["stages"])


def test_the_chosen_networks_are_timed(monkeypatch, tmp_path):
    monkeypatch.setitem(DETECTORS, "haar", SlowDetector)
    add_artifact(installed_copy(tmp_path), "six_conv_gender", "age_gender", task="gender", recipe="theirs")
    monkeypatch.setenv("FACET_ARTIFACTS", str(tmp_path))
    timings = run_benchmark(1, "haar", choice=NetworkChoice(gender="six_conv_gender"))
    assert timings["networks"]["gender"] == "six_conv_gender"
    names = {"emotion", "age_gender", "six_conv_gender"}
    assert {f"{name}, one face" for name in names} <= set(timings["stages"])
    assert set(timings["shares"]["whole, 3 faces"]) == {"detect", "align", "quality", "rest"} | names


def test_landmarks_are_inside_their_boxes():
    for box in benchmark._FACES:
        landmarks = benchmark._known_face(box, landmarks=True).landmarks
        assert all(box.x1 < x < box.x2 and box.y1 < y < box.y2 for x, y in landmarks.points)
        assert landmarks.left_eye[0] < landmarks.right_eye[0]
    assert benchmark._known_face(box, landmarks=False).landmarks is None
