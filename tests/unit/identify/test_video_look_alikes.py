from __future__ import annotations

from collections.abc import Callable

import pytest

from modelshelf.identify import identify
from modelshelf.identify.layout import fold
from modelshelf.schema.tensor import TensorEntry, TensorIndex
from tests.unit.identify.layouts import (
    SD_1,
    SD_2,
    SDXL,
    Shapes,
    diffusers_unet,
    index_of,
    prefixed,
)
from tests.unit.identify.more_video_layouts import (
    COSMOS_2_2B,
    cosmos_2,
    cosmos_diffusers,
    kandinsky_5,
    motion_modules,
    motion_modules_original,
    svd_diffusers,
)
from tests.unit.identify.other_video_layouts import (
    COGVIDEOX_5B,
    LTX_2B,
    attention,
    cogvideox,
    ltx_video,
)
from tests.unit.identify.video_layouts import (
    WAN_14B,
    d_double,
    d_single,
    feed_forward,
    hunyuan_video_diffusers,
    layer,
    norm,
    pair,
    repeat,
    stack,
    wan,
    wan_diffusers,
)
from tests.unit.identify.video_models import PUBLISHED, Published

models = pytest.mark.parametrize(
    "model",
    [
        pytest.param(one, id=f"{one.rule}-{one.architecture}-{one.variant}".replace("/", "-"))
        for one in PUBLISHED
    ],
)


def few_blocks(shapes: Shapes) -> Shapes:
    """Leave two blocks of each list: fewer tensors ask the same questions."""
    return {
        name: shape
        for name, shape in shapes.items()
        if all(int(step) < 4 for step in name.split(".") if step.isdigit())
    }


@models
def test_without_any_one_group_it_is_never_another_base(model: Published) -> None:
    """What is missing may leave a model unknown, and never makes it its neighbour."""
    shapes = few_blocks(model.shapes())
    folded = dict(zip(shapes, fold(shapes), strict=True))
    for group in sorted(set(folded.values())):
        rest = {name: shape for name, shape in shapes.items() if folded[name] != group}
        found = identify(index_of(rest))
        assert found.base.value in {model.base, "unknown"}, group
        assert found.type.value in {model.kind, "unknown"}, group


@models
def test_half_of_the_blocks_are_no_other_model(model: Published) -> None:
    """A shard, or a file that was cut: the same base, or none."""
    shapes = {
        name: shape
        for name, shape in model.shapes().items()
        if all(int(step) % 2 == 0 for step in name.split(".") if step.isdigit())
    }
    assert identify(index_of(shapes)).base.value in {model.base, "unknown"}


@models
def test_names_alone_are_never_another_base(model: Published) -> None:
    """An index of shards tells names and no shapes: open where widths would decide."""
    found = identify(TensorIndex({name: TensorEntry("", (), 0, 0) for name in model.shapes()}))
    assert found.base.value in {model.base, "unknown"}
    assert found.type.value == model.kind


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


def wan_animate_2() -> Shapes:
    """Wan's blocks inside blocks."""
    return {
        name.replace(".", ".block.", 2).replace("blocks.block.", "blocks.")
        if name.startswith("blocks.")
        else name: shape
        for name, shape in wan(*WAN_14B, inputs=36, image=True).items()
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


def narrower(shapes: Shapes, width: int, other: int) -> Shapes:
    """The same architecture in a width that nobody published."""
    return {
        name: tuple(side // width * other if side % width == 0 else side for side in shape)
        for name, shape in shapes.items()
    }


@pytest.mark.parametrize(
    "make",
    [
        helios,
        any_flow,
        wan_animate_2,
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
        unet_with_motion,
        svd_control,
        latent_upsampler,
    ],
)
def test_look_alike_is_no_model_of_the_base(make: Callable[[], Shapes]) -> None:
    """Most of its names are a known model's; what it has beyond them, or lacks, decides."""
    for wrapper in ("", "model.diffusion_model."):
        found = identify(index_of(prefixed(wrapper, make())))
        assert (found.bases, found.candidates) == ((), ())


def test_anima_is_not_cosmos() -> None:
    """Every block is Predict2's, and its LoRAs are not."""
    assert identify(index_of(anima())).base.value in {"anima", "unknown"}


@pytest.mark.parametrize(
    "shapes",
    [
        narrower(wan(*WAN_14B), 5120, 4608),
        narrower(ltx_video(*LTX_2B), 2048, 1920),
        narrower(cogvideox(*COGVIDEOX_5B), 3072, 2560),
        narrower(motion_modules_original(motion_modules()), 320, 384),
    ],
    ids=["wan", "ltx", "cogvideox", "animatediff"],
)
def test_unpublished_width_is_unknown(shapes: Shapes) -> None:
    """Names without the width are another model's until somebody publishes it."""
    found = identify(index_of(shapes))
    assert (found.type.value, found.bases) == ("unknown", ())
    assert found.near_misses
