from __future__ import annotations

import struct
from pathlib import Path

import pytest

from modelshelf.errors import InvalidGgufError, SourceNotFoundError, SourceUnreadableError
from modelshelf.formats import read_gguf
from modelshelf.schema.tensor import Container, TensorEntry
from modelshelf.testing import tiny

U32, F32, STRING, ARRAY, I64 = 4, 6, 8, 9, 11


def text(word: str) -> bytes:
    raw = word.encode()
    return struct.pack("<Q", len(raw)) + raw


def header(
    *records: bytes, fields: tuple[bytes, ...] = (), tensors: int | None = None, version: int = 3
) -> bytes:
    count = len(records) if tensors is None else tensors
    start = struct.pack("<4sIQQ", b"GGUF", version, count, len(fields))
    return start + b"".join(fields) + b"".join(records)


def record(name: str = "w", sides: tuple[int, ...] = (4,), kind: int = 0, offset: int = 0) -> bytes:
    return (
        text(name)
        + struct.pack(f"<I{len(sides)}Q", len(sides), *sides)
        + struct.pack("<IQ", kind, offset)
    )


def field(key: str, kind: int, value: bytes) -> bytes:
    return text(key) + struct.pack("<I", kind) + value


def write(folder: Path, head: bytes, size: int = 64) -> Path:
    path = folder / "m.gguf"
    head += b"\0" * (-len(head) % 32)
    path.write_bytes(head + b"\0" * size)
    return path


def problem_of(path: Path) -> str:
    with pytest.raises(InvalidGgufError) as caught:
        read_gguf(path)
    assert str(path) in str(caught.value)
    return caught.value.problem


def test_tensors_come_with_kind_shape_and_place(tmp_path: Path) -> None:
    """Shapes are turned into torch order; places count from the start of the file."""
    layout = {"a": ("Q8_0", (3, 64)), "b": ("F16", (5,)), "c": ("F32", ())}
    path = tiny.write_gguf(tmp_path / "m.gguf", layout)
    index = read_gguf(path)
    start = path.stat().st_size - 260
    assert index.container is Container.GGUF
    assert index.tensors == {
        "a": TensorEntry("Q8_0", (3, 64), start, start + 204),
        "b": TensorEntry("F16", (5,), start + 224, start + 234),
        "c": TensorEntry("F32", (), start + 256, start + 260),
    }


@pytest.mark.parametrize(("version", "order"), [(1, "<"), (2, "<"), (3, "<"), (3, ">")], ids=str)
def test_every_version_and_byte_order_says_the_same(
    tmp_path: Path, version: int, order: str
) -> None:
    """Version 1 counts with 32 bits, version 3 may be big-endian."""
    path = tiny.write_gguf(
        tmp_path / "m.gguf",
        {"w": ("Q4_K", (2, 256)), "é": ("F16", (3, 1))},
        fields={"general.name": "é", "n": -5, "many": ["word"] * 200, "numbers": [1, 2, 3]},
        version=version,
        order=order,
    )
    index = read_gguf(path)
    assert {name: (one.dtype, one.shape) for name, one in index.tensors.items()} == {
        "w": ("Q4_K", (2, 256)),
        "é": ("F16", (3, 1)),
    }
    assert index.metadata == {"general.name": "é", "n": "-5"}


def test_single_values_are_metadata_and_arrays_are_not(tmp_path: Path) -> None:
    """What says something about the model is text; a vocabulary is not wanted."""
    fields: dict[str, tiny.Value] = {
        "general.architecture": "flux",
        "general.file_type": 15,
        "scale": 0.1,
        "flag": True,
        "large": 2**40,
        "tokens": ["a"] * 70 + ["b" * 100] + ["", "c"] * 40,
        "exactly two batches": ["a"] * 128,
        "scores": [0.5, 1.5],
        "nothing": [],
    }
    path = tiny.write_gguf(tmp_path / "m.gguf", {"w": ("F32", (1,))}, fields=fields)
    assert read_gguf(path).metadata == {
        "general.architecture": "flux",
        "general.file_type": "15",
        "scale": "0.1",
        "flag": "true",
        "large": "1099511627776",
    }


def test_a_folded_shape_is_unfolded(tmp_path: Path) -> None:
    """ComfyUI-GGUF keeps the shape from before; one that cannot be is named and not believed."""
    path = tiny.write_gguf(
        tmp_path / "m.gguf",
        {"conv": ("F16", (32, 90)), "other": ("F16", (32, 90))},
        fields={
            "comfy.gguf.orig_shape.conv": [32, 10, 3, 3],
            "comfy.gguf.orig_shape.other": [32, 10],
        },
    )
    index = read_gguf(path)
    assert index.shape("conv") == (32, 10, 3, 3)
    assert index.shape("other") == (32, 90)
    assert index.findings == (
        "the original shape [32, 10] of `other` has another number of elements",
    )


