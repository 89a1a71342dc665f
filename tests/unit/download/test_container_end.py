from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.download.container_end import is_cut_short


def cut(content: bytes, size: int | None = None) -> bool:
    """Ask about the first *size* bytes of *content*."""
    kept = content[:size]
    return is_cut_short(lambda at, count: kept[at : at + count], len(kept))


def safetensors(header: bytes, data: bytes) -> bytes:
    return len(header).to_bytes(8, "little") + header + data


WHOLE = safetensors(
    b'{"__metadata__":{"a":"b"},"w":{"dtype":"U8","shape":[5],"data_offsets":[0,5]},'
    b'"v":{"dtype":"U8","shape":[7],"data_offsets":[5,12]}}',
    bytes(12),
)


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as writing:
        writing.writestr("archive/data.pkl", bytes(1000))
        writing.comment = b"a comment"
    return file.getvalue()


def test_a_whole_safetensors_file_is_whole() -> None:
    assert not cut(WHOLE)


@pytest.mark.parametrize("size", [9, 50, len(WHOLE) - 12, len(WHOLE) - 1])
def test_a_safetensors_file_misses_its_last_tensor(size: int) -> None:
    assert cut(WHOLE, size)


def test_a_whole_archive_is_whole() -> None:
    assert not cut(archive())


def test_an_archive_misses_its_directory() -> None:
    assert cut(archive(), 900)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GGUF",
        b"just a text",
        safetensors(b"{not json}", b""),
        safetensors(b"{" * 100_000, b""),
        safetensors(b'{"w":{"data_offsets":[0]}}', b""),
        safetensors(b'{"w":{"data_offsets":[0,"5"]}}', b""),
        safetensors(b'{"w":7}', b""),
        (2**60).to_bytes(8, "little") + b"{",
    ],
)
def test_of_other_files_nothing_is_known(content: bytes) -> None:
    assert not cut(content)


@pytest.mark.property
@given(st.binary(max_size=300))
def test_whatever_stands_there_it_answers(content: bytes) -> None:
    assert cut(content) in {True, False}
