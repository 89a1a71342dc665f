"""Adapters of the image transformers of one kind of block: each has widths or names of its own.

Sources: `mmditx.py` of Stability-AI/sd3.5, `transformer_*.py` of huggingface/diffusers,
`diffusion/model` of NVlabs/Sana and PixArt-alpha/PixArt-sigma,
`mmdit.py` of cloneofsimo/minRF, `networks` of kohya-ss/musubi-tuner.
"""

from __future__ import annotations

from modelshelf.identify.adapter_condition import Adapts, Named
from modelshelf.identify.adapter_names import AdapterNaming
from modelshelf.identify.condition import Either
from modelshelf.identify.families.adapters import lora
from modelshelf.identify.family import Family
from modelshelf.identify.host import Host, Spans
from modelshelf.schema.taxonomy import BaseModelType

__all__ = ["FAMILIES"]

_SD_3 = """
    context_embedder  4096 w
    final_layer.adaLN_modulation.1  w 2w
    final_layer.linear  w 64
    t_embedder.mlp.0  256 w
    t_embedder.mlp.2  w w
    x_embedder.proj  16 w 2x2
    y_embedder.mlp.0  2048 w
    y_embedder.mlp.2  w w
    joint_blocks.{n}.context_block.adaLN_modulation.1  w 6w
    joint_blocks.{n}.context_block.adaLN_modulation.1  w 2w
    joint_blocks.{n}.x_block.adaLN_modulation.1  w 6w
    joint_blocks.{n}.x_block.adaLN_modulation.1  w 9w
    joint_blocks.{n}.(context_block|x_block).attn.qkv  w 3w
    joint_blocks.{n}.(context_block|x_block).attn.(q|k|v)  w w
    joint_blocks.{n}.(context_block|x_block).attn.(ln_q|ln_k)  64
    joint_blocks.{n}.(context_block|x_block).attn.proj  w w
    joint_blocks.{n}.(context_block|x_block).mlp.fc1  w 4w
    joint_blocks.{n}.(context_block|x_block).mlp.fc2  4w w
    joint_blocks.{13}.x_block.attn2.qkv  w 3w
    joint_blocks.{13}.x_block.attn2.(proj|q|k|v)  w w
    joint_blocks.{13}.x_block.attn2.(ln_q|ln_k)  64
"""
_SD_3_DIFFUSERS = """
    context_embedder  4096 w
    pos_embed.proj  16 w 2x2
    time_text_embed.timestep_embedder.linear_1  256 w
    time_text_embed.text_embedder.linear_1  2048 w
    time_text_embed.(timestep|text)_embedder.linear_2  w w
    transformer_blocks.{n}.norm1.linear  w 6w
    transformer_blocks.{n}.norm1.linear  w 9w
    transformer_blocks.{n}.norm1_context.linear  w 6w
    transformer_blocks.{n}.norm1_context.linear  w 2w
    transformer_blocks.{n}.attn.(to_q|to_k|to_v|to_out.0|to_add_out)  w w
    transformer_blocks.{n}.attn.(add_q_proj|add_k_proj|add_v_proj)  w w
    transformer_blocks.{n}.attn.(norm_q|norm_k|norm_added_q|norm_added_k)  64
    transformer_blocks.{13}.attn2.(to_q|to_k|to_v|to_out.0)  w w
    transformer_blocks.{13}.attn2.(norm_q|norm_k)  64
    transformer_blocks.{n}.(ff|ff_context).net.0.proj  w 4w
    transformer_blocks.{n}.(ff|ff_context).net.2  4w w
    norm_out.linear  w 2w
    proj_out  w 64
"""
_SD_3_SIZES = {"medium": {"w": 1536, "n": 24}, "large": {"w": 2432, "n": 38}}

