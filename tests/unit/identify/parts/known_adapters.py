"""What steers a denoiser, teaches it a word or enlarges its images: tensors, type, base, details."""

from __future__ import annotations

from tests.unit.identify.layouts import (
    SD_1,
    SD_2,
    SDXL,
    Shapes,
    diffusers_controlnet,
    ldm_controlnet,
    prefixed,
)
from tests.unit.identify.parts import adapter_layouts as layouts
from tests.unit.identify.parts import upscaler_layouts as upscalers
from tests.unit.identify.parts.convolution import conv

__all__ = ["ADAPTERS", "UPSCALERS"]

Answer = tuple[Shapes, str, str]
"""Tensors, type, base; empty for a base that nobody knows."""

_FLUX_KEYS = {"context_embedder.weight": (3072, 4096), "x_embedder.weight": (3072, 64)}
_PROJECTION: Shapes = {"image_proj.proj.weight": (8192, 1280), "image_proj.norm.weight": (2048,)}
_FACE: Shapes = {"image_proj.proj.0.weight": (1024, 512), "image_proj.norm.weight": (2048,)}
_RESAMPLER: Shapes = {"image_proj.latents": (1, 16, 1280), "image_proj.proj_in.weight": (1280, 512)}
_KOLORS: Shapes = {"image_proj.latents": (1, 16, 1280), "image_proj.proj_in.weight": (1280, 1024)}


def _blockwise(inputs: int) -> Shapes:
    found: Shapes = {"img_in.weight": (3072, inputs)}
    for number in range(60):
        for norm in ("x_rms", "y_rms"):
            found[f"controlnet_blocks.{number}.{norm}.weight"] = (3072,)
    return found


def _flux_blocks(inputs: int) -> Shapes:
    return {
        "controlnet_blocks.0.weight": (3072, 3072),
        "controlnet_x_embedder.weight": (3072, inputs),
        "time_text_embed.text_embedder.linear_1.weight": (3072, 768),
        "transformer_blocks.0.norm1.linear.bias": (18432,),
        **_FLUX_KEYS,
    }


def _flux_2_fun(width: int) -> Shapes:
    block = "control_transformer_blocks.0"
    return {
        "control_img_in.weight": (width, 260),
        f"{block}.attn.to_q.weight": (width, width),
        f"{block}.ff_context.linear_in.weight": (6 * width, width),
        f"{block}.after_proj.bias": (width,),
    }


def _cut(shapes: Shapes) -> Shapes:
    """A ControlNet that was made with fewer attentions."""
    return {name: shape for name, shape in shapes.items() if ".8." not in name}


