from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from modelshelf.formats import read_safetensors
from modelshelf.identify import BUILT_IN, identify
from modelshelf.identify.facts import Facts
from modelshelf.testing import tiny
from modelshelf.testing.tiny.config import controlnet_config, unet_config
from modelshelf.testing.tiny.unet import UNETS
from tests.unit.identify import layouts
from tests.unit.identify.layouts import REFINER, SD_1, SD_2, SDXL, Shapes, index_of, unet_settings

Depths = list[list[int]]
Settings = dict[str, Any]
Cut = tuple[int, int | None, Depths, int, Depths]

CUTS: dict[tuple[str, str], Cut] = {
    ("sdxl", "ssd-1b"): (2048, 2816, [[], [2, 2], [4, 4]], 0, [[4, 4, 10], [2, 1, 1], []]),
    ("sdxl", "segmind-vega"): (2048, 2816, [[], [1, 1], [2, 2]], 0, [[2, 2, 2], [1, 1, 1], []]),
    ("sdxl", "koala-1b"): (2048, 2816, [[], [2], [6]], 6, [[6, 6], [2, 2], []]),
    ("sdxl", "koala-700m"): (2048, 2816, [[], [2], [5]], 0, [[5, 5], [2, 2], []]),
    ("sd-1", "bk-sdm-base"): (768, None, [[1], [1], [1], []], 1, [[], [1, 1], [1, 1], [1, 1]]),
    ("sd-1", "bk-sdm-small"): (768, None, [[1], [1], [1], []], 0, [[], [1, 1], [1, 1], [1, 1]]),
    ("sd-1", "bk-sdm-tiny"): (768, None, [[1], [1], [1]], 0, [[1, 1], [1, 1], [1, 1]]),
    ("sd-2", "bk-sdm-v2-tiny"): (1024, None, [[1], [1], [1]], 0, [[1, 1], [1, 1], [1, 1]]),
    ("sd-1", "sdxs"): (768, None, [[], [1], [1]], 0, [[1, 1], [1, 1], []]),
    ("sd-2", "sdxs-v2"): (1024, None, [[], [1], [1]], 0, [[1, 1], [1, 1], []]),
}
"""Base and name → context, label, depths on the way down, in the middle, on the way up."""


def cut_unet(context: int, label: int | None, down: Depths, middle: int, up: Depths) -> Shapes:
    """A UNet in diffusers' names with these numbers of blocks in each attention."""
    found: Shapes = {"conv_in.weight": (320, 4, 3, 3), "conv_out.weight": (4, 320, 3, 3)}
    if label is not None:
        found["add_embedding.linear_1.weight"] = (1280, label)
    stacks = [
        (f"{way}_blocks.{level}.attentions.{number}", depth)
        for way, levels in (("down", down), ("up", up))
        for level, depths in enumerate(levels)
        for number, depth in enumerate(depths)
    ]
    for stack, depth in [*stacks, ("mid_block.attentions.0", middle)]:
        for block in range(depth):
            found[f"{stack}.transformer_blocks.{block}.attn2.to_k.weight"] = (640, context)
    for level in range(len(down)):
        found[f"down_blocks.{level}.resnets.0.norm1.weight"] = (320,)
    return found


def original(shapes: Shapes) -> Shapes:
    """The same UNet in the names of the original code, numbered as converters do."""
    found: Shapes = {}
    for name, shape in shapes.items():
        if found_block := re.match(
            r"(down|up)_blocks\.(\d)\.(attentions|resnets)\.(\d)\.(.*)", name
        ):
            way, level, kind, number, rest = found_block.groups()
            first = 3 * int(level) + int(number) + (way == "down")
            blocks = "input_blocks" if way == "down" else "output_blocks"
            inner = rest.replace("norm1", "in_layers.0")
            found[f"{blocks}.{first}.{int(kind == 'attentions')}.{inner}"] = shape
        else:
            found[_ORIGINAL.sub(lambda match: _NAMES[match[0]], name)] = shape
    return found


_NAMES = {
    "conv_in": "input_blocks.0.0",
    "conv_out": "out.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "mid_block.attentions.0": "middle_block.1",
}
_ORIGINAL = re.compile("|".join(map(re.escape, _NAMES)))


