"""Tiny VAEs: one list of layers, 64 wide, of which an encoder or a decoder may stand alone.

A few numbered convolutions are no VAE: both ends of the list are asked for, at their places, and the
blocks beside them.

Sources: `taesd.py` of madebyollin/taesd, `taehv.py` of madebyollin/taehv, `AutoencoderTiny` of
huggingface/diffusers.
"""

from __future__ import annotations

from collections.abc import Iterator

from modelshelf.identify.condition import Condition, Either
from modelshelf.identify.families.image_vae import SD_KIND, SIXTEEN_CHANNELS
from modelshelf.identify.family import Detail, Family
from modelshelf.identify.tensor_condition import Absent, Tensor
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["FAMILIES"]

_FLUX_2 = (BaseModelType.FLUX_2,)
_SANA = (BaseModelType.SANA,)
_VIDEO = (
    BaseModelType.WAN,
    BaseModelType.QWEN_IMAGE,
    BaseModelType.HUNYUAN_VIDEO,
    BaseModelType.COGVIDEOX,
)
_BLOCK = (64, 64, 3, 3)
_POOL = (256, 64, 1, 1)
_ENCODERS = ("", "encoder.", "taesd_encoder.")
_DECODERS = ("", "decoder.", "taesd_decoder.")
# The decoder's first layer clamps in the original; diffusers clamps outside the list.
_ORIGINAL_FIRST, _DIFFUSERS_FIRST = 1, 0


def _encoder(prefix: str, latents: int) -> tuple[Condition, ...]:
    return (
        Tensor(f"{prefix}14.weight", (latents, 64, 3, 3)),
        Tensor(f"{prefix}0.weight", (64, 3, 3, 3)),
        Tensor(f"{prefix}1.conv.0.weight", _BLOCK),
        Tensor(f"{prefix}13.conv.4.weight", _BLOCK),
    )


def _decoder(prefix: str, first: int, latents: int) -> tuple[Condition, ...]:
    return (
        Tensor(f"{prefix}{first}.weight", (64, latents, 3, 3)),
        Tensor(f"{prefix}{first + 18}.weight", (3, 64, 3, 3)),
        Tensor(f"{prefix}{first + 2}.conv.0.weight", _BLOCK),
        Tensor(f"{prefix}{first + 17}.conv.4.weight", _BLOCK),
    )


def _sana_encoder(prefix: str) -> tuple[Condition, ...]:
    return (
        Tensor(f"{prefix}17.weight", (32, 64, 3, 3)),
        Tensor(f"{prefix}0.weight", (32, 3, 3, 3)),
        Tensor(f"{prefix}2.weight", (64, 32, 3, 3)),
        Tensor(f"{prefix}16.conv.4.weight", _BLOCK),
    )


def _family(
    latents: int,
    kind: str,
    bases: tuple[BaseModelType, ...],
    conditions: tuple[Condition, ...],
    part: str = "",
) -> Family:
    details = (Detail("latent_channels", str(latents)), Detail("size", "tiny"))
    return Family(
        id=f"vae/tiny-{latents}-channels/{kind}",
        type=ModelType.VAE,
        format=ModelFormat.DIFFUSERS if kind == "diffusers" else ModelFormat.CHECKPOINT,
        bases=bases if len(bases) == 1 else (),
        candidates=bases if len(bases) > 1 else (),
        conditions=conditions,
        details=(*details, Detail("part", part)) if part else details,
    )


def _naming(prefix: str) -> str:
    return prefix.rstrip(".") or "bare"


def _without(prefix: str) -> tuple[Condition, ...]:
    return (Absent(f"{prefix}*"),) if prefix else ()


def _original() -> Iterator[Family]:
    # Pooled blocks are FLUX.2's; the other kinds lack them.
    plain = Absent("*.pool.*")
    for latents, bases in ((4, SD_KIND), (16, SIXTEEN_CHANNELS)):
        for here, there in zip(_ENCODERS, _DECODERS, strict=True):
            encoder = _encoder(here, latents)
            decoder = _decoder(there, _ORIGINAL_FIRST, latents)
            if here:
                yield _family(latents, f"whole-{_naming(here)}", bases, (*encoder, *decoder, plain))
            lone = (*encoder, plain, *_without(there))
            yield _family(latents, f"encoder-{_naming(here)}", bases, lone, "encoder")
            lone = (*decoder, plain, *_without(here))
            yield _family(latents, f"decoder-{_naming(there)}", bases, lone, "decoder")


def _pooled() -> Iterator[Family]:
    for here, there in zip(_ENCODERS, _DECODERS, strict=True):
        encoder = (*_encoder(here, 32), Tensor(f"{here}13.pool.0.weight", _POOL))
        decoder = (
            *_decoder(there, _ORIGINAL_FIRST, 32),
            Tensor(f"{there}3.pool.0.weight", _POOL),
        )
        if here:
            yield _family(32, f"whole-{_naming(here)}", _FLUX_2, (*encoder, *decoder))
        lone = (*encoder, *_without(there))
        yield _family(32, f"encoder-{_naming(here)}", _FLUX_2, lone, "encoder")
        lone = (*decoder, *_without(here))
        yield _family(32, f"decoder-{_naming(there)}", _FLUX_2, lone, "decoder")


def _video(kind: str, bases: tuple[BaseModelType, ...], latents: int, pixels: int) -> Family:
    # Each block sees the frame before as well, so it takes twice its width.
    return _family(
        latents,
        kind,
        bases,
        (
            Tensor("decoder.1.weight", (256, latents, 3, 3)),
            Tensor("decoder.3.conv.0.weight", (256, 512, 3, 3)),
            Either(
                (
                    Tensor("encoder.0.weight", (64, pixels, 3, 3)),
                    Absent("encoder.*"),
                )
            ),
        ),
    )


FAMILIES = (
    *_original(),
    *_pooled(),
    *(
        _family(
            latents,
            "diffusers",
            bases,
            (
                *_encoder("encoder.layers.", latents),
                *_decoder("decoder.layers.", _DIFFUSERS_FIRST, latents),
            ),
        )
        for latents, bases in ((4, SD_KIND), (16, SIXTEEN_CHANNELS), (32, _FLUX_2))
    ),
    *(
        _family(32, f"sana-encoder-{_naming(prefix)}", _SANA, _sana_encoder(prefix), "encoder")
        for prefix in _ENCODERS
    ),
    _video("video", _VIDEO, 16, 3),
    _video("video-2.2", (BaseModelType.WAN,), 48, 12),
    _video("video-1.5", (BaseModelType.HUNYUAN_VIDEO_1_5,), 32, 12),
    _video("video-ltx", (BaseModelType.LTX_VIDEO,), 128, 48),
)
"""One per latent channels, part and way of naming."""
