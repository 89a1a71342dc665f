"""Models that share most names with a known one, and are none of them."""

from __future__ import annotations

from tests.unit.identify.layouts import SD_1, SD_2, SDXL, Shapes, diffusers_unet, ldm_unet, prefixed
from tests.unit.identify.more_video_layouts import (
    COSMOS_2_2B,
    cosmos_2,
    cosmos_diffusers,
    kandinsky_5,
    motion_modules,
    svd_diffusers,
)
from tests.unit.identify.other_video_layouts import COGVIDEOX_5B, attention, cogvideox
from tests.unit.identify.video_layouts import (
    WAN_1_3B,
    WAN_14B,
    d_double,
    d_single,
    feed_forward,
    hunyuan_video_diffusers,
    layer,
    norm,
    pair,
    renamed,
    repeat,
    stack,
    wan,
    wan_diffusers,
)


def few_blocks(shapes: Shapes) -> Shapes:
    """Leave two blocks of each list: fewer tensors ask the same questions."""
    return {
        name: shape
        for name, shape in shapes.items()
        if all(int(step) < 4 for step in name.split(".") if step.isdigit())
    }


def helios() -> Shapes:
    """Wan's blocks, with patches of three lengths for what was made before."""
    return wan_diffusers(wan(*WAN_14B)) | stack(
        layer("patch_short", 5120, 16, 1, 2, 2),
        layer("patch_mid", 5120, 16, 2, 4, 4),
        layer("patch_long", 5120, 16, 4, 8, 8),
    )


def any_flow() -> Shapes:
    """Wan's blocks, told how far to go as well."""
    return wan_diffusers(wan(*WAN_14B)) | pair("condition_embedder.delta_embedder", 5120, 256)


def wan_of_sound() -> Shapes:
    """MOVA's tower for sound: Wan's blocks, fed with rows."""
    return wan(*WAN_1_3B) | {
        "patch_embedding.weight": (1536, 128, 1),
        "head.head.weight": (128, 1536),
    }


def wan_control() -> Shapes:
    """A ControlNet that copies Wan's first blocks."""
    few = few_blocks(wan_diffusers(wan(*WAN_14B)))
    return few | layer("controlnet_blocks.0", 5120, 5120)


def vace_module() -> Shapes:
    """What VACE adds, without what it is added to."""
    return {name: one for name, one in wan(*WAN_14B, vace=8).items() if name.startswith("vace_")}


def motif_video() -> Shapes:
    """HunyuanVideo's blocks without its refiner of text."""
    width = 3072
    return stack(
        layer("x_embedder.proj", width, 33, 1, 2, 2),
        pair("context_embedder", width, 4096),
        pair("time_text_embed.timestep_embedder", width, 256),
        repeat("transformer_blocks", 20, d_double(width)),
        repeat("single_transformer_blocks", 40, d_single(width)),
        layer("norm_out.linear", 2 * width, width),
        layer("proj_out", 64, width),
    )


def hunyuan_control() -> Shapes:
    """A ControlNet that copies HunyuanVideo's blocks."""
    return hunyuan_video_diffusers() | layer("controlnet_blocks.0", 3072, 3072)


def allegro() -> Shapes:
    """LTX-Video's names for modulation, without its norms, from patches of images."""
    width = 2304
    block = stack(
        {"scale_shift_table": (6, width)},
        attention("attn1", width),
        attention("attn2", width),
        feed_forward("ff", width, 4 * width),
    )
    return stack(
        {"scale_shift_table": (2, width)},
        layer("pos_embed.proj", width, 4, 2, 2),
        pair("adaln_single.emb.timestep_embedder", width, 256),
        layer("adaln_single.linear", 6 * width, width),
        pair("caption_projection", width, 4096),
        repeat("transformer_blocks", 32, block),
        layer("proj_out", 16, width),
    )


def consis_id() -> Shapes:
    """CogVideoX, with what extracts a face."""
    face = norm("local_facial_extractor.proj_out.0", 2048)
    return cogvideox(*COGVIDEOX_5B, frames=2, learned=True) | face


def anima() -> Shapes:
    """Cosmos Predict2's 2B with an adapter of its own text encoder."""
    own = prefixed("net.llm_adapter.blocks.0.", attention("self_attn", 1024))
    return cosmos_2(cosmos_diffusers(*COSMOS_2_2B)) | own


def easy_animate() -> Shapes:
    """CogVideoX's blocks, with layers for the text beside those for the video."""
    text = repeat("transformer_blocks", 42, feed_forward("txt_ff", 3072, 4 * 3072))
    return cogvideox(*COGVIDEOX_5B) | text


def kandinsky_6() -> Shapes:
    """Kandinsky 5's blocks for video, and blocks for text and sound with names of their own."""
    return {
        name.replace("text_transformer_blocks", "video_text_transformer_blocks"): shape
        for name, shape in kandinsky_5(4096, 60, texts=4, time=1024, head=128).items()
    }