def cut_settings(
    context: int, label: int | None, down: Depths, middle: int, up: Depths
) -> Settings:
    """What diffusers writes beside it."""
    depths: list[Any] = [max(level, default=1) for level in down]
    return {
        "_class_name": "UNet2DConditionModel",
        "in_channels": 4,
        "cross_attention_dim": context,
        "layers_per_block": max(map(len, down)),
        "down_block_types": ["CrossAttnDownBlock2D" if d else "DownBlock2D" for d in down],
        "up_block_types": ["CrossAttnUpBlock2D" if d else "UpBlock2D" for d in up],
        "mid_block_type": "UNetMidBlock2DCrossAttn" if middle else None,
        "transformer_layers_per_block": depths if label else 1,
        "addition_embed_type": "text_time" if label else None,
        "projection_class_embeddings_input_dim": label,
    }


def upscaler(*, original: bool = False) -> Shapes:
    """The x4 upscaler: 256 channels first, and an embedding of noise levels."""
    found = layouts.ldm_unet(SD_2) if original else layouts.diffusers_unet(SD_2)
    first = "input_blocks.0.0" if original else "conv_in"
    label = "label_emb.weight" if original else "class_embedding.weight"
    first_layer = {f"{first}.weight": (256, 7, 3, 3), f"{first}.bias": (256,)}
    return found | first_layer | {label: (1000, 1024)}


def kandinsky(inputs: int = 4, image: int = 1280, *, text: bool = False) -> Shapes:
    """Kandinsky 2's UNet: attention to an image, and twice the channels out."""
    found: Shapes = {
        "conv_in.weight": (384, inputs, 3, 3),
        "conv_out.weight": (8, 384, 3, 3),
        "encoder_hid_proj.image_embeds.weight": (24576, image),
        "encoder_hid_proj.image_embeds.bias": (24576,),
    }
    if text:
        found["encoder_hid_proj.text_proj.weight"] = (768, 1024)
    for level in range(1, 4):
        for number in range(3):
            found[f"down_blocks.{level}.attentions.{number}.add_k_proj.weight"] = (768, 768)
    return found


def deepfloyd(inputs: int) -> Shapes:
    """DeepFloyd IF's UNet: attention to T5, three or six colours in."""
    found: Shapes = {
        "conv_in.weight": (704, inputs, 3, 3),
        "encoder_hid_proj.weight": (2816, 4096),
        "add_embedding.norm1.weight": (4096,),
        "add_embedding.pool.positional_embedding": (1, 4096),
    }
    for number in range(3):
        found[f"down_blocks.1.attentions.{number}.add_k_proj.weight"] = (1408, 2816)
    return found


