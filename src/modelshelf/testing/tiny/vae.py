"""Makes a VAE that stands alone: a file in either layout, or a diffusers folder."""

from __future__ import annotations

from pathlib import Path

from modelshelf.testing.tiny.autoencoder import PUBLISHED_WIDTH, autoencoder_layout
from modelshelf.testing.tiny.original import as_saved, ldm_autoencoder, write_original
from modelshelf.testing.tiny.part import autoencoder_part, write_part
from modelshelf.testing.tiny.scale import SMALL_AUTOENCODER, file_size, largest

__all__ = ["vae"]


def vae(  # noqa: PLR0913 - each option is independent, and named at the call
    path: Path | str,
    *,
    base: str = "sd-1",
    style: str = "diffusers",
    folder: bool = False,
    seed: int = 0,
    scaling_factor: float | None = None,
    size: int | None = None,
    dtype: str = "F16",
    full: bool = False,
    hollow: bool = False,
) -> Path:
    """Make a VAE.

    With equal *seed* its weights are those of a pipeline of that `share_seed`; at the default size
    a folder's files are the pipeline's, byte for byte.

    Args:
        path: The file, or the folder.
        base: `sd-1` (and `sd-2`, the same), `sdxl`, `sd-3` or `flux`.
        style: `diffusers`, or `ldm` for the names of the original checkpoints; a folder is always
            `diffusers`.
        folder: Make a folder with `config.json`; a bare file says nothing about its scaling.
        seed: Of the weights.
        scaling_factor: For `config.json`; None means as published.
        size: Wanted bytes; None makes it 0.2 MB.
        dtype: Of the weights.
        full: The published size.
        hollow: True header, weights a hole that takes no disk.

    Returns:
        The path.
    """
    width = PUBLISHED_WIDTH if full else SMALL_AUTOENCODER
    if size is not None:
        width = largest(lambda width: file_size(autoencoder_layout(base, width=width), dtype), size)
    part = autoencoder_part(base, width, scaling=scaling_factor)
    layout = autoencoder_layout(base, width=width)
    if folder:
        write_part(Path(path), part, seed=seed, dtype=dtype, hollow=hollow)
        return Path(path)
    original = ldm_autoencoder(layout) if style == "ldm" else as_saved(layout)
    return write_original(
        path, original, seed=seed, weights=part.weights, dtype=dtype, hollow=hollow
    )
