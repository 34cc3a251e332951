"""The config of a training run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from models.faces.config import FaceLearning
from models.training.pipeline import Augmentation


@dataclass(frozen=True)
class TrainConfig:
    """How to train one network. Names of fields are keys of ``run.json`` and of stored cards.

    ``weight_decay`` is decoupled (applied as rate x decay x kernel at each step); with momentum 0.9, 5e-3 acts like an
    L2 gradient term of 5e-4.
    """

    name: str
    task: str
    """A key of ``models.training.tasks.TASKS``: data set, targets, losses, and the metric that picks the checkpoint."""
    architecture: str
    architecture_arguments: Mapping[str, object] = field(default_factory=dict)
    image_size: int = 48
    source_size: int = 48
    """Side of the training images in pixels; a little above ``image_size`` keeps detail for zooming in."""
    epochs: int = 60
    stop_after: int | None = None
    """Epochs of the schedule that are run before the next stage takes over; all of them if ``None``."""
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
    """Power of the class weights: images of a class with n images are drawn n ** -class_balance as often; 0 draws every
    image once per epoch."""
    mixup: float = 0.0
    """Alpha of ``models.training.mixup``; 0 mixes nothing."""
    label_smoothing: float = 0.1
    teacher_share: float = 0.0
    """Weight of a teacher's answers in the emotion targets; above 0, the data folder needs them
    (``models.training.teacher``)."""
    unlabelled_share: float = 0.0
    """Share of the faces drawn that have no label but the teacher's answer."""
    annotators_share: float = 0.0
    """Weight of ``models.training.soft_labels`` in the emotion targets; above 0, the data folder needs FER+'s votes."""
    loss_weights: Mapping[str, float] | None = None
    """Output name -> weight of its loss; equal weights if ``None``."""
    start_from: str | None = None
    """Recipe whose run, in the same folder, gives the initial weights; random ones if ``None``."""
    start_artifact: str | None = None
    """Artifact whose network, with as many or fewer blocks, gives the initial weights instead; PyTorch only."""
    average_momentum: float = 0.998
    """Momentum per step of the averaged (EMA) weights, which are evaluated and exported; 0 keeps none."""
    augmentation: Augmentation = field(default_factory=Augmentation)
    closing_augmentation: Augmentation | None = None
    """Final augmentation: replaces ``augmentation`` in the last ``closing_epochs`` of the schedule."""
    closing_epochs: int = 0
    faces: FaceLearning | None = None
    """Learn from packed faces, with PyTorch (``models.faces``); ``augmentation`` and ``mixup`` then do not count."""
    precision: str = "mixed_bfloat16"
    seed: int = 1
    recipe: str = ""
    """Source of the recipe, for baselines."""

    @property
    def last_epoch(self) -> int:
        """Number of epochs of a complete run."""
        return min(self.epochs, self.stop_after or self.epochs)

    def with_epochs(self, epochs: int) -> TrainConfig:
        """Return a copy with ``epochs`` epochs, all of which are run.

        ``step_epochs`` and ``closing_epochs`` keep their places in the schedule.
        """
        steps = tuple(max(1, round(step * epochs / self.epochs)) for step in self.step_epochs)
        closing = round(self.closing_epochs * epochs / self.epochs)
        return replace(self, epochs=epochs, stop_after=None, step_epochs=steps, closing_epochs=closing)
