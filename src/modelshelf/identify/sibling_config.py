"""What the configuration beside weights says: of a checkpoint, a VAE that diffusers saved, a PEFT adapter."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from modelshelf.errors import FormatError, SourceError
from modelshelf.formats import predicts_velocity, read_json
from modelshelf.schema.declared import Declared, Trust
from modelshelf.schema.identity import Identity
from modelshelf.schema.source import SourceFile, SourceTree
from modelshelf.schema.taxonomy import BaseModelType, ModelType, SchedulerPredictionType
from modelshelf.schema.vocabulary import base_meant

__all__ = ["claims_beside", "claims_of_adapter", "claims_of_origin"]

_STEM = "diffusion_pytorch_model"
"""What diffusers calls the weights of a component. Under any other name a file belongs to nobody."""
_ADAPTER_CONFIG = "adapter_config.json"
_ADAPTER_STEMS = ("adapter_model.", "pytorch_lora_weights.")
"""How the files begin that PEFT and diffusers keep beside `adapter_config.json`."""
_LARGEST = 65_536
"""Bytes of a configuration that is read for this; published ones have a few thousand."""
_LONGEST = 80
"""Characters of a name that is cited."""

_SCALES: tuple[tuple[float, int, tuple[BaseModelType, ...]], ...] = (
    (0.18215, 4, (BaseModelType.SD_1, BaseModelType.SD_2)),
    (0.13025, 4, (BaseModelType.SDXL,)),
    (0.3611, 16, (BaseModelType.FLUX,)),
    (1.5305, 16, (BaseModelType.SD_3,)),
)
"""Scaling factor and channels of latents → the bases whose denoisers take such latents."""


def claims_beside(file: SourceFile, identity: Identity) -> tuple[Declared, ...]:
    """Return what the configuration beside *file* says of what structure left open.

    Of a VAE its base, where the file has the name that diffusers gives it: `config.json`. Of an adapter
    what it was trained on, where it has PEFT's: `adapter_config.json`. Of a checkpoint what it
    predicts: the `.yaml` of the same name, which loaders of the original code obey. One statement at
    most. A configuration that cannot be read says nothing.
    """
    if identity.type is ModelType.LORA:
        beside = file.path.with_name(_ADAPTER_CONFIG)
        is_named = file.member.name.startswith(_ADAPTER_STEMS)
        return _claims_of_adapter(beside) if is_named and beside.is_file() else ()
    if identity.type is ModelType.MAIN:
        beside = file.path.with_suffix(".yaml")
        return _claims_of_checkpoint(beside) if beside.is_file() else ()
    if identity.type is not ModelType.VAE or identity.bases:
        return ()
    if not file.member.name.startswith(_STEM):
        return ()
    path = file.path.parent / "config.json"
    # Whoever opens a pipe waits for somebody to write.
    settings = _read(path) if path.is_file() else {}
    if not str(settings.get("_class_name", "")).startswith("Autoencoder"):
        return ()
    scale, channels = settings.get("scaling_factor"), settings.get("latent_channels")
    return tuple(
        Declared(Trust.CONFIG, "config.json:scaling_factor", str(scale), bases=bases)
        for known, width, bases in _SCALES
        if (scale, channels) == (known, width)
    )


def _claims_of_checkpoint(path: Path) -> tuple[Declared, ...]:
    try:
        if not predicts_velocity(path):
            return ()
    except SourceError:
        return ()
    where = f"{path.name}:parameterization"
    v = SchedulerPredictionType.V_PREDICTION
    return (Declared(Trust.CONFIG, where, "v", prediction_type=v),)


def claims_of_adapter(tree: SourceTree) -> tuple[Declared, ...]:
    """Return what PEFT's `adapter_config.json` in *tree* names as the base that was trained on.

    A repository or a path that somebody typed: a claim like those inside the file.
    """
    file = tree.member(_ADAPTER_CONFIG)
    return _claims_of_adapter(file.path) if file is not None else ()


def _claims_of_adapter(path: Path) -> tuple[Declared, ...]:
    return _claims_of_name(_ADAPTER_CONFIG, _read(path), "base_model_name_or_path")


def claims_of_origin(config_name: str, settings: Mapping[str, object]) -> tuple[Declared, ...]:
    """Return what a configuration says of the model that this one was made of, as diffusers writes it.

    Args:
        config_name: Name of the configuration's file.
        settings: What it says.

    Example:
        >>> claims_of_origin("config.json", {"_name_or_path": "acme/stable-diffusion-v1-5"})[0].bases
        (<BaseModelType.SD_1: 'sd-1'>,)
    """
    return _claims_of_name(config_name, settings, "_name_or_path")


def _claims_of_name(
    config_name: str, settings: Mapping[str, object], field: str
) -> tuple[Declared, ...]:
    word = settings.get(field)
    meaning = base_meant(word) if isinstance(word, str) else None
    if meaning is None:
        return ()
    where = f"{config_name}:{field}"
    return (Declared(Trust.METADATA, where, str(word)[:_LONGEST], bases=meaning.bases),)


def _read(path: Path) -> dict[str, object]:
    try:
        document = read_json(path, limit=_LARGEST)
    except (FormatError, SourceError):
        return {}
    return document if isinstance(document, dict) else {}
