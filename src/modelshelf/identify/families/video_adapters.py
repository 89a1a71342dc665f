"""Adapters of the video denoisers of one stack: LTX, CogVideoX, Mochi, Cosmos; and Anima.

LTX's sizes are different widths. Anima is Cosmos-Predict2's smaller denoiser with a
text adapter of its own: only that, or its text encoder, tells the two apart.

Sources: `ltx_video/models` of Lightricks/LTX-Video, Lightricks/LTX-2, `transformer_*.py` of
huggingface/diffusers, `anima` of kohya-ss/sd-scripts.
"""

from __future__ import annotations

from modelshelf.identify.adapter_condition import Adapts
from modelshelf.identify.families.adapters import lora
from modelshelf.identify.host import Host, Spans
from modelshelf.schema.taxonomy import BaseModelType

__all__ = ["FAMILIES"]

_CONNECTOR = "(video_embeddings_connector|audio_embeddings_connector).transformer_1d_blocks.{8}"
_LTX_BLOCKS = """
    transformer_blocks.{n}.(attn1|attn2).(to_q|to_k|to_v|to_out.0)  w w
    transformer_blocks.{n}.(attn1|attn2).(norm_q|norm_k|q_norm|k_norm)  w
    transformer_blocks.{n}.ff.net.0.proj  w 4w
    transformer_blocks.{n}.ff.net.2  4w w
    transformer_blocks.{n}.scale_shift_table
    scale_shift_table
    caption_projection.linear_1  ? w
    caption_projection.linear_2  w w
    (proj_in|patchify_proj)  128 w
    proj_out  w 128
    (time_embed|adaln_single).emb.timestep_embedder.linear_1  256 w
    (time_embed|adaln_single).emb.timestep_embedder.linear_2  w w
    (time_embed|adaln_single).linear  w 6w
"""
# LTX-2.3 gates each attention by one number a head, and modulates the text as well.
_LTX_2 = f"""
    {_LTX_BLOCKS}
    transformer_blocks.{{n}}.(attn1|attn2|audio_to_video_attn).to_gate_logits  w 32
    transformer_blocks.{{n}}.(audio_attn1|audio_attn2|video_to_audio_attn).to_gate_logits  a 32
    (time_embed|adaln_single).linear  w 9w
    (audio_time_embed|audio_adaln_single).linear  a 9a
    (prompt_adaln|prompt_adaln_single).emb.timestep_embedder.linear_1  256 w
    (prompt_adaln|prompt_adaln_single).emb.timestep_embedder.linear_2  w w
    (prompt_adaln|prompt_adaln_single).linear  w 2w
    (audio_prompt_adaln|audio_prompt_adaln_single).emb.timestep_embedder.linear_1  256 a
    (audio_prompt_adaln|audio_prompt_adaln_single).emb.timestep_embedder.linear_2  a a
    (audio_prompt_adaln|audio_prompt_adaln_single).linear  a 2a
    {_CONNECTOR}.attn1.(to_q|to_k|to_v|to_out.0|to_gate_logits)  ? ?
    {_CONNECTOR}.attn1.(q_norm|k_norm)  ?
    {_CONNECTOR}.(ff.net.0.proj|ff.net.2)  ? ?
    audio_caption_projection.linear_1  ? a
    audio_caption_projection.linear_2  a a
    (audio_proj_in|audio_patchify_proj)  128 a
    audio_proj_out  a 128
    (audio_time_embed|audio_adaln_single).emb.timestep_embedder.linear_1  256 a
    (audio_time_embed|audio_adaln_single).emb.timestep_embedder.linear_2  a a
    (audio_time_embed|audio_adaln_single).linear  a 6a
    transformer_blocks.{{n}}.(audio_attn1|audio_attn2).(to_q|to_k|to_v|to_out.0)  a a
    transformer_blocks.{{n}}.(audio_attn1|audio_attn2).(norm_q|norm_k|q_norm|k_norm)  a
    transformer_blocks.{{n}}.(audio_to_video_attn|video_to_audio_attn).(norm_q|norm_k)  a
    transformer_blocks.{{n}}.(audio_to_video_attn|video_to_audio_attn).(q_norm|k_norm)  a
    transformer_blocks.{{n}}.audio_to_video_attn.to_q  w a
    transformer_blocks.{{n}}.audio_to_video_attn.(to_k|to_v)  a a
    transformer_blocks.{{n}}.audio_to_video_attn.to_out.0  a w
    transformer_blocks.{{n}}.video_to_audio_attn.(to_k|to_v)  w a
    transformer_blocks.{{n}}.video_to_audio_attn.(to_q|to_out.0)  a a
    (av_cross_attn|av_ca)_video_(scale_shift|a2v_gate).emb.timestep_embedder.linear_1  256 w
    (av_cross_attn|av_ca)_video_(scale_shift|a2v_gate).emb.timestep_embedder.linear_2  w w
    (av_cross_attn|av_ca)_video_(scale_shift|a2v_gate).linear  w ?
    (av_cross_attn|av_ca)_audio_(scale_shift|v2a_gate).emb.timestep_embedder.linear_1  256 a
    (av_cross_attn|av_ca)_audio_(scale_shift|v2a_gate).emb.timestep_embedder.linear_2  a a
    (av_cross_attn|av_ca)_audio_(scale_shift|v2a_gate).linear  a ?
    transformer_blocks.{{n}}.audio_ff.net.0.proj  a 4a
    transformer_blocks.{{n}}.audio_ff.net.2  4a a
"""

