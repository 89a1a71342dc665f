"""Adapters of Tencent's denoisers: HunyuanVideo, FramePack on top of it, HunyuanImage, HunyuanDiT.

HunyuanVideo has FLUX.1's widths and one double and two single blocks more; its own names differ
(`img_mlp.fc1`, `img_mod.linear`), its names in diffusers do not. FramePack adds little to it.

Sources: `hyvideo/modules/models.py` of Tencent/HunyuanVideo, `hunyuan_model` of kohya-ss/musubi-tuner,
`transformer_hunyuan*.py` of huggingface/diffusers.
"""

from __future__ import annotations

from modelshelf.identify.adapter_condition import Adapts
from modelshelf.identify.condition import Either
from modelshelf.identify.families.adapters import lora
from modelshelf.identify.families.flux_adapters import DIFFUSERS_BLOCKS, DIFFUSERS_MODULATION
from modelshelf.identify.host import Host
from modelshelf.schema.taxonomy import BaseModelType

__all__ = ["FAMILIES"]

_VIDEO = {"w": 3072, "double": 20, "single": 40, "text": 4096}
_VIDEO_1_5 = {"w": 2048, "double": 54, "single": 0, "text": 3584}
_IMAGE = {"w": 3584, "double": 20, "single": 40, "text": 3584}
_IMAGE_REFINER = {"w": 3328, "double": 20, "single": 40, "text": 3584}

_TOP = """
    img_in.proj  ? w
    txt_in.input_embedder  text w
    txt_in.t_embedder.mlp.0  256 w
    txt_in.t_embedder.mlp.2  w w
    txt_in.c_embedder.linear_1  text w
    txt_in.c_embedder.linear_2  w w
    txt_in.individual_token_refiner.blocks.{2}.(norm1|norm2)  w
    txt_in.individual_token_refiner.blocks.{2}.self_attn_qkv  w 3w
    txt_in.individual_token_refiner.blocks.{2}.self_attn.qkv  w 3w
    txt_in.individual_token_refiner.blocks.{2}.(self_attn_proj|self_attn.proj)  w w
    txt_in.individual_token_refiner.blocks.{2}.mlp.(fc1|0)  w 4w
    txt_in.individual_token_refiner.blocks.{2}.mlp.(fc2|2)  4w w
    txt_in.individual_token_refiner.blocks.{2}.adaLN_modulation.1  w 2w
    (time_in|guidance_in|time_r_in).mlp.0  256 w
    (time_in|guidance_in|time_r_in).mlp.2  w w
    vector_in.in_layer  768 w
    vector_in.out_layer  w w
    final_layer.linear  w ?
    final_layer.adaLN_modulation.1  w 2w
    byt5_in.layernorm  1472
    byt5_in.fc1  1472 2048
    byt5_in.fc2  2048 2048
    byt5_in.fc3  2048 w
"""
_BLOCKS = f"""
    {_TOP}
    double_blocks.{{double}}.(img|txt)_mod.linear  w 6w
    double_blocks.{{double}}.(img|txt)_attn_proj  w w
    double_blocks.{{double}}.(img|txt)_attn_(q|k)_norm  128
    double_blocks.{{double}}.(img|txt)_mlp.fc1  w 4w
    double_blocks.{{double}}.(img|txt)_mlp.fc2  4w w
"""
_JOINT = """
    double_blocks.{double}.(img|txt)_attn_qkv  w 3w
    single_blocks.{single}.linear1  w 7w
    single_blocks.{single}.linear2  5w w
    single_blocks.{single}.(q_norm|k_norm)  128
    single_blocks.{single}.modulation.linear  w 3w
"""
# ComfyUI gives HunyuanVideo's modules the names that FLUX.1's have.
_COMFY = f"""
    {_TOP}
    double_blocks.{{double}}.(img|txt)_mod.lin  w 6w
    double_blocks.{{double}}.(img|txt)_attn.qkv  w 3w
    double_blocks.{{double}}.(img|txt)_attn.proj  w w
    double_blocks.{{double}}.(img|txt)_mlp.0  w 4w
    double_blocks.{{double}}.(img|txt)_mlp.2  4w w
    single_blocks.{{single}}.linear1  w 7w
    single_blocks.{{single}}.linear2  5w w
    single_blocks.{{single}}.modulation.lin  w 3w
"""
_DIFFUSERS_TOP = """
    x_embedder.proj  ? w
    context_embedder.proj_in  text w
    context_embedder.time_text_embed.timestep_embedder.linear_1  256 w
    context_embedder.time_text_embed.text_embedder.linear_1  text w
    context_embedder.time_text_embed.(timestep|text)_embedder.linear_2  w w
    context_embedder.token_refiner.refiner_blocks.{2}.(norm1|norm2)  w
    context_embedder.token_refiner.refiner_blocks.{2}.attn.(to_q|to_k|to_v|to_out.0)  w w
    context_embedder.token_refiner.refiner_blocks.{2}.ff.net.0.proj  w 4w
    context_embedder.token_refiner.refiner_blocks.{2}.ff.net.2  4w w
    context_embedder.token_refiner.refiner_blocks.{2}.norm_out.linear  w 2w
    (time_text_embed|time_guidance_embed|time_embed).(timestep|guidance)_embedder.linear_1  256 w
    (time_text_embed|time_guidance_embed|time_embed).(timestep|guidance)_embedder.linear_2  w w
    (time_guidance_embed|time_embed).timestep_embedder_r.linear_1  256 w
    (time_guidance_embed|time_embed).timestep_embedder_r.linear_2  w w
    time_text_embed.text_embedder.linear_1  768 w
    time_text_embed.text_embedder.linear_2  w w
    proj_out  w ?
"""
_DIFFUSERS = f"""
    {DIFFUSERS_BLOCKS}
    {DIFFUSERS_MODULATION}
    {_DIFFUSERS_TOP}
"""
_GLYPHS = """
    context_embedder_2.norm  1472
    context_embedder_2.linear_1  1472 2048
    context_embedder_2.linear_2  2048 2048
    context_embedder_2.linear_3  2048 w
"""

