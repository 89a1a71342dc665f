"""What the configuration beside a lone weight file says, where diffusers saved the two together."""

from __future__ import annotations

from pathlib import Path

from modelshelf.errors import FormatError, SourceError
from modelshelf.formats import read_json
from modelshelf.schema.declared import Declared, Trust
from modelshelf.schema.identity import Identity
from modelshelf.schema.source import SourceFile
from modelshelf.schema.taxonomy import BaseModelType, ModelType

__all__ = ["claims_beside"]

_STEM = "diffusion_pytorch_model"
"""What diffusers calls the weights of a component. Under any other name a file belongs to nobody."""
_LARGEST = 65_536
"""Bytes of a configuration that is read for this; published ones have a few thousand."""

_SCALES: tuple[tuple[float, int, tuple[BaseModelType, ...]], ...] = (
    (0.18215, 4, (BaseModelType.SD_1, BaseModelType.SD_2)),
    (0.13025, 4, (BaseModelType.SDXL,)),
    (0.3611, 16, (BaseModelType.FLUX,)),
    (1.5305, 16, (BaseModelType.SD_3,)),
)
"""Scaling factor and channels of latents → the bases whose denoisers take such latents."""


def claims_beside(file: SourceFile, identity: Identity) -> tuple[Declared, ...]:
    """Return what `config.json` beside *file* says about the base of a VAE.

    Only for what structure left open, only where the file has the name that diffusers gives it, and
    one statement at most. A configuration that cannot be read says nothing.
    """
    if identity.type is not ModelType.VAE or identity.bases:
        return ()
    if not file.member.name.startswith(_STEM):
        return ()
    path = file.path.parent / "config.json"
    settings = _read(path)
    if not str(settings.get("_class_name", "")).startswith("Autoencoder"):
        return ()
    scale, channels = settings.get("scaling_factor"), settings.get("latent_channels")
    return tuple(
        Declared(Trust.CONFIG, "config.json:scaling_factor", str(scale), bases=bases)
        for known, width, bases in _SCALES
        if (scale, channels) == (known, width)
    )


def _read(path: Path) -> dict[str, object]:
    try:
        document = read_json(path, limit=_LARGEST)
    except (FormatError, SourceError):
        return {}
    return document if isinstance(document, dict) else {}
