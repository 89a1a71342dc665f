from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelshelf.errors import InvalidSafetensorsError, SourceNotFoundError, SourceUnreadableError
from modelshelf.formats import read_safetensors
from modelshelf.schema.tensor import TensorEntry
from tests.unit.formats.headers import write_raw, write_safetensors


def entry(**changes: object) -> dict[str, object]:
    return {"dtype": "F16", "shape": [2, 3], "data_offsets": [0, 12], **changes}


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


def problem_of(path: Path) -> str:
    with pytest.raises(InvalidSafetensorsError) as caught:
        read_safetensors(path)
    assert str(path) in str(caught.value)
    return caught.value.problem


def test_tensors_come_with_dtype_shape_and_place(tmp_path: Path) -> None:
    """Places count from the start of the file, so that a range of it can be read."""
    path = write_safetensors(tmp_path / "m.safetensors", {"a": (2, 3), "b": ()})
    start = path.stat().st_size - 14
    assert read_safetensors(path).tensors == {
        "a": TensorEntry("F16", (2, 3), start, start + 12),
        "b": TensorEntry("F16", (), start + 12, start + 14),
    }


def test_metadata_is_kept_as_text(tmp_path: Path) -> None:
    """What trainers write beside the tensors is there for whoever wants evidence."""
    path = write_safetensors(tmp_path / "m", {"a": (1,)}, metadata={"ss_v2": "True", "é": "\n"})
    assert read_safetensors(path).metadata == {"ss_v2": "True", "é": "\n"}


def test_a_header_without_tensors_is_legal(tmp_path: Path) -> None:
    """The format allows it; whether it is a model is not its business."""
    assert read_safetensors(write_raw(tmp_path / "m", b"{}", 0)).tensors == {}


def test_a_huge_file_costs_its_header_only(tmp_path: Path) -> None:
    """A sparse file of 20 GB is read as fast as a small one."""
    path = write_safetensors(tmp_path / "m", {"a": (10_000, 1_000_000)})
    assert path.stat().st_size > 20_000_000_000
    assert read_safetensors(path).shape("a") == (10_000, 1_000_000)


@pytest.mark.parametrize(
    "header",
    [
        {"b": entry(data_offsets=[12, 24]), "a": entry()},
        {
            "a": entry(),
            "b": entry(shape=[0], data_offsets=[12, 12]),
            "c": entry(data_offsets=[12, 24]),
        },
        {
            "a": entry(dtype="F4", shape=[24]),
            "b": entry(dtype="F6_E2M3", shape=[16], data_offsets=[12, 24]),
        },
    ],
    ids=["any-order", "empty-tensor", "sub-byte"],
)
def test_legal_oddities_are_read(tmp_path: Path, header: dict[str, object]) -> None:
    """Order in the header is free, tensors may be empty, elements smaller than a byte."""
    path = write_raw(tmp_path / "m", json.dumps(header).encode() + b"   ", 24)
    assert list(read_safetensors(path).tensors) == list(header)


@pytest.mark.parametrize(
    "raw",
    [
        b' \t\n\r{"a":%b}',
        b'{"__metadata__":null,"a":%b}',
        b'{"a":%b,"__metadata__":null}',
    ],
)
def test_what_the_formats_own_reader_takes_is_read(tmp_path: Path, raw: bytes) -> None:
    """A model that loads everywhere else is not called broken for how its header is spelt."""
    index = read_safetensors(write_raw(tmp_path / "m", raw % json.dumps(entry()).encode(), 12))
    assert (index.shape("a"), index.metadata) == ((2, 3), {})


