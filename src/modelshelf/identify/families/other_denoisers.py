"""Published image models that no base is named for: what they are, so that nobody takes them for kin.

Many share blocks, widths or names with a base that has a name. The type is certain and so is the
architecture; the base stays open. Sources: the classes of huggingface/diffusers and
modelscope/DiffSynth-Studio with the published configurations.
"""

from __future__ import annotations

from modelshelf.identify.condition import Condition, Either
from modelshelf.identify.families.denoiser import NO_CONTROL, norm_of, weight_or_bias
from modelshelf.identify.families.other_model import OtherModel, families_of
from modelshelf.identify.families.unet import unet_blocks_diffusers, unet_blocks_ldm
from modelshelf.identify.tensor_condition import Absent, Marker, Tensor
from modelshelf.schema.taxonomy import ModelType, SchedulerPredictionType

__all__ = ["FAMILIES"]

_EPSILON = SchedulerPredictionType.EPSILON


def _flux_like(text: int, embedder: str, *conditions: Condition) -> tuple[Condition, ...]:
    """FLUX.1's blocks in diffusers' names, without its pooled text, over other text."""
    return (
        weight_or_bias("transformer_blocks.#.norm1.linear", 18432),
        Tensor("single_transformer_blocks.#.attn.norm_k.weight", rank=1),
        Tensor("context_embedder.weight", (3072, text)),
        Tensor(f"{embedder}.linear_1.weight", (3072, 256)),
        Absent("time_text_embed.*"),
        *conditions,
    )