KOLORS = layouts.diffusers_unet(SDXL) | {
    "encoder_hid_proj.weight": (2048, 4096),
    "add_embedding.linear_1.weight": (1280, 5632),
}
KANDINSKY_ORIGINAL: Shapes = {
    "input_blocks.0.0.weight": (384, 4, 3, 3),
    "input_blocks.5.1.encoder_kv.weight": (1536, 768, 1),
    "input_blocks.9.1.encoder_kv.weight": (2304, 768, 1),
    "out.0.weight": (384,),
    "out.2.weight": (8, 384, 3, 3),
}
DEEPFLOYD_ORIGINAL: Shapes = {
    "encoder_pooling.1.positional_embedding": (1, 4096),
    "encoder_proj.weight": (2816, 4096),
    "input_blocks.5.1.encoder_kv.weight": (2816, 2816, 1),
}
SDXS_0_9 = cut_unet(*CUTS["sd-2", "bk-sdm-v2-tiny"]) | {
    "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_k.weight": (320, 1024)
}
"""BK-SDM tiny's blocks, whose first attentions read the text as the second do."""
KNOWN: dict[str, tuple[Shapes, str, str, str]] = {
    "pix2pix": (layouts.checkpoint(SD_1, 8), "sd-1", "instruct", ""),
    "pix2pix diffusers": (layouts.diffusers_unet(SD_1, 8), "sd-1", "instruct", ""),
    "ic-light": (layouts.diffusers_unet(SD_1, 12), "sd-1", "", ""),
    "sdxl edit": (layouts.checkpoint(SDXL, 8), "sdxl", "instruct", ""),
    "marigold": (layouts.diffusers_unet(SD_2, 8), "sd-2", "", ""),
    "playground": (
        layouts.checkpoint(SDXL) | {"edm_mean": (1, 4, 1, 1), "edm_std": (1, 4, 1, 1)},
        "sdxl",
        "normal",
        "playground-v2.5",
    ),
    "cosxl": (
        layouts.checkpoint(SDXL) | {"edm_vpred.sigma_max": ()},
        "sdxl",
        "normal",
        "cosxl",
    ),
    "sd-turbo": (
        layouts.checkpoint(SD_2) | {"denoiser.sigmas": (1000,)},
        "sd-2",
        "normal",
        "sd-turbo",
    ),
    "upscaler": (upscaler(original=True), "sd-2", "upscaler", "sd-x4-upscaler"),
    "upscaler diffusers": (upscaler(), "sd-2", "upscaler", "sd-x4-upscaler"),
    "unclip h": (
        layouts.ldm_unet(SD_2) | {"label_emb.0.0.weight": (1280, 2048)},
        "sd-2",
        "normal",
        "sd-2.1-unclip",
    ),
    "unclip l diffusers": (
        layouts.diffusers_unet(SD_2) | {"class_embedding.linear_1.weight": (1280, 1536)},
        "sd-2",
        "normal",
        "sd-2.1-unclip",
    ),
    "kolors": (
        layouts.ldm_unet(SDXL) | {"label_emb.0.0.weight": (1280, 5632)},
        "kolors",
        "normal",
        "",
    ),
    "kolors diffusers": (KOLORS, "kolors", "normal", ""),
    "kolors inpaint": (KOLORS | {"conv_in.weight": (320, 9, 3, 3)}, "kolors", "inpaint", ""),
    "kandinsky 2.2": (kandinsky(), "kandinsky-2", "normal", "kandinsky-2.2"),
    "kandinsky 2.2 inpaint": (kandinsky(9), "kandinsky-2", "inpaint", "kandinsky-2.2"),
    "kandinsky 2.2 depth": (kandinsky(8), "kandinsky-2", "control", "kandinsky-2.2"),
    "kandinsky 2.1": (kandinsky(4, 768, text=True), "kandinsky-2", "normal", "kandinsky-2.1"),
    "deepfloyd I": (deepfloyd(3), "deepfloyd-if", "normal", "deepfloyd-if-1"),
    "deepfloyd II": (deepfloyd(6), "deepfloyd-if", "upscaler", "deepfloyd-if-2"),
    "kandinsky 2.1 original": (KANDINSKY_ORIGINAL, "kandinsky-2", "", ""),
    "deepfloyd I original": (
        DEEPFLOYD_ORIGINAL | {"input_blocks.0.0.weight": (704, 3, 3, 3)},
        "deepfloyd-if",
        "normal",
        "deepfloyd-if-1",
    ),
    "deepfloyd II original": (
        DEEPFLOYD_ORIGINAL | {"input_blocks.0.0.weight": (256, 6, 3, 3)},
        "deepfloyd-if",
        "upscaler",
        "deepfloyd-if-2",
    ),
    **{name: (cut_unet(*cut), base, "normal", name) for (base, name), cut in CUTS.items()},
    "sdxs 0.9": (SDXS_0_9, "sd-2", "normal", "sdxs-0.9"),
    "sdxs 0.9 in original names": (original(SDXS_0_9), "sd-2", "normal", "sdxs-0.9"),
    **{
        f"{name} in original names": (original(cut_unet(*cut)), base, "normal", name)
        for (base, name), cut in CUTS.items()
    },
}
"""What it is → its tensors, base, variant, architecture; the type is `main`."""

NO_BASE: dict[str, Shapes] = {
    "zero123": layouts.checkpoint(SD_1, 8) | {"cc_projection.weight": (768, 772)},
    "lotus": layouts.diffusers_unet(SD_2) | {"class_embedding.linear_1.weight": (1280, 4)},
    "paint by example": layouts.checkpoint(SD_1, 9)
    | {"cond_stage_model.transformer.vision_model.post_layernorm.weight": (1024,)},
    "image variations": layouts.checkpoint(SD_1)
    | {"cond_stage_model.model.visual.conv1.weight": (1024, 3, 14, 14)},
}
"""UNets of a base that take an image where the base takes text, or a task beside it."""

