"""Made-up times, for tests of everything that shows them."""

from __future__ import annotations

from core.evaluation.speed import KerasTimes, Progress, SpeedReport, StageTime

STAGES = (
    StageTime("decode", 4.0, 5.0),
    StageTime("detect", 6.0, 9.0),
    StageTime("detect, settings for photos", 7.0, 9.0),
    StageTime("detect, haar", 30.0, 40.0),
    StageTime("crop for emotion", 0.05, 0.06),
    StageTime("emotion, one face", 1.0, 1.5),
    StageTime("age_gender, one face", 2.0, 2.5),
    StageTime("all but detection, 3 faces", 4.0, 5.0),
    StageTime("whole, 1 face", 10.0, 12.0),
)
KERAS = KerasTimes((StageTime("emotion", 50.0, 60.0), StageTime("age_gender", 40.0, 45.0)), import_s=5.0)


def speed_report(keras: KerasTimes | None = KERAS) -> SpeedReport:
    failure = "" if keras else "TensorFlow is not installed here."
    networks = ("emotion", "age_gender")
    return SpeedReport(STAGES, keras, failure, "fast", networks, repeats=3, frame="640x480", cores=2)


def measure(progress: Progress) -> SpeedReport:
    progress(0.5, "Half")
    progress(1.0, "Done")
    return speed_report()


def measure_without_keras(progress: Progress) -> SpeedReport:
    return speed_report(keras=None)
