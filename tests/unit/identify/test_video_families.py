from __future__ import annotations

import re
from functools import cache

import pytest

from modelshelf.identify import BUILT_IN, identify
from modelshelf.identify.facts import Facts
from modelshelf.schema.identity import Identity, IdentityStatus
from modelshelf.schema.tensor import TensorEntry, TensorIndex
from tests.unit.identify.layouts import Shapes, index_of, prefixed
from tests.unit.identify.video_layouts import hunyuan_video, hunyuan_video_1_5, renamed
from tests.unit.identify.video_models import PUBLISHED, WAN, Published


def name_of(model: Published) -> str:
    return f"{model.rule}-{model.architecture}-{model.variant}".replace("/", "-")


every = pytest.mark.parametrize(
    "model",
    [pytest.param(one, id=name_of(one)) for one in PUBLISHED],
)
denoisers = pytest.mark.parametrize(
    "model",
    [pytest.param(one, id=name_of(one)) for one in PUBLISHED if one.kind == "main"],
)


@cache
def shapes_of(model: Published) -> Shapes:
    """Make each layout once: some have thousands of tensors."""
    return model.shapes()


def said(identity: Identity) -> tuple[str, str, str | None, str | None, str]:
    return (
        identity.type.value,
        identity.base.value,
        identity.variant,
        identity.prediction_type,
        identity.architecture,
    )


def right(model: Published) -> tuple[str, str, str | None, str | None, str]:
    return (model.kind, model.base, model.variant, model.prediction, model.architecture)


@every
def test_published_model_is_known(model: Published) -> None:
    """Type, base, variant, prediction and the architecture's name, and the rule that says so."""
    identity = identify(index_of(shapes_of(model)))
    assert said(identity) == right(model)
    assert identity.evidence[0].rule == model.rule
    assert identity.status is not IdentityStatus.PARTIAL


@every
def test_no_other_family_agrees(model: Published) -> None:
    """No order between families is needed: each is told apart by what it asks."""
    verdicts = BUILT_IN.ask(Facts(index_of(shapes_of(model))))
    assert [one.family.id for one in verdicts if one.missing is None] == [model.rule]


@denoisers
@pytest.mark.parametrize(
    "wrapper",
    ["model.diffusion_model.", "diffusion_model.", "model.", "net.", "generator_ema.model."],
)
def test_wrappers_change_nothing(model: Published, wrapper: str) -> None:
    """They say which program wrote the file."""
    assert said(identify(index_of(prefixed(wrapper, shapes_of(model))))) == right(model)


@denoisers
def test_scaled_fp8_changes_nothing(model: Published) -> None:
    """Scales lie beside the weights, and the matrices alone are of eight bits."""
    tensors: dict[str, TensorEntry] = {"scaled_fp8": TensorEntry("F8_E4M3", (2,), 0, 2)}
    for name, shape in shapes_of(model).items():
        is_matrix = name.endswith(".weight") and len(shape) == 2
        tensors[name] = TensorEntry("F8_E4M3" if is_matrix else "BF16", shape, 0, 2)
        if is_matrix:
            scale = name.removesuffix("weight") + "scale_weight"
            tensors[scale] = TensorEntry("F32", (1,), 0, 4)
    assert said(identify(TensorIndex(tensors))) == right(model)


@denoisers
def test_four_bits_leave_the_base_as_it_is(model: Published) -> None:
    """nf4 packs every matrix into one column of bytes; norms, biases and tables decide."""
    tensors: dict[str, TensorEntry] = {}
    for name, shape in shapes_of(model).items():
        if not name.endswith(".weight") or len(shape) != 2:
            tensors[name] = TensorEntry("BF16", shape, 0, 2)
            continue
        tensors[name] = TensorEntry("U8", (shape[0] * shape[1] // 2, 1), 0, 2)
        tensors[f"{name}.absmax"] = TensorEntry("F32", (shape[0],), 0, 4)
        tensors[f"{name}.quant_map"] = TensorEntry("F32", (16,), 0, 4)
        tensors[f"{name}.quant_state.bitsandbytes__nf4"] = TensorEntry("U8", (120,), 0, 120)
    identity = identify(TensorIndex(tensors))
    assert (identity.type.value, identity.base.value) == (model.kind, model.base)
    assert identity.variant in {model.variant, None}
    assert identity.architecture in {model.architecture, ""}


# A UNet has no list of blocks that are alike, and Cosmos 1 numbers its blocks in words.
@pytest.mark.parametrize(
    "model",
    [
        pytest.param(one, id=name_of(one))
        for one in PUBLISHED
        if one.kind == "main" and not one.rule.startswith(("svd", "cosmos-1"))
    ],
)
def test_a_first_shard_is_a_part_of_its_model(model: Published) -> None:
    """The base is in every block; that most of them are missing is said."""
    numbers = re.compile(r"(?<=blocks\.)[0-9]+|(?<=layers\.)[0-9]+")
    shapes = {
        name: shape
        for name, shape in shapes_of(model).items()
        if all(int(step) < 8 for step in numbers.findall(name))
    }
    identity = identify(index_of(shapes))
    assert (identity.base.value, identity.type.value) == (model.base, model.kind)
    assert identity.status is IdentityStatus.PARTIAL


@pytest.mark.parametrize("model", WAN[:24:2], ids=lambda one: f"{one.architecture}-{one.variant}")
def test_gguf_folds_patches_and_keeps_wan(model: Published) -> None:
    """Four dimensions are what GGUF has; the fifth goes into the first."""
    shapes = dict(shapes_of(model))
    width, channels, *rest = shapes["patch_embedding.weight"]
    shapes["patch_embedding.weight"] = (width * channels, *rest)
    assert said(identify(index_of(shapes))) == right(model)


_COMFY_NAMES = (
    ("_mod.linear", "_mod.lin"),
    (".modulation.linear", ".modulation.lin"),
    ("_attn_qkv", "_attn.qkv"),
    ("_attn_proj", "_attn.proj"),
    ("_attn_q_norm.weight", "_attn.norm.query_norm.scale"),
    ("_attn_k_norm.weight", "_attn.norm.key_norm.scale"),
    (".q_norm.weight", ".norm.query_norm.scale"),
    (".k_norm.weight", ".norm.key_norm.scale"),
    ("mlp.fc1", "mlp.0"),
    ("mlp.fc2", "mlp.2"),
    ("_in.mlp.0", "_in.in_layer"),
    ("_in.mlp.2", "_in.out_layer"),
)


@pytest.mark.parametrize(
    ("shapes", "base"),
    [(hunyuan_video(), "hunyuan-video"), (hunyuan_video_1_5(), "hunyuan-video-1.5")],
    ids=["1", "1.5"],
)
def test_hunyuan_in_comfyuis_names_is_not_flux(shapes: Shapes, base: str) -> None:
    """ComfyUI saves it in FLUX's names, as wide as FLUX."""
    identity = identify(index_of(renamed(shapes, _COMFY_NAMES)))
    assert (identity.type.value, identity.base.value) == ("main", base)
