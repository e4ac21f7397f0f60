"""Puts back what OpenVINO's GGUF reader rounds away from 4-bit weights.

GGUF's Q4_1 stores a block of 32 weights as `w = d · q + m`, with q from 0 to 15 and d and m as
16-bit floats. OpenVINO writes it as `w = d · (q - z)`, and its reader rounds z = -m / d to a whole
number, which moves every weight by 0.25 d on average (measured on SmolLM2-135M): the model then
repeats itself and misspells names. Its graph accepts fractions for z, at the same size and speed,
and with them the model says the same as under transformers.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from corpus.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Q4_1 = 3
Q4_1_WEIGHTS, Q4_1_BYTES = 32, 20
ALIGNMENT = 32
STRING, ARRAY = 8, 9
# Bytes of GGUF's scalar types: u8 i8 u16 i16 u32 i32 f32 bool, and u64 i64 f64.
SCALAR_BYTES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}


@dataclass(frozen=True, slots=True)
class Tensor:
    """Where a tensor lies: `offset` in bytes from the start of the data, `shape` fastest first."""

    name: str
    shape: tuple[int, ...]
    kind: int
    offset: int


def restore(converted: Path, gguf: Path, saved: Path) -> int:
    """Write the model `converted` to `saved`, with the exact zero points of `gguf`.

    Returns how many weights (matrices) were mended. Raises ModelError when the two files don't
    belong together.
    """
    import openvino

    model = openvino.Core().read_model(converted)
    exact = _exact_rows(gguf)
    mended = 0
    for subtract, scales in _rounded(model):
        subtract.input(1).replace_source_output(_constant(scales, exact))
        mended += 1
    openvino.save_model(model, saved, compress_to_fp16=False)
    return mended


def zero_points(blocks: NDArray[np.uint8]) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
    """Scales d and zero points -m / d of Q4_1 `blocks`, given as rows of whole blocks.

    >>> import numpy as np
    >>> block = np.frombuffer(struct.pack("<ee16x", 0.5, -3.25), np.uint8).reshape(1, 20)
    >>> [array.tolist() for array in zero_points(block)]
    [[[0.5]], [[6.5]]]
    """
    import numpy as np

    heads = blocks.reshape(len(blocks), -1, Q4_1_BYTES)[:, :, :4].copy().view(np.float16)
    scales, minima = heads[:, :, 0], heads[:, :, 1].astype(np.float32)
    empty = scales == 0
    points = np.where(empty, 0, -minima / np.where(empty, 1, scales))
    return scales, points.astype(np.float16)


def _exact_rows(gguf: Path) -> dict[bytes, NDArray[np.float16]]:
    """Zero points of each row of each Q4_1 tensor, under the bytes of its scales.

    Rows are looked up by their scales because OpenVINO reorders those of queries and keys.
    """
    import numpy as np

    tensors, start = read_header(gguf)
    data = np.memmap(gguf, np.uint8, "r")
    rows: dict[bytes, NDArray[np.float16]] = {}
    for tensor in tensors:
        if tensor.kind == Q4_1:
            width = tensor.shape[0] // Q4_1_WEIGHTS * Q4_1_BYTES
            first = start + tensor.offset
            blocks = data[first : first + width * tensor.shape[1]].reshape(-1, width)
            scales, points = zero_points(blocks)
            rows.update(zip((row.tobytes() for row in scales), points, strict=True))
    return rows


def read_header(gguf: Path) -> tuple[list[Tensor], int]:
    """The tensors of a GGUF file (version 2 or 3), and where in it their data start, in bytes.

    Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
    """
    with gguf.open("rb") as file:
        magic, _, tensors, pairs = struct.unpack("<4sIQQ", file.read(24))
        if magic != b"GGUF":
            raise ModelError(f"{gguf.name} is not a GGUF file.")
        for _ in range(pairs):
            _string(file)
            _skip(file, _number(file, "<I"))
        found = [_tensor(file) for _ in range(tensors)]
        return found, -(-file.tell() // ALIGNMENT) * ALIGNMENT


def _tensor(file: BinaryIO) -> Tensor:
    name = _string(file)
    shape = tuple(_number(file, "<Q") for _ in range(_number(file, "<I")))
    return Tensor(name, shape, kind=_number(file, "<I"), offset=_number(file, "<Q"))


def _skip(file: BinaryIO, kind: int) -> None:
    if kind == STRING:
        _string(file)
    elif kind == ARRAY:
        element = _number(file, "<I")
        for _ in range(_number(file, "<Q")):
            _skip(file, element)
    else:
        file.seek(SCALAR_BYTES[kind], 1)


def _string(file: BinaryIO) -> str:
    return file.read(_number(file, "<Q")).decode("utf-8", "replace")


def _number(file: BinaryIO, form: str) -> int:
    return int(struct.unpack(form, file.read(struct.calcsize(form)))[0])


def _rounded(model: Any) -> Iterator[tuple[Any, NDArray[np.float16]]]:
    """Each `q - z` of `model` whose z are 4-bit whole numbers, with the scales d behind it."""
    for node in model.get_ordered_ops():
        if node.get_type_name() != "Subtract":
            continue
        point = _source(node, 1)
        if point is None or point.get_element_type().get_type_name() != "u4":
            continue
        (reader,) = node.output(0).get_target_inputs()
        yield node, _source(reader.get_node(), 1).data[:, :, 0]


def _source(node: Any, port: int) -> Any:
    """The constant that enters `node` at `port`, behind conversions of type; else `None`."""
    source = node.input_value(port).get_node()
    while source.get_type_name() == "Convert":
        source = source.input_value(0).get_node()
    return source if source.get_type_name() == "Constant" else None


def _constant(scales: NDArray[np.float16], exact: dict[bytes, NDArray[np.float16]]) -> Any:
    import numpy as np
    from openvino import opset13

    try:
        points = np.stack([exact[row.tobytes()] for row in scales])
    except KeyError as error:
        raise ModelError("OpenVINO's conversion does not match the GGUF file.") from error
    return opset13.constant(points[:, :, None]).output(0)
