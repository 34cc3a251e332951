"""Recipes of the baselines: the authors' where they are known, otherwise our own.

``recipe`` names the source and is recorded with the run. Data, splits and the choice of the epoch are ours for all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from models.architectures.heads import FIVE_EMOTIONS
from models.training.config import TrainConfig
from models.training.pipeline import Augmentation


@dataclass(frozen=True)
class BaselineConfig(TrainConfig):
    """``TrainConfig`` with plain defaults: no averaged weights, no label smoothing, no weight decay."""

    batch_size: int = 64
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    average_momentum: float = 0.0
    schedule: str = "constant"


OURS = "ours: the authors' is not known"
UNCHANGED = Augmentation(rotation_deg=0, scale=0, shift=0, brightness=0, contrast=0, erase_probability=0, flip=False)
FLIPPED = replace(UNCHANGED, flip=True)
MOVED = replace(FLIPPED, rotation_deg=10, shift=0.1, scale=0.1)
CPU_SIZE = 64
"""Input side of the two large networks: one CPU core trains them in hours. On a GPU it could be 224 and 227."""

_SIX_CONV = BaselineConfig(
    name="six_conv_emotion",
    task="emotion",
    architecture="six_conv",
    epochs=30,
    schedule="cosine",
    augmentation=MOVED,
    recipe=OURS,
)
_MOBILENET = BaselineConfig(
    name="mobilenet_transfer_emotion",
    task="emotion",
    architecture="mobilenet_transfer",
    architecture_arguments={"input_size": 48},
    epochs=30,
    schedule="cosine",
    augmentation=MOVED,
    recipe=f"{OURS}. The report freezes the first layers at ImageNet's weights and trains the others; from a random "
    "start, with crops of 48 pixels, every layer learns",
)
_MINI_XCEPTION = BaselineConfig(
    name="mini_xception_emotion",
    task="emotion",
    architecture="mini_xception",
    image_size=64,
    epochs=100,
    batch_size=32,
    schedule="cosine",
    augmentation=MOVED,
    recipe="the authors' (github.com/oarriaga/face_classification), but the rate falls along a cosine over 100 epochs "
    "in place of their plateau rule over up to 10,000",
)
_SSR_NET = BaselineConfig(
    name="ssr_net_age",
    task="age",
    architecture="ssr_net",
    architecture_arguments={"output": "age"},
    image_size=64,
    source_size=72,
    epochs=90,
    batch_size=50,
    schedule="steps",
    step_epochs=(30, 60),
    augmentation=MOVED,
    recipe="the authors' (github.com/shamangary/SSR-Net), from a random start in place of IMDB and WIKI; the random "
    "changes of the crops are ours",
)

BASELINE_CONFIGS: dict[str, BaselineConfig] = {
    config.name: config
    for config in (
        _SIX_CONV,
        replace(
            _SIX_CONV,
            name="six_conv_gender",
            task="gender",
            architecture_arguments={"output": "gender", "channels": 3},
            source_size=56,
        ),
        BaselineConfig(
            name="three_conv_emotion",
            task="emotion",
            architecture="three_conv_emotion",
            epochs=50,
            batch_size=70,
            learning_rate=1e-4,
            augmentation=FLIPPED,
            recipe="the authors'",
        ),
        BaselineConfig(
            name="three_conv_gender",
            task="gender",
            architecture="three_conv_gender",
            source_size=56,
            epochs=30,
            batch_size=50,
            learning_rate=1e-4,
            augmentation=FLIPPED,
            recipe="epochs and batch are the authors'; rate and flip are those of three_conv_emotion",
        ),
        _MOBILENET,
        replace(
            _MOBILENET,
            name="mobilenet_transfer_gender",
            task="gender",
            architecture_arguments={"output": "gender", "input_size": 48, "channels": 3},
            source_size=56,
        ),
        replace(
            _MINI_XCEPTION,
            name="five_emotions",
            task="emotion_five",
            architecture_arguments={"emotions": FIVE_EMOTIONS},
            recipe="that of mini_xception_emotion: the report names no network",
        ),
        BaselineConfig(
            name="four_conv",
            task="emotion",
            architecture="four_conv",
            epochs=50,
            learning_rate=1e-4,
            augmentation=UNCHANGED,
            recipe="the authors' (github.com/atulapra/Emotion-detection)",
        ),
        BaselineConfig(
            name="tflearn_cnn",
            task="emotion",
            architecture="tflearn_cnn",
            epochs=100,
            batch_size=50,
            optimizer="momentum",
            augmentation=FLIPPED,
            recipe="the authors' (Correa et al. 2016), rate and momentum being TFLearn's defaults; the flip is ours",
        ),
        _MINI_XCEPTION,
        replace(
            _MINI_XCEPTION,
            name="mini_xception_gender",
            task="gender",
            architecture_arguments={"output": "gender", "channels": 3},
            source_size=72,
        ),
        _SSR_NET,
        replace(_SSR_NET, name="ssr_net_gender", task="gender_regression", architecture_arguments={"output": "gender"}),
        BaselineConfig(
            name="vgg16_age",
            task="age_gender_classes",
            architecture="vgg16_age",
            architecture_arguments={"input_size": CPU_SIZE},
            image_size=CPU_SIZE,
            source_size=72,
            epochs=30,
            optimizer="sgd",
            learning_rate=0.01,
            weight_decay=5e-3,
            schedule="cosine",
            augmentation=MOVED,
            recipe="classes and loss are the authors' (Rothe et al. 2015); they start from ImageNet and go on from "
            "IMDB-WIKI on crops of 256 pixels, so the rest is ours",
        ),
        BaselineConfig(
            name="levi_hassner",
            task="age_group_gender",
            architecture="levi_hassner",
            architecture_arguments={"input_size": CPU_SIZE},
            image_size=CPU_SIZE,
            source_size=72,
            epochs=60,
            batch_size=50,
            optimizer="momentum",
            weight_decay=5e-3,
            schedule="steps",
            step_epochs=(30,),
            # Crops of 227 from 256 move by up to 14.5 of 227.
            augmentation=replace(FLIPPED, shift=0.064),
            recipe="the authors' (a tenth of the rate after 10,000 steps, about 30 epochs here), but one network with "
            "two heads and smaller crops",
        ),
    )
}
