"""The configuration files of denoisers, autoencoders and schedulers: published values, and sizes of tensors.

Source: `config.json` and `scheduler_config.json` of the published models
(stable-diffusion-v1-5, stable-diffusion-2-1, stable-diffusion-xl-base-1.0 and -refiner-1.0,
stable-diffusion-3-medium, FLUX.1-dev), as diffusers and transformers write them.
"""

from __future__ import annotations

import json

from modelshelf.testing.tiny.autoencoder import AUTOENCODERS, MULTIPLES
from modelshelf.testing.tiny.unet import UNETS, UNetFamily

__all__ = [
    "ORIGINS",
    "Config",
    "autoencoder_config",
    "controlnet_config",
    "groups",
    "json_bytes",
    "scheduler_config",
    "unet_config",
]

Config = dict[str, object]
"""What a JSON file says."""

NOISE: Config = {"beta_end": 0.012, "beta_schedule": "scaled_linear", "beta_start": 0.00085}


def json_bytes(value: object, *, indent: int | None = 2) -> bytes:
    r"""JSON as diffusers and transformers save it: sorted keys, a line feed at the end.

    Example:
        >>> json_bytes({"b": 1, "a": None}, indent=None)
        b'{"a": null, "b": 1}\n'
    """
    return (json.dumps(value, indent=indent, sort_keys=True, ensure_ascii=False) + "\n").encode()


def groups(width: int) -> int:
    """The `norm_num_groups` for *width* channels in the first level: 32, or what divides them.

    Example:
        >>> groups(320), groups(4), groups(6)
        (32, 4, 2)
    """
    return next(count for count in (32, 16, 8, 4, 2, 1) if width % count == 0)


def unet_config(base: str, width: int, *, in_channels: int = 4) -> Config:
    """`config.json` of a UNet whose first level has *width* channels.

    A narrower one names the model that it stands for, as one that was made of it would.
    """
    family = UNETS[base]
    up = ["CrossAttnUpBlock2D" if depth else "UpBlock2D" for depth in family.depths[::-1]]
    config = _denoiser_config(family, width) | {
        "_class_name": "UNet2DConditionModel",
        "center_input_sample": False,
        "in_channels": in_channels,
        "out_channels": 4,
        "sample_size": family.sample_size,
        "up_block_types": up,
    }
    config |= _origin(base, width)
    return config | ({"upcast_attention": True} if base == "sd-2" else {})


def controlnet_config(base: str, width: int) -> Config:
    """`config.json` of a ControlNet whose first level has *width* channels."""
    return _denoiser_config(UNETS[base], width) | {
        **_origin(base, width),
        "_class_name": "ControlNetModel",
        "class_embed_type": None,
        "conditioning_embedding_out_channels": [16, 32, 96, 256],
        "controlnet_conditioning_channel_order": "rgb",
        "in_channels": 4,
        "resnet_time_scale_shift": "default",
    }


def _origin(base: str, width: int) -> Config:
    return {} if width == UNETS[base].width else {"_name_or_path": ORIGINS[base]}


def _denoiser_config(family: UNetFamily, width: int) -> Config:
    down = ["CrossAttnDownBlock2D" if depth else "DownBlock2D" for depth in family.depths]
    config: Config = {
        "_diffusers_version": "0.19.0.dev0",
        "act_fn": "silu",
        "attention_head_dim": _heads(family, width),
        "block_out_channels": list(family.channels(width)),
        "cross_attention_dim": family.context,
        "down_block_types": down,
        "downsample_padding": 1,
        "flip_sin_to_cos": True,
        "freq_shift": 0,
        "layers_per_block": 2,
        "mid_block_scale_factor": 1,
        "norm_eps": 1e-05,
        "norm_num_groups": groups(width),
    }
    if family.linear_projection:
        config |= {
            "use_linear_projection": True,
            "only_cross_attention": False,
            "num_class_embeds": None,
        }
    if family.label is not None:
        config |= {
            "addition_embed_type": "text_time",
            "addition_embed_type_num_heads": 64,
            "addition_time_embed_dim": 256,
            "projection_class_embeddings_input_dim": family.label,
            "transformer_layers_per_block": [depth or 1 for depth in family.depths]
            if family.mid_depth == family.depths[-1]
            else family.mid_depth,
        }
    return config


