"""Checkpoints as torch 0.1 wrote them: a tar archive, made without the code under test."""

from __future__ import annotations

import io
import struct
import tarfile
from collections.abc import Mapping
from math import prod
from pathlib import Path

from modelshelf.testing.tiny import Opcodes, torch_pickle


def write_tar(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> Path:
    """Write tensors of 32-bit numbers, each in a storage of its own; the n-th is full of the byte n."""
    storages, tensors = torch_pickle(len(shapes)), torch_pickle(len(shapes))
    payload = {}
    for number, (name, shape) in enumerate(shapes.items(), 1):
        count = prod(shape)
        storages += torch_pickle((100 + number, "cpu", Opcodes(b"ctorch\nFloatStorage\n")))
        storages += struct.pack("<q", count) + bytes((number,)) * 4 * count
        tensors += torch_pickle((200 + number, 100 + number, Opcodes(b"ctorch\nFloatTensor\n")))
        strides = tuple(prod(shape[place + 1 :]) for place in range(len(shape)))
        tensors += struct.pack(f"<ii{2 * len(shape) + 1}q", len(shape), 0, *shape, *strides, 0)
        payload[name] = Opcodes(b"X\3\0\0\0" + str(200 + number).encode() + b"Q")
    # Views of storages follow; there are none.
    storages += torch_pickle([])
    members = {
        "sys_info": torch_pickle({"protocol_version": 1000}),
        "pickle": torch_pickle(payload),
        "tensors": tensors,
        "storages": storages,
    }
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in members.items():
            facts = tarfile.TarInfo(name)
            facts.size = len(content)
            archive.addfile(facts, io.BytesIO(content))
    return path
