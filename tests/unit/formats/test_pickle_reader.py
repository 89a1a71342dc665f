from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Callable

import pytest

from modelshelf.formats.byte_span import DeflatedSpan, FileSpan
from modelshelf.formats.pickle_reader import Pickle, read_pickle
from modelshelf.formats.pickle_values import (
    Call,
    CheckpointFault,
    Elided,
    Named,
    Stored,
    Table,
)


class Bytes:
    """A run of bytes in memory."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    def read(self, count: int) -> bytes:
        piece, self.raw = self.raw[:count], self.raw[count:]
        return piece

    def skip(self, count: int) -> int:
        return len(self.read(count))


def read(raw: bytes) -> Pickle:
    return read_pickle(Bytes(raw))


def plain(value: object) -> object:
    """What an inert value stands for, where it stands for a plain one."""
    match value:
        case Table(pairs=pairs):
            inner = [plain(one) for one in pairs]
            return dict(zip(inner[::2], inner[1::2], strict=True))
        case list() | tuple():
            return type(value)(plain(one) for one in value)
        case _:
            return value


VALUES: list[object] = [
    None, True, False, 0, 1, 255, 256, 65535, 65536, -1, -(2**31), 2**31, 2**63, -(2**100), 0.5,
    float("inf"), "", "a", "é", "\N{GRINNING FACE}", "line\nbreak", "quote's", "x" * 1000, (), (1,),
    (1, 2), (1, 2, 3), (1, 2, 3, 4), [], [1], list(range(2000)), {}, {"a": 1}, {1: {2: [3]}},
    {str(number): number for number in range(2000)}, [[], [[]]], {"a": (None, [True, "b"])},
]  # fmt: skip


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("value", VALUES, ids=lambda value: f"{value!r:.20}")
def test_plain_values_come_back_in_every_protocol(value: object, protocol: int) -> None:
    """What the standard library writes is read as it was."""
    raw = pickle.dumps(value, protocol)
    found = read(raw + b"more")
    assert (plain(found.value), found.length, found.names) == (value, len(raw), ())


@pytest.mark.parametrize("protocol", range(6))
def test_shared_values_stay_shared(protocol: int) -> None:
    """The memo gives back the very same record."""
    inner = ["shared"]
    found = read(pickle.dumps([inner, inner], protocol)).value
    assert isinstance(found, list)
    assert found[0] is found[1]


@pytest.mark.parametrize("protocol", range(6))
def test_an_object_is_a_note_of_the_call_that_would_make_it(protocol: int) -> None:
    """Its class is a name, and what it is filled with stands beside."""
    found = read(pickle.dumps(OrderedDict(a=1), protocol))
    assert isinstance(found.value, Call)
    assert isinstance(found.value.function, Named)
    assert found.value.function.name == "collections.OrderedDict"
    assert found.value.pairs == ["a", 1]
    assert found.names == ("collections.OrderedDict",)


def test_bytes_and_long_text_are_stepped_over() -> None:
    """Nobody needs them, and they may be megabytes."""
    found = read(pickle.dumps([b"x" * 300_000, "y" * 300_000, "z"], 4)).value
    assert isinstance(found, list)
    lengths = [one.length for one in found[:2] if isinstance(one, Elided)]
    assert (lengths, found[2]) == ([300_000, 300_000], "z")


def test_text_of_python_2_is_text_where_it_is_utf_8() -> None:
    """Its strings were bytes; what is none is stepped over."""
    found = read(b"\x80\x02](U\x01aT\x02\0\0\0\xc3\xa9U\x01\xffe.").value
    assert isinstance(found, list)
    assert found[:2] == ["a", "é"]
    assert isinstance(found[2], Elided)


def test_text_of_python_2_in_quotes_is_text_unless_it_has_escapes() -> None:
    """Protocol 0 wrote strings as their representation."""
    assert read(b"S'name'\n.").value == "name"
    assert isinstance(read(b"S'a\\nb'\n.").value, Elided)


def test_what_is_thrown_away_is_gone() -> None:
    """Values, marks and what stands above them; what was remembered can be had again."""
    assert read(b"N0K\1(K\2K\x031(0r\0\1\0\0\x85j\0\1\0\0\x86.").value == ((1,), 1)


def test_what_lies_outside_is_made_by_the_caller() -> None:
    """A persistent id is a record, or what the reader of a layout makes of it."""
    found = read(b"\x80\x02K\x07Q.").value
    assert isinstance(found, Stored)
    assert found.id == 7
    assert read_pickle(Bytes(b"\x80\x02K\x07Q."), resolve=lambda key: [key]).value == [7]


def test_text_across_the_edge_of_the_window_is_whole() -> None:
    """The pickle is read in pieces of 128 KiB; nothing is lost between two."""
    value = [f"{number:07}" * (number % 50) for number in range(5_000)]
    raw = pickle.dumps(value, 2)
    assert len(raw) > 3 * (1 << 17)
    assert read(raw).value == value


def test_a_fault_is_told_with_its_place() -> None:
    """Expected and got, and the byte to look at."""
    with pytest.raises(CheckpointFault) as caught:
        read(b"\x80\x02N\xff.")
    assert caught.value.problem == "the pickle is broken at byte 3: 0xff is no opcode"


def test_a_span_of_a_file_ends_where_it_says(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Neither reading nor stepping leaves it."""
    path = tmp_path_factory.mktemp("span") / "file"
    path.write_bytes(b"0123456789")
    with path.open("rb") as stream:
        span = FileSpan(stream.fileno(), 2, 8)
        assert (span.read(2), span.skip(1), span.read(100), span.skip(5)) == (b"23", 1, b"567", 0)


