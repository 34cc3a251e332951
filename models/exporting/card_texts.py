"""What every card of a task says in words: title, data set, limits; and what all cards say."""

from __future__ import annotations

from collections.abc import Mapping

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
"""Architectures of others, by the name that people know them by."""
_DATASETS: Mapping[str, str] = {
    "fer2013": "FER2013 (Goodfellow et al. 2013)",
    "fer2013_five": "FER2013 (Goodfellow et al. 2013), without its images of disgust and fear",
    "utkface": "UTKFace, aligned and cropped (Zhang et al. 2017)",
    "utkface_published": (
        "UTKFace, aligned and cropped (Zhang et al. 2017), ages 21 to 60, in the split of Cao, Mirjalili & Raschka 2020"
    ),
}
_SOFTENED = "training targets softened by FER+ (Barsoum et al. 2016)"
_FACES = (
    "5,586 web photographs (Caltech 10,000 Web Faces) with eyes, nose and mouth marked by people, and 839 "
    "street photographs with boxes drawn by people around masked and unmasked faces. Part of the labels were "
    "made by a machine: most boxes, and the landmarks of faces that nobody marked, come from OpenCV's YuNet "
    "detector. They are good to learn from, but no ground truth."
)
_EXPRESSION = (
    "Reads the expression that annotators saw in web photographs from 2013, often posed, with labels on which "
    "people themselves agree in about two of three cases."
)
_NO_GROUPS = (
    "It does not know what a person feels. FER2013 has no labels of age, gender or origin, so nothing is known here "
    "about differences between groups."
)
_UTKFACE = (
    "see the table by group. Web photographs of 2017, whose labels an algorithm estimated and people checked; people "
    "over 70 are rare in it."
)
_PERCEIVED = f"the gender that others perceive, male or female only: {{}}. Errors differ between groups, {_UTKFACE}"
_NOT_OLD = "nothing here says how old anybody is"
_NOT_IDENTITY = "nothing here says how anybody identifies"
LIMITS: Mapping[str, str] = {
    "emotion": f"{_EXPRESSION} Disgust is rare, and disgust and fear are often missed. {_NO_GROUPS}",
    "emotion_five": (
        f"{_EXPRESSION} It was never shown disgust or fear and answers one of the other five for them; its figures are "
        f"from images without them, so they cannot be compared with those of networks that read all seven. {_NO_GROUPS}"
    ),
    "age_gender": (
        "Estimates the age that a face appears to have, and the gender that others perceive, male or female only: "
        f"neither says how old anybody is or how anybody identifies. Errors grow with age and differ between groups, "
        f"{_UTKFACE}"
    ),
    "gender": f"Estimates {_PERCEIVED.format(_NOT_IDENTITY)}",
    "age": (
        f"Estimates the age that a face appears to have: {_NOT_OLD}. It answers one number and nothing about how sure "
        "it is, so the stated interval is equally wide for faces of one age. Errors grow with age and differ between "
        f"groups, {_UTKFACE}"
    ),
    "age_group_gender": (
        f"Estimates to which of the groups {', '.join(AGE_GROUP_LABELS)} the age belongs that a face appears to have, "
        "and from that an age, which is rough: ages between two groups are never answered surely. Also estimates "
        f"{_PERCEIVED.format(f'{_NOT_OLD} or how anybody identifies')}"
    ),
    "age_gender_published": (
        "Made to be compared with published figures on that split, not to be used: it was never shown anybody under 21 "
        "or over 60 and takes everybody for somebody in between. Near-duplicates across the published sides were left "
        f"in, as others leave them. Also estimates {_PERCEIVED.format(f'{_NOT_OLD} or how anybody identifies')}"
    ),
    "detection": (
        "Finds faces from about 12 pixels in the searched copy (the longer side of a live frame is reduced to 320 "
        "pixels, of a photograph to 1,280). The photographs show mostly adults who face the camera: expect more "
        "misses for profiles, faces upside down and strong occlusion. It finds faces; it does not tell whose."
    ),
}
"""Task, as on the card -> what to expect of the network's answers."""
LICENSE = (
    "Weights for research use only: the training data may be used for non-commercial research. "
    "The code is under the MIT licence."
)
INTENDED_USE = (
    "Demonstration, teaching and the study of such models, on pictures of people who agreed to it. Not for decisions "
    "about people. Emotion inference at the workplace and in education is banned in the EU (AI Act, Article 5(1)(f))."
)
DEFAULT_CROP = {"scale": 1.0, "shift_y": 0.0}


def title_of(task: str, architecture: str, size: int, channels: int) -> str:
    """As the pages name the network: what it answers, and whose it is if it is not our own."""
    if not TASKS[task].outputs:
        return TASKS[task].title
    title = f"{TASKS[task].title}, {size}x{size} {'grey' if channels == 1 else 'colour'}"
    return f"{_NETWORKS[architecture]}: {title[0].lower()}{title[1:]}" if architecture in _NETWORKS else title


def dataset_text(task: str, softened: bool) -> str:
    """The data set of a task; ``softened``: whether FER+'s votes took part in the training targets."""
    if task == "detection":
        return _FACES
    return f"{_DATASETS[TASKS[task].dataset]}{f'; {_SOFTENED}' if softened else ''}"
