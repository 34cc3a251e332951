import cv2
import numpy as np
import pytest

from core.datasets.near_duplicates import near_duplicate_pairs
from core.datasets.samples import fingerprint
from core.datasets.splits import assign_utkface_split, load_fer2013, load_utkface, read_split_file
from core.errors import DatasetError


def scene(seed, size, channels):
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, channels), dtype=np.uint8)
    return cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)


def write(file, image):
    file.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(file), image)


def test_fer2013_drops_the_training_copy_of_a_test_image(tmp_path):
    root = tmp_path / "fer2013"
    for number in range(6):
        write(root / f"train/happy/Training_{number}.png", scene(number, 48, 1))
    write(root / "test/happy/PublicTest_1.png", scene(2, 48, 1))
    write(root / "test/happy/PrivateTest_1.png", scene(4, 48, 1))
    write(root / "test/happy/PrivateTest_2.png", scene(100, 48, 1))
    data = load_fer2013(tmp_path)
    assert data.splits["train"].ids.tolist() == [f"Training_{n}" for n in (0, 1, 3, 5)]
    assert (len(data.splits["public"]), len(data.splits["private"])) == (1, 2)
    assert (data.dropped, data.near_duplicate_pairs) == (2, 2)


def utkface_names():
    return [f"{20 + number}_0_1_{number}.jpg.chip.jpg" for number in range(60)]


def write_utkface(data_dir):
    for number, name in enumerate(utkface_names()):
        # Every third image shows the picture of the one before it.
        write(data_dir / "UTKFace" / name, scene(number - 1 if number % 3 == 2 else number, 200, 3))
    return data_dir


@pytest.fixture
def utkface(tmp_path):
    return write_utkface(tmp_path)


def test_utkface_keeps_near_duplicates_in_one_split(utkface):
    data = load_utkface(utkface, 80)
    split_of = {str(i): split for split, samples in data.splits.items() for i in samples.ids}
    assert len(split_of) == 60
    assert data.near_duplicate_pairs == 20
    names = utkface_names()
    assert [split_of[name] for name in names[1::3]] == [split_of[name] for name in names[2::3]]
    everything = np.concatenate([samples.images for samples in data.splits.values()])
    owner = np.repeat(list(data.splits), [len(samples) for samples in data.splits.values()])
    pairs = near_duplicate_pairs(everything)
    assert (owner[pairs[:, 0]] == owner[pairs[:, 1]]).all()


def test_utkface_split_does_not_depend_on_the_image_size(utkface):
    assert load_utkface(utkface, 80).fingerprints() == load_utkface(utkface, 32).fingerprints()


def test_splits_by_name_have_the_stated_shares():
    splits = [assign_utkface_split(f"{n}_0_0_{n}.jpg.chip.jpg") for n in range(20_000)]
    assert splits.count("train") / 20_000 == pytest.approx(0.7, abs=0.01)
    assert splits.count("validation") / 20_000 == pytest.approx(0.1, abs=0.01)


def test_fingerprint_ignores_order_and_sees_every_id():
    ids = np.array(["a", "b", "c"])
    assert fingerprint(ids) == fingerprint(ids[::-1])
    assert fingerprint(ids) != fingerprint(ids[:2])


def test_split_file(tmp_path):
    file = tmp_path / "test.csv"
    with pytest.raises(DatasetError, match="file"):
        read_split_file(file)
    file.write_text("name\nx\n")
    with pytest.raises(DatasetError, match="file"):
        read_split_file(file)
    file.write_text("file,age\nx.jpg,3\ny.jpg,4\n")
    assert read_split_file(file) == ["x.jpg", "y.jpg"]
