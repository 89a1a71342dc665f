"""Names and full-size shapes of text and vision encoders, from the published definitions."""

from __future__ import annotations

from tests.unit.identify.layouts import Shapes
from tests.unit.identify.parts.convolution import conv


def clip_text(width: int, layers: int, naming: str = "transformers") -> Shapes:
    """A CLIP text encoder, in the names of transformers, of NovelAI or of OpenCLIP."""
    if naming == "open-clip":
        found: Shapes = {
            "token_embedding.weight": (49408, width),
            "positional_embedding": (77, width),
            "text_projection": (width, width),
        }
        for number in range(layers):
            found |= {
                f"transformer.resblocks.{number}.attn.in_proj_weight": (3 * width, width),
                f"transformer.resblocks.{number}.ln_1.weight": (width,),
            }
        return found
    start = "text_model." if naming == "transformers" else ""
    found = {
        f"{start}embeddings.token_embedding.weight": (49408, width),
        f"{start}embeddings.position_embedding.weight": (77, width),
    }
    for number in range(layers):
        layer = f"{start}encoder.layers.{number}"
        found |= conv(f"{layer}.self_attn.q_proj", (width, width))
        found |= conv(f"{layer}.mlp.fc1", (4 * width, width))
    return found


def t5_encoder(
    width: int, layers: int, vocabulary: int, *, naming: str = "transformers", biases: int = 1
) -> Shapes:
    """The encoder half of a T5, in the names of transformers, GGUF or Wan."""
    names = {
        "transformers": (
            "shared.weight",
            "encoder.block.{}.layer.0.SelfAttention.q.weight",
            "encoder.block.{}.layer.1.DenseReluDense.wi_0.weight",
            "encoder.block.{}.layer.0.SelfAttention.relative_attention_bias.weight",
            "encoder.final_layer_norm.weight",
        ),
        "gguf": (
            "token_embd.weight",
            "enc.blk.{}.attn_q.weight",
            "enc.blk.{}.ffn_gate.weight",
            "enc.blk.{}.attn_rel_b.weight",
            "enc.output_norm.weight",
        ),
        "wan": (
            "token_embedding.weight",
            "blocks.{}.attn.q.weight",
            "blocks.{}.ffn.gate.0.weight",
            "blocks.{}.pos_embedding.embedding.weight",
            "norm.weight",
        ),
    }[naming]
    found: Shapes = {names[0]: (vocabulary, width), names[4]: (width,)}
    for number in range(layers):
        found[names[1].format(number)] = (width, width)
        found[names[2].format(number)] = (width * 5 // 2, width)
        if number < biases:
            found[names[3].format(number)] = (32, 64)
    return found


def t5_decoder(width: int, layers: int, naming: str = "transformers") -> Shapes:
    """What Google publishes beside the encoder, in the names of transformers or GGUF."""
    if naming == "gguf":
        return {f"dec.blk.{n}.cross_attn_q.weight": (width, width) for n in range(layers)}
    found: Shapes = {
        "decoder.embed_tokens.weight": (32128, width),
        "lm_head.weight": (32128, width),
    }
    for number in range(layers):
        layer = f"decoder.block.{number}.layer"
        found[f"{layer}.1.EncDecAttention.q.weight"] = (width, width)
        found[f"{layer}.2.DenseReluDense.wi_0.weight"] = (width * 5 // 2, width)
    return found


def language_model(
    sizes: tuple[int, int, int, int, int],
    extras: str = "",
    *,
    naming: str = "model.",
    visual: str = "",
) -> Shapes:
    """A decoder-only language model.

    Args:
        sizes: Width, layers, vocabulary, width of the gate, outputs of the keys.
        extras: Of `norm` (keys have one), `bias` (keys have one), `four` (four norms a block).
        naming: What stands before the names, or `gguf`.
        visual: A tensor of a vision part.
    """
    width, layers, vocabulary, gate, key = sizes
    if naming == "gguf":
        top, block = "token_embd.weight", "blk.{}."
        parts = ("attn_norm", "ffn_gate", "attn_k", "attn_k_norm", "post_ffw_norm", "attn_q")
    else:
        top, block = f"{naming}embed_tokens.weight", f"{naming}layers.{{}}."
        parts = (
            "input_layernorm",
            "mlp.gate_proj",
            "self_attn.k_proj",
            "self_attn.k_norm",
            "post_feedforward_layernorm",
            "self_attn.q_proj",
        )
    found: Shapes = {top: (vocabulary, width)}
    for number in range(layers):
        start = block.format(number)
        found[f"{start}{parts[0]}.weight"] = (width,)
        found[f"{start}{parts[1]}.weight"] = (gate, width)
        found[f"{start}{parts[2]}.weight"] = (key, width)
        found[f"{start}{parts[5]}.weight"] = (width, width)
        if "norm" in extras:
            found[f"{start}{parts[3]}.weight"] = (128,)
        if "bias" in extras:
            found[f"{start}{parts[2]}.bias"] = (key,)
        if "four" in extras:
            found[f"{start}{parts[4]}.weight"] = (width,)
    return found | ({visual: (1280, 1280)} if visual else {})


def t5_11b(naming: str) -> Shapes:
    """The first generation's largest: one matrix where later ones have a gate besides."""
    gate, up = {"transformers": ("wi_0", "wi"), "gguf": ("ffn_gate", "ffn_up")}[naming]
    return {
        name.replace(gate, up): (65536, 1024) if gate in name else shape
        for name, shape in t5_encoder(1024, 24, 32128, naming=naming).items()
    }


def ul2() -> Shapes:
    """The encoder of UL2: four times as wide inside as outside."""
    return {
        name: (16384, 4096) if "wi_0" in name else shape
        for name, shape in t5_encoder(4096, 32, 32128).items()
    }


def qwen_3_5(width: int, layers: int, naming: str) -> Shapes:
    """Qwen3.5: every fourth block attends to all words, the others in linear time."""
    found: Shapes = {f"{naming}embed_tokens.weight": (248320, width)}
    for number in range(layers):
        layer = f"{naming}layers.{number}"
        found[f"{layer}.input_layernorm.weight"] = (width,)
        found[f"{layer}.mlp.gate_proj.weight"] = (3 * width, width)
        if number % 4 == 3:
            found[f"{layer}.self_attn.k_proj.weight"] = (1024, width)
            found[f"{layer}.self_attn.k_norm.weight"] = (256,)
        else:
            found[f"{layer}.linear_attn.A_log"] = (32,)
            found[f"{layer}.linear_attn.in_proj_qkv.weight"] = (2 * width, width)
    return found


def gemma_4(width: int, layers: int, gate: int, naming: str) -> Shapes:
    """Gemma 4: each block's output is multiplied by a number of its own."""
    found: Shapes = {f"{naming}embed_tokens.weight": (262144, width)}
    for number in range(layers):
        layer = f"{naming}layers.{number}"
        # The smallest has double the width where blocks share their keys.
        wide = 2 if width == 1536 and number > 14 else 1
        found[f"{layer}.layer_scalar"] = (1,)
        found[f"{layer}.mlp.gate_proj.weight"] = (wide * gate, width)
        found[f"{layer}.input_layernorm.weight"] = (width,)
    return found


def gpt_oss() -> Shapes:
    """gpt-oss-20b: experts, and a number that each head may attend to."""
    found: Shapes = {"model.embed_tokens.weight": (201088, 2880)}
    for number in range(24):
        layer = f"model.layers.{number}"
        found[f"{layer}.self_attn.sinks"] = (64,)
        found[f"{layer}.self_attn.q_proj.weight"] = (4096, 2880)
        found[f"{layer}.mlp.router.weight"] = (32, 2880)
        found[f"{layer}.mlp.experts.gate_up_proj"] = (32, 2880, 5760)
    return found


def t5_gemma(width: int, layers: int, start: str) -> Shapes:
    """The encoder of T5Gemma, whose norms are named for the attention that they stand around."""
    found: Shapes = {f"{start}embed_tokens.weight": (256000, width)}
    for number in range(layers):
        layer = f"{start}layers.{number}"
        found[f"{layer}.pre_self_attn_layernorm.weight"] = (width,)
        found[f"{layer}.post_self_attn_layernorm.weight"] = (width,)
        found[f"{layer}.self_attn.k_proj.weight"] = (1024, width)
    return found


def jina_clip() -> Shapes:
    """The text half of Jina CLIP v2, as ComfyUI ships it."""
    found: Shapes = {
        "model.embeddings.word_embeddings.weight": (250002, 1024),
        "model.emb_ln.weight": (1024,),
        "spiece_model": (5069051,),
    }
    for number in range(24):
        layer = f"model.encoder.layers.{number}"
        found[f"{layer}.mixer.Wqkv.weight"] = (3072, 1024)
        found[f"{layer}.norm1.weight"] = (1024,)
    return found


def m_clip() -> Shapes:
    """The text encoder of Kandinsky 2.1: XLM-RoBERTa, and what brings it to CLIP's width."""
    found: Shapes = {
        "transformer.embeddings.word_embeddings.weight": (250002, 1024),
        "LinearTransformation.weight": (768, 1024),
        "LinearTransformation.bias": (768,),
    }
    for number in range(24):
        layer = f"transformer.encoder.layer.{number}"
        found[f"{layer}.attention.self.query.weight"] = (1024, 1024)
        found[f"{layer}.output.LayerNorm.weight"] = (1024,)
    return found


def glm_4() -> Shapes:
    """GLM-4-9B, whose gate and feed-forward are one matrix."""
    found: Shapes = {"model.embed_tokens.weight": (151552, 4096)}
    for number in range(40):
        found[f"model.layers.{number}.mlp.gate_up_proj.weight"] = (27392, 4096)
        found[f"model.layers.{number}.input_layernorm.weight"] = (4096,)
        found[f"model.layers.{number}.self_attn.q_proj.weight"] = (4096, 4096)
        found[f"model.layers.{number}.self_attn.k_proj.weight"] = (256, 4096)
    return found


def chatglm_3() -> Shapes:
    """ChatGLM3-6B in its own names."""
    found: Shapes = {"transformer.embedding.word_embeddings.weight": (65024, 4096)}
    for number in range(28):
        layer = f"transformer.encoder.layers.{number}"
        found[f"{layer}.input_layernorm.weight"] = (4096,)
        found[f"{layer}.self_attention.query_key_value.weight"] = (4608, 4096)
    return found


def vision(
    width: int, layers: int, *, start: str = "vision_model.", is_siglip: bool = False
) -> Shapes:
    """A CLIP or SigLIP vision encoder."""
    found = {
        f"{start}embeddings.patch_embedding.weight": (width, 3, 14, 14),
        f"{start}embeddings.position_embedding.weight": (257, width),
        f"{start}post_layernorm.weight": (width,),
    }
    if not is_siglip:
        found[f"{start}embeddings.class_embedding"] = (width,)
    for number in range(layers):
        found |= conv(f"{start}encoder.layers.{number}.mlp.fc1", (4 * width, width))
    return found


def siglip(width: int, layers: int, *, is_flat: bool = False) -> Shapes:
    """All of SigLIP; flat where it takes patches instead of pictures."""
    patch = (width, 768) if is_flat else (width, 3, 16, 16)
    return vision(width, layers, is_siglip=True) | {
        "vision_model.embeddings.patch_embedding.weight": patch,
        "text_model.embeddings.token_embedding.weight": (256000, width),
        "text_model.head.weight": (width, width),
        "logit_scale": (1,),
        "logit_bias": (1,),
    }


def open_clip_vision(width: int, layers: int) -> Shapes:
    """CLIP's vision half in OpenCLIP's names."""
    found: Shapes = {
        "visual.class_embedding": (width,),
        "visual.conv1.weight": (width, 3, 14, 14),
    }
    for number in range(layers):
        found[f"visual.transformer.resblocks.{number}.attn.in_proj_weight"] = (3 * width, width)
    return found


def wan_vision() -> Shapes:
    """CLIP H with a multilingual text half, in Wan's own names."""
    found: Shapes = {
        "visual.patch_embedding.weight": (1280, 3, 14, 14),
        "textual.token_embedding.weight": (250002, 1024),
    }
    for number in range(32):
        found[f"visual.transformer.{number}.attn.to_qkv.weight"] = (3840, 1280)
    return found


def bert(start: str) -> Shapes:
    """The text half of the Chinese CLIP that HunyuanDiT reads with."""
    found: Shapes = {f"{start}embeddings.word_embeddings.weight": (47020, 1024)}
    for number in range(24):
        block = f"{start}encoder.layer.{number}"
        found[f"{block}.attention.self.query.bias"] = (1024,)
        found[f"{block}.attention.output.LayerNorm.weight"] = (1024,)
        found[f"{block}.output.LayerNorm.weight"] = (1024,)
    return found