ADAPTERS: dict[str, Answer] = {
    "control-lora sd-1": (layouts.control_lora(768), "controlnet", "sd-1"),
    "control-lora sd-2": (layouts.control_lora(1024), "controlnet", "sd-2"),
    "control-lora sdxl": (layouts.control_lora(2048, 256), "controlnet", "sdxl"),
    **{
        f"{base} controlnet-xs": (layouts.control_xs(context), "controlnet", base)
        for base, context in (("sd-1", 768), ("sd-2", 1024), ("sdxl", 2048))
    },
    "lllite": (layouts.lllite(2), "controlnet", "sdxl"),
    "cut sd-1": (_cut(ldm_controlnet(SD_1)), "controlnet", "sd-1"),
    "cut sd-2": (_cut(ldm_controlnet(SD_2)), "controlnet", "sd-2"),
    "cut sdxl": (_cut(ldm_controlnet(SDXL)), "controlnet", "sdxl"),
    "sana controlnet original": (
        {"controlnet.0.before_proj.bias": (1152,), "controlnet.0.after_proj.bias": (1152,)}
        | {
            "controlnet.0.copied_block.mlp.depth_conv.conv.weight": (5760, 1, 3, 3),
            "controlnet.0.copied_block.scale_shift_table": (6, 1152),
            "x_embedder.proj.bias": (1152,),
        },
        "controlnet",
        "sana",
    ),
    "pixart controlnet original": (
        {"controlnet.0.before_proj.bias": (1152,), "controlnet.0.after_proj.bias": (1152,)}
        | {
            "controlnet.0.copied_block.mlp.fc1.bias": (4608,),
            "controlnet.0.copied_block.scale_shift_table": (6, 1152),
        },
        "controlnet",
        "pixart",
    ),
    "stable cascade controlnet": (
        conv("backbone.0.0", (24, 3, 3, 3))
        | {
            f"projections.{number}.{layer}.weight": (width, 1280, 1, 1)
            for number in range(8)
            for layer, width in ((0, 1280), (2, 2048))
        },
        "controlnet",
        "stable-cascade",
    ),
    "kolors controlnet": (
        diffusers_controlnet(SDXL)
        | {
            "encoder_hid_proj.weight": (2048, 4096),
            "add_embedding.linear_1.weight": (1280, 5632),
        },
        "controlnet",
        "kolors",
    ),
    "flux instantx": (_flux_blocks(64), "controlnet", "flux"),
    "flux inpaint": (_flux_blocks(68), "controlnet", "flux"),
    "flux union": (
        _flux_blocks(64) | {"controlnet_mode_embedder.weight": (10, 3072)},
        "controlnet",
        "flux",
    ),
    "sdxl union": (
        diffusers_controlnet(SDXL) | {"task_embedding": (8, 320)},
        "controlnet",
        "sdxl",
    ),
    "flux mistoline": (
        {
            "controlnet_blocks.0.linear.weight": (3072, 3072),
            "double_blocks.0.img_mod.lin.bias": (18432,),
            "img_in.weight": (3072, 64),
        },
        "controlnet",
        "flux",
    ),
    "sd-3.5 original": (
        {
            "controlnet_blocks.0.weight": (2432, 2432),
            "pos_embed_input.proj.weight": (2432, 16, 2, 2),
            "transformer_blocks.0.adaLN_modulation.1.bias": (14592,),
        },
        "controlnet",
        "sd-3",
    ),
    "qwen-image instantx": (
        {
            "controlnet_x_embedder.weight": (3072, 64),
            "controlnet_blocks.0.weight": (3072, 3072),
            "transformer_blocks.0.img_mod.1.bias": (18432,),
            "txt_norm.weight": (3584,),
        },
        "controlnet",
        "qwen-image",
    ),
    "qwen-image blockwise": (_blockwise(64), "controlnet", "qwen-image"),
    "qwen-image blockwise inpaint": (_blockwise(68), "controlnet", "qwen-image"),
    "qwen-image fun": (
        {
            "control_img_in.weight": (3072, 132),
            "control_blocks.0.img_mod.1.bias": (18432,),
            "control_blocks.0.before_proj.bias": (3072,),
            "control_blocks.0.after_proj.bias": (3072,),
        },
        "controlnet",
        "qwen-image",
    ),
    "qwen-image 2.1 fun": (
        {
            "control_img_in.weight": (4096, 129),
            "control_blocks.0.img_mlp.gate_layer.weight": (12288, 4096),
            "control_blocks.0.before_proj.bias": (4096,),
            "control_blocks.0.after_proj.bias": (4096,),
        },
        "controlnet",
        "",
    ),
    "minimax-h3 fun": (
        {
            "control_proj_in.weight": (5376, 196),
            "control_blocks.0.adaln_proj.linear.bias": (96768,),
            "control_blocks.0.attn.to_q.weight": (7168, 5376),
            "control_blocks.0.after_proj.bias": (5376,),
        },
        "controlnet",
        "minimax-h3",
    ),
    "flux2 dev fun": (_flux_2_fun(6144), "controlnet", "flux2"),
    "flux2 klein 9b fun": (_flux_2_fun(4096), "controlnet", "flux2"),
    "z-image": (
        {
            "control_layers.0.attention.to_q.weight": (3840, 3840),
            "control_all_x_embedder.2-1.weight": (3840, 132),
        },
        "controlnet",
        "z-image",
    ),
    "hunyuan-dit": (
        {
            "after_proj_list.0.weight": (1408, 1408),
            "before_proj.weight": (1408, 1408),
            "blocks.0.attn1.Wqkv.weight": (4224, 1408),
        },
        "controlnet",
        "hunyuan-dit",
    ),
    "sana": (
        {
            "controlnet_blocks.0.weight": (2240, 2240),
            "input_block.weight": (2240, 2240),
            "transformer_blocks.0.ff.conv_inverted.weight": (11200, 2240, 1, 1),
        },
        "controlnet",
        "sana",
    ),
    **{
        f"t2i {base} {naming} {'light' if is_light else 'full'}": (
            layouts.t2i_adapter(square, is_light=is_light, naming=naming),
            "t2i_adapter",
            base,
        )
        for base, square in (("sd-1", 64), ("sdxl", 256))
        for naming in ("original", "wrapped", "diffusers")
        for is_light in (False, True)
    },
    "t2i style": (
        {"style_embedding": (1, 8, 1024), "proj": (1024, 768), "ln_pre.weight": (1024,)},
        "t2i_adapter",
        "sd-1",
    ),
    "ip-adapter sdxl face": (layouts.ip_adapter(70, 2048, _FACE), "ip_adapter", "sdxl"),
    "ip-adapter sdxl instantid": (layouts.ip_adapter(70, 2048, _RESAMPLER), "ip_adapter", "sdxl"),
    "ip-adapter sdxl": (layouts.ip_adapter(70, 2048, _PROJECTION), "ip_adapter", "sdxl"),
    "ip-adapter kolors": (layouts.ip_adapter(70, 2048, _KOLORS), "ip_adapter", "kolors"),
    "ip-adapter kolors face": (
        layouts.ip_adapter(
            70, 2048, _FACE | conv("image_proj.perceiver_resampler.proj_in", (1280, 1024))
        ),
        "ip_adapter",
        "kolors",
    ),
    "ip-adapter sd-1": (layouts.ip_adapter(16, 768, _PROJECTION), "ip_adapter", "sd-1"),
    "ip-adapter flux": (
        layouts.ip_adapter(57, 4096, _PROJECTION, out=3072, step=1),
        "ip_adapter",
        "flux",
    ),
    "ip-adapter sd-3": (
        layouts.ip_adapter(38, 2432, _PROJECTION, out=2432, step=1),
        "ip_adapter",
        "sd-3",
    ),
    "embedding a1111 sd-1": ({"string_to_param.*": (8, 768)}, "embedding", "sd-1"),
    "embedding in a dictionary": ({"string_to_param.cat": (8, 768)}, "embedding", "sd-1"),
    "embedding a1111 sd-2": ({"string_to_param.*": (8, 1024)}, "embedding", "sd-2"),
    "embedding of two tokens": ({"<cat>": (768,), "<dog>": (4, 768)}, "embedding", "sd-1"),
    "embedding of t5": ({"<cat>": (4096,)}, "embedding", ""),
    "embedding of two encoders": (
        {"text_encoders_0": (2, 768), "text_encoders_1": (2, 1280)},
        "embedding",
        "sdxl",
    ),
    "embedding of three encoders": (
        {
            "text_encoders_0": (2, 768),
            "text_encoders_1": (2, 1280),
            "text_encoders_2": (2, 4096),
        },
        "embedding",
        "sd-3",
    ),
    "embedding of four encoders": (
        {"clip_l": (2, 768), "clip_g": (2, 1280), "t5": (2, 4096), "llama": (2, 4096)},
        "embedding",
        "hidream",
    ),
    "embedding of clip and llama": (
        {"clip_l": (2, 768), "llama": (2, 4096)},
        "embedding",
        "hunyuan-video",
    ),
    "embedding of t5 by its name": ({"t5": (2, 4096), "t5_out": (2, 4096)}, "embedding", ""),
}
"""What it is → its tensors, type and base."""

