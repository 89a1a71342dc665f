"""Language models that newer bases read their prompts with: known by width, layers and vocabulary.

A language model belongs to no base. Two of one width and one vocabulary differ in what their
feed-forward or their attention has; a vision part makes another model of it. So does anything that
no encoder has: models that draw or speak are built around the same ones.

Sources: the published `config.json` of each model; the `models` folder of huggingface/transformers;
`gguf-py/gguf/constants.py` of ggml-org/llama.cpp for the names in GGUF.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from modelshelf.identify.condition import Both, Condition, Either, Never, Setting
from modelshelf.identify.families.video import every
from modelshelf.identify.family import Architecture, Detail, Family, Trait
from modelshelf.identify.network import Declared, Unmeasured, Within
from modelshelf.identify.tensor_condition import Absent, Some, Tensor
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["FAMILIES", "encoder", "nothing_else"]

_ANY = (BaseModelType.ANY,)
Vision = Literal["any", "", "plain", "visual", "deepstack"]
"""Which vision part a model has: any or none, none, Qwen2's, Qwen2.5's, or Qwen3's with its mergers."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """One published language model."""

    name: str
    width: int
    layers: tuple[int, ...]
    """How many blocks; bases that read a middle layer are shipped without those behind it."""
    vocabulary: tuple[int, ...]
    feed_forward: int
    """Width of the gate."""
    key: int
    """Outputs of the key projection."""
    has_key_norm: bool = False
    has_key_bias: bool = False
    has_four_norms: bool = False
    """True where the feed-forward has a norm in front and one behind."""
    vision: Vision = "any"


_QWEN, _SERIES = (151936,), (151665, 151669)
_GEMMA_2, _GEMMA_3 = (256000,), (262144, 262208)
_KINDS = (
    _Kind("qwen2.5-7b", 3584, (28,), (152064,), 18944, 512, has_key_bias=True, vision=""),
    _Kind("qwen2-vl-7b", 3584, (28,), (152064,), 18944, 512, has_key_bias=True, vision="plain"),
    _Kind("qwen2.5-vl-7b", 3584, (28,), (152064,), 18944, 512, has_key_bias=True, vision="visual"),
    _Kind("qwen2.5-3b", 2048, (36,), _QWEN, 11008, 256, has_key_bias=True, vision=""),
    _Kind("qwen2.5-vl-3b", 2048, (36,), _QWEN, 11008, 256, has_key_bias=True, vision="visual"),
    _Kind("qwen3-0.6b", 1024, (28,), _QWEN, 3072, 1024, has_key_norm=True, vision=""),
    # Vocabularies of its own tell the series that makes embeddings and ranks texts by them.
    _Kind("qwen3-embedding-0.6b", 1024, (28,), (151669,), 3072, 1024, has_key_norm=True, vision=""),
    _Kind("qwen3-embedding-4b", 2560, (36,), _SERIES, 9728, 1024, has_key_norm=True, vision=""),
    _Kind("qwen3-embedding-8b", 4096, (36,), _SERIES, 12288, 1024, has_key_norm=True, vision=""),
    _Kind("qwen3-1.7b", 2048, (28,), _QWEN, 6144, 1024, has_key_norm=True, vision=""),
    _Kind("qwen3-4b", 2560, (35, 36), _QWEN, 9728, 1024, has_key_norm=True, vision=""),
    _Kind("qwen3-8b", 4096, (35, 36), _QWEN, 12288, 1024, has_key_norm=True, vision=""),
    _Kind("qwen3-14b", 5120, (40,), _QWEN, 17408, 1024, has_key_norm=True, vision=""),
    _Kind("qwen3-32b", 5120, (50, 64), _QWEN, 25600, 1024, has_key_norm=True, vision=""),
    _Kind("qwen3-vl-2b", 2048, (28,), _QWEN, 6144, 1024, has_key_norm=True, vision="deepstack"),
    _Kind("qwen3-vl-4b", 2560, (36,), _QWEN, 9728, 1024, has_key_norm=True, vision="deepstack"),
    _Kind("qwen3-vl-8b", 4096, (36,), _QWEN, 12288, 1024, has_key_norm=True, vision="deepstack"),
    _Kind(
        "qwen3-vl-32b", 5120, (50, 64), _QWEN, 25600, 1024, has_key_norm=True, vision="deepstack"
    ),
    _Kind("mistral-small-24b", 5120, (30, 40), (131072,), 32768, 1024),
    _Kind("mistral-nemo-12b", 5120, (40,), (131072,), 14336, 1024),
    _Kind("gemma-2b", 2048, (18,), _GEMMA_2, 16384, 256),
    _Kind("gemma-2-2b", 2304, (26,), _GEMMA_2, 9216, 1024, has_four_norms=True),
    _Kind("gemma-3-1b", 1152, (26,), _GEMMA_3, 6912, 256, has_key_norm=True, has_four_norms=True),
    _Kind("gemma-3-4b", 2560, (34,), _GEMMA_3, 10240, 1024, has_key_norm=True, has_four_norms=True),
    _Kind(
        "gemma-3-12b", 3840, (48,), _GEMMA_3, 15360, 2048, has_key_norm=True, has_four_norms=True
    ),
    _Kind("llama-3.1-8b", 4096, (32,), (128256,), 14336, 1024),
    _Kind("llama-3.2-1b", 2048, (16,), (128256,), 8192, 512),
    _Kind("llama-3.2-3b", 3072, (28,), (128256,), 8192, 1024),
    _Kind("smollm3-3b", 2048, (36,), (128256,), 11008, 512),
    _Kind("ministral-3-3b", 3072, (26,), (131072,), 9216, 1024),
    _Kind("llava-llama-3-8b", 4096, (32,), (128320,), 14336, 1024),
)

