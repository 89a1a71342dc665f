"""Language models whose blocks have a module that no other's have: known by that, a width and a count.

Those of `language_encoder` are told apart by numbers alone; these would be known without.
None belongs to a base.

Sources: the published `config.json` of each model; the `models` folder of huggingface/transformers;
`comfy/text_encoders` of Comfy-Org/ComfyUI for what image and video models read and how it is shipped as
one file; `gguf-py/gguf/constants.py` of ggml-org/llama.cpp; `kandinsky/text_encoder.py` of
huggingface/diffusers.
"""

from __future__ import annotations

from modelshelf.identify.condition import Setting
from modelshelf.identify.families.language_encoder import encoder, nothing_else
from modelshelf.identify.family import Family
from modelshelf.identify.network import Within
from modelshelf.identify.tensor_condition import Absent, Some, Tensor
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["FAMILIES"]

_ANY = (BaseModelType.ANY,)
_PREFIXES = ("", "language_model.")

_GLM = 4096
_GEMMA_4 = (
    ("gemma-4-e2b", 1536, 35, None),
    ("gemma-4-e4b", 2560, 42, 10240),
    ("gemma-4-12b", 3840, 48, 15360),
    ("gemma-4-31b", 5376, 60, 21504),
)
"""Name, width, layers, and width of the gate where all layers have the same."""
_QWEN_3_5 = (
    ("qwen3.5-0.8b", 1024),
    ("qwen3.5-2b", 2048),
    ("qwen3.5-4b", 2560),
    ("qwen3.5-9b", 4096),
    ("qwen3.5-27b", 5120),
)
_T5_GEMMA = (("t5gemma-b-b", 768, 12), ("t5gemma-2b-2b", 2304, 26))
_XLM_ROBERTA = 1024


def _naming(prefix: str) -> str:
    return prefix.rstrip(".").replace("_", "-") or "transformers"


def _qwen_3_5(name: str, width: int, prefix: str) -> Family:
    block = f"{prefix}layers.#"
    return encoder(
        f"{name}/{_naming(prefix)}",
        name,
        (
            # Three blocks of four attend in linear time, and keep a state that decays.
            Tensor(f"{block}.linear_attn.A_log", rank=1),
            Some(f"{prefix}embed_tokens.weight", (248320, width)),
            Tensor(f"{block}.input_layernorm.weight", (width,)),
            # Where each block asks experts it is a larger model of the same width.
            Tensor(f"{block}.mlp.gate_proj.weight", (None, width)),
            Absent(f"{block}.mlp.experts.*"),
            nothing_else(prefix, "linear_attn."),
        ),
    )


def _gemma_4(name: str, width: int, layers: int, gate: int | None, prefix: str) -> Family:
    block = f"{prefix}layers.#"
    return encoder(
        f"{name}/{_naming(prefix)}",
        name,
        (
            Some(f"{prefix}embed_tokens.weight", (262144, width)),
            # A number that each block's output is multiplied by.
            Tensor(f"{block}.layer_scalar", (1,), count=layers),
            Tensor(f"{block}.mlp.gate_proj.weight", (gate, width), count=layers),
        ),
    )


def _gemma_4_gguf(name: str, width: int, layers: int, gate: int | None) -> Family:
    return encoder(
        f"{name}/gguf",
        name,
        (
            Some("token_embd.weight", (262144, width)),
            Tensor("blk.#.layer_output_scale.weight", (1,), count=layers),
            Tensor("blk.#.ffn_gate.weight", (gate, width), count=layers),
        ),
    )


def _t5_gemma(name: str, width: int, layers: int) -> Family:
    block = "encoder.layers.#"
    return encoder(
        f"{name}/transformers",
        name,
        (
            # Its attention has a norm in front and one behind, each named for it.
            Tensor(f"{block}.pre_self_attn_layernorm.weight", (width,), count=layers),
            Tensor(f"{block}.post_self_attn_layernorm.weight", (width,), count=layers),
            Some("encoder.embed_tokens.weight", (256000, width)),
            # Its own decoder, which nothing here reads, and a head that says words.
            Within("a T5Gemma", ("encoder.", "decoder.", "lm_head.", "spiece_model")),
        ),
    )


