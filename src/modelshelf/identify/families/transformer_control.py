"""ControlNets of transformers: blocks of the base, and what carries their output back.

Each holds blocks of its base, so these families ask for what only a ControlNet adds, and for the
width that tells whose blocks they are.

Sources: the `controlnets` folder of huggingface/diffusers, `comfy/controlnet.py` of
Comfy-Org/ComfyUI, `diffsynth/models` of modelscope/DiffSynth-Studio, `x-flux` of XLabs-AI,
`videox_fun/models` of aigc-apps/VideoX-Fun, `diffusion/model/nets` of PixArt-alpha/PixArt-alpha and of
NVlabs/Sana.
"""

from __future__ import annotations

from modelshelf.identify.condition import Condition, Setting
from modelshelf.identify.families.denoiser import where_set
from modelshelf.identify.family import Detail, Family, Trait
from modelshelf.identify.tensor_condition import Absent, Tensor
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["FAMILIES"]

_INPAINT = Detail("control", "inpaint")
# 4 x 4 latents of 16 channels, and with a mask of the same patch 4 more.
_PATCH, _MASKED = 64, 68


def _control(
    id_: str,
    base: BaseModelType,
    *conditions: Condition,
    is_diffusers: bool = False,
    masked: str = "",
) -> Family:
    """One ControlNet; *masked* is the layer that is wider where it takes a mask."""
    return Family(
        id=id_,
        type=ModelType.CONTROLNET,
        format=ModelFormat.DIFFUSERS if is_diffusers else ModelFormat.CHECKPOINT,
        bases=(base,),
        conditions=conditions,
        traits=(Trait(_INPAINT, Tensor(masked, (None, _MASKED))),) if masked else (),
    )


def _folder(id_: str, base: BaseModelType, class_name: str, widths: dict[str, object]) -> Family:
    conditions = (Setting("class", (class_name,)), *where_set(**widths))
    return _control(id_, base, *conditions, is_diffusers=True)


_SD_3_WIDTHS = (1536, 2432)
_SANA_WIDTHS = (1152, 2240)
# Klein in its two sizes, and dev.
_FLUX_2_WIDTHS = (3072, 4096, 6144)
_CLASSES: tuple[tuple[str, BaseModelType, str, dict[str, object]], ...] = (
    (
        "qwen-image",
        BaseModelType.QWEN_IMAGE,
        "QwenImageControlNetModel",
        {"joint_attention_dim": 3584, "num_attention_heads": 24, "attention_head_dim": 128},
    ),
    ("z-image", BaseModelType.Z_IMAGE, "ZImageControlNetModel", {"dim": 3840}),
    (
        "hunyuan-dit",
        BaseModelType.HUNYUAN_DIT,
        "HunyuanDiT2DControlNetModel",
        {"cross_attention_dim": 1024, "hidden_size": 1408},
    ),
    ("hunyuan-dit-multi", BaseModelType.HUNYUAN_DIT, "HunyuanDiT2DMultiControlNetModel", {}),
    (
        "sana",
        BaseModelType.SANA,
        "SanaControlNetModel",
        {"caption_channels": 2304, "num_attention_heads": (36, 70), "attention_head_dim": 32},
    ),
    (
        "cosmos",
        BaseModelType.COSMOS,
        "CosmosControlNetModel",
        {"text_embed_dim": 1024, "attention_head_dim": 128},
    ),
)
"""Name, base, class, and widths of what it reads and of its blocks."""

