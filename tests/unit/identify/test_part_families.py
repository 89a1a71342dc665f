from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from modelshelf.identify import BUILT_IN, identify
from modelshelf.identify.facts import Facts
from modelshelf.schema.identity import Identity, IdentityStatus
from modelshelf.schema.tensor import TensorEntry, TensorIndex
from tests.unit.identify.layouts import Shapes, index_of, prefixed
from tests.unit.identify.parts import adapter_layouts, encoder_layouts, image_vae_layouts
from tests.unit.identify.parts.known_adapters import ADAPTERS, UPSCALERS
from tests.unit.identify.parts.known_encoders import ENCODERS, LANGUAGE_MODELS
from tests.unit.identify.parts.known_vaes import VAES

ANSWERS: dict[str, tuple[Shapes, str, str]] = {
    **{f"vae: {name}": answer for name, answer in VAES.items()},
    **{f"encoder: {name}": answer[:3] for name, answer in ENCODERS.items()},
    **{f"adapter: {name}": answer for name, answer in ADAPTERS.items()},
    **{
        f"upscaler: {name}": (shapes, "spandrel_image_to_image", "any")
        for name, (shapes, _, _) in UPSCALERS.items()
    },
}
"""Every part that is known: its tensors, type, and base or candidates."""


def bases_of(identity: Identity) -> str:
    """Return the base that is proven, or all that are possible."""
    return "|".join(base.value for base in identity.bases[:1] or identity.candidates)


@pytest.mark.parametrize("name", ANSWERS)
def test_a_part_is_known_by_its_tensors(name: str) -> None:
    """Type, and base or exactly the set that structure leaves open."""
    shapes, model_type, bases = ANSWERS[name]
    identity = identify(index_of(shapes))
    assert (identity.type.value, bases_of(identity)) == (model_type, bases)
    wanted = IdentityStatus.UNDECIDED if not identity.bases else IdentityStatus.IDENTIFIED
    assert identity.status is wanted


@pytest.mark.parametrize("name", ANSWERS)
def test_no_second_family_agrees(name: str) -> None:
    """Except one that is declared to go behind: an order, and no race."""
    facts = Facts(index_of(ANSWERS[name][0]))
    agreed = [family for family in BUILT_IN if family.judge(facts).missing is None]
    first = [
        family.id
        for family in agreed
        if not any(BUILT_IN.goes_before(other, family) for other in agreed)
    ]
    assert len(first) == 1


FRAMED = [
    name
    for name, (shapes, _, _) in ANSWERS.items()
    # A token's name is all that its embedding has.
    if not any(key.startswith(("<", "string_to_param")) for key in shapes)
]


@pytest.mark.parametrize("name", FRAMED)
def test_a_frame_around_the_names_changes_nothing(name: str) -> None:
    """What frameworks put before every name is a fact about the file, not about the model."""
    shapes, model_type, bases = ANSWERS[name]
    identity = identify(index_of(prefixed("_orig_mod.module.model.", shapes)))
    assert (identity.type.value, bases_of(identity)) == (model_type, bases)


_EMBEDDING = ("embed", "shared", "token", "relative", "position", "pos_")


def _in_fp8(shapes: Shapes) -> TensorIndex:
    """Matrices in eight bits, each with its scale beside it."""
    tensors = dict(index_of(shapes).tensors)
    for name, shape in shapes.items():
        if name.endswith(".weight") and len(shape) == 2:
            tensors[name] = TensorEntry("F8_E4M3", shape, 0, 2)
            tensors[name.removesuffix("weight") + "scale_weight"] = TensorEntry("F32", (), 0, 4)
    return TensorIndex({**tensors, "scaled_fp8": TensorEntry("F8_E4M3", (0,), 0, 0)})