def test_an_unknown_kind_is_a_finding(tmp_path: Path) -> None:
    """Forks of ggml add kinds; names and shapes tell the model all the same."""
    path = write(tmp_path, header(record(kind=137), record("v", kind=137, offset=32)))
    index = read_gguf(path)
    assert index.tensors["w"] == TensorEntry("kind 137", (4,), 0, 0)
    assert index.findings == (
        "2 tensors are of kind 137, which is not known here: their length is not",
    )
    one = read_gguf(write(tmp_path, header(record(kind=137))))
    assert one.findings == ("1 tensor is of kind 137, which is not known here: its length is not",)


def test_a_part_of_a_split_model_says_so(tmp_path: Path) -> None:
    """The other files hold the rest."""
    fields: dict[str, tiny.Value] = {"split.no": 0, "split.count": 3}
    path = tiny.write_gguf(tmp_path / "m.gguf", {"w": ("F32", (1,))}, fields=fields)
    assert read_gguf(path).findings == ("one of 3 files that make one model",)


def test_a_value_of_any_length_is_left_alone(tmp_path: Path) -> None:
    """A template of megabytes is no evidence."""
    fields: dict[str, tiny.Value] = {"template": "x" * 70_000, "after": "y"}
    path = tiny.write_gguf(tmp_path / "m.gguf", {"w": ("F32", (1,))}, fields=fields)
    index = read_gguf(path)
    assert index.metadata == {"after": "y"}
    assert index.findings == ("`template` is longer than 65536 bytes and was left alone",)


def test_a_title_in_another_code_page_breaks_nothing(tmp_path: Path) -> None:
    """Values are for people; only names must be UTF-8."""
    value = struct.pack("<Q", 2) + b"\xe9!"
    path = write(tmp_path, header(record(), fields=(field("general.name", STRING, value),)))
    assert read_gguf(path).metadata == {"general.name": "\ufffd!"}


def test_a_header_without_tensors_is_legal(tmp_path: Path) -> None:
    """A file with a vocabulary alone; whether it is a model is not the format's business."""
    assert read_gguf(write(tmp_path, header(), 0)).tensors == {}


def test_a_huge_file_costs_its_header_only(tmp_path: Path) -> None:
    """A sparse file of 20 GB is read as fast as a small one."""
    path = tiny.write_gguf(tmp_path / "m.gguf", {"w": ("F16", (10_000, 1_000_000))})
    assert path.stat().st_size > 20_000_000_000
    assert read_gguf(path).shape("w") == (10_000, 1_000_000)


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (header(version=4), "expected version 1, 2 or 3 at offset 4, got 4"),
        (header(version=0), "expected version 1, 2 or 3 at offset 4, got 0"),
        (header(tensors=2**63), "expected at most 3 tensors at offset 8, got 9223372036854775808"),
        (
            struct.pack("<4sIQQ", b"GGUF", 3, 0, 2**40),
            "expected at most 7 fields at offset 16, got 1099511627776",
        ),
        (
            header(fields=(text("k") + struct.pack("<IIQ", ARRAY, F32, 2**61),)),
            "expected 9223372036854775808 bytes at offset",
        ),
        (
            header(fields=(text("k") + struct.pack("<IIQ", ARRAY, STRING, 2**40),)),
            "expected at most 2000000 strings in arrays",
        ),
        (
            header(fields=(text("k") + struct.pack("<IIQ", ARRAY, STRING, 100),)),
            "expected 800 bytes at offset",
        ),
        (
            header(fields=(text("k") + struct.pack("<IIQ", ARRAY, ARRAY, 1),)),
            "`k` is an array of arrays",
        ),
        (
            header(fields=(field("k", 13, b""),)),
            "`k` has a value of type 13, expected one of 0 to 12",
        ),
        (
            header(fields=(struct.pack("<Q", 2**62),)),
            "expected a key of at most 65535 bytes at offset 24, got 4611686018427387904",
        ),
        (
            header(fields=(field("k", U32, b"\0\0\0\0"), field("k", U32, b"\0\0\0\0"))),
            "the key `k` is there twice",
        ),
        (
            header(fields=(struct.pack("<Q", 2) + b"\xff\xff",)),
            "expected a key in UTF-8 at offset 24",
        ),
        (header(record(), record()), "the tensor `w` is there twice"),
        (header(record("n" * 257)), "expected a tensor's name of at most 256 bytes, got 257"),
        (header(struct.pack("<Q", 1) + b"\xff" + record()), "a tensor's name in UTF-8"),
        (header(record(sides=(1,) * 9)), "`w` has 9 dimensions, expected at most 8"),
        (header(record(sides=(2**62, 4))), "`w` has more elements than 63 bits can count"),
        (header(record(kind=5000)), "`w` is of kind 5000, expected one below 1024"),
        (header(record(kind=12, sides=(255,))), "rows of 255, but Q4_K needs multiples of 256"),
        (header(record(offset=8)), "`w` begins at 8, expected a multiple of 32"),
        (header(record(offset=64)), "the file is cut short"),
        (header(record(kind=137, offset=2**40)), "the file is cut short"),
        (
            header(record(sides=(12,)), record("v", offset=32)),
            "`v` begins at 128, but `w` ends at 144: an overlap",
        ),
    ],
)
def test_every_broken_rule_is_named(tmp_path: Path, head: bytes, words: str) -> None:
    """Expected and got, and where: enough to see whether the file or the writer is at fault."""
    assert words in problem_of(write(tmp_path, head))