@pytest.mark.parametrize(
    "value",
    [b"null", b"-0", b"-1.5e300", b"9" * 308, b'{"y":1,"y":[2]}', b'"\\ud83d\\ude00"', nested(125)],
)
def test_fields_that_nobody_knows_are_left_alone(tmp_path: Path, value: bytes) -> None:
    """Writers may note more of a tensor than the format asks for, whatever it is, and twice."""
    known = b'"dtype":"F16","shape":[6],"data_offsets":[0,12]'
    raw = b'{"a":{"x":%b,%b,"x":0}}' % (value, known)
    assert read_safetensors(write_raw(tmp_path / "m", raw, 12)).shape("a") == (6,)


@pytest.mark.parametrize("dtype", ["U8", "F16", "F64"])
def test_what_no_element_takes_may_be_as_long_as_a_number(tmp_path: Path, dtype: str) -> None:
    """The elements have to be counted in 64 bits, and the bits of those that are there."""
    path = write_raw(
        tmp_path / "m",
        json.dumps({"a": entry(dtype=dtype, shape=[2**64 - 1, 0], data_offsets=[0, 0])}).encode(),
        0,
    )
    assert read_safetensors(path).shape("a") == (2**64 - 1, 0)


def test_a_side_is_a_number_of_64_bits_also_beside_a_zero(tmp_path: Path) -> None:
    """Where nothing shows how long it is."""
    raw = b'{"a":{"dtype":"U8","shape":[0,%d],"data_offsets":[0,0]}}'
    assert read_safetensors(write_raw(tmp_path / "m", raw % (2**64 - 1), 0)).shape("a") is not None
    problem_of(write_raw(tmp_path / "n", raw % 2**64, 0))


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({"a": entry(data_offsets=[2, 14])}, "`a` begins at 2, expected 0: a hole"),
        (
            {"a": entry(), "b": entry(data_offsets=[6, 18])},
            "`b` begins at 6, expected 12: an overlap",
        ),
        ({"a": entry(data_offsets=[0, 13])}, "`a` has 13 bytes, but F16 [2, 3] takes 12"),
        ({"a": entry(dtype="F17")}, "`a` has dtype 'F17', expected one of BF16, BOOL"),
        ({"a": entry(dtype=7)}, "`a` has a dtype that is no text"),
        ({"a": entry(shape=[2, -3])}, "`a` has a shape that is no list of whole numbers"),
        ({"a": entry(shape=[True, 6])}, "`a` has a shape that is no list of whole numbers"),
        ({"a": entry(shape={})}, "`a` has a shape that is no list of whole numbers"),
        ({"a": entry(shape=6)}, "`a` has a shape that is no list of whole numbers"),
        (
            {"a": entry(dtype="F64", shape=[2**62])},
            "`a` has 12 bytes, but F64 [4611686018427387904]",
        ),
        ({"a": entry(shape="6")}, "`a` has a shape that is no list of whole numbers"),
        ({"a": entry(shape=[2**63, 2**63, 0])}, "`a` has more elements than 64 bits can count"),
        ({"a": entry(dtype="F4", shape=[23])}, "`a` takes 92 bits, expected whole bytes"),
        ({"a": entry(data_offsets=[0])}, "`a` has data_offsets that are not two whole numbers"),
        (
            {"a": entry(data_offsets=[0, None])},
            "`a` has data_offsets that are not two whole numbers",
        ),
        ({"a": {"dtype": "F16", "shape": [6]}}, "`a` is no object with dtype, shape and data_off"),
        ({"a": ["F16", [6], [0, 12]]}, "`a` is no object with dtype, shape and data_offsets"),
        ({"a": entry(dtype={"F16": None})}, "`a` has a dtype that is no text"),
        ({"a": entry(extra="\udc00")}, "'\\\\udc00' is half a surrogate pair"),
        ({"a": entry(extra="\ud83d\ud83d\ude00")}, "'\\\\ud83d' is half a surrogate pair"),
        ({"__metadata__": {"a": 1}}, "`__metadata__` has 'a' of type int, expected text"),
        ({"__metadata__": ["a"]}, "`__metadata__` is no object"),
        ({"\ud800": entry()}, "'\\\\ud800' is half a surrogate pair"),
    ],
)
def test_every_broken_rule_is_named_with_its_tensor(
    tmp_path: Path, header: dict[str, object], words: str
) -> None:
    """Expected and got, and where: enough to see whether the file or the writer is at fault."""
    path = write_raw(tmp_path / "m", json.dumps(header).encode(), 12)
    assert words in problem_of(path)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b'{"a":{"dtype":"F16","shape":[6],"data_offsets":[0,12]},"a":{}}', "'a' is there twice"),
        (
            b'{"a":{"dtype":"F16","dtype":"F16","shape":[6],"data_offsets":[0,12]}}',
            "'dtype' is there twice",
        ),
        (b'{"a":{"dtype":"F16","shape":[06],"data_offsets":[0,12]}}', "at offset 38"),
        (
            b'{"a":{"dtype":"F16","shape":[6.0],"data_offsets":[0,12]}}',
            "`a` has a shape that is no list of whole numbers",
        ),
        (
            b'{"a":{"dtype":"F16","shape":[NaN],"data_offsets":[0,12]}}',
            "expected a number, got NaN",
        ),
        (
            b'{"a":{"dtype":"F16","shape":[%b],"data_offsets":[0,12]}}' % (b"9" * 5000),
            "of 5000 characters is too large",
        ),
        (
            b'{"a":{"dtype":"F16","shape":[0,-0],"data_offsets":[0,0]}}',
            "`a` has a shape that is no list of whole numbers",
        ),
        (
            b'{"a":{"dtype":"F16","shape":[6],"data_offsets":[0,12],"x":%b}}' % nested(126),
            "the header is nested deeper than 127 levels",
        ),
        (b'{"a":{"dtype":"F16","shape":[6],"data_offsets":[0,12]}}{', "Extra data at offset 63"),
        (b'{"\xff":{}}', "expected UTF-8, got byte 0xff at offset 10"),
        (
            b'{"a\nb":{"dtype":"F16","shape":[6],"data_offsets":[0,12]}}',
            "Invalid control character",
        ),
        (
            # Every character that a sound header has, in its order: one name stands somewhere else.
            b"".join(
                (
                    b'{"a":{"dtype":"F16","shape":[3],"data_offsets":[0,"b"6]},',
                    b':{"dtype":"F16","shape":[3],"data_offsets":[6,12]}}',
                )
            ),
            "Expecting ',' delimiter",
        ),
        (b"\xef\xbb\xbf{}", "expected `{` at offset 8"),
        (b"\f{}", "expected `{` at offset 8"),
        (b"[]", "expected `{` at offset 8"),
        (b"", "got 0; it looks like a download"),
        (b'{"a":' + b"[" * 100_000, "nested deeper"),
    ],
)
def test_text_that_is_no_header_is_named(tmp_path: Path, raw: bytes, words: str) -> None:
    """Whatever the bytes are, the answer is one typed error."""
    assert words in problem_of(write_raw(tmp_path / "m", raw, 12))


