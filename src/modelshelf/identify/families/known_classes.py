"""Models whose type is certain and whose base is not: the type, and nothing that was not read.

Each goes behind every family that knows the base too, so a new family needs no word about these.
"""

from __future__ import annotations

from modelshelf.identify.adapter_condition import Adapts
from modelshelf.identify.condition import Both, Either, Never, Setting
from modelshelf.identify.families.adapters import DIFFUSERS_FORMAT
from modelshelf.identify.family import Family
from modelshelf.identify.tensor_condition import Absent
from modelshelf.schema.taxonomy import ModelFormat, ModelType

__all__ = ["FAMILIES"]

_CLASSES = (
    (
        "unet",
        ModelType.UNET,
        ModelFormat.DIFFUSERS,
        ("UNet*", "*UNet2DModel", "*UNetModel", "*UNet"),
    ),
    (
        "transformer",
        ModelType.TRANSFORMER,
        ModelFormat.DIFFUSERS,
        (
            *("*Transformer1DModel", "*Transformer2DModel", "*Transformer3DModel"),
            *("*DiT2DModel", "*DiTModel", "*DiTTransformer", "Cosmos*OmniTransformer"),
            "PriorTransformer",
        ),
    ),
    (
        "vae",
        ModelType.VAE,
        ModelFormat.DIFFUSERS,
        ("Autoencoder*", "AsymmetricAutoencoder*", "VQModel", "*VAE", "*Vae"),
    ),
    (
        "controlnet",
        ModelType.CONTROLNET,
        ModelFormat.DIFFUSERS,
        ("*ControlNetModel", "ControlNetUnionModel", "ControlNetXSAdapter"),
    ),
    ("t2i-adapter", ModelType.T2I_ADAPTER, ModelFormat.DIFFUSERS, ("T2IAdapter", "MultiAdapter")),
    (
        "text-encoder",
        ModelType.TEXT_ENCODER,
        ModelFormat.TRANSFORMERS,
        ("CLIPTextModel*", "*TextModel", "*EncoderModel"),
    ),
)

_CROSS = "denoiser:layers_#_cross_attn_*"
# Llama 3.2 is as wide in its two sizes, and attends to pictures.
_LISTENS = Both(Adapts(_CROSS), Never(Adapts(_CROSS, inputs=(4096, 8192))))
"""Layers that attend to something beside their own text, as ACE-Step's do: no language model's."""

FAMILIES = (
    Family(
        id="lora/any-base",
        type=ModelType.LORA,
        format=ModelFormat.LYCORIS,
        conditions=(
            Adapts("*:*"),
            # An adapter of a language model, and PhotoMaker's encoder with the LoRA in its pocket.
            Either((_LISTENS, Never(Adapts("denoiser:layers_#_self_attn_?_proj")))),
            Either((_LISTENS, Never(Adapts("denoiser:layers_#_mlp_*_proj")))),
            Never(Adapts("denoiser:language_model_layers_#_*")),
            Never(Adapts("denoiser:lora_weights_*")),
            # FaceID has a LoRA besides: what is left of it is still no LoRA.
            Absent("*to_k_ip*"),
            *(Never(Adapts(f"denoiser:{place}to_[qkvo]*")) for place in ("ip_adapter_#_", "#_")),
            *(Never(Adapts(f"denoiser:{name}")) for name in ("to_[qkv]", "to_out*")),
        ),
        traits=DIFFUSERS_FORMAT,
        is_fallback=True,
    ),
    *(
        Family(
            id=f"class/{name}",
            type=model_type,
            format=model_format,
            conditions=(Setting("class", classes),),
            is_fallback=True,
        )
        for name, model_type, model_format, classes in _CLASSES
    ),
)
"""One per type."""
