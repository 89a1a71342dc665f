"""What each VAE is: its tensors, the bases that it is or may be for, and its finer facts."""

from __future__ import annotations

from tests.unit.identify.layouts import Shapes
from tests.unit.identify.parts import image_vae_layouts as image
from tests.unit.identify.parts import video_vae_layouts as video
from tests.unit.identify.parts.convolution import conv

__all__ = ["VAES"]

Answer = tuple[Shapes, str, str]
"""Tensors, type, and the bases joined with `|`: one is proven, several are candidates."""

_SD = "sd-1|sd-2|sdxl"
_SIXTEEN = "flux|sd-3|z-image|lumina2|chroma|hidream"
_TINY_VIDEO = "wan|qwen-image|hunyuan-video|cogvideox"

_IMAGES: dict[str, tuple[Shapes, str]] = {
    "sd": (image.kl_vae(4, quant=8), _SD),
    "sd diffusers": (image.kl_vae(4, is_diffusers=True, quant=8), _SD),
    "x4 upscaler": (image.kl_vae(4, levels=3, quant=8), "sd-2"),
    "x4 upscaler diffusers": (image.kl_vae(4, is_diffusers=True, levels=3, quant=8), "sd-2"),
    "16 channels": (image.kl_vae(16), _SIXTEEN),
    "16 channels diffusers": (image.kl_vae(16, is_diffusers=True), _SIXTEEN),
    "cogview4": (image.cogview_4_vae(), "cogview4"),
    "cogview4 diffusers": (image.cogview_4_vae(is_diffusers=True), "cogview4"),
    "dc-ae of 128 channels": (
        conv("encoder.conv_in", (128, 3, 3, 3))
        | conv("decoder.conv_in", (2048, 128, 3, 3))
        | conv("encoder.conv_out", (128, 2048, 3, 3))
        | conv("encoder.down_blocks.1.0.conv1", (256, 256, 3, 3))
        | conv("decoder.up_blocks.1.0.conv1", (256, 256, 3, 3)),
        "",
    ),
    "flux2": (image.flux_2_vae(), "flux2"),
    "flux2 diffusers": (image.flux_2_vae(is_diffusers=True), "flux2"),
    "hunyuan-image": (image.hunyuan_image_vae(), "hunyuan-image-2.1"),
    "hunyuan-image diffusers": (image.hunyuan_image_vae(is_diffusers=True), "hunyuan-image-2.1"),
    "dc-ae": (image.dc_ae(), "sana"),
    "dc-ae original": (image.dc_ae(is_diffusers=False), "sana"),
    "movq": (image.movq(), "kandinsky-2"),
    "movq diffusers": (image.movq(is_diffusers=True), "kandinsky-2"),
    "stage a": (image.stage_a(), "stable-cascade"),
    "asymmetric": (image.asymmetric_vae(), "sd-1"),
    "consistency decoder": (image.consistency_decoder(), "sd-1"),
}
_HALVES: dict[str, tuple[Shapes, str]] = {
    f"{half} of {name}": (
        {tensor: shape for tensor, shape in _IMAGES[name][0].items() if tensor.startswith(steps)},
        _IMAGES[name][1],
    )
    for name in ("sd", "sd diffusers", "16 channels", "16 channels diffusers")
    for half, steps in (
        ("encoder", ("encoder.", "quant_conv.")),
        ("decoder", ("decoder.", "post_quant_conv.")),
    )
}
_LTX_BLOCK = "encoder.down_blocks.{}.resnets.{}"
_VIDEOS: dict[str, tuple[Shapes, str]] = {
    "wan 2.1": (video.wan_vae(), "wan|qwen-image"),
    "wan 2.1 diffusers": (video.wan_vae(is_diffusers=True), "wan|qwen-image"),
    "layered": (video.wan_vae(pixels=4), "qwen-image"),
    "layered diffusers": (video.wan_vae(is_diffusers=True, pixels=4), "qwen-image"),
    "wan 2.2": (video.wan_vae(width=160, pixels=12, latents=48), "wan"),
    "wan 2.2 diffusers": (
        video.wan_vae(is_diffusers=True, width=160, pixels=12, latents=48),
        "wan",
    ),
    "hunyuan-video": (video.hunyuan_video_vae(), "hunyuan-video"),
    "hunyuan-video ldm": (video.hunyuan_video_vae(is_diffusers=False), "hunyuan-video"),
    "hunyuan 32 channels": (
        video.causal_vae((128, 3), (1024, 32), (64, 1024), "encoder.down_blocks.{}.{}"),
        "hunyuan-video-1.5|hunyuan-image-2.1",
    ),
    "cogvideox": (video.cogvideox_vae(), "cogvideox"),
    "cogvideox original": (video.cogvideox_vae(is_diffusers=False), "cogvideox"),
    "wan cut by three quarters": (video.wan_vae(width=24), "wan|qwen-image"),
    "ltx": (video.causal_vae((128, 48), (512, 128), (129, 512), _LTX_BLOCK), "ltx-video"),
    "ltx 2": (video.causal_vae((256, 48), (1024, 128), (129, 2048), _LTX_BLOCK), "ltx-video"),
    "ltx encoder alone": (
        conv("encoder.conv_in.conv", (128, 48, 3, 3, 3))
        | conv("encoder.conv_out.conv", (129, 512, 3, 3, 3)),
        "ltx-video",
    ),
    "ltx 2.5, whose decoder draws step by step": (
        conv("encoder.conv_in.conv", (128, 48, 3, 3, 3))
        | conv("encoder.conv_out.conv", (129, 1024, 3, 3, 3))
        | conv("decoder.conv_in", (2048, 128))
        | conv("decoder.conv_in_x_t", (256, 48))
        | conv("decoder.conv_out", (48, 256)),
        "ltx-video",
    ),
    "ltx decoder alone": (
        conv("vae.decoder.conv_in.conv", (1024, 128, 3, 3, 3))
        | conv("vae.decoder.conv_out.conv", (48, 128, 3, 3, 3)),
        "ltx-video",
    ),
    "ltx 2's sound with its vocoder": (
        conv("audio_vae.encoder.conv_in.conv", (128, 2, 3, 3))
        | conv("audio_vae.encoder.conv_out.conv", (16, 512, 3, 3))
        | conv("audio_vae.decoder.conv_in.conv", (512, 8, 3, 3))
        | conv("audio_vae.decoder.conv_out.conv", (2, 128, 3, 3))
        | conv("vocoder.conv_pre", (1024, 128, 7)),
        "ltx-video",
    ),
    "mochi": (
        conv("encoder.proj_in", (64, 15)) | conv("decoder.conv_in", (768, 12, 1, 1, 1)),
        "mochi",
    ),
    "mochi decoder": (
        conv("blocks.0.0", (768, 12, 1, 1, 1))
        | conv("blocks.1.blocks.2.stack.5", (512, 512, 3, 3, 3)),
        "mochi",
    ),
    "mochi encoder": (
        conv("encoder.layers.0", (64, 15))
        | {"encoder.layers.4.layers.1.attn_block.attn.qkv.weight": (384, 128)},
        "mochi",
    ),
    "svd": (video.svd_vae(is_diffusers=False), "svd"),
    "svd diffusers": (video.svd_vae(), "svd"),
    "cosmos": (
        conv("encoder.conv_in.conv_s", (128, 192, 1, 3, 3))
        | conv("decoder.conv_in.conv_s", (512, 16, 1, 3, 3)),
        "cosmos",
    ),
    "minimax-h3": (
        {
            "decoder.register_tokens": (1, 4, 2048),
            "decoder.transformer_blocks.0.norm1.weight": (2048,),
        }
        | conv("post_quant_conv", (24, 24, 1, 1, 1)),
        "minimax-h3",
    ),
    "minimax-h3's sound": (
        {"pre_block.mlp.norm.weight": (32,), "pre_block.attn.qkv.weight": (6144, 2048)}
        | conv("mean_proj", (32, 32, 1))
        | conv("dec_in_proj", (2048, 32, 1)),
        "minimax-h3",
    ),
    "qwen-image 2.1": (
        {"decoder.norm_out.gamma": (144, 1, 1, 1)}
        | conv("encoder.conv_in", (96, 4, 3, 3))
        | conv("decoder.conv_in", (1152, 64, 3, 3)),
        "",
    ),
    "seedvr2": (
        conv("encoder.conv_in", (128, 3, 3, 3, 3))
        | conv("decoder.conv_in", (512, 16, 3, 3, 3))
        | conv("decoder.up_blocks.0.upsamplers.0.upscale_conv", (4096, 512, 1, 1, 1))
        | conv("decoder.up_blocks.2.upsamplers.0.upscale_conv", (1024, 256, 1, 1, 1)),
        "",
    ),
    "oobleck": (
        {
            "encoder.block.0.res_unit1.snake1.alpha": (1, 128, 1),
            "decoder.block.0.res_unit1.snake1.alpha": (1, 1024, 1),
        },
        "",
    ),
}
_TINY: dict[str, tuple[Shapes, str]] = {
    "tiny sd diffusers": (
        image.tiny_encoder("encoder.layers.", 4) | image.tiny_decoder("decoder.layers.", 4, 0),
        _SD,
    ),
    "tiny 16 diffusers": (
        image.tiny_encoder("encoder.layers.", 16) | image.tiny_decoder("decoder.layers.", 16, 0),
        _SIXTEEN,
    ),
    "tiny sd": (
        image.tiny_encoder("taesd_encoder.", 4) | image.tiny_decoder("taesd_decoder.", 4),
        _SD,
    ),
    "tiny sd encoder": (image.tiny_encoder("", 4), _SD),
    "tiny sd decoder": (image.tiny_decoder("", 4), _SD),
    "tiny 16 encoder": (image.tiny_encoder("encoder.", 16), _SIXTEEN),
    "tiny 16 decoder": (image.tiny_decoder("", 16), _SIXTEEN),
    "tiny flux2 encoder": (image.tiny_encoder("", 32, has_pools=True), "flux2"),
    "tiny flux2 decoder": (image.tiny_decoder("", 32, has_pools=True), "flux2"),
    "tiny flux2": (
        image.tiny_encoder("encoder.", 32, has_pools=True)
        | image.tiny_decoder("decoder.", 32, has_pools=True),
        "flux2",
    ),
    "tiny sana encoder": (image.tiny_sana_encoder(), "sana"),
    "tiny video": (image.tiny_video(), _TINY_VIDEO),
    "tiny wan 2.2": (image.tiny_video(48, 12), "wan"),
    "tiny hunyuan-video 1.5": (image.tiny_video(32, 12), "hunyuan-video-1.5"),
    "tiny ltx": (image.tiny_video(128, 48), "ltx-video"),
}

VAES: dict[str, Answer] = {
    name: (shapes, "vae", bases)
    for group in (_IMAGES, _HALVES, _VIDEOS, _TINY)
    for name, (shapes, bases) in group.items()
}
"""What it is → its tensors, type and bases."""
