from __future__ import annotations

import struct

import numpy as np
import pytest

from corpus.errors import ModelError
from rag.zero_points import Q4_1, Tensor, read_header, restore, zero_points

ROWS, COLUMNS = 4, 64
RNG = np.random.default_rng(7)


def string(text):
    return struct.pack("<Q", len(text)) + text.encode()


def gguf_bytes(blocks):
    """A GGUF file with one Q4_1 tensor, and metadata of each shape that a reader must skip."""
    pairs = [
        string("name") + struct.pack("<I", 8) + string("tiny"),
        string("count") + struct.pack("<II", 4, 7),
        string("words") + struct.pack("<IIQ", 9, 8, 2) + string("a") + string("b"),
    ]
    tensor = string("w") + struct.pack("<IQQIQ", 2, COLUMNS, ROWS, Q4_1, 0)
    head = struct.pack("<4sIQQ", b"GGUF", 3, 1, len(pairs)) + b"".join(pairs) + tensor
    return head + bytes(-len(head) % 32) + blocks.tobytes()


@pytest.fixture
def weights():
    """Random Q4_1 blocks, and the scales, minima and 4-bit values that they hold."""
    shape = (ROWS, COLUMNS // 32)
    scales = RNG.uniform(0.01, 0.1, shape).astype(np.float16)
    minima = RNG.uniform(-0.9, -0.1, shape).astype(np.float16)
    nibbles = RNG.integers(0, 16, (*shape, 32), dtype=np.uint8)
    heads = np.stack([scales, minima], -1).view(np.uint8).reshape(*shape, 4)
    packed = nibbles[..., :16] | nibbles[..., 16:] << 4
    return np.concatenate([heads, packed], -1).reshape(ROWS, -1), scales, minima, nibbles


def rounded_model(scales, minima, nibbles):
    """The graph that OpenVINO's reader makes of these weights, rows in reverse order."""
    import openvino
    from openvino import opset13 as ops

    points = np.clip(np.rint(-minima.astype(np.float32) / scales), 0, 15).astype(np.uint8)

    def packed(values):
        flat = values[::-1].reshape(-1)
        tensor = openvino.Tensor(flat[::2] | flat[1::2] << 4, values.shape, openvino.Type.u4)
        return ops.convert(ops.constant(tensor), "f16")

    difference = ops.subtract(packed(nibbles), packed(points[..., None]))
    product = ops.multiply(difference, ops.constant(scales[::-1, :, None].copy()))
    row = ops.reshape(product, [ROWS, COLUMNS], special_zero=False)
    given = ops.parameter([1, COLUMNS], np.float32)
    return openvino.Model([ops.matmul(given, ops.convert(row, "f32"), False, True)], [given])


def test_restored_weights_are_those_of_the_gguf(tmp_path, weights):
    import openvino

    blocks, scales, minima, nibbles = weights
    (tmp_path / "w.gguf").write_bytes(gguf_bytes(blocks))
    openvino.save_model(
        rounded_model(scales, minima, nibbles), tmp_path / "r.xml", compress_to_fp16=False
    )
    assert restore(tmp_path / "r.xml", tmp_path / "w.gguf", tmp_path / "e.xml") == 1

    exact = scales[..., None].astype(np.float32) * nibbles + minima[..., None]
    exact = exact.reshape(ROWS, COLUMNS)[::-1]
    given = np.ones((1, COLUMNS), np.float32)
    wrong, mended = (
        openvino.Core().compile_model(tmp_path / name, "CPU")([given])[0][0]
        for name in ("r.xml", "e.xml")
    )
    assert np.allclose(mended, exact.sum(1), atol=0.05)
    assert not np.allclose(wrong, exact.sum(1), atol=0.05)


def test_a_conversion_of_another_file_is_refused(tmp_path, weights):
    import openvino

    blocks, scales, minima, nibbles = weights
    (tmp_path / "w.gguf").write_bytes(gguf_bytes(blocks))
    other = rounded_model(scales * np.float16(2), minima, nibbles)
    openvino.save_model(other, tmp_path / "r.xml", compress_to_fp16=False)
    with pytest.raises(ModelError, match="does not match"):
        restore(tmp_path / "r.xml", tmp_path / "w.gguf", tmp_path / "e.xml")
    assert not (tmp_path / "e.xml").exists()


def test_the_header_is_read_past_its_metadata(tmp_path, weights):
    (tmp_path / "w.gguf").write_bytes(gguf_bytes(weights[0]))
    tensors, start = read_header(tmp_path / "w.gguf")
    assert tensors == [Tensor("w", (COLUMNS, ROWS), Q4_1, 0)]
    assert (tmp_path / "w.gguf").read_bytes()[start:] == weights[0].tobytes()


def test_a_file_of_another_format_is_refused(tmp_path):
    (tmp_path / "x.gguf").write_bytes(b"PK" + bytes(30))
    with pytest.raises(ModelError, match="not a GGUF file"):
        read_header(tmp_path / "x.gguf")


def test_an_empty_block_has_no_division_by_zero():
    scales, points = zero_points(np.zeros((1, 20), np.uint8))
    assert scales.tolist() == [[0.0]]
    assert points.tolist() == [[0.0]]
