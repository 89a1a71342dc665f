"""A folder with one model as diffusers and transformers save it: a configuration and weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from modelshelf.errors import InvalidJsonError
from modelshelf.formats.json_document import read_json
from modelshelf.schema.shard_name import parse_shard_name, without_shard_numbers
from modelshelf.schema.source import SourceFile, SourceTree

__all__ = ["LONGEST_CONFIG", "FolderConfig", "WeightFile", "WeightFormat", "read_folder_config"]

LONGEST_CONFIG = 4 << 20
"""Bytes of a configuration; a classifier that lists twenty thousand classes has a third of it."""


class WeightFormat(StrEnum):
    """What a weight file is written in, as far as its name tells."""

    SAFETENSORS = "safetensors"
    PICKLE = "pickle"
    ONNX = "onnx"
    OPENVINO = "openvino"
    FLAX = "flax"
    GGUF = "gguf"


@dataclass(frozen=True, slots=True)
class WeightFile:
    """One file, or one shard index, that brings a model's weights."""

    member: SourceFile
    """The file."""
    format: WeightFormat
    """What it is written in."""
    variant: str = ""
    """The word between stem and suffix, such as `fp16` or `non_ema`; empty for the plain form."""
    is_index: bool = False
    """True for `….index.json`: the weights lie in the shards that it names."""


@dataclass(frozen=True, slots=True)
class FolderConfig:
    """What the files at the top of one model folder say."""

    config: Mapping[str, Any]
    """The configuration; empty where there is none."""
    config_name: str
    """File it came from, such as `scheduler_config.json`; empty where there is none."""
    weights: tuple[WeightFile, ...]
    """Weight files sorted by name; the shards of an index are left to the index."""
    tokenizer_files: tuple[str, ...]
    """Names of files that only tokenizers have, sorted."""

    @property
    def class_name(self) -> str:
        """The class that the configuration names; empty where it names none."""
        for key in ("_class_name", "architectures", *_CLASS_KEYS):
            value = self.config.get(key)
            word = value[-1] if isinstance(value, list) and value else value
            if isinstance(word, str) and word:
                return word
        return ""


_CONFIG_NAMES = ("config.json", "scheduler_config.json", "preprocessor_config.json")
_CLASS_KEYS = ("image_processor_type", "feature_extractor_type", "processor_class")
_TOKENIZER_FILES = frozenset(
    {
        "merges.txt",
        "sentencepiece.bpe.model",
        "special_tokens_map.json",
        "spiece.model",
        "tokenizer.json",
        "tokenizer.model",
        "tokenizer_config.json",
        "vocab.json",
        "vocab.txt",
    }
)
_SUFFIXES = {
    "safetensors": WeightFormat.SAFETENSORS,
    "bin": WeightFormat.PICKLE,
    "pt": WeightFormat.PICKLE,
    "pth": WeightFormat.PICKLE,
    "ckpt": WeightFormat.PICKLE,
    "onnx": WeightFormat.ONNX,
    "msgpack": WeightFormat.FLAX,
    "gguf": WeightFormat.GGUF,
}


def read_folder_config(tree: SourceTree, *, limit: int = LONGEST_CONFIG) -> FolderConfig:
    """Read the configuration at the top of *tree* and list the weight files beside it.

    Sub-folders are left alone: they speak for themselves.

    Args:
        tree: A folder.
        limit: Most bytes that the configuration may have.

    Raises:
        InvalidJsonError: The configuration is longer, or no JSON object.
    """
    top = {file.member.name: file for file in tree.files if not file.member.folder}
    config_name = next((name for name in _CONFIG_NAMES if name in top), "")
    return FolderConfig(
        config=_read_object(top[config_name], limit) if config_name else {},
        config_name=config_name,
        weights=_weights(top),
        tokenizer_files=tuple(sorted(_TOKENIZER_FILES & top.keys())),
    )


def _read_object(file: SourceFile, limit: int) -> dict[str, Any]:
    document = read_json(file.path, limit=limit)
    if not isinstance(document, dict):
        raise InvalidJsonError(path=str(file.path), problem="expected an object, got an array")
    return document


def _weights(top: Mapping[str, SourceFile]) -> tuple[WeightFile, ...]:
    found = [_weight(name, top) for name in sorted(top)]
    indexes = {(one.format, one.variant) for one in found if one is not None and one.is_index}
    return tuple(
        one
        for one in found
        if one is not None
        and (one.is_index or not _is_shard(one) or (one.format, one.variant) not in indexes)
    )


def _is_shard(weight: WeightFile) -> bool:
    return parse_shard_name(weight.member.member.name) is not None


def _weight(name: str, top: Mapping[str, SourceFile]) -> WeightFile | None:
    stem, _, suffix = name.rpartition(".")
    if is_index := suffix == "json" and ".index" in stem:
        # `model.safetensors.index.json`, or with a variant `model.safetensors.index.fp16.json`.
        stem, _, variant = stem.partition(".index")
        stem, _, suffix = stem.rpartition(".")
        stem += variant
    # A file called `bin` or `safetensors` has no suffix and claims no format.
    if not stem or suffix not in _SUFFIXES:
        return None
    weights = _SUFFIXES[suffix]
    if suffix == "bin" and stem + ".xml" in top:
        weights = WeightFormat.OPENVINO
    variant = without_shard_numbers(stem.partition(".")[2]).replace("index.", "")
    variant = without_shard_numbers(variant)
    return WeightFile(top[name], weights, variant, is_index=is_index)
