from __future__ import annotations

from pathlib import Path

import pytest

from modelshelf.errors import InvalidOnnxError, SourceNotFoundError, SourceUnreadableError
from modelshelf.formats import read_onnx
from modelshelf.schema.tensor import Container, TensorEntry
from modelshelf.testing import tiny
from modelshelf.testing.tiny import protobuf_field

UNET_INPUTS: dict[str, tuple[int | str, ...]] = {
    "sample": (2, 4, "height", "width"),
    "timestep": (1,),
    "encoder_hidden_states": (2, 77, 768),
    "scalar": (),
    "any": ("", 3),
}


def tensor(*fields: bytes, name: str = "w") -> bytes:
    return protobuf_field(
        5, protobuf_field(8, name.encode()) + protobuf_field(2, 1) + b"".join(fields)
    )


def write(folder: Path, *graph_fields: bytes, around: bytes = b"") -> Path:
    path = folder / "m.onnx"
    path.write_bytes(protobuf_field(1, 8) + protobuf_field(7, b"".join(graph_fields)) + around)
    return path


def problem_of(path: Path) -> str:
    with pytest.raises(InvalidOnnxError) as caught:
        read_onnx(path)
    assert str(path) in str(caught.value)
    return caught.value.problem


def test_stored_tensors_come_with_type_shape_and_place(tmp_path: Path) -> None:
    """Places count from the start of the file, so that a range of it can be read."""
    path = tiny.write_onnx(
        tmp_path / "m.onnx", {"a": ("F16", (300, 3)), "onnx::MatMul_1": ("F32", ())}
    )
    index = read_onnx(path)
    first, second = index.tensors.values()
    assert index.container is Container.ONNX
    assert list(index.tensors) == ["a", "onnx::MatMul_1"]
    assert (first.dtype, first.shape, first.end - first.begin) == ("F16", (300, 3), 1800)
    assert (second.dtype, second.shape, second.end - second.begin) == ("F32", (), 4)
    assert first.end < second.begin
    assert index.findings == ()


def test_inputs_and_outputs_are_metadata(tmp_path: Path) -> None:
    """Their widths tell the model where exporters rename the weights."""
    path = tiny.write_onnx(
        tmp_path / "m.onnx",
        {"sample": ("F16", (2,))},
        inputs=UNET_INPUTS,
        outputs={"out_sample": (2, 4, 64, 64)},
        properties={"author": "é", "input:timestep": "[lie]"},
    )
    assert read_onnx(path).metadata == {
        "ir_version": "8",
        "producer": "modelshelf",
        "graph": "tiny",
        # `sample` is a stored tensor here, and writers of old list those among the inputs.
        "input:timestep": "[1]",
        "input:encoder_hidden_states": "[2, 77, 768]",
        "input:scalar": "[]",
        "input:any": "[?, 3]",
        "output:out_sample": "[2, 4, 64, 64]",
        "opset:ai.onnx": "17",
        "property:author": "é",
        "property:input:timestep": "[lie]",
    }


@pytest.mark.parametrize(
    ("file", "beside"),
    [
        ("model.onnx_data", True),
        ("weights.pb", True),
        ("../../etc/passwd", False),
        ("/etc/passwd", False),
    ],
)
def test_no_other_file_is_opened(tmp_path: Path, file: str, *, beside: bool) -> None:
    """What lies elsewhere is named, and whether it could lie beside."""
    path = tiny.write_onnx(tmp_path / "m.onnx", {"a": ("F16", (300, 3))}, external=file)
    index = read_onnx(path)
    assert index.tensors == {"a": TensorEntry("F16", (300, 3), 0, 0)}
    words = "" if beside else " and does not lie beside this file"
    assert index.findings == (
        f"1 tensors have their numbers in {file!r}, which was not opened{words}",
    )


def test_many_other_files_are_counted(tmp_path: Path) -> None:
    """A report of a thousand lines helps nobody."""
    pair = protobuf_field(1, b"location")
    fields = [
        tensor(
            protobuf_field(13, pair + protobuf_field(2, b"f%d" % number)),
            protobuf_field(14, 1),
            name=f"w{number}",
        )
        for number in range(20)
    ]
    findings = read_onnx(write(tmp_path, *fields)).findings
    assert len(findings) == 9
    assert "numbers of tensors lie in 20 other files" in findings