_VISION: dict[Vision, tuple[Condition, ...]] = {
    "any": (),
    "": (Absent("visual.*"),),
    "plain": (Tensor("visual.blocks.#.mlp.fc1.weight"),),
    "visual": (
        Tensor("visual.blocks.#.attn.qkv.weight"),
        Absent("visual.blocks.#.mlp.fc1.*"),
        Absent("visual.deepstack_merger_list.*"),
    ),
    "deepstack": (Tensor("visual.deepstack_merger_list.#.norm.weight"),),
}
_PREFIXES = ("", "language_model.", "language_model.model.")
"""What stands before the names: nothing, and what two generations of transformers put there."""

_BLOCK = (
    *("self_attn.", "mlp.", "input_layernorm.", "post_attention_layernorm."),
    *("pre_feedforward_layernorm.", "post_feedforward_layernorm."),
)
# What is trained or shipped with an encoder: eyes and what joins them, a head that says words or gives
# marks, or several words at once, the projection of LTX, the text of a tokenizer.
_BESIDE = (
    *("visual.", "vision_tower.", "vision_model.", "multi_modal_projector.", "image_newline"),
    *("lm_head.", "score.", "text_embedding_projection.", "spiece_model", "tekken_model", "mtp."),
    "tokenizer",
    # Another encoder of the same bundle is its own family's to know.
    *("text_model.", "text_projection", "encoder.block.", "encoder.final_layer_norm.", "shared."),
)


def nothing_else(prefix: str, *own: str) -> Within:
    """Ask that nothing draws or speaks: no module that an encoder behind *prefix* has not.

    Args:
        prefix: What stands before the names.
        *own: Modules of each block that only this encoder has.
    """
    inner = (
        *("embed_tokens.", "norm.", "rotary_emb.", "lm_head."),
        *(f"layers.#.{step}" for step in (*_BLOCK, *own)),
    )
    return Within("an encoder", (*(prefix + step for step in inner), *_BESIDE))


def _transformers(kind: _Kind, layers: int, prefix: str) -> tuple[Condition, ...]:
    block = f"{prefix}layers.#"
    norm = f"{block}.self_attn.k_norm.weight"
    bias = f"{block}.self_attn.k_proj.bias"
    second = f"{block}.post_feedforward_layernorm.weight"
    return (
        Some(f"{prefix}embed_tokens.weight", (kind.vocabulary, kind.width)),
        Tensor(f"{block}.input_layernorm.weight", (kind.width,), count=layers),
        Tensor(f"{block}.mlp.gate_proj.weight", (kind.feed_forward, kind.width), count=layers),
        Tensor(f"{block}.self_attn.k_proj.weight", (kind.key, kind.width), count=layers),
        Tensor(norm, rank=1) if kind.has_key_norm else Absent(norm),
        Tensor(bias, (kind.key,)) if kind.has_key_bias else Absent(bias),
        Tensor(second, (kind.width,)) if kind.has_four_norms else Absent(second),
        *_VISION[kind.vision],
        nothing_else(prefix),
    )


