"""Adapters of Lumina's kin, whose blocks are called `layers`, and of other stacks of single names.

Lumina 2, Z-Image, OmniGen2 and Boogu are one design in other widths, as are Ideogram 4 and ERNIE-Image
next to it: names and widths together tell them apart.

Sources: `lumina` of Alpha-VLLM/Lumina-Image-2.0, `transformer_lumina2.py`, `transformer_z_image.py`,
`transformer_kandinsky.py` and others of huggingface/diffusers, `networks` of kohya-ss/musubi-tuner.
"""

from __future__ import annotations

from modelshelf.identify.families.adapters import lora
from modelshelf.identify.host import Host
from modelshelf.schema.taxonomy import BaseModelType

__all__ = ["FAMILIES"]

_LUMINA_FAMILY = """
    cap_embedder.0  text
    cap_embedder.1  text w
    t_embedder.mlp.0  256 1024
    norm_final  w
    final_layer.linear  w 64
    (layers.{n}|noise_refiner.{2}|context_refiner.{2}).attention.qkv  w qkv
    (layers.{n}|noise_refiner.{2}|context_refiner.{2}).attention.out  w w
    (layers.{n}|noise_refiner.{2}|context_refiner.{2}).attention.(q_norm|k_norm)  head
    (layers.{n}|noise_refiner.{2}|context_refiner.{2}).feed_forward.(w1|w3)  w ffn
    (layers.{n}|noise_refiner.{2}|context_refiner.{2}).feed_forward.w2  ffn w
    (layers.{n}|noise_refiner.{2}|context_refiner.{2}).(attention_norm1|attention_norm2)  w
    (layers.{n}|noise_refiner.{2}|context_refiner.{2}).(ffn_norm1|ffn_norm2)  w
"""
_LUMINA_2 = f"""
    {_LUMINA_FAMILY}
    x_embedder  64 w
    t_embedder.mlp.2  1024 1024
    final_layer.adaLN_modulation.1  1024 w
    (layers.{{n}}|noise_refiner.{{2}}).adaLN_modulation.1  1024 4w
"""
_LUMINA_2_SIZES = {"w": 2304, "n": 26, "qkv": 3840, "head": 96, "ffn": 9216, "text": 2304}
_LUMINA_2_DIFFUSERS = """
    x_embedder  64 w
    time_caption_embed.timestep_embedder.linear_1  256 1024
    time_caption_embed.timestep_embedder.linear_2  1024 1024
    time_caption_embed.caption_embedder.0  text
    time_caption_embed.caption_embedder.1  text w
    (layers.{n}|noise_refiner.{2}|context_refiner.{2}).attn.(norm_q|norm_k)  head
    (layers.{n}|noise_refiner.{2}|context_refiner.{2}).attn.(to_q|to_out.0)  w w
    (layers.{n}|noise_refiner.{2}|context_refiner.{2}).attn.(to_k|to_v)  w kv
    (layers.{n}|noise_refiner.{2}|context_refiner.{2}).feed_forward.(linear_1|linear_3)  w ffn
    (layers.{n}|noise_refiner.{2}|context_refiner.{2}).feed_forward.linear_2  ffn w
    (layers.{n}|noise_refiner.{2}).norm1.linear  1024 4w
    (layers.{n}|noise_refiner.{2}).norm1.norm  w
    context_refiner.{2}.norm1  w
    (layers.{n}|noise_refiner.{2}|context_refiner.{2}).(norm2|ffn_norm1|ffn_norm2)  w
    norm_out.linear_1  1024 w
    norm_out.linear_2  w 64
"""
_OMNIGEN_2_DIFFUSERS = f"""
    {_LUMINA_2_DIFFUSERS}
    ref_image_patch_embedder  64 w
    ref_image_refiner.{{2}}.attn.(to_q|to_out.0)  w w
    ref_image_refiner.{{2}}.attn.(to_k|to_v)  w kv
    ref_image_refiner.{{2}}.feed_forward.(linear_1|linear_3)  w ffn
    ref_image_refiner.{{2}}.feed_forward.linear_2  ffn w
    ref_image_refiner.{{2}}.norm1.linear  1024 4w
    ref_image_refiner.{{2}}.attn.(norm_q|norm_k)  head
    ref_image_refiner.{{2}}.(norm1.norm|norm2|ffn_norm1|ffn_norm2)  w
"""
_Z_IMAGE = f"""
    {_LUMINA_FAMILY}
    (x_embedder|all_x_embedder.2-1)  64 w
    t_embedder.mlp.2  1024 256
    all_final_layer.2-1.linear  w 64
    (final_layer|all_final_layer.2-1).adaLN_modulation.1  256 w
    (layers.{{n}}|noise_refiner.{{2}}).adaLN_modulation.0  256 4w
    (layers.{{n}}|noise_refiner.{{2}}|context_refiner.{{2}}).attention.(norm_q|norm_k)  head
    (layers.{{n}}|noise_refiner.{{2}}|context_refiner.{{2}}).attention.(to_q|to_k|to_v|to_out.0)  w w
    (x_pad_token|cap_pad_token|siglip_pad_token)
    siglip_embedder.0  1152
    siglip_embedder.1  1152 w
    siglip_refiner.{{2}}.attention.qkv  w qkv
    siglip_refiner.{{2}}.attention.(to_q|to_k|to_v|to_out.0|out)  w w
    siglip_refiner.{{2}}.attention.(norm_q|norm_k|q_norm|k_norm)  head
    siglip_refiner.{{2}}.feed_forward.(w1|w3)  w ffn
    siglip_refiner.{{2}}.feed_forward.w2  ffn w
    siglip_refiner.{{2}}.(attention_norm1|attention_norm2|ffn_norm1|ffn_norm2)  w
"""
_Z_IMAGE_SIZES = {"w": 3840, "n": 30, "qkv": 11520, "head": 128, "ffn": 10240, "text": 2560}
_IDEOGRAM_4 = """
    input_proj  128 4608
    llm_cond_norm  53248
    llm_cond_proj  53248 4608
    t_embedding.(mlp_in|mlp_out)  4608 4608
    adaln_proj  4608 512
    embed_image_indicator  4608 2
    layers.{34}.attention.qkv  4608 13824
    layers.{34}.attention.(o|to_q|to_k|to_v|to_out.0)  4608 4608
    layers.{34}.attention.(norm_q|norm_k)  256
    layers.{34}.feed_forward.(w1|w3)  4608 12288
    layers.{34}.feed_forward.w2  12288 4608
    layers.{34}.(attention_norm1|attention_norm2|ffn_norm1|ffn_norm2)  4608
    layers.{34}.adaln_modulation  512 18432
    final_layer.linear  4608 128
    final_layer.adaln_modulation  512 4608
"""
_ERNIE_IMAGE = """
    x_embedder.proj  128 4096 1x1
    text_proj  3072 4096
    time_embedding.(linear_1|linear_2)  4096 4096
    adaLN_modulation.1  4096 24576
    layers.{36}.self_attention.(to_q|to_k|to_v|to_out.0)  4096 4096
    layers.{36}.self_attention.(norm_q|norm_k)  128
    layers.{36}.(adaLN_sa_ln|adaLN_mlp_ln)  4096
    layers.{36}.mlp.(gate_proj|up_proj)  4096 12288
    layers.{36}.mlp.linear_fc2  12288 4096
    final_norm.linear  4096 8192
    final_linear  4096 128
"""

