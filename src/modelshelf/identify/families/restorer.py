"""Restorers that enlarge nothing: of noise, rain, blur, colour and holes, as Spandrel's lists name them.

DnCNN is a plain list of convolutions, so its ends, its length, the numbers that activations and norms
take between them, and the want of all else decide.

Sources: `models/network_dncnn.py` of cszn/KAIR, and the published code of each other architecture, as
`spandrel` and `spandrel_extra_arches` of chaiNNer-org list them.
"""

from __future__ import annotations

from modelshelf.identify.condition import Both, Condition, Either
from modelshelf.identify.families.upscaler import upscaler
from modelshelf.identify.network import Last, Only
from modelshelf.identify.tensor_condition import Absent, Some, Tensor

__all__ = ["FAMILIES"]

_KERNEL = (3, 3)
_LAYERS = (17, 20)


def _ends(last: int) -> tuple[Condition, ...]:
    """The first and the last layer: as many colours out as in, or a map of the noise beside them."""
    return (
        Either(
            tuple(
                Both(
                    Tensor("0.weight", (64, taken, *_KERNEL), rank=4),
                    Tensor(f"{last}.weight", (given, 64, *_KERNEL), rank=4),
                )
                for taken, given in ((1, 1), (2, 1), (3, 3), (4, 3))
            )
        ),
        Tensor("0.bias", (64,)),
        Last("#.weight", ((1, 3), 64, *_KERNEL)),
    )


FAMILIES = (
    *(
        upscaler(
            "DnCNN",
            Tensor("#.weight", rank=4, count=layers),
            Some("#.weight", (64, 64, *_KERNEL)),
            # An activation stands behind each.
            *_ends(2 * (layers - 1)),
            Only(("#.weight", "#.bias")),
            naming=f"{layers}-layers",
        )
        for layers in _LAYERS
    ),
    *(
        upscaler(
            "DnCNN",
            # Neither end has a norm.
            Tensor("#.running_mean", (64,), rank=1, count=layers - 2),
            *_ends(2 + 3 * (layers - 2)),
            Only(
                (
                    *("#.weight", "#.bias", "#.running_mean", "#.running_var"),
                    "#.num_batches_tracked",
                )
            ),
            naming=f"{layers}-layers-and-norms",
        )
        for layers in _LAYERS
    ),
    upscaler(
        "FeMaSR",
        Tensor("multiscale_encoder.in_conv.weight", rank=4),
        Tensor("decoder_group.#.block.1.weight", rank=4),
        Tensor("quantize_group.#.embedding.weight", rank=2),
        Absent("weight_predictor.*"),
    ),
    upscaler(
        "AdaCode",
        Tensor("multiscale_encoder.in_conv.weight", rank=4),
        Tensor("decoder_group.#.block.1.weight", rank=4),
        Tensor("weight_predictor.blocks.#.swin_blks.#.residual_group.blocks.#.norm1.weight"),
    ),
    upscaler(
        "DDColor",
        Tensor("encoder.arch.stages.#.#.dwconv.weight", rank=4),
        Tensor("decoder.color_decoder.query_feat.weight", rank=2),
        Tensor("refine_net.0.0.weight_orig", rank=4),
    ),
    upscaler(
        "M3SNet",
        Tensor("intro.weight", rank=4),
        Tensor("encoders.#.#.sca.#.weight", rank=4),
        Tensor("middle_blks.#.temperature", rank=3),
        Tensor("middle.#.#.gamma", rank=4),
    ),
    upscaler(
        "MAT",
        Tensor("synthesis.first_stage.conv_first.conv.weight", rank=4),
        Tensor("synthesis.first_stage.tran.#.blocks.#.attn.k.weight", rank=2),
        Tensor("mapping.w_avg", rank=1),
    ),
    upscaler(
        "MIRNet2",
        Tensor("conv_in.weight", rank=4),
        Tensor("body.#.body.#.dau_top.gcnet.conv_mask.weight", rank=4),
        Tensor("body.#.body.#.skff_mid.conv_du.#.weight", rank=4),
    ),
    upscaler(
        "MPRNet",
        Tensor("shallow_feat1.0.weight", rank=4),
        Tensor("stage1_encoder.encoder_level1.#.CA.conv_du.#.weight", rank=4),
        Tensor("sam12.conv1.weight", rank=4),
        Tensor("tail.weight", (3,), rank=4),
    ),
)
"""One per architecture and way of naming."""
