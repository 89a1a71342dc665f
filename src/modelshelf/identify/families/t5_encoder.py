"""T5 and its kin: the encoder half, by width, vocabulary and where the relative positions stand.

Google publishes it with its decoder, which nothing here reads: programs take the encoder out of it.

T5 has one table of relative positions for all blocks, UMT5 and Pile-T5 one in each. An encoder
belongs to no base: FLUX, SD 3, PixArt, LTX and others read the same one.

Sources: `T5EncoderModel` and `UMT5EncoderModel` of huggingface/transformers, `wan/modules/t5.py` of
Wan-Video/Wan2.1, `gguf-py/gguf/constants.py` of ggml-org/llama.cpp for the names in GGUF.
"""

from __future__ import annotations

from dataclasses import dataclass

from modelshelf.identify.condition import Both, Condition, Either, Setting, Unset
from modelshelf.identify.family import Architecture, Family, Trait
from modelshelf.identify.network import Within
from modelshelf.identify.tensor_condition import Absent, Some, Tensor
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["FAMILIES"]

_ANY = (BaseModelType.ANY,)


@dataclass(frozen=True, slots=True)
class _Kind:
    """One published encoder."""

    name: str
    width: int
    layers: int
    vocabulary: int
    feed_forward: int
    has_bias_per_block: bool = False
    has_gate: bool = True
    """False for the first generation, which has one matrix where later ones have two."""
    is_rare: bool = False
    """True for one as wide as another with the same vocabulary, which nearly everybody has."""

    @property
    def biases(self) -> int:
        """How many tables of relative positions there are."""
        return self.layers if self.has_bias_per_block else 1


_T5, _MT5, _UMT5 = 32128, 250112, 256384
_KINDS = (
    _Kind("t5-v1.1-small", 512, 8, _T5, 1024),
    _Kind("t5-v1.1-base", 768, 12, _T5, 2048),
    _Kind("t5-v1.1-large", 1024, 24, _T5, 2816),
    _Kind("t5-v1.1-xl", 2048, 24, _T5, 5120),
    _Kind("t5-v1.1-xxl", 4096, 24, _T5, 10240),
    # As Cosmos reads it: narrow, with the widest feed-forward of all.
    _Kind("t5-11b", 1024, 24, _T5, 65536, has_gate=False, is_rare=True),
    # As Kandinsky 3 reads it.
    _Kind("ul2", 4096, 32, _T5, 16384, is_rare=True),
    _Kind("pile-t5-xl", 2048, 24, _T5, 5120, has_bias_per_block=True),
    _Kind("pile-t5-xxl", 4096, 24, _T5, 10240, has_bias_per_block=True),
    _Kind("mt5-xl", 2048, 24, _MT5, 5120),
    _Kind("mt5-xxl", 4096, 24, _MT5, 10240),
    _Kind("umt5-xl", 2048, 24, _UMT5, 5120, has_bias_per_block=True),
    _Kind("umt5-xxl", 4096, 24, _UMT5, 10240, has_bias_per_block=True),
)


# Its own decoder, and a head that says words. Behind any other decoder stands another model.
_WITH_ITS_DECODER = Either(
    (
        Absent("decoder.*"),
        Within(
            "a T5",
            (
                *(
                    "shared.",
                    "encoder.block.",
                    "encoder.embed_tokens.",
                    "encoder.final_layer_norm.",
                ),
                *("decoder.block.", "decoder.embed_tokens.", "decoder.final_layer_norm."),
                *("lm_head.", "spiece_model", "tokenizer"),
            ),
        ),
    )
)


def _transformers(kind: _Kind) -> tuple[Condition, ...]:
    block = "encoder.block.#.layer.#"
    width = kind.width
    return (
        Either(
            (
                Some("shared.weight", (kind.vocabulary, width)),
                Some("encoder.embed_tokens.weight", (kind.vocabulary, width)),
            )
        ),
        Tensor(f"{block}.SelfAttention.relative_attention_bias.weight", count=kind.biases),
        Tensor(
            f"{block}.DenseReluDense.{'wi_0' if kind.has_gate else 'wi'}.weight",
            (None, width),
            count=kind.layers,
        ),
        _WITH_ITS_DECODER,
    )


_ITS_DECODER_IN_GGUF = Either((Absent("dec.*"), Tensor("dec.blk.#.cross_attn_q.weight")))


def _gguf(kind: _Kind) -> tuple[Condition, ...]:
    return (
        Some("token_embd.weight", (kind.vocabulary, kind.width)),
        Tensor("enc.blk.#.attn_rel_b.weight", count=kind.biases),
        Tensor(
            f"enc.blk.#.ffn_{'gate' if kind.has_gate else 'up'}.weight",
            (None, kind.width),
            count=kind.layers,
        ),
        _ITS_DECODER_IN_GGUF,
    )