_SWIN_2: Shapes = {
    "layers.0.residual_group.blocks.0.attn.cpb_mlp.0.weight": (512, 2),
    "layers.0.residual_group.blocks.0.attn.logit_scale": (6, 1, 1),
}
_SRFORMER: Shapes = {
    "layers.0.residual_group.blocks.0.attn.aligned_relative_position_index": (576, 144),
    "layers.0.residual_group.blocks.0.attn.relative_position_bias_table": (2209, 6),
    "layers.0.residual_group.blocks.0.attn.kv.weight": (90, 180),
}
_RESTORMER: Shapes = {
    "patch_embed.proj.weight": (48, 3, 3, 3),
    "encoder_level1.0.attn.temperature": (1, 1, 1),
    "latent.0.attn.temperature": (8, 1, 1),
    "refinement.0.attn.qkv_dwconv.weight": (288, 1, 3, 3),
}
_DAT: Shapes = {
    "before_RG.1.weight": (180,),
    "layers.0.blocks.0.attn.channel_interaction.1.weight": (22, 180, 1, 1),
    "layers.0.blocks.0.attn.spatial_interaction.0.weight": (11, 180, 1, 1),
}
_ATD: Shapes = {
    "layers.0.residual_group.layers.0.attn_atd.scale": (128,),
    "layers.0.residual_group.layers.0.attn_win.relative_position_bias_table": (961, 6),
}
_DRCT: Shapes = {
    "layers.0.swin1.attn.qkv.weight": (540, 180),
    "layers.0.adjust1.weight": (32, 180, 1, 1),
}
_PLKSR: Shapes = {"feats.0.weight": (64, 3, 3, 3), "feats.1.refine.weight": (64, 64, 1, 1)}
_ONE = upscalers.attention_upscaler

