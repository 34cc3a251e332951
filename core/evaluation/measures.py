"""What the leaderboard ranks by, and what others report about the same data sets.

Results can be compared only if they were measured in the same way on the same images. Reported results seldom were, so
they are repeated word for word with a note on the differences, and never ranked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.artifacts.model_card import ModelCard
from core.tasks import TASKS


@dataclass(frozen=True, slots=True)
class Measure:
    """One metric on one data set. ``metric`` is its key on model cards, ``output`` the key of reported results about
    it, ``unit`` is ``%`` (a share in [0, 1], higher is better) or ``years`` (lower is better)."""

    key: str
    title: str
    dataset: str
    metric: str
    output: str
    unit: str

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks whose models have the metric on the data set."""
        return tuple(
            name for name, task in TASKS.items() if task.dataset == self.dataset and self.metric in task.metrics
        )

    @property
    def dataset_title(self) -> str:
        """The name of the data set as reported results spell it."""
        return "FER2013" if self.dataset.startswith("fer2013") else "UTKFace"

    @property
    def lower_is_better(self) -> bool:
        return self.unit == "years"

    @property
    def metric_title(self) -> str:
        return "Age MAE (years)" if self.lower_is_better else "Accuracy"


MEASURES: tuple[Measure, ...] = (
    Measure("emotion", "Emotion, 7 classes", "fer2013", "accuracy", "emotion", "%"),
    Measure("emotion_five", "Emotion, 5 classes", "fer2013_five", "accuracy", "emotion", "%"),
    Measure("gender", "Perceived gender", "utkface", "gender_accuracy", "gender", "%"),
    Measure("gender_published", "Perceived gender, 21-60 years", "utkface_published", "gender_accuracy", "gender", "%"),
    Measure("age", "Age", "utkface", "age_mae", "age", "years"),
    Measure("age_published", "Age, 21-60 years", "utkface_published", "age_mae", "age", "years"),
    Measure("age_group", "Age group", "utkface", "age_group_accuracy", "age_group", "%"),
)


@dataclass(frozen=True, slots=True)
class ReportedResult:
    """A result of a baseline as its authors, or a report, state it; ``note`` says how far it is comparable."""

    text: str
    source: str
    note: str


def reported_results_for(measure: Measure, card: ModelCard) -> tuple[ReportedResult, ...]:
    """Return the results on ``card`` that are about ``measure``."""
    return tuple(
        ReportedResult(str(result["text"]), str(result["source"]), comparability_note(measure, result))
        for result in card.reported_results
        if result["output"] == measure.output
    )


def comparability_note(measure: Measure, result: Mapping[str, Any]) -> str:
    """Describe how a reported result and the measured one differ."""
    if (result["measure"] == "mae") != measure.lower_is_better:
        return "an accuracy with unknown criterion and images; measured here in years"
    if measure.dataset_title in str(result["text"]):
        return f"on {measure.dataset_title}, not necessarily on the same split"
    return "on other or unnamed images"


@dataclass(frozen=True, slots=True)
class PublishedResult:
    """A result on the same data set, typed in from a paper or repository because nothing here can compute it.

    ``value`` is in the unit of the measure; ``parameters`` is ``None`` if not stated; ``protocol``: what differs.
    """

    name: str
    value: float
    parameters: int | None
    protocol: str
    source: str


def published_results_for(measure: Measure) -> tuple[PublishedResult, ...]:
    """Return the published results on the data set of ``measure``, best first."""
    results = PUBLISHED.get(measure.key, ())
    return tuple(sorted(results, key=lambda result: result.value, reverse=not measure.lower_is_better))


_CHALLENGE = "Goodfellow et al. 2013, arXiv:1307.0414"
_MASKING = "Pham, Vu & Tran, ICPR 2020"
_BENCHMARK = "Paplhám & Franc, CVPR 2024, arXiv:2307.04570"
_MIVOLO = "Kuprashevich & Tolstykh 2023, arXiv:2307.04616"
_RESNET = "github.com/LetheSec/Fer2013-Facial-Emotion-Recognition-Pytorch"
_FACE_API = "github.com/justadudewhohacks/face-api.js"
_QWYT = "repository of qwyt, MobileNetV3-Small for age and gender"
_OWN_FIFTH = "own split, 20 % of the images"
_OWN_EIGHTH = "own split, 12 % of the images"
_SWAPPED = "scored on PublicTest, epoch selected on PrivateTest"
_IMAGENET = "pretrained on ImageNet"
_FIVE_FOLDS = "all ages, mean of five folds"
_MIVOLO_DATA = "ages 21-60, additional training images"

PUBLISHED: Mapping[str, tuple[PublishedResult, ...]] = {
    "emotion": (
        PublishedResult("People", 0.65, None, "plus or minus 5 points", _CHALLENGE),
        PublishedResult("Winner of the 2013 challenge", 0.712, None, "", _CHALLENGE),
        PublishedResult("TinyFER-Lite", 0.671, 930_000, _IMAGENET, "its paper, 2026"),
        PublishedResult("LANMSFF", 0.7044, 360_000, "images of 64 x 64 pixels", "arXiv:2403.14318"),
        PublishedResult("MicroExpNet of 2026", 0.712, 1_200_000, "distilled from a VGGFace2 ResNet-50", "Rejina 2026"),
        PublishedResult(
            "VGG variant", 0.733, 29_900_000, f"mean of ten crops; {_SWAPPED}", "Khaireddin & Chen, arXiv:2105.03588"
        ),
        PublishedResult("ResNet-18", 0.737, 11_000_000, _SWAPPED, _RESNET),
        PublishedResult("ResMaskingNet", 0.741, 143_000_000, f"{_IMAGENET}; mean of ten views", _MASKING),
        PublishedResult("ResMaskingNet ensemble", 0.768, None, "ensemble of several networks", _MASKING),
    ),
    "gender": (
        PublishedResult("face-api.js", 0.93, None, _OWN_FIFTH, _FACE_API),
        PublishedResult("MobileNetV3-Small", 0.939, None, _OWN_EIGHTH, _QWYT),
    ),
    "gender_published": (PublishedResult("MiVOLO, face only", 0.977, 27_000_000, _MIVOLO_DATA, _MIVOLO),),
    "age": (
        PublishedResult("face-api.js", 5.25, None, _OWN_FIFTH, _FACE_API),
        PublishedResult("MobileNetV3-Small", 4.73, None, _OWN_EIGHTH, _QWYT),
        PublishedResult("MobileAgeNet", 4.65, 3_200_000, "held-out images", "its paper, 2026"),
        PublishedResult("ResNet-50", 4.38, None, _FIVE_FOLDS, _BENCHMARK),
        PublishedResult("FaRL with a small head", 3.87, None, _FIVE_FOLDS, _BENCHMARK),
    ),
    "age_published": (
        PublishedResult("MWR", 4.37, None, "same split, pretrained on IMDB-WIKI", "Shin, Lee & Kim, CVPR 2022"),
        PublishedResult("MiVOLO, face only", 4.23, 27_000_000, _MIVOLO_DATA, _MIVOLO),
    ),
}
"""Key of a measure -> published results."""
