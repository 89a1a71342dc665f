from __future__ import annotations

import hashlib
import json
import os

import mmh3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.blobs.model_hashes import DataHasher, imohash
from tests.unit.blobs.test_hashing import Memory

MEGABYTE = 1024 * 1024

PUBLISHED = [
    (0, "00000000000000000000000000000000"),
    (1, "016ac6dd306a3e594e711127c5b5a8e4"),
    (127, "7f0e0eaa0a415e2878303214a087fbab"),
    (128, "80017902d85ab752459758292a217ed8"),
    (4095, "ff1fc7e3b9890469ee676df99f6ac7b7"),
    (4096, "80203d4ea589349dcdf63511a8d49d4a"),
    (131072, "808008ed886018d5cd37a9b35bbae286"),
    (500000, "a0c21ea46738cf366d496962000a45f7"),
]
"""Test vectors of imohash's specification, with its default sample size and threshold."""
OF_PACKAGE = [
    (1, "01659e2ec0f3c75bf39e43a41adb5d4f"),
    (127, "7f47671cc79d4374404b807249f3166e"),
    (128, "800183e5dbea2e5199ef7c8ea963a463"),
    (4095, "ff1f770d90d3773949d89880efa17e60"),
    (4096, "802048c26d66de432dbfc71afca6705d"),
    (131072, "8080085a3d3af2cb4b3a957811cdf370"),
    (500000, "a0c21e44a0ba3bddee802a9d1c5332ca"),
]
"""What the `imohash` package for Python expects of its own test messages."""


def message(size: int) -> bytes:
    """Make the specification's test message: murmur3 of `A`, `AA`, `AAA`, … one after another."""
    hasher, written = mmh3.mmh3_x64_128(), bytearray()
    while len(written) < size:
        hasher.update(b"A")
        digest = hasher.digest()
        written += digest[7::-1] + digest[:7:-1]
    return bytes(written[:size])


def message_of_package(size: int) -> bytes:
    """Make the package's test message, which is the same with MD5."""
    hasher, written = hashlib.md5(usedforsecurity=False), bytearray()
    while len(written) < size:
        hasher.update(b"A")
        written += hasher.digest()
    return bytes(written[:size])


def safetensors(data: bytes, **metadata: str) -> bytes:
    """Write one tensor of bytes in a file whose header can be longer or shorter."""
    entry = {"dtype": "U8", "shape": [len(data)], "data_offsets": [0, len(data)]}
    header = json.dumps({"__metadata__": metadata, "t": entry}).encode()
    return len(header).to_bytes(8, "little") + header + data


def data_sha256(content: bytes, size: int = MEGABYTE) -> str | None:
    """Feed a hasher in pieces."""
    hasher = DataHasher(len(content))
    for at in range(0, len(content), size):
        hasher.update(memoryview(content)[at : at + size])
    found = hasher.digest()
    return None if found is None else found.hexadecimal


def test_the_test_message_is_the_published_one() -> None:
    """Murmur3 is the one that the specification means."""
    assert message(16).hex() == "035fc2b79a29b17a387df29c46dd9937"
    assert message(1_000_000)[-16:].hex() == "7b7cd46489e93605eb7894c5d338463f"


@pytest.mark.parametrize(("size", "expected"), PUBLISHED)
def test_published_vectors_of_imohash(size: int, expected: str) -> None:
    """However little a read returns, the samples are what the specification expects."""
    content = message(size)
    assert imohash(Memory(content)) == expected
    assert imohash(Memory(content, piece=999)) == expected


@pytest.mark.parametrize(("size", "expected"), OF_PACKAGE)
def test_vectors_of_the_python_package(size: int, expected: str) -> None:
    """A second witness with other messages."""
    assert imohash(Memory(message_of_package(size))) == expected


@pytest.mark.parametrize("size", [0, 1, 5000, 3 * MEGABYTE])
@pytest.mark.parametrize("piece", [3, 9, 4096])
def test_autov3_is_over_the_tensors_alone(size: int, piece: int) -> None:
    """Metadata may be added and taken away without changing it."""
    data = os.urandom(size)
    expected = hashlib.sha256(data).hexdigest()
    plain, told = safetensors(data), safetensors(data, note="x" * 3000)
    assert data_sha256(plain) == data_sha256(told) == expected
    if size <= 5000:
        assert data_sha256(told, piece) == expected


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x01",
        (20).to_bytes(8, "little") + b"[1, 2]" + bytes(40),
        (2**63).to_bytes(8, "little") + b"{}" + bytes(40),
        (100).to_bytes(8, "little") + b"{" + bytes(20),
    ],
    ids=["empty", "short", "no object", "absurd length", "cut header"],
)
def test_what_is_no_safetensors_file_has_no_autov3(content: bytes) -> None:
    """The first nine bytes decide, and they must fit the size."""
    assert data_sha256(content) is None


@given(st.binary(max_size=300), st.integers(1, 40))
def test_chunks_do_not_matter(content: bytes, size: int) -> None:
    """However the bytes are cut, the hash is the same, whatever they are."""
    assert data_sha256(content, size) == data_sha256(content)
