"""VAEs as folders: the configuration names the class, and tells by its numbers whose latents they are.

The scaling factor separates what layout cannot: at another scale the same latents mean nothing.

Sources: the published `vae/config.json` of each base; the `autoencoders` folder of
huggingface/diffusers for what a class takes where a field is missing.
"""

from __future__ import annotations

from modelshelf.identify.condition import Condition, Either, Setting, Unset
from modelshelf.identify.families.image_vae import SD_KIND
from modelshelf.identify.family import Family
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["FAMILIES"]


def _folder(
    name: str, bases: tuple[BaseModelType, ...], class_name: str, *conditions: Condition
) -> Family:
    return Family(
        id=f"vae/{name}/folder",
        type=ModelType.VAE,
        format=ModelFormat.DIFFUSERS,
        bases=bases,
        conditions=(Setting("class", (class_name,)), *conditions),
    )


def _or_unset(field: str, *values: object) -> Condition:
    """Old configurations leave fields out, and the class takes the first of *values* for them."""
    return Either((Setting(field, values), Unset(field)))


_OWN_CLASSES = (
    ("flux2", BaseModelType.FLUX_2, "AutoencoderKLFlux2"),
    ("hunyuan-image", BaseModelType.HUNYUAN_IMAGE, "AutoencoderKLHunyuanImage"),
    ("hunyuan-image-refiner", BaseModelType.HUNYUAN_IMAGE, "AutoencoderKLHunyuanImageRefiner"),
    ("hunyuan-video", BaseModelType.HUNYUAN_VIDEO, "AutoencoderKLHunyuanVideo"),
    ("hunyuan-video-1.5", BaseModelType.HUNYUAN_VIDEO_1_5, "AutoencoderKLHunyuanVideo15"),
    ("cogvideox", BaseModelType.COGVIDEOX, "AutoencoderKLCogVideoX"),
    ("mochi", BaseModelType.MOCHI, "AutoencoderKLMochi"),
    ("ltx", BaseModelType.LTX_VIDEO, "AutoencoderKLLTXVideo"),
    ("ltx-2", BaseModelType.LTX_VIDEO, "AutoencoderKLLTX2Video"),
    ("ltx-2-audio", BaseModelType.LTX_VIDEO, "AutoencoderKLLTX2Audio"),
    ("minimax-h3", BaseModelType.MINIMAX_H3, "AutoencoderKLMiniMaxH3"),
    ("minimax-h3-audio", BaseModelType.MINIMAX_H3, "AutoencoderKLMiniMaxH3Audio"),
    ("minimax-h3-original", BaseModelType.MINIMAX_H3, "MiniMaxH3VideoVAE"),
    ("minimax-h3-audio-original", BaseModelType.MINIMAX_H3, "MiniMaxH3AudioVAE"),
    ("cosmos", BaseModelType.COSMOS, "AutoencoderKLCosmos"),
    ("wan", BaseModelType.WAN, "AutoencoderKLWan"),
    ("qwen-image", BaseModelType.QWEN_IMAGE, "AutoencoderKLQwenImage"),
    ("svd", BaseModelType.SVD, "AutoencoderKLTemporalDecoder"),
    ("cascade", BaseModelType.STABLE_CASCADE, "PaellaVQModel"),
)
"""Classes that one base brought; others that use it use it as it is."""

FAMILIES = (
    *(_folder(name, (base,), class_name) for name, base, class_name in _OWN_CLASSES),
    _folder(
        "4-channels",
        # No doubt between the two: at this scale the latents of both mean the same.
        SD_KIND[:2],
        "AutoencoderKL",
        Setting("latent_channels", (4,)),
        _or_unset("scaling_factor", 0.18215),
    ),
    _folder(
        "x4-upscaler",
        (BaseModelType.SD_2,),
        "AutoencoderKL",
        Setting("latent_channels", (4,)),
        Setting("scaling_factor", (0.08333,)),
    ),
    _folder(
        "playground",
        (BaseModelType.SDXL,),
        "AutoencoderKL",
        Setting("latent_channels", (4,)),
        Setting("scaling_factor", (0.5,)),
        Setting("latents_mean"),
    ),
    _folder(
        "cogview4",
        (BaseModelType.COGVIEW_4,),
        "AutoencoderKL",
        Setting("latent_channels", (16,)),
        # Whoever has not scaled yet says one too: its widths are CogView4's own.
        Setting("scaling_factor", (1.0, 1)),
        _or_unset("block_out_channels", [128, 512, 1024, 1024]),
    ),
    _folder("asymmetric", SD_KIND[:2], "AsymmetricAutoencoderKL", Setting("latent_channels", (4,))),
    _folder("consistency-decoder", SD_KIND[:2], "ConsistencyDecoderVAE"),
    _folder(
        "sana",
        (BaseModelType.SANA,),
        "AutoencoderDC",
        Setting("latent_channels", (32,)),
        Setting("scaling_factor", (0.41407,)),
    ),
    Family(
        id="vae/qwen-image-2.1/folder",
        type=ModelType.VAE,
        format=ModelFormat.DIFFUSERS,
        conditions=(Setting("class", ("AutoencoderKLQwenImage21",)),),
        architecture="qwen-image-2.1",
    ),
    _folder("movq", (BaseModelType.KANDINSKY_2,), "VQModel", Setting("norm_type", ("spatial",))),
    Family(
        id="vae/tiny-4-channels/folder",
        type=ModelType.VAE,
        format=ModelFormat.DIFFUSERS,
        candidates=SD_KIND,
        conditions=(
            Setting("class", ("AutoencoderTiny",)),
            _or_unset("latent_channels", 4),
        ),
    ),
    _folder(
        "tiny-flux",
        (BaseModelType.FLUX,),
        "AutoencoderTiny",
        Setting("latent_channels", (16,)),
        Setting("scaling_factor", (0.3611,)),
    ),
    _folder(
        "tiny-sd-3",
        (BaseModelType.SD_3,),
        "AutoencoderTiny",
        Setting("latent_channels", (16,)),
        Setting("scaling_factor", (1.5305,)),
    ),
    _folder(
        "tiny-flux2", (BaseModelType.FLUX_2,), "AutoencoderTiny", Setting("latent_channels", (32,))
    ),
)
"""One per class, and one per scale where bases share a class."""