_COGVIDEOX = """
    patch_embed.proj  ? w
    patch_embed.text_proj  4096 w
    (time_embedding|ofs_embedding).linear_1  ? 512
    (time_embedding|ofs_embedding).linear_2  512 512
    transformer_blocks.{n}.(norm1|norm2).linear  512 6w
    transformer_blocks.{n}.(norm1|norm2).norm  w
    transformer_blocks.{n}.attn1.(norm_q|norm_k)  64
    transformer_blocks.{n}.attn1.(to_q|to_k|to_v|to_out.0)  w w
    transformer_blocks.{n}.ff.net.0.proj  w 4w
    transformer_blocks.{n}.ff.net.2  4w w
    (norm_final|norm_out.norm)  w
    norm_out.linear  512 2w
    proj_out  w ?
"""
_MOCHI = """
    time_embed.timestep_embedder.linear_1  256 3072
    time_embed.timestep_embedder.linear_2  3072 3072
    time_embed.pooler.to_kv  4096 8192
    time_embed.pooler.to_q  4096 4096
    time_embed.pooler.to_out  4096 3072
    time_embed.caption_proj  4096 1536
    patch_embed.proj  12 3072 2x2
    transformer_blocks.{48}.norm1.linear  3072 12288
    transformer_blocks.{47}.norm1_context.linear  3072 6144
    transformer_blocks.47.norm1_context.linear_1  3072 1536
    transformer_blocks.{48}.attn1.(norm_q|norm_k|norm_added_q|norm_added_k)  128
    transformer_blocks.{48}.attn1.(to_q|to_k|to_v|to_out.0)  3072 3072
    transformer_blocks.{48}.attn1.(add_q_proj|add_k_proj|add_v_proj)  1536 3072
    transformer_blocks.{47}.attn1.to_add_out  3072 1536
    transformer_blocks.{48}.ff.net.0.proj  3072 16384
    transformer_blocks.{48}.ff.net.2  8192 3072
    transformer_blocks.{47}.ff_context.net.0.proj  1536 8192
    transformer_blocks.{47}.ff_context.net.2  4096 1536
    norm_out.linear  3072 6144
    proj_out  3072 48
"""
_MOCHI_ORIGINAL = """
    blocks.{48}.attn.qkv_x  3072 9216
    blocks.{48}.attn.qkv_y  1536 9216
    blocks.{48}.attn.proj_x  3072 3072
    blocks.{47}.attn.proj_y  3072 1536
    blocks.{48}.mod_x  3072 12288
    blocks.{47}.mod_y  3072 6144
    blocks.47.mod_y  3072 1536
    blocks.{48}.mlp_x.w1  3072 16384
    blocks.{48}.mlp_x.w2  8192 3072
    blocks.{47}.mlp_y.w1  1536 8192
    blocks.{47}.mlp_y.w2  4096 1536
    t5_yproj  4096 1536
    t5_y_embedder.to_kv  4096 8192
    t5_y_embedder.to_q  4096 4096
    t5_y_embedder.to_out  4096 3072
    t_embedder.mlp.0  256 3072
    t_embedder.mlp.2  3072 3072
    final_layer.mod  3072 6144
    final_layer.linear  3072 48
"""