def test_a_deflated_span_gives_no_more_than_it_claims() -> None:
    """The rest of a bomb is never unpacked."""
    packed = b"\xed\xc1\x01\x0d\x00\x00\x00\xc2\xa0\xf7Om\x0e7\xa0\x00\x00\x00\x00\x00"
    assert len(DeflatedSpan(Bytes(packed), 10).read(100)) <= 10
    span = DeflatedSpan(Bytes(packed), 1 << 20)
    assert span.skip(5) == 5


@pytest.mark.parametrize("opcode", [b"T" + (250).to_bytes(4, "little"), b"U\xfa"])
@pytest.mark.parametrize(
    "raw", [b"\xff" * 250, "\N{LATIN SMALL LETTER E WITH ACUTE}".encode() * 125]
)
def test_old_text_is_read_wherever_the_window_on_the_file_ends(opcode: bytes, raw: bytes) -> None:
    """The state of a random generator is bytes that Python 2 called text, and lies anywhere."""
    for before in range((1 << 17) - 300, (1 << 17) + 8, 7):
        whole = b"](B" + before.to_bytes(4, "little") + b"x" * before + opcode + raw + b"K\x07e."
        value = read(whole).value
        assert isinstance(value, list)
        _, text, last = value
        assert last == 7
        assert isinstance(text, Elided) if raw[0] == 255 else text == raw.decode()


def test_old_text_with_a_replacement_character_in_it_is_text() -> None:
    """Who decodes loosely must tell the character that was there from the one put in."""
    raw = "a\N{REPLACEMENT CHARACTER}b".encode()
    assert read(b"U" + bytes([len(raw)]) + raw + b".").value == raw.decode()
    assert isinstance(read(b"U" + bytes([len(raw)]) + raw[:-1] + b"\xff.").value, Elided)


