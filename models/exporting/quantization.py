"""LiteRT models whose convolutions and dense layers multiply in int8.

The ranges of what flows between the layers are found anew for each picture ("dynamic range"), so nothing has to be
calibrated and no sum is rounded. It takes a quarter of the bytes and, on a processor with int8 instructions, of the
time of float32; ``models/EXPERIMENTS.md`` has what fixed ranges cost.
"""

from __future__ import annotations

import re
from pathlib import Path

from ai_edge_quantizer import qtyping, quantizer
from ai_edge_quantizer.utils import tfl_flatbuffer_utils as flatbuffer

_OPERATIONS = (qtyping.TFLOperationName.CONV_2D, qtyping.TFLOperationName.FULLY_CONNECTED)


def to_int8(float32_file: Path, int8_file: Path) -> None:
    """Write ``float32_file`` with int8 convolutions, the first of each graph excepted, and dense layers to
    ``int8_file``.

    The first one reads the standardised picture: in int8 it costs 0.3 points of accuracy and gains no time, since it
    has few weights. Standardisation, sums, pooling and softmax stay float32, and so do all answers: the mean of 101 age
    probabilities in steps of 1/256 would be off by years.
    """
    converter = quantizer.Quantizer(str(float32_file))
    first = "|".join(re.escape(name) for name in _first_convolutions(float32_file))
    for operation in _OPERATIONS:
        converter.add_dynamic_config(regex=f"^(?!{first}).*" if first else ".*", operation_name=operation, num_bits=8)
    converter.quantize().export_model(str(int8_file), overwrite=True)


def _first_convolutions(file: Path) -> list[str]:
    """The scope by which the quantiser knows the first convolution of each graph."""
    model = flatbuffer.read_model(str(file))
    names = []
    for graph in model.subgraphs:
        for operator in graph.operators:
            code = model.operatorCodes[operator.opcodeIndex].builtinCode
            if flatbuffer.TFL_OP_CODE_TO_NAME.get(code) == qtyping.TFLOperationName.CONV_2D:
                names.append(flatbuffer.get_op_scope(operator, graph.tensors))
                break
    return names
