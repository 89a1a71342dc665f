from __future__ import annotations

from collections.abc import Callable

import pytest

from modelshelf.identify import identify
from modelshelf.identify.folding import fold
from modelshelf.schema.tensor import TensorEntry, TensorIndex
from tests.unit.identify.layouts import Shapes, index_of, prefixed
from tests.unit.identify.more_video_layouts import (
    minimax_h3,
    minimax_h3_diffusers,
    motion_modules,
    motion_modules_original,
)
from tests.unit.identify.other_video_layouts import COGVIDEOX_5B, LTX_2B, cogvideox, ltx_video
from tests.unit.identify.video_layouts import WAN_14B, wan
from tests.unit.identify.video_models import PUBLISHED, Published
from tests.unit.identify.video_strangers import STRANGERS, anima, few_blocks

models = pytest.mark.parametrize(
    "model",
    [
        pytest.param(one, id=f"{one.rule}-{one.architecture}-{one.variant}".replace("/", "-"))
        for one in PUBLISHED
    ],
)


@models
def test_without_any_one_group_it_is_never_another_base(model: Published) -> None:
    """What is missing may leave a model unknown, and never makes it its neighbour."""
    shapes = few_blocks(model.shapes())
    folded = dict(zip(shapes, fold(shapes), strict=True))
    for group in sorted(set(folded.values())):
        rest = {name: shape for name, shape in shapes.items() if folded[name] != group}
        found = identify(index_of(rest))
        assert found.base.value in {model.base, "unknown"}, group
        assert found.type.value in {model.kind, "unknown"}, group


@models
def test_half_of_the_blocks_are_no_other_model(model: Published) -> None:
    """A shard, or a file that was cut: the same base, or none."""
    shapes = {
        name: shape
        for name, shape in model.shapes().items()
        if all(int(step) % 2 == 0 for step in name.split(".") if step.isdigit())
    }
    assert identify(index_of(shapes)).base.value in {model.base, "unknown"}


@models
def test_names_alone_are_never_another_base(model: Published) -> None:
    """An index of shards tells names and no shapes: open where widths would decide."""
    found = identify(TensorIndex({name: TensorEntry("", (), 0, 0) for name in model.shapes()}))
    assert found.base.value in {model.base, "unknown"}
    assert found.type.value == model.kind
    assert found.variant in {model.variant, None}
    assert found.architecture in {model.architecture, ""}
    assert found.prediction_type in {model.prediction, None}


def narrower(shapes: Shapes, width: int, other: int) -> Shapes:
    """The same architecture in a width that nobody published."""
    return {
        name: tuple(side // width * other if side % width == 0 else side for side in shape)
        for name, shape in shapes.items()
    }


@pytest.mark.parametrize("make", STRANGERS)
def test_look_alike_is_no_model_of_the_base(make: Callable[[], Shapes]) -> None:
    """Most of its names are a known model's; what it has beyond them, or lacks, decides."""
    for wrapper in ("", "model.diffusion_model."):
        found = identify(index_of(prefixed(wrapper, make())))
        assert (found.bases, found.candidates) == ((), ())


@pytest.mark.parametrize(
    "layer", ["audio_cross_attn_wrapper.audio_cross_attn.q", "audio_cross_attn.q"]
)
def test_wan_that_hears_is_no_plain_variant(layer: str) -> None:
    """HuMo and MultiTalk attend to sounds in every block, whatever reads the sounds."""
    added = {f"blocks.{number}.{layer}.weight": (5120, 5120) for number in range(40)}
    identity = identify(index_of(wan(*WAN_14B, inputs=36) | added))
    assert (identity.base.value, identity.variant, identity.architecture) == ("wan", None, "")


def test_anima_is_not_cosmos() -> None:
    """Every block is Predict2's, and its LoRAs are not."""
    assert identify(index_of(anima())).base.value in {"anima", "unknown"}


@pytest.mark.parametrize("make", [minimax_h3, minimax_h3_diffusers])
def test_minimax_h3_is_joined_by_pictures_sound_and_text(make: Callable[[], Shapes]) -> None:
    """With the same blocks, what reads or gives something else is no model of the base."""
    shapes = make()
    joints = [
        name
        for name, shape in shapes.items()
        if name.endswith(".weight") and {96, 32, 5120}.intersection(shape)
    ]
    assert len(joints) == 5
    for name in joints:
        other = tuple(side if side == 5376 else 2 * side for side in shapes[name])
        bias = {name.replace("weight", "bias"): other[:1]}
        found = identify(index_of(shapes | {name: other} | bias))
        assert (found.bases, found.candidates) == ((), ()), name


@pytest.mark.parametrize(
    "shapes",
    [
        narrower(wan(*WAN_14B), 5120, 4608),
        narrower(ltx_video(*LTX_2B), 2048, 1920),
        narrower(cogvideox(*COGVIDEOX_5B), 3072, 2560),
        narrower(motion_modules_original(motion_modules()), 320, 384),
    ],
    ids=["wan", "ltx", "cogvideox", "animatediff"],
)
def test_unpublished_width_is_unknown(shapes: Shapes) -> None:
    """Names without the width are another model's until somebody publishes it."""
    found = identify(index_of(shapes))
    assert (found.type.value, found.bases) == ("unknown", ())
    assert found.near_misses
