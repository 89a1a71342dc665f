"""Restorers that enlarge nothing: of noise, rain, blur, colour and holes, as Spandrel's lists name them.

DnCNN is a plain list of convolutions, so its ends, its length and the want of all else decide.

Sources: `models/network_dncnn.py` of cszn/KAIR, and the published code of each other architecture, as
`spandrel` and `spandrel_extra_arches` of chaiNNer-org list them.
"""

from __future__ import annotations

from modelshelf.identify.families.upscaler import upscaler
from modelshelf.identify.network import Last, Only
from modelshelf.identify.tensor_condition import Absent, Some, Tensor

__all__ = ["FAMILIES"]

# Grey, colour, or either beside a map of the noise.
_COLOURS = (1, 2, 3, 4)
_KERNEL = (3, 3)
_LAYERS = (17, 20)

FAMILIES = (
    *(
        upscaler(
            "DnCNN",
            Tensor("#.weight", rank=4, count=layers),
            Tensor("0.weight", (64, _COLOURS, *_KERNEL)),
            Some("#.weight", (64, 64, *_KERNEL)),
            Last("#.weight", ((1, 3), 64, *_KERNEL)),
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
            Tensor("0.weight", (64, _COLOURS, *_KERNEL)),
            Last("#.weight", ((1, 3), 64, *_KERNEL)),
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
