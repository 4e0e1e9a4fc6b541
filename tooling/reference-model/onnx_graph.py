"""Writes ONNX files (operator set 17), without a library."""

from __future__ import annotations

import os

import numpy as np

FLOAT, INT64 = 1, 7
DATA_TYPES = {
    np.dtype(np.float32): FLOAT,
    np.dtype(np.uint8): 2,
    np.dtype(np.int8): 3,
    np.dtype(np.int64): INT64,
    np.dtype(np.float16): 10,
}
OPERATOR_SET = 17

Value = tuple[str, int, list[int | str]]
"""Name, data type, and dimensions: numbers, or names for those that vary."""


class Graph:
    """Collects constants and nodes; what `const` and `op` return is the name of a value."""

    def __init__(self) -> None:
        self._nodes: list[bytes] = []
        self._constants: list[bytes] = []
        self._count = 0

    def const(self, values: np.ndarray) -> str:
        values = np.ascontiguousarray(values)  # a scalar becomes a list of one
        self._count += 1
        name = f"c{self._count}"
        shape = b"".join(_integer(1, length) for length in values.shape)
        self._constants.append(
            shape + _integer(2, DATA_TYPES[values.dtype]) + _bytes(8, name) + _bytes(9, values.tobytes())
        )
        return name

    def op(self, kind: str, inputs: list[str], output: str | None = None, **attributes: int | list[int]) -> str:
        return self.op_with_outputs(kind, inputs, 1 if output is None else [output], **attributes)[0]

    def op_with_outputs(
        self, kind: str, inputs: list[str], outputs: int | list[str], **attributes: int | list[int]
    ) -> list[str]:
        """`outputs`: their names, or how many there are."""
        self._count += 1
        names = outputs if isinstance(outputs, list) else [f"t{self._count}_{index}" for index in range(outputs)]
        node = b"".join(_bytes(1, name) for name in inputs) + b"".join(_bytes(2, name) for name in names)
        node += _bytes(3, f"n{self._count}") + _bytes(4, kind)
        node += b"".join(_bytes(5, _attribute(name, value)) for name, value in attributes.items())
        self._nodes.append(node)
        return names

    def save(self, path: str, inputs: list[Value], outputs: list[Value]) -> int:
        """Returns the size of the file in bytes."""
        graph = b"".join(_bytes(1, node) for node in self._nodes) + _bytes(2, "refmodel")
        graph += b"".join(_bytes(5, constant) for constant in self._constants)
        graph += b"".join(_bytes(11, _value_info(*value)) for value in inputs)
        graph += b"".join(_bytes(12, _value_info(*value)) for value in outputs)
        operators = _bytes(1, "") + _integer(2, OPERATOR_SET)
        with open(path, "wb") as file:
            file.write(_integer(1, 8) + _bytes(2, "export.py") + _bytes(7, graph) + _bytes(8, operators))
        return os.path.getsize(path)


def _value_info(name: str, kind: int, shape: list[int | str]) -> bytes:
    dimensions = b"".join(
        _bytes(1, _integer(1, length) if isinstance(length, int) else _bytes(2, length)) for length in shape
    )
    return _bytes(1, name) + _bytes(2, _bytes(1, _integer(1, kind) + _bytes(2, dimensions)))


def _attribute(name: str, value: int | list[int]) -> bytes:
    if isinstance(value, list):
        return _bytes(1, name) + b"".join(_integer(8, item) for item in value) + _integer(20, 7)
    return _bytes(1, name) + _integer(3, value) + _integer(20, 2)


def _integer(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes | str) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while True:
        low = value & 127
        value >>= 7
        out.append(low | (128 if value else 0))
        if not value:
            return bytes(out)