def test_packed_dimensions_and_values_elsewhere_are_read(tmp_path: Path) -> None:
    """Both spellings of dimensions are legal; numbers may stand in fields of their own type."""
    path = write(
        tmp_path,
        tensor(protobuf_field(1, b"\x02\x03"), protobuf_field(4, b"\0" * 24)),
        tensor(protobuf_field(1, 4), protobuf_field(2, 99), name="v"),
    )
    assert read_onnx(path).tensors == {
        "w": TensorEntry("F32", (2, 3), 0, 0),
        "v": TensorEntry("type 99", (4,), 0, 0),
    }


def test_unknown_fields_are_stepped_over(tmp_path: Path) -> None:
    """Later versions add some; fixed numbers of 32 and 64 bits among them."""
    path = write(
        tmp_path,
        protobuf_field(99, b"later"),
        protobuf_field(98, 7),
        b"\x8d\x06\0\0\0\0",
        tensor(),
        around=b"\x89\x06" + b"\0" * 8,
    )
    assert list(read_onnx(path).tensors) == ["w"]


def test_what_says_nothing_is_no_fault(tmp_path: Path) -> None:
    """Fields of another kind, inputs that are no tensors, pairs without a key, words too long."""
    pair = protobuf_field(2, b"value")
    path = write(
        tmp_path,
        protobuf_field(5, 1),
        protobuf_field(2, b"g" * 5000),
        protobuf_field(11, protobuf_field(3, b"nameless")),
        protobuf_field(11, protobuf_field(1, b"untyped") + protobuf_field(3, b"words")),
        protobuf_field(11, protobuf_field(1, b"list") + protobuf_field(2, protobuf_field(4, b""))),
        protobuf_field(
            11, protobuf_field(1, b"bare") + protobuf_field(2, protobuf_field(1, b"\x08\x01"))
        ),
        protobuf_field(
            11,
            protobuf_field(1, b"odd")
            + protobuf_field(2, protobuf_field(1, protobuf_field(2, b"\x10\1\x0a\2\x18\1"))),
        ),
        tensor(protobuf_field(3, 7), protobuf_field(12, b"words"), b"\x8d\x06\0\0\0\0"),
        tensor(protobuf_field(13, protobuf_field(3, b"") + pair), name="v"),
        around=protobuf_field(3, b"1.2")
        + protobuf_field(5, 7)
        + protobuf_field(6, b"words")
        + protobuf_field(8, protobuf_field(3, b"") + protobuf_field(1, b"com.microsoft"))
        + protobuf_field(14, protobuf_field(3, b"") + pair),
    )
    index = read_onnx(path)
    assert list(index.tensors) == ["w", "v"]
    assert index.metadata == {
        "ir_version": "8",
        "input:untyped": "",
        "input:list": "",
        "input:bare": "",
        "input:odd": "[?]",
        "producer_version": "1.2",
        "opset:com.microsoft": "0",
    }


def test_stored_tensors_are_bounded(tmp_path: Path) -> None:
    """Two bytes each: a file of a megabyte could ask for half a million."""
    path = write(tmp_path, b"\x2a\0" * 65_537)
    assert problem_of(path) == "more than 65536 stored tensors"


def test_a_huge_file_costs_little(tmp_path: Path) -> None:
    """A sparse file of 20 GB is read as fast as a small one."""
    path = tiny.write_onnx(
        tmp_path / "m.onnx", {"a": ("F16", (10_000, 1_000_000)), "b": ("F16", (1,))}
    )
    assert path.stat().st_size > 20_000_000_000
    assert list(read_onnx(path).tensors) == ["a", "b"]


