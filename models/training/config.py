"""What a config says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from models.detection.augmentation import DetectionAugmentation
from models.training.age_weights import AgeWeighting
from models.training.pipeline import Augmentation


@dataclass(frozen=True)
class TrainConfig:
    """How to train one network. ``weight_decay`` is decoupled (applied as rate x decay x kernel at each step);
    with momentum 0.9, 5e-3 acts like an L2 gradient term of 5e-4."""

    name: str
    task: str
    """A key of ``models.training.tasks.TASKS``: decides data set, targets, losses and the figure that picks the checkpoint."""
    architecture: str
    architecture_arguments: Mapping[str, object] = field(default_factory=dict)
    image_size: int = 48
    source_size: int = 48
    """Side at which training images are kept; a little above ``image_size`` keeps detail for zooming in."""
    epochs: int = 60
    stop_after: int | None = None
    """Epochs of the schedule that are run before a second round takes over; all of them if ``None``."""
    batch_size: int = 128
    validation_batch_size: int = 256
    optimizer: str = "sgd"
    """``sgd`` (with Nesterov's momentum), ``momentum`` (SGD without it), ``adam`` or ``adamw``."""
    learning_rate: float = 0.1
    schedule: str = "cosine"
    """``cosine`` (with ``warmup_epochs``), ``constant``, or ``steps``: a tenth of the rate from each of ``step_epochs``
    on."""
    warmup_epochs: float = 1.0
    step_epochs: tuple[int, ...] = ()
    momentum: float = 0.9
    weight_decay: float = 5e-3
    class_balance: float = 0.0
    """Images of a class with n of them are drawn n ** -class_balance as often; 0 draws every image once an epoch."""
    age_weighting: AgeWeighting | None = None
    """Draws people of rare ages more often; every image once an epoch if ``None``."""
    mixup: float = 0.0
    """Alpha of ``models.training.mixup``; 0 mixes nothing."""
    label_smoothing: float = 0.1
    annotators_share: float = 0.0
    """Share of ``models.training.soft_labels`` in the emotion targets; more than 0 needs FER+'s votes in the data folder."""
    loss_weights: Mapping[str, float] | None = None
    """Output name -> weight of its loss; equal weights if ``None``."""
    start_from: str | None = None
    """Name of the config whose run, in the same folder, gives the first weights; random ones if ``None``."""
    averaged_with: str | None = None
    """Name of the config whose best weights are averaged in equal parts with this one's for the artifact (Wortsman et
    al. 2022); it must have the same architecture."""
    average_momentum: float = 0.998
    """Per step, of the running average of the weights that is evaluated and exported; 0 keeps none."""
    augmentation: Augmentation = field(default_factory=Augmentation)
    """Of crops; ``detection_augmentation`` is the detector's."""
    closing_augmentation: Augmentation | None = None
    """Replaces ``augmentation`` in the last ``closing_epochs`` of the schedule."""
    closing_epochs: int = 0
    detection_augmentation: DetectionAugmentation = field(default_factory=DetectionAugmentation)
    precision: str = "mixed_bfloat16"
    seed: int = 1
    recipe: str = ""
    """Whose recipe this is, where it is not our own."""

    @property
    def last_epoch(self) -> int:
        """Epochs that a whole run has."""
        return min(self.epochs, self.stop_after or self.epochs)

    def over(self, epochs: int) -> TrainConfig:
        """The same config over ``epochs`` epochs, all of which are run; ``step_epochs`` and ``closing_epochs``
        keep their places in the schedule."""
        steps = tuple(max(1, round(step * epochs / self.epochs)) for step in self.step_epochs)
        closing = round(self.closing_epochs * epochs / self.epochs)
        return replace(self, epochs=epochs, stop_after=None, step_epochs=steps, closing_epochs=closing)
