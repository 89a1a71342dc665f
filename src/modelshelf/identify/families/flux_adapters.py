"""Adapters of FLUX.1, Chroma and FLUX.2.

The three share their attention; FLUX.1 alone has a modulation in each block, Chroma computes one for
all, and FLUX.2's perceptrons are gated, which makes them half as wide again.

FLUX.1 and Chroma cannot be told apart where no modulation is adapted. Whoever trains FLUX.1 with
ai-toolkit or PEFT leaves the modulation out, so a whole adapter in those names is FLUX.1's unless its
metadata says Chroma; kohya's scripts never do, so theirs may be either's.

Sources: `src/flux/model.py` of black-forest-labs/flux and flux2, `transformer_flux*.py` and
`transformer_chroma.py` of huggingface/diffusers.
"""

from __future__ import annotations

from modelshelf.identify.adapter_condition import Adapts, Named
from modelshelf.identify.adapter_names import AdapterNaming
from modelshelf.identify.condition import Either, Never
from modelshelf.identify.families.adapters import lora
from modelshelf.identify.families.text_encoder_adapters import FIRST_CLIP_L
from modelshelf.identify.family import Family, Trait
from modelshelf.identify.host import Fits, Host, Spans
from modelshelf.identify.saying import Says
from modelshelf.identify.tensor_condition import Tensor
from modelshelf.schema.taxonomy import (
    BaseModelType,
    ModelFormat,
    ModelType,
    ModelVariantType,
)

__all__ = ["FAMILIES"]

_SIZES = {"w": 3072, "double": 19, "single": 38}

_BLOCKS = """
    double_blocks.{double}.(img|txt)_attn.qkv  w 3w
    double_blocks.{double}.(img|txt)_attn.proj  w w
    double_blocks.{double}.(img|txt)_attn.norm.(query_norm|key_norm)  128
    single_blocks.{single}.norm.(query_norm|key_norm)  128
    time_in.in_layer  256 w
    time_in.out_layer  w w
    final_layer.adaLN_modulation.1  w 2w
"""
_FLUX_BLOCKS = f"""
    {_BLOCKS}
    double_blocks.{{double}}.(img|txt)_mlp.0  w 4w
    double_blocks.{{double}}.(img|txt)_mlp.2  4w w
    single_blocks.{{single}}.linear1  w 7w
    single_blocks.{{single}}.linear2  5w w
    txt_in  4096 w
    final_layer.linear  w 64
"""
_FLUX = Host(
    "flux/original",
    f"""
    {_FLUX_BLOCKS}
    img_in  ? w
    double_blocks.{{double}}.(img|txt)_mod.lin  w 6w
    single_blocks.{{single}}.modulation.lin  w 3w
    single_blocks.{{single}}.qkv  w 3w
    single_blocks.{{single}}.proj  ? w
    guidance_in.in_layer  256 w
    guidance_in.out_layer  w w
    vector_in.in_layer  768 w
    vector_in.out_layer  w w
    """,
    _SIZES,
)
_GUIDANCE = """
    distilled_guidance_layer.in_proj  64 5120
    distilled_guidance_layer.out_proj  5120 3072
    distilled_guidance_layer.norms.{5}  5120
"""
_CHROMA = Host(
    "chroma/original",
    f"""
    {_FLUX_BLOCKS}
    img_in  64 w
    {_GUIDANCE}
    distilled_guidance_layer.layers.{{5}}.(in_layer|out_layer)  5120 5120
    img_in_patch  3 w 16x16
    nerf_image_embedder.embedder.0  67 64
    nerf_blocks.{{4}}.param_generator  w 49152
    nerf_blocks.{{4}}.norm  64
    nerf_final_layer_conv.conv  64 3 3x3
    nerf_final_layer_conv.norm  64
    """,
    _SIZES,
)

_FLUX2_BLOCKS = f"""
    {_BLOCKS}
    double_blocks.{{double}}.(img|txt)_mlp.0  w 6w
    double_blocks.{{double}}.(img|txt)_mlp.2  3w w
    single_blocks.{{single}}.linear1  w 9w
    single_blocks.{{single}}.linear2  4w w
    double_stream_modulation_(img|txt).lin  w 6w
    single_stream_modulation.lin  w 3w
    guidance_in.in_layer  256 w
    guidance_in.out_layer  w w
    img_in  128 w
    txt_in  text w
    final_layer.linear  w 128
"""