_ALONE = "(single_stream_layers.{32}|noise_refiner.{2}|ref_image_refiner.{2}|context_refiner.{2})"
_FORWARD = "(img_feed_forward|instruct_feed_forward)"
# Where underscores join the steps, the processor that holds these matrices is one of them.
_JOINT = "(img_instruct_attn|img_instruct_attn.processor)"
_BOOGU = f"""
    (x_embedder|ref_image_patch_embedder)  64 w
    {_ALONE}.attn.(to_q|to_out.0)  w w
    {_ALONE}.attn.(to_k|to_v)  w kv
    {_ALONE}.feed_forward.(linear_1|linear_3)  w ffn
    {_ALONE}.feed_forward.linear_2  ffn w
    {_ALONE}.norm1.linear  1024 4w
    double_stream_layers.{{8}}.(img_instruct_attn|img_self_attn).to_out.0  w w
    double_stream_layers.{{8}}.{_JOINT}.(img_to_q|img_out|instruct_to_q|instruct_out)  w w
    double_stream_layers.{{8}}.{_JOINT}.(img_to_k|img_to_v|instruct_to_k|instruct_to_v)  w kv
    double_stream_layers.{{8}}.img_self_attn.to_q  w w
    double_stream_layers.{{8}}.img_self_attn.(to_k|to_v)  w kv
    double_stream_layers.{{8}}.{_FORWARD}.(linear_1|linear_3)  w ffn
    double_stream_layers.{{8}}.{_FORWARD}.linear_2  ffn w
    double_stream_layers.{{8}}.(img_norm1|img_norm2|img_norm3).linear  1024 4w
    double_stream_layers.{{8}}.(instruct_norm1|instruct_norm2).linear  1024 4w
    time_caption_embed.timestep_embedder.linear_1  256 1024
    time_caption_embed.timestep_embedder.linear_2  1024 1024
    time_caption_embed.caption_embedder.0  4096
    time_caption_embed.caption_embedder.1  4096 w
    norm_out.linear_1  1024 w
    norm_out.linear_2  w 64
    {_ALONE}.attn.(norm_q|norm_k)  120
    {_ALONE}.(norm1|norm1.norm|norm2|ffn_norm1|ffn_norm2)  w
    double_stream_layers.{{8}}.(img_instruct_attn|img_self_attn).(norm_q|norm_k)  120
    double_stream_layers.{{8}}.(img_norm1|img_norm2|img_norm3|instruct_norm1|instruct_norm2).norm  w
    double_stream_layers.{{8}}.(img_attn_norm|img_self_attn_norm|instruct_attn_norm)  w
    double_stream_layers.{{8}}.(img_ffn_norm1|img_ffn_norm2|instruct_ffn_norm1|instruct_ffn_norm2)  w
"""
_BOOGU_SIZES = {"w": 3360, "kv": 840, "ffn": 13568}
_LUMINA_NEXT = """
    patch_embedder.proj  16 2304
    time_caption_embed.timestep_embedder.linear_1  256 1024
    time_caption_embed.timestep_embedder.linear_2  1024 1024
    time_caption_embed.caption_embedder.1  2048 1024
    layers.{24}.attn1.to_q  2304 2304
    layers.{24}.attn1.(to_k|to_v)  2304 576
    layers.{24}.attn1.(to_k|to_v)  2304 2304
    layers.{24}.attn2.(to_q|to_out.0)  2304 2304
    layers.{24}.attn2.(to_k|to_v)  2048 576
    layers.{24}.attn2.(to_k|to_v)  2048 2304
    layers.{24}.feed_forward.(linear_1|linear_3)  2304 6144
    layers.{24}.feed_forward.linear_2  6144 2304
    layers.{24}.norm1.linear  1024 9216
    layers.{24}.(attn1|attn2).(norm_q|norm_k)
    layers.{24}.(norm1.norm|norm2|ffn_norm1|ffn_norm2)  2304
    layers.{24}.norm1_context  2048
    time_caption_embed.caption_embedder.0  2048
    norm_out.linear_1  1024 2304
    norm_out.linear_2  2304 32
"""
_LUMINA_NEXT_ORIGINAL = """
    x_embedder  16 2304
    t_embedder.mlp.0  256 1024
    t_embedder.mlp.2  1024 1024
    cap_embedder.0  2048
    cap_embedder.1  2048 1024
    layers.{24}.attention.(wq|wo)  2304 2304
    layers.{24}.attention.(wk|wv)  2304 576
    layers.{24}.attention.(wk_y|wv_y)  2048 576
    layers.{24}.attention.q_norm  2304
    layers.{24}.attention.(k_norm|ky_norm)  576
    layers.{24}.feed_forward.(w1|w3)  2304 6144
    layers.{24}.feed_forward.w2  6144 2304
    layers.{24}.adaLN_modulation.1  1024 9216
    layers.{24}.(attention_norm1|attention_norm2|ffn_norm1|ffn_norm2)  2304
    layers.{24}.attention_y_norm  2048
    final_layer.adaLN_modulation.1  1024 2304
    final_layer.linear  2304 32
"""
_KANDINSKY_5 = """
    text_embeddings.in_layer  3584 w
    pooled_text_embeddings.in_layer  768 ?
    visual_embeddings.in_layer  ? w
    (text_transformer_blocks.{4}|visual_transformer_blocks.{n}).self_attention.(to_query|to_key|to_value)  w w
    (text_transformer_blocks.{4}|visual_transformer_blocks.{n}).self_attention.out_layer  w w
    visual_transformer_blocks.{n}.cross_attention.(to_query|to_key|to_value|out_layer)  w w
    (text_transformer_blocks.{4}|visual_transformer_blocks.{n}).feed_forward.in_layer  w ?
    (text_transformer_blocks.{4}|visual_transformer_blocks.{n}).feed_forward.out_layer  ? w
    text_transformer_blocks.{4}.text_modulation.out_layer  ? 6w
    visual_transformer_blocks.{n}.visual_modulation.out_layer  ? 9w
    out_layer.modulation.out_layer  ? 2w
    out_layer.out_layer  w ?
    time_embeddings.in_layer  w ?
    time_embeddings.out_layer  time time
    text_embeddings.norm  w
    pooled_text_embeddings.norm  time
    (text_transformer_blocks.{4}|visual_transformer_blocks.{n}).self_attention.(query_norm|key_norm)
    visual_transformer_blocks.{n}.cross_attention.(query_norm|key_norm)
"""
_KANDINSKY_5_SIZES = {
    "video-lite": {"w": 1792, "n": 32, "time": 512},
    "image": {"w": 2560, "n": 50, "time": 512},
    "video-pro": {"w": 4096, "n": 60, "time": 1024},
}
_MINIMAX_H3 = """
    video_patch_proj  96 5376
    time_embedder.proj_in  256 5376
    time_embedder.proj_out  5376 2688
    audio_patch_proj  32 5376
    condition_proj  5120 5376
    (blocks.{50}|token_refiner.blocks.{2}).attn.qkv_proj  5376 21504
    (blocks.{50}|token_refiner.blocks.{2}).attn.out_proj  7168 5376
    (blocks.{50}|token_refiner.blocks.{2}).mlp.fc1  5376 28672
    (blocks.{50}|token_refiner.blocks.{2}).mlp.fc2  14336 5376
    (blocks.{50}|token_refiner.blocks.{2}).attn.(q_norm|k_norm)  128
    (blocks.{50}|token_refiner.blocks.{2}).(norm1|norm2)  5376
    (token_refiner.final_norm|final_layer.norm)  5376
    blocks.{50}.adaln_proj.linear  2688 96768
    final_layer.adaln_proj.linear  2688 10752
    final_layer.video_out  5376 96
    final_layer.audio_out  5376 32
"""