FAMILIES = (
    encoder(
        "glm-4-9b/transformers",
        "glm-4-9b",
        (
            Some("embed_tokens.weight", (151552, _GLM)),
            # Gate and feed-forward in one matrix, which no other of these has.
            Tensor("layers.#.mlp.gate_up_proj.weight", (27392, _GLM), count=40),
            Tensor("layers.#.input_layernorm.weight", (_GLM,), count=40),
            nothing_else(""),
        ),
    ),
    encoder(
        "chatglm3-6b/original",
        "chatglm3-6b",
        (
            Some("embedding.word_embeddings.weight", (65024, _GLM)),
            Tensor("encoder.layers.#.input_layernorm.weight", (_GLM,), count=28),
            # Its own four bits halve what comes in, and nothing beside them says so.
            Tensor("encoder.layers.#.self_attention.query_key_value.weight", (4608,)),
        ),
    ),
    *(
        _gemma_4(name, width, layers, gate, prefix)
        for name, width, layers, gate in _GEMMA_4
        for prefix in _PREFIXES
    ),
    *(_gemma_4_gguf(name, width, layers, gate) for name, width, layers, gate in _GEMMA_4),
    *(_qwen_3_5(name, width, prefix) for name, width in _QWEN_3_5 for prefix in _PREFIXES),
    encoder(
        "gpt-oss-20b/transformers",
        "gpt-oss-20b",
        (
            # What a head may attend to instead of any word.
            Tensor("layers.#.self_attn.sinks", (64,), count=24),
            Some("embed_tokens.weight", (201088, 2880)),
            Tensor("layers.#.mlp.router.weight", (32, 2880), count=24),
            nothing_else(""),
        ),
    ),
    *(_t5_gemma(name, width, layers) for name, width, layers in _T5_GEMMA),
    encoder(
        "t5gemma-2/transformers",
        "t5gemma-2",
        (
            Tensor("text_model.layers.#.pre_self_attn_layernorm.weight", rank=1),
            # Where its eyes' words end; the first T5Gemma has none.
            Tensor("text_model.embed_tokens.eoi_embedding", rank=1),
            Tensor("text_model.layers.#.self_attn.k_norm.weight", rank=1),
        ),
    ),
    encoder(
        "jina-clip-v2/comfyui",
        "jina-clip-v2",
        (
            Tensor(
                "encoder.layers.#.mixer.Wqkv.weight", (3 * _XLM_ROBERTA, _XLM_ROBERTA), count=24
            ),
            Some("embeddings.word_embeddings.weight", (250002, _XLM_ROBERTA)),
            Tensor("emb_ln.weight", (_XLM_ROBERTA,)),
        ),
    ),
    encoder(
        "m-clip-xlm-roberta-large/transformers",
        "m-clip-xlm-roberta-large",
        (
            # What brings the words of many languages to the width of CLIP L.
            Tensor("LinearTransformation.weight", (768, _XLM_ROBERTA)),
            Tensor("encoder.layer.#.output.LayerNorm.weight", (_XLM_ROBERTA,), count=24),
            Some("embeddings.word_embeddings.weight", (250002, _XLM_ROBERTA)),
        ),
    ),
    Family(
        id="singular-encoder/folder",
        type=ModelType.TEXT_ENCODER,
        format=ModelFormat.TRANSFORMERS,
        bases=_ANY,
        conditions=(
            Setting(
                "class",
                (
                    *("T5Gemma*", "GptOssForCausalLM", "GptOssModel"),
                    # Of Kandinsky 2.1 and of AltDiffusion, which read many languages.
                    *("MultilingualCLIP", "RobertaSeriesModelWithTransformation"),
                ),
            ),
        ),
    ),
    Family(
        id="hunyuan-dit-clip/folder",
        type=ModelType.TEXT_ENCODER,
        format=ModelFormat.TRANSFORMERS,
        bases=_ANY,
        conditions=(
            # Any text may be read by a BERT; this list of words is that of the Chinese CLIP.
            Setting("class", ("BertModel",)),
            Setting("vocab_size", (47020,)),
            Setting("hidden_size", (1024,)),
            Setting("num_hidden_layers", (24,)),
        ),
        architecture="hunyuan-dit-clip",
    ),
)
"""One per model, size and way of naming."""