@pytest.mark.parametrize("value", [0, 3, 2**31])
def test_an_impossible_alignment_is_named(tmp_path: Path, value: int) -> None:
    """Places are multiples of it, so it must be a power of two of a sane size."""
    alignment = field("general.alignment", U32, struct.pack("<I", value))
    problem = problem_of(write(tmp_path, header(record(), fields=(alignment,))))
    assert f"`general.alignment` is {value}, expected a power of two up to 1048576" in problem


def test_another_alignment_counts(tmp_path: Path) -> None:
    """Tensors begin at multiples of it, behind the header too."""
    layout = {"a": ("F16", (1,)), "b": ("F16", (1,))}
    fields: dict[str, tiny.Value] = {"general.alignment": 128}
    path = tiny.write_gguf(tmp_path / "m.gguf", layout, fields=fields, alignment=128)
    assert [one.begin % 128 for one in read_gguf(path).tensors.values()] == [0, 0]


@pytest.mark.parametrize("kind", [F32, I64])
def test_a_shape_that_is_none_is_named(tmp_path: Path, kind: int) -> None:
    """Whole and positive, or it is not taken for a shape."""
    sides = struct.pack("<IQ2q", kind, 2, -1, 4) if kind == I64 else struct.pack("<IQf", F32, 1, 4)
    path = write(
        tmp_path, header(record(), fields=(field("comfy.gguf.orig_shape.w", ARRAY, sides),))
    )
    if kind == I64:
        assert "`comfy.gguf.orig_shape.w` is no shape: [-1, 4]" in problem_of(path)
    else:
        assert read_gguf(path).shape("w") == (4,)


def test_the_shape_before_a_fold_may_be_of_a_tensor_that_is_not_there(tmp_path: Path) -> None:
    """A part of a split model keeps the fields of all."""
    shape = struct.pack("<IQ2Q", I64, 2, 2, 2)
    fields = (field("comfy.gguf.orig_shape.elsewhere", ARRAY, shape),)
    assert list(read_gguf(write(tmp_path, header(record(), fields=fields))).tensors) == ["w"]


def test_tensors_may_lie_in_another_order_than_they_are_listed(tmp_path: Path) -> None:
    """One right behind the other, and an empty one where the other ends."""
    records = (record("b", (8,), offset=32), record("a", (8,)), record("c", (0,), offset=32))
    assert list(read_gguf(write(tmp_path, header(*records))).tensors) == ["b", "a", "c"]
    overlapping = (record("b", (8,), offset=32), record("a", (9,)))
    assert "an overlap" in problem_of(write(tmp_path, header(*overlapping), size=96))


def test_keys_and_values_are_read_up_to_their_bound(tmp_path: Path) -> None:
    """A longer key is of no writer, a longer value is left alone."""
    key = "k" * 65_535
    sound = header(fields=(field(key, STRING, text("v" * 65_536)),))
    assert read_gguf(write(tmp_path, sound)).metadata == {key: "v" * 65_536}
    left_alone = header(fields=(field("k", STRING, text("v" * 65_537)),))
    assert read_gguf(write(tmp_path, left_alone)).metadata == {}
    longer = header(fields=(field(f"{key}k", STRING, text("v")),))
    assert "expected a key of at most 65535 bytes" in problem_of(write(tmp_path, longer))


@pytest.mark.parametrize("word", [b"", b"\0" * 4, b"\0" * 12, b"word"])
def test_lengths_of_the_first_version_have_half_the_width(tmp_path: Path, word: bytes) -> None:
    """What is behind an array of many short strings is found, whatever they look like."""
    words = struct.pack("<III", ARRAY, STRING, 200) + (struct.pack("<I", len(word)) + word) * 200
    fields = struct.pack("<I1s", 1, b"a") + words + struct.pack("<I1sIB", 1, b"b", 0, 7)
    path = tmp_path / "m.gguf"
    path.write_bytes(struct.pack("<4s3I", b"GGUF", 1, 0, 2) + fields)
    assert read_gguf(path).metadata == {"b": "7"}