FAMILIES = (
    *(
        _folder(f"{name}/controlnet/folder", base, class_name, widths)
        for name, base, class_name, widths in _CLASSES
    ),
    _control(
        "flux/controlnet/mistoline",
        BaseModelType.FLUX,
        Tensor("controlnet_blocks.#.linear.weight", (3072, 3072)),
        Tensor("double_blocks.#.img_mod.lin.bias", (18432,), below=19),
    ),
    _control(
        "sd-3/controlnet/original",
        BaseModelType.SD_3,
        # Its blocks are modulated each by its own, and look at no text.
        Tensor("controlnet_blocks.#.weight", (_SD_3_WIDTHS, _SD_3_WIDTHS)),
        Tensor("pos_embed_input.proj.weight", (_SD_3_WIDTHS,)),
        Tensor("transformer_blocks.#.adaLN_modulation.#.bias", rank=1),
    ),
    _control(
        "qwen-image/controlnet/diffusers",
        BaseModelType.QWEN_IMAGE,
        Tensor("controlnet_x_embedder.weight", (3072, None)),
        Tensor("controlnet_blocks.#.weight", (3072, 3072)),
        Tensor("transformer_blocks.#.img_mod.#.bias", (18432,)),
        Tensor("txt_norm.weight", (3584,)),
        is_diffusers=True,
        masked="controlnet_x_embedder.weight",
    ),
    _control(
        "qwen-image/controlnet/blockwise",
        BaseModelType.QWEN_IMAGE,
        Tensor("controlnet_blocks.#.x_rms.weight", (3072,), count=60),
        Tensor("controlnet_blocks.#.y_rms.weight", (3072,)),
        Tensor("img_in.weight", (3072, (_PATCH, _MASKED))),
        masked="img_in.weight",
    ),
    _control(
        "qwen-image/controlnet/fun",
        BaseModelType.QWEN_IMAGE,
        # Latents of what controls, of what is painted over, and a mask, in patches.
        Tensor("control_img_in.weight", (3072,), rank=2),
        Tensor("control_blocks.#.img_mod.#.bias", (18432,), below=60),
        Tensor("control_blocks.#.after_proj.bias", (3072,)),
    ),
    Family(
        id="other/controlnet/qwen-image-2.1-fun",
        type=ModelType.CONTROLNET,
        format=ModelFormat.CHECKPOINT,
        conditions=(
            Tensor("control_img_in.weight", (4096,), rank=2),
            Tensor("control_blocks.#.img_mlp.gate_layer.weight", (12288, 4096), below=32),
            Tensor("control_blocks.#.after_proj.bias", (4096,)),
        ),
        architecture="qwen-image-2.1",
    ),
    _control(
        "minimax-h3/controlnet/fun",
        BaseModelType.MINIMAX_H3,
        Tensor("control_proj_in.weight", (5376,), rank=2),
        Tensor("control_blocks.#.adaln_proj.linear.bias", rank=1, below=50),
        Tensor("control_blocks.#.after_proj.bias", (5376,)),
    ),
    *(
        _control(
            f"flux2/controlnet/fun-{width}",
            BaseModelType.FLUX_2,
            Tensor("control_img_in.weight", (width,), rank=2),
            Tensor("control_transformer_blocks.#.after_proj.bias", (width,)),
            # Of its gated layers both halves come out of one.
            Tensor("control_transformer_blocks.#.ff_context.linear_in.weight", (6 * width,)),
        )
        for width in _FLUX_2_WIDTHS
    ),
    _control(
        "z-image/controlnet/original",
        BaseModelType.Z_IMAGE,
        Tensor("control_layers.#.attention.to_q.weight", (3840, 3840)),
        Tensor("control_all_x_embedder.2-1.weight", (3840,)),
    ),
    _control(
        "z-image/controlnet/joined",
        BaseModelType.Z_IMAGE,
        Tensor("control_layers.#.attention.qkv.weight", (11520, 3840)),
        Tensor("control_all_x_embedder.2-1.weight", (3840,)),
    ),
    _control(
        "hunyuan-dit/controlnet/original",
        BaseModelType.HUNYUAN_DIT,
        Tensor("after_proj_list.#.weight", (1408, 1408)),
        Tensor("before_proj.weight", (1408, 1408)),
        Absent("controlnet_blocks.*"),
    ),
    _control(
        "hunyuan-dit/controlnet/diffusers",
        BaseModelType.HUNYUAN_DIT,
        Tensor("controlnet_blocks.#.weight", (1408, 1408)),
        Tensor("input_block.weight", (1408, 1408)),
        Tensor("time_extra_emb.pooler.positional_embedding"),
        is_diffusers=True,
    ),
    _control(
        "cosmos/controlnet/diffusers",
        BaseModelType.COSMOS,
        Tensor("control_blocks.#.norm1.linear_1.weight", rank=2),
        Tensor("patch_embed_base.proj.weight", (2048, (68, 72)), rank=2),
        is_diffusers=True,
    ),
    # NVIDIA's and PixArt's own files wrap each block that they copied, beside what the base begins with.
    _control(
        "sana/controlnet/original",
        BaseModelType.SANA,
        Tensor("controlnet.#.after_proj.bias", (_SANA_WIDTHS,)),
        Tensor("controlnet.#.copied_block.mlp.depth_conv.conv.weight", rank=4),
        Tensor("controlnet.#.copied_block.scale_shift_table", (6, _SANA_WIDTHS)),
    ),
    _control(
        "pixart/controlnet/original",
        BaseModelType.PIXART,
        Tensor("controlnet.#.after_proj.bias", (1152,)),
        Tensor("controlnet.#.copied_block.mlp.fc1.bias", (4608,)),
        Tensor("controlnet.#.copied_block.scale_shift_table", (6, 1152)),
    ),
    _control(
        "sana/controlnet/diffusers",
        BaseModelType.SANA,
        Tensor("controlnet_blocks.#.weight", (_SANA_WIDTHS, _SANA_WIDTHS)),
        Tensor("input_block.weight", (_SANA_WIDTHS,)),
        Tensor("transformer_blocks.#.ff.conv_inverted.weight"),
        is_diffusers=True,
    ),
)
"""What the bases' own modules do not hold."""
