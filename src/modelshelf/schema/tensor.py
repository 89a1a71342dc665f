"""Tensor names, shapes and places: what a header says about weights, without the weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

__all__ = ["Container", "TensorEntry", "TensorIndex"]


class Container(StrEnum):
    """Ways of writing tensors into one file."""

    SAFETENSORS = "safetensors"
    PICKLE = "a PyTorch checkpoint"
    GGUF = "GGUF"
    ONNX = "ONNX"
    OTHER = "no container of tensors"


class TensorEntry(NamedTuple):
    """One tensor of a file.

    A named tuple, because a header holds thousands and it is made three times faster than a frozen
    dataclass.
    """

    dtype: str
    """Type label as safetensors writes it, such as `F16` or `BF16`; in GGUF the kind, such as `Q4_K`.
    Empty where a shard index names the tensor and the shard is missing: then only the name is known."""
    shape: tuple[int, ...]
    """Dimensions in torch order (out, in, …); empty for a scalar."""
    begin: int
    """First byte, counted from the start of the file; with *end* 0 where they are no single range."""
    end: int
    """One past the last byte, counted from the start of the file."""


@dataclass(frozen=True, slots=True)
class TensorIndex:
    """All tensors of one file, or of the shards that together make one model."""

    tensors: Mapping[str, TensorEntry]
    """Name → entry, in file order."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """The file's own text metadata (`__metadata__`): untrusted, evidence at most."""
    missing_shards: tuple[str, ...] = ()
    """Shards that an index file names and the folder lacks; empty when whole."""
    container: Container = Container.SAFETENSORS
    """What the tensors are written in."""
    findings: tuple[str, ...] = ()
    """What the reader refused or left alone and a person should know: sorted, one sentence each."""

    def shape(self, name: str) -> tuple[int, ...] | None:
        """Return the shape of tensor *name*, or None where there is none."""
        entry = self.tensors.get(name)
        return None if entry is None else entry.shape
