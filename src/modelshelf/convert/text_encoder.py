"""CLIP text encoders: as transformers saves them, out of its own names or OpenCLIP's.

Source: `CLIPTextModel` of huggingface/transformers, `src/open_clip/transformer.py` of
mlfoundations/open_clip, `loaders/single_file_utils.py` of huggingface/diffusers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from modelshelf.convert.mapping import Bundle, Moved, UnconvertibleError, moved_all

__all__ = [
    "clip_config",
    "clip_tensors",
    "openclip_config",
    "openclip_tensors",
]

_MODULE = ("weight", "bias")
_MODEL = "text_model."
_LAYER = (
    "layer_norm1",
    "layer_norm2",
    "mlp.fc1",
    "mlp.fc2",
    "self_attn.k_proj",
    "self_attn.out_proj",
    "self_attn.q_proj",
    "self_attn.v_proj",
)
_OPENCLIP_LAYER = {
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
    "self_attn.out_proj": "attn.out_proj",
}
_HEAD_WIDTH = 64


def clip_tensors(bundle: Bundle) -> Iterator[Moved]:
    """Yield every tensor of a text encoder that has transformers' names already.

    Files of NovelAI and their merges lack the `text_model.` in front.
    """
    there = _inner(bundle)
    for name in ("token_embedding", "position_embedding"):
        yield from moved_all(f"{_MODEL}embeddings.{name}", f"{there}embeddings.{name}", ("weight",))
    for number in range(bundle.count(f"{there}encoder.layers.")):
        layer = f"encoder.layers.{number}."
        for name in _LAYER:
            yield from moved_all(f"{_MODEL}{layer}{name}", f"{there}{layer}{name}", _MODULE)
    yield from moved_all(f"{_MODEL}final_layer_norm", f"{there}final_layer_norm", _MODULE)


def clip_config(bundle: Bundle, dtype: str) -> dict[str, Any]:
    """Return `config.json` of such an encoder, with what no shape tells as CLIP-L has it."""
    there = _inner(bundle)
    vocabulary, width = bundle.matrix(f"{there}embeddings.token_embedding.weight")
    return _config(
        vocabulary=vocabulary,
        width=width,
        feed=bundle.matrix(f"{there}encoder.layers.0.mlp.fc1.weight")[0],
        layers=bundle.count(f"{there}encoder.layers."),
        positions=bundle.matrix(f"{there}embeddings.position_embedding.weight")[0],
        activation="quick_gelu",
        projection=width,
        dtype=dtype,
    )


def _inner(bundle: Bundle) -> str:
    return "" if "embeddings.token_embedding.weight" in bundle else _MODEL


def openclip_tensors(bundle: Bundle, *, layers: int, is_projected: bool) -> Iterator[Moved]:
    """Yield every tensor of a text encoder in OpenCLIP's names.

    Args:
        bundle: Where they are.
        layers: How many of the layers to take: all but the last in sd-2.
        is_projected: Whether the projection belongs to it.
    """
    yield Moved(f"{_MODEL}embeddings.token_embedding.weight", "token_embedding.weight")
    yield Moved(f"{_MODEL}embeddings.position_embedding.weight", "positional_embedding")
    for number in range(layers):
        here, there = f"{_MODEL}encoder.layers.{number}.", f"transformer.resblocks.{number}."
        for name, original in _OPENCLIP_LAYER.items():
            yield from moved_all(here + name, there + original, _MODULE)
        for place, letter in enumerate("qkv"):
            for leaf in _MODULE:
                yield Moved(
                    f"{here}self_attn.{letter}_proj.{leaf}",
                    f"{there}attn.in_proj_{leaf}",
                    part=(place, 3),
                )
    yield from moved_all(f"{_MODEL}final_layer_norm", "ln_final", _MODULE)
    if is_projected and "text_projection.weight" in bundle:
        yield Moved("text_projection.weight", "text_projection.weight")
    elif is_projected:
        yield Moved("text_projection.weight", "text_projection", is_transposed=True)


def openclip_config(
    bundle: Bundle, dtype: str, *, layers: int, is_projected: bool
) -> dict[str, Any]:
    """Return `config.json` of such an encoder, with what no shape tells as CLIP-H and -G have it."""
    vocabulary, width = bundle.matrix("token_embedding.weight")
    return _config(
        vocabulary=vocabulary,
        width=width,
        feed=bundle.matrix("transformer.resblocks.0.mlp.c_fc.weight")[0],
        layers=layers,
        positions=bundle.matrix("positional_embedding")[0],
        activation="gelu",
        # Without a projection of its own the value means nothing; 512 is what sd-2's says.
        projection=_projection(bundle, width) if is_projected else 512,
        dtype=dtype,
        is_projected=is_projected,
    )


def _projection(bundle: Bundle, width: int) -> int:
    """Return what the encoder projects its width to; it must read all of that width."""
    is_turned = "text_projection.weight" not in bundle
    name = "text_projection" if is_turned else "text_projection.weight"
    rows, columns = bundle.matrix(name)
    reads, gives = (rows, columns) if is_turned else (columns, rows)
    if reads != width:
        raise UnconvertibleError(reason=f"`{name}` reads {reads} numbers of {width}")
    return gives


_TORCH_NAMES = {"F16": "float16", "BF16": "bfloat16"}


def _config(  # noqa: PLR0913 - each is one field of the result
    *,
    vocabulary: int,
    width: int,
    feed: int,
    layers: int,
    positions: int,
    activation: str,
    projection: int,
    dtype: str,
    is_projected: bool = False,
) -> dict[str, Any]:
    kind = "CLIPTextModelWithProjection" if is_projected else "CLIPTextModel"
    return {
        "architectures": [kind],
        "attention_dropout": 0.0,
        "bos_token_id": 0,
        "dropout": 0.0,
        # What the published files say; transformers knows that it means the last token.
        "eos_token_id": 2,
        "hidden_act": activation,
        "hidden_size": width,
        "initializer_factor": 1.0,
        "initializer_range": 0.02,
        "intermediate_size": feed,
        "layer_norm_eps": 1e-05,
        "max_position_embeddings": positions,
        "model_type": "clip_text_model",
        "num_attention_heads": max(1, width // _HEAD_WIDTH),
        "num_hidden_layers": layers,
        "pad_token_id": 1,
        "projection_dim": projection,
        "torch_dtype": _TORCH_NAMES.get(dtype, "float32"),
        "vocab_size": vocabulary,
    }
