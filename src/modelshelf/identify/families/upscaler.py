"""Upscalers and restorers built of attention: SwinIR and its descendants, each by its own blocks.

They share `conv_first`, `layers` and `upsample`; what a generation added to its blocks tells it from
the one before. The scale is in what comes behind: each shuffle makes four pixels of one, or nine.

Sources: the published code of each architecture, as `spandrel` of chaiNNer-org lists them.
"""

from __future__ import annotations

from modelshelf.identify.condition import Both, Condition, Never
from modelshelf.identify.family import Detail, Family, Trait
from modelshelf.identify.tensor_condition import Absent, Tensor
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["FAMILIES", "scales_by_outputs", "upscaler"]


def upscaler(
    architecture: str, *conditions: Condition, traits: tuple[Trait, ...] = (), naming: str = ""
) -> Family:
    """Return the family of one architecture; it works on any image, so with every base.

    Args:
        architecture: Its published name.
        conditions: What only it has.
        traits: Its scale, where shapes tell.
        naming: Whose names these are, where there are several.
    """
    return Family(
        id="/".join(filter(None, ("upscaler", architecture.lower(), naming))),
        type=ModelType.SPANDREL_IMAGE_TO_IMAGE,
        format=ModelFormat.CHECKPOINT,
        bases=(BaseModelType.ANY,),
        conditions=conditions,
        architecture=architecture,
        traits=traits,
    )


def _scale(number: int, condition: Condition) -> Trait:
    return Trait(Detail("scale", str(number)), condition)


def scales_by_outputs(name: str, colours: int = 3) -> tuple[Trait, ...]:
    """Return a trait for each scale: one shuffle makes *scale* squared pixels of *colours* each."""
    return tuple(
        _scale(scale, Tensor(name, (colours * scale * scale,))) for scale in (1, 2, 3, 4, 8)
    )


_DIRECT = scales_by_outputs("upsample.0.weight")
_NO_SHUFFLE = Absent("upsample.*")
_SHUFFLES: tuple[Trait, ...] = (
    _scale(2, Both(Tensor("upsample.#.weight", count=1), Tensor("upsample.0.weight", (256,)))),
    _scale(3, Both(Tensor("upsample.#.weight", count=1), Tensor("upsample.0.weight", (576,)))),
    _scale(4, Tensor("upsample.#.weight", (256,), count=2)),
    _scale(8, Tensor("upsample.#.weight", (256,), count=3)),
)
_NEAREST: tuple[Trait, ...] = (
    _scale(4, Both(Tensor("conv_up1.weight"), Tensor("conv_up2.weight"))),
    _scale(2, Both(Tensor("conv_up1.weight"), Never(Tensor("conv_up2.weight")))),
)
_NONE: tuple[Trait, ...] = (
    _scale(1, Both(Tensor("conv_last.weight"), Both(_NO_SHUFFLE, Absent("conv_up1.*")))),
)
_ANY_SCALE = (*_DIRECT, *_SHUFFLES, *_NEAREST, *_NONE)

_BLOCK = "layers.#.residual_group.blocks.#"