def _with_temporal(shapes: Shapes, name: str) -> Shapes:
    added: Shapes = {}
    for stack_name in ("down_blocks.0", "mid_block", "up_blocks.3"):
        added |= layer(f"{stack_name}.{name}.0.proj_in", 320, 320)
    return shapes | added


def zeroscope() -> Shapes:
    """ModelScope's text-to-video: SD 2's attentions, and convolutions over time."""
    return _with_temporal(diffusers_unet(SD_2), "temp_convs") | layer(
        "transformer_in.proj_in", 512, 320
    )


def i2vgen_xl() -> Shapes:
    """The same with an image."""
    return zeroscope() | layer("image_latents_temporal_encoder.norm1", 4)


def hotshot_xl() -> Shapes:
    """SDXL's UNet with attentions over time."""
    return _with_temporal(diffusers_unet(SDXL), "temporal_attentions")


def la_vie() -> Shapes:
    """SD 1's UNet, with an attention over time in each block."""
    shapes = diffusers_unet(SD_1)
    return shapes | {name.replace("attn1", "attn_temp"): one for name, one in shapes.items()}


def model_scope() -> Shapes:
    """ModelScope's text-to-video as it was published, spelling included."""
    return ldm_unet(SD_2) | layer("input_blocks.1.0.temopral_conv.conv1.2", 320, 320, 3, 1, 1)


def mv_dream() -> Shapes:
    """SD 2's UNet, told where the camera stands."""
    return ldm_unet(SD_2) | layer("camera_embed.0", 1280, 16)


def pyramid_flow() -> Shapes:
    """Pyramid-Flow: SD 3 medium's blocks for video."""
    width = 1536
    block = renamed(d_double(width), (("norm_added_", "norm_add_"),))
    return stack(
        layer("pos_embed.proj", width, 16, 2, 2),
        layer("context_embedder", width, 4096),
        pair("time_text_embed.timestep_embedder", width, 256),
        pair("time_text_embed.text_embedder", width, 2048),
        repeat("transformer_blocks", 24, block),
        layer("norm_out.linear", 2 * width, width),
        layer("proj_out", 64, width),
    )


def pyramid_flux() -> Shapes:
    """Its second model: FLUX's blocks, 1920 wide."""
    width = 1920
    return stack(
        layer("x_embedder", width, 64),
        layer("context_embedder", width, 4096),
        pair("time_text_embed.timestep_embedder", width, 256),
        pair("time_text_embed.text_embedder", width, 768),
        repeat("transformer_blocks", 8, d_double(width)),
        repeat("single_transformer_blocks", 16, d_single(width)),
        layer("norm_out.linear", 2 * width, width),
        layer("proj_out", 64, width),
    )


def hotshot_layers() -> Shapes:
    """Those alone."""
    found: Shapes = {}
    for level, width in enumerate((320, 640, 1280)):
        inner = f"down_blocks.{level}.temporal_attentions.0"
        found |= layer(f"{inner}.proj_in", width, width)
        found[f"{inner}.pos_encoder.positional_encoding"] = (1, 24, width)
    return found


def unet_with_motion() -> Shapes:
    """SD 1's UNet with AnimateDiff inside, as diffusers saves it."""
    return diffusers_unet(SD_1) | motion_modules()


def svd_control() -> Shapes:
    """A ControlNet that copies SVD's way down."""
    return svd_diffusers() | layer("controlnet_down_blocks.0", 320, 320, 1, 1)


def latent_upsampler() -> Shapes:
    """LTX's upsampler of latents: five-dimensional convolutions and nothing else."""
    block = stack(
        layer("conv1", 512, 512, 3, 3, 3),
        layer("conv2", 512, 512, 3, 3, 3),
        norm("norm1", 512, bias=True),
        norm("norm2", 512, bias=True),
    )
    return stack(
        layer("initial_conv", 512, 128, 3, 3, 3),
        norm("initial_norm", 512, bias=True),
        repeat("res_blocks", 4, block),
        layer("upsampler.0", 2048, 512, 3, 3),
        repeat("post_upsample_res_blocks", 4, block),
        layer("final_conv", 128, 512, 3, 3, 3),
    )


STRANGERS = (
    helios,
    any_flow,
    wan_of_sound,
    wan_control,
    vace_module,
    motif_video,
    hunyuan_control,
    allegro,
    consis_id,
    easy_animate,
    kandinsky_6,
    zeroscope,
    i2vgen_xl,
    hotshot_xl,
    hotshot_layers,
    la_vie,
    model_scope,
    mv_dream,
    pyramid_flow,
    pyramid_flux,
    unet_with_motion,
    svd_control,
    latent_upsampler,
)
"""Whom no rule may take for one of its own."""