_QWEN_IMAGE = """
    time_text_embed.timestep_embedder.linear_1  256 w
    time_text_embed.timestep_embedder.linear_2  w w
    time_text_embed.addition_t_embedding  w 2
    txt_norm  3584
    img_in  64 w
    txt_in  3584 w
    transformer_blocks.{60}.(img_mod|txt_mod).1  w 6w
    transformer_blocks.{60}.attn.(to_q|to_k|to_v|to_out.0|to_add_out)  w w
    transformer_blocks.{60}.attn.(add_q_proj|add_k_proj|add_v_proj)  w w
    transformer_blocks.{60}.attn.(norm_q|norm_k|norm_added_q|norm_added_k)  128
    transformer_blocks.{60}.(img_mlp|txt_mlp).net.0.proj  w 4w
    transformer_blocks.{60}.(img_mlp|txt_mlp).net.2  4w w
    norm_out.linear  w 2w
    proj_out  w 64
"""

_KREA_2 = """
    first  64 6144
    blocks.{28}.attn.(wq|wo|gate)  6144 6144
    blocks.{28}.attn.(wk|wv)  6144 1536
    blocks.{28}.attn.qknorm.(qnorm|knorm)  128
    blocks.{28}.mlp.(gate|up)  6144 16384
    blocks.{28}.mlp.down  16384 6144
    blocks.{28}.(prenorm|postnorm)  6144
    blocks.{28}.mod.lin
    tmlp.0  256 6144
    tmlp.2  6144 6144
    txtfusion.(layerwise_blocks|refiner_blocks).{2}.attn.(wq|wk|wv|wo|gate)  2560 2560
    txtfusion.(layerwise_blocks|refiner_blocks).{2}.attn.qknorm.(qnorm|knorm)  128
    txtfusion.(layerwise_blocks|refiner_blocks).{2}.mlp.(gate|up)  2560 6912
    txtfusion.(layerwise_blocks|refiner_blocks).{2}.mlp.down  6912 2560
    txtfusion.(layerwise_blocks|refiner_blocks).{2}.(prenorm|postnorm)  2560
    txtfusion.projector  12 1
    txtmlp.0  2560
    txtmlp.1  2560 6144
    txtmlp.3  6144 6144
    last.linear  6144 64
    last.norm  6144
    last.modulation.lin
    tproj.1  6144 36864
"""
_KREA_2_DIFFUSERS = """
    img_in  64 6144
    time_embed.linear_1  256 6144
    time_embed.linear_2  6144 6144
    time_mod_proj  6144 36864
    text_fusion.(layerwise_blocks|refiner_blocks).{2}.attn.(to_q|to_k|to_v|to_gate)  2560 2560
    text_fusion.(layerwise_blocks|refiner_blocks).{2}.attn.to_out.0  2560 2560
    text_fusion.(layerwise_blocks|refiner_blocks).{2}.attn.(norm_q|norm_k)  128
    text_fusion.(layerwise_blocks|refiner_blocks).{2}.ff.(gate|up)  2560 6912
    text_fusion.(layerwise_blocks|refiner_blocks).{2}.ff.down  6912 2560
    text_fusion.(layerwise_blocks|refiner_blocks).{2}.(norm1|norm2)  2560
    text_fusion.projector  12 1
    txt_in.norm  2560
    txt_in.linear_1  2560 6144
    txt_in.linear_2  6144 6144
    transformer_blocks.{28}.(norm1|norm2)  6144
    transformer_blocks.{28}.attn.(to_q|to_gate|to_out.0)  6144 6144
    transformer_blocks.{28}.attn.(to_k|to_v)  6144 1536
    transformer_blocks.{28}.attn.(norm_q|norm_k)  128
    transformer_blocks.{28}.ff.(gate|up)  6144 16384
    transformer_blocks.{28}.ff.down  16384 6144
    transformer_blocks.{28}.scale_shift_table
    final_layer.norm  6144
    final_layer.linear  6144 64
    final_layer.scale_shift_table
"""

