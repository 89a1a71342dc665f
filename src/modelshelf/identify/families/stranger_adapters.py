"""Adapters of denoisers that have no base here, and whose modules a denoiser with a base has, too.

All of them are hosts as those with a base are, and leave a base that fits beside them unproven. FLUX.1 has
nearly every module of LongCat-Image, Ovis-Image, Bria and FIBO, under the same names, and more blocks:
whoever adapts FLUX.1 goes on, so an adapter that ends where both of their stacks end, in most of their
blocks, is not called FLUX.1's. Nor is it called theirs, as somebody may have limited one of FLUX.1 to just
these blocks; metadata that names a base decides. FIBO ends where Flex.1 and FLUX.1 lite end, which are
FLUX.1 cut short, so either may be meant.

Nucleus-Image and MiniMax Music 3 have attentions like HunyuanVideo 1.5's in fewer blocks, Qwen-Image 2.1 like
FLUX.2 klein's in more, FLUX.3 like AuraFlow's in fewer, Kandinsky 6's super resolution has one like Kandinsky
5's in each block, where that has two. DiT attends to nothing but itself, as half a block of PixArt does;
JoyImage's attentions are FLUX.2 klein's in more blocks, single layers of Motif-Video and Stable Audio are
SD 3's; Ovi is two of Wan 2.2's small denoiser, each behind a name. Where a stranger has all that adapters of a
base change, words alone tell the two apart: `worded_adapters.py`.

Sources: `transformer_longcat_image.py`, `transformer_ovis_image.py`, `transformer_bria.py`,
`transformer_bria_fibo.py`, `transformer_flux3.py`, `transformer_nucleusmoe_image.py`,
`transformer_minimax_music3.py`, `transformer_qwenimage21.py`, `transformer_kandinsky6_sr.py`,
`dit_transformer_2d.py`, `stable_audio_transformer.py` and others of huggingface/diffusers with the published
configurations, `models.py` of facebookresearch/DiT, `ovi/modules` of character-ai/Ovi.
"""

from __future__ import annotations

from modelshelf.identify.condition import Never
from modelshelf.identify.families.adapters import DIFFUSERS_FORMAT
from modelshelf.identify.families.flux_adapters import (
    DIFFUSERS_ATTENTION,
    DIFFUSERS_BLOCKS,
    DIFFUSERS_MODULATION,
)
from modelshelf.identify.families.text_encoder_adapters import FIRST_CLIP_L
from modelshelf.identify.family import Family
from modelshelf.identify.host import Fits, Host, Spans
from modelshelf.identify.saying import Says
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["FAMILIES"]

_DOUBLE, _SINGLE = "transformer_blocks_#_*", "single_transformer_blocks_#_*"
_RIVALS = tuple(
    f"{base}/lora/{rule}"
    for base, rules in (
        ("flux", ("diffusers", "diffusers-whole")),
        ("chroma", ("diffusers",)),
        ("hunyuan-video", ("diffusers",)),
        ("framepack", ("diffusers",)),
    )
    for rule in rules
)
_RIVAL_BASES = (
    BaseModelType.FLUX,
    BaseModelType.CHROMA,
    BaseModelType.HUNYUAN_VIDEO,
    BaseModelType.FRAMEPACK,
)


def _shorter(host: Host, candidates: tuple[BaseModelType, ...] = ()) -> Family:
    """An adapter that ends where the stacks of this denoiser end, which FLUX.1's go beyond."""
    return Family(
        id=f"other/lora/{host.id}-whole",
        type=ModelType.LORA,
        format=ModelFormat.LYCORIS,
        candidates=candidates,
        conditions=(
            Spans(f"denoiser:{_DOUBLE}", host.sizes["double"]),
            Spans(f"denoiser:{_SINGLE}", host.sizes["single"]),
            Never(FIRST_CLIP_L),
            *(Never(Says(base)) for base in _RIVAL_BASES),
            Fits(host),
        ),
        traits=DIFFUSERS_FORMAT,
        special_case_of=_RIVALS,
        is_one_of_several=True,
    )