@pytest.mark.parametrize(
    "name",
    ["unet:0:to_q", 'quoted"name', "back\\slash", "line\nend", "é", "", "{a}", "a,b", "[0,12]}"],
)
def test_names_may_hold_anything(tmp_path: Path, name: str) -> None:
    """Also what the header is otherwise made of."""
    path = write_safetensors(tmp_path / "m", {"first": (1,), name: (2,), "last": (3,)})
    assert list(read_safetensors(path).tensors) == ["first", name, "last"]


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":{"dtype":"F16","shape":[6],"data_offsets":[0,12]},}',
        b'{"a":{"dtype":"F16","shape":[6],"data_offsets":[0,12]}',
        b'{"a":{"dtype":"F16","shape":[6],"data_offsets":[0,12]],',
        b'{"a":{"dtype":"F16","shape":[-2,-3],"data_offsets":[0,12]}}',
        b'{"\\uD83D":{"dtype":"F16","shape":[6],"data_offsets":[0,12]}}',
        b'{"__metadata__":{};"a":{"dtype":"F16","shape":[6],"data_offsets":[0,12]}}',
        b'{"__metadata__":{}"a":{"dtype":"F16","shape":[6],"data_offsets":[0,12]}}',
        b'{"__metadata__":{"dtype":"F16","shape":[6],"data_offsets":[0,12]}}',
        b' "a":{"dtype":"F16","shape":[6],"data_offsets":[0,12]}}',
        b'{"a":{"dtype":"F16","shape":[6],"data_offsets":[0,12]}}}',
        b'{a":{"dtype":"F16","shape":[6],"data_offsets":[0,12]}}',
        b'{"a:{"dtype":"F16","shape":[6],"data_offsets":[0,12]}}',
        b'{"a"":{"dtype":"F16","shape":[6],"data_offsets":[0,12]}}',
        b'{"a":{"shape":"F16","dtype":[6],"data_offsets":[0,12]}}',
        b'{"a":{"dtype":"F16" "shape":[6],"data_offsets":[0,12]}}',
        b'{"a":{"dtype":"F16","shape":[6,],"data_offsets":[0,12]}}',
        b'{"a":{"dtype":"F16","shape":[6],"data_offsets":[0,012]}}',
        b'{":{"dtype":"F16","shape":[6],"data_offsets":[0,12]}}',
        b'{"a":{"dtype":"F16","shape":[6{],"data_offsets":[0,12]}}',
        (
            # In these each column of the table is right, and its rows are cut elsewhere.
            b'{"a":{"dtype":"F16","shape":[3],"data_offsets":[0,6,"data_offse]},"b":{"dtype":"F16",'
            b'"shape":[3]ts":[6,12]}}'
        ),
        (
            b'{"a":},"b"{"dtype":"F16","shape":[3],"data_offsets":[0,6]:{"dtype":"F16","shape":[3],'
            b'"data_offsets":[6,12]}}'
        ),
        (
            b'{"a"]"dtype":"F16","shape":[3{,"data_offsets":[0,6]},"b":{"dtype":"F16","shape":[3],'
            b'"data_offsets":[6,12]}}'
        ),
        (
            b'{"a":{"dtype":"F16","shape":[3],"data_offsets":[0,6]},"b:{"dtype":"F16","shape":[3],'
            b'"data_offsets":[6,12]}}'
        ),
        (
            b'{"a":{"dtype":"F16","shape":[3],"data_offsets":[0,6]},"b":{"dtype":"F16","shape":[3],'
            b'"data_offsets":[6,12]},"c"}'
        ),
        (
            b'{"a":{"dtype":"F16","shape":[3],"data_offsets":[0,6]},"b\n":{"dtype":"F16","shape":[3],'
            b'"data_offsets":[6,12]}}'
        ),
        (
            b'{"a":{"dtype":"F16","shape":[3],"data_offsets":[0,6]},"a":{"dtype":"F16","shape":[3],'
            b'"data_offsets":[6,12]}}'
        ),
    ],
)
def test_nearly_a_header_is_no_header(tmp_path: Path, raw: bytes) -> None:
    """One character beside the usual spelling, where a fast reader might look away."""
    problem_of(write_raw(tmp_path / "m", raw, 12))


