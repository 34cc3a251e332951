"""Graphs as TensorFlow.js stores them."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def node(
    name: str,
    op: str,
    *inputs: str,
    fused: Sequence[str] = (),
    strides: Sequence[int] = (),
    ksize: Sequence[int] = (),
) -> dict[str, Any]:
    """A node with the padding "SAME"."""
    lists: dict[str, Any] = {
        "strides": {"i": [str(value) for value in strides]},
        "ksize": {"i": [str(value) for value in ksize]},
    }
    lists["fused_ops"] = {"s": [_encode(name) for name in fused]}
    attributes = {key: {"list": values} for key, values in lists.items()} | {"padding": {"s": _encode("SAME")}}
    return {"name": name, "op": op, "input": list(inputs), "attr": attributes}


def graph(nodes: list[dict[str, Any]], **arrays: NDArray[Any]) -> tuple[bytes, bytes]:
    """The JSON and the weights of a graph with the input ``images`` and the constants ``arrays``."""
    entries = [{"name": name, "shape": array.shape, "dtype": str(array.dtype)} for name, array in arrays.items()]
    constants = [node(name, "Const") for name in arrays]
    content = b"".join(array.tobytes() for array in arrays.values())
    model = {"modelTopology": {"node": [node("images", "Placeholder"), *constants, *nodes]}}
    return json.dumps(model | {"weightsManifest": [{"weights": entries}]}).encode(), content