def test_long_texts_are_left_alone(tmp_path: Path) -> None:
    """A property of megabytes is no evidence."""
    path = tiny.write_onnx(
        tmp_path / "m.onnx", {}, properties={"a": "x" * 70_000, "k" * 5000: "b", "c": "d"}
    )
    assert [key for key in read_onnx(path).metadata if "property" in key] == ["property:c"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ((tensor(), tensor()), "the tensor `w` is there twice"),
        (
            (tensor(protobuf_field(1, 3), protobuf_field(9, b"\0" * 8)),),
            "`w` has 8 bytes, but F32 [3] takes 12",
        ),
        ((tensor(*[protobuf_field(1, 1)] * 33),), "`w` has more than 32 dimensions"),
        ((tensor(protobuf_field(1, b"\1" * 33)),), "more than 32 numbers at offset"),
        (
            (tensor(protobuf_field(1, 2**62), protobuf_field(1, 4)),),
            "`w` has more elements than 63 bits can count",
        ),
        (
            (tensor(protobuf_field(1, 0), protobuf_field(1, 2**64 - 1)),),
            "`w` has more elements than 63 bits can count",
        ),
        ((tensor(name="n" * 5000),), "expected a tensor's name of at most 4096 bytes"),
        ((b"\x2a\x7f",), "field 5 at offset 4 has 127 bytes, but what it belongs to ends at 6"),
        ((b"\x2b",), "expected a field at offset 4, got 5 of wire type 3"),
        ((b"\x2a" + b"\xff" * 10,), "the number at offset 5 has more than 64 bits"),
        ((b"\x2a" + b"\xff" * 9 + b"\x7f",), "the number at offset 5 has more than 64 bits"),
        ((b"\x2a\xff",), "expected 2 bytes at offset 5, but the file ends at 6"),
        (
            (b"\x5a" + bytes([9 + 33 * 2]) + b"\x12" + bytes([7 + 33 * 2]) + b"\x0a"
             + bytes([5 + 33 * 2]) + b"\x08\x01\x12" + bytes([1 + 33 * 2]) + b"\x0a\x00" * 33 + b"\0",),
            "a shape has more than 32 sides",
        ),
    ],
)  # fmt: skip
def test_every_broken_rule_is_named(tmp_path: Path, fields: tuple[bytes, ...], words: str) -> None:
    """Expected and got, and where."""
    assert words in problem_of(write(tmp_path, *fields))


@pytest.mark.parametrize("length", [7, 9, 0])
def test_raw_numbers_are_as_long_as_the_shape_says(tmp_path: Path, length: int) -> None:
    """Neither shorter nor longer, and two numbers of 32 bits are eight bytes."""
    sound = tensor(protobuf_field(1, 2), protobuf_field(9, bytes(8)))
    assert read_onnx(write(tmp_path, sound)).shape("w") == (2,)
    other = tensor(protobuf_field(1, 2), protobuf_field(9, bytes(length)))
    assert f"has {length} bytes, but F32 [2] takes 8" in problem_of(write(tmp_path, other))


def test_a_field_across_its_messages_end_is_named(tmp_path: Path) -> None:
    """A number that begins inside a message and ends behind it."""
    path = tmp_path / "m.onnx"
    path.write_bytes(protobuf_field(7, b"\x08\xff") + b"\x01\0\0")
    assert "a field goes beyond its message, which ends at 4" in problem_of(path)


def test_names_and_values_together_are_bounded(tmp_path: Path) -> None:
    """Many texts of a legal length do not add up to much memory."""
    properties = {f"k{number}": "x" * 65_000 for number in range(200)}
    path = tiny.write_onnx(tmp_path / "m.onnx", {}, properties=properties)
    assert problem_of(path).startswith("names and values take more than 8388608 bytes")


def test_fields_together_are_bounded(tmp_path: Path) -> None:
    """Two bytes a field: a file of a megabyte could ask for half a million steps."""
    path = tmp_path / "m.onnx"
    path.write_bytes(b"\x08\x01" * 400_001)
    assert problem_of(path).startswith("more than 400000 fields at offset")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "expected one graph, got 0"),
        (protobuf_field(1, 8), "expected one graph, got 0"),
        (protobuf_field(7, b"") * 2, "expected one graph, got 2"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"PK\x03\x04\0\0\0\x08\x08\0", "a ZIP archive"),
        (b"GGUF\x03\0\0\0\0\0\0\0", "a GGUF file"),
    ],
)
def test_files_of_another_kind_are_recognised(tmp_path: Path, content: bytes, words: str) -> None:
    """The format has no mark of its own, so a missing graph is the first thing to be seen."""
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    assert words in problem_of(path)


