"""Wrappers: what programs put before a tensor's name, and which part of a bundle it means."""

from __future__ import annotations

import re
from enum import StrEnum

__all__ = ["Part", "unwrap", "without_frame"]


class Part(StrEnum):
    """Which model of a bundle a tensor belongs to, as far as a wrapper's name tells."""

    CONTROL = "control"
    DENOISER = "denoiser"
    VAE = "vae"
    TEXT = "text"
    EMA = "ema"
    """A second copy of the same weights, averaged while training."""
    OTHER = "other"
    BARE = "bare"
    """No wrapper names the part: the file is one model."""


# A step `#` stands for any number.
_PARTS = {
    "model.diffusion_model.": Part.DENOISER,
    "diffusion_model.": Part.DENOISER,
    "unet.": Part.DENOISER,
    "control_model.": Part.CONTROL,
    "first_stage_model.": Part.VAE,
    "vae.": Part.VAE,
    "cond_stage_model.": Part.TEXT,
    "conditioner.embedders.#.": Part.TEXT,
    "text_encoder_2.": Part.TEXT,
    "text_encoder_3.": Part.TEXT,
    "text_encoder.": Part.TEXT,
    "model_ema.": Part.EMA,
    "ema_model.": Part.EMA,
    "ema_state_dict.": Part.EMA,
    "state_dict_ema.": Part.EMA,
    "params_ema.": Part.EMA,
    "ema.": Part.EMA,
    "depth_model.": Part.OTHER,
    "embedder.model.": Part.OTHER,
    "audio_vae.": Part.OTHER,
    "vocoder.": Part.OTHER,
}
_FRAME = ("_orig_mod.", "module.", "state_dict.")
_WRAPPERS = (*_FRAME, "base_model.model.", "model.", "net.", "netG.", "params.", "transformer.")
# Longest first, as one begins another. ComfyUI's bundles name each text encoder, any name goes.
_WRAPPER = re.compile(
    "|".join(re.escape(one) for one in sorted({*_PARTS, *_WRAPPERS}, key=len, reverse=True))
    + r"|text_encoders\.[a-z0-9_]+\."
)
# kohya's names begin where the frame ends, so `model.` before them is a frame too.
_OUTER = re.compile(r"(?:_orig_mod\.|module\.|state_dict\.|model\.(?=lora_|lycoris_))+")


def unwrap(name: str) -> tuple[Part, str]:
    """Take the wrappers off; the innermost that names a part decides the part.

    Except inside a ControlNet and inside a copy (EMA): what they hold is theirs.

    Example:
        >>> unwrap("module.model.diffusion_model.out.#.weight")
        (<Part.DENOISER: 'denoiser'>, 'out.#.weight')
    """
    part, at = Part.BARE, 0
    while found := _WRAPPER.match(name, at):
        named = _PARTS.get(found[0])
        if named is None and found[0].startswith("text_encoders."):
            named = Part.TEXT
        if named is not None and part is Part.EMA:
            named = Part.EMA
        elif named is not None and part not in {Part.BARE, Part.DENOISER}:
            break
        part, at = named or part, found.end()
    return part, name[at:]


def without_frame(name: str) -> str:
    """Take off what frameworks put around everything, and leave what names a part."""
    found = _OUTER.match(name)
    return name[found.end() :] if found else name
