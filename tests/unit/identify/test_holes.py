from __future__ import annotations

import random

import pytest

from modelshelf.identify import BUILT_IN, identify
from modelshelf.identify.facts import Facts
from modelshelf.identify.holes import has_holes, judge_with_holes, judge_without_one
from modelshelf.schema.identity import Identity, IdentityStatus
from tests.unit.identify import layouts
from tests.unit.identify.layouts import SD_1, Shapes, index_of
from tests.unit.identify.parts.image_vae_layouts import kl_vae
from tests.unit.identify.recorded import RECORDED


def thinned(shapes: Shapes, seed: int, share: float = 0.1) -> Shapes:
    """Leave out so many of the modules, all tensors of a module together."""
    chance = random.Random(seed)  # noqa: S311 - not a secret
    modules = sorted({name.rpartition(".")[0] for name in shapes})
    kept = {module for module in modules if chance.random() >= share}
    return {name: shape for name, shape in shapes.items() if name.rpartition(".")[0] in kept}


def bases(identity: Identity) -> set[str]:
    return {base.value for base in identity.bases or identity.candidates}


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_a_whole_model_has_no_holes(name: str) -> None:
    """Of no published denoiser do two modules each lack a block that the other has."""
    assert not has_holes(Facts(index_of(RECORDED[name].shapes)))


@pytest.mark.parametrize(
    "name",
    ["flux-dev", "flux-schnell", "sd-3-medium", "qwen-image", "sana-1.6b", "z-image.original"],
)
def test_a_model_that_lost_modules_here_and_there_is_the_same_model(name: str) -> None:
    """Mostly, also where its rule asks for what is lost; never another one."""
    recorded = RECORDED[name]
    found = [bases(identify(index_of(thinned(recorded.shapes, seed)))) for seed in range(20)]
    assert all(one in ({recorded.base}, set()) for one in found)
    assert sum(map(bool, found)) >= 14


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_a_model_that_lost_modules_here_and_there_is_no_other(name: str) -> None:
    """Nothing is fine, and the right answer: another one never."""
    recorded = RECORDED[name]
    whole = identify(index_of(recorded.shapes))
    for share in (0.03, 0.1, 0.25):
        identity = identify(index_of(thinned(recorded.shapes, 7, share)))
        assert not identity.bases or set(identity.bases) == set(whole.bases)
        assert not identity.bases or identity.type == whole.type


def lacking(name: str, *modules: str) -> Shapes:
    """Return a published denoiser without these modules."""
    shapes = RECORDED[name].shapes
    return {one: shape for one, shape in shapes.items() if one.rpartition(".")[0] not in modules}


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("flux-schnell", "x_embedder"),
        ("sd-3-medium", "context_embedder"),
        ("sana-1.6b", "caption_projection.linear_1"),
        ("flux2-dev.original", "txt_in"),
        ("z-image.original", "cap_embedder.0"),
    ],
)
def test_one_lost_module_is_named(name: str, module: str) -> None:
    """All else that the rule asks for is there, so the model is the same, and its variant is open."""
    whole = identify(index_of(RECORDED[name].shapes))
    identity = identify(index_of(lacking(name, module)))
    assert (identity.type, identity.bases) == (whole.type, whole.bases)
    assert identity.status is IdentityStatus.PARTIAL
    assert (module, "missing") in {(one.where, one.found) for one in identity.evidence}
    assert identity.variant in {None, whole.variant}


def test_the_variant_that_a_lost_module_told_is_open() -> None:
    """What comes into FLUX.1 tells an edition that fills from the others."""
    assert identify(index_of(RECORDED["flux-fill"].shapes)).variant is not None
    assert identify(index_of(lacking("flux-fill", "x_embedder"))).variant is None


def test_the_architecture_that_a_lost_module_told_is_open() -> None:
    """The width of the mapper of words tells the two sizes of Stable Cascade's stage C."""
    identity = identify(index_of(lacking("stable-cascade-c-lite", "clip_txt_mapper")))
    assert (identity.base, identity.architecture) == ("stable-cascade", "")


def test_another_shape_is_not_lost() -> None:
    """A module that is there and has another width makes another model."""
    shapes = RECORDED["sd-3-medium"].shapes
    other = shapes | {"context_embedder.weight": (1536, 2304)}
    assert identify(index_of(other)).type == "unknown"


