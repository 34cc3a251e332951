"""What the recipe of a network that learns from packed faces says beyond ``TrainConfig``."""

from __future__ import annotations

from dataclasses import dataclass, field

from models.faces.augmentation import FaceAugmentation


@dataclass(frozen=True)
class FaceLearning:
    """How age and perceived gender are learnt from packed faces."""

    teacher_weight: float = 0.5
    """Share of the loss towards the teacher's answers; labels have the rest. Without a teacher labels have all."""
    mean_error_weight: float = 0.1
    """Of the absolute error of the mean age in years, or of its distance from the bracket."""
    augmentation: FaceAugmentation = field(default_factory=FaceAugmentation)
