"""What a folder holds that is no pipeline: one component, or one adapter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from modelshelf.formats import (
    FolderConfig,
    WeightFormat,
    read_folder_config,
    read_safetensors,
    read_shards,
)
from modelshelf.identify.decision import decide
from modelshelf.identify.facts import Facts
from modelshelf.identify.family import Families
from modelshelf.schema.identity import Evidence, Identity, NearMiss
from modelshelf.schema.source import SourceFile, SourceTree
from modelshelf.schema.taxonomy import ModelFormat, ModelRepoVariant, ModelType
from modelshelf.schema.tensor import TensorIndex

__all__ = ["FolderReading", "heaviest_dtype", "identify_folder", "read_folder", "repo_variant_of"]


@dataclass(frozen=True, slots=True)
class FolderReading:
    """One folder, and everything that was read of it."""

    tree: SourceTree
    """Its files."""
    config: FolderConfig
    """Its configuration and the names of its weights."""
    headers: tuple[TensorIndex, ...]
    """Headers of all weights in safetensors."""


def read_folder(tree: SourceTree) -> FolderReading:
    """Read the configuration and every safetensors header at the top of *tree*.

    Raises:
        FormatError: One of them is damaged.
    """
    config = read_folder_config(tree)
    headers = tuple(
        read_shards(tree, weight.member)
        if weight.is_index
        else read_safetensors(weight.member.path)
        for weight in config.weights
        if weight.format is WeightFormat.SAFETENSORS
    )
    return FolderReading(tree, config, headers)


def identify_folder(
    reading: FolderReading, families: Families, *, class_name: str = ""
) -> Identity:
    """Say what the folder holds.

    Args:
        reading: What was read.
        families: Whom to ask.
        class_name: The class that a pipeline declares, for configurations that name none.
    """
    adapter = _identify_adapter(reading, families)
    if adapter is not None:
        return adapter
    config = reading.config
    if config.config_name or config.tokenizer_files or class_name:
        settings = _settings(config, class_name)
        facts = Facts(settings=settings, config_name=config.config_name or "model_index.json")
        identity = _decide(facts, reading, families)
    else:
        identity = _identify_weights(reading, families)
    return replace(
        identity,
        precision=heaviest_dtype(reading.headers),
        repo_variant=repo_variant_of([config]),
        evidence=identity.evidence + _missing_shards(reading.headers),
    )


def _settings(config: FolderConfig, class_name: str) -> dict[str, Any]:
    return {
        **config.config,
        "class": config.class_name or class_name,
        "config": config.config_name,
        "tokenizer": bool(config.tokenizer_files) and not config.config_name,
    }


def _decide(facts: Facts, reading: FolderReading, families: Families) -> Identity:
    return decide(facts, families, path=str(reading.tree.root), fallback=ModelFormat.UNKNOWN)


def _identify_weights(reading: FolderReading, families: Families) -> Identity:
    """Without a configuration the weights speak, if they are one model."""
    if len(reading.headers) == 1:
        return _decide(Facts(reading.headers[0]), reading, families)
    missing = (
        "a configuration beside several weight files"
        if reading.headers
        else "a configuration, or weights whose container is read"
    )
    return Identity(
        type=ModelType.UNKNOWN,
        format=ModelFormat.UNKNOWN,
        near_misses=(NearMiss("folder", missing),),
    )


_ADAPTER_FILES = (
    ("pytorch_lora_weights", ModelType.LORA, ModelFormat.DIFFUSERS),
    ("adapter_model", ModelType.LORA, ModelFormat.DIFFUSERS),
    ("learned_embeds", ModelType.EMBEDDING, ModelFormat.EMBEDDING_FOLDER),
    ("ip_adapter", ModelType.IP_ADAPTER, ModelFormat.INVOKEAI),
)
"""What diffusers, PEFT and InvokeAI call the one weight file of an adapter's folder."""


def _identify_adapter(reading: FolderReading, families: Families) -> Identity | None:
    for stem, model_type, model_format in _ADAPTER_FILES:
        if model_type is ModelType.IP_ADAPTER and reading.tree.member("image_encoder.txt") is None:
            continue
        tensors = reading.tree.member(f"{stem}.safetensors")
        weights = tensors or reading.tree.member(f"{stem}.bin")
        if weights is None:
            continue
        found = Evidence("folder", weights.member, "the layout's own name for its weights")
        if tensors is None:
            return Identity(
                type=model_type,
                format=model_format,
                evidence=(found,),
                near_misses=(
                    NearMiss("folder", f"a container that is read, for {weights.member}"),
                ),
            )
        return _adapter_by_tensors(reading, families, tensors, model_type, model_format, found)
    return None


def _adapter_by_tensors(
    reading: FolderReading,
    families: Families,
    weights: SourceFile,
    model_type: ModelType,
    model_format: ModelFormat,
    found: Evidence,
) -> Identity:
    index = read_safetensors(weights.path)
    identity = _decide(Facts(index), reading, families)
    if identity.type is not model_type:
        # The name alone proves nothing: what tensors say otherwise, or not at all, counts.
        return identity
    return replace(identity, format=model_format, evidence=(found, *identity.evidence))


def _missing_shards(headers: Iterable[TensorIndex]) -> tuple[Evidence, ...]:
    missing = sorted({shard for header in headers for shard in header.missing_shards})
    return tuple(Evidence("shards", name, "missing") for name in missing)


def heaviest_dtype(headers: Iterable[TensorIndex]) -> str | None:
    """Return the dtype that most bytes of all *headers* together have; None without any."""
    sizes: Counter[str] = Counter()
    for header in headers:
        for entry in header.tensors.values():
            sizes[entry.dtype] += entry.end - entry.begin
    return min(sizes, key=lambda dtype: (-sizes[dtype], dtype)) if sizes else None


def repo_variant_of(configs: Iterable[FolderConfig]) -> ModelRepoVariant | None:
    """Say which form of the weights the folders hold, by their names; None without weights.

    A folder that holds the plain form is `default`, whatever lies beside it.
    """
    forms = {(weight.format, weight.variant) for config in configs for weight in config.weights}
    torch = {
        variant
        for weights, variant in forms
        if weights in {WeightFormat.SAFETENSORS, WeightFormat.PICKLE}
    }
    for variant in (ModelRepoVariant.FP16, ModelRepoVariant.FP32):
        if torch == {variant.value}:
            return variant
    if torch:
        return ModelRepoVariant.DEFAULT
    others = (
        (WeightFormat.ONNX, ModelRepoVariant.ONNX),
        (WeightFormat.OPENVINO, ModelRepoVariant.OPENVINO),
        (WeightFormat.FLAX, ModelRepoVariant.FLAX),
    )
    present = {weights for weights, _ in forms}
    return next((variant for weights, variant in others if weights in present), None)