_OTHERS = (
    OtherModel(
        "bria",
        _flux_like(4096, "time_embed.timestep_embedder", Absent("caption_projection.*")),
        "BriaTransformer2DModel",
    ),
    OtherModel(
        "bria-fibo",
        _flux_like(4096, "time_embed.timestep_embedder", Marker("caption_projection.*")),
        "BriaFiboTransformer2DModel",
    ),
    OtherModel(
        "longcat-image",
        _flux_like(3584, "time_embed.timestep_embedder"),
        "LongCatImageTransformer2DModel",
    ),
    OtherModel(
        "ovis-image",
        _flux_like(2048, "timestep_embedder", Tensor("context_embedder_norm.weight", (2048,))),
        "OvisImageTransformer2DModel",
    ),
    OtherModel(
        "ovis-image-original",
        (
            Marker("double_blocks.#.img_mlp.gate_proj*"),
            norm_of("double_blocks.#.img_attn.norm.key_norm"),
            Tensor("txt_in.weight", (3072, 2048)),
        ),
    ),
    OtherModel(
        "glm-image",
        (
            Tensor("prior_token_embedding.weight", (16384,)),
            weight_or_bias("transformer_blocks.#.norm1.linear", (30720, 49152)),
            Marker("glyph_projector.*"),
            weight_or_bias("image_projector.proj", (2560, 4096)),
        ),
        "GlmImageTransformer2DModel",
    ),
    OtherModel(
        "cogview3-plus",
        (
            weight_or_bias("patch_embed.text_proj", 2560),
            weight_or_bias("transformer_blocks.#.norm1.linear", 30720),
            Tensor("time_condition_embed.condition_embedder.linear_1.weight"),
            Absent("norm_final.*"),
        ),
        "CogView3PlusTransformer2DModel",
        prediction=SchedulerPredictionType.V_PREDICTION,
    ),
    OtherModel(
        "qwen-image-2.1",
        (
            Tensor("txt_in.text_norm.weight", (4096,)),
            Tensor("transformer_blocks.#.attn.norm_k.weight", rank=1, below=32),
            # ComfyUI saves both halves of the gated layer as one.
            Either(
                (
                    Tensor("transformer_blocks.#.img_mlp.gate_layer.weight"),
                    Tensor("transformer_blocks.#.img_mlp.gate_up.weight"),
                )
            ),
            weight_or_bias("img_in", 4096),
            *NO_CONTROL,
        ),
        "QwenImage21Transformer2DModel",
    ),
    OtherModel(
        "prx",
        (
            Tensor("blocks.#.attention.norm_added_k.weight", rank=1),
            weight_or_bias("blocks.#.modulation.lin", 10752),
            weight_or_bias("txt_in", 1792),
            weight_or_bias("img_in", 1792),
        ),
        "PRXTransformer2DModel",
    ),
    OtherModel(
        "joyimage",
        (
            # The class of diffusers takes 3072 where nothing is said; published is 4096.
            Tensor("double_blocks.#.img_mod.modulate_table", (1, 6, (3072, 4096))),
            Either(
                (
                    Tensor("double_blocks.#.attn.img_attn_k_norm.weight", rank=1),
                    Tensor("double_blocks.#.img_attn_k_norm.weight", rank=1),
                )
            ),
            Tensor("condition_embedder.time_embedder.linear_1.weight"),
        ),
        "JoyImageEdit*Transformer3DModel",
    ),
    OtherModel(
        "bria-fibo-2",
        (
            Tensor("perceiver.latent_queries", (512, 3584)),
            Tensor("layers.#.attention_norm1.weight", (3584,)),
            Tensor("layers.#.attention.norm_k.weight", rank=1, below=44),
            *NO_CONTROL,
        ),
        "BriaFibo2Transformer2DModel",
    ),
    OtherModel(
        "sensenova-u1",
        (
            # A language model with a second set of weights for what it draws.
            Tensor("language_model.model.layers.#.input_layernorm_mot_gen.weight", (4096,)),
            Tensor("fm_modules.timestep_embedder.mlp.#.weight", (4096,)),
        ),
    ),
    OtherModel(
        "nucleus-image",
        (
            Tensor("txt_norm.weight", (3584,)),
            weight_or_bias("transformer_blocks.#.img_mod.#", 8192),
            Tensor("transformer_blocks.#.img_mlp.experts.gate_up_proj"),
        ),
        "NucleusMoEImageTransformer2DModel",
    ),
    OtherModel(
        "flux3",
        (
            Tensor("single_transformer_blocks.#.attn.norm_k.weight", rank=1),
            Marker("mode_blocks.image.*"),
            Marker("early_stream_modulations.*"),
            Tensor("context_embedder.weight", (None, 20480)),
        ),
        "Flux3Transformer2DModel",
    ),
    OtherModel(
        "flux3-original",
        (
            norm_of("single_blocks.#.norm.key_norm"),
            Marker("content_mode_blocks.image.*"),
            Marker("early_stream_modulations.*"),
            Tensor("txt_in.weight", (None, 20480)),
        ),
    ),
    OtherModel(
        "step1x-edit",
        (
            Marker("connector.*"),
            norm_of("double_blocks.#.img_attn.norm.key_norm", below=19),
            Tensor("vector_in.in_layer.weight", (3072, 768)),
        ),
    ),
    OtherModel(
        "open-sora-2",
        (
            Tensor("cond_in.weight", (3072,)),
            norm_of("double_blocks.#.img_attn.norm.key_norm", below=19),
            Tensor("vector_in.in_layer.weight", (3072, 768)),
        ),
    ),
    OtherModel(
        "omnigen",
        (
            Tensor("input_x_embedder.proj.weight", (3072, 4, 2, 2)),
            Tensor("llm.layers.#.self_attn.qkv_proj.weight", below=32),
            Tensor("time_token.mlp.#.weight"),
        ),
        "OmniGenTransformer2DModel",
    ),
    OtherModel(
        "hidream-o1",
        (
            Tensor("x_embedder.proj1.weight"),
            Tensor("t_embedder1.mlp.#.weight"),
            Tensor("language_model.embed_tokens.weight"),
        ),
    ),
    OtherModel(
        "moss-image",
        (
            weight_or_bias("shared_block_modulation", 18432),
            Tensor("layers.#.norm1.weight", (3072,), below=42),
            Tensor("final_norm_video.weight", (3072,)),
        ),
    ),
    OtherModel(
        "dit",
        (
            Tensor("transformer_blocks.#.norm1.emb.class_embedder.embedding_table.weight", (1001,)),
            weight_or_bias("transformer_blocks.#.norm1.linear", (6 * 384, 6 * 768, 6 * 1024, 6912)),
            Tensor("pos_embed.proj.weight", (None, 4), rank=4),
        ),
        "DiTTransformer2DModel",
        prediction=_EPSILON,
    ),
    OtherModel(
        "amused",
        (
            Tensor("embed.embeddings.weight", (8256, 768)),
            Tensor("transformer_layers.#.norm1.norm.weight", (1024,), below=22),
            Tensor("encoder_proj_layer_norm.weight", (1024,)),
        ),
        "UVit2DModel",
        prediction=None,
    ),
    OtherModel(
        "unidiffuser",
        (
            Tensor("clip_img_in.weight", (1536, 512)),
            Tensor("text_in.weight", (1536, (64, 768))),
            Tensor("vae_img_in.proj.weight", (1536, 4, 2, 2)),
        ),
        "UniDiffuserModel",
        prediction=_EPSILON,
    ),
    OtherModel(
        "kandinsky-3",
        (
            Tensor("encoder_hid_proj.projection_norm.weight", (4096,)),
            Tensor("conv_in.weight", (192, (4, 9)), rank=4),
            Marker("add_time_condition.*"),
        ),
        "Kandinsky3UNet",
        ModelType.UNET,
        _EPSILON,
    ),
    OtherModel(
        "sd-x2-latent-upscaler",
        (
            Tensor("time_embedding.cond_proj.weight", (768, 896)),
            Tensor("conv_in.weight", (384, 8, 1, 1)),
            Tensor("down_blocks.#.attentions.#.attn2.norm_cross.weight", (768,)),
        ),
    ),
    OtherModel(
        "lotus",
        (
            Tensor("class_embedding.linear_1.weight", (None, 4)),
            *unet_blocks_diffusers(1024, (6, 1, 9)),
        ),
        prediction=SchedulerPredictionType.SAMPLE,
    ),
    OtherModel(
        "ldm-text2im",
        (*unet_blocks_ldm(1280, (6, 1, 9)), Absent("label_emb.*")),
        prediction=_EPSILON,
    ),
)

FAMILIES = families_of(_OTHERS)