UPSCALERS: dict[str, tuple[Shapes, str, str]] = {
    "real-esrgan x4": (upscalers.esrgan("real"), "ESRGAN", "4"),
    "real-esrgan x2": (upscalers.esrgan("real", first=12), "ESRGAN", "2"),
    "real-esrgan x1": (upscalers.esrgan("real", first=48), "ESRGAN", "1"),
    "real-esrgan averaged": (prefixed("params_ema.", upscalers.esrgan("real")), "ESRGAN", "4"),
    "bsrgan": (upscalers.esrgan("bsrgan"), "ESRGAN", "4"),
    "esrgan x4": (upscalers.old_esrgan(), "ESRGAN", "4"),
    "esrgan x8": (upscalers.old_esrgan(3), "ESRGAN", "8"),
    "esrgan x1": (upscalers.old_esrgan(0), "ESRGAN", "1"),
    "compact x4": (upscalers.compact(4), "Compact", "4"),
    "compact x2": (prefixed("params.", upscalers.compact(2)), "Compact", "2"),
    "compact of grey pictures": (upscalers.compact(4, colours=1), "Compact", "4"),
    "compact of 48": (upscalers.compact(2, features=48), "Compact", "2"),
    "swinir x4": (_ONE(upscalers.swin_blocks()), "SwinIR", "4"),
    "swinir x2": (_ONE(upscalers.swin_blocks(), 1), "SwinIR", "2"),
    "srformer": (_ONE(_SRFORMER), "SRFormer", "4"),
    "restormer": (_RESTORMER, "Restormer", ""),
    "rcan x3": (
        conv("body.0.body.0.body.3.conv_du.0", (4, 64, 1, 1))
        | conv("head.0", (64, 3, 3, 3))
        | conv("tail.0.0", (576, 64, 3, 3))
        | conv("tail.1", (3, 64, 3, 3)),
        "RCAN",
        "3",
    ),
    "swin2sr": (_ONE(_SWIN_2), "Swin2SR", "4"),
    "hat": (_ONE(upscalers.hat_blocks()), "HAT", "4"),
    "dat": (_ONE(_DAT), "DAT", "4"),
    "atd": (_ONE(_ATD, 1), "ATD", "2"),
    "drct": (_ONE(_DRCT), "DRCT", "4"),
    "plksr": (_PLKSR | {"feats.30.weight": (48, 64, 3, 3)}, "PLKSR", "4"),
    "safmn": (
        conv("to_feat", (36, 3, 3, 3))
        | conv("feats.0.safm.aggr", (36, 36, 1, 1))
        | conv("to_img.0", (12, 36, 3, 3)),
        "SAFMN",
        "2",
    ),
    **{
        f"real-cugan {name}": (
            conv("unet1.conv1_down", (64, 64, 2, 2))
            | conv("unet2.conv1_down", (64, 64, 2, 2))
            | conv("unet1.conv2.seblock.conv1", (8, 64, 1, 1))
            | conv("unet1.conv1.conv.0", (32, first, 3, 3))
            | last,
            "RealCUGAN",
            scale,
        )
        for name, first, last, scale in (
            ("x2", 3, conv("unet1.conv_bottom", (64, 3, 4, 4)), "2"),
            ("x3", 3, conv("unet1.conv_bottom", (64, 3, 5, 5)), "3"),
            ("x4", 3, conv("conv_final", (12, 64, 3, 3)), "4"),
            ("x2 fast", 12, conv("conv_final", (12, 64, 3, 3)), "2"),
        )
    },
    "span": (
        conv("conv_1.sk", (48, 3, 1, 1))
        | conv("block_1.c1_r.sk", (48, 48, 1, 1))
        | conv("conv_cat", (48, 192, 1, 1))
        | conv("upsampler.0", (48, 48, 3, 3)),
        "SPAN",
        "4",
    ),
}
"""What it is → its tensors, architecture and scale."""
