"""What a folder holds that is no pipeline: one component, or one adapter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from modelshelf.errors import FormatError, InvalidJsonError
from modelshelf.formats import (
    FolderConfig,
    ReadingBudget,
    WeightFile,
    WeightFormat,
    read_folder_config,
    read_shards,
    read_tensors,
)
from modelshelf.identify.allowance import TOO_MUCH, Allowance
from modelshelf.identify.claims import BasesSaid, bases_said, claims_of
from modelshelf.identify.decision import decide
from modelshelf.identify.facts import Facts
from modelshelf.identify.family import Families
from modelshelf.identify.folder_weights import with_weights
from modelshelf.identify.lone_tensors import identify_tensors
from modelshelf.identify.narrowing import narrow
from modelshelf.identify.precision import configured_precision
from modelshelf.identify.sibling_config import claims_of_adapter, claims_of_origin
from modelshelf.schema.declared import Declared
from modelshelf.schema.identity import Evidence, Identity, IdentityStatus
from modelshelf.schema.source import SourceFile, SourceTree
from modelshelf.schema.taxonomy import ModelFormat, ModelRepoVariant, ModelType
from modelshelf.schema.tensor import TensorIndex

__all__ = ["DAMAGED", "FolderReading", "identify_folder", "read_folder", "repo_variant_of"]

DAMAGED = "damaged"
"""Rule of the evidence that names a damaged file."""

_Damage = tuple[str, FormatError]
"""A file's name inside the folder, and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class FolderReading:
    """One folder, and everything that was read of it."""

    tree: SourceTree
    """Its files."""
    config: FolderConfig
    """Its configuration and the names of its weights."""
    headers: Mapping[str, TensorIndex]
    """File → header of its weights: of all that lie there as the most trusted container does."""
    damage: tuple[_Damage, ...] = ()
    """Files that break their format; the others may tell enough."""
    is_too_much: bool = False
    """True where the folder holds more weights than any model, so that none of them counts."""


def read_folder(tree: SourceTree, allowance: Allowance | None = None) -> FolderReading:
    """Read the configuration and the headers of the weights at the top of *tree*.

    What is damaged is kept as such: a clone without its large files is a model all the same.

    Args:
        tree: A folder.
        allowance: What the folders of one model may take together; None where this is all of it.
    """
    allowance = allowance or Allowance()
    config, damage = _read_config(tree, allowance)
    headers: dict[str, TensorIndex] = {}
    for weights in _READ:
        for weight in config.weights:
            if weight.format is weights:
                if not allowance.begin():
                    return FolderReading(tree, config, {}, tuple(damage), is_too_much=True)
                try:
                    header = _read_weight(tree, weight, allowance.budget)
                except FormatError as error:
                    if allowance.budget.is_spent:
                        # Whether it is damaged nobody knows.
                        return FolderReading(tree, config, {}, tuple(damage), is_too_much=True)
                    damage.append((weight.member.member, _kept(error)))
                else:
                    headers[weight.member.member] = header
                    allowance.spend(header)
        if headers:
            # The same weights again in another container tell nothing new.
            break
    return FolderReading(tree, config, headers, tuple(damage))


_READ = (
    WeightFormat.SAFETENSORS,
    WeightFormat.PICKLE,
    WeightFormat.GGUF,
    WeightFormat.ONNX,
)


def _read_config(tree: SourceTree, allowance: Allowance) -> tuple[FolderConfig, list[_Damage]]:
    damage: list[_Damage] = []
    while True:
        try:
            config = read_folder_config(tree, limit=allowance.config)
        except InvalidJsonError as error:
            broken = next(file for file in tree.files if str(file.path) == error.facts["path"])
            damage.append((broken.member, error))
            tree = replace(tree, files=tuple(file for file in tree.files if file != broken))
        else:
            read = tree.member(config.config_name)
            allowance.config -= read.size if read is not None else 0
            return config, damage


