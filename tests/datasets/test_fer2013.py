from collections import Counter

import cv2
import numpy as np
import pytest

from core.datasets.fer2013 import read_fer2013
from core.errors import DatasetError
from core.types import EMOTIONS, Emotion
from tests.io.test_mutated_images import mutate


def picture(seed=0, size=48):
    return np.random.default_rng(seed).integers(0, 256, (size, size), dtype=np.uint8)


def write(root, where, image):
    file = root / where
    file.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(file), image)
    return file


def csv_row(emotion, usage, image):
    return f"{emotion},{' '.join(map(str, image.ravel()))},{usage}"


def test_folder_layout(tmp_path):
    write(tmp_path, "fer2013/train/happy/Training_12.png", picture(1))
    write(tmp_path, "fer2013/test/sad/PublicTest_7.png", picture(2))
    write(tmp_path, "fer2013/test/angry/PrivateTest_9.png", picture(3))
    samples = read_fer2013(tmp_path).samples
    by_id = {i: (EMOTIONS[e], u) for i, e, u in zip(samples.ids, *samples.labels.values(), strict=True)}
    assert by_id == {
        "Training_12": (Emotion.HAPPY, "Training"),
        "PublicTest_7": (Emotion.SAD, "PublicTest"),
        "PrivateTest_9": (Emotion.ANGRY, "PrivateTest"),
    }
    assert samples.images.shape == (3, 48, 48, 1)
    assert np.array_equal(samples.images[list(samples.ids).index("Training_12"), ..., 0], picture(1))


def test_csv_gives_the_same_as_the_folder(tmp_path):
    rows = ["emotion,pixels,Usage", csv_row(3, "Training", picture(1)), csv_row(4, "PublicTest", picture(2))]
    (tmp_path / "fer2013.csv").write_text("\n".join(rows))
    samples = read_fer2013(tmp_path).samples
    assert samples.ids.tolist() == ["Training_0", "PublicTest_1"]
    assert samples.labels["emotion"].tolist() == [3, 4]
    assert np.array_equal(samples.images[1, ..., 0], picture(2))


PIXELS = " ".join(map(str, picture(1).ravel()))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("icml_face_data.csv", f"emotion, Usage, pixels\n3,PrivateTest,{PIXELS}\n"),
        ("icml/icml_face_data.csv", f"emotion, Usage, pixels\r\n 3, PrivateTest, {PIXELS}\r\n"),
        ("fer2013.csv", f"\ufeffemotion,pixels,Usage\n3,{PIXELS},PrivateTest\n"),
        ("FER2013 (1).csv", f"\ufeffEmotion;Pixels;Usage\n3;{PIXELS};PrivateTest\n"),
        ("test.csv", f"emotion,pixels\n3,{PIXELS}\n"),
    ],
    ids=["Kaggle", "nested", "byte order mark", "as Excel saves", "one split"],
)
def test_tables_as_people_have_them(tmp_path, name, text):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text, newline="")
    samples = read_fer2013(tmp_path).samples
    assert samples.ids.tolist() == ["PrivateTest_0"]
    assert samples.labels["emotion"].tolist() == [EMOTIONS.index("happy")]
    assert np.array_equal(samples.images[0, ..., 0], picture(1))


def test_a_table_without_labels_is_left_out(tmp_path):
    (tmp_path / "train.csv").write_text(f"emotion,pixels\n3,{PIXELS}\n")
    (tmp_path / "test.csv").write_text(f"pixels\n{PIXELS}\n")
    dataset = read_fer2013(tmp_path)
    assert dataset.samples.ids.tolist() == ["Training_0"]
    assert [(r.where, r.reason) for r in dataset.rejected] == [("test.csv", "table without labels (no column emotion)")]


@pytest.mark.parametrize(
    ("train", "second", "third"),
    [
        ("train/happy", "test/sad", "test/angry"),
        ("train/Happy", "test/Sad", "test/Angry"),
        ("Training/happiness", "val/sadness", "test/anger"),
        ("images/train/HAPPY", "images/validation/SAD", "images/test/ANGRY"),
        ("archive/fer2013/Training/happy", "archive/fer2013/PublicTest/sad", "archive/fer2013/PrivateTest/angry"),
    ],
    ids=["as distributed", "capitals", "usual spellings", "images", "nested"],
)
def test_copies_with_official_names_are_the_same_data_set(tmp_path, train, second, third):
    write(tmp_path, f"{train}/Training_12.png", picture(1))
    write(tmp_path, f"{second}/PublicTest_7.PNG", picture(2))
    write(tmp_path, f"{third}/privatetest_9.jpg", picture(3))
    dataset = read_fer2013(tmp_path)
    samples = dataset.samples
    found = {i: (EMOTIONS[e], u) for i, e, u in zip(samples.ids, *samples.labels.values(), strict=True)}
    assert found == {
        "Training_12": (Emotion.HAPPY, "Training"),
        "PublicTest_7": (Emotion.SAD, "PublicTest"),
        "PrivateTest_9": (Emotion.ANGRY, "PrivateTest"),
    }
    assert (dataset.rejected, dataset.notes) == ((), ())
    assert dataset.files["PublicTest_7"].name == "PublicTest_7.PNG"


