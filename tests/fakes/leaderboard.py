"""Cards of made-up networks, ours and baselines, for tests of everything that compares them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from core.evaluation.latency import NetworkSpeed, save_speed
from core.tasks import TASKS
from tests.fakes.evaluation import card_dict

PRINTS = {"private": "aaaa", "public": "bbbb", "test": "cccc", "validation": "dddd", "five_private": "eeee"}
RECIPE = "the authors'"
ACCURACIES = {"emotion": 0.68, "four_conv": 0.61, "five_emotions": 0.72}


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


def write_peer(
    root: Path, name: str, title: str, task: str, metrics: dict[str, dict[str, float]], seen: str = ""
) -> Path:
    """The network of a package: a card that names it, a stored time, and no file."""
    files = {"model.bin": {"bytes": 400_000, "sha256": "a" * 64}}
    package = {"name": title.split()[0], "version": "1.0", "registry": "npm", "input": "64x64 grey"}
    package |= {"seen": seen, "files": files}
    return write_network(
        root, name, task, metrics, included=False, ms=4.0, title=title, package=package, training={}, not_included={}
    )


def write_networks(root: Path) -> Path:
    """Our two and four baselines, one of which has no served file and two of which were not timed."""
    people = {
        "age_gender": figures(age_mae=4.7, gender_accuracy=0.94),
        "vgg16_age": figures(age_mae=6.0, gender_accuracy=0.9),
        "levi_hassner": figures(age_mae=7.0, gender_accuracy=0.88, age_group_accuracy=0.55),
    }
    emotions = {name: (figures(accuracy=test), figures(accuracy=test - 0.01)) for name, test in ACCURACIES.items()}

    def write(name: str, task: str, *results: tuple[str, ...], **options: Any) -> None:
        figures_of_splits = emotions.get(name) or (people[name], people[name])
        metrics = {split.name: values for split, values in zip(TASKS[task].splits, figures_of_splits, strict=True)}
        if results:
            claims = [reported_result(output, "accuracy", *texts) for output, *texts in results]
            options |= {"claims": claims, "recipe": RECIPE, "recipe_epochs": 30}
        write_network(root, name, task, metrics, **options)

    write("emotion", "emotion", ms=1.0)
    write("age_gender", "age_gender", ms=2.0)
    write("four_conv", "emotion", ("emotion", "61.6 % on validation"), ("emotion", "85 %, elsewhere"), ms=0.5)
    write("five_emotions", "emotion_five", ("emotion", "66 % on five classes"))
    write("vgg16_age", "age_gender", ("age", "64 %", "a report without a name"), included=False)
    groups, genders = ("age_group", "50.7 % on Adience"), ("gender", "86.8 % on Adience")
    write("levi_hassner", "age_group_gender", groups, genders, ms=3.0)
    return root