_AURAFLOW_DIFFUSERS = """
    pos_embed.proj  16 w
    context_embedder  2048 w
    time_step_proj.linear_1  256 w
    time_step_proj.linear_2  w w
    joint_transformer_blocks.{4}.(norm1|norm1_context).linear  w 6w
    joint_transformer_blocks.{4}.attn.(to_q|to_k|to_v|to_out.0|to_add_out)  w w
    joint_transformer_blocks.{4}.attn.(add_q_proj|add_k_proj|add_v_proj)  w w
    joint_transformer_blocks.{4}.(ff|ff_context).(linear_1|linear_2)  w 8192
    joint_transformer_blocks.{4}.(ff|ff_context).out_projection  8192 w
    single_transformer_blocks.{32}.norm1.linear  w 6w
    single_transformer_blocks.{32}.attn.(to_q|to_k|to_v|to_out.0)  w w
    single_transformer_blocks.{32}.ff.(linear_1|linear_2)  w 8192
    single_transformer_blocks.{32}.ff.out_projection  8192 w
    norm_out.linear  w 2w
    proj_out  w 16
"""
_AURAFLOW = """
    init_x_linear  16 w
    cond_seq_linear  2048 w
    t_embedder.mlp.0  256 w
    t_embedder.mlp.2  w w
    double_layers.{4}.attn.(w1q|w1k|w1v|w1o|w2q|w2k|w2v|w2o)  w w
    double_layers.{4}.(mlpC|mlpX).(c_fc1|c_fc2)  w 8192
    double_layers.{4}.(mlpC|mlpX).c_proj  8192 w
    double_layers.{4}.(modC|modX).1  w 6w
    single_layers.{32}.attn.(w1q|w1k|w1v|w1o)  w w
    single_layers.{32}.mlp.(c_fc1|c_fc2)  w 8192
    single_layers.{32}.mlp.c_proj  8192 w
    single_layers.{32}.modCX.1  w 6w
    modF.1  w 2w
    final_linear  w 16
"""