_COSMOS = """
    t_embedder.1.linear_1  w w
    t_embedder.1.linear_2  w 3w
    x_embedder.proj.1  ? w
    blocks.{n}.self_attn.(q_proj|k_proj|v_proj|output_proj)  w w
    blocks.{n}.cross_attn.(q_proj|output_proj)  w w
    blocks.{n}.cross_attn.(k_proj|v_proj)  1024 w
    blocks.{n}.(self_attn|cross_attn).(q_norm|k_norm)  128
    blocks.{n}.mlp.layer1  w 4w
    blocks.{n}.mlp.layer2  4w w
    blocks.{n}.adaln_modulation_(self_attn|cross_attn|mlp).1  w 256
    blocks.{n}.adaln_modulation_(self_attn|cross_attn|mlp).2  256 3w
    final_layer.linear  w 64
    final_layer.adaln_modulation.1  w 256
    final_layer.adaln_modulation.2  256 2w
    t_embedding_norm  w
"""
_COSMOS_DIFFUSERS = """
    patch_embed.proj  ? w
    time_embed.t_embedder.linear_1  w w
    time_embed.t_embedder.linear_2  w 3w
    time_embed.norm  w
    transformer_blocks.{n}.(norm1|norm2|norm3).linear_1  w 256
    transformer_blocks.{n}.(norm1|norm2|norm3).linear_2  256 3w
    transformer_blocks.{n}.(attn1|attn2).(norm_q|norm_k)  128
    transformer_blocks.{n}.attn1.(to_q|to_k|to_v|to_out.0)  w w
    transformer_blocks.{n}.attn2.(to_q|to_out.0)  w w
    transformer_blocks.{n}.attn2.(to_k|to_v)  1024 w
    transformer_blocks.{n}.ff.net.0.proj  w 4w
    transformer_blocks.{n}.ff.net.2  4w w
    norm_out.linear_1  w 256
    norm_out.linear_2  256 2w
    proj_out  w 64
"""
# The first Cosmos counts its blocks inside their names, and each holds three.
_COSMOS_1 = """
    x_embedder.proj.1  ? w
    t_embedder.1.linear_1  w w
    t_embedder.1.linear_2  w 3w
    affline_norm  w
    {block}.blocks.{3}.adaLN_modulation.1  w 256
    {block}.blocks.{3}.adaLN_modulation.2  256 3w
    {block}.blocks.{2}.block.attn.(to_q|to_out).0  w w
    {block}.blocks.0.block.attn.(to_k|to_v).0  w w
    {block}.blocks.1.block.attn.(to_k|to_v).0  1024 w
    {block}.blocks.{2}.block.attn.(to_q|to_k).1  128
    {block}.blocks.2.block.layer1  w 4w
    {block}.blocks.2.block.layer2  4w w
    final_layer.linear  w 64
    final_layer.adaLN_modulation.1  w 256
    final_layer.adaLN_modulation.2  256 2w
"""


def _cosmos_1(sizes: dict[str, int]) -> str:
    blocks = "|".join(f"blocks.block{number}" for number in range(sizes["n"]))
    return _COSMOS_1.replace("{block}", f"({blocks})")


