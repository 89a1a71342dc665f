"""Makes LoRA files in the names of the trainers that people use.

A LoRA is its targets: module paths with the widths going in and out, always the published ones. Its
size follows the rank, and the number of modules where a wanted size falls between two ranks.

Source: kohya-ss/sd-scripts `networks/lora*.py` and diffusers' PEFT integration
(`unet.…lora_A.weight`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from modelshelf.testing.tiny.layout import Layout, Shape
from modelshelf.testing.tiny.payload import Tensors, header_bytes, payload_size, write_safetensors
from modelshelf.testing.tiny.scale import ENCODERS, encoder_layout, largest
from modelshelf.testing.tiny.text import CLIPS
from modelshelf.testing.tiny.transformer import (
    FLUX_DOUBLE,
    FLUX_SINGLE,
    FLUX_WIDTH,
    SD3_BLOCKS,
    SD3_WIDTH,
    flux_layout,
    sd3_layout,
)
from modelshelf.testing.tiny.unet import ldm_unet_name, unet_layout

__all__ = ["lora", "lora_layout"]

KOHYA_VERSIONS: Mapping[str, str] = MappingProxyType(
    {"sd-1": "sd_v1", "sd-2": "sd_v2", "sdxl": "sdxl_base_v1-0", "sd-3": "sd3_m", "flux": "flux1"}
)


def lora(
    path: Path | str,
    *,
    base: str = "sd-1",
    style: str = "kohya",
    rank: int = 4,
    seed: int = 0,
    size: int | None = None,
    dtype: str = "F16",
    hollow: bool = False,
) -> Path:
    """Make a LoRA file.

    Args:
        path: The file.
        base: `sd-1`, `sd-2`, `sdxl`, `sd-3` or `flux`.
        style: `kohya`, with the text encoder and training metadata, or `peft`, as diffusers saves
            it.
        rank: The inner dimension; 3 MB for sd-1 at 4.
        seed: Of the weights.
        size: Wanted bytes; takes the place of *rank*, and leaves modules out where no rank fits.
        dtype: Of the weights.
        hollow: True header, weights a hole that takes no disk.

    Returns:
        The path.
    """
    modules = _modules(base, style)
    if size is not None:
        rank = largest(lambda rank: _file_size(_adapted(modules, style, rank), dtype), size)
        rank += int(_file_size(_adapted(modules, style, rank), dtype) < size)
        modules = _fitting(modules, style, rank, dtype, size)
    tensors = {name: (dtype, shape) for name, shape in _adapted(modules, style, rank).items()}
    metadata = _kohya_metadata(base, rank) if style == "kohya" else {"format": "pt"}
    return write_safetensors(path, tensors, seed=f"{seed}:lora", metadata=metadata, hollow=hollow)


def lora_layout(base: str, *, style: str = "kohya", rank: int = 4) -> Layout:
    """Name and size every tensor of a LoRA.

    Example:
        >>> lora_layout("sd-2", style="peft", rank=8)[
        ...     "unet.mid_block.attentions.0.transformer_blocks.0.attn2.to_k.lora_A.weight"
        ... ]
        (8, 1024)
    """
    return _adapted(_modules(base, style), style, rank)


def _adapted(modules: Layout, style: str, rank: int) -> dict[str, Shape]:
    layout: dict[str, Shape] = {}
    for name, (out, into, *kernel) in modules.items():
        ones = (1,) * len(kernel)
        down, up = (rank, into, *ones), (out, rank, *ones)
        if style == "kohya":
            layout |= {
                f"{name}.alpha": (),
                f"{name}.lora_down.weight": down,
                f"{name}.lora_up.weight": up,
            }
        else:
            layout |= {f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up}
    return layout


def _fitting(modules: Layout, style: str, rank: int, dtype: str, size: int) -> Layout:
    """As many modules as fit; what reads the text comes first, because it tells the base."""
    names = sorted(modules, key=lambda name: "attn2" not in name)

    def first(count: int) -> Layout:
        return {name: modules[name] for name in names[:count]}

    return first(
        largest(
            lambda count: _cost(first(count), style, rank, dtype, whole=count <= len(names)), size
        )
    )


def _cost(modules: Layout, style: str, rank: int, dtype: str, *, whole: bool) -> int:
    return _file_size(_adapted(modules, style, rank), dtype) if whole else 1 << 62


def _file_size(layout: Layout, dtype: str) -> int:
    tensors: Tensors = {name: (dtype, shape) for name, shape in layout.items()}
    return len(header_bytes(tensors)) + payload_size(tensors)


def _modules(base: str, style: str) -> Layout:
    """The modules that are adapted, with (out, in) and the kernel of convolutions."""
    return dict(_kohya_modules(base)) if style == "kohya" else dict(_peft_modules(base))


def _kohya_modules(base: str) -> Iterator[tuple[str, Shape]]:
    if base == "flux":
        targets = _flux_targets()
    elif base == "sd-3":
        targets = _sd3_targets()
    else:
        targets = _unet_targets(base)
    yield from ((f"lora_unet_{name.replace('.', '_')}", shape) for name, shape in targets)
    clips = [name for name in ENCODERS[base] if name in CLIPS]
    several = base not in {"sd-1", "sd-2"}
    for number, clip in enumerate(clips, start=1):
        prefix = f"lora_te{number}_" if several else "lora_te_"
        for name, shape in _matrices(encoder_layout(CLIPS[clip])):
            if ".layers." in name:
                yield prefix + name.replace(".", "_"), shape


def _peft_modules(base: str) -> Iterator[tuple[str, Shape]]:
    if base in {"flux", "sd-3"}:
        layout = flux_layout() if base == "flux" else sd3_layout()
        wanted = ("attn.", "ff.", "ff_context.") if base == "flux" else ("attn.",)
        for name, shape in _matrices(layout):
            inner = name.partition("transformer_blocks.")[2].partition(".")[2]
            if inner.startswith(wanted):
                yield f"transformer.{name}", shape
        return
    for name, shape in _matrices(unet_layout(base)):
        if ".attn1." in name or ".attn2." in name:
            yield f"unet.{name}", shape


def _matrices(layout: Layout) -> Iterator[tuple[str, Shape]]:
    for name, shape in layout.items():
        if len(shape) > 1 and name.endswith(".weight"):
            yield name.removesuffix(".weight"), shape


def _unet_targets(base: str) -> Iterator[tuple[str, Shape]]:
    for name, shape in _matrices(unet_layout(base)):
        if ".attentions." in name:
            yield (ldm_unet_name(name, base) if base == "sdxl" else name), shape


def _flux_targets() -> Iterator[tuple[str, Shape]]:
    width = FLUX_WIDTH
    side = {
        "attn.proj": (width, width),
        "attn.qkv": (3 * width, width),
        "mlp.0": (4 * width, width),
    }
    side |= {"mlp.2": (width, 4 * width), "mod.lin": (6 * width, width)}
    for number in range(FLUX_DOUBLE):
        for stream in ("img", "txt"):
            yield from (
                (f"double_blocks.{number}.{stream}_{name}", shape) for name, shape in side.items()
            )
    single = {
        "linear1": (7 * width, width),
        "linear2": (width, 5 * width),
        "modulation.lin": (3 * width, width),
    }
    for number in range(FLUX_SINGLE):
        yield from ((f"single_blocks.{number}.{name}", shape) for name, shape in single.items())


def _sd3_targets() -> Iterator[tuple[str, Shape]]:
    width = SD3_WIDTH
    side = {
        "attn.qkv": (3 * width, width),
        "adaLN_modulation.1": (6 * width, width),
        "attn.proj": (width, width),
    }
    side |= {"mlp.fc1": (4 * width, width), "mlp.fc2": (width, 4 * width)}
    ending = {"attn.qkv": (3 * width, width), "adaLN_modulation.1": (2 * width, width)}
    for number in range(SD3_BLOCKS):
        text = ending if number == SD3_BLOCKS - 1 else side
        for block, targets in (("context_block", text), ("x_block", side)):
            yield from (
                (f"joint_blocks.{number}.{block}.{name}", shape) for name, shape in targets.items()
            )


def _kohya_metadata(base: str, rank: int) -> dict[str, str]:
    return {
        "ss_base_model_version": KOHYA_VERSIONS[base],
        "ss_network_alpha": "1",
        "ss_network_dim": str(rank),
        "ss_network_module": "networks.lora",
        "ss_output_name": "tiny",
        "ss_v2": str(base == "sd-2"),
    }
