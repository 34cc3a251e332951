"""Losses of age and perceived gender on packed faces, in PyTorch; means over the faces that have a target."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from models.faces.config import FaceLearning

Batch = dict[str, Tensor]
"""Fields of ``models.faces.targets.Targets``, (B, ...) float32."""


def compute_losses(
    batch: Batch, learning: FaceLearning, smoothing: float, weights: Mapping[str, float], logits: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Compute the parts of the loss, whose sum is minimised.

    ``smoothing``: of the gender labels; ``weights``: of the outputs.
    """
    age, gender = functional.log_softmax(logits["age"], -1), functional.log_softmax(logits["gender"], -1)
    taught = batch["teacher_gender"].sum(-1)
    # Faces without a teacher's answer count with their label alone.
    of_label, of_teacher = 1 - learning.teacher_weight * taught, learning.teacher_weight * taught
    known = batch["gender"].sum(-1)
    smooth = batch["gender"] * (1 - smoothing) + known[:, None] * smoothing / 2
    # Where the gender is unknown, the teacher's word counts in full.
    gender_teacher = torch.where(known > 0, of_teacher, taught)
    parts = {
        "age": of_label * label_loss(age, batch["age"], batch["exact"], learning.mean_error_weight),
        "age_teacher": of_teacher * cross_entropy(age, batch["teacher_age"]),
        "gender": of_label * cross_entropy(gender, smooth),
        "gender_teacher": gender_teacher * cross_entropy(gender, batch["teacher_gender"]),
    }
    return {name: weights[name.partition("_")[0]] * values.mean() for name, values in parts.items()}


def label_loss(log_age: Tensor, target: Tensor, exact: Tensor, mean_error_weight: float) -> Tensor:
    """Compute the (B,) loss of (B, 101) log-probabilities: cross-entropy to a known age, -log P(bracket) elsewhere, and
    the distance of the mean from the age or from the bracket, in years."""
    years = torch.arange(target.shape[-1], dtype=log_age.dtype)
    inside = -torch.logsumexp(log_age + torch.log(target.clamp_min(1e-6)), -1)
    mean = (log_age.exp() * years).sum(-1)
    wanted = (target * years).sum(-1)
    # The mask is 1 between the ends of a bracket.
    member = target >= 1
    low = torch.where(member, years, years[-1]).amin(-1)
    high = torch.where(member, years, 0.0).amax(-1)
    distance = torch.where(exact > 0, (mean - wanted).abs(), (low - mean).clamp_min(0) + (mean - high).clamp_min(0))
    return torch.where(exact > 0, cross_entropy(log_age, target), inside) + mean_error_weight * distance


def cross_entropy(log_probabilities: Tensor, target: Tensor) -> Tensor:
    """Compute (B,) from (B, K) log-probabilities and targets; 0 where a target is all 0."""
    return -(target * log_probabilities).sum(-1)
