"""The detector in PyTorch: the same network as in Keras, one training step, hard negatives."""

import json
import os

import numpy as np
import pytest

os.environ["KERAS_BACKEND"] = "tensorflow"
torch = pytest.importorskip("torch")

from core.detection import FaceArrays  # noqa: E402
from models.detection.hard_negatives import find_hard_negatives  # noqa: E402
from models.detection.network import Depthwise, TorchDetector  # noqa: E402
from models.detection.photo_cache import PhotoCache  # noqa: E402
from models.detection.runs import history_csv, load_weights, save_weights  # noqa: E402
from models.detection.scenes import SceneMix  # noqa: E402
from models.detection.targets import encode  # noqa: E402
from models.detection.train import DetectorTraining, geometry_loss, score_loss, train  # noqa: E402
from tests.models.detection.conftest import BOX, FIVE  # noqa: E402

ONE_STEP = DetectorTraining(minutes=1e-9, batch_size=2, sizes_px=(64,), size_shares=(1.0,), workers=0)


def test_losses_are_lowest_at_the_truth():
    faces = FaceArrays(BOX[None], np.ones(1), FIVE[None])
    score, geometry = (torch.from_numpy(maps[None]) for maps in encode(faces, 128)[1])
    logit = torch.where(score[..., 0] == 1, 6.0, -7.0)
    assert score_loss(logit, score) < 0.01
    assert score_loss(-logit, score) > 1
    truth = geometry[..., :14]
    assert [float(loss) for loss in geometry_loss(truth, geometry)] == [0, 0]
    assert [float(loss) for loss in geometry_loss(truth + 0.1, geometry)] == pytest.approx([4 * 0.095, 10 * 0.095])


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (5, 1)])
def test_gradients_of_depthwise_convolutions_are_those_of_pytorch(kernel, stride):
    torch.manual_seed(0)
    x = torch.randn(2, 8, 12, 16).contiguous(memory_format=torch.channels_last).requires_grad_()
    layer = Depthwise(8, kernel, stride)
    upstream = torch.randn_like(layer(x))
    ours = torch.autograd.grad(layer(x), (x, layer.weight), upstream)
    padded = x if stride == 1 else torch.nn.functional.pad(x, (0, 1, 0, 1))
    plain = torch.nn.functional.conv2d(padded, layer.weight, None, stride, kernel // 2 if stride == 1 else 0, 1, 8)
    theirs = torch.autograd.grad(plain, (x, layer.weight), upstream)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.numpy() == pytest.approx(other.numpy(), abs=1e-4)


def test_one_step_is_recorded_and_can_be_resumed(tmp_path, cache_dir):
    train(ONE_STEP, cache_dir, tmp_path)
    assert history_csv(tmp_path).splitlines()[1].startswith("1,")
    assert json.loads((tmp_path / "recipe.json").read_text())["mix"]["photos"] == SceneMix().photos
    network = TorchDetector()
    network.load_keras_weights(load_weights(tmp_path / "last.npz"))
    train(ONE_STEP, cache_dir, tmp_path, resume=tmp_path / "state.pt")
    assert [row.split(",")[0] for row in history_csv(tmp_path).splitlines()[1:]] == ["1", "2"]
    train(ONE_STEP, cache_dir, tmp_path / "fresh", resume=tmp_path / "state.pt", fresh_schedule=True)
    train(ONE_STEP, cache_dir, tmp_path / "started", start=tmp_path / "last.npz")
    assert len(history_csv(tmp_path / "started").splitlines()) == 2


class Labeler:
    """Finds a face at the bright square of every photograph, or none."""

    def __init__(self, boxes):
        self.faces = FaceArrays(np.array(boxes).reshape(-1, 4), np.ones(len(boxes)), np.zeros((len(boxes), 5, 2)))

    def label(self, image):
        return self.faces


def test_hard_negatives_are_what_only_the_network_finds(cache_dir):
    class Everywhere(TorchDetector):
        def predict(self, image, min_score):
            return FaceArrays(BOX[None] * image.shape[1] / 160, np.full(1, 0.5), FIVE[None])

    photos = PhotoCache(cache_dir, sources=("natural",))
    mined = find_hard_negatives(Everywhere(), Labeler([]), photos)
    assert set(mined.ids) == {"natural_0", "natural_1"}
    assert len(set(mined.sizes_px.round())) > 2
    assert not len(find_hard_negatives(Everywhere(), Labeler([BOX, BOX * 1.2, BOX * 0.8]), photos))


def test_keras_predicts_the_same_with_the_same_weights(tmp_path):
    pytest.importorskip("tensorflow")
    from models.architectures import face_detector

    torch.manual_seed(1)
    network, model = TorchDetector(), face_detector.build()
    weights = network.keras_weights()
    for layer, values in weights.items():
        model.get_layer(layer).set_weights(values)
    model.save(tmp_path / "model.keras")
    again = load_weights(tmp_path / "model.keras")
    assert again.keys() == weights.keys()
    save_weights(again, tmp_path / "again.npz")
    network.load_keras_weights(load_weights(tmp_path / "again.npz"))
    image = np.random.default_rng(0).integers(0, 256, (1, 64, 96, 3)).astype(np.float32)
    theirs = model(image, training=False)
    with torch.no_grad():
        ours = [
            answer.permute(0, 2, 3, 1).numpy()
            for answer in network.eval()(torch.from_numpy(image.transpose(0, 3, 1, 2)))
        ]
    for stride, answer in zip((8, 16, 32), ours, strict=True):
        assert answer[..., 1:] == pytest.approx(np.asarray(theirs[f"geometry_{stride}"]), rel=1e-3, abs=1e-2)
        assert 1 / (1 + np.exp(-answer[..., :1])) == pytest.approx(np.asarray(theirs[f"score_{stride}"]), abs=1e-3)
