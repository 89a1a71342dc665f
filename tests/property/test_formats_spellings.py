"""Headers of safetensors in every spelling, read as the format's own reader reads them."""

from __future__ import annotations

import tempfile
from math import prod
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError, deserialize

from modelshelf.errors import InvalidSafetensorsError
from modelshelf.formats import read_safetensors
from modelshelf.schema.tensor import TensorIndex
from tests.unit.formats.headers import write_raw

pytestmark = pytest.mark.property


def members_of(pairs: list[tuple[str, str]]) -> str:
    """Spell an object, of which a name may be there twice."""
    return "{" + ",".join(f'"{name}":{value}' for name, value in pairs) + "}"


NUMBERS = st.sampled_from(
    [*map(str, (0, 1, 2, 3, 6, 12, 2**61, 2**63, 2**64 - 1, 2**64, -1, 10**30)), "-0", "1.0", "1e2"]
) | st.sampled_from(
    ["06", "+1", "NaN", "Infinity", "1e400", "9" * 310, "true", "null", '"1"', "[]"]
)
WORDS = st.sampled_from(
    [
        "x",
        "a",
        "\\u0061",
        "\\ud83d\\ude00",
        "\\ud83d",
        "\\ude00",
        "\\\\ud83d",
        "\\/",
        "\\x",
        "\n",
        "é",
    ]
)
"""Text as it stands between quotes: escapes, and what looks like one."""
VALUES = st.recursive(
    NUMBERS | WORDS.map('"{}"'.format),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda values: f"[{','.join(values)}]")
        | st.lists(st.tuples(WORDS, inner), max_size=3).map(members_of)
    ),
    max_leaves=4,
) | st.integers(120, 130).map(lambda levels: "[" * levels + "]" * levels)


@st.composite
def spelt_entries(draw: st.DrawFn, begin: int) -> tuple[str, int]:
    """Spell an entry that begins at *begin*, seldom a sound one; say where it ends."""
    width, dtype = draw(st.sampled_from([(1, "U8"), (2, "F16"), (4, "F32"), (8, "I64")]))
    sides = draw(st.lists(st.sampled_from([0, 1, 2, 3, 2**61, 2**63, 2**64 - 1]), max_size=3))
    end = begin + min(width * prod(sides), 999)
    fields = [("dtype", f'"{dtype}"'), ("shape", str(sides)), ("data_offsets", f"[{begin},{end}]")]
    match draw(st.integers(0, 9)):
        case 0:
            at = draw(st.integers(0, 2))
            value = draw(VALUES)
            fields[at] = fields[at][0], value
        case 1:
            del fields[draw(st.integers(0, 2))]
        case 2:
            fields[1] = "shape", f"[{','.join(draw(st.lists(NUMBERS, max_size=3)))}]"
        case _:
            pass
    fields += draw(st.lists(st.tuples(WORDS, VALUES), max_size=2))
    return members_of(draw(st.permutations(fields))), end


@st.composite
def spelt_headers(draw: st.DrawFn) -> tuple[str, int]:
    """Spell a header of some entries and metadata, no name twice; say how much they take."""
    end, members = 0, []
    for name in draw(st.lists(st.sampled_from(["a", "b", "c.d", ""]), max_size=3, unique=True)):
        entry, end = draw(spelt_entries(end))
        members.append((name, entry))
    metadata = st.dictionaries(st.sampled_from("ab"), VALUES, max_size=2).map(
        lambda found: members_of(list(found.items()))
    )
    # A name twice, which makes readers differ, is refused here alone.
    others = VALUES.filter(lambda value: value[0] != "{")
    for one in draw(st.lists(st.just("null") | metadata | others, max_size=1)):
        members.insert(draw(st.integers(0, len(members))), ("__metadata__", one))
    blank = st.sampled_from(["", "", " ", "\t", "\n\r", "\f", "\ufeff"])
    return draw(blank) + members_of(members) + draw(blank), end


def read(header: bytes, size: int) -> TensorIndex:
    with tempfile.TemporaryDirectory() as folder:
        return read_safetensors(write_raw(Path(folder) / "m.safetensors", header, size))


@settings(max_examples=200)
@given(spelt_headers(), st.sampled_from([0, 0, 0, 1]))
def test_what_the_formats_own_reader_takes_is_taken_and_nothing_else(
    header: tuple[str, int], more: int
) -> None:
    """Whatever the spelling, the numbers and the fields that nobody knows."""
    text, size = header
    raw = text.encode()
    try:
        found = deserialize(  # type: ignore[no-untyped-call]
            len(raw).to_bytes(8, "little") + raw + bytes(size + more)
        )
    except SafetensorError:
        with pytest.raises(InvalidSafetensorsError):
            read(raw, size + more)
        return
    expected = {name: (one["dtype"], tuple(one["shape"])) for name, one in found}
    tensors = read(raw, size + more).tensors
    assert {name: (one.dtype, one.shape) for name, one in tensors.items()} == expected
