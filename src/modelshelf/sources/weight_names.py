"""What the name of a file in a repository says about the weights in it.

The names are those that diffusers, transformers and optimum save under:
https://huggingface.co/docs/diffusers/using-diffusers/other-formats,
https://huggingface.co/docs/diffusers/using-diffusers/loading#checkpoint-variants.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["ADAPTER_STEMS", "LAYOUT_STEMS", "Weights", "WeightsKind", "WeightsName", "sets_of"]


class WeightsKind(StrEnum):
    """Which family of programs reads the weights."""

    TORCH = "torch"
    ONNX = "onnx"
    OPENVINO = "openvino"
    FLAX = "flax"
    OTHER = "other"
    """TensorFlow, Core ML and the like: nothing here loads them."""


LAYOUT_STEMS = frozenset(
    {
        "diffusion_pytorch_model",
        "model",
        "pytorch_model",
        "diffusion_flax_model",
        "flax_model",
        "openvino_model",
        "tf_model",
        "rust_model",
    }
)
"""Names under which a library saves the weights of a folder: all of them are the same model."""
ADAPTER_STEMS = frozenset({"pytorch_lora_weights", "adapter_model", "learned_embeds", "ip_adapter"})
"""Names of the one weight file of an adapter's folder, which may have no configuration beside it."""

_SUFFIXES = {
    "safetensors": WeightsKind.TORCH,
    "sft": WeightsKind.TORCH,
    "bin": WeightsKind.TORCH,
    "pt": WeightsKind.TORCH,
    "pth": WeightsKind.TORCH,
    "ckpt": WeightsKind.TORCH,
    "gguf": WeightsKind.TORCH,
    "onnx": WeightsKind.ONNX,
    "onnx_data": WeightsKind.ONNX,
    "pb": WeightsKind.ONNX,
    "xml": WeightsKind.OPENVINO,
    "msgpack": WeightsKind.FLAX,
    "h5": WeightsKind.OTHER,
    "ot": WeightsKind.OTHER,
    "tflite": WeightsKind.OTHER,
    "mlmodel": WeightsKind.OTHER,
    "npz": WeightsKind.OTHER,
}
_VARIANTS = frozenset({"fp16", "fp32", "bf16", "fp8", "non_ema", "ema", "int8", "8bit", "4bit"})
"""Words that are a variant in any name; behind a layout's stem every word is one."""
_SHARD = re.compile(r"(?P<stem>.+?)-(?P<number>\d{5})-of-(?P<count>\d{5})(?P<rest>(?:\.[\w-]+)?)")
_INDEX = re.compile(r"(?P<stem>.+)\.(?P<suffix>\w+)\.index(?:\.(?P<variant>[\w-]+))?\.json")
_CORE_ML = (".mlmodelc/", ".mlpackage/")


@dataclass(frozen=True, slots=True)
class WeightsName:
    """One file's name, taken apart."""

    path: str
    """The name in the repository."""
    kind: WeightsKind
    folder: str
    """Where it lies; empty at the top."""
    stem: str
    """Without variant, shard number and suffix."""
    variant: str
    """`fp16`, `non_ema`, …; empty for the plain form."""
    suffix: str
    """Of the weights, also where this is their index: `safetensors`, `bin`, …."""
    shard: int | None = None
    """Number of the shard from 1; None for a whole file or an index."""
    count: int = 0
    """How many shards there are; 0 for a whole file or an index."""
    is_index: bool = False
    """True for `….index.json`."""

    @classmethod
    def parse(cls, path: str) -> WeightsName | None:
        """Take the name apart; None for a file that holds no weights and no index of them."""
        folder, _, name = path.rpartition("/")
        if any(mark in f"{path}/" for mark in _CORE_ML):
            return cls(path, WeightsKind.OTHER, folder, name, "", "mlmodelc")
        if (index := _INDEX.fullmatch(name)) is not None and index["suffix"] in _SUFFIXES:
            stem, variant = _split(index["stem"])
            return cls(
                path,
                _SUFFIXES[index["suffix"]],
                folder,
                stem,
                index["variant"] or variant,
                index["suffix"],
                is_index=True,
            )
        stem, _, suffix = name.rpartition(".")
        suffix = suffix.lower()
        if stem.endswith(".onnx") and suffix in {"data", "pb"}:
            stem, suffix = stem.removesuffix(".onnx"), "onnx_data"
        if not stem or suffix not in _SUFFIXES:
            return None
        kind = _SUFFIXES[suffix]
        if stem.startswith("openvino_") and suffix in {"bin", "xml"}:
            kind = WeightsKind.OPENVINO
        elif suffix == "xml":
            return None
        shard = _SHARD.fullmatch(stem)
        if shard is None:
            stem, variant = _split(stem)
            return cls(path, kind, folder, stem, variant, suffix)
        stem, variant = _split(shard["stem"] + shard["rest"])
        number, count = int(shard["number"]), int(shard["count"])
        return cls(path, kind, folder, stem, variant, suffix, number, count)


def _split(stem: str) -> tuple[str, str]:
    first, _, last = stem.rpartition(".")
    if first and (last in _VARIANTS or first in LAYOUT_STEMS | ADAPTER_STEMS):
        return first, last
    return stem, ""


@dataclass(frozen=True, slots=True)
class Weights:
    """Files that together are one form of one model's weights."""

    kind: WeightsKind
    folder: str
    stem: str
    variant: str
    suffix: str
    paths: tuple[str, ...]
    """The files and their index, sorted."""
    is_sharded: bool
    is_whole: bool
    """False where a shard is missing."""


def sets_of(names: Iterable[WeightsName]) -> list[Weights]:
    """Put files together that are shards of one form of weights, with their index.

    Example:
        >>> names = ["model.safetensors", "m-00001-of-00002.bin", "m-00002-of-00002.bin"]
        >>> [len(one.paths) for one in sets_of(WeightsName.parse(name) for name in names)]
        [2, 1]
    """
    found: dict[tuple[str, ...], list[WeightsName]] = {}
    indexes: dict[tuple[str, ...], str] = {}
    for name in names:
        key = (name.kind.value, name.folder, name.stem, name.variant, _family(name))
        if name.is_index:
            indexes[key] = name.path
        else:
            found.setdefault((*key, str(name.count)), []).append(name)
    return [
        _weights(parts, indexes.get(key[:-1]) if parts[0].count else None)
        for key, parts in sorted(found.items())
    ]


def _family(name: WeightsName) -> str:
    """Return the suffix that all files of a set have in common."""
    if name.kind in {WeightsKind.ONNX, WeightsKind.OPENVINO}:
        return name.kind.value
    return name.suffix


def _weights(parts: list[WeightsName], index: str | None) -> Weights:
    first = parts[0]
    present = {name.shard for name in parts}
    return Weights(
        kind=first.kind,
        folder=first.folder,
        stem=first.stem,
        variant=first.variant,
        suffix=first.suffix,
        paths=tuple(sorted([name.path for name in parts] + ([index] if index else []))),
        is_sharded=bool(first.count),
        is_whole=not first.count or present == set(range(1, first.count + 1)),
    )
