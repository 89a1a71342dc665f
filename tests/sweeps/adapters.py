"""Every denoiser cut into adapters: parts of it, in whosever names, as every kind of network.

What an adapter is of is known, so that each answer is right, open, or wrong in one of two ways: it leaves
out the base of the denoiser, or it gives one to a denoiser that has none. Both are mistakes, but for the
coincidences that `ACCEPTED` names with their reasons.

The denoisers are those recorded from published classes beside the tests of identification and in
`denoisers/` here, and the module lists that adapters are tested with.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from modelshelf.identify import identify
from modelshelf.schema.identity import Identity
from modelshelf.schema.taxonomy import ModelType
from tests.unit.identify.adapter_layouts import DENOISERS, HALVES, KINDS, NAMINGS, Modules, Writer
from tests.unit.identify.layouts import Shapes, index_of
from tests.unit.identify.recorded import RECORDED, read

__all__ = ["ACCEPTED", "ADAPTED", "Adapted", "Case", "Verdict", "cases_of", "judge"]

NONE = "unknown"
"""What a denoiser without a base belongs to."""


class Verdict(StrEnum):
    """What an answer is worth."""

    RIGHT = "right"
    """The base, or none for a denoiser that has none."""
    OPEN = "open"
    """A set that holds the base, and other denoisers have these modules, too."""
    NEEDLESS = "needlessly open"
    """A set that holds the base, though no other denoiser of the sweep has these modules."""
    SET = "a stranger's, with bases"
    """Several bases for a denoiser that has none, and not that it may be none of them."""
    ACCEPTED = "an accepted coincidence"
    """Wrong, for a reason that `ACCEPTED` gives."""
    EXCLUDED = "its base left out"
    """Wrong: the base is none of those that are left."""
    NAMED = "a stranger's, with one base"
    """Wrong: one base for a denoiser that has none."""
    TYPE = "another type"
    """No LoRA."""


@dataclass(frozen=True, slots=True)
class Adapted:
    """A denoiser that adapters are cut from."""

    base: str
    """What it belongs to; `unknown` where that is no base."""
    modules: Modules
    """Its matrices, convolutions and norms."""


@dataclass(frozen=True, slots=True)
class Case:
    """One adapter."""

    part: str
    """Which modules it changes, in words."""
    naming: str
    """Whose names it has, as in `NAMINGS`."""
    kind: str
    """Which network it is, as in `KINDS` or `HALVES`."""
    modules: Modules
    """What it changes."""

    @property
    def shapes(self) -> Shapes:
        """Its tensors."""
        name, writer = NAMINGS[self.naming], _WRITERS[self.kind]
        return {
            f"{name(path)}.{ending}": shape
            for path, module in self.modules.items()
            for ending, shape in (writer(module, 4) if len(module) > 1 else _norm(module))
        }


ACCEPTED: Mapping[tuple[str, str], str] = {
    ("chroma", "flux"): "FLUX.1 without its modulation: far more people adapt FLUX.1",
    ("kolors", "sdxl sd-1 sd-2 sdxl-refiner"): "SDXL with another label and a layer for its text",
    (
        "cosmos-1-7b",
        "cogview4",
    ): "one attention of each block alone, which is all that CogView4 has",
    ("ltx-video-13b", "cogview4"): "the same of the first 28 of 48 blocks, all in CogView4's names",
    ("ltx 13b", "cogview4"): "the same",
    ("consisid", "cogvideox mochi"): "made of CogVideoX, whose blocks it has",
    (
        "easyanimate",
        "cogvideox mochi",
    ): "the image's attentions alone, as adapters of Mochi have them",
    ("helios", "wan"): "made of Wan, whose blocks it has",
    ("sana-video", "sana"): "Sana 1.6B's attentions in every number",
    ("sana-wm", "sana"): "Sana 1.6B's attentions, and twice as many beside them",
    ("qwen-image-2.1", "flux2"): "the first 8 of 32 blocks, and no others",
    ("joyimage", "flux2"): "the first 8 of 40 blocks, and no others",
    ("glm-image", "cogvideox"): "rotations of what its modulation takes, as wide as CogVideoX's",
    ("bria-fibo", "flux"): "its single blocks alone, which are as many as FLUX.1's",
    ("bria-fibo-2", "flux"): "the same",
}
"""Denoiser (or its base) and bases of which the answer is one or some → why nobody minds."""


def _norm(module: Sequence[int]) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield "diff", tuple(module)


_WRITERS: Mapping[str, Writer] = {
    name: writer for kinds in (KINDS, HALVES) for name, (_, writer) in kinds.items()
}
_FLAT_KINDS = ("kohya", "dora", "tucker", "loha", "lokr", "lokr whole", "glora", "full", "peft")
_DOTTED_KINDS = ("peft", "peft default", "dora peft", "adalora", "diffusers", "lokr", "full")


def _modules_of(shapes: Shapes) -> Modules:
    return {
        name.removesuffix(".weight"): shape
        for name, shape in shapes.items()
        if name.endswith(".weight") and shape
    }


_DOUBLE, _SINGLE = "transformer_blocks", "single_transformer_blocks"
_PUBLISHED: Mapping[str, Mapping[str, int]] = {
    "bria": {_DOUBLE: 8, _SINGLE: 28},
    "bria-fibo": {_DOUBLE: 8, _SINGLE: 38},
    "longcat-image": {_DOUBLE: 10, _SINGLE: 20},
}
"""Blocks of those that were recorded with as many as FLUX.1 has."""
_BLOCK = re.compile(r"(.*?)\.([0-9]+)(?:\.|$)")


def _block(path: str) -> tuple[str, int]:
    found = _BLOCK.match(path)
    return (found[1], int(found[2])) if found else (path, -1)


def _all() -> Iterator[tuple[str, Adapted]]:
    for name, denoiser in DENOISERS.items():
        yield name, Adapted(denoiser.base, denoiser.modules)
    for name, one in RECORDED.items():
        modules = _modules_of(one.shapes)
        for stack, count in _PUBLISHED.get(name, {}).items():
            modules = {
                path: shape
                for path, shape in modules.items()
                if _block(path)[0] != stack or _block(path)[1] < count
            }
        yield name, Adapted(one.base or NONE, modules)
    for path in sorted((Path(__file__).parent / "denoisers").glob("*.txt")):
        whole = read(path)
        yield whole.name, Adapted(whole.base or NONE, _modules_of(whole.shapes))


ADAPTED: Mapping[str, Adapted] = dict(_all())
"""All denoisers by name; of two that are called the same, the one that is recorded whole."""

_ATTENTION = re.compile(r"att|to_[qkv]|qkv|\.[qkvo]$")
_PERCEPTRON = re.compile(r"\.(?:ff|ffn|mlp|feed_forward)|mlp|ff_|net\.|linear[12]$|\.w[123]$")
_CROSS = re.compile(r"attn2|cross_att|add_[qkv]_proj|kv_linear")
_SQUARE = re.compile(r"(?:to_[qkv]|to_out\.0|\.[qkvo]|qkv|proj)$")
_ENDS = (8, 20, 28)
"""Blocks that shorter denoisers have, at which longer ones are cut."""


def parts_of(modules: Modules, chosen: random.Random) -> Iterator[tuple[str, Modules]]:
    """Yield what people adapt, and what nobody does: whole stacks, kinds of layers, ends, a few."""
    matrices = {path: shape for path, shape in modules.items() if len(shape) > 1}
    blocks = {path: shape for path, shape in matrices.items() if _block(path)[1] >= 0}
    highest: dict[str, int] = defaultdict(int)
    for path in blocks:
        stack, number = _block(path)
        highest[stack] = max(number + 1, highest[stack])
    attentions = {
        path: shape
        for path, shape in blocks.items()
        if _ATTENTION.search(path) and not _PERCEPTRON.search(path)
    }
    own = {path: shape for path, shape in attentions.items() if not _CROSS.search(path)}
    yield "matrices", matrices
    yield "matrices and norms", modules
    yield "blocks", blocks
    yield "attentions", attentions
    yield "self-attentions", own
    yield "other attentions", {one: attentions[one] for one in attentions if one not in own}
    yield "perceptrons", {one: blocks[one] for one in blocks if _PERCEPTRON.search(one)}
    yield "square", {one: attentions[one] for one in attentions if _SQUARE.search(one)}
    kinds: dict[str, Modules] = defaultdict(dict)
    for path, shape in blocks.items():
        kinds[re.sub(r"[0-9]+", "#", path)][path] = shape
    for kind in chosen.sample(sorted(kinds), min(4, len(kinds))):
        yield "one kind", kinds[kind]
    place = chosen.randrange(max(highest.values(), default=1))
    yield "first block", {one: blocks[one] for one in blocks if _block(one)[1] == 0}
    yield "one block", {one: blocks[one] for one in blocks if _block(one)[1] == place}
    half = {one: _block(one)[1] < highest[_block(one)[0]] / 2 for one in blocks}
    yield "first half", {one: blocks[one] for one in blocks if half[one]}
    yield "last half", {one: blocks[one] for one in blocks if not half[one]}
    for end in _ENDS:
        if end < max(highest.values(), default=0):
            yield f"{end} blocks of it", {one: own[one] for one in own if _block(one)[1] < end}
    for count in (1, 1, 2, 5, 20):
        paths = chosen.sample(sorted(matrices), min(count, len(matrices)))
        yield f"{count} at random", {one: matrices[one] for one in paths}
    norms = {one: shape for one, shape in modules.items() if len(shape) == 1}
    yield "attentions and norms", {**attentions, **norms} if norms else {}


def cases_of(name: str, *, most: int | None = None) -> Iterator[Case]:
    """Yield the adapters of a denoiser, the same ones each time.

    Args:
        name: Which of `ADAPTED`.
        most: How many, drawn from all of them; None for all.
    """
    # Draws that can be repeated, and no secrets.
    found = list(_cases(name, random.Random(name)))  # noqa: S311 -- as above
    if most is None or most >= len(found):
        return iter(found)
    return iter(random.Random(f"{name}/{most}").sample(found, most))  # noqa: S311 -- as above


def _cases(name: str, chosen: random.Random) -> Iterator[Case]:
    for part, modules in parts_of(ADAPTED[name].modules, chosen):
        for naming in NAMINGS if any(len(one) > 1 for one in modules.values()) else ():
            kinds = _FLAT_KINDS if "." not in NAMINGS[naming]("a.b") else _DOTTED_KINDS
            for kind in (kinds[0], chosen.choice(kinds), chosen.choice(sorted(HALVES))):
                yield Case(part, naming, kind, modules)


def judge(name: str, case: Case) -> tuple[Verdict, Identity]:
    """Say what identification makes of a case, and what that is worth."""
    identity = identify(index_of(case.shapes))
    return _verdict(name, case, identity), identity


def _verdict(name: str, case: Case, identity: Identity) -> Verdict:
    base = ADAPTED[name].base
    answer = {one.value for one in identity.bases or identity.candidates}
    if identity.type not in {ModelType.LORA, ModelType.CONTROL_LORA}:
        return Verdict.TYPE
    if base == NONE and (not answer or NONE in answer):
        return Verdict.RIGHT
    if answer and base not in answer:
        wrong = Verdict.EXCLUDED if base != NONE else Verdict.SET
        wrong = Verdict.NAMED if base == NONE and identity.bases else wrong
        return Verdict.ACCEPTED if is_accepted(name, answer) else wrong
    if identity.bases:
        return Verdict.RIGHT
    return Verdict.OPEN if case.kind in HALVES or _others(name, case) else Verdict.NEEDLESS


def is_accepted(name: str, answer: set[str]) -> bool:
    """Say whether an answer that is wrong is one that nobody minds."""
    own = {name.removesuffix(".original"), ADAPTED[name].base}
    return any(own & {who} and answer <= {*bases.split(), NONE} for (who, bases) in ACCEPTED)


def _others(name: str, case: Case) -> set[str]:
    """Return the bases of denoisers that have all these modules as well."""
    joined = NAMINGS[case.naming]("a.b").endswith("a_b")
    modules = {_written(path, joined=joined): shape for path, shape in case.modules.items()}
    return {
        base
        for base, known in _KNOWN[joined]
        if base != ADAPTED[name].base
        and all(known.get(path) == shape for path, shape in modules.items())
    }


def _written(path: str, *, joined: bool) -> str:
    return path.replace(".", "_") if joined else path


_KNOWN: Mapping[bool, Sequence[tuple[str, Modules]]] = {
    joined: [
        (one.base, {_written(path, joined=joined): shape for path, shape in one.modules.items()})
        for one in ADAPTED.values()
    ]
    for joined in (False, True)
}
"""Bases and modules of all, with steps joined by underscores or not."""
