"""Wrappers: what programs put before a tensor's name, and which part of a bundle it means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType

__all__ = ["Part", "are_bare", "unwrap", "unwrap_all", "without_frame"]


class Part(StrEnum):
    """Which model of a bundle a tensor belongs to, as far as a wrapper's name tells."""

    CONTROL = "control"
    DENOISER = "denoiser"
    VAE = "vae"
    TEXT = "text"
    SOUND = "sound"
    """The VAE of a video's sound."""
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
    # What DiffSynth-Studio trains keeps the names of its pipeline.
    "pipe.dit.": Part.DENOISER,
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
    "audio_vae.": Part.SOUND,
    "vocoder.": Part.OTHER,
}
_FRAME = ("_orig_mod.", "module.", "state_dict.")
# What distils a video model step by step trains a generator, sharded over devices.
_DISTILLED = ("generator.", "generator_ema.", "_fsdp_wrapped_module.")
_WRAPPERS = (
    *(*_FRAME, *_DISTILLED),
    *("base_model.model.", "base_model.", "model.", "net.", "netG.", "params.", "transformer."),
)
_TEXT_ENCODERS = "text_encoders."
"""ComfyUI's bundles name each text encoder behind this, any name goes."""


def _by_first_step() -> Mapping[str, tuple[tuple[str, Part | None], ...]]:
    known = {**dict.fromkeys(_WRAPPERS), **_PARTS}
    steps: dict[str, list[tuple[str, Part | None]]] = {}
    # Longest first, as one begins another.
    for wrapper in sorted(known, key=len, reverse=True):
        first = wrapper[: wrapper.index(".") + 1]
        steps.setdefault(first, []).append((wrapper, known[wrapper]))
    return MappingProxyType({first: tuple(found) for first, found in steps.items()})


_BY_FIRST_STEP = _by_first_step()
"""Most names begin with no wrapper's first step, and one look tells."""
_BEGINNINGS = frozenset({*_BY_FIRST_STEP, _TEXT_ENCODERS})
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
    while True:
        wrapper, named = _wrapper_at(name, at)
        if not wrapper:
            break
        if named is not None and part is Part.EMA:
            named = Part.EMA
        elif named is not None and part not in {Part.BARE, Part.DENOISER}:
            break
        part, at = named or part, at + len(wrapper)
    return part, name[at:]


def unwrap_all(names: Iterable[str]) -> Iterator[tuple[Part, str]]:
    """Yield what `unwrap` says of each of *names*.

    Names stand in runs behind the same wrappers, so the last answer nearly always is the next: where
    the same wrappers are followed by a step that begins none.
    """
    part, wrappers, at = Part.BARE, "", 0
    for name in names:
        if not name.startswith(wrappers) or name[at : name.find(".", at) + 1] in _BEGINNINGS:
            part, bare = unwrap(name)
            at = len(name) - len(bare)
            wrappers = name[:at]
        yield part, name[at:]


def _wrapper_at(name: str, at: int) -> tuple[str, Part | None]:
    first = name[at : name.find(".", at) + 1]
    for wrapper, part in _BY_FIRST_STEP.get(first, ()):
        if name.startswith(wrapper, at):
            return wrapper, part
    if first == _TEXT_ENCODERS:
        end = name.find(".", at + len(first)) + 1
        return name[at:end], Part.TEXT
    return "", None


def are_bare(names: Iterable[str]) -> bool:
    """Say whether none of *names* begins with a wrapper, which their first steps tell.

    Example:
        >>> are_bare(["img_in.weight"]), are_bare(["img_in.weight", "model.img_in.weight"])
        (True, False)
    """
    return _BEGINNINGS.isdisjoint({name[: name.find(".") + 1] for name in names})


def without_frame(name: str) -> str:
    """Take off what frameworks put around everything, and leave what names a part."""
    found = _OUTER.match(name)
    return name[found.end() :] if found else name