# Cosmos-Predict2.5 reads all layers of its language model at once.
_READER = "crossattn_proj.0  ? 1024"
# Anima was made of the edition that draws images, whose first layer takes no frames.
_ANIMA = f"""
    {_COSMOS.replace("proj.1  ? w", "proj.1  68 w")}
    llm_adapter.embed  1024 32128
    llm_adapter.blocks.{{6}}.(norm_self_attn|norm_cross_attn|norm_mlp)  1024
    llm_adapter.blocks.{{6}}.(self_attn|cross_attn).(q_proj|k_proj|v_proj|o_proj)  1024 1024
    llm_adapter.blocks.{{6}}.(self_attn|cross_attn).(q_norm|k_norm)  64
    llm_adapter.blocks.{{6}}.mlp.0  1024 4096
    llm_adapter.blocks.{{6}}.mlp.2  4096 1024
    llm_adapter.out_proj  1024 1024
    llm_adapter.norm  1024
"""
_SMALL, _MIDDLE, _LARGE = {"w": 2048, "n": 28}, {"w": 4096, "n": 28}, {"w": 5120, "n": 36}
_ANIMA_HOST = Host("anima/original", _ANIMA, _SMALL)


_COGVIDEOX_5B = Host("cogvideox/5b", _COGVIDEOX, {"w": 3072, "n": 42})

FAMILIES = (
    lora(BaseModelType.LTX_VIDEO, Host("ltx-video/2b", _LTX_BLOCKS, {"w": 2048, "n": 28})),
    lora(BaseModelType.LTX_VIDEO, Host("ltx-video/13b", _LTX_BLOCKS, {"w": 4096, "n": 48})),
    lora(BaseModelType.LTX_VIDEO, Host("ltx-video/2-19b", _LTX_2, {"w": 4096, "a": 2048, "n": 48})),
    lora(BaseModelType.COGVIDEOX, Host("cogvideox/2b", _COGVIDEOX, {"w": 1920, "n": 30})),
    lora(BaseModelType.COGVIDEOX, _COGVIDEOX_5B),
    lora(
        BaseModelType.COGVIDEOX,
        _COGVIDEOX_5B,
        # Mochi has six blocks more: whoever ends where CogVideoX ends adapts all of CogVideoX.
        Spans("denoiser:transformer_blocks_#_*", 42),
        rule="5b-whole",
        special_case_of=("cogvideox/lora/5b", "mochi/lora/diffusers"),
    ),
    lora(BaseModelType.MOCHI, Host("mochi/diffusers", _MOCHI)),
    lora(BaseModelType.MOCHI, Host("mochi/original", _MOCHI_ORIGINAL)),
    *(
        lora(BaseModelType.COSMOS, Host(f"cosmos/{size}-original", f"{_COSMOS}\n{_READER}", sizes))
        for size, sizes in (("2b", _SMALL), ("14b", _LARGE))
    ),
    *(
        lora(
            BaseModelType.COSMOS,
            Host(f"cosmos/{size}-diffusers", f"{_COSMOS_DIFFUSERS}\n{_READER}", sizes),
        )
        for size, sizes in (("2b", _SMALL), ("7b", _MIDDLE), ("14b", _LARGE))
    ),
    *(
        lora(BaseModelType.COSMOS, Host(f"cosmos/1-{size}-original", _cosmos_1(sizes), sizes))
        for size, sizes in (("7b", _MIDDLE), ("14b", _LARGE))
    ),
    lora(BaseModelType.ANIMA, _ANIMA_HOST),
    lora(
        BaseModelType.ANIMA,
        Host("anima/diffusers", _COSMOS_DIFFUSERS.replace("proj  ? w", "proj  68 w"), _SMALL),
    ),
    lora(
        BaseModelType.ANIMA,
        _ANIMA_HOST,
        # Cosmos reads T5; Qwen3 of this width is Anima's.
        Adapts("text*:*layers_#_self_attn_q_proj", inputs=1024, outputs=2048),
        rule="with-text-encoder",
        special_case_of=("anima/lora/original", "cosmos/lora/2b-original"),
    ),
)
"""One per denoiser, size and layout."""
