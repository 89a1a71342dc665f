"""Which of several forms of the same weights is taken: precision, container, shards.

What diffusers loads when it is asked for a variant, and what the document says when a repository does not
have it. Source: `spec/model-manager-v2.md`, "HFModelSource".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from modelshelf.schema.taxonomy import ModelRepoVariant
from modelshelf.sources.weight_names import ADAPTER_STEMS, LAYOUT_STEMS, Weights, WeightsKind

__all__ = ["WantedForm", "form_of", "variant_of", "without_steps"]

_KINDS = {
    ModelRepoVariant.ONNX: WeightsKind.ONNX,
    ModelRepoVariant.OPENVINO: WeightsKind.OPENVINO,
    ModelRepoVariant.FLAX: WeightsKind.FLAX,
}
_VARIANTS = {
    ModelRepoVariant.FP16: ("fp16", "", "bf16", "fp32"),
    ModelRepoVariant.FP32: ("fp32", "", "fp16", "bf16"),
}
_PLAIN = ("", "fp32", "bf16", "fp16")
_SUFFIXES = ("safetensors", "sft", "bin", "pt", "pth", "ckpt", "gguf")
_STEP = re.compile(r"(.+?)[_-](?:step|epoch)?[_-]?(?:\d{6,12}|\d{1,12}steps?)")


class WantedForm:
    """The form that is wanted, and how near another comes to it.

    Example:
        >>> from modelshelf.sources.weight_names import WeightsName, sets_of
        >>> names = ["model.safetensors", "pytorch_model.bin", "pytorch_model.fp16.bin"]
        >>> sets = sets_of(WeightsName.parse(name) for name in names)
        >>> WantedForm(ModelRepoVariant.DEFAULT).best_of_each_folder(sets, WeightsKind.TORCH)[0].paths
        ('model.safetensors',)
    """

    def __init__(self, variant: ModelRepoVariant) -> None:
        self._wanted = variant

    def kind(self, torch: list[Weights], every: list[Weights]) -> WeightsKind:
        """Return the kind that is wanted where it is there, else the first that is.

        Args:
            torch: Where weights for torch are looked for, and first for any other.
            every: Where all others are looked for.
        """
        wanted = _KINDS.get(self._wanted, WeightsKind.TORCH)
        if any(one.kind is wanted for one in (torch if wanted is WeightsKind.TORCH else every)):
            return wanted
        order = (WeightsKind.TORCH, *_KINDS.values())
        found = (
            kind
            for pool in (torch, every)
            for kind in order
            if any(one.kind is kind for one in pool)
        )
        return next(found, wanted)

    def best_of_each_folder(self, sets: list[Weights], kind: WeightsKind) -> list[Weights]:
        """Choose one form for each folder: all that a library saves there are the same model."""
        by_folder: dict[str, list[Weights]] = {}
        for one in sets:
            if one.kind is kind:
                by_folder.setdefault(one.folder, []).append(one)
        chosen = []
        for _, here in sorted(by_folder.items()):
            known = [one for one in here if one.stem in LAYOUT_STEMS | ADAPTER_STEMS]
            if known:
                chosen.append(min(known, key=self._rank))
            else:
                chosen += self.best_of_each_stem(here)
            if kind is WeightsKind.ONNX:
                # Large ones keep their tensors in files beside them, whatever these are called.
                chosen += [one for one in here if not _has_graph(one)]
        return chosen

    def best_of_each_stem(self, sets: Iterable[Weights]) -> list[Weights]:
        """Choose one form for each name in each folder: loose files, which are models of their own."""
        best: dict[tuple[str, str], Weights] = {}
        for one in sorted(sets, key=self._rank):
            best.setdefault((one.folder, one.stem), one)
        return [best[key] for key in sorted(best)]

    def _rank(self, one: Weights) -> tuple[bool, int, int, bool, str, str]:
        order = _VARIANTS.get(self._wanted, _PLAIN)
        return (
            not one.is_whole,
            order.index(one.variant) if one.variant in order else len(order),
            _SUFFIXES.index(one.suffix) if one.suffix in _SUFFIXES else len(_SUFFIXES),
            one.is_sharded,
            one.variant,
            one.stem,
        )


def without_steps(loose: list[Weights]) -> list[Weights]:
    """Leave out what a trainer saved on its way, `ink_000000500` or `ink-000010`, where `ink` is there."""
    there = {(one.folder, one.stem) for one in loose}
    return [
        one
        for one in loose
        if (step := _STEP.fullmatch(one.stem)) is None or (one.folder, step[1]) not in there
    ]


def _has_graph(one: Weights) -> bool:
    return any(path.endswith(".onnx") for path in one.paths)


def form_of(one: Weights) -> ModelRepoVariant:
    """Return the name of the form that *one* has; a word that has no name is the default."""
    for variant, kind in _KINDS.items():
        if one.kind is kind:
            return variant
    words = {"fp16": ModelRepoVariant.FP16, "fp32": ModelRepoVariant.FP32}
    return words.get(one.variant, ModelRepoVariant.DEFAULT)


def variant_of(chosen: list[Weights]) -> ModelRepoVariant | None:
    """Return the form of most components that have forms; the plain one counts least."""
    forms = [form_of(one) for one in chosen]
    special = [form for form in forms if form is not ModelRepoVariant.DEFAULT]
    if special:
        return Counter(special).most_common(1)[0][0]
    return ModelRepoVariant.DEFAULT if forms else None
