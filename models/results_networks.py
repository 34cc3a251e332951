"""The README's table of results of all networks: ours and the rebuilt ones, measured beside claimed."""

from __future__ import annotations

import math

from core.errors import ArtifactError
from core.evaluation.leaderboard import Group, Leaderboard, Row
from core.evaluation.leaderboard_tables import format_reported
from models.markdown import percent, table, years

NETWORKS_MARKERS = (
    "<!-- networks: written by `make readme` from the model cards and stored times -->",
    "<!-- end of networks -->",
)
_HEADER = ("Network", "Measured", "Claimed", "Parameters", "ms", "Epochs")


def render_networks(board: Leaderboard) -> str:
    """The Markdown between the markers: a table for each kind of figure. Raises ``ArtifactError`` if a card or a time
    cannot be read, because a table without it would look complete."""
    if board.problems:
        raise ArtifactError(f"the table of networks would not be complete: {board.problems[0]}")
    parts = [_introduction(board), *(_group(group) for group in board.groups), _sources(board)]
    return "\n\n".join(part for part in parts if part)


def _introduction(board: Leaderboard) -> str:
    text = (
        "All networks of a table learnt from the same images and were measured on the same ones, one answer an image; "
        "in brackets the 95 % interval. Only figures of one table can be compared. Claimed is what others state, "
        "mostly on other images. Epochs are those that were run, of those that the recipe asks for. Ours are in bold; "
        "networks whose model file has to be made first have a star, and the page lists the commands that make it. "
        "All rebuilt networks start from random weights, and those that were made for large crops see smaller ones "
        "here, as their cards say."
    )
    if not board.cpus:
        return text
    timed = ", ".join(board.cpus)
    return f"{text} ms: one face on one thread of {timed}" + ("." if len(board.cpus) == 1 else ", not comparable.")


def _group(group: Group) -> str:
    rows = [_cells(group, row) for row in group.rows]
    title = f"{group.title}, {group.test_split.title} ({group.images} images):"
    return f"{title}\n\n{table(_HEADER, rows)}"


def _cells(group: Group, row: Row) -> tuple[str, ...]:
    one = row.network
    name = f"{one.name}{'' if one.is_included else ' *'}".replace("*", "\\*")
    return (
        f"**{name}**" if one.is_own else name,
        _measured(group, row),
        format_reported(row) or "–",
        f"{one.card.parameters:,}",
        "–" if math.isnan(one.ms_per_face) else f"{one.ms_per_face:.2f}",
        one.epochs,
    )


def _measured(group: Group, row: Row) -> str:
    if math.isnan(row.test.value):
        return "not measured"
    text = percent(row.test) if group.measure.unit == "%" else years(row.test)
    return f"{text}, {row.note}" if row.note else text


def _sources(board: Leaderboard) -> str:
    """Who claims what: too long for the table."""
    sources: dict[str, list[str]] = {}
    for group in board.groups:
        for row in group.rows:
            for claim in row.reported:
                names = sources.setdefault(claim.source, [])
                if row.network.name not in names:
                    names.append(row.network.name)
    if not sources:
        return ""
    return "Claims are from: " + "; ".join(f"{source} ({', '.join(names)})" for source, names in sources.items()) + "."
