"""Adapters of denoisers that have no base here, and whose modules a denoiser with a base has, too.

FLUX.1 has every module of LongCat-Image, Ovis-Image, Bria and FIBO, under the same names, and more
blocks: whoever adapts FLUX.1 goes on, so an adapter that ends where both of their stacks end, in most of
their blocks, is not called FLUX.1's. Nor is it called theirs, as somebody may have limited one of FLUX.1
to just these blocks; metadata that names a base decides. FIBO ends where Flex.1 and FLUX.1 lite end, which
are FLUX.1 cut short, so either may be meant.

The others are hosts as those with a base are, and leave a base that fits beside them unproven:
Nucleus-Image and MiniMax Music 3 have attentions like HunyuanVideo 1.5's in fewer blocks, Kandinsky 6's super
resolution has one like Kandinsky 5's in each block, where that has two.

Sources: `transformer_longcat_image.py`, `transformer_ovis_image.py`, `transformer_bria.py`,
`transformer_bria_fibo.py`, `transformer_nucleusmoe_image.py`, `transformer_minimax_music3.py` and
`transformer_kandinsky6_sr.py` of huggingface/diffusers with the published configurations.
"""

from __future__ import annotations

from modelshelf.identify.adapter_condition import Adapts
from modelshelf.identify.condition import Never
from modelshelf.identify.families.adapters import DIFFUSERS_FORMAT
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


def _shorter(
    name: str, double: int, single: int, candidates: tuple[BaseModelType, ...] = ()
) -> Family:
    """An adapter that ends where the stacks of this denoiser end, which FLUX.1's go beyond."""
    return Family(
        id=f"other/lora/{name}",
        type=ModelType.LORA,
        format=ModelFormat.LYCORIS,
        candidates=candidates,
        conditions=(
            Spans(f"denoiser:{_DOUBLE}", double),
            Spans(f"denoiser:{_SINGLE}", single),
            Adapts(f"denoiser:{_DOUBLE}", below=double),
            # HunyuanVideo-1.5 and its kin are narrower.
            Adapts("denoiser:transformer_blocks_#_attn_to_q", inputs=3072, outputs=3072),
            Never(FIRST_CLIP_L),
            *(Never(Says(base)) for base in _RIVAL_BASES),
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
FAMILIES = (
    _shorter("longcat-image", 10, 20),
    _shorter("ovis-image", 6, 27),
    _shorter("bria", 8, 28),
    _shorter("bria-fibo", 8, 38, (BaseModelType.FLUX, BaseModelType.UNKNOWN)),
    *map(_alike, (_NUCLEUS_IMAGE, _MINIMAX_MUSIC_3, _KANDINSKY_6_SR)),
)
"""One per denoiser."""
