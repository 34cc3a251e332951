"""The test sets that figures are reported on, what each was used for, and which networks are measured on which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EvaluationSplit:
    """One side of a data set, for the networks of one task: ``task`` and ``split`` as on the card and in
    ``predictions.npz``. Sides with the same ``title`` hold the same images."""

    task: str
    split: str
    title: str
    chosen_on: bool
    """True if training chose its checkpoint here, which makes the figures slightly too good."""
    caveat: str = ""
    """An exception to what ``role`` says of all reporting sides."""

    @property
    def role(self) -> str:
        if self.chosen_on:
            return (
                f"{self.title} is the choosing set: the version of the network that did best on these images was kept, "
                "so that figures are slightly too good here. Quote the reporting set instead."
            )
        return (
            f"{self.title} is the reporting set: no network learnt from its images, and no setting was chosen by "
            f"looking at them. {self.caveat}".rstrip()
        )


@dataclass(frozen=True, slots=True)
class DatasetSplits:
    """Names and titles of a data set's two sides: the one for reporting, and the one that training chooses on."""

    reporting: str
    reporting_title: str
    choosing: str
    choosing_title: str
    caveat: str = ""

    def for_task(self, task: str) -> tuple[EvaluationSplit, EvaluationSplit]:
        return (
            EvaluationSplit(task, self.reporting, self.reporting_title, chosen_on=False, caveat=self.caveat),
            EvaluationSplit(task, self.choosing, self.choosing_title, chosen_on=True),
        )


DATASET_OF: Mapping[str, str] = {
    "emotion": "fer2013",
    "emotion_five": "fer2013_five",
    "age_gender": "utkface",
    "gender": "utkface",
    "age": "utkface",
    "age_group_gender": "utkface",
    "age_gender_published": "utkface_published",
}
"""Task of a network -> the data set that it learns from and is measured on, by the name of its ``SplitDataset``."""
DATASET_SPLITS: Mapping[str, DatasetSplits] = {
    "fer2013": DatasetSplits("private", "FER2013 PrivateTest", "public", "FER2013 PublicTest"),
    "fer2013_five": DatasetSplits(
        "five_private", "FER2013 PrivateTest, five emotions", "five_public", "FER2013 PublicTest, five emotions"
    ),
    "utkface": DatasetSplits(
        "test",
        "UTKFace test",
        "validation",
        "UTKFace validation",
        "One thing was decided after a look at it: that people from 60 on are drawn more often in the last rounds of "
        "our own network.",
    ),
    "utkface_published": DatasetSplits(
        "published_test",
        "UTKFace, published split: test",
        "published_validation",
        "UTKFace, published split: validation",
        "Some of its images have a near-duplicate among the training images, which others leave in as well.",
    ),
}
EVALUATION_SPLITS: tuple[EvaluationSplit, ...] = tuple(
    split for task, dataset in DATASET_OF.items() for split in DATASET_SPLITS[dataset].for_task(task)
)


def split_for(task: str, *, chosen_on: bool) -> EvaluationSplit:
    """Of the networks of ``task``: the side that training chose on, or the one for reporting."""
    return next(one for one in EVALUATION_SPLITS if (one.task, one.chosen_on) == (task, chosen_on))


def split_titled(task: str, split: str) -> str:
    """The title of a side of the networks of ``task``; its name where there is no such side."""
    return next((one.title for one in EVALUATION_SPLITS if (one.task, one.split) == (task, split)), split)


def splits_titled(title: str) -> tuple[EvaluationSplit, ...]:
    """The same images for the networks of every task that is measured on them."""
    return tuple(one for one in EVALUATION_SPLITS if one.title == title)


DETECTOR_SPLIT = EvaluationSplit("face_detector", "test", "Finding faces: test photographs", chosen_on=False)
"""For the detectors, which have a report of their own instead of predictions."""
