"""Which base an adapter belongs to: every denoiser, every trainer's names, every kind of network."""

from __future__ import annotations

import random
import re

import pytest

from modelshelf.identify import identify
from modelshelf.schema.identity import Identity
from tests.unit.identify.adapter_layouts import (
    DENOISERS,
    HALVES,
    KINDS,
    NAMINGS,
    Denoiser,
    Modules,
    adapter,
)
from tests.unit.identify.layouts import Shapes, index_of

_KOHYA, _PEFT = KINDS["kohya"][1], KINDS["peft"][1]


def _identify(shapes: Shapes) -> Identity:
    return identify(index_of(shapes))


def _answer(identity: Identity) -> set[str]:
    """Return the bases that an identity leaves possible; empty where it claims nothing."""
    return {base.value for base in identity.bases or identity.candidates}


def _expected(denoiser: Denoiser) -> set[str]:
    return set(denoiser.among or {denoiser.base})


def ends_of(denoiser: Denoiser) -> Modules:
    """The first and last block of each stack, and one module of all others: quick to write out."""
    highest: dict[str, int] = {}
    first: dict[str, str] = {}
    for path in denoiser.modules:
        stack, number, inner = _block(path)
        highest[stack] = max(number, highest.get(stack, 0))
        first.setdefault(stack, inner)
    return {
        path: shape
        for path, shape in denoiser.modules.items()
        for stack, number, inner in (_block(path),)
        if number in {0, highest[stack]} or inner == first[stack]
    }


def _block(path: str) -> tuple[str, int, str]:
    """Return the stack that a module stands in, the number of its block, and the rest of its path."""
    found = re.match(r"([a-z_0-9]+)\.([0-9]+)\.(.*)", path)
    return (found[1], int(found[2]), found[3]) if found else (path, 0, "")


@pytest.mark.parametrize("naming", NAMINGS)
@pytest.mark.parametrize("name", DENOISERS)
def test_base_is_known_in_every_trainers_names(name: str, naming: str) -> None:
    """The module list decides, whoever wrote it down: joined by dots or by underscores."""
    denoiser = DENOISERS[name]
    writer = _KOHYA if naming in {"kohya", "onetrainer"} else _PEFT
    identity = _identify(adapter(ends_of(denoiser), naming, writer))
    assert identity.type.value == "lora"
    assert _answer(identity) == _expected(denoiser)
    assert identity.variant == denoiser.variant


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", DENOISERS)
def test_base_is_known_by_every_kind_of_network(name: str, kind: str) -> None:
    """Pairs, products, sums and whole differences all show how wide a module is."""
    denoiser = DENOISERS[name]
    network, writer = KINDS[kind]
    naming = "comfy" if kind.startswith(("peft", "diffusers", "dora peft")) else "kohya"
    identity = _identify(adapter(ends_of(denoiser), naming, writer))
    assert _answer(identity) == _expected(denoiser)
    told = dict(identity.details)
    assert told["network"] in ({network, "locon"} if network == "lora" else {network})


@pytest.mark.parametrize("kind", HALVES)
@pytest.mark.parametrize("name", DENOISERS)
def test_half_the_widths_leave_the_base_possible(name: str, kind: str) -> None:
    """Rotations and scales show what a module gives or what it takes, so more may stay open."""
    denoiser = DENOISERS[name]
    network, writer = HALVES[kind]
    identity = _identify(adapter(ends_of(denoiser), "kohya", writer))
    assert denoiser.base in _answer(identity)
    assert dict(identity.details)["network"] == network


def _halves(modules: Modules) -> list[Modules]:
    items = list(modules.items())
    chosen = random.Random(7)  # noqa: S311 -- a shuffle that can be repeated, no secret
    return [
        dict(chosen.sample(items, max(1, len(items) // 2))),
        dict(items[: len(items) // 2]),
        dict(items[len(items) // 2 :]),
        dict(items[::2]),
        {path: shape for path, shape in items if "attn" in path or "attention" in path},
        {path: shape for path, shape in items if "attn" not in path and "attention" not in path},
        {path: shape for path, shape in items if _block(path)[1] == 1},
    ]


@pytest.mark.parametrize("naming", ["kohya", "comfy"])
@pytest.mark.parametrize("name", DENOISERS)
def test_fewer_modules_never_make_another_base(name: str, naming: str) -> None:
    """An absent key is no evidence: what is left gives the same answer, or a set that holds it."""
    denoiser = DENOISERS[name]
    for modules in filter(None, _halves(denoiser.modules)):
        answer = _answer(_identify(adapter(modules, naming, _PEFT, rank=1)))
        assert {denoiser.base, denoiser.behind} & answer, sorted(modules)[:3]


@pytest.mark.parametrize("name", DENOISERS)
def test_single_modules_never_make_another_base(name: str) -> None:
    """A slider of one layer still says no wrong base."""
    denoiser = DENOISERS[name]
    seen: set[str] = set()
    for path, shape in denoiser.modules.items():
        folded = re.sub(r"[0-9]+", "#", path)
        if folded in seen:
            continue
        seen.add(folded)
        answer = _answer(_identify(adapter({path: shape}, "comfy", _PEFT)))
        assert {denoiser.base, denoiser.behind} & answer, path


@pytest.mark.parametrize("name", DENOISERS)
def test_order_of_keys_means_nothing(name: str) -> None:
    """The same tensors in any order are the same identity, evidence included."""
    shapes = adapter(ends_of(DENOISERS[name]), "kohya", _KOHYA)
    shuffled = list(shapes.items())
    random.Random(3).shuffle(shuffled)  # noqa: S311 -- as above
    assert _identify(dict(shuffled)) == _identify(shapes)


@pytest.mark.parametrize("name", DENOISERS)
def test_a_width_that_nobody_has_is_no_base(name: str) -> None:
    """An unseen relative of a family is unknown, never its sibling."""
    wider = {
        path: tuple(side + 8 if at < 2 else side for at, side in enumerate(shape))
        for path, shape in ends_of(DENOISERS[name]).items()
    }
    identity = _identify(adapter(wider, "comfy", _PEFT))
    assert (identity.type.value, _answer(identity)) == ("lora", set())


@pytest.mark.parametrize("name", DENOISERS)
def test_one_strange_module_is_no_base(name: str) -> None:
    """A denoiser that has all of a family's modules and one of its own is another denoiser."""
    modules = {**ends_of(DENOISERS[name]), "blocks.0.strange_layer": (64, 64)}
    assert _answer(_identify(adapter(modules, "comfy", _PEFT))) == set()