_RDM_OUT: Shapes = {"weight": (16, 448, 3, 3), "bias": (16,)}
STRANGERS: dict[str, Shapes] = {
    "another label on sd-2": layouts.diffusers_unet(SD_2)
    | {"class_embedding.linear_1.weight": (1280, 512)},
    "an upscaler's label on sd-1": layouts.diffusers_unet(SD_1)
    | {"class_embedding.weight": (1000, 1024)},
    "ssd-1b with another text": cut_unet(1536, *CUTS["sdxl", "ssd-1b"][1:]),
    "ssd-1b without label": cut_unet(2048, None, *CUTS["sdxl", "ssd-1b"][2:]),
    "bk-sdm half as wide": cut_unet(*CUTS["sd-1", "bk-sdm-base"])
    | {"conv_in.weight": (160, 4, 3, 3)},
    "koala half as wide": original(cut_unet(*CUTS["sdxl", "koala-1b"]))
    | {"input_blocks.0.0.weight": (160, 4, 3, 3)},
    "one block less than vega": cut_unet(2048, 2816, [[], [1, 1], [2, 1]], 0, [[2, 2, 2], [1, 1]]),
    # CompVis' retrieval-augmented UNet of 768 pixels: SD 1's text and blocks, other latents.
    "rdm": layouts.checkpoint(SD_1, 16)
    | {f"model.diffusion_model.out.2.{one}": shape for one, shape in _RDM_OUT.items()},
    "sdxl with another vae": layouts.diffusers_unet(SDXL, 16)
    | {"conv_out.weight": (16, 320, 3, 3)},
    **{
        f"{name} in diffusers' names half as wide": layouts.diffusers_unet(unet)
        | {"conv_in.weight": (unet.width // 2, 4, 3, 3)}
        for name, unet in (("sd-1", SD_1), ("sd-2", SD_2), ("sdxl", SDXL), ("refiner", REFINER))
    },
    "kandinsky original with four out": KANDINSKY_ORIGINAL | {"out.2.weight": (4, 384, 3, 3)},
    "kandinsky with four out": kandinsky() | {"conv_out.weight": (4, 384, 3, 3)},
    "deepfloyd with latents": deepfloyd(4),
}
"""One number away from a family."""


@pytest.mark.parametrize("name", KNOWN)
def test_a_published_unet_is_known(name: str) -> None:
    """Base, variant and architecture, and one family alone says so."""
    shapes, base, variant, architecture = KNOWN[name]
    identity = identify(index_of(shapes))
    assert (identity.type.value, identity.base.value) == ("main", base)
    assert (identity.variant or "", identity.architecture) == (variant, architecture)
    facts = Facts(index_of(shapes))
    assert len([one for one in BUILT_IN if one.judge(facts).missing is None]) == 1


@pytest.mark.parametrize("name", NO_BASE)
def test_an_image_instead_of_text_is_no_plain_base(name: str) -> None:
    """The type is certain, and that it is none of the base's own."""
    identity = identify(index_of(NO_BASE[name]))
    assert (identity.type.value, identity.bases, identity.candidates) == ("main", (), ())


@pytest.mark.parametrize("name", STRANGERS)
def test_one_number_away_is_unknown(name: str) -> None:
    """A wrong base is worse than none."""
    identity = identify(index_of(STRANGERS[name]))
    assert (identity.type.value, identity.bases) == ("unknown", ())


@pytest.mark.parametrize(
    ("marker", "prediction"),
    [
        ("edm_mean", "edm"),
        ("edm_vpred.sigma_max", "v_prediction"),
        ("v_pred", "v_prediction"),
        ("alphas_cumprod", None),
    ],
)
def test_a_marker_says_what_sdxl_predicts(marker: str, prediction: str | None) -> None:
    """Structure is silent about it: SDXL's fine-tunes are equal by names and shapes."""
    assert identify(index_of(layouts.checkpoint(SDXL) | {marker: ()})).prediction_type == prediction


@pytest.mark.parametrize("name", CUTS)
def test_a_distilled_folder_keeps_base_and_architecture(
    name: tuple[str, str], tmp_path: Path
) -> None:
    """Adapters of the base do not fit it: the architecture says so, the base says what does."""
    (tmp_path / "config.json").write_text(json.dumps(cut_settings(*CUTS[name])))
    identity = identify(tmp_path)
    assert (identity.type.value, identity.base.value, identity.architecture) == ("unet", *name)


@pytest.mark.parametrize(
    ("settings", "base", "architecture"),
    [
        (
            cut_settings(*CUTS["sd-2", "bk-sdm-v2-tiny"]) | {"only_cross_attention": True},
            "sd-2",
            "sdxs-0.9",
        ),
        (
            unet_settings(SD_2, 7)
            | {"num_class_embeds": 1000, "down_block_types": ["DownBlock2D"]},
            "sd-2",
            "sd-x4-upscaler",
        ),
        (
            unet_settings(SD_2)
            | {"class_embed_type": "projection", "projection_class_embeddings_input_dim": 2048},
            "sd-2",
            "sd-2.1-unclip",
        ),
        (
            unet_settings(SD_1)
            | {"encoder_hid_dim_type": "image_proj", "addition_embed_type": "image"},
            "kandinsky-2",
            "kandinsky-2.2",
        ),
        (
            unet_settings(SD_1, 6)
            | {"encoder_hid_dim": 4096, "addition_embed_type": "text", "cross_attention_dim": 2048},
            "deepfloyd-if",
            "deepfloyd-if-2",
        ),
    ],
)
def test_a_unet_of_another_kind_is_known_by_its_configuration(
    settings: dict[str, Any], base: str, architecture: str, tmp_path: Path
) -> None:
    """They all have the class of Stable Diffusion's UNet."""
    (tmp_path / "config.json").write_text(json.dumps(settings))
    identity = identify(tmp_path)
    assert (identity.base.value, identity.architecture) == (base, architecture)


@pytest.mark.parametrize(("width", "bases"), [(1280, ["kandinsky-2"]), (768, [])])
def test_the_prior_of_kandinsky_2_1_is_karlos_too(
    width: int, bases: list[str], tmp_path: Path
) -> None:
    """The same network stands before an SD 2 that starts from images: the set, and no base."""
    config = {"_class_name": "PriorTransformer", "embedding_dim": width}
    folder = tmp_path / "prior"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    identity = identify(folder)
    assert [base.value for base in identity.bases] == bases
    assert bases or [base.value for base in identity.candidates] == [
        "kandinsky-2",
        "sd-2",
        "unknown",
    ]


_NARROW: dict[str, tuple[Settings, str, str]] = {
    **{
        f"{base} {width}": (unet_config(base, width), "unet", base)
        for base in ("sd-1", "sd-2", "sdxl", "sdxl-refiner")
        for width in (32, 64, 256, 512)
    },
    **{
        f"{base} control": (controlnet_config(base, 64), "controlnet", base)
        for base in ("sd-1", "sd-2", "sdxl")
    },
}
"""A base's configuration but for its channels → type and base."""


@pytest.mark.parametrize("name", _NARROW)
def test_a_unet_of_another_width_is_no_base_unless_somebody_says_so(
    name: str, tmp_path: Path
) -> None:
    """Text and latents are the base's, adapters do not fit: the configuration may name what it is of."""
    config, kind, base = _NARROW[name]
    (tmp_path / "config.json").write_text(json.dumps(config))
    named = identify(tmp_path)
    assert (named.type.value, named.base.value, named.status) == (kind, base, "identified")
    (tmp_path / "config.json").write_text(json.dumps(config | {"_name_or_path": None}))
    alone = identify(tmp_path)
    assert (alone.type.value, alone.bases, alone.status) == (kind, (), "undecided")
    assert [one.value for one in alone.candidates] == [base, "unknown"]


@pytest.mark.parametrize("base", ["sd-1", "sd-2", "sdxl", "sdxl-refiner"])
def test_a_unet_as_wide_as_published_needs_no_word(base: str, tmp_path: Path) -> None:
    """Most configurations name nothing, and some only the folder that they were loaded from."""
    config = unet_config(base, UNETS[base].width)
    for named in ({}, {"_name_or_path": "./unet"}, {"_name_or_path": "acme/sdxl-thing"}):
        (tmp_path / "config.json").write_text(json.dumps(config | named))
        assert identify(tmp_path).base == base


def test_a_unet_with_the_text_of_sd_2_and_convolutions_is_not_sd_2(tmp_path: Path) -> None:
    """As in a file, whose projections have four sides: SD 1 has them, for a narrower text."""
    config = unet_config("sd-2", UNETS["sd-2"].width) | {"use_linear_projection": False}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert (identify(tmp_path).type, identify(tmp_path).base) == ("unet", "unknown")


@pytest.mark.parametrize("base", ["sd-1", "sd-2", "sdxl", "sdxl-refiner"])
def test_a_narrow_checkpoint_is_no_base_unless_it_says_so(base: str, tmp_path: Path) -> None:
    """In the original names as in a folder; ModelSpec's field is there to say it."""
    made = tiny.checkpoint(tmp_path / "model.safetensors", base=base)
    assert identify(made).base == base
    index = read_safetensors(made)
    alone = identify(replace(index, metadata={}))
    assert (alone.type, alone.bases, alone.status) == ("main", (), "undecided")
    assert [one.value for one in alone.candidates] == [base, "unknown"]
    assert identify(index).base == base


_BESIDE_A_UNET = {
    "a controlnet of sd-1": (tiny.controlnet, "sd-1", ["sd-1", "unknown"]),
    "a controlnet of sd-2": (tiny.controlnet, "sd-2", ["sd-2", "unknown"]),
    "a controlnet of sdxl": (tiny.controlnet, "sdxl", ["sdxl", "unknown"]),
    "an ip-adapter of sd-1": (tiny.ip_adapter, "sd-1", ["sd-1", "unknown"]),
    "an ip-adapter of sdxl": (tiny.ip_adapter, "sdxl", ["sdxl", "kolors", "unknown"]),
}
"""What works beside a UNet → how it is made, its base, and what it may be where it is narrower."""


@pytest.mark.parametrize("name", _BESIDE_A_UNET)
def test_what_is_made_for_a_narrow_unet_is_of_no_base_unless_it_says_so(
    name: str, tmp_path: Path
) -> None:
    """It reads the base's text, and its channels meet none of the base's UNet."""
    make, base, candidates = _BESIDE_A_UNET[name]
    index = read_safetensors(make(tmp_path / "part.safetensors", base=base))
    assert identify(index).base == base
    alone = identify(replace(index, metadata={}))
    assert (alone.bases, alone.status) == ((), "undecided")
    assert [one.value for one in alone.candidates] == candidates
    whole = make(tmp_path / "whole.safetensors", base=base, full=True, hollow=True)
    assert identify(replace(read_safetensors(whole), metadata={})).base == base


def test_a_controlnet_with_one_level_of_other_channels_is_of_no_base(tmp_path: Path) -> None:
    """Each level meets one of the UNet's."""
    made = tiny.controlnet(tmp_path / "a.safetensors", base="sd-1", full=True, hollow=True)
    index = read_safetensors(made)
    for here, into in (("middle_block.1.", 640), ("input_blocks.4.1.", 512)):
        changed = {
            name: entry._replace(shape=(into, *entry.shape[1:]))
            if f"{here}transformer_blocks.0.attn2.to_k" in name
            else entry
            for name, entry in index.tensors.items()
        }
        found = identify(replace(index, tensors=changed))
        assert (found.type, found.bases) == ("controlnet", ())


@pytest.mark.parametrize(("given", "base"), [(12, "sd-2"), (16, "unknown")])
def test_a_unet_for_the_latents_of_another_vae_is_no_base(
    given: int, base: str, tmp_path: Path
) -> None:
    """Marigold takes sixteen channels and gives three pictures; who gives sixteen was trained anew."""
    config = unet_config("sd-2", 320, in_channels=16) | {"out_channels": given}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert identify(tmp_path).base == base


def test_narrow_weights_without_a_configuration_are_unknown(tmp_path: Path) -> None:
    """Nothing is left that says what they are of."""
    made = tiny.pipeline(tmp_path / "tiny", base="sd-1")
    assert identify(made / "unet").base == "sd-1"
    (made / "unet" / "config.json").unlink()
    assert identify(made / "unet").type == "unknown"


@pytest.mark.parametrize("name", [("sd-1", "bk-sdm-small"), ("sdxl", "ssd-1b"), ("sd-1", "sdxs")])
def test_a_cut_of_another_width_is_none_of_the_published(
    name: tuple[str, str], tmp_path: Path
) -> None:
    """As many blocks of fewer channels are a model that somebody made anew."""
    config = cut_settings(*CUTS[name])
    widths = [32 * one for one in (1, 2, 4, 4)[: len(config["down_block_types"])]]
    (tmp_path / "config.json").write_text(json.dumps(config | {"block_out_channels": widths}))
    found = identify(tmp_path)
    assert (found.type.value, found.bases, found.architecture) == ("unet", (), "")
    widths = [10 * one for one in widths]
    (tmp_path / "config.json").write_text(json.dumps(config | {"block_out_channels": widths}))
    assert (identify(tmp_path).base.value, identify(tmp_path).architecture) == name