FAMILIES = (
    upscaler(
        "SwinIR",
        Tensor("conv_first.weight", rank=4),
        Tensor(f"{_BLOCK}.attn.relative_position_bias_table", rank=2),
        # SRFormer, of the same names, asks with one matrix and answers with a narrower one.
        Tensor(f"{_BLOCK}.attn.qkv.weight", rank=2),
        Absent("*.conv_block.*"),
        Absent("*.overlap_attn.*"),
        Absent("*.hf_blocks.*"),
        traits=_ANY_SCALE,
    ),
    upscaler(
        "SRFormer",
        Tensor("conv_first.weight", rank=4),
        Tensor(f"{_BLOCK}.attn.aligned_relative_position_index"),
        Tensor(f"{_BLOCK}.attn.kv.weight", rank=2),
        traits=_ANY_SCALE,
    ),
    upscaler(
        "Swin2SR",
        Tensor("conv_first.weight", rank=4),
        Tensor(f"{_BLOCK}.attn.cpb_mlp.#.weight", rank=2),
        Tensor(f"{_BLOCK}.attn.logit_scale", rank=3),
        traits=_ANY_SCALE,
    ),
    upscaler(
        "HAT",
        Tensor("conv_first.weight", rank=4),
        Tensor(f"{_BLOCK}.conv_block.cab.#.weight", rank=4),
        Tensor("layers.#.residual_group.overlap_attn.relative_position_bias_table", rank=2),
        traits=_ANY_SCALE,
    ),
    upscaler(
        "DAT",
        Tensor("before_RG.#.weight", rank=1),
        Tensor("layers.#.blocks.#.attn.channel_interaction.#.weight"),
        Tensor("layers.#.blocks.#.attn.spatial_interaction.#.weight"),
        traits=_ANY_SCALE,
    ),
    upscaler(
        "RGT",
        Tensor("before_RG.#.weight", rank=1),
        Tensor("layers.#.blocks.#.attn.cpe.weight", rank=4),
        Tensor("layers.#.blocks.#.gamma"),
        traits=_ANY_SCALE,
    ),
    upscaler(
        "ATD",
        Tensor("conv_first.weight", rank=4),
        Tensor("layers.#.residual_group.layers.#.attn_atd.scale"),
        Tensor("layers.#.residual_group.layers.#.attn_win.relative_position_bias_table"),
        traits=_ANY_SCALE,
    ),
    upscaler(
        "DRCT",
        Tensor("conv_first.weight", rank=4),
        Tensor("layers.#.swin1.attn.qkv.weight", rank=2),
        Tensor("layers.#.adjust1.weight", rank=4),
        traits=_ANY_SCALE,
    ),
    upscaler(
        "CRAFT",
        Tensor("conv_first.weight", rank=4),
        Tensor("layers.#.residual_group.hf_blocks.#.attn.temperature"),
        Tensor("layers.#.residual_group.hf_blocks.#.ffn.dwconv.weight", rank=4),
        traits=_DIRECT,
    ),
    upscaler(
        "GRL",
        Tensor("conv_first.weight", rank=4),
        Tensor("layers.#.blocks.#.attn.stripe_attn.attn_transform1.logit_scale"),
        Tensor("layers.#.blocks.#.attn.window_attn.attn_transform.logit_scale"),
        traits=(
            *scales_by_outputs("upsample.up.0.weight"),
            _scale(4, Tensor("upsample.up.#.weight", (256,), count=2)),
        ),
    ),
    upscaler(
        "FDAT",
        Tensor("groups.#.blocks.#.inter.cg.#.weight"),
        Tensor("groups.#.blocks.#.inter.sg.#.weight"),
        Tensor("groups.#.blocks.#.attn.temp"),
        traits=(
            *scales_by_outputs("upsampler.0.weight"),
            _scale(4, Tensor("upsampler.2.weight", (None, 3, 4, 4))),
        ),
    ),
    upscaler(
        "DITN",
        Tensor("UFONE.#.ITLs.#.attn.temperature"),
        Tensor("UFONE.#.SALs.#.SDA.proj_first.#.weight", rank=4),
        traits=_DIRECT,
    ),
    upscaler(
        "DCTLSA",
        Tensor("fea_conv.weight", rank=4),
        Tensor("B1.body.#.transformer_body.#.blocks.#.attn.proj.bias", rank=1),
        Tensor("B2.body.#.transformer_body.#.blocks.#.attn.proj.bias", rank=1),
        traits=scales_by_outputs("upsampler.0.weight"),
    ),
    upscaler(
        "IPT",
        Tensor("body.linear_encoding.weight", rank=2),
        Tensor("body.decoder.layers.#.multihead_attn.in_proj_weight", rank=2),
        Tensor("sub_mean.weight", (3, 3)),
    ),
    upscaler(
        "Uformer",
        Tensor("encoderlayer_0.blocks.#.attn.proj.weight", rank=2),
        Tensor("dowsample_0.conv.#.weight", rank=4),
        Tensor("output_proj.proj.#.weight", rank=4),
    ),
    upscaler(
        "FFTformer",
        Tensor("decoder_level1.#.ffn.fft"),
        Tensor("decoder_level1.#.attn.to_hidden_dw.weight", rank=4),
        Tensor("patch_embed.proj.weight", rank=4),
    ),
    upscaler(
        "Restormer",
        Tensor("encoder_level1.#.attn.temperature"),
        Tensor("refinement.#.attn.qkv_dwconv.weight", rank=4),
        Tensor("latent.#.attn.temperature"),
        Tensor("patch_embed.proj.weight", rank=4),
    ),
    upscaler(
        "SCUNet",
        Tensor("m_body.#.trans_block.msa.embedding_layer.weight", rank=2),
        Tensor("m_body.#.conv1_1.weight", rank=4),
    ),
    upscaler(
        "RetinexFormer",
        Tensor("body.#.denoiser.bottleneck.blocks.#.#.rescale"),
        Tensor("body.#.estimator.depth_conv.weight", rank=4),
    ),
    upscaler(
        "AuraSR",
        Tensor("downs.#.#.#.block1.proj.weights", rank=5),
        Tensor("style_network.net.#.weight", rank=2),
        Tensor("final_to_rgb.weight", rank=4),
        traits=(_scale(4, Tensor("final_to_rgb.weight")),),
    ),
)
"""One per architecture."""
