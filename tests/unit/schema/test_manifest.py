from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.schema.digest import Digest
from modelshelf.schema.manifest import canonical_member, part_digest
from modelshelf.schema.member import MemberPath

_SOME = Digest.blake3(bytes(32))
_OTHER = Digest.blake3(bytes(31) + b"\1")


def test_the_digest_of_a_part_is_what_the_format_page_says(tmp_path: Path) -> None:
    """`b3sum` over the lines of docs/format.md gives the same."""
    if shutil.which("b3sum") is None:
        pytest.skip("b3sum is not installed")
    content = b"{}"
    file = blake3(content).hexdigest()
    lines = [f"config.json\0{len(content)}\0{file}\n", "samples/\0\n"]
    listing = tmp_path / "lines"
    listing.write_bytes("".join(sorted(lines)).encode())
    printed = subprocess.run(["b3sum", "--no-names", listing], capture_output=True, check=True)

    digest = part_digest(
        [(MemberPath("config.json"), len(content), Digest.blake3(bytes.fromhex(file)))],
        [MemberPath("samples")],
    )
    assert digest.hexadecimal == printed.stdout.decode().strip()


_entries = st.dictionaries(
    st.text(st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1)
    .filter(lambda name: name not in {".", ".."})
    .map(MemberPath),
    st.tuples(st.integers(0, 2**40), st.sampled_from([_SOME, _OTHER])),
)


@given(_entries, st.randoms())
def test_the_order_of_files_says_nothing(
    entries: dict[MemberPath, tuple[int, Digest]], random: object
) -> None:
    """A part's identity is the BLAKE3 of its sorted list of (path, size, BLAKE3 of content)."""
    files = [(member, size, digest) for member, (size, digest) in entries.items()]
    shuffled = list(files)
    random.shuffle(shuffled)  # type: ignore[attr-defined] # a Random, as hypothesis makes it
    assert part_digest(shuffled) == part_digest(files)


@pytest.mark.parametrize(
    "other",
    [
        [(MemberPath("b"), 1, _SOME)],
        [(MemberPath("a"), 2, _SOME)],
        [(MemberPath("a"), 1, _OTHER)],
        [(MemberPath("a"), 1, _SOME), (MemberPath("b"), 1, _SOME)],
        [],
    ],
)
def test_name_size_content_and_number_all_count(
    other: list[tuple[MemberPath, int, Digest]],
) -> None:
    """Two parts that differ in anything are two parts."""
    assert part_digest(other) != part_digest([(MemberPath("a"), 1, _SOME)])


def test_an_empty_folder_counts() -> None:
    """An export has to make it again, so it is part of what the part is."""
    assert part_digest([], [MemberPath("samples")]) != part_digest([])


def test_a_single_file_is_called_the_same_whatever_its_name() -> None:
    """The same bytes under another name are the same part."""
    assert canonical_member("LoWRA v2.SafeTensors") == canonical_member("other.safetensors")
    assert canonical_member("LoWRA.ckpt") != canonical_member("LoWRA.safetensors")
