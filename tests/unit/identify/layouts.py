"""Names and full-size shapes of the tensors that decide, per family and way of naming.

Written from the architectures' published definitions; enough of each model for its rules to work on,
and always more than one rule looks at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from modelshelf.schema.tensor import TensorEntry, TensorIndex

Shapes = dict[str, tuple[int, ...]]


def index_of(shapes: Mapping[str, tuple[int, ...]], dtype: str = "F16") -> TensorIndex:
    """Return a header with these tensors; rules never ask where the bytes are."""
    return TensorIndex({name: TensorEntry(dtype, shape, 0, 2) for name, shape in shapes.items()})


def prefixed(prefix: str, shapes: Shapes) -> Shapes:
    """Return the same tensors behind a wrapper's name."""
    return {prefix + name: shape for name, shape in shapes.items()}


@dataclass(frozen=True)
class UNet:
    """The numbers that make one kind of UNet."""

    context: int
    width: int
    attentions: tuple[tuple[str, str, int, int], ...]
    """Stack in the original names, in diffusers' names, channels, blocks."""
    label: int | None = None
    is_conv: bool = False


def _stacks(
    *levels: tuple[range, str, range, str, int, int],
) -> tuple[tuple[str, str, int, int], ...]:
    return tuple(
        (f"{old}.{number}", f"{new}.{inner}", channels, blocks)
        for numbers, old, inners, new, channels, blocks in levels
        for number, inner in zip(numbers, inners, strict=True)
    )


def _sd_stacks() -> tuple[tuple[str, str, int, int], ...]:
    return (
        *_stacks(
            (range(1, 3), "input_blocks", range(2), "down_blocks.0.attentions", 320, 1),
            (range(4, 6), "input_blocks", range(2), "down_blocks.1.attentions", 640, 1),
            (range(7, 9), "input_blocks", range(2), "down_blocks.2.attentions", 1280, 1),
            (range(3, 6), "output_blocks", range(3), "up_blocks.1.attentions", 1280, 1),
            (range(6, 9), "output_blocks", range(3), "up_blocks.2.attentions", 640, 1),
            (range(9, 12), "output_blocks", range(3), "up_blocks.3.attentions", 320, 1),
        ),
        ("middle_block", "mid_block.attentions.0", 1280, 1),
    )


SD_1 = UNet(768, 320, _sd_stacks(), is_conv=True)
SD_2 = UNet(1024, 320, _sd_stacks())
SDXL = UNet(
    2048,
    320,
    (
        *_stacks(
            (range(4, 6), "input_blocks", range(2), "down_blocks.1.attentions", 640, 2),
            (range(7, 9), "input_blocks", range(2), "down_blocks.2.attentions", 1280, 10),
            (range(3), "output_blocks", range(3), "up_blocks.0.attentions", 1280, 10),
            (range(3, 6), "output_blocks", range(3), "up_blocks.1.attentions", 640, 2),
        ),
        ("middle_block", "mid_block.attentions.0", 1280, 10),
    ),
    label=2816,
)
REFINER = UNet(
    1280,
    384,
    (
        *_stacks(
            (range(4, 6), "input_blocks", range(2), "down_blocks.1.attentions", 768, 4),
            (range(7, 9), "input_blocks", range(2), "down_blocks.2.attentions", 1536, 4),
            (range(3, 6), "output_blocks", range(3), "up_blocks.1.attentions", 1536, 4),
            (range(6, 9), "output_blocks", range(3), "up_blocks.2.attentions", 768, 4),
        ),
        ("middle_block", "mid_block.attentions.0", 1536, 4),
    ),
    label=2560,
)


def _attention(
    stack: str, channels: int, blocks: int, unet: UNet
) -> Iterator[tuple[str, tuple[int, ...]]]:
    ones = (1, 1) if unet.is_conv else ()
    yield f"{stack}.proj_in.weight", (channels, channels, *ones)
    for number in range(blocks):
        block = f"{stack}.transformer_blocks.{number}"
        yield f"{block}.attn1.to_q.weight", (channels, channels)
        yield f"{block}.attn2.to_k.weight", (channels, unet.context)
        yield f"{block}.attn2.to_v.weight", (channels, unet.context)


def ldm_unet(unet: UNet, inputs: int = 4) -> Shapes:
    """The UNet alone, in the original names, without a wrapper."""
    emb = unet.width * 4
    found: Shapes = {"input_blocks.0.0.weight": (unet.width, inputs, 3, 3)}
    found["time_embed.0.weight"] = (emb, unet.width)
    if unet.label is not None:
        found["label_emb.0.0.weight"] = (emb, unet.label)
    for old, _, channels, blocks in unet.attentions:
        found.update(_attention(f"{old}.1", channels, blocks, unet))
    return found


