import json
import shutil

import pandas as pd
import pytest

from core.artifacts.model_card import ARTIFACTS_DIR, CARD_FILE
from core.errors import ArtifactError, ArtifactMissingError, ConfigError
from models.results import BEGIN, END, main, render, replace_between_markers, to_markdown


def test_the_documents_show_what_the_artifacts_give():
    assert main(["--check"]) == 0, "run `make results`"


def test_table_has_display_names_units_and_intervals():
    table = pd.DataFrame(
        {
            "model": ["a"],
            "recall": [0.5],
            "recall_low": [0.4],
            "recall_high": [0.6],
            "age_mae": [4.567],
            "age_bias": [1.0],
            "ece": [0.0271],
            "people": [1234],
            "nme": [float("nan")],
        }
    )
    header, _, row = to_markdown(table).splitlines()
    assert header == "| Model | Recall | Age MAE (years) | Age bias (years) | " + header.split(" | ", 4)[-1]
    assert row == "| a | 50.0% (40.0% to 60.0%) | 4.57 | +1.00 | 0.027 | 1,234 | – |"


def test_only_text_between_the_markers_changes():
    assert replace_between_markers(f"a\n{BEGIN}\nold\n{END}\nb", "new") == f"a\n{BEGIN}\n\nnew\n\n{END}\nb"
    for text in ("nothing", f"a\n{BEGIN}\nold"):
        with pytest.raises(ConfigError, match="lacks"):
            replace_between_markers(text, "new")


@pytest.mark.parametrize(
    ("name", "key", "error", "words"),
    [
        ("age_gender", "framing", ArtifactMissingError, "python -m models alignment"),
        ("age_gender", "several_views", ArtifactMissingError, "python -m models evaluate age_gender --views 8 --store"),
        ("four_conv", "task", ArtifactError, "not be complete"),
    ],
)
def test_incomplete_cards_are_refused(tmp_path, name, key, error, words):
    for folder in ARTIFACTS_DIR.iterdir():
        if folder.is_dir():
            shutil.copytree(folder, tmp_path / folder.name, ignore=shutil.ignore_patterns("model.keras"))
    file = tmp_path / name / CARD_FILE
    card = json.loads(file.read_text())
    del card[key]
    file.write_text(json.dumps(card))
    with pytest.raises(error, match=words):
        render(tmp_path)
