"""Texts of model cards: title, data set and limits by task, and what all cards have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from core.age_groups import AGE_GROUP_LABELS
from core.tasks import TASKS

_NETWORKS: Mapping[str, str] = {
    "six_conv": "Six convolutions",
    "three_conv_emotion": "Three convolutions",
    "three_conv_gender": "Three convolutions",
    "mobilenet_transfer": "MobileNet",
    "four_conv": "Four convolutions",
    "tflearn_cnn": "TFLearn network",
    "mini_xception": "mini-XCEPTION",
    "ssr_net": "SSR-Net",
    "vgg16_age": "VGG-16, DEX",
    "levi_hassner": "Levi & Hassner",
}
"""Architecture -> the name under which a baseline is known."""
_DATASETS: Mapping[str, str] = {
    "fer2013": "FER2013 (Goodfellow et al. 2013)",
    "fer2013_five": "FER2013 (Goodfellow et al. 2013), without its images of disgust and fear",
    "utkface": "UTKFace, aligned and cropped (Zhang et al. 2017)",
    "utkface_published": (
        "UTKFace, aligned and cropped (Zhang et al. 2017), ages 21 to 60, in the split of Cao, Mirjalili & Raschka 2020"
    ),
}
_SOURCES: Mapping[str, str] = {
    "utkface": "UTKFace, aligned and cropped (Zhang et al. 2017)",
    "fairface": "FairFace (Kärkkäinen & Joo 2021)",
    "aaf": "All-Age-Faces (Cheng et al. 2019)",
    "appa_real": "APPA-REAL (Agustsson et al. 2017)",
}
_TEACHER = (
    "beside the labels, the answers of a teacher for images that it had not learnt from: frozen features of two face "
    "networks, which had learnt identities of VGGFace2, ages of IMDB, and dlib's face descriptor"
)
_SOFT_LABELS = "soft training labels from the votes of FER+ (Barsoum et al. 2016)"
_FACES = (
    "Web and street photographs (Caltech 10,000 Web Faces and photographs of masks) and group photographs, with boxes "
    "or landmarks by people; portraits of FairFace (training split), UTKFace (training split) and All-Age-Faces, whose "
    "landmarks are its own; as photographs without people, one of each ImageNet class and those of the Berkeley "
    "segmentation data set. All other boxes and landmarks are pseudo-labels: the mean of OpenCV's YuNet over several "
    "views, suited for training, but not ground truth. Landmarks follow All-Age-Faces' convention."
)
_EXPRESSION = (
    "Classifies the facial expression that annotators saw in web photographs from 2013, often posed. People agree on "
    "about two of three labels."
)
_NO_GROUPS = (
    "It does not know what a person feels. FER2013 has no labels of age, gender or ethnicity, so differences between "
    "groups are unknown."
)
_UTKFACE = (
    "see the table by group. UTKFace holds web photographs from 2017, labelled by an algorithm and checked by people. "
    "People over 70 are rare."
)
_APPARENT_AGE = "Estimates apparent age, not true age."
_PERCEIVED_GENDER = "Estimates perceived gender, male or female only, not gender identity."
_GROUP_ERRORS = f"Errors differ between groups, {_UTKFACE}"
_AGE_ERRORS = f"Errors grow with age and differ between groups, {_UTKFACE}"
LIMITS: Mapping[str, str] = {
    "emotion": f"{_EXPRESSION} Disgust is rare; disgust and fear are often missed. {_NO_GROUPS}",
    "emotion_five": (
        f"{_EXPRESSION} It was trained without disgust and fear and predicts one of the other five for them. Its "
        f"metrics leave out such images, so they are not comparable with those of seven emotions. {_NO_GROUPS}"
    ),
    "age_gender": f"{_APPARENT_AGE} {_PERCEIVED_GENDER} {_AGE_ERRORS}",
    "gender": f"{_PERCEIVED_GENDER} {_GROUP_ERRORS}",
    "age": (
        f"{_APPARENT_AGE} It predicts one number without a distribution, so the interval is equally wide for all faces "
        f"of one age. {_AGE_ERRORS}"
    ),
    "age_group_gender": (
        f"Predicts one of the age groups {', '.join(AGE_GROUP_LABELS)}; the age that follows from it is rough, and "
        f"ages between two groups are never certain. {_APPARENT_AGE} {_PERCEIVED_GENDER} {_GROUP_ERRORS}"
    ),
    "age_gender_published": (
        "Only for comparison with published results on this split. It was trained without people under 21 or over 60 "
        "and predicts ages in between for everybody. Near-duplicates across the published splits were kept, as in the "
        f"published work. {_PERCEIVED_GENDER} {_GROUP_ERRORS}"
    ),
    "detection": (
        "Finds faces from about 13 pixels after resizing (longer side 320 pixels for live frames, up to 1,920 for "
        "photographs). Expect more misses for faces turned further than profile, faces rotated by more than 60 degrees "
        "in live video, and strong occlusion. It finds faces; it does not recognise people."
    ),
}
"""Task, as on the card -> what the network cannot do."""
LICENSE = (
    "Weights for research use only: the training data may be used for non-commercial research. "
    "The code is under the MIT licence."
)
INTENDED_USE = (
    "Demonstration, teaching and research, on pictures of people who agreed to it. Not for decisions about people. "
    "Emotion recognition at work and in education is banned in the EU (AI Act, Article 5(1)(f))."
)


def format_title(task: str, architecture: str, size: int, channels: int) -> str:
    """Name a network as the pages do: outputs and input, after the name of a baseline."""
    if not TASKS[task].outputs:
        return TASKS[task].title
    title = f"{TASKS[task].title}, {size}x{size} {'grey' if channels == 1 else 'colour'}"
    return f"{_NETWORKS[architecture]}: {title[0].lower()}{title[1:]}" if architecture in _NETWORKS else title


def describe_dataset(
    task: str, soft_labels: bool, sources: Iterable[str] = (), teacher: bool = False, unlabelled: Iterable[str] = ()
) -> str:
    """Name what a network of ``task`` learnt from.

    ``soft_labels``: whether from the votes of FER+; ``sources``: the data sets if they are several; ``teacher``:
    whether also from the answers of another network; ``unlabelled``: data sets whose faces it was told an emotion of.
    """
    if task == "detection":
        return _FACES
    dataset = "; ".join(_SOURCES[name] for name in sources) or _DATASETS[TASKS[task].dataset]
    parts = [dataset, *([_SOFT_LABELS] if soft_labels else ()), *([_TEACHER] if teacher else ())]
    if names := ", ".join(_SOURCES[name] for name in unlabelled):
        parts.append(f"the answers of the network before it, also about faces without emotion labels: {names}")
    return "; ".join(parts)
