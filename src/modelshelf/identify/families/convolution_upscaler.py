"""Upscalers and restorers built of convolutions: ESRGAN in three ways of naming, and the small ones.

ESRGAN that takes 12 or 48 numbers a pixel folds the image first: its scale is a half or a quarter of
what its layers make.

Sources: xinntao/ESRGAN and xinntao/Real-ESRGAN, cszn/BSRGAN, and the published code of each other
architecture, as `spandrel` of chaiNNer-org lists them.
"""

from __future__ import annotations

from modelshelf.identify.condition import Both, Condition, Never
from modelshelf.identify.families.upscaler import scales_by_outputs, upscaler
from modelshelf.identify.family import Detail, Trait
from modelshelf.identify.network import Last, Only
from modelshelf.identify.tensor_condition import Absent, Some, Tensor

__all__ = ["FAMILIES"]

_OLD = "#.sub.#.RDB1.conv1.#.weight"


def _scale(number: int, condition: Condition) -> Trait:
    return Trait(Detail("scale", str(number)), condition)


_FIRST = "conv_first.weight"
_REAL_SCALES = (
    _scale(4, Both(Tensor(_FIRST, (None, 3)), Tensor("conv_up2.weight"))),
    _scale(2, Tensor(_FIRST, (None, 12))),
    _scale(1, Tensor(_FIRST, (None, 48))),
)
_BSR_SCALES = (
    _scale(4, Tensor("upconv2.weight")),
    _scale(2, Both(Tensor("upconv1.weight"), Never(Tensor("upconv2.weight")))),
)
# Beside the first and the last two convolutions, one for each doubling.
_OLD_SCALES = tuple(
    _scale(scale, Both(Tensor("#.weight", count=count), Some("#.weight", (None, 3, 3, 3))))
    for scale, count in ((1, 3), (2, 4), (4, 5), (8, 6))
)

