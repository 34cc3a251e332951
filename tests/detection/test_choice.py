import pytest

from core.detection import DEFAULT_DETECTOR, DETECTORS
from core.detection.registry import default_detector_name
from core.errors import ConfigError


@pytest.mark.parametrize("value", [None, "", " "])
def test_without_a_setting_it_is_the_default(value, monkeypatch):
    monkeypatch.delenv("FACET_DETECTOR", raising=False)
    if value is not None:
        monkeypatch.setenv("FACET_DETECTOR", value)
    assert default_detector_name() == DEFAULT_DETECTOR


def test_the_environment_decides(monkeypatch):
    monkeypatch.setitem(DETECTORS, "eagle", DETECTORS["haar"])
    monkeypatch.setenv("FACET_DETECTOR", "eagle")
    assert default_detector_name() == "eagle"


def test_an_unknown_name_says_what_is_allowed(monkeypatch):
    monkeypatch.setenv("FACET_DETECTOR", "owl")
    with pytest.raises(ConfigError, match=r"FACET_DETECTOR must be one of .*haar.*, got 'owl'"):
        default_detector_name()