_NOTHING_ELSE_IN_GGUF = Within(
    "an encoder",
    (
        *("token_embd.", "token_embd_norm.", "output_norm.", "output.", "rope_f", "cls."),
        *("blk.#.attn_", "blk.#.ffn_", "blk.#.post_", "blk.#.rope_"),
        # Some programs keep a vision part and what joins it in the same file.
        *("v.", "mm."),
    ),
)


def _gguf(kind: _Kind, layers: int) -> tuple[Condition, ...]:
    norm, bias, second = (
        "blk.#.attn_k_norm.weight",
        "blk.#.attn_k.bias",
        "blk.#.post_ffw_norm.weight",
    )
    return (
        Some("token_embd.weight", (kind.vocabulary, kind.width)),
        Tensor("blk.#.attn_norm.weight", (kind.width,), count=layers),
        Tensor("blk.#.ffn_gate.weight", (kind.feed_forward, kind.width), count=layers),
        Tensor("blk.#.attn_k.weight", (kind.key, kind.width), count=layers),
        Tensor(norm, rank=1) if kind.has_key_norm else Absent(norm),
        Tensor(bias, (kind.key,)) if kind.has_key_bias else Absent(bias),
        Tensor(second, (kind.width,)) if kind.has_four_norms else Absent(second),
        _NOTHING_ELSE_IN_GGUF,
    )


# In GGUF a vision part is a file of its own; the language part says whose it is.
_VISION_IN_GGUF = {
    "qwen2.5-3b": ("qwen2vl", "qwen2.5-vl-3b"),
    "qwen2.5-7b": ("qwen2vl", "qwen2.5-vl-7b"),
    "qwen3-1.7b": ("qwen3vl", "qwen3-vl-2b"),
    "qwen3-4b": ("qwen3vl", "qwen3-vl-4b"),
    "qwen3-8b": ("qwen3vl", "qwen3-vl-8b"),
    "qwen3-32b": ("qwen3vl", "qwen3-vl-32b"),
}
"""Name → what GGUF's `general.architecture` says of the model with eyes, and its name."""


_RANKING = {f"qwen3-embedding-{size}": f"qwen3-reranker-{size}" for size in ("0.6b", "4b", "8b")}
"""Name of a series → what its model is called that ranks texts, equal but for a head that it may have."""


def _ranking(name: str) -> tuple[Trait, ...]:
    if name not in _RANKING:
        return ()
    marks = Either((Tensor("score.weight"), Tensor("cls.output.weight")))
    return (
        Trait(Architecture(_RANKING[name]), marks),
        Trait(Detail("task", "embedding or ranking"), Never(marks)),
    )


def _seeing(name: str) -> tuple[Trait, ...]:
    if name not in _VISION_IN_GGUF:
        return ()
    word, seeing = _VISION_IN_GGUF[name]
    return (Trait(Architecture(seeing), Declared("general.architecture", (word,))),)


def encoder(id_: str, name: str, conditions: tuple[Condition, ...]) -> Family:
    """Return the family of one encoder in one way of naming; it belongs to no base.

    Args:
        id_: Unique.
        name: What it was published as.
        conditions: What only it has.
    """
    return Family(
        id=id_,
        type=ModelType.TEXT_ENCODER,
        format=ModelFormat.CHECKPOINT,
        bases=_ANY,
        conditions=conditions,
        architecture=name,
        traits=(*_seeing(name), *_ranking(name)),
    )


_EYES: dict[Vision, str] = {"plain": "Qwen2VL*", "visual": "Qwen2_5_VL*", "deepstack": "Qwen3VL*"}
"""Vision part → the class of models that have it, whose configuration may be that of a model without."""
_SEES = Setting("class", tuple(_EYES.values()))