def diffusers_unet(unet: UNet, inputs: int = 4) -> Shapes:
    """The UNet alone, in diffusers' names."""
    emb = unet.width * 4
    found: Shapes = {"conv_in.weight": (unet.width, inputs, 3, 3)}
    found["time_embedding.linear_1.weight"] = (emb, unet.width)
    if unet.label is not None:
        found["add_embedding.linear_1.weight"] = (emb, unet.label)
        found["add_embedding.linear_2.weight"] = (emb, emb)
    for _, new, channels, blocks in unet.attentions:
        found.update(_attention(new, channels, blocks, unet))
    return found


def ldm_vae(channels: int = 4) -> Shapes:
    """The image VAE in the original names; 16 channels have no quantising convolutions."""
    found: Shapes = {
        "encoder.conv_in.weight": (128, 3, 3, 3),
        "encoder.conv_out.weight": (2 * channels, 512, 3, 3),
        "decoder.conv_in.weight": (512, channels, 3, 3),
    }
    for level in range(4):
        found |= {
            f"encoder.down.{level}.block.{one}.conv1.weight": (128, 128, 3, 3) for one in range(2)
        }
        found |= {
            f"decoder.up.{level}.block.{one}.conv1.weight": (128, 128, 3, 3) for one in range(3)
        }
    return found | ({"quant_conv.weight": (8, 8, 1, 1)} if channels == 4 else {})


def diffusers_vae(channels: int = 4) -> Shapes:
    """The same VAE in diffusers' names."""
    return {
        name.replace(".down.", ".down_blocks.")
        .replace(".up.", ".up_blocks.")
        .replace(".block.", ".resnets."): shape
        for name, shape in ldm_vae(channels).items()
    }


def clip_text(width: int = 768, layers: int = 12) -> Shapes:
    """A CLIP text encoder in the names of transformers."""
    found: Shapes = {
        "text_model.embeddings.token_embedding.weight": (49408, width),
        "text_model.embeddings.position_embedding.weight": (77, width),
    }
    for number in range(layers):
        layer = f"text_model.encoder.layers.{number}"
        found[f"{layer}.self_attn.q_proj.weight"] = (width, width)
        found[f"{layer}.mlp.fc1.weight"] = (4 * width, width)
    return found


def open_clip(width: int, layers: int) -> Shapes:
    """A CLIP text encoder in OpenCLIP's names."""
    return {
        f"transformer.resblocks.{number}.attn.in_proj_weight": (3 * width, width)
        for number in range(layers)
    }


def checkpoint(unet: UNet, inputs: int = 4) -> Shapes:
    """A whole model in one file, as the original code writes it."""
    bundled = prefixed("model.diffusion_model.", ldm_unet(unet, inputs))
    bundled |= prefixed("first_stage_model.", ldm_vae())
    if unet is SD_1:
        bundled |= prefixed("cond_stage_model.transformer.", clip_text())
    elif unet is SD_2:
        bundled |= prefixed("cond_stage_model.model.", open_clip(1024, 24))
    else:
        bundled |= prefixed("conditioner.embedders.0.model.", open_clip(1280, 32))
    return bundled | {"alphas_cumprod": (1000,)}


def ldm_controlnet(unet: UNet) -> Shapes:
    """A ControlNet in the original names: the way down of its UNet, and zero convolutions."""
    down = {name: shape for name, shape in ldm_unet(unet).items() if "output_blocks" not in name}
    return down | {
        "input_hint_block.0.weight": (16, 3, 3, 3),
        "zero_convs.0.0.weight": (320, 320, 1, 1),
        "middle_block_out.0.weight": (1280, 1280, 1, 1),
    }


def diffusers_controlnet(unet: UNet) -> Shapes:
    """A ControlNet in diffusers' names."""
    down = {name: shape for name, shape in diffusers_unet(unet).items() if "up_blocks" not in name}
    return down | {
        "controlnet_cond_embedding.conv_in.weight": (16, 3, 3, 3),
        "controlnet_down_blocks.0.weight": (320, 320, 1, 1),
        "controlnet_mid_block.bias": (1280,),
    }