def test_a_shape_may_have_more_sides_than_anybody_writes(tmp_path: Path) -> None:
    """The format has no bound; the fast way has one, and so has patience."""
    path = write_safetensors(tmp_path / "m", {"a": (2,), "b": (1,) * 65})
    assert read_safetensors(path).shape("b") == (1,) * 65
    most = write_safetensors(tmp_path / "l", {"b": (1,) * 1_000})
    assert read_safetensors(most).shape("b") == (1,) * 1_000
    more = write_safetensors(tmp_path / "n", {"b": (1,) * 1_001})
    assert problem_of(more) == "`b` has 1001 sides, expected at most 1000"


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_name_may_be_longer_than_what_is_read_at_once(tmp_path: Path, place: int) -> None:
    """Headers are cut into pieces of 64 KiB, and no name is."""
    names = ["a", "b"]
    names.insert(place, "x" * 200_000)
    path = write_safetensors(tmp_path / "m", dict.fromkeys(names, (2,)))
    assert list(read_safetensors(path).tensors) == names


def test_a_header_is_read_up_to_its_bound(tmp_path: Path) -> None:
    """The format allows eight times as much, and reading it would take a gigabyte."""
    most = 12 << 20
    assert read_safetensors(write_raw(tmp_path / "m", b"{}" + b" " * (most - 2), 0)).tensors == {}
    longer = write_raw(tmp_path / "n", b"{}" + b" " * (most - 1), 0)
    assert problem_of(longer) == f"the header has {most + 1} bytes; more than {most} are not read"