def test_other_names_have_the_split_of_their_folder_and_a_note(tmp_path):
    for split in ("train", "validation", "test"):
        for emotion in ("happy", "sad"):
            write(tmp_path, f"images/{split}/{emotion}/im0.png", picture(1))
    dataset = read_fer2013(tmp_path)
    assert Counter(dataset.samples.labels["usage"]) == {"Training": 2, "PublicTest": 2, "PrivateTest": 2}
    assert "PublicTest_sad_im0" in dataset.samples.ids
    assert "6 images have no official names" in dataset.notes[0]


def test_contempt_and_stray_files_are_left_out(tmp_path):
    write(tmp_path, "train/happy/Training_1.png", picture())
    write(tmp_path, "train/contempt/Training_2.png", picture())
    write(tmp_path, "train/happy/more/Training_3.png", picture())
    write(tmp_path, "test/PrivateTest_4.png", picture())
    reasons = {rejected.where: rejected.reason for rejected in read_fer2013(tmp_path).rejected}
    assert reasons == {
        "train/contempt/Training_2.png": "unknown class folder contempt",
        "train/happy/more": "folder inside a class folder",
        "test/PrivateTest_4.png": "not in a class folder",
    }


def test_rejected_files_have_a_reason(tmp_path):
    write(tmp_path, "fer2013/train/happy/Training_1.png", picture())
    write(tmp_path, "fer2013/train/happy/Training_2.png", picture(size=40))
    write(tmp_path, "fer2013/train/bored/Training_3.png", picture())
    write(tmp_path, "fer2013/train/happy/PublicTest_4.png", picture())
    write(tmp_path, "fer2013/test/happy/Training_5.png", picture())
    write(tmp_path, "fer2013/train/sad/Training_1.png", picture())
    (tmp_path / "fer2013/train/happy/Training_6.png").write_text("<html>")
    dataset = read_fer2013(tmp_path)
    assert dataset.samples.ids.tolist() == ["Training_1"]
    assert Counter(rejected.reason for rejected in dataset.rejected) == {
        "name does not fit the folder": 2,
        "size is not 48x48": 1,
        "unknown class folder bored": 1,
        "name occurs twice": 1,
        "unreadable image": 1,
    }


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (csv_row(7, "Training", picture()), "unknown emotion label"),
        (csv_row("x", "Training", picture()), "unknown emotion label"),
        (csv_row(3, "Train", picture()), "unknown usage"),
        ("3,1 2 3,Training", "size is not 48x48"),
        ("3,1 two 3,Training", "pixels are not numbers"),
        (csv_row(3, "Training", picture().astype(int) + 200), "pixels outside 0-255"),
        (f"3,1 {10**30} 3,Training", "pixels outside 0-255"),
        ("3", "unknown usage"),
    ],
    ids=["label 7", "label x", "usage", "size", "text", "range", "huge number", "short row"],
)
def test_malformed_rows_are_counted_never_guessed(tmp_path, row, reason):
    (tmp_path / "fer2013.csv").write_text("\n".join(["emotion,pixels,Usage", csv_row(0, "Training", picture()), row]))
    dataset = read_fer2013(tmp_path)
    assert len(dataset.samples) == 1
    assert [(r.where, r.reason) for r in dataset.rejected] == [("row 1", reason)]


def test_a_field_without_an_end_is_named_with_its_line(tmp_path):
    endless = '3,"' + "1 " * (1 << 20)
    (tmp_path / "fer2013.csv").write_text("\n".join(["emotion,pixels,Usage", endless]))
    with pytest.raises(DatasetError, match=r"fer2013\.csv is not CSV after line 1 .*field limit.*expected DIR"):
        read_fer2013(tmp_path)


@pytest.mark.parametrize("content", [None, "a,b\n1,2\n", "emotion,pixels,Usage\n"], ids=["absent", "columns", "empty"])
def test_no_samples_say_what_was_expected(tmp_path, content):
    if content is not None:
        (tmp_path / "fer2013.csv").write_text(content)
    with pytest.raises(DatasetError, match="expected DIR/fer2013/train"):
        read_fer2013(tmp_path)


def test_mutated_tables_are_read_or_rejected_with_a_reason(tmp_path):
    rng = np.random.default_rng(0)
    rows = ["emotion,pixels,Usage", *(csv_row(n, "Training", picture(n)) for n in range(3))]
    outcomes = Counter()
    for _ in range(60):
        (tmp_path / "fer2013.csv").write_bytes(mutate("\n".join(rows).encode(), rng))
        try:
            outcomes[len(read_fer2013(tmp_path).samples)] += 1
        except DatasetError as error:
            outcomes[type(error)] += 1
    assert set(outcomes) <= {0, 1, 2, 3, 4, 5, 6, DatasetError}
    assert len(outcomes) > 1
