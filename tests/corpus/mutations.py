"""What happens to published files on their way to a user, without making another model of them."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from math import prod

from modelshelf.schema.tensor import TensorEntry

__all__ = ["DROPPING", "KEEPING", "Mutation", "Tensors", "modules_by_kind", "without_module"]

Tensors = Mapping[str, TensorEntry]
Mutation = Callable[[Tensors, random.Random], Tensors]

_F8 = "F8_E4M3"
_NUMBER = re.compile("[0-9]+")
_BLOCK = re.compile(r"(?:(?<=blocks)|(?<=layers))\.[0-9]+\.")


def _wrapped(prefix: str) -> Mutation:
    return lambda tensors, _: {prefix + name: entry for name, entry in tensors.items()}


def _unwrapped(tensors: Tensors, _: random.Random) -> Tensors:
    """Take the first step off where all names share one that is a wrapper."""
    for prefix in ("model.diffusion_model.", "model.", "net.", "transformer.", "module."):
        if all(name.startswith(prefix) for name in tensors):
            return {name.removeprefix(prefix): entry for name, entry in tensors.items()}
    return tensors


def _shuffled(tensors: Tensors, chance: random.Random) -> Tensors:
    names = sorted(tensors)
    chance.shuffle(names)
    return {name: tensors[name] for name in names}


def _cast(tensors: Tensors, _: random.Random) -> Tensors:
    return {
        name: entry._replace(dtype="BF16") if entry.dtype else entry
        for name, entry in tensors.items()
    }


def _scaled_first(tensors: Tensors, _: random.Random) -> Tensors:
    """ComfyUI's first form of scaled fp8."""
    found: dict[str, TensorEntry] = {"scaled_fp8": TensorEntry(_F8, (0,), 0, 0)}
    for name, entry in tensors.items():
        found[name] = entry
        if name.endswith(".weight") and len(entry.shape) == 2:
            stem = name.removesuffix("weight")
            found[name] = entry._replace(dtype=_F8)
            found[stem + "scale_weight"] = TensorEntry("F32", (), 0, 4)
            found[stem + "scale_input"] = TensorEntry("F32", (), 0, 4)
    return found


def _scaled_second(tensors: Tensors, _: random.Random) -> Tensors:
    """ComfyUI's second form."""
    found: dict[str, TensorEntry] = {}
    for name, entry in tensors.items():
        found[name] = entry
        if name.endswith(".weight") and len(entry.shape) == 2:
            stem = name.removesuffix("weight")
            found[name] = entry._replace(dtype=_F8)
            found[stem + "weight_scale"] = TensorEntry("F32", (), 0, 4)
            found[stem + "input_scale"] = TensorEntry("F32", (1,), 0, 4)
            found[stem + "comfy_quant"] = TensorEntry("U8", (64,), 0, 64)
    return found