def test_tensors_are_read_up_to_their_bound(tmp_path: Path) -> None:
    """Each is there, and one more is refused before any is looked at."""
    records = [record(f"{number}", (0,)) for number in range(65_537)]
    assert len(read_gguf(write(tmp_path, header(*records[:-1]))).tensors) == 65_536
    assert "expected at most 65536 tensors at offset 8" in problem_of(
        write(tmp_path, header(*records))
    )


def test_more_tensors_than_a_file_has_room_for_are_refused_at_once(tmp_path: Path) -> None:
    """Of all versions the first has the shortest records: 21 bytes with a name of one letter."""
    one = struct.pack("<4s3I", b"GGUF", 1, 1, 0) + struct.pack("<I1sIIQ", 1, b"w", 0, 1, 0)
    path = tmp_path / "m.gguf"
    path.write_bytes(one + bytes(64))
    assert read_gguf(path).shape("w") == ()
    path.write_bytes(one[:8] + struct.pack("<I", 5) + one[12:] + bytes(64))
    assert "expected at most 4 tensors at offset 8, got 5" in problem_of(path)


def test_a_kind_is_a_small_number(tmp_path: Path) -> None:
    """One that is not known may be of a later writer; one of 32 bits is of none."""
    assert read_gguf(write(tmp_path, header(record(kind=1_023)))).tensors["w"].dtype == "kind 1023"
    assert "is of kind 1024" in problem_of(write(tmp_path, header(record(kind=1_024))))


def test_elements_are_counted_in_63_bits(tmp_path: Path) -> None:
    """A file that has so many is cut short; more nobody can count."""
    last = problem_of(write(tmp_path, header(record(sides=(2**63 - 1,)))))
    assert "the file is cut short" in last
    assert "63 bits" in problem_of(write(tmp_path, header(record(sides=(2**63,)))))


def test_names_and_values_together_are_bounded(tmp_path: Path) -> None:
    """Many values of a legal length do not add up to much memory."""
    fields: dict[str, tiny.Value] = {f"k{number}": "x" * 65_000 for number in range(300)}
    path = tiny.write_gguf(tmp_path / "m.gguf", {}, fields=fields)
    assert problem_of(path) == "names and values take more than 16777216 bytes"


def test_strings_in_arrays_together_are_bounded(tmp_path: Path) -> None:
    """An array of gigabytes is not walked through to its end."""
    path = tmp_path / "m.gguf"
    head = header(fields=(text("k") + struct.pack("<IIQ", ARRAY, STRING, 2),))
    with path.open("wb") as file:
        file.write(head + struct.pack("<Q", 1 << 30))
        file.truncate(1 << 31)
    assert problem_of(path) == "strings in an array take more than 67108864 bytes"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "expected `GGUF` and a version at offset 0, got b''"),
        (b"GGUF\3\0", "expected `GGUF` and a version at offset 0"),
        (b"GGUF\3\0\0\0", "expected 8 bytes at offset 8, but the file ends at 8"),
        (b"GGUF\0\0\0\2" + b"\0" * 16, "expected version 1, 2 or 3 at offset 4, got 2"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"PK\x03\x04\0\0\0\x08\x08\0", "a ZIP archive"),
        (b"tjgg\1\0\0\0", "the GGML format that came before GGUF"),
    ],
)
def test_files_of_another_kind_are_recognised(tmp_path: Path, content: bytes, words: str) -> None:
    """A wrong suffix deserves a better word than a large number."""
    path = tmp_path / "m.gguf"
    path.write_bytes(content)
    assert words in problem_of(path)


def test_every_truncation_is_found(tmp_path: Path) -> None:
    """Wherever a download stopped, header and data."""
    path = tiny.write_gguf(
        tmp_path / "m.gguf", {"w": ("F16", (16,))}, fields={"a": "b", "c": ["d"] * 70, "e": [1]}
    )
    content = path.read_bytes()
    for size in range(len(content)):
        path.write_bytes(content[:size])
        problem_of(path)


def test_what_cannot_be_opened_is_unreadable(tmp_path: Path) -> None:
    """The operating system's refusals are passed on."""
    with pytest.raises(SourceNotFoundError):
        read_gguf(tmp_path / "gone.gguf")
    with pytest.raises(SourceUnreadableError, match="Is a directory"):
        read_gguf(tmp_path)