_PIXART_DIFFUSERS = """
    pos_embed.proj  4 1152 2x2
    transformer_blocks.{28}.(attn1|attn2).(to_q|to_k|to_v|to_out.0)  1152 1152
    transformer_blocks.{28}.ff.net.0.proj  1152 4608
    transformer_blocks.{28}.ff.net.2  4608 1152
    transformer_blocks.{28}.scale_shift_table
    scale_shift_table
    proj_out  1152 32
    adaln_single.emb.timestep_embedder.linear_1  256 1152
    adaln_single.emb.timestep_embedder.linear_2  1152 1152
    adaln_single.emb.(resolution|aspect_ratio)_embedder.linear_1  256 384
    adaln_single.emb.(resolution|aspect_ratio)_embedder.linear_2  384 384
    adaln_single.linear  1152 6912
    caption_projection.linear_1  4096 1152
    caption_projection.linear_2  1152 1152
"""
_PIXART = """
    x_embedder.proj  4 1152 2x2
    t_embedder.mlp.0  256 1152
    t_embedder.mlp.2  1152 1152
    t_block.1  1152 6912
    y_embedder.y_proj.fc1  4096 1152
    y_embedder.y_proj.fc2  1152 1152
    (csize_embedder|ar_embedder).mlp.0  256 384
    (csize_embedder|ar_embedder).mlp.2  384 384
    blocks.{28}.attn.qkv  1152 3456
    blocks.{28}.attn.proj  1152 1152
    blocks.{28}.cross_attn.(q_linear|proj)  1152 1152
    blocks.{28}.cross_attn.kv_linear  1152 2304
    blocks.{28}.mlp.fc1  1152 4608
    blocks.{28}.mlp.fc2  4608 1152
    blocks.{28}.scale_shift_table
    final_layer.linear  1152 32
"""
_SANA_DIFFUSERS = """
    patch_embed.proj  32 w 1x1
    time_embed.emb.(timestep|guidance)_embedder.linear_1  256 w
    time_embed.emb.(timestep|guidance)_embedder.linear_2  w w
    time_embed.(timestep|guidance)_embedder.linear_1  256 w
    time_embed.(timestep|guidance)_embedder.linear_2  w w
    time_embed.linear  w 6w
    caption_projection.linear_1  2304 w
    caption_projection.linear_2  w w
    caption_norm  w
    transformer_blocks.{n}.(attn1|attn2).(to_q|to_k|to_v|to_out.0)  w w
    transformer_blocks.{n}.(attn1|attn2).(norm_q|norm_k)  w
    transformer_blocks.{n}.ff.conv_inverted  w 5w 1x1
    transformer_blocks.{n}.ff.conv_depth  1 5w 3x3
    transformer_blocks.{n}.ff.conv_point  ? w 1x1
    transformer_blocks.{n}.scale_shift_table
    scale_shift_table
    proj_out  w 32
"""
_SANA = """
    x_embedder.proj  32 w 1x1
    t_embedder.mlp.0  256 w
    t_embedder.mlp.2  w w
    t_block.1  w 6w
    cfg_embedder.mlp.0  256 w
    cfg_embedder.mlp.2  w w
    logvar_linear  w 1
    y_embedder.y_proj.fc1  2304 w
    y_embedder.y_proj.fc2  w w
    attention_y_norm  w
    blocks.{n}.attn.qkv  w 3w
    blocks.{n}.attn.proj  w w
    blocks.{n}.cross_attn.(q_linear|proj)  w w
    blocks.{n}.cross_attn.kv_linear  w 2w
    blocks.{n}.mlp.inverted_conv.conv  w 5w 1x1
    blocks.{n}.mlp.depth_conv.conv  1 5w 3x3
    blocks.{n}.mlp.point_conv.conv  ? w 1x1
    blocks.{n}.scale_shift_table
    final_layer.linear  w 32
"""
_SANA_SIZES = {
    "0.6b": {"w": 1152, "n": 28},
    "1.6b": {"w": 2240, "n": 20},
    "4.8b": {"w": 2240, "n": 60},
}

_COGVIEW = """
    patch_embed.proj  ? w
    patch_embed.text_proj  4096 w
    time_condition_embed.timestep_embedder.linear_1  w 512
    time_condition_embed.condition_embedder.linear_1  ? 512
    time_condition_embed.(timestep|condition)_embedder.linear_2  512 512
    transformer_blocks.{n}.norm1.linear  512 12w
    transformer_blocks.{n}.attn1.(to_q|to_k|to_v|to_out.0)  w w
    transformer_blocks.{n}.ff.net.0.proj  w 4w
    transformer_blocks.{n}.ff.net.2  4w w
    norm_out.linear  512 2w
    proj_out  w 64
"""
_ATTENTION = ("to_q", "to_k", "to_v", "to_out_#")
_COGVIEW_4 = Host("cogview4/diffusers", _COGVIEW, {"w": 4096, "n": 28})