def _in_folder(kind: _Kind) -> Trait:
    """Four facts of the configuration; of a model that sees, newer ones keep the text's a level below."""
    sees = Setting("class", (_EYES[kind.vision],)) if kind.vision in _EYES else Never(_SEES)
    numbers = {
        "hidden_size": (kind.width,),
        "num_hidden_layers": kind.layers,
        "vocab_size": kind.vocabulary,
        "intermediate_size": (kind.feed_forward,),
    }
    said = (
        every(*(Setting(level + field, values) for field, values in numbers.items()))
        for level in ("", "text_config.")
    )
    return Trait(Architecture(kind.name), Both(Either(tuple(said)), sees))


def _files() -> tuple[Family, ...]:
    found: list[Family] = []
    for kind in _KINDS:
        for layers in kind.layers:
            own = f"{kind.name}/{layers}-layers"
            for prefix in _PREFIXES:
                naming = prefix.rstrip(".").replace(".", "-") or "transformers"
                conditions = _transformers(kind, layers, prefix)
                found.append(encoder(f"{own}/{naming}", kind.name, conditions))
            if kind.vision in {"any", ""}:
                found.append(encoder(f"{own}/gguf", kind.name, _gguf(kind, layers)))
    return tuple(found)


def _by_names(prefix: str) -> Family:
    """A language model of which only an index of shards was read: the type, and nothing more."""
    block = f"{prefix}layers.#"
    return Family(
        id=f"language-model/names/{prefix.rstrip('.').replace('.', '-') or 'transformers'}",
        type=ModelType.TEXT_ENCODER,
        format=ModelFormat.CHECKPOINT,
        bases=_ANY,
        conditions=(
            Unmeasured(f"{prefix}embed_tokens.weight"),
            Tensor(f"{block}.self_attn.q_proj.weight"),
            Tensor(f"{block}.self_attn.o_proj.weight"),
            Tensor(f"{block}.input_layernorm.weight"),
            Either(
                (
                    Tensor(f"{block}.mlp.gate_proj.weight"),
                    Tensor(f"{block}.mlp.gate_up_proj.weight"),
                )
            ),
            Absent("*lora_*"),
            nothing_else(prefix),
        ),
        traits=(
            Trait(Architecture("qwen2.5-vl"), Tensor("visual.blocks.#.mlp.gate_proj.weight")),
            Trait(Architecture("qwen3-vl"), Tensor("visual.deepstack_merger_list.#.norm.weight")),
        ),
        is_fallback=True,
    )


_CLASSES = (
    "ChatGLMModel",
    "Gemma*ForConditionalGeneration",
    "Gemma*ForCausalLM",
    "Gemma*Model",
    "Glm*Model",
    "LlamaForCausalLM",
    "LlamaModel",
    "LlavaForConditionalGeneration",
    *("Mistral*ForConditionalGeneration", "Mistral*ForCausalLM", "Mistral*Model"),
    *("Ministral*ForCausalLM", "Ministral*Model"),
    "SmolLM3*",
    "Qwen*ForConditionalGeneration",
    "Qwen*ForCausalLM",
    "Qwen*Model",
)

FAMILIES = (
    *_files(),
    Family(
        id="language-model/folder",
        type=ModelType.TEXT_ENCODER,
        format=ModelFormat.TRANSFORMERS,
        bases=_ANY,
        conditions=(
            Setting("class", _CLASSES),
            # QwenImageTransformer2DModel and its kin are denoisers and their controls.
            Never(Setting("class", ("*Transformer?DModel", "*ControlNet*"))),
            # Who listens or speaks reads no prompts.
            Never(Setting("class", ("*Audio*", "*Omni*", "*TTS*", "*ASR*"))),
        ),
        traits=tuple(map(_in_folder, _KINDS)),
    ),
    Family(
        id="qwen3-vl/any-size",
        type=ModelType.TEXT_ENCODER,
        format=ModelFormat.CHECKPOINT,
        bases=_ANY,
        conditions=(
            # No other model has these mergers, whatever its size; an index tells no shape.
            Tensor("visual.deepstack_merger_list.#.norm.weight"),
            Tensor("language_model.layers.#.self_attn.k_norm.weight"),
            Tensor("language_model.embed_tokens.weight"),
            nothing_else("language_model."),
        ),
        architecture="qwen3-vl",
        special_case_of=("language-model/names/language_model",),
        is_fallback=True,
    ),
    *map(_by_names, _PREFIXES),
)
"""One per model, number of layers and way of naming."""