ORIGINS = {
    "sd-1": "stable-diffusion-v1-5/stable-diffusion-v1-5",
    "sd-2": "stabilityai/stable-diffusion-2-1",
    "sdxl": "stabilityai/stable-diffusion-xl-base-1.0",
    "sdxl-refiner": "stabilityai/stable-diffusion-xl-refiner-1.0",
    "sd-3": "stabilityai/stable-diffusion-3-medium-diffusers",
    "flux": "black-forest-labs/FLUX.1-dev",
}
"""Whose stand-in a model is that is narrower than the published one; nothing else in it says so."""


def _heads(family: UNetFamily, width: int) -> int | list[int]:
    """As published at the published width; else as many heads as divide the channels."""
    if width == family.width:
        return family.heads if isinstance(family.heads, int) else list(family.heads)
    if isinstance(family.heads, int):
        return (
            groups(width)
            if width < family.heads
            else family.heads
            if width % family.heads == 0
            else 1
        )
    return [
        multiple * (family.heads[0] if width % family.heads[0] == 0 else 1)
        for multiple in family.multiples
    ]


def autoencoder_config(base: str, width: int, *, scaling: float | None = None) -> Config:
    """`config.json` of a VAE whose first level has *width* channels.

    Args:
        base: Whose published values to take.
        width: Channels of the first level.
        scaling: `scaling_factor`; None means as published.
    """
    family = AUTOENCODERS[base]
    levels = len(MULTIPLES)
    factor = family.scaling if scaling is None else scaling
    config: Config = {
        "_class_name": "AutoencoderKL",
        "_diffusers_version": "0.6.0" if family.scaling is None else "0.29.0.dev0",
        "act_fn": "silu",
        "block_out_channels": [width * multiple for multiple in MULTIPLES],
        "down_block_types": ["DownEncoderBlock2D"] * levels,
        "in_channels": 3,
        "latent_channels": family.latent,
        "layers_per_block": 2,
        "norm_num_groups": groups(width),
        "out_channels": 3,
        "sample_size": family.sample_size,
        "up_block_types": ["UpDecoderBlock2D"] * levels,
    }
    config |= {} if factor is None else {"force_upcast": base != "sd-3", "scaling_factor": factor}
    if not family.quant:
        config |= {
            "latents_mean": None,
            "latents_std": None,
            "mid_block_add_attention": True,
            "shift_factor": family.shift,
            "use_post_quant_conv": False,
            "use_quant_conv": False,
        }
    return config


def scheduler_config(base: str, *, prediction_type: str | None = None) -> Config:
    """`scheduler_config.json` as published.

    Args:
        base: Whose published values to take.
        prediction_type: None means as published: absent in sd-1, `v_prediction` in sd-2, `epsilon`
            in sdxl.
    """
    if base in {"sd-3", "flux"}:
        return _flow_config(base)
    config: Config = {
        **NOISE,
        "_class_name": {"sd-1": "PNDMScheduler", "sd-2": "DDIMScheduler"}.get(
            base, "EulerDiscreteScheduler"
        ),
        "_diffusers_version": {"sd-1": "0.6.0", "sd-2": "0.8.0"}.get(base, "0.19.0.dev0"),
        "clip_sample": False,
        "num_train_timesteps": 1000,
        "set_alpha_to_one": False,
        "skip_prk_steps": True,
        "steps_offset": 1,
        "trained_betas": None,
    }
    if base.startswith("sdxl"):
        config |= {
            "interpolation_type": "linear",
            "sample_max_value": 1.0,
            "timestep_spacing": "leading",
            "use_karras_sigmas": False,
        }
    published = {"sd-1": None, "sd-2": "v_prediction"}.get(base, "epsilon")
    prediction = published if prediction_type is None else prediction_type
    return config | ({} if prediction is None else {"prediction_type": prediction})


def _flow_config(base: str) -> Config:
    config: Config = {
        "_class_name": "FlowMatchEulerDiscreteScheduler",
        "_diffusers_version": "0.30.0.dev0",
        "num_train_timesteps": 1000,
        "shift": 3.0,
    }
    dynamic: Config = {
        "base_image_seq_len": 256,
        "base_shift": 0.5,
        "max_image_seq_len": 4096,
        "max_shift": 1.15,
        "use_dynamic_shifting": True,
    }
    return config | (dynamic if base == "flux" else {})