FAMILIES = (
    upscaler(
        "ESRGAN",
        Tensor(_FIRST, (None, (3, 12, 48)), rank=4),
        Tensor("body.#.rdb1.conv1.weight", rank=4),
        Tensor("body.#.rdb3.conv5.weight", rank=4),
        Tensor("conv_last.weight", (3,)),
        # MM-RealSR has these blocks too, and looks at how degraded the image is.
        Absent("am_list.*"),
        traits=_REAL_SCALES,
        naming="real",
    ),
    upscaler(
        "ESRGAN",
        Tensor(_FIRST, rank=4),
        Tensor("RRDB_trunk.#.RDB1.conv1.weight", rank=4),
        Tensor("RRDB_trunk.#.RDB3.conv5.weight", rank=4),
        Tensor("conv_last.weight", (3,)),
        traits=_BSR_SCALES,
        naming="bsrgan",
    ),
    upscaler(
        "ESRGAN",
        Tensor(_OLD, rank=4),
        Tensor("#.sub.#.RDB3.conv5.#.weight", rank=4),
        Tensor("#.weight", rank=4),
        traits=_OLD_SCALES,
        naming="old",
    ),
    upscaler(
        "MMRealSR",
        Tensor("am_list.#.fc.#.weight", rank=2),
        Tensor("body.#.rdb1.conv1.weight", rank=4),
    ),
    upscaler(
        "Compact",
        Tensor("body.0.weight", (None, 3, 3, 3)),
        Only(("body.#.weight", "body.#.bias")),
        Last("body.#.weight", ((3, 12, 27, 48, 192), None, 3, 3)),
        traits=tuple(
            _scale(scale, Last("body.#.weight", (3 * scale * scale, None, 3, 3)))
            for scale in (1, 2, 3, 4, 8)
        ),
    ),
    upscaler(
        "Compact",
        # Pictures in grey: each of the last outputs is a pixel.
        Tensor("body.0.weight", (None, 1, 3, 3)),
        Only(("body.#.weight", "body.#.bias")),
        Some("body.#.weight", (None,)),
        Last("body.#.weight", ((1, 4, 9, 16, 64), None, 3, 3)),
        traits=tuple(
            _scale(scale, Last("body.#.weight", (scale * scale, None, 3, 3)))
            for scale in (1, 2, 3, 4, 8)
        ),
        naming="grey",
    ),
    upscaler(
        "SPAN",
        Tensor("block_1.c1_r.sk.weight", rank=4),
        Tensor("conv_1.sk.weight", rank=4),
        Tensor("conv_cat.weight", rank=4),
        traits=scales_by_outputs("upsampler.0.weight"),
    ),
    upscaler(
        "PLKSR",
        Tensor("feats.0.weight", (None, 3, 3, 3)),
        Tensor("feats.#.refine.weight", rank=4),
        Last("feats.#.weight", (None, None, 3, 3)),
        Absent("feats.#.safm.*"),
        traits=tuple(
            _scale(
                scale,
                Both(Last("feats.#.weight", (3 * scale * scale, None, 3, 3)), Absent("to_img.*")),
            )
            for scale in (1, 2, 3, 4, 8)
        ),
    ),
    upscaler(
        "OmniSR",
        Tensor("residual_layer.#.esa.conv_f.weight", rank=4),
        Tensor("input.weight", rank=4),
        traits=scales_by_outputs("up.0.weight"),
    ),
    upscaler(
        "SAFMN",
        Tensor("feats.#.safm.aggr.weight", rank=4),
        Tensor("to_feat.weight", rank=4),
        traits=scales_by_outputs("to_img.0.weight"),
    ),
    upscaler(
        "SAFMNBCIE",
        Tensor("feats.#.layers.#.safm.aggr.weight", rank=4),
        Tensor("to_feat.#.weight", rank=4),
    ),
    upscaler(
        "MoSR",
        Tensor("gblocks.#.fc1.weight"),
        Tensor("gblocks.#.conv.weight"),
        traits=scales_by_outputs("upsampler.0.weight"),
    ),
    upscaler(
        "MoESR",
        Tensor("in_to_dim.weight", rank=4),
        Tensor("blocks.#.blocks.#.conv.dwconv_hw.weight", rank=4),
        Tensor("blocks.#.msg.down.#.bias", rank=1),
        traits=scales_by_outputs("upscale.0.weight"),
    ),
    upscaler(
        "SeemoRe",
        Tensor("body.#.global_block.block.to_qv.#.weight", rank=4),
        Tensor("body.#.global_block.ffn.gate.weight", rank=4),
        traits=scales_by_outputs("upsampler.0.weight"),
    ),
    upscaler(
        "RCAN",
        Tensor("body.#.body.#.body.#.conv_du.#.weight", rank=4),
        Tensor("head.#.weight", rank=4),
        Tensor("tail.1.weight", (3,), rank=4),
        traits=(
            _scale(4, Tensor("tail.0.#.weight", (256,), count=2)),
            _scale(3, Tensor("tail.0.#.weight", (576,), count=1)),
            _scale(2, Tensor("tail.0.#.weight", (256,), count=1)),
        ),
    ),
    upscaler(
        "SwiftSRGAN",
        Tensor("initial.cnn.depthwise.weight", rank=4),
        Tensor("convblock.cnn.pointwise.weight", rank=4),
        traits=(
            _scale(2, Tensor("upsampler.#.conv.pointwise.weight", count=1)),
            _scale(4, Tensor("upsampler.#.conv.pointwise.weight", count=2)),
        ),
    ),
    upscaler(
        "RealCUGAN",
        Tensor("unet1.conv1_down.weight", rank=4),
        Tensor("unet2.conv1_down.weight", rank=4),
        Tensor("unet1.conv2.seblock.conv1.weight", rank=4),
        traits=(
            _scale(2, Tensor("unet1.conv_bottom.weight", (64, 3, 4, 4))),
            _scale(3, Tensor("unet1.conv_bottom.weight", (64, 3, 5, 5))),
            # Twice and fast first folds four pixels into one.
            _scale(
                2,
                Both(
                    Tensor("conv_final.weight", (12,)),
                    Tensor("unet1.conv1.conv.0.weight", (None, 12)),
                ),
            ),
            _scale(
                4,
                Both(
                    Tensor("conv_final.weight", (12,)),
                    Tensor("unet1.conv1.conv.0.weight", (None, 3)),
                ),
            ),
        ),
    ),
    upscaler(
        "NAFNet",
        Tensor("middle_blks.#.conv2.weight", rank=4),
        Tensor("encoders.#.#.sca.#.weight", rank=4),
        Tensor("encoders.#.#.beta", rank=4),
        Tensor("intro.weight", rank=4),
        Tensor("ending.weight", rank=4),
        Absent("*.attgamma"),
        traits=(_scale(1, Tensor("intro.weight")),),
    ),
    upscaler(
        "KBNet",
        Tensor("encoders.#.#.attgamma", rank=4),
        Tensor("encoders.#.#.ga1", rank=4),
        Tensor("intro.weight", rank=4),
        traits=(_scale(1, Tensor("intro.weight")),),
    ),
    upscaler(
        "KBNet",
        Tensor("encoder_level1.#.attn.attgamma", rank=4),
        Tensor("encoder_level1.#.attn.ga1", rank=4),
        Tensor("patch_embed.proj.weight", rank=4),
        traits=(_scale(1, Tensor("patch_embed.proj.weight")),),
        naming="large",
    ),
    upscaler(
        "FBCNN",
        Tensor("m_body_encoder.#.res.#.weight", rank=4),
        Tensor("m_body_decoder.#.res.#.weight", rank=4),
        Tensor("m_head.bias"),
        traits=(_scale(1, Tensor("m_head.bias")),),
    ),
    upscaler(
        "DRUNet",
        Tensor("m_body.#.res.#.weight", rank=4),
        Tensor("m_head.weight", rank=4),
        Tensor("m_up3.#.res.#.weight", rank=4),
        traits=(_scale(1, Tensor("m_head.weight")),),
    ),
    upscaler(
        "MixDehazeNet",
        Tensor("layer1.blocks.#.Wv.#.weight", rank=4),
        Tensor("layer1.blocks.#.conv3_13.weight", rank=4),
        Tensor("patch_merge1.proj.weight", rank=4),
    ),
    upscaler(
        "HVICIDNet",
        Tensor("HVE_block0.#.weight", rank=4),
        Tensor("trans.density_k", (1,)),
    ),
    upscaler(
        "LaMa",
        Tensor("#.ffc.convl2l.weight", rank=4),
        Tensor("#.bn_l.running_mean", rank=1),
        Tensor("#.conv1.ffc.convg2g.conv2.weight", rank=4),
    ),
    upscaler(
        "GFPGAN",
        Tensor("stylegan_decoder.style_mlp.#.weight", rank=2),
        Tensor("conv_body_first.weight", rank=4),
        Tensor("condition_scale.#.#.weight", rank=4),
    ),
    upscaler(
        "CodeFormer",
        Tensor("position_emb", (256, 512)),
        Tensor("idx_pred_layer.1.weight", (1024, 512)),
        Tensor("quantize.embedding.weight", (1024, 256)),
    ),
    upscaler(
        "RestoreFormer",
        Tensor("quantize.embedding.weight", (1024, 256)),
        # Its attention looks at two images, so it has two norms; a VQGAN's has one.
        Tensor("decoder.mid.attn_1.norm2.weight", rank=1),
        Tensor("encoder.conv_in.weight", (64, 3)),
    ),
)
"""One per architecture and way of naming."""