_HIDREAM = """
    t_embedder.timestep_embedder.linear_1  256 2560
    p_embedder.pooled_embedder.linear_1  2048 2560
    (t_embedder.timestep|p_embedder.pooled)_embedder.linear_2  2560 2560
    x_embedder.proj  64 2560
    caption_projection.{49}.linear  4096 2560
    (double_stream_blocks.{16}|single_stream_blocks.{32}).block.attn1.(to_q|to_k|to_v|to_out)  2560 2560
    (double_stream_blocks.{16}|single_stream_blocks.{32}).block.attn1.(q_rms_norm|k_rms_norm)  2560
    double_stream_blocks.{16}.block.attn1.(to_q_t|to_k_t|to_v_t|to_out_t)  2560 2560
    double_stream_blocks.{16}.block.attn1.(q_rms_norm_t|k_rms_norm_t)  2560
    double_stream_blocks.{16}.block.adaLN_modulation.1  2560 30720
    single_stream_blocks.{32}.block.adaLN_modulation.1  2560 15360
    (double_stream_blocks.{16}|single_stream_blocks.{32}).block.ff_i.shared_experts.(w1|w3)  2560 3584
    (double_stream_blocks.{16}|single_stream_blocks.{32}).block.ff_i.shared_experts.w2  3584 2560
    (double_stream_blocks.{16}|single_stream_blocks.{32}).block.ff_i.experts.{4}.(w1|w3)  2560 6912
    (double_stream_blocks.{16}|single_stream_blocks.{32}).block.ff_i.experts.{4}.w2  6912 2560
    (double_stream_blocks.{16}|single_stream_blocks.{32}).block.ff_i.gate  2560 4
    double_stream_blocks.{16}.block.ff_t.(w1|w3)  2560 6912
    double_stream_blocks.{16}.block.ff_t.w2  6912 2560
    final_layer.linear  2560 64
    final_layer.adaLN_modulation.1  2560 5120
"""


def _sizes(
    base: BaseModelType, layouts: dict[str, str], sizes: dict[str, dict[str, int]]
) -> tuple[Family, ...]:
    """One family per size and layout."""
    return tuple(
        lora(base, Host(f"{base}/{size}-{layout}", modules, numbers))
        for size, numbers in sizes.items()
        for layout, modules in layouts.items()
    )


FAMILIES = (
    *_sizes(BaseModelType.SD_3, {"original": _SD_3, "diffusers": _SD_3_DIFFUSERS}, _SD_3_SIZES),
    *_sizes(BaseModelType.SANA, {"original": _SANA, "diffusers": _SANA_DIFFUSERS}, _SANA_SIZES),
    lora(BaseModelType.QWEN_IMAGE, Host("qwen-image/diffusers", _QWEN_IMAGE, {"w": 3072})),
    lora(BaseModelType.KREA_2, Host("krea-2/original", _KREA_2)),
    lora(BaseModelType.KREA_2, Host("krea-2/diffusers", _KREA_2_DIFFUSERS)),
    lora(BaseModelType.AURAFLOW, Host("auraflow/original", _AURAFLOW, {"w": 3072})),
    lora(BaseModelType.AURAFLOW, Host("auraflow/diffusers", _AURAFLOW_DIFFUSERS, {"w": 3072})),
    lora(BaseModelType.PIXART, Host("pixart/original", _PIXART)),
    lora(BaseModelType.PIXART, Host("pixart/diffusers", _PIXART_DIFFUSERS)),
    lora(BaseModelType.HIDREAM, Host("hidream/either", _HIDREAM)),
    lora(BaseModelType.COGVIEW_4, _COGVIEW_4),
    lora(
        BaseModelType.COGVIEW_4,
        _COGVIEW_4,
        # LTX's larger denoisers have 48 blocks, and Cosmos attends a second time: whoever adapts one
        # whole attention up to where CogView4 ends adapts all of it, as CogKit does. Any less may be a
        # part of those; trainers that join names by underscores adapt more than attentions.
        Spans("denoiser:transformer_blocks_#_attn1_*", 28),
        *(Adapts(f"denoiser:transformer_blocks_#_attn1_{word}") for word in _ATTENTION),
        Either(
            (
                *map(Named, (AdapterNaming.PEFT, AdapterNaming.COMFY, AdapterNaming.ORIGINAL)),
                Adapts("denoiser:transformer_blocks_#_ff_net_#*"),
            )
        ),
        rule="whole",
        special_case_of=(
            "cogview4/lora/diffusers",
            "ltx-video/lora/13b",
            "ltx-video/lora/2-19b",
            "cosmos/lora/7b-diffusers",
        ),
    ),
)
"""One per denoiser, size and layout."""
