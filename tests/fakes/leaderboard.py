"""Cards of made-up networks, ours and baselines, for tests of everything that compares them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from core.artifacts.model_card import ARTIFACTS_DIR
from core.evaluation.latency import NetworkSpeed, save_speed
from tests.fakes.evaluation import card_dict

PRINTS = {"private": "aaaa", "public": "bbbb", "test": "cccc", "validation": "dddd", "five_private": "eeee"}
RECIPE = "the authors'"


def reported_result(output: str, measure: str, text: str, source: str = "Somebody 2015") -> dict[str, Any]:
    return {"output": output, "measure": measure, "text": text, "low": 0.5, "high": 0.5, "source": source}


def figures(n: int = 100, **values: float) -> dict[str, float]:
    """Each with an interval of 0.02 around it."""
    found: dict[str, float] = {"n": n}
    for name, value in values.items():
        found |= {name: value, f"{name}_low": value - 0.01, f"{name}_high": value + 0.01}
    return found


def write_network(
    root: Path,
    name: str,
    task: str,
    metrics: dict[str, dict[str, float]],
    *,
    ms: float | None = None,
    included: bool = True,
    machine: str = "Test CPU",
    **changes: Any,
) -> Path:
    """A card, a stored time if ``ms`` is given, and a file in place of the served model if it is ``included``."""
    folder = root / name
    folder.mkdir(parents=True)
    listed = {"model.tflite": {"bytes": 2_500_000 if included else 78_000_000, "sha256": ""}}
    card = card_dict(
        name,
        task,
        metrics=metrics,
        files=listed if included else {},
        not_included={} if included else listed,
        data={"fingerprints": PRINTS},
        training={"rounds": [{"config": {}, "epochs_run": 12, "duration_s": 60.0}]},
    )
    (folder / "card.json").write_text(json.dumps(card | changes), encoding="utf-8")
    if included:
        (folder / "model.tflite").write_bytes(b"no network")
    if ms is not None:
        save_speed(folder, NetworkSpeed(ms, 10, 5, machine, "2026-01-31"))
    return folder


def write_networks(root: Path) -> Path:
    """Our two and four baselines, one of which has no served file and two of which were not timed."""
    baseline = {"recipe": RECIPE, "recipe_epochs": 30}
    both = {"private": figures(accuracy=0.68), "public": figures(accuracy=0.67)}
    write_network(root, "emotion", "emotion", both, ms=1.0)
    ages = figures(age_mae=4.7, gender_accuracy=0.94)
    write_network(root, "age_gender", "age_gender", {"test": ages, "validation": ages}, ms=2.0)
    write_network(
        root,
        "four_conv",
        "emotion",
        {"private": figures(accuracy=0.61), "public": figures(accuracy=0.6)},
        ms=0.5,
        claims=[
            reported_result("emotion", "accuracy", "61.6 % on validation"),
            reported_result("emotion", "accuracy", "85 %, elsewhere"),
        ],
        **baseline,
    )
    write_network(
        root,
        "five_emotions",
        "emotion_five",
        {"five_private": figures(accuracy=0.72), "five_public": figures(accuracy=0.71)},
        claims=[reported_result("emotion", "accuracy", "66 % on five classes")],
        **baseline,
    )
    old = figures(age_mae=6.0, gender_accuracy=0.9)
    write_network(
        root,
        "vgg16_age",
        "age_gender",
        {"test": old, "validation": old},
        included=False,
        claims=[reported_result("age", "accuracy", "64 %", "a report without a name")],
        **baseline,
    )
    groups = figures(age_mae=7.0, gender_accuracy=0.88, age_group_accuracy=0.55)
    write_network(
        root,
        "levi_hassner",
        "age_group_gender",
        {"test": groups, "validation": groups},
        ms=3.0,
        claims=[
            reported_result("age_group", "accuracy", "50.7 % on Adience"),
            reported_result("gender", "accuracy", "86.8 % on Adience"),
        ],
        **baseline,
    )
    return root


def copy_real_network(root: Path, name: str = "emotion") -> Path:
    """Card and served file of an installed network, to be run and written to."""
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    for file in ("card.json", "model.tflite"):
        (folder / file).write_bytes((ARTIFACTS_DIR / name / file).read_bytes())
    return folder