DIFFUSERS_ATTENTION = """
    transformer_blocks.{double}.attn.(to_q|to_k|to_v|to_out.0|to_add_out)  w w
    transformer_blocks.{double}.attn.(add_q_proj|add_k_proj|add_v_proj)  w w
    transformer_blocks.{double}.attn.(norm_q|norm_k|norm_added_q|norm_added_k)  128
    single_transformer_blocks.{single}.attn.(norm_q|norm_k)  128
"""
DIFFUSERS_BLOCKS = f"""
    {DIFFUSERS_ATTENTION}
    transformer_blocks.{{double}}.(ff|ff_context).net.0.proj  w 4w
    transformer_blocks.{{double}}.(ff|ff_context).net.2  4w w
    single_transformer_blocks.{{single}}.attn.(to_q|to_k|to_v)  w w
    single_transformer_blocks.{{single}}.proj_mlp  w 4w
    single_transformer_blocks.{{single}}.proj_out  5w w
"""
"""Names that HunyuanVideo shares too."""
DIFFUSERS_MODULATION = """
    transformer_blocks.{double}.(norm1|norm1_context).linear  w 6w
    single_transformer_blocks.{single}.norm.linear  w 3w
    norm_out.linear  w 2w
"""
_FLUX_DIFFUSERS = Host(
    "flux/diffusers",
    f"""
    {DIFFUSERS_BLOCKS}
    {DIFFUSERS_MODULATION}
    time_text_embed.(timestep|guidance)_embedder.linear_1  256 w
    time_text_embed.text_embedder.linear_1  768 w
    time_text_embed.(timestep|guidance|text)_embedder.linear_2  w w
    context_embedder  4096 w
    x_embedder  ? w
    proj_out  w 64
    """,
    _SIZES,
)
_CHROMA_DIFFUSERS = Host(
    "chroma/diffusers",
    f"""
    {DIFFUSERS_BLOCKS}
    {_GUIDANCE}
    distilled_guidance_layer.layers.{{5}}.(linear_1|linear_2)  5120 5120
    context_embedder  4096 w
    x_embedder  64 w
    proj_out  w 64
    """,
    _SIZES,
)
_FLUX2_DIFFUSERS_BLOCKS = f"""
    {DIFFUSERS_ATTENTION}
    transformer_blocks.{{double}}.(ff|ff_context).linear_in  w 6w
    transformer_blocks.{{double}}.(ff|ff_context).linear_out  3w w
    single_transformer_blocks.{{single}}.attn.to_qkv_mlp_proj  w 9w
    single_transformer_blocks.{{single}}.attn.to_out  4w w
    double_stream_modulation_(img|txt).linear  w 6w
    single_stream_modulation.linear  w 3w
    time_guidance_embed.(timestep|guidance)_embedder.linear_1  256 w
    time_guidance_embed.(timestep|guidance)_embedder.linear_2  w w
    norm_out.linear  w 2w
    context_embedder  text w
    x_embedder  128 w
    proj_out  w 128
"""

_FLUX_2_SIZES: dict[str, tuple[ModelVariantType, dict[str, int]]] = {
    "dev": (ModelVariantType.DEV, {"w": 6144, "double": 8, "single": 48, "text": 15360}),
    "klein-9b": (ModelVariantType.KLEIN_9B, {"w": 4096, "double": 8, "single": 24, "text": 12288}),
    "klein-4b": (ModelVariantType.KLEIN_4B, {"w": 3072, "double": 5, "single": 20, "text": 7680}),
}


_FLUX_2 = {
    (size, layout): Host(f"flux2/{size}-{layout}", modules, sizes)
    for size, (_, sizes) in _FLUX_2_SIZES.items()
    for layout, modules in (("original", _FLUX2_BLOCKS), ("diffusers", _FLUX2_DIFFUSERS_BLOCKS))
}


def _flux_2() -> tuple[Family, ...]:
    return tuple(
        lora(BaseModelType.FLUX_2, host, traits=(Trait(_FLUX_2_SIZES[size][0], Fits(host)),))
        for (size, _), host in _FLUX_2.items()
    )


_RIVALS = ("flux/lora/diffusers", "chroma/lora/diffusers")
_STRANGERS = tuple(
    f"other/lora/{name}" for name in ("longcat-image", "ovis-image", "bria", "bria-fibo", "flux3")
)
_RIVALS_ORIGINAL = ("flux/lora/original", "chroma/lora/original", "hunyuan-video/lora/original")