def _kept(error: FormatError) -> FormatError:
    """Return *error* without the frames that it came through: they hold all that was read of the file."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def _read_weight(tree: SourceTree, weight: WeightFile, budget: ReadingBudget) -> TensorIndex:
    if weight.is_index:
        return read_shards(tree, weight.member, budget=budget)
    return read_tensors(weight.member, budget=budget)


def identify_folder(
    reading: FolderReading,
    families: Families,
    *,
    class_name: str = "",
    pipeline: str = "",
    declared: Iterable[Declared] = (),
) -> Identity:
    """Say what the folder holds.

    Args:
        reading: What was read.
        families: Whom to ask.
        class_name: The class that a pipeline declares, for configurations that name none.
        pipeline: The class of that pipeline, which may say what equal configurations do not.
        declared: What others say of an adapter, for rules that choose among equals.

    Raises:
        FormatError: A file is damaged, no pipeline declares the folder, and the others do not tell.
    """
    claims = claims_of_adapter(reading.tree)
    said = bases_said((*claims, *declared))
    adapter = _identify_adapter(reading, families, said)
    if adapter is not None:
        return narrow(adapter, claims)
    config = reading.config
    identity = None
    if config.config_name or config.tokenizer_files or class_name:
        settings = _settings(reading, class_name, pipeline)
        facts = Facts(settings=settings, config_name=config.config_name or "model_index.json")
        identity = decide(facts, families, fallback=ModelFormat.UNKNOWN)
    identity = narrow(with_weights(identity, reading.headers, families, said), claims)
    if identity.candidates:
        identity = narrow(identity, claims_of_origin(config.config_name, config.config))
    if identity.precision is None:
        identity = replace(identity, precision=configured_precision(config.config))
    if reading.is_too_much and identity.type is ModelType.UNKNOWN:
        identity = replace(identity, near_misses=(TOO_MUCH,))
    if reading.damage and identity.type is ModelType.UNKNOWN and not class_name:
        raise reading.damage[0][1]
    return _with_troubles(
        replace(identity, repo_variant=repo_variant_of([config])),
        reading,
    )


def _settings(reading: FolderReading, class_name: str, pipeline: str) -> dict[str, Any]:
    config = reading.config
    return {
        **config.config,
        # What Flax loads is the same model, in a class of the same name.
        "class": (config.class_name or class_name).removeprefix("Flax"),
        "pipeline": pipeline.removeprefix("Flax"),
        "config": config.config_name,
        # In a pipeline the slot says what a folder is for; alone, what else lies there.
        "tokenizer": bool(config.tokenizer_files)
        and not config.config_name
        and (bool(class_name) or all(map(_is_a_tokenizers, reading.tree.files))),
    }


_TEXTS = frozenset(
    ["json", "txt", "model", "vocab", "bpe", "tiktoken", "md", "py", "jinja", "gitattributes"]
)
"""Suffixes of what tokenizers are made of, and of what repositories have beside them."""


def _is_a_tokenizers(file: SourceFile) -> bool:
    """Say whether *file* may lie in a folder that is a tokenizer and nothing else."""
    name = file.member.name
    stem, dot, suffix = name.rpartition(".")
    is_text = not dot or suffix in _TEXTS
    return not file.member.folder and (
        "tokenizer" in name or (is_text and not stem.endswith(".index"))
    )


def _with_troubles(identity: Identity, reading: FolderReading) -> Identity:
    """Name the shards that are missing and the files that are damaged."""
    headers = reading.headers.values()
    missing = sorted({shard for header in headers for shard in header.missing_shards})
    evidence = (
        *identity.evidence,
        *(
            one
            for one in (Evidence("shards", name, "missing") for name in missing)
            if one not in identity.evidence
        ),
        *(Evidence(DAMAGED, name, str(error.facts["problem"])) for name, error in reading.damage),
    )
    status = identity.status
    if reading.damage:
        status = IdentityStatus.BROKEN
    elif missing and identity.type is not ModelType.UNKNOWN:
        status = IdentityStatus.PARTIAL
    return replace(identity, evidence=evidence, status=status)


_ADAPTER = 600_000
"""Steps; an adapter takes a tenth, and its folder may have taken all that is read of one."""
_ADAPTER_FILES = (
    ("pytorch_lora_weights", ModelType.LORA, ModelFormat.DIFFUSERS),
    ("adapter_model", ModelType.LORA, ModelFormat.DIFFUSERS),
    ("learned_embeds", ModelType.EMBEDDING, ModelFormat.EMBEDDING_FOLDER),
    ("ip_adapter", ModelType.IP_ADAPTER, ModelFormat.INVOKEAI),
)
"""What diffusers, PEFT and InvokeAI call the one weight file of an adapter's folder."""


def _identify_adapter(
    reading: FolderReading, families: Families, said: BasesSaid
) -> Identity | None:
    tree = reading.tree
    for stem, model_type, model_format in _ADAPTER_FILES:
        if model_type is ModelType.IP_ADAPTER and tree.member("image_encoder.txt") is None:
            continue
        weights = tree.member(f"{stem}.safetensors") or tree.member(f"{stem}.bin")
        if weights is not None:
            index = _header_of(weights, reading)
            return _adapter_by_tensors(families, weights, index, model_type, model_format, said)
    return None


def _header_of(weights: SourceFile, reading: FolderReading) -> TensorIndex:
    """Return the header of *weights*, which may have been read: a pickle can take half a second."""
    for name, error in reading.damage:
        if name == weights.member:
            raise error
    known = reading.headers.get(weights.member)
    return read_tensors(weights, budget=ReadingBudget(_ADAPTER)) if known is None else known


def _adapter_by_tensors(
    families: Families,
    weights: SourceFile,
    index: TensorIndex,
    model_type: ModelType,
    model_format: ModelFormat,
    said: BasesSaid,
) -> Identity:
    identity = identify_tensors(index, families, said)
    if identity.type is not model_type:
        # The name alone proves nothing: what tensors say otherwise, or not at all, counts.
        return identity
    found = Evidence("folder", weights.member, "the layout's own name for its weights")
    identity = replace(identity, format=model_format, evidence=(found, *identity.evidence))
    return narrow(identity, claims_of(index.metadata))


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