def _in_four_bits(tensors: Tensors, _: random.Random) -> Tensors:
    """Pack as bitsandbytes does, which hides the shapes of matrices."""
    found: dict[str, TensorEntry] = {}
    for name, entry in tensors.items():
        is_linear = name.endswith(".weight") and len(entry.shape) == 2 and "embed" not in name
        if is_linear and prod(entry.shape) % 2 == 0:
            packed = prod(entry.shape) // 2
            found[name] = TensorEntry("U8", (packed, 1), 0, packed)
            found[name + ".absmax"] = TensorEntry("U8", (packed // 32,), 0, packed // 32)
            found[name + ".quant_map"] = TensorEntry("F32", (16,), 0, 64)
            found[name + ".quant_state.bitsandbytes__nf4"] = TensorEntry("U8", (90,), 0, 90)
        else:
            found[name] = entry
    return found


def _with_ema(tensors: Tensors, _: random.Random) -> Tensors:
    """Add the flattened copies that training keeps, as CompVis' code writes them."""
    flat = {
        "model_ema." + name.removeprefix("model.").replace(".", ""): entry
        for name, entry in tensors.items()
    }
    counters = {
        "model_ema.decay": TensorEntry("F32", (), 0, 4),
        "model_ema.num_updates": TensorEntry("I32", (), 0, 4),
    }
    return {**tensors, **flat, **counters}


def _with_ema_copy(tensors: Tensors, _: random.Random) -> Tensors:
    return {**tensors, **{f"ema.{name}": entry for name, entry in tensors.items()}}


def _with_leftovers(tensors: Tensors, _: random.Random) -> Tensors:
    """Add what trainers leave behind."""
    left = ("alphas_cumprod", "betas", "global_step_tensor", "logit_scale", "x._extra_state")
    return {**tensors, **{name: TensorEntry("F32", (1,), 0, 4) for name in left}}


def _half(tensors: Tensors, chance: random.Random) -> Tensors:
    """Leave out half of the modules: all tensors of a module go together."""
    modules = sorted({_module(name) for name in tensors})
    kept = set(chance.sample(modules, (len(modules) + 1) // 2))
    return {name: entry for name, entry in tensors.items() if _module(name) in kept}


def _module(name: str) -> str:
    for end in (
        ".lora",
        ".alpha",
        ".dora",
        ".hada",
        ".lokr",
        ".oft",
        ".diff",
        ".processor",
        "_lora",
    ):
        name = name.partition(end)[0]
    return name


def _a_few_gone(tensors: Tensors, chance: random.Random) -> Tensors:
    """Leave out three tensors."""
    gone = set(chance.sample(sorted(tensors), min(3, len(tensors) - 1)))
    return {name: entry for name, entry in tensors.items() if name not in gone}


def _a_module_gone(tensors: Tensors, chance: random.Random) -> Tensors:
    """Leave out all tensors of one module."""
    gone = chance.choice(sorted({name.rpartition(".")[0] for name in tensors}))
    return without_module(tensors, gone) or tensors


def without_module(tensors: Tensors, module: str) -> Tensors:
    """Leave out all tensors of this module."""
    return {name: one for name, one in tensors.items() if name.rpartition(".")[0] != module}


def modules_by_kind(tensors: Tensors) -> Mapping[str, list[str]]:
    """Return all modules, sorted, by their names without numbers."""
    kinds: dict[str, list[str]] = {}
    for module in sorted({name.rpartition(".")[0] for name in tensors}):
        kinds.setdefault(_NUMBER.sub("#", module), []).append(module)
    return kinds


def _a_tenth_gone(tensors: Tensors, chance: random.Random) -> Tensors:
    """Leave out every tenth module, here and there."""
    modules = sorted({name.rpartition(".")[0] for name in tensors})
    gone = set(chance.sample(modules, len(modules) // 10))
    return {name: one for name, one in tensors.items() if name.rpartition(".")[0] not in gone}


def _framed(tensors: Tensors, _: random.Random) -> Tensors:
    """Compile each block of a list by itself."""
    return {_BLOCK.sub(r"\g<0>_orig_mod.", name, count=1): one for name, one in tensors.items()}


def _a_block_gone(tensors: Tensors, chance: random.Random) -> Tensors:
    """Leave out everything below one prefix of two steps or more."""
    stems = sorted({name.rpartition(".")[0].rpartition(".")[0] for name in tensors} - {""})
    if not stems:
        return tensors
    gone = chance.choice(stems) + "."
    return {name: entry for name, entry in tensors.items() if not name.startswith(gone)} or tensors


KEEPING: Mapping[str, Mutation] = {
    **{
        f"inside {prefix}": _wrapped(prefix)
        for prefix in ("model.", "module.", "_orig_mod.", "state_dict.", "never_seen_before.")
    },
    "without its wrapper": _unwrapped,
    "shuffled": _shuffled,
    "cast": _cast,
    "scaled fp8": _scaled_first,
    "scaled fp8 of the second form": _scaled_second,
    "nf4": _in_four_bits,
    "with a flat EMA": _with_ema,
    "with a copy": _with_ema_copy,
    "with leftovers": _with_leftovers,
    "compiled block by block": _framed,
}
"""What leaves the model as it was: the answer stays, or grows by candidates."""
DROPPING: Mapping[str, Mutation] = {
    "half of its modules": _half,
    "three tensors gone": _a_few_gone,
    "a module gone": _a_module_gone,
    "a block gone": _a_block_gone,
    "a tenth of its modules gone": _a_tenth_gone,
}
"""What takes a part away: the answer stays, grows or is lost, and never becomes another."""