def _alike(host: Host) -> Family:
    """An adapter of a denoiser without a base: beside one with a base, it leaves that one open."""
    return Family(
        id=f"other/lora/{host.id}",
        type=ModelType.LORA,
        format=ModelFormat.LYCORIS,
        candidates=(BaseModelType.UNKNOWN,),
        conditions=(Fits(host),),
        traits=DIFFUSERS_FORMAT,
        architecture=host.id,
        is_one_of_several=True,
    )


_SHORTER_TOP = """
    (time_embed.timestep_embedder|timestep_embedder).linear_1  256 w
    (time_embed.timestep_embedder|timestep_embedder).linear_2  w w
    context_embedder  text w
    x_embedder  64 w
    proj_out  w 64
"""
_SHORTER = f"{DIFFUSERS_BLOCKS}{DIFFUSERS_MODULATION}{_SHORTER_TOP}"
_LONGCAT_IMAGE = Host(
    "longcat-image", _SHORTER, {"w": 3072, "double": 10, "single": 20, "text": 3584}
)
_BRIA = Host("bria", _SHORTER, {"w": 3072, "double": 8, "single": 28, "text": 4096})
_BRIA_FIBO = Host(
    "bria-fibo",
    f"""
    {_SHORTER}
    caption_projection.{{46}}.linear  2048 1536
    """,
    {"w": 3072, "double": 8, "single": 38, "text": 4096},
)
_OVIS_IMAGE = Host(
    "ovis-image",
    f"""
    {DIFFUSERS_ATTENTION}
    {DIFFUSERS_MODULATION}
    {_SHORTER_TOP}
    transformer_blocks.{{double}}.(ff|ff_context).net.0.proj  w 8w
    transformer_blocks.{{double}}.(ff|ff_context).net.2  4w w
    single_transformer_blocks.{{single}}.attn.(to_q|to_k|to_v)  w w
    single_transformer_blocks.{{single}}.proj_mlp  w 8w
    single_transformer_blocks.{{single}}.proj_out  5w w
    context_embedder_norm  text
    """,
    {"w": 3072, "double": 6, "single": 27, "text": 2048},
)
_QWEN_IMAGE_2_1 = Host(
    "qwen-image-2.1",
    """
    img_in  64 w
    txt_in.text_norm  w
    txt_in.(in_layer|out_layer)  w w
    time_text_embed.timestep_embedder.linear_1  256 w
    time_text_embed.timestep_embedder.linear_2  w w
    modulation.1  w 4w
    transformer_blocks.{32}.attn.(to_q|to_k|to_v|to_out.0)  w w
    transformer_blocks.{32}.attn.(norm_q|norm_k)  128
    transformer_blocks.{32}.img_mlp.(proj|gate_layer)  w 3w
    transformer_blocks.{32}.img_mlp.out  3w w
    norm_out.linear  w w
    proj_out  w 64
    """,
    {"w": 4096},
)
_MODES = "(mode_blocks.image.{5}|mode_blocks.image_cond.{5}|txt_mode_blocks.{5}|single_transformer_blocks.{28})"
_FLUX_3 = Host(
    "flux3",
    f"""
    timestep_embedder.linear_1  256 w
    timestep_embedder.linear_2  w w
    (early_stream_modulations|single_stream_modulations).(image|image_cond|txt).linear  w 3w
    x_embedders.(image|image_cond)  128 w
    context_embedder  20480 w
    {_MODES}.attn.(to_q|to_k|to_v|to_out.0)  w w
    {_MODES}.attn.(norm_q|norm_k)  128
    {_MODES}.ff.linear_in  w 6w
    {_MODES}.ff.linear_out  3w w
    norm_out.linear  w 2w
    proj_out  w 128
    """,
    {"w": 3072},
)
_NUCLEUS_IMAGE = Host(
    "nucleus-image",
    """
    img_in  64 w
    transformer_blocks.{24}.img_mod.1  w 4w
    transformer_blocks.{24}.encoder_proj  3584 w
    transformer_blocks.{24}.attn.(to_q|to_k|to_v|to_out.0|add_k_proj|add_v_proj)  w w
    transformer_blocks.{24}.attn.(norm_q|norm_k|norm_added_q|norm_added_k)  128
    transformer_blocks.{24}.img_mlp.net.0.proj  w 10752
    transformer_blocks.{24}.img_mlp.net.2  5376 w
    transformer_blocks.{24}.img_mlp.gate  2w 128
    transformer_blocks.{24}.img_mlp.shared_expert.net.0.proj  w 2688
    transformer_blocks.{24}.img_mlp.shared_expert.net.2  1344 w
    norm_out.linear  w 2w
    proj_out  w 256
    """,
    {"w": 2048},
)
_MINIMAX_MUSIC_3 = Host(
    "minimax-music-3",
    """
    proj_in  2304 w
    time_embed.linear_1  256 w
    time_embed.linear_2  w w
    transformer_blocks.{36}.attn.(to_q|to_k|to_v|to_out.0)  w w
    transformer_blocks.{36}.ff_in  w 8w
    transformer_blocks.{36}.ff_out  4w w
    proj_out  w 128
    """,
    {"w": 2048},
)
_KANDINSKY_6_SR = Host(
    "kandinsky-6-sr",
    """
    visual_embeddings.in_layer  129 w
    visual_transformer_blocks.{32}.visual_modulation.out_layer  512 6w
    visual_transformer_blocks.{32}.self_attention.(to_query|to_key|to_value|out_layer)  w w
    visual_transformer_blocks.{32}.self_attention.(query_norm|key_norm)  64
    visual_transformer_blocks.{32}.feed_forward.net.0.proj  w 4w
    visual_transformer_blocks.{32}.feed_forward.net.2  4w w
    out_layer.modulation.out_layer  512 2w
    out_layer.out_layer  w 640
    """,
    {"w": 1792},
)
_DIT = Host(
    "dit-xl-2",
    """
    pos_embed.proj  4 w 2x2
    transformer_blocks.{28}.norm1.emb.timestep_embedder.linear_1  256 w
    transformer_blocks.{28}.norm1.emb.timestep_embedder.linear_2  w w
    transformer_blocks.{28}.norm1.linear  w 6w
    transformer_blocks.{28}.attn1.(to_q|to_k|to_v|to_out.0)  w w
    transformer_blocks.{28}.ff.net.0.proj  w 4w
    transformer_blocks.{28}.ff.net.2  4w w
    proj_out_1  w 2w
    proj_out_2  w ?
    x_embedder.proj  4 w 2x2
    t_embedder.mlp.0  256 w
    t_embedder.mlp.2  w w
    blocks.{28}.attn.qkv  w 3w
    blocks.{28}.attn.proj  w w
    blocks.{28}.mlp.fc1  w 4w
    blocks.{28}.mlp.fc2  4w w
    blocks.{28}.adaLN_modulation.1  w 6w
    final_layer.adaLN_modulation.1  w 2w
    final_layer.linear  w 32
    """,
    {"w": 1152},
)
_JOY_IMAGE = Host(
    "joyimage",
    """
    img_in  16 w 1x2x2
    condition_embedder.time_embedder.linear_1  256 w
    condition_embedder.(time_embedder|text_embedder).linear_2  w w
    condition_embedder.time_proj  w 6w
    condition_embedder.text_embedder.linear_1  w w
    double_blocks.{40}.(img_attn_qkv|txt_attn_qkv)  w 3w
    double_blocks.{40}.(img_attn_proj|txt_attn_proj)  w w
    double_blocks.{40}.(img_attn_q_norm|img_attn_k_norm|txt_attn_q_norm|txt_attn_k_norm)  128
    double_blocks.{40}.(img_mlp|txt_mlp).net.0.proj  w 4w
    double_blocks.{40}.(img_mlp|txt_mlp).net.2  4w w
    proj_out  w 64
    """,
    {"w": 4096},
)
_MOTIF_VIDEO = Host(
    "motif-video",
    """
    x_embedder.proj  33 w 1x2x2
    context_embedder.linear_1  4096 w
    context_embedder.linear_2  w w
    time_text_embed.timestep_embedder.linear_1  256 w
    time_text_embed.timestep_embedder.linear_2  w w
    transformer_blocks.{12}.(norm1|norm1_context).linear  w 6w
    transformer_blocks.{12}.attn.(to_q|to_k|to_v|to_out.0|to_add_out)  w w
    transformer_blocks.{12}.attn.(add_q_proj|add_k_proj|add_v_proj)  w w
    transformer_blocks.{12}.attn.(norm_q|norm_k|norm_added_q|norm_added_k)  128
    transformer_blocks.{12}.(ff|ff_context).net.0.proj  w 4w
    transformer_blocks.{12}.(ff|ff_context).net.2  4w w
    single_transformer_blocks.{16}.attn.(to_q|to_k|to_v)  w w
    single_transformer_blocks.{16}.attn.(norm_q|norm_k)  128
    single_transformer_blocks.{16}.norm.linear  w 3w
    single_transformer_blocks.{16}.proj_mlp  w 4w
    single_transformer_blocks.{16}.proj_out  5w w
    (transformer_blocks.{12}|single_transformer_blocks.{8}).cross_attn.(to_q|to_k|to_v|to_out.0)  w w
    (transformer_blocks.{12}|single_transformer_blocks.{8}).cross_attn.(norm_q|norm_k)  128
    norm_out.linear  w 2w
    proj_out  w 64
    """,
    {"w": 1536},
)
_STABLE_AUDIO = Host(
    "stable-audio",
    """
    preprocess_conv  64 64
    postprocess_conv  64 64
    proj_in  64 w
    (timestep_proj|global_proj).0  ? w
    (timestep_proj|global_proj).2  w w
    cross_attention_proj.(0|2)  768 768
    transformer_blocks.{24}.(attn1|attn2).(to_q|to_out.0)  w w
    transformer_blocks.{24}.attn1.(to_k|to_v)  w w
    transformer_blocks.{24}.attn2.(to_k|to_v)  768 768
    transformer_blocks.{24}.ff.net.0.proj  w 8w
    transformer_blocks.{24}.ff.net.2  4w w
    transformer_blocks.{24}.(norm1|norm2|norm3)  w
    proj_out  w 64
    """,
    {"w": 1536},
)
_OVI = Host(
    "ovi",
    """
    video_model.patch_embedding  48 w 1x2x2
    audio_model.patch_embedding.(0|1)  ? ?
    (video_model|audio_model).text_embedding.0  4096 w
    (video_model|audio_model).text_embedding.2  w w
    (video_model|audio_model).time_embedding.0  256 w
    (video_model|audio_model).time_embedding.2  w w
    (video_model|audio_model).time_projection.1  w 6w
    (video_model|audio_model).blocks.{30}.(self_attn|cross_attn).(q|k|v|o|k_fusion|v_fusion)  w w
    (video_model|audio_model).blocks.{30}.(self_attn|cross_attn).(norm_q|norm_k|norm_k_fusion)  w
    (video_model|audio_model).blocks.{30}.cross_attn.pre_attn_norm_fusion  w
    (video_model|audio_model).blocks.{30}.norm3  w
    (video_model|audio_model).blocks.{30}.ffn.0  w 14336
    (video_model|audio_model).blocks.{30}.ffn.2  14336 w
    (video_model|audio_model).head.head  w ?
    """,
    {"w": 3072},
)
FAMILIES = (
    *map(_shorter, (_LONGCAT_IMAGE, _OVIS_IMAGE, _BRIA)),
    _shorter(_BRIA_FIBO, (BaseModelType.FLUX, BaseModelType.UNKNOWN)),
    *map(_alike, (_LONGCAT_IMAGE, _OVIS_IMAGE, _BRIA, _BRIA_FIBO, _FLUX_3)),
    *map(_alike, (_NUCLEUS_IMAGE, _QWEN_IMAGE_2_1, _MINIMAX_MUSIC_3, _KANDINSKY_6_SR)),
    *map(_alike, (_DIT, _JOY_IMAGE, _MOTIF_VIDEO, _STABLE_AUDIO, _OVI)),
)
"""One per denoiser."""