def test_two_lost_modules_of_a_rule_are_too_many() -> None:
    """Without a sign that modules were lost by chance, two are another model."""
    without = lacking("sd-3-medium", "context_embedder", "time_text_embed.text_embedder.linear_1")
    assert identify(index_of(without)).type == "unknown"


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_no_denoiser_is_another_base_without_a_module(name: str) -> None:
    """Had nobody written its rule, a lost module would make none of another base of it."""
    facts = Facts(index_of(RECORDED[name].shapes))
    own = identify(index_of(RECORDED[name].shapes))
    known = {*own.bases, *own.candidates}
    rules = {one.rule for one in own.evidence}
    others = [
        family.judge(facts)
        for family in BUILT_IN
        if family.id not in rules and known.isdisjoint((*family.bases, *family.candidates))
    ]
    assert not judge_without_one(facts, others)


def test_a_lost_module_is_told_from_a_kind_that_has_none() -> None:
    """Where all of a part is gone, others that are lost say that it may be lost as well."""
    shapes = RECORDED["sd-3-medium"].shapes
    without = lacking("sd-3-medium", "pos_embed.proj", "context_embedder")
    assert identify(index_of(without)).type == "unknown"
    without = {name: one for name, one in shapes.items() if not name.startswith("pos_embed.proj.")}
    others = ("transformer_blocks.3.attn.to_q.", "transformer_blocks.7.attn.to_k.")
    lossy = {name: one for name, one in without.items() if not name.startswith(others)}
    identity = identify(index_of(lossy))
    assert (identity.base, identity.status) == ("sd-3", IdentityStatus.PARTIAL)


def test_a_list_of_which_nothing_is_there_is_not_lost() -> None:
    """Chance takes a module here and there, and no part of a model as a whole."""
    shapes = thinned(RECORDED["flux-dev"].shapes, 1)
    facts = Facts(index_of(shapes)).leniently()
    assert has_holes(facts)
    agreed = {verdict.family.id for verdict in judge_with_holes(facts, BUILT_IN)}
    assert not any("controlnet" in one for one in agreed)


def test_a_larger_model_with_holes_is_no_smaller_one() -> None:
    """Together the modules of a list tell how many blocks it had: twelve that lost some are not eight."""
    smaller, larger = (_whole_blocks(kl_vae(4, levels=levels, quant=8)) for levels in (3, 4))
    assert bases(identify(index_of(smaller))) == {"sd-2"}
    assert bases(identify(index_of(larger))) == {"sd-1", "sd-2", "sdxl"}
    for seed in range(30):
        assert bases(identify(index_of(thinned(larger, seed, 0.25)))) != {"sd-2"}


def _whole_blocks(shapes: Shapes) -> Shapes:
    """Return *shapes* with what else stands beside the first convolution of each block."""
    return shapes | {
        name.replace(".conv1.", f".{module}."): shape
        for name, shape in shapes.items()
        for module in ("conv2", "norm1", "norm2")
        if ".conv1." in name
    }


def test_what_a_rule_denies_is_not_lost() -> None:
    """A UNet that lost its first convolution is not for that a UNet with another one."""
    block = "output_blocks.{}.1.transformer_blocks.0.{}."
    lost = ("input_blocks.0.0.", block.format(3, "attn2.to_v"), block.format(4, "attn1.to_q"))
    prefixes = tuple(f"model.diffusion_model.{one}" for one in lost)
    shapes = layouts.checkpoint(SD_1)
    lossy = {name: one for name, one in shapes.items() if not name.startswith(prefixes)}
    assert bases(identify(index_of(lossy))) == {"sd-1"}


def test_a_list_may_count_every_second_number() -> None:
    """The attentions of an IP-Adapter are the odd ones of 32; one that lost two is not a larger one."""
    shapes = {
        f"ip_adapter.{number}.to_{one}_ip.weight": (320, 768)
        for number in range(1, 32, 2)
        for one in "kv"
    }
    assert identify(index_of(shapes)).base == "sd-1"
    for lost in ("ip_adapter.17.to_k_ip.weight", "ip_adapter.17."):
        rest = {name: one for name, one in shapes.items() if not name.startswith(lost)}
        identity = identify(index_of(rest))
        assert (identity.base, identity.status) == ("sd-1", IdentityStatus.PARTIAL)


def test_the_order_of_tensors_says_nothing_of_holes() -> None:
    """The same file in another order is the same model."""
    shapes = thinned(RECORDED["qwen-image"].shapes, 5)
    names = sorted(shapes, reverse=True)
    assert identify(index_of(shapes)) == identify(index_of({name: shapes[name] for name in names}))