class Endless:
    """A run of bytes that begins with a few and then has one again and again."""

    def __init__(self, start: bytes, again: bytes) -> None:
        self.rest, self.again = start, again

    def read(self, count: int) -> bytes:
        if len(self.rest) < count:
            self.rest += self.again * (count // len(self.again) + 1)
        piece, self.rest = self.rest[:count], self.rest[count:]
        return piece

    def skip(self, count: int) -> int:
        return len(self.read(count))


@pytest.mark.parametrize(
    ("start", "again", "words"),
    [
        (b"", b"(", "nested deeper than 500 levels"),
        (
            b"".join(b"cm\nn%d\n0" % number for number in range(10_001)),
            b"N",
            "more than 10000 things",
        ),
        (b"V" + b"a" * 1_025 + b"\n", b"N", "does not end within 1024 bytes"),
        (b"", b"c" + b"m" * 999 + b"\n" + b"n" * 999 + b"\n0", "it is longer than 64 MiB"),
        (b"", b"C\xff" + bytes(255) + b"0", "lead beyond 64 MiB"),
        (b"", b"N0", "more than 1500000 opcodes"),
        (b"", b"N\x94", "the memo index 500001 is not below 500000"),
        (b"", b"]", "take more than 48 MiB"),
    ],
)
def test_every_bound_is_named_when_it_is_reached(start: bytes, again: bytes, words: str) -> None:
    """Each holds alone, and not only because another one would be next."""
    with pytest.raises(CheckpointFault, match=words):
        read_pickle(Endless(start, again))


def number(length: int) -> bytes:
    return b"\x8a" + bytes([length]) + b"\1" * length + b"."


def text(length: int) -> bytes:
    return b"X" + length.to_bytes(4, "little") + b"a" * length + b"."


def frame(length: int) -> bytes:
    return b"\x95" + length.to_bytes(8, "little") + b"N."


def names(count: int) -> bytes:
    return b"".join(b"cm\nn%d\n0" % number for number in range(count)) + b"N."


@pytest.mark.parametrize(
    ("make", "most"),
    [
        (lambda levels: b"(" * levels + b"t" * levels + b".", 500),
        (names, 10_000),
        (lambda length: b"V" + b"a" * length + b"\n.", 1_023),
        (lambda digits: b"I" + b"1" * digits + b"\n.", 40),
        (number, 64),
        (frame, 64 << 20),
        (lambda version: b"\x80" + bytes([version]) + b"N.", 5),
        (lambda index: b"Nr" + index.to_bytes(4, "little") + b".", 500_000),
        (lambda index: b"Np%d\n." % index, 500_000),
    ],
    ids=["levels", "names", "line", "digits", "number", "frame", "protocol", "put", "put-line"],
)
def test_every_bound_is_the_last_that_is_read(make: Callable[[int], bytes], most: int) -> None:
    """Neither one less nor one more."""
    read(make(most))
    with pytest.raises(CheckpointFault):
        read(make(most + 1))


def test_text_is_kept_up_to_its_bound() -> None:
    """Longer text names no tensor, and is stepped over."""
    assert read(text(1 << 16)).value == "a" * (1 << 16)
    assert isinstance(read(text((1 << 16) + 1)).value, Elided)


@pytest.mark.parametrize("raw", [b".", b"NN.", b"(N.", b"N(."])
def test_one_value_is_left_where_a_pickle_stops(raw: bytes) -> None:
    """Not none, not two, and none above a mark that nobody took off."""
    with pytest.raises(CheckpointFault, match="it stops with more or less than one value"):
        read(raw)


@pytest.mark.parametrize("raw", [b"h\1.", b"j\1\0\0\0.", b"g1\n.", b"N\x94g1\n."])
def test_what_was_never_remembered_cannot_be_had_again(raw: bytes) -> None:
    """A broken pickle, and no other exception."""
    with pytest.raises(CheckpointFault, match="nothing was remembered as 1"):
        read(raw)


@pytest.mark.parametrize("raw", [b"Nr\xff\xff\xff\xff.", b"Np-1\n."])
def test_nothing_is_remembered_under_an_impossible_index(raw: bytes) -> None:
    """Neither a negative one nor one of four billion."""
    with pytest.raises(CheckpointFault, match="memo index"):
        read(raw)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"N\x8c\1a\x93.", "a name that is no text"),
        (b"\x8c\1aN\x93.", "a name that is no text"),
        (b"NNb.", "a NoneType cannot be filled"),
        (b"NNa.", "a NoneType is no list to append to"),
        (b"NNNs.", "a NoneType is no dict to set items on"),
        (b"}(Nu.", "a key without a value"),
        (b"(Nd.", "a key without a value"),
        (b"X\xc8\0\0\0ab.", "200 bytes are announced, and the pickle ends before"),
        (b"C\xc8ab.", "200 bytes are announced, and the pickle ends before"),
        (b"\x8b\xff\xff\xff\xff.", "a whole number of -1 bytes"),
        (b"T\xff\xff\xff\xff.", "text has the length -1"),
    ],
)
def test_what_an_opcode_cannot_do_is_a_fault(raw: bytes, words: str) -> None:
    """Told in words, and no other exception."""
    with pytest.raises(CheckpointFault, match=words):
        read(raw)


def test_the_shortest_forms_are_read() -> None:
    """A number without digits is nothing, a call without a function a call of nothing."""
    assert read(b"\x8a\0.").value == 0
    assert read(b"\x8b\0\0\0\0.").value == 0
    nothing, something = read(b"(o.").value, read(b"(cm\nn\nK\1o.").value
    assert isinstance(nothing, Call)
    assert (nothing.function, nothing.arguments) == (None, ())
    assert isinstance(something, Call)
    assert isinstance(something.function, Named)
    assert (something.function.name, something.arguments) == ("m.n", (1,))
