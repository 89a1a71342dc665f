"""Makes a folder tree as people have them: pipelines that share parts, and small models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

from modelshelf.testing.tiny.adapter import controlnet, textual_inversion
from modelshelf.testing.tiny.checkpoint import checkpoint
from modelshelf.testing.tiny.lora import lora
from modelshelf.testing.tiny.pipeline import pipeline
from modelshelf.testing.tiny.vae import vae

__all__ = ["MODELS", "library"]

Maker = Callable[..., Path]

MODELS: Mapping[str, tuple[Maker, float | None]] = MappingProxyType(
    {
        "pipelines/dreamland": (partial(pipeline, base="sd-1", seed=1), 1.0),
        "pipelines/harbour": (partial(pipeline, base="sd-1", seed=2), 1.0),
        "pipelines/harbour-inpainting": (partial(pipeline, base="sd-1", seed=3, inpaint=True), 1.0),
        "pipelines/meadow": (partial(pipeline, base="sd-2", seed=4), 1.0),
        "loras/ink.safetensors": (partial(lora, base="sd-1", seed=5), 0.2),
        "loras/low-light.safetensors": (partial(lora, base="sd-2", style="peft", seed=6), 0.2),
        "vae/soft.safetensors": (partial(vae, base="sd-1", style="ldm", seed=7), 0.1),
        "vae/warm": (partial(vae, base="sd-1", folder=True, scaling_factor=0.18), 0.1),
        "controlnet/edges": (partial(controlnet, base="sd-1", folder=True, seed=8), 0.3),
        "embeddings/tiny.safetensors": (partial(textual_inversion, base="sd-1", seed=9), None),
        "checkpoints/lagoon.safetensors": (partial(checkpoint, base="sd-1", seed=10), 1.0),
    }
)
"""Paths in the tree, with what makes each and how large it is compared with a pipeline; None where
size is fixed."""


def library(
    folder: Path | str,
    *,
    models: Mapping[str, tuple[Maker, float | None]] = MODELS,
    size: int | None = None,
) -> Path:
    """Make a tree of models.

    Args:
        folder: Where to make it.
        models: What to make: leave some of `MODELS` out, or add your own.
        size: Wanted bytes of all together, shared out by weight; None leaves each at its default,
            40 MB in all.

    Returns:
        The folder.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as root:
        ...     made = library(root, models={"a": MODELS["vae/warm"]})
        ...     sorted(path.name for path in (made / "a").iterdir())
        ['config.json', 'diffusion_pytorch_model.safetensors']
    """
    total = sum(weight or 0 for _, weight in models.values())
    for path, (make, weight) in models.items():
        if size is None or weight is None:
            make(Path(folder) / path)
        else:
            make(Path(folder) / path, size=int(size * weight / total))
    return Path(folder)