def kohya(modules: Mapping[str, tuple[int, ...]], rank: int = 4) -> Shapes:
    """Return a LoRA of modules whose weights have these shapes, in kohya's names."""
    found: Shapes = {}
    for module, (outputs, inputs, *rest) in modules.items():
        found[f"{module}.alpha"] = ()
        found[f"{module}.lora_down.weight"] = (rank, inputs, *rest)
        found[f"{module}.lora_up.weight"] = (outputs, rank, *(1 for _ in rest))
    return found


def peft(modules: Mapping[str, tuple[int, ...]], rank: int = 4) -> Shapes:
    """The same LoRA in the names of diffusers and PEFT."""
    found: Shapes = {}
    for module, (outputs, inputs, *rest) in modules.items():
        found[f"{module}.lora_A.weight"] = (rank, inputs, *rest)
        found[f"{module}.lora_B.weight"] = (outputs, rank, *(1 for _ in rest))
    return found


def _modules(shapes: Shapes, wanted: str = "") -> Shapes:
    return {
        name.removesuffix(".weight"): shape
        for name, shape in shapes.items()
        if ("attn" in name or "proj" in name) and wanted in name
    }


def unet_lora(unet: UNet, *, original: bool = False, wanted: str = "") -> Shapes:
    """A LoRA of a UNet in kohya's names, in either way of naming its blocks."""
    shapes = ldm_unet(unet) if original else diffusers_unet(unet)
    return kohya(
        {
            f"lora_unet_{name.replace('.', '_')}": shape
            for name, shape in _modules(shapes, wanted).items()
        }
    )


def text_lora(prefix: str, width: int, layers: int = 12) -> Shapes:
    """A LoRA in kohya's names of a CLIP text encoder."""
    return kohya(
        {
            f"{prefix}text_model_encoder_layers_{number}_self_attn_{name}_proj": (width, width)
            for number in range(layers)
            for name in "qkv"
        }
    )


def unet_peft(unet: UNet) -> Shapes:
    """A LoRA in diffusers' names of a UNet."""
    return peft(prefixed("unet.", _modules(diffusers_unet(unet))))


def flux(inputs: int = 64, double: int = 19, single: int = 38, *, guided: bool = True) -> Shapes:
    """FLUX.1 in its own names; schnell is not guided."""
    found: Shapes = {
        "img_in.weight": (3072, inputs),
        "txt_in.weight": (3072, 4096),
        "time_in.in_layer.weight": (3072, 256),
        "vector_in.in_layer.weight": (3072, 768),
        "vector_in.in_layer.bias": (3072,),
    }
    if guided:
        found["guidance_in.in_layer.weight"] = (3072, 256)
    for number in range(double):
        block = f"double_blocks.{number}"
        found[f"{block}.img_attn.norm.key_norm.scale"] = (128,)
        found[f"{block}.img_attn.qkv.weight"] = (9216, 3072)
        found[f"{block}.img_mod.lin.weight"] = (18432, 3072)
        found[f"{block}.img_mod.lin.bias"] = (18432,)
        found[f"{block}.img_mlp.0.weight"] = (12288, 3072)
        found[f"{block}.img_mlp.2.weight"] = (3072, 12288)
    for number in range(single):
        block = f"single_blocks.{number}"
        found[f"{block}.norm.key_norm.scale"] = (128,)
        found[f"{block}.linear1.weight"] = (21504, 3072)
        found[f"{block}.linear1.bias"] = (21504,)
        found[f"{block}.linear2.weight"] = (3072, 15360)
        found[f"{block}.modulation.lin.weight"] = (9216, 3072)
    return found


def flux_diffusers(inputs: int = 64, *, guided: bool = True) -> Shapes:
    """FLUX.1's transformer in diffusers' names."""
    found: Shapes = {
        "x_embedder.weight": (3072, inputs),
        "context_embedder.weight": (3072, 4096),
        "time_text_embed.text_embedder.linear_1.weight": (3072, 768),
        "time_text_embed.text_embedder.linear_2.weight": (3072, 3072),
        "proj_out.weight": (64, 3072),
    }
    if guided:
        found["time_text_embed.guidance_embedder.linear_1.weight"] = (3072, 256)
    for number in range(19):
        found[f"transformer_blocks.{number}.norm1.linear.bias"] = (18432,)
        found[f"transformer_blocks.{number}.attn.to_q.weight"] = (3072, 3072)
    for number in range(38):
        found[f"single_transformer_blocks.{number}.norm.linear.bias"] = (9216,)
        found[f"single_transformer_blocks.{number}.attn.to_q.weight"] = (3072, 3072)
    return found


