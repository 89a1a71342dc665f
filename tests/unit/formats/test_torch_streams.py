"""What is said of a stream of pickles and storages that does not hold together."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from modelshelf.errors import InvalidCheckpointError
from modelshelf.formats import read_checkpoint
from modelshelf.testing.tiny import torch_pickle
from tests.fault.hostile_archives import PAYLOAD

MAGIC = torch_pickle(0x1950A86A20F9469CFC6C)
FACTS = torch_pickle({"little_endian": True})
BODY = torch_pickle(PAYLOAD, legacy=True)
V, W = struct.pack("<q", 4) + bytes(8), struct.pack("<q", 6) + bytes(24)


def stream(keys: object, *storages: bytes, version: int = 1001) -> bytes:
    """A checkpoint as torch wrote it before 1.6, of two tensors."""
    return b"".join((MAGIC, torch_pickle(version), FACTS, BODY, torch_pickle(keys), *storages))


def test_a_sound_stream_is_read(tmp_path: Path) -> None:
    """Storages lie in the order of their keys."""
    path = tmp_path / "model.pt"
    path.write_bytes(stream(["v", "w"], V, W))
    index = read_checkpoint(path)
    assert index.shapes == {"w": (2, 3), "v": (4,)}
    size = path.stat().st_size
    assert (index.tensors["w"].end, index.tensors["v"].end) == (size, size - len(W))


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (stream(["v", "w"], V, W, version=1002), "expected version 1001, got another"),
        (stream("vw", V, W), "expected a list of the storages' keys"),
        (stream(["v", "x"], V, W), "expected storages that tensors lie in, each once, got 'x'"),
        (stream(["v", 1], V, W), "expected storages that tensors lie in, each once, got 1"),
        (stream([["v"], "w"], V, W), "expected storages that tensors lie in, each once, got ['v']"),
        (stream(["v", "w", "v"], V, W, V), "expected storages that tensors lie in, each once"),
        (stream(["v", "w"], V, struct.pack("<q", -1) + bytes(99)), "does not fit into the file"),
        (stream(["v", "w"], struct.pack("<q", -(2**40)), W), "does not fit into the file"),
        (stream(["v", "w"], struct.pack("<q", 2**62), W), "does not fit into the file"),
        (stream(["v", "w"], V, W[:-1]), "does not fit into the file"),
        (stream(["v"], V), "storage 'w', which the file lacks"),
        (stream(["v", "w"], V, struct.pack("<q", 5) + bytes(20)), "24 bytes"),
    ],
)
def test_each_fault_is_told_by_itself(tmp_path: Path, raw: bytes, words: str) -> None:
    """All else in the stream is as it should be."""
    path = tmp_path / "model.pt"
    path.write_bytes(raw)
    with pytest.raises(InvalidCheckpointError) as caught:
        read_checkpoint(path)
    assert words in caught.value.problem


@pytest.mark.parametrize(
    "fact", [b"K\x07", b"N", b"X\1\0\0\0a", b")", b"K\x07K\x07\x86", b"K\1K\1K\1\x87"]
)
def test_what_names_no_storage_is_left_alone(tmp_path: Path, fact: bytes) -> None:
    """What lies outside of a pickle may be anything, for other programs than torch."""
    path = tmp_path / "model.pt"
    body = b"\x80\x02" + fact + b"Q0" + BODY[2:]
    path.write_bytes(
        b"".join((MAGIC, torch_pickle(1001), FACTS, body, torch_pickle(["v", "w"]), V, W))
    )
    assert read_checkpoint(path).shapes == {"w": (2, 3), "v": (4,)}
