"""What the benchmarks add: safetensors files and folders in real layouts, weights from a seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random
from types import MappingProxyType

from modelshelf.testing import tiny

__all__ = ["many_small_files", "model_files", "pipelines", "write_random"]

_CHUNK = 1 << 24
_SHARES: Mapping[str, tuple[Callable[..., Path], float]] = MappingProxyType(
    {
        "large.safetensors": (tiny.checkpoint, 2.0),
        "medium.safetensors": (tiny.checkpoint, 1.0),
        "small.safetensors": (tiny.checkpoint, 0.8),
        "wide.safetensors": (tiny.lora, 0.6),
        "style.safetensors": (tiny.lora, 0.4),
        "person.safetensors": (tiny.lora, 0.3),
        "detail.safetensors": (tiny.lora, 0.1),
    }
)
"""File names with their maker and how many of 5.2 parts of the whole they are."""


def model_files(folder: Path, size: int) -> list[Path]:
    """Make seven single-file models of together about *size* bytes; return them, sorted."""
    whole = sum(share for _, share in _SHARES.values())
    for seed, (name, (make, share)) in enumerate(_SHARES.items()):
        make(folder / name, base="sd-1", seed=seed, size=int(size * share / whole))
    return sorted(folder.iterdir())


def pipelines(folder: Path, size: int) -> list[Path]:
    """Make three sd-1 pipelines of about *size* bytes each.

    They have VAE, text encoder, tokenizer and safety checker in common, as published fine-tunes do.
    """
    names = ("dreamland", "harbour", "meadow")
    return [
        tiny.pipeline(folder / name, base="sd-1", seed=seed, share_seed=0, size=size)
        for seed, name in enumerate(names, start=1)
    ]


def many_small_files(folder: Path, count: int) -> Path:
    """Make a VAE folder with *count* further files of 4 KiB, a hundred in a folder, all different."""
    tiny.vae(folder, base="sd-1", folder=True)
    for number in range(count):
        path = folder / "samples" / f"{number // 100:04d}" / f"{number:06d}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(number.to_bytes(8, "little") * 512)
    return folder


def write_random(path: Path, size: int) -> None:
    """Write a file that no program can shorten, the same bytes every time."""
    source = Random(size)  # noqa: S311 - content, no secret
    with path.open("wb") as stream:
        for start in range(0, size, _CHUNK):
            stream.write(source.randbytes(min(_CHUNK, size - start)))