def test_a_file_cut_short_is_found_without_reading_it(tmp_path: Path) -> None:
    """The commonest damage: a download that stopped."""
    path = write_safetensors(tmp_path / "m", {"a": (1000,)})
    with path.open("r+b") as stream:
        stream.truncate(path.stat().st_size - 1)
    assert (
        problem_of(path) == "the tensors take 2000 bytes, the file has 1999: the file is cut short"
    )


def test_bytes_behind_the_last_tensor_are_found(tmp_path: Path) -> None:
    """The format leaves no room for a stowaway."""
    path = write_safetensors(tmp_path / "m", {"a": (1000,)})
    with path.open("ab") as stream:
        stream.write(b"!")
    assert problem_of(path) == "the tensors take 2000 bytes, the file has 2001: bytes are left over"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "expected at least 8 bytes, got 0"),
        (b"\x02\0\0\0\0\0\0\0{", "expected a header of 2 bytes, but the file ends at 9"),
        (b"\0\xe1\xf5\5\0\0\0\0{}", "a header of 100000000 bytes, but the file ends at 10"),
        (b"\1\xe1\xf5\5\0\0\0\0{}", "header length of at most 100000000 at offset 0"),
        (
            b"\xff\xff\xff\xff\0\0\0\0{}",
            "header length of at most 100000000 at offset 0, got 4294967295",
        ),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"PK\x03\x04\0\0\0\x08\x08\0", "a ZIP archive"),
        (b"GGUF\x03\0\0\0\0\0\0\0", "a GGUF file"),
    ],
)
def test_files_of_another_kind_are_recognised(tmp_path: Path, content: bytes, words: str) -> None:
    """A wrong suffix deserves a better word than a large number."""
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    assert words in problem_of(path)


def test_a_file_that_is_gone_is_not_found(tmp_path: Path) -> None:
    """Between listing and reading it may have been deleted."""
    with pytest.raises(SourceNotFoundError):
        read_safetensors(tmp_path / "gone.safetensors")


def test_what_cannot_be_opened_is_unreadable(tmp_path: Path) -> None:
    """A folder under a file's name is the operating system's refusal, passed on in its words."""
    with pytest.raises(SourceUnreadableError, match="Is a directory"):
        read_safetensors(tmp_path)


@pytest.mark.parametrize(
    ("start", "looks"),
    [
        (bytes(100), "a download that was given its size and never written"),
        (b"PK\x03\x04" + bytes(100), "a ZIP archive"),
        (b"7z\xbc\xaf'\x1c" + bytes(100), "a 7z archive"),
        (b"Rar!\x1a\x07\x01\x00" + bytes(100), "a RAR archive"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "a picture"),
    ],
)
def test_the_usual_strangers_are_called_what_they_are(
    start: bytes, looks: str, tmp_path: Path
) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(start)
    with pytest.raises(InvalidSafetensorsError, match=looks):
        read_safetensors(path)
