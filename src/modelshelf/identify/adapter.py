"""An adapter is its targets: every trainer's names mapped to modules with their widths."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from modelshelf.identify.layout import Layout
from modelshelf.schema.tensor import TensorIndex

__all__ = ["AdapterNaming", "Target", "find_targets", "naming_of"]


class AdapterNaming(StrEnum):
    """Whose way of writing names an adapter follows."""

    KOHYA = "kohya"
    """`lora_unet_…`, `lycoris_…`: kohya's scripts and LyCORIS."""
    DIFFUSERS = "diffusers"
    """`unet.…`, `transformer.…` with `lora_A`/`lora_B` or an older diffusers ending."""
    ORIGINAL = "original"
    """The denoiser's own paths: ai-toolkit, ComfyUI, XLabs."""


@dataclass(slots=True)
class Target:
    """All adapted modules of one model whose paths differ in numbers only."""

    names: list[str] = field(default_factory=list)
    """Tensors that adapt them."""
    inputs: set[int] = field(default_factory=set)
    """Input widths that occur; empty where the tensors do not tell."""
    outputs: set[int] = field(default_factory=set)
    """Output widths that occur."""
    ranks: set[int] = field(default_factory=set)
    """Dimensions of the weights: 2 for linear layers, 4 for convolutions."""

    @property
    def example(self) -> str:
        """The first name in order of text."""
        return min(self.names)

    def highest(self, step: int) -> int:
        """Return the largest number at place *step* among the numbers of a path; -1 without."""
        found = (re.findall(r"(?<=[._])[0-9]{1,9}(?=[._])", name) for name in self.names)
        return max((int(numbers[step]) for numbers in found if len(numbers) > step), default=-1)


# Endings of adapter tensors. Which side of a module's weight the shape tells is in `_measure`.
_ENDING = re.compile(
    r"(?:\.(?P<kind>lora_down|lora_up|lora_mid|lora_A|lora_B|lora\.down|lora\.up"
    r"|lora_linear_layer\.down|lora_linear_layer\.up"
    r"|hada_w[12]_[ab]|hada_t[12]|lokr_w[12]|lokr_w[12]_[ab]|lokr_t2|oft_blocks|oft_diag"
    r"|diff|diff_b|w_norm|b_norm|dora_scale|lora_magnitude_vector|alpha)"
    r"|_lora[12]?\.(?P<old>down|up))(?:\.default)?(?:\.weight|\.bias)?$"
)
_TELLING = ("lora", "hada_", "lokr_", "oft_", ".diff\n", "dora_")
_KOHYA = (
    ("lora_unet_", "denoiser"),
    ("lora_transformer_", "denoiser"),
    ("lycoris_", "denoiser"),
    ("lora_te1_", "text_1"),
    ("lora_te2_", "text_2"),
    ("lora_te3_", "text_3"),
    ("lora_te_", "text"),
)
_DOTTED = (
    ("model.diffusion_model.", "denoiser"),
    ("diffusion_model.", "denoiser"),
    ("transformer.", "denoiser"),
    ("unet.", "denoiser"),
    ("text_encoder.", "text"),
    ("text_encoder_2.", "text_2"),
    ("text_encoder_3.", "text_3"),
)


def find_targets(layout: Layout) -> dict[str, Target]:
    """Return the modules that the tensors adapt, as `model:path` with `_` between the steps.

    The model is `denoiser`, `text`, `text_1`, `text_2` or `text_3`. Empty where no tensor ends as
    adapters' tensors do.
    """
    targets: dict[str, Target] = {}
    if not any(mark in layout.text for mark in _TELLING):
        return targets
    for folded, names in layout.folded.items():
        found = _ENDING.search(folded)
        if found is None:
            continue
        target = targets.setdefault(_module(folded[: found.start()]), Target())
        target.names += names
        _measure(target, (found["kind"] or found["old"]).rpartition(".")[2], names, layout.index)
    # Networks that are no adapter have parameters called `alpha` too.
    if not any(mark in f"{target.names[0]}\n" for target in targets.values() for mark in _TELLING):
        return {}
    if "lokr_" in layout.text:
        for target in targets.values():
            _measure_lokr(target, layout.index)
    return targets


def naming_of(layout: Layout) -> AdapterNaming:
    """Say whose names the adapter in *layout* follows."""
    if any(name.startswith(("lora_", "lycoris_")) for name in layout.folded):
        return AdapterNaming.KOHYA
    starts = ("unet.", "transformer.", "text_encoder", "base_model.model.")
    if any(name.startswith(starts) for name in layout.folded):
        return AdapterNaming.DIFFUSERS
    return AdapterNaming.ORIGINAL


def _module(path: str) -> str:
    path = path.removeprefix("base_model.model.")
    for prefix, model in (*_KOHYA, *_DOTTED):
        if path.startswith(prefix):
            return f"{model}:{_flat(path[len(prefix) :])}"
    return f"denoiser:{_flat(path)}"


def _flat(path: str) -> str:
    return path.replace(".processor.", ".").replace(".", "_")


_IN_SECOND = {"lora_down", "lora_A", "down"}
_OUT_FIRST = {"lora_up", "lora_B", "up"}


def _measure(target: Target, kind: str, names: list[str], index: TensorIndex) -> None:
    """Add to *target* the widths that tensors of one kind tell."""
    shapes = {index.tensors[name].shape for name in names}
    for shape in shapes:
        if kind in _IN_SECOND and len(shape) > 1:
            target.inputs.add(shape[1])
            target.ranks.add(len(shape))
        elif kind in _OUT_FIRST and len(shape) > 1:
            target.outputs.add(shape[0])
        elif kind == "diff" and len(shape) > 1:
            target.outputs.add(shape[0])
            target.inputs.add(shape[1])
            target.ranks.add(len(shape))
        elif kind == "hada_w1_a" and len(shape) > 1:
            target.outputs.add(shape[0])
        elif kind == "hada_w1_b" and len(shape) > 1:
            target.inputs.add(shape[1])
        elif kind == "oft_blocks" and len(shape) > 1:
            target.outputs.add(shape[0] * shape[1])


_LOKR = re.compile(r"\.lokr_(w[12])(?:_([ab]))?$")


def _measure_lokr(target: Target, index: TensorIndex) -> None:
    """Multiply the factors of a Kronecker product: its weight is as wide as both together.

    A factor is whole (`lokr_w1`) or itself a product (`lokr_w1_a` times `lokr_w1_b`).
    """
    modules: dict[str, dict[str, int]] = {}
    for name in target.names:
        found = _LOKR.search(name)
        if found is None or len(shape := index.tensors[name].shape) < len(("out", "in")):
            continue
        sides = modules.setdefault(name[: found.start()], {})
        factor, half = found.groups()
        if half != "b":
            sides[f"{factor} out"] = shape[0]
        if half != "a":
            sides[f"{factor} in"] = shape[1]
    for sides in modules.values():
        if {"w1 in", "w2 in"} <= sides.keys():
            target.inputs.add(sides["w1 in"] * sides["w2 in"])
        if {"w1 out", "w2 out"} <= sides.keys():
            target.outputs.add(sides["w1 out"] * sides["w2 out"])
