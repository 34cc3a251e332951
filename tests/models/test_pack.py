"""Training images in one small file."""

import json

import numpy as np
import pytest

from core.datasets.ferplus import FILE as VOTES_FILE
from core.errors import ConfigError, DatasetError
from models import pack
from models.packed_data import QUALITIES, best_quality, has_pack, read_pack, without_reporting, write_pack
from models.training.recipes import config_named
from models.training.tasks import CROP_TASKS
from tests.fakes.datasets import SIDES, data_set

MIB = 2**20


@pytest.mark.parametrize("name", SIDES)
def test_what_training_may_see_comes_back(tmp_path, name):
    data = data_set(name)
    write_pack(tmp_path, without_reporting(data, 48), QUALITIES[0])
    packed = read_pack(tmp_path, name, 48)
    assert tuple(packed.sides) == SIDES[name][:2]
    for side, samples in packed.sides.items():
        original = data.sides[side]
        assert samples.ids.tolist() == original.ids.tolist()
        assert {key: values.tolist() for key, values in samples.labels.items()} == {
            key: values.tolist() for key, values in original.labels.items()
        }
        assert samples.images.shape == original.images.shape
        assert np.abs(samples.images.astype(int) - original.images).mean() < 3
    facts, expected = packed.facts(), data.facts()
    assert facts.pop("packed_quality") == QUALITIES[0]
    assert facts["fingerprints"] == {side: expected["fingerprints"][side] for side in packed.sides}
    assert (facts["rejected"], facts["near_duplicate_pairs"], facts["dropped_near_duplicates"]) == (1, 5, 3)
    assert packed.shortened(4).facts()["packed_quality"] == QUALITIES[0]


def test_less_room_means_less_quality(tmp_path):
    data = [without_reporting(data_set(name, size), size) for name, size in (("fer2013", 48), ("utkface", 96))]
    sizes = {quality: sum(_written(tmp_path, one, quality) for one in data) for quality in (QUALITIES[0], 70)}
    assert sizes[70] < sizes[QUALITIES[0]]
    for quality, size in sizes.items():
        # The files hold labels and ids beside the images.
        assert best_quality(data, size) >= quality
    with pytest.raises(ConfigError, match=r"the images take 0\.0 MiB even in quality 40, only 0\.0 are left"):
        best_quality(data, 100)


def _written(folder, data, quality):
    return write_pack(folder, data, quality).stat().st_size


def test_the_side_for_reporting_is_never_written(tmp_path):
    with pytest.raises(ValueError, match="the side test of utkface is for reporting"):
        write_pack(tmp_path, data_set("utkface"), 90)


def test_images_are_made_smaller_but_never_larger(tmp_path):
    write_pack(tmp_path, without_reporting(data_set("utkface", size=96), 64), 90)
    assert read_pack(tmp_path, "utkface", 32).sides["train"].images.shape == (12, 32, 32, 3)
    with pytest.raises(DatasetError, match="holds images of 64 px, 72 are needed"):
        read_pack(tmp_path, "utkface", 72)


def test_a_file_that_is_no_pack_is_named(tmp_path):
    assert not has_pack(tmp_path, "fer2013")
    file = tmp_path / "fer2013.pack.npz"
    write_pack(tmp_path, without_reporting(data_set("fer2013"), 48), 90)
    for content in (b"nothing", b"", file.read_bytes()[:2000]):
        file.write_bytes(content)
        with pytest.raises(DatasetError, match=r"fer2013\.pack\.npz is no pack"):
            read_pack(tmp_path, "fer2013", 48)
    np.savez(file, images=np.zeros(3))
    with pytest.raises(DatasetError, match="make it with"):
        read_pack(tmp_path, "fer2013", 48)


def test_training_reads_packs_like_data_folders(tmp_path, monkeypatch):
    monkeypatch.setattr(pack, "LOADERS", {"fer2013": lambda folder, size: data_set("fer2013")})
    data_dir, output = tmp_path / "data", tmp_path / "output"
    data_dir.mkdir()
    header = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
    # Each image's votes are for its label, in FER+'s order of choices.
    choices = [4, 5, 6, 1, 3, 2, 0]
    votes = np.eye(10, dtype=int)[np.array(choices)[data_set("fer2013").sides["train"].labels["emotion"]]]
    rows = (f"Training,fer{row:07d}.png,{','.join(map(str, ten))}" for row, ten in enumerate(votes))
    (data_dir / VOTES_FILE).write_text("\n".join([header, *rows]) + "\n")
    files = pack.pack([config_named("emotion"), config_named("four_conv")], data_dir, output, MIB)
    assert [file.name for file in files] == [VOTES_FILE, "fer2013.pack.npz"]
    data = CROP_TASKS["emotion"].load(output, config_named("emotion"))
    assert set(data.sides) == {"train", "public"}
    assert data.facts()["packed_quality"] == QUALITIES[0]


def test_the_largest_size_that_is_read_is_packed(tmp_path, monkeypatch):
    asked = []

    def load(folder, size):
        asked.append(size)
        return data_set("utkface", size)

    monkeypatch.setattr(pack, "LOADERS", {"utkface": load})
    pack.pack([config_named("mini_xception_gender"), config_named("age_gender")], tmp_path, tmp_path / "packs", MIB)
    assert asked == [config_named("age_gender").source_size]


def test_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(pack, "LOADERS", {"utkface": lambda folder, size: data_set("utkface", size)})
    where = ["--data", str(tmp_path), "--output", str(tmp_path / "packs")]
    assert pack.main(["age_gender", *where, "--mib", "1"]) == 0
    ((file, size),) = json.loads(capsys.readouterr().out).items()
    assert file.endswith("utkface.pack.npz")
    assert 0 < size < MIB
    assert pack.main(["face_detector", *where]) == 2
    assert "only those can be packed" in capsys.readouterr().err
    assert pack.main(["emotion", *where]) == 2
    assert VOTES_FILE in capsys.readouterr().err
