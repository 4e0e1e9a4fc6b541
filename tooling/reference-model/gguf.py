"""Writes GGUF files (version 3), without a library."""

from __future__ import annotations

import os
import struct
from typing import Any

import numpy as np

U32, I32, F32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
TENSOR_F32, TENSOR_F16, TENSOR_Q8_0 = 0, 1, 8
ALIGNMENT = 32

Metadata = tuple[str, int | list[int], Any]
"""Key, type and value; the type of a list is the type of its items in a list."""

Tensor = tuple[str, np.ndarray, int]
"""Name, values [rows, columns] or [columns], and one of the TENSOR types. For Q8_0 columns are a multiple of 32."""


def write_gguf(path: str, metadata: list[Metadata], tensors: list[Tensor]) -> int:
    """Returns the size of the file in bytes."""
    directory, blobs, offset = b"", [], 0
    for name, values, kind in tensors:
        blob = _padded(_tensor_bytes(values, kind))
        shape = b"".join(struct.pack("<Q", length) for length in values.shape[::-1])  # fastest dimension first
        directory += _string(name) + struct.pack("<I", values.ndim) + shape + struct.pack("<IQ", kind, offset)
        blobs.append(blob)
        offset += len(blob)
    header = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata))
    header += b"".join(_entry(*entry) for entry in metadata) + directory
    with open(path, "wb") as file:
        file.write(_padded(header) + b"".join(blobs))
    return os.path.getsize(path)


def quantise_q8_0(values: np.ndarray) -> bytes:
    """Blocks of 32 values: a float16 scale and 32 int8. Rounds half away from zero, as llama.cpp does."""
    blocks = values.reshape(-1, 32).astype(np.float32)
    scale = np.abs(blocks).max(1) / 127.0
    inverse = np.where(scale > 0, 1.0 / np.where(scale > 0, scale, 1), 0)
    scaled = blocks * inverse[:, None]
    rounded = (np.sign(scaled) * np.floor(np.abs(scaled) + 0.5)).astype(np.int8)
    out = np.empty((blocks.shape[0], 34), np.uint8)
    out[:, :2] = scale.astype(np.float16).view(np.uint8).reshape(-1, 2)
    out[:, 2:] = rounded.view(np.uint8)
    return out.tobytes()


def _tensor_bytes(values: np.ndarray, kind: int) -> bytes:
    if kind == TENSOR_Q8_0:
        return quantise_q8_0(values)
    return values.astype(np.float32 if kind == TENSOR_F32 else np.float16).tobytes()


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % ALIGNMENT)


def _entry(key: str, kind: int | list[int], value: Any) -> bytes:
    if isinstance(kind, list):
        items = b"".join(_value(kind[0], item) for item in value)
        return _string(key) + struct.pack("<IIQ", ARRAY, kind[0], len(value)) + items
    return _string(key) + struct.pack("<I", kind) + _value(kind, value)


def _value(kind: int, value: Any) -> bytes:
    if kind == STRING:
        return _string(value)
    return struct.pack({U32: "<I", I32: "<i", F32: "<f", BOOL: "<?"}[kind], value)


def _string(text: str) -> bytes:
    data = text.encode("utf-8")
    return struct.pack("<Q", len(data)) + data