def test_every_truncation_is_found(tmp_path: Path) -> None:
    """Wherever a download stopped inside the graph."""
    path = tiny.write_onnx(tmp_path / "m.onnx", {"a": ("F16", (3, 3))}, inputs=UNET_INPUTS)
    content = path.read_bytes()
    end = len(content) - len(protobuf_field(8, protobuf_field(2, 17)))
    for size in range(end):
        path.write_bytes(content[:size])
        problem_of(path)


def test_what_cannot_be_opened_is_unreadable(tmp_path: Path) -> None:
    """The operating system's refusals are passed on."""
    with pytest.raises(SourceNotFoundError):
        read_onnx(tmp_path / "gone.onnx")
    with pytest.raises(SourceUnreadableError, match="Is a directory"):
        read_onnx(tmp_path)


def fixed(number: int) -> bytes:
    """A field of eight bytes that are no number for anybody."""
    return bytes([number << 3 | 1]) + b"\7" * 8


def noisy(fields: dict[int, bytes | int]) -> bytes:
    """Spell a message with each field, and around it fields of its number in other wire types."""
    whole = b""
    for number, value in fields.items():
        others = fixed(number) + bytes([number << 3 | 5]) + b"\7" * 4
        other = protobuf_field(number, 7 if isinstance(value, bytes) else b"\x0f\x0f")
        whole += others + other + protobuf_field(number, value) + other + others
    return whole


def test_fields_of_another_wire_type_are_stepped_over(tmp_path: Path) -> None:
    """A number where text should be says nothing, and takes the place of nothing."""
    side = noisy({2: b"height"})
    shape = fixed(1) + protobuf_field(1, 7) + protobuf_field(1, side)
    sample = noisy({1: b"sample", 2: noisy({1: noisy({2: shape})})})
    # Sides of a tensor are numbers in both wire types, so they have no noise.
    stored = protobuf_field(1, 2) + noisy({2: 1, 8: b"w", 9: bytes(8)})
    graph = noisy({2: b"main", 5: stored, 11: sample, 12: sample})
    model = noisy(
        {2: b"torch", 3: b"2.0", 8: noisy({1: b"ai.x", 2: 17}), 14: noisy({1: b"k", 2: b"v"})}
    )
    path = tmp_path / "m.onnx"
    path.write_bytes(noisy({1: 8}) + model + noisy({7: graph}))
    index = read_onnx(path)
    assert index.shapes == {"w": (2,)}
    assert index.metadata == {
        "ir_version": "8",
        "producer": "torch",
        "producer_version": "2.0",
        "opset:ai.x": "17",
        "property:k": "v",
        "graph": "main",
        "input:sample": "[height]",
        "output:sample": "[height]",
    }


def test_sides_of_an_input_are_read_up_to_their_bound(tmp_path: Path) -> None:
    """As many as a tensor may have."""

    def value(sides: int) -> bytes:
        shape = protobuf_field(1, protobuf_field(1, 3)) * sides
        return protobuf_field(
            11,
            protobuf_field(1, b"x")
            + protobuf_field(2, protobuf_field(1, protobuf_field(2, shape))),
        )

    found = read_onnx(write(tmp_path, value(32))).metadata["input:x"]
    assert found == f"[{', '.join('3' * 32)}]"
    assert "more than 32 sides" in problem_of(write(tmp_path, value(33)))


@pytest.mark.parametrize(
    ("word", "shown"), [(b"", "?"), (b"w" * 4_096, "w" * 4_096), (b"w" * 4_097, "?")]
)
def test_a_side_without_a_word_that_can_be_kept_is_open(
    tmp_path: Path, word: bytes, shown: str
) -> None:
    """Nothing is said of how long it is."""
    shape = protobuf_field(2, protobuf_field(1, protobuf_field(2, word)))
    value = protobuf_field(1, b"x") + protobuf_field(2, protobuf_field(1, shape))
    index = read_onnx(write(tmp_path, protobuf_field(11, value)))
    assert index.metadata["input:x"] == f"[{shown}]"


def test_numbers_of_a_type_that_is_not_known_are_of_any_length(tmp_path: Path) -> None:
    """A later version of the format may have more types."""
    stored = protobuf_field(8, b"w") + protobuf_field(1, 2) + protobuf_field(2, 99)
    index = read_onnx(write(tmp_path, protobuf_field(5, stored + protobuf_field(9, bytes(3)))))
    assert (index.tensors["w"].dtype, index.shape("w")) == ("type 99", (2,))