FAMILIES = (
    lora(BaseModelType.FLUX, _FLUX),
    lora(BaseModelType.FLUX, _FLUX_DIFFUSERS),
    lora(BaseModelType.CHROMA, _CHROMA),
    lora(BaseModelType.CHROMA, _CHROMA_DIFFUSERS),
    lora(
        BaseModelType.FLUX,
        _FLUX_DIFFUSERS,
        # HunyuanVideo's stacks are longer: whoever ends where FLUX.1 ends adapts all of FLUX.1.
        Spans("denoiser:single_transformer_blocks_#_*", _SIZES["single"]),
        Never(Says(BaseModelType.CHROMA)),
        rule="diffusers-whole",
        special_case_of=(
            *_RIVALS,
            *_STRANGERS,
            "hunyuan-video/lora/diffusers",
            "framepack/lora/diffusers",
        ),
    ),
    lora(
        BaseModelType.FLUX,
        _FLUX,
        Either((Named(AdapterNaming.COMFY), Named(AdapterNaming.ORIGINAL))),
        Spans("denoiser:single_blocks_#_*", _SIZES["single"]),
        Never(Says(BaseModelType.CHROMA)),
        rule="original-whole",
        special_case_of=_RIVALS_ORIGINAL,
    ),
    *(
        lora(
            BaseModelType.FLUX,
            host,
            # Chroma and Qwen-Image have no CLIP, HunyuanVideo's comes second.
            FIRST_CLIP_L,
            rule=f"{layout}-with-text-encoder",
            special_case_of=(f"flux/lora/{layout}-whole", f"flux2/lora/klein-4b-{layout}", *rivals),
        )
        for layout, host, rivals in (
            ("original", _FLUX, _RIVALS_ORIGINAL),
            (
                "diffusers",
                _FLUX_DIFFUSERS,
                (
                    *_RIVALS,
                    *_STRANGERS,
                    "hunyuan-video/lora/diffusers",
                    "framepack/lora/diffusers",
                    "qwen-image/lora/diffusers",
                    "auraflow/lora/diffusers",
                ),
            ),
        )
    ),
    lora(
        BaseModelType.FLUX,
        _FLUX,
        Named(AdapterNaming.XLABS),
        rule="xlabs",
        # This trainer has been written for FLUX.1 alone.
        special_case_of=(
            "flux/lora/original-whole",
            "flux2/lora/klein-4b-original",
            "hunyuan-video/lora/comfy",
            *_RIVALS_ORIGINAL,
        ),
    ),
    *(
        Family(
            id=f"flux/control-lora/{layout}",
            type=ModelType.CONTROL_LORA,
            format=ModelFormat.LYCORIS,
            bases=(BaseModelType.FLUX,),
            conditions=(
                Fits(host),
                # FLUX.2 takes as many channels without one.
                Never(Fits(_FLUX_2["klein-4b", layout])),
                # The image that controls comes beside the latents; norms and biases are retrained.
                Either(
                    (
                        Adapts("denoiser:img_in", inputs=128),
                        Adapts("denoiser:x_embedder", inputs=128),
                        Tensor("double_blocks.#.img_attn.norm.key_norm.scale", (128,)),
                        Tensor("single_blocks.#.norm.key_norm.scale", (128,)),
                    )
                ),
            ),
            special_case_of=(
                f"flux/lora/{layout}-whole",
                f"flux/lora/{layout}-with-text-encoder",
                *rivals,
            ),
        )
        for layout, host, rivals in (
            ("original", _FLUX, _RIVALS_ORIGINAL),
            ("diffusers", _FLUX_DIFFUSERS, (*_RIVALS, *_STRANGERS)),
        )
    ),
    *_flux_2(),
    *(
        lora(
            BaseModelType.FLUX_2,
            _FLUX_2["klein-9b", layout],
            # Qwen-Image 2.1 has 24 blocks more of these, and JoyImage 32.
            Spans(f"denoiser:{stack}_#_*", _FLUX_2_SIZES["klein-9b"][1]["double"]),
            rule=f"klein-9b-{layout}-whole",
            traits=(Trait(ModelVariantType.KLEIN_9B, Fits(_FLUX_2["klein-9b", layout])),),
            special_case_of=(f"flux2/lora/klein-9b-{layout}", f"other/lora/{stranger}"),
        )
        for layout, stack, stranger in (
            ("original", "double_blocks", "joyimage"),
            ("diffusers", "transformer_blocks", "qwen-image-2.1"),
        )
    ),
)
"""One per denoiser and layout, and those that go before others."""