def _wan(kind: _Kind) -> tuple[Condition, ...]:
    return (
        Some("token_embedding.weight", (kind.vocabulary, kind.width)),
        Tensor("blocks.#.pos_embedding.embedding.weight", count=kind.biases),
        Tensor("blocks.#.ffn.gate.#.weight", (None, kind.width), count=kind.layers),
        Tensor("blocks.#.attn.q.weight", (None, kind.width), count=kind.layers),
    )


def _family(id_: str, name: str, conditions: tuple[Condition, ...]) -> Family:
    return Family(
        id=id_,
        type=ModelType.T5_ENCODER,
        format=ModelFormat.CHECKPOINT,
        bases=_ANY,
        conditions=conditions,
        architecture=name,
    )


def _in_folder(kind: _Kind) -> Trait:
    """Five facts of the configuration, of which three make out what most people have.

    Of a width and a vocabulary that several have, the others say by their layers and feed-forward that
    they are meant.
    """
    classes = _BIAS_PER_BLOCK if kind.has_bias_per_block else _ONE_BIAS
    width = Setting("d_model", (kind.width,))
    layers: Condition = Setting("num_layers", (kind.layers,))
    inner: Condition = Setting("d_ff", (kind.feed_forward,))
    if not kind.is_rare:
        layers, inner = Either((layers, Unset("num_layers"))), Either((inner, Unset("d_ff")))
    words = Both(Setting("class", classes), Setting("vocab_size", (kind.vocabulary,)))
    return Trait(Architecture(kind.name), Both(words, Both(width, Both(layers, inner))))


_ONE_BIAS = (
    *("T5EncoderModel", "T5Model", "T5ForConditionalGeneration", "T5WithLMHeadModel"),
    *("MT5EncoderModel", "MT5Model", "MT5ForConditionalGeneration"),
)
_BIAS_PER_BLOCK = ("UMT5EncoderModel", "UMT5Model", "UMT5ForConditionalGeneration")
_BYT5 = 1472

FAMILIES = (
    *(
        _family(f"{kind.name}/{naming}", kind.name, conditions)
        for kind in _KINDS
        for naming, conditions in (
            ("transformers", _transformers(kind)),
            ("gguf", _gguf(kind)),
            ("wan", _wan(kind)),
        )
        # Wan's own code knows the kinds that have a table in each block.
        if naming != "wan" or kind.has_bias_per_block
    ),
    _family(
        "byt5-small/transformers",
        "byt5-small",
        (
            # Bytes instead of words: its vocabulary is small, and differs with what was added.
            Either(
                (
                    Some("shared.weight", (None, _BYT5)),
                    Some("encoder.embed_tokens.weight", (None, _BYT5)),
                )
            ),
            Tensor("encoder.block.#.layer.#.DenseReluDense.wi_0.weight", (None, _BYT5), count=12),
            _WITH_ITS_DECODER,
        ),
    ),
    _family(
        "byt5-small/gguf",
        "byt5-small",
        (
            Some("token_embd.weight", (None, _BYT5)),
            Tensor("enc.blk.#.attn_rel_b.weight", count=1),
            Tensor("enc.blk.#.ffn_gate.weight", (None, _BYT5), count=12),
            _ITS_DECODER_IN_GGUF,
        ),
    ),
    Family(
        id="t5/any-size",
        type=ModelType.T5_ENCODER,
        format=ModelFormat.CHECKPOINT,
        bases=_ANY,
        conditions=(
            # An index of shards names all of this and tells no shape.
            Tensor("encoder.block.#.layer.#.SelfAttention.relative_attention_bias.weight"),
            Tensor("encoder.block.#.layer.#.SelfAttention.q.weight"),
            Tensor("encoder.final_layer_norm.weight"),
            _WITH_ITS_DECODER,
        ),
        is_fallback=True,
    ),
    Family(
        id="t5/any-size-wan",
        type=ModelType.T5_ENCODER,
        format=ModelFormat.CHECKPOINT,
        bases=_ANY,
        conditions=(
            Tensor("blocks.#.pos_embedding.embedding.weight"),
            Tensor("blocks.#.attn.q.weight"),
            Tensor("blocks.#.ffn.gate.#.weight"),
        ),
        is_fallback=True,
    ),
    Family(
        id="t5/folder",
        type=ModelType.T5_ENCODER,
        format=ModelFormat.TRANSFORMERS,
        bases=_ANY,
        conditions=(Setting("class", (*_ONE_BIAS, *_BIAS_PER_BLOCK)),),
        traits=(
            *map(_in_folder, _KINDS),
            Trait(
                Architecture("byt5-small"),
                Both(Setting("d_model", (_BYT5,)), Setting("num_layers", (12,))),
            ),
        ),
    ),
)
"""One per kind and way of naming."""
