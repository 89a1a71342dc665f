"""What an ONNX file says about its model: stored tensors, inputs and outputs, no operator, no weight.

Format: the protobuf message ModelProto. https://github.com/onnx/onnx/blob/main/onnx/onnx.proto

modelshelf walks the fields itself: the `onnx` package reads the whole file into memory, needs numpy,
and follows the paths of external data.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

from modelshelf.errors import InvalidOnnxError, UnportableNameError
from modelshelf.formats.fault import FormatFault
from modelshelf.formats.onnx_tensor import StoredTensor, read_stored_tensor
from modelshelf.formats.opening import read_start, reading
from modelshelf.formats.protobuf import LENGTH, VARINT, FieldReader
from modelshelf.formats.reading_budget import ReadingBudget
from modelshelf.formats.stranger import guess_stranger
from modelshelf.schema.member import MemberPath
from modelshelf.schema.tensor import Container, TensorIndex

__all__ = ["read_onnx"]

_IR_VERSION, _PRODUCER, _PRODUCER_VERSION, _GRAPH, _OPSET, _PROPERTIES = 1, 2, 3, 7, 8, 14
_GRAPH_NAME, _INITIALIZER, _INPUT, _OUTPUT = 2, 5, 11, 12
_PAIR_KEY, _PAIR_VALUE = 1, 2
_VALUE_NAME, _VALUE_TYPE, _TENSOR_TYPE, _TYPE_SHAPE = 1, 2, 1, 2
_SHAPE_SIDE, _SIDE_NUMBER, _SIDE_WORD = 1, 1, 2
_MOST_TENSORS = 65_536
_MOST_TEXTS = 4096
_MOST_SIDES = 32
_LONGEST_WORD = 4096
_LONGEST_VALUE = 64 << 10
_STRANGER = 8
_FIELD_COST, _TENSOR_COST = 2, 10
_MOST_FINDINGS = 8


@dataclass(slots=True)
class _Model:
    """What was found so far."""

    texts: dict[str, str] = field(default_factory=dict)
    tensors: list[StoredTensor] = field(default_factory=list)
    graphs: int = 0


def read_onnx(path: Path, *, budget: ReadingBudget | None = None) -> TensorIndex:
    """Read names, types, shapes and places of all stored tensors in the ONNX file *path*.

    Reads what describes the graph and steps over its operators and weights. No other file is opened,
    whatever the graph says about external data.

    Args:
        path: A regular file.
        budget: What may be read of this file and of others beside it; None where there are none.

    Returns:
        The graph's initializers in the file's order, with `begin` and `end` 0 where the numbers lie in
        another file or not as raw bytes. `metadata` has `input:NAME` and `output:NAME` with their
        shapes, such as `[2, 77, 768]`, where a side may be a word and is `?` where the file says
        nothing; `opset:DOMAIN`, `producer`, `ir_version`, `graph`, and the file's own properties as
        `property:KEY`. A finding names each file that holds numbers.

    Raises:
        InvalidOnnxError: A rule is broken; the problem names the tensor or offset.
        SourceNotFoundError: It is gone.
        SourceUnreadableError: The operating system refuses to read it.

    Example:
        >>> from modelshelf.testing import tiny
        >>> path = tiny.write_onnx("m.onnx", {"w": ("F16", (2, 3))}, inputs={"sample": (2, 4, "h", "w")})
        >>> index = read_onnx(path)
        >>> index.shape("w"), index.metadata["input:sample"]
        ((2, 3), '[2, 4, h, w]')
    """
    try:
        with reading(path) as stream:
            return _read(stream, os.fstat(stream.fileno()).st_size, budget or ReadingBudget())
    except FormatFault as fault:
        problem = fault.problem + guess_stranger(read_start(path, _STRANGER))
        raise InvalidOnnxError(path=str(path), problem=problem) from fault


def _read(stream: BinaryIO, size: int, budget: ReadingBudget) -> TensorIndex:
    reader, model = FieldReader(stream, size), _Model()
    try:
        _read_model(reader, model, size)
    finally:
        budget.charge(_FIELD_COST * reader.walked + _TENSOR_COST * len(model.tensors))
    if model.graphs != 1:
        raise FormatFault(problem=f"expected one graph, got {model.graphs}")
    tensors = {one.name: one.entry for one in model.tensors}
    if len(tensors) != len(model.tensors):
        names = sorted(one.name for one in model.tensors)
        twice = next(one for one, after in pairwise(names) if one == after)
        raise FormatFault(problem=f"the tensor `{twice}` is there twice")
    # Old writers list every stored tensor among the inputs too.
    stored = {f"input:{name}" for name in tensors}
    return TensorIndex(
        tensors=tensors,
        metadata={key: text for key, text in model.texts.items() if key not in stored},
        container=Container.ONNX,
        findings=tuple(sorted(_findings(model.tensors))),
    )


def _read_model(reader: FieldReader, model: _Model, size: int) -> None:
    for number, wire, value in reader.fields(size):
        if wire == VARINT and number == _IR_VERSION:
            _keep(model, "ir_version", str(value))
        elif wire != LENGTH:
            continue
        elif number == _GRAPH:
            model.graphs += 1
            _read_graph(reader, model, value)
        elif number == _PRODUCER:
            _keep(model, "producer", reader.text(value, at_most=_LONGEST_WORD))
        elif number == _PRODUCER_VERSION:
            _keep(model, "producer_version", reader.text(value, at_most=_LONGEST_WORD))
        elif number == _OPSET:
            _read_opset(reader, model, value)
        elif number == _PROPERTIES:
            _read_property(reader, model, value)


def _read_graph(reader: FieldReader, model: _Model, end: int) -> None:
    for number, wire, value in reader.fields(end):
        if wire != LENGTH:
            continue
        if number == _INITIALIZER:
            model.tensors.append(read_stored_tensor(reader, value))
            if len(model.tensors) > _MOST_TENSORS:
                raise FormatFault(problem=f"more than {_MOST_TENSORS} stored tensors")
        elif number == _INPUT:
            _read_value(reader, model, value, "input")
        elif number == _OUTPUT:
            _read_value(reader, model, value, "output")
        elif number == _GRAPH_NAME:
            _keep(model, "graph", reader.text(value, at_most=_LONGEST_WORD))


def _read_opset(reader: FieldReader, model: _Model, end: int) -> None:
    domain: str | None = ""
    version = 0
    for number, wire, value in reader.fields(end):
        if number == _PAIR_KEY and wire == LENGTH:
            domain = reader.text(value, at_most=_LONGEST_WORD)
        elif number == _PAIR_VALUE and wire == VARINT:
            version = value
    # The specification's own domain has no name.
    _keep(model, f"opset:{domain or 'ai.onnx'}", str(version))


def _read_property(reader: FieldReader, model: _Model, end: int) -> None:
    key: str | None = None
    text: str | None = None
    for number, wire, value in reader.fields(end):
        if number == _PAIR_KEY and wire == LENGTH:
            key = reader.text(value, at_most=_LONGEST_WORD)
        elif number == _PAIR_VALUE and wire == LENGTH:
            text = reader.text(value, at_most=_LONGEST_VALUE)
    _keep(model, f"property:{key}", text if key is not None else None)


def _read_value(reader: FieldReader, model: _Model, end: int, what: str) -> None:
    """Read a ValueInfoProto: the name of an input or output and, of a tensor, its shape."""
    name: str | None = None
    shape = ""
    for number, wire, value in reader.fields(end):
        if number == _VALUE_NAME and wire == LENGTH:
            name = reader.text(value, at_most=_LONGEST_WORD)
        elif number == _VALUE_TYPE and wire == LENGTH:
            shape = _read_type(reader, value)
    if name is not None:
        _keep(model, f"{what}:{name}", shape)


def _read_type(reader: FieldReader, end: int) -> str:
    for number, wire, value in reader.fields(end):
        if number == _TENSOR_TYPE and wire == LENGTH:
            for inner, inner_wire, inner_end in reader.fields(value):
                if inner == _TYPE_SHAPE and inner_wire == LENGTH:
                    return f"[{', '.join(_sides(reader, inner_end))}]"
    return ""


def _sides(reader: FieldReader, end: int) -> list[str]:
    sides: list[str] = []
    for number, wire, value in reader.fields(end):
        if number == _SHAPE_SIDE and wire == LENGTH:
            sides.append(_side(reader, value))
        if len(sides) > _MOST_SIDES:
            raise FormatFault(problem=f"a shape has more than {_MOST_SIDES} sides")
    return sides


def _side(reader: FieldReader, end: int) -> str:
    side = "?"
    for number, wire, value in reader.fields(end):
        if number == _SIDE_NUMBER and wire == VARINT:
            side = str(value)
        elif number == _SIDE_WORD and wire == LENGTH:
            side = reader.text(value, at_most=_LONGEST_WORD) or "?"
    return side


def _keep(model: _Model, key: str, text: str | None) -> None:
    # The first counts: nothing later in the file can take its place.
    if text is not None and len(model.texts) < _MOST_TEXTS:
        model.texts.setdefault(key, text)


def _findings(tensors: list[StoredTensor]) -> Iterator[str]:
    files = Counter(one.file for one in tensors if one.file is not None)
    for file in sorted(files)[:_MOST_FINDINGS]:
        yield (
            f"{files[file]} tensors have their numbers in {file[:80]!r}, which was not opened"
            + ("" if _stays_beside(file) else " and does not lie beside this file")
        )
    if len(files) > _MOST_FINDINGS:
        yield f"numbers of tensors lie in {len(files)} other files"


def _stays_beside(file: str) -> bool:
    try:
        MemberPath.parse(file)
    except UnportableNameError:
        return False
    return True