FAMILIES = (
    lora(BaseModelType.HUNYUAN_VIDEO, Host("hunyuan-video/original", _BLOCKS + _JOINT, _VIDEO)),
    lora(
        BaseModelType.HUNYUAN_VIDEO,
        Host("hunyuan-video/comfy", _COMFY, _VIDEO),
        # In these names only the blocks that FLUX.1 lacks are no FLUX.1's.
        Either(
            (
                Adapts("denoiser:double_blocks_#_*", reaches=(0, 19)),
                Adapts("denoiser:single_blocks_#_*", reaches=(0, 38)),
            )
        ),
    ),
    lora(BaseModelType.HUNYUAN_VIDEO, Host("hunyuan-video/diffusers", _DIFFUSERS, _VIDEO)),
    lora(
        BaseModelType.FRAMEPACK,
        Host(
            "framepack/diffusers",
            f"""
            {_DIFFUSERS.replace("x_embedder.proj  ? w", "x_embedder.proj  16 w 1x2x2")}
            clean_x_embedder.(proj|proj_2x|proj_4x)  ? w
            image_projection.up  1152 3w
            image_projection.down  3w w
            """,
            _VIDEO,
        ),
    ),
    lora(
        BaseModelType.HUNYUAN_VIDEO_1_5,
        Host(
            "hunyuan-video-1.5/original",
            f"""
            {_BLOCKS}
            double_blocks.{{double}}.(img|txt)_attn_(q|k|v)  w w
            vision_in.proj.0  1152
            vision_in.proj.1  1152 1152
            vision_in.proj.3  1152 w
            vision_in.proj.4  w
            cond_type_embedding  w 3
            """,
            _VIDEO_1_5,
        ),
    ),
    lora(
        BaseModelType.HUNYUAN_VIDEO_1_5,
        Host(
            "hunyuan-video-1.5/diffusers",
            f"""
            {_DIFFUSERS}
            {_GLYPHS}
            image_embedder.norm_in  1152
            image_embedder.linear_1  1152 1152
            image_embedder.linear_2  1152 w
            image_embedder.norm_out  w
            cond_type_embed  w 3
            """,
            _VIDEO_1_5,
        ),
    ),
    *(
        lora(BaseModelType.HUNYUAN_IMAGE, Host(f"hunyuan-image-2.1/{layout}", modules, sizes))
        for edition, sizes in (("", _IMAGE), ("refiner-", _IMAGE_REFINER))
        for layout, modules in (
            (f"{edition}original", _BLOCKS + _JOINT),
            (f"{edition}comfy", _COMFY),
            (f"{edition}diffusers", _DIFFUSERS + _GLYPHS),
        )
    ),
    lora(
        BaseModelType.HUNYUAN_DIT,
        Host(
            "hunyuan-dit/diffusers",
            """
            blocks.{40}.(attn1|attn2).(to_q|to_out.0)  1408 1408
            blocks.{40}.attn1.(to_k|to_v)  1408 1408
            blocks.{40}.attn2.(to_k|to_v)  1024 1408
            blocks.{40}.ff.net.0.proj  1408 6144
            blocks.{40}.ff.net.2  6144 1408
            blocks.{40}.norm1.linear  1408 1408
            blocks.{40}.skip_linear  2816 1408
            blocks.{40}.(attn1|attn2).(norm_q|norm_k)  88
            blocks.{40}.(norm1.norm|norm2|norm3)  1408
            blocks.{40}.skip_norm  2816
            pos_embed.proj  4 1408 2x2
            text_embedder.linear_1  2048 8192
            text_embedder.linear_2  8192 1024
            time_extra_emb.timestep_embedder.linear_1  256 1408
            time_extra_emb.timestep_embedder.linear_2  1408 1408
            time_extra_emb.extra_embedder.linear_1  ? 5632
            time_extra_emb.extra_embedder.linear_2  5632 1408
            time_extra_emb.pooler.(q_proj|k_proj|v_proj)  2048 2048
            time_extra_emb.pooler.c_proj  2048 1024
            time_extra_emb.style_embedder  1408 1
            norm_out.linear  1408 2816
            proj_out  1408 32
            """,
        ),
    ),
    lora(
        BaseModelType.HUNYUAN_DIT,
        Host(
            "hunyuan-dit/original",
            """
            blocks.{40}.attn1.Wqkv  1408 4224
            blocks.{40}.(attn1|attn2).out_proj  1408 1408
            blocks.{40}.attn2.q_proj  1408 1408
            blocks.{40}.attn2.kv_proj  1024 2816
            blocks.{40}.mlp.fc1  1408 6144
            blocks.{40}.mlp.fc2  6144 1408
            blocks.{40}.default_modulation.1  1408 1408
            blocks.{40}.skip_linear  2816 1408
            blocks.{40}.(attn1|attn2).(q_norm|k_norm)  88
            blocks.{40}.(norm1|norm2|norm3)  1408
            blocks.{40}.skip_norm  2816
            x_embedder.proj  4 1408 2x2
            t_embedder.mlp.0  256 1408
            t_embedder.mlp.2  1408 1408
            mlp_t5.0  2048 8192
            mlp_t5.2  8192 1024
            extra_embedder.0  ? 5632
            extra_embedder.2  5632 1408
            pooler.(q_proj|k_proj|v_proj)  2048 2048
            pooler.c_proj  2048 1024
            style_embedder  1408 1
            final_layer.adaLN_modulation.1  1408 2816
            final_layer.linear  1408 32
            """,
        ),
    ),
)
"""One per denoiser and layout."""