def _in_nf4(shapes: Shapes) -> TensorIndex:
    """Matrices, except tables of words and places, as bytes of two numbers in one column."""
    tensors = dict(index_of(shapes).tensors)
    for name, shape in shapes.items():
        is_table = any(word in name for word in _EMBEDDING)
        if name.endswith(".weight") and len(shape) == 2 and not is_table:
            tensors[name] = TensorEntry("U8", (shape[0] * shape[1] // 2, 1), 0, 2)
            tensors[f"{name}.absmax"] = TensorEntry("F32", (shape[0] * shape[1] // 64,), 0, 4)
            tensors[f"{name}.quant_map"] = TensorEntry("F32", (16,), 0, 64)
            state = f"{name}.quant_state.bitsandbytes__nf4"
            tensors[state] = TensorEntry("U8", (80,), 0, 80)
    return TensorIndex(tensors)


@pytest.mark.parametrize("pack", [_in_fp8, _in_nf4])
@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_stays_itself_when_quantised(
    name: str, pack: Callable[[Shapes], TensorIndex]
) -> None:
    """Encoders are mostly shipped in fewer bits: norms, tables and counts are what is left.

    Two that differ in a packed matrix alone are told apart by how many numbers it has.
    """
    shapes, model_type, bases, architecture = ENCODERS[name]
    identity = identify(pack(shapes))
    assert (identity.type.value, bases_of(identity)) == (model_type, bases)
    assert identity.architecture == architecture


@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_is_named(name: str) -> None:
    """The base is any, so the name is what tells one from another."""
    shapes, _, _, architecture = ENCODERS[name]
    assert identify(index_of(shapes)).architecture == architecture


@pytest.mark.parametrize(
    ("word", "architecture"), [("qwen2vl", "qwen2.5-vl-7b"), ("qwen2", "qwen2.5-7b")]
)
def test_a_language_part_alone_says_whether_it_sees(word: str, architecture: str) -> None:
    """In GGUF the vision part is a file of its own, and both models have one language part."""
    index = index_of(ENCODERS["qwen2.5-7b gguf"][0])
    told = replace(index, metadata={"general.architecture": word})
    assert identify(told).architecture == architecture


@pytest.mark.parametrize(
    ("name", "architecture"),
    [
        ("qwen3-4b model", ""),
        ("gemma-3-12b model.language_model", ""),
        ("glm-4-9b", ""),
        ("qwen3-vl-8b", "qwen3-vl"),
    ],
)
def test_an_index_of_shards_names_a_language_model_and_measures_none(
    name: str, architecture: str
) -> None:
    """Its type is plain from the names; which one it is, is not."""
    shapes = dict.fromkeys(
        name.replace("k_proj", proj) for name in ENCODERS[name][0] for proj in ("k_proj", "o_proj")
    )
    index = TensorIndex({name: TensorEntry("", (), 0, 0) for name in shapes})
    identity = identify(index)
    assert (identity.type.value, bases_of(identity)) == ("text_encoder", "any")
    assert identity.architecture == architecture


def test_an_index_of_shards_with_more_than_a_language_model_is_unknown() -> None:
    """What draws or speaks is named there too."""
    shapes = dict.fromkeys(
        name.replace("k_proj", proj)
        for name in ENCODERS["qwen3-4b model"][0]
        for proj in ("k_proj", "o_proj")
    )
    names = (*shapes, "prediction_head.layers.0.ffn.gate_proj.weight")
    index = TensorIndex({name: TensorEntry("", (), 0, 0) for name in names})
    assert identify(index).type == "unknown"


@pytest.mark.parametrize("name", UPSCALERS)
def test_an_upscaler_is_named_and_measured(name: str) -> None:
    """Which program runs it, and by how much it enlarges."""
    shapes, architecture, scale = UPSCALERS[name]
    identity = identify(index_of(shapes))
    assert identity.architecture == architecture
    assert dict(identity.details).get("scale", "") == scale


@pytest.mark.parametrize(
    ("name", "variant"),
    [("clip-l transformers", "large"), ("clip-g open-clip", "gigantic"), ("clip-h novelai", None)],
)
def test_a_size_of_clip_is_a_variant(name: str, variant: str | None) -> None:
    """InvokeAI calls L large and G gigantic, and has no word for H."""
    assert identify(index_of(ENCODERS[name][0])).variant == variant


@pytest.mark.parametrize(
    ("name", "details"),
    [
        ("sd", {"latent_channels": "4"}),
        ("flux2 diffusers", {"latent_channels": "32"}),
        ("tiny sd encoder", {"latent_channels": "4", "size": "tiny", "part": "encoder"}),
        ("tiny sd", {"latent_channels": "4", "size": "tiny"}),
        ("wan 2.2", {"latent_channels": "48"}),
    ],
)
def test_a_vae_tells_its_latents(name: str, details: Mapping[str, str]) -> None:
    """And whether half of it is all there is."""
    assert dict(identify(index_of(VAES[name][0])).details) == details


@pytest.mark.parametrize(
    ("name", "control"),
    [
        ("qwen-image blockwise inpaint", "inpaint"),
        ("flux inpaint", "inpaint"),
        ("flux union", "union"),
        ("sdxl union", "union"),
    ],
)
def test_a_control_of_masks_or_of_many_kinds_says_so(name: str, control: str) -> None:
    """A mask of the same patch is four numbers more; one for many kinds is told which."""
    assert dict(identify(index_of(ADAPTERS[name][0])).details) == {"control": control}


def _without(shapes: Shapes, *words: str) -> Shapes:
    return {
        name: shape for name, shape in shapes.items() if not any(word in name for word in words)
    }


_QWEN = LANGUAGE_MODELS["qwen3-4b"][0]

STRANGERS: dict[str, Shapes] = {
    "a network that scores pictures": {
        f"layers.{number}.weight": (1024, 768) for number in range(0, 8, 2)
    },
    "edge detector": {f"block{n}_1.conv1.weight": (60, 1, 3, 3) for n in range(1, 5)},
    "residual classifier": {
        "conv1.weight": (64, 3, 7, 7),
        "layer1.0.conv1.weight": (64, 64, 1, 1),
        "fc.weight": (1000, 2048),
    },
    "detector": {f"model.{n}.conv.weight": (64, 64, 3, 3) for n in range(20)},
    "features of a classifier": {f"features.{n}.weight": (64, 64, 3, 3) for n in range(0, 30, 2)},
    "convolutions that make no image": {f"body.{n}.weight": (32, 32, 3, 3) for n in range(6)},
    "numbered convolutions": {f"{n}.weight": (64, 64, 3, 3) for n in range(20)},
    "a vqgan": image_vae_layouts.kl_vae(4, quant=8) | {"quantize.embedding.weight": (8192, 4)},
    "a vae of eight channels": image_vae_layouts.kl_vae(8, quant=16),
    "a vae of another depth": image_vae_layouts.kl_vae(4, levels=2, quant=8),
    "a tiny vae of eight channels": image_vae_layouts.tiny_decoder("", 8),
    "half of a tiny vae's list": _without(image_vae_layouts.tiny_decoder("", 4), "19.", "18."),
    "an encoder of ltx before another decoder": {
        "encoder.conv_in.conv.weight": (128, 48, 3, 3, 3),
        "encoder.conv_out.conv.weight": (129, 512, 3, 3, 3),
        "decoder.conv_in.conv.weight": (512, 64, 3, 3, 3),
        "decoder.conv_out.conv.weight": (12, 128, 3, 3, 3),
    },
    "a decoder of ltx behind another encoder": {
        "encoder.layers.0.weight": (64, 15),
        "decoder.conv_in.conv.weight": (512, 128, 3, 3, 3),
        "decoder.conv_out.conv.weight": (48, 128, 3, 3, 3),
    },
    "an older language model": encoder_layouts.language_model((4096, 32, 32000, 11008, 4096)),
    "a language model of another depth": encoder_layouts.language_model(
        (2560, 20, 151936, 9728, 1024), "norm"
    ),
    "a language model without its norms of keys": encoder_layouts.language_model(_QWEN),
    "a language model that speaks": encoder_layouts.language_model(_QWEN, "norm")
    | {"acoustic_tokenizer.decoder.head.conv.weight": (1, 32, 7)},
    "a language model that speaks inside its blocks": encoder_layouts.language_model(_QWEN, "norm")
    | {"model.layers.0.audio_mlp.gate_proj.weight": (9728, 2560)},
    "a language model that draws": encoder_layouts.language_model(
        _QWEN, "norm", naming="model.language_model."
    )
    | {"model.dit.final_layer.linear.weight": (64, 2304)},
    "a language model in gguf that speaks": encoder_layouts.language_model(
        _QWEN, "norm", naming="gguf"
    )
    | {"vocoder.conv.weight": (512, 80, 7)},
    "a vision classifier": encoder_layouts.vision(768, 12, is_siglip=True)
    | {"classifier.weight": (1000, 768)},
    "a safety checker of other concepts": encoder_layouts.vision(1024, 24)
    | {"concept_embeds": (30, 768)},
    "t5 with another decoder behind it": encoder_layouts.t5_encoder(4096, 24, 32128)
    | {"decoder.layers.0.self_attn.q_proj.weight": (1024, 1024)},
    "t5 and its decoder inside another model": encoder_layouts.t5_encoder(4096, 24, 32128)
    | encoder_layouts.t5_decoder(4096, 24)
    | {"audio_encoder.encoder.conv.weight": (64, 1, 7)},
    "a detector built on a clip": encoder_layouts.clip_text(512, 12)
    | encoder_layouts.vision(768, 12)
    | {"box_head.dense0.weight": (768, 768)},
    "a detector of as many blocks that reads fewer words": encoder_layouts.clip_text(512, 12)
    | encoder_layouts.vision(768, 12)
    | {"text_model.embeddings.position_embedding.weight": (16, 512)},
    "a clip that lost its class token": _without(
        encoder_layouts.vision(1024, 24), "class_embedding"
    )
    | {"vision_model.pre_layrnorm.weight": (1024,)},
    "siglip with a head of its own": encoder_layouts.siglip(1152, 27)
    | {"aesthetic_head.weight": (1, 1152)},
    "an ip-adapter of fewer attentions": adapter_layouts.ip_adapter(
        12, 768, {"image_proj.proj.weight": (3072, 1024)}
    ),
    "a lllite of one block": adapter_layouts.lllite(1),
    "tokens of another width": {"<cat>": (1000,), "<dog>": (1000,)},
    "an adapter of a language model": {
        f"base_model.model.model.layers.{n}.self_attn.q_proj.lora_{side}.weight": shape
        for n in range(32)
        for side, shape in (("A", (16, 4096)), ("B", (4096, 16)))
    },
    "a lora inside another model": {
        "id_encoder.visual_projection_2.weight": (1280, 1024),
        "lora_weights.mid_block.attn2.processor.to_q_lora.down.weight": (64, 1280),
        "lora_weights.mid_block.attn2.processor.to_q_lora.up.weight": (1280, 64),
    },
    "one encoder's half of a token": {"text_encoders_0": (2, 768)},
    "a bare tensor of a pickle": {"tensor": (1, 768)},
    "a matrix": {"weight": (49408, 768)},
    "an upsampler of latents": {
        "initial_conv.weight": (1024, 128, 3, 3, 3),
        "res_blocks.0.conv1.weight": (1024, 1024, 3, 3, 3),
        "upsampler.0.weight": (4096, 1024, 3, 3),
    },
}
"""What resembles a part and is none, or none that anybody can name."""


@pytest.mark.parametrize("name", STRANGERS)
def test_what_is_no_part_is_unknown(name: str) -> None:
    """Width, number of tensors and a familiar word are not enough."""
    identity = identify(index_of(STRANGERS[name]))
    assert (identity.type.value, identity.bases, identity.candidates) == ("unknown", (), ())


def test_wans_t5_that_lost_its_words_is_still_a_t5() -> None:
    """A table of positions in each block is no other network's."""
    shapes = encoder_layouts.t5_encoder(4096, 24, 256384, naming="wan", biases=24)
    del shapes["token_embedding.weight"]
    identity = identify(index_of(shapes))
    assert (identity.type, identity.base) == ("t5_encoder", "any")


@pytest.mark.parametrize(
    ("size", "vocabulary", "head", "architecture", "task"),
    [
        ("0.6b", 151669, {}, "qwen3-embedding-0.6b", "embedding or ranking"),
        ("0.6b", 151669, {"score.weight": (1, 1024)}, "qwen3-reranker-0.6b", None),
        ("4b", 151665, {}, "qwen3-embedding-4b", "embedding or ranking"),
        ("4b", 151669, {"score.weight": (1, 2560)}, "qwen3-reranker-4b", None),
        ("8b", 151669, {}, "qwen3-embedding-8b", "embedding or ranking"),
        ("8b", 151669, {"score.weight": (1, 4096)}, "qwen3-reranker-8b", None),
    ],
)
def test_a_model_that_embeds_or_ranks_is_named_by_its_head(
    size: str, vocabulary: int, head: Shapes, architecture: str, task: str | None
) -> None:
    """Qwen3-Embedding and Qwen3-Reranker are one series, equal in names and shapes without one."""
    (width, layers, _, gate, key), beside = LANGUAGE_MODELS[f"qwen3-embedding-{size}"]
    sizes = (width, layers, vocabulary, gate, key)
    found = identify(index_of(encoder_layouts.language_model(sizes, beside) | head))
    assert (found.type, found.base, found.architecture) == ("text_encoder", "any", architecture)
    assert dict(found.details).get("task") == task


@pytest.mark.parametrize("name", ["qwen3.5-4b model.", "gpt-oss-20b", "qwen3-8b model"])
def test_a_language_model_that_draws_is_no_encoder(name: str) -> None:
    """Whatever it is built around, and whatever its own modules are called."""
    shapes = ENCODERS[name][0] | {"model.image_decoder.0.weight": (64, 64)}
    assert identify(index_of(shapes)).type == "unknown"


def test_qwen_3_5_that_guesses_several_words_at_once_is_an_encoder() -> None:
    """As it is published: what guesses ahead lies beside it."""
    shapes = ENCODERS["qwen3.5-4b model.language_model."][0]
    whole = shapes | {"mtp.fc.weight": (2560, 5120), "model.visual.pos_embed.weight": (2304, 1024)}
    assert identify(index_of(whole)).architecture == "qwen3.5-4b"
