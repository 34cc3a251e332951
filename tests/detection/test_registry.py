import pytest

from core.detection import DEFAULT_DETECTOR, DETECTORS, create_detector, default_detector_name
from core.errors import ConfigError
from core.settings import DetectorSettings


@pytest.mark.parametrize(("value", "name"), [(None, DEFAULT_DETECTOR), (" ", DEFAULT_DETECTOR), ("haar", "haar")])
def test_environment_chooses_the_default(value, name, monkeypatch):
    monkeypatch.delenv("FACET_DETECTOR", raising=False)
    if value is not None:
        monkeypatch.setenv("FACET_DETECTOR", value)
    assert default_detector_name() == name


def test_unknown_name_lists_the_allowed_ones(monkeypatch):
    monkeypatch.setenv("FACET_DETECTOR", "owl")
    with pytest.raises(ConfigError, match=r"FACET_DETECTOR must be one of .*haar.*, got 'owl'"):
        default_detector_name()
    with pytest.raises(ConfigError, match="haar"):
        create_detector("eagle", DetectorSettings())


def test_registered_detector_is_created(monkeypatch):
    monkeypatch.setitem(DETECTORS, "eagle", lambda settings: ("eagle", settings))
    assert create_detector("eagle", DetectorSettings()) == ("eagle", DetectorSettings())