FAMILIES = (
    lora(BaseModelType.LUMINA_2, Host("lumina2/original", _LUMINA_2, _LUMINA_2_SIZES)),
    lora(
        BaseModelType.LUMINA_2,
        Host("lumina2/diffusers", _LUMINA_2_DIFFUSERS, _LUMINA_2_SIZES | {"kv": 768}),
    ),
    lora(
        BaseModelType.OMNIGEN_2,
        Host(
            "omnigen2/diffusers",
            _OMNIGEN_2_DIFFUSERS,
            {"w": 2520, "n": 32, "kv": 840, "head": 120, "ffn": 10240, "text": 2048},
        ),
    ),
    lora(BaseModelType.Z_IMAGE, Host("z-image/either", _Z_IMAGE, _Z_IMAGE_SIZES)),
    lora(BaseModelType.IDEOGRAM_4, Host("ideogram-4/either", _IDEOGRAM_4)),
    lora(BaseModelType.ERNIE_IMAGE, Host("ernie-image/diffusers", _ERNIE_IMAGE)),
    lora(BaseModelType.BOOGU, Host("boogu/diffusers", _BOOGU, _BOOGU_SIZES)),
    lora(BaseModelType.LUMINA, Host("lumina/diffusers", _LUMINA_NEXT)),
    lora(BaseModelType.LUMINA, Host("lumina/original", _LUMINA_NEXT_ORIGINAL)),
    lora(BaseModelType.MINIMAX_H3, Host("minimax-h3/original", _MINIMAX_H3)),
    *(
        lora(BaseModelType.KANDINSKY_5, Host(f"kandinsky-5/{size}", _KANDINSKY_5, numbers))
        for size, numbers in _KANDINSKY_5_SIZES.items()
    ),
)
"""One per denoiser, size and layout."""