def flux_lora(wanted: str = "", prefix: str = "lora_unet_") -> Shapes:
    """A LoRA in kohya's names of FLUX.1."""
    modules = {
        name.removesuffix(".weight"): shape
        for name, shape in flux().items()
        if name.endswith(".weight") and "_blocks" in name and wanted in name
    }
    return kohya({prefix + name.replace(".", "_"): shape for name, shape in modules.items()})


def sd_3(width: int = 1536, blocks: int = 24) -> Shapes:
    """Stable Diffusion 3 in its own names."""
    found: Shapes = {
        "pos_embed": (1, 36864, width),
        "x_embedder.proj.weight": (width, 16, 2, 2),
        "context_embedder.weight": (width, 4096),
        "context_embedder.bias": (width,),
        "y_embedder.mlp.0.weight": (width, 2048),
    }
    for number in range(blocks):
        found[f"joint_blocks.{number}.x_block.attn.proj.bias"] = (width,)
        found[f"joint_blocks.{number}.context_block.attn.qkv.bias"] = (3 * width,)
    return found


def sd_3_diffusers(width: int = 1536, blocks: int = 24) -> Shapes:
    """Stable Diffusion 3's transformer in diffusers' names."""
    found: Shapes = {
        "pos_embed.pos_embed": (1, 36864, width),
        "pos_embed.proj.weight": (width, 16, 2, 2),
        "context_embedder.weight": (width, 4096),
        "time_text_embed.text_embedder.linear_1.weight": (width, 2048),
    }
    for number in range(blocks):
        found[f"transformer_blocks.{number}.attn.to_q.weight"] = (width, width)
        found[f"transformer_blocks.{number}.attn.add_q_proj.bias"] = (width,)
    return found


def sd_3_lora(width: int = 1536, blocks: int = 24) -> Shapes:
    """A LoRA in diffusers' names of Stable Diffusion 3."""
    return peft(
        {
            f"transformer.transformer_blocks.{number}.attn.{name}": (width, width)
            for number in range(blocks)
            for name in ("to_q", "to_k", "to_v", "add_k_proj")
        }
    )


def ip_adapter(width: int, count: int, encoder: int = 1024) -> Shapes:
    """An IP-Adapter for a UNet; its numbers are odd, as only cross-attentions have keys."""
    found: Shapes = {
        "image_proj.proj.weight": (4 * width, encoder),
        "image_proj.norm.weight": (width,),
    }
    for number in range(count):
        found[f"ip_adapter.{2 * number + 1}.to_k_ip.weight"] = (640, width)
        found[f"ip_adapter.{2 * number + 1}.to_v_ip.weight"] = (640, width)
    return found


def t5(vocabulary: int = 32128, width: int = 4096, biases: int = 1) -> Shapes:
    """The encoder half of a T5."""
    found: Shapes = {
        "shared.weight": (vocabulary, width),
        "encoder.final_layer_norm.weight": (width,),
    }
    for number in range(24):
        block = f"encoder.block.{number}.layer"
        found[f"{block}.0.SelfAttention.q.weight"] = (4096, width)
        found[f"{block}.1.DenseReluDense.wi_0.weight"] = (10240, width)
        found[f"{block}.0.layer_norm.weight"] = (width,)
        found[f"{block}.1.layer_norm.weight"] = (width,)
        if number < biases:
            found[f"{block}.0.SelfAttention.relative_attention_bias.weight"] = (32, 64)
    return found


def clip_vision(width: int = 1280, layers: int = 32) -> Shapes:
    """A CLIP vision encoder."""
    found: Shapes = {
        "vision_model.embeddings.class_embedding": (width,),
        "vision_model.embeddings.patch_embedding.weight": (width, 3, 14, 14),
        "visual_projection.weight": (1024, width),
    }
    for number in range(layers):
        found[f"vision_model.encoder.layers.{number}.mlp.fc1.weight"] = (4 * width, width)
    return found


def unet_settings(unet: UNet, inputs: int = 4) -> dict[str, Any]:
    """What diffusers writes beside a UNet."""
    levels = {SD_1: "xxx-", SD_2: "xxx-", SDXL: "-xx", REFINER: "-xx-"}[unet]
    return {
        "_class_name": "UNet2DConditionModel",
        "in_channels": inputs,
        "cross_attention_dim": unet.context,
        "down_block_types": [
            "CrossAttnDownBlock2D" if level == "x" else "DownBlock2D" for level in levels
        ],
        "transformer_layers_per_block": [1, 2, 10] if unet is SDXL else 1,
        "encoder_hid_dim": None,
        "addition_embed_type": None if unet.label is None else "text_time",
        "projection_class_embeddings_input_dim": unet.label,
    }
