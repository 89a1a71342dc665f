"""What is identified: models in their published sizes, whose weights are a hole on the disk."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from modelshelf.formats import read_safetensors
from modelshelf.testing import tiny
from modelshelf.testing.tiny import TorchTensor
from modelshelf.testing.tiny.original import original_flux
from tests.corpus.cases import CASES, build

__all__ = ["lora_library", "models", "published_models", "small_models"]

_LORAS = (
    ("sd-1", "kohya"),
    ("sdxl", "kohya"),
    ("flux", "kohya"),
    ("sdxl", "diffusers"),
    ("flux", "diffusers"),
)
"""Bases and naming styles that the library holds in equal shares: 684 to 2,958 tensors a file."""
_GEMMA = {
    "attn_q": (2048, 2304),
    "attn_k": (1024, 2304),
    "attn_v": (1024, 2304),
    "attn_output": (2304, 2048),
    "ffn_gate": (9216, 2304),
    "ffn_up": (9216, 2304),
    "ffn_down": (2304, 9216),
}
_WORDS = 256_000
"""A vocabulary as those of Gemma and Qwen."""


def models(folder: Path) -> Mapping[str, Path]:
    """Make one model of each kind; return them by what the table calls them."""
    flux = {name: shape for name, (shape, _) in original_flux(tiny.flux_layout()).items()}
    sd_1 = folder / "sd-1.safetensors"
    return {
        "an SD-1.5 checkpoint": tiny.checkpoint(sd_1, base="sd-1", full=True, hollow=True),
        "an SDXL checkpoint": tiny.checkpoint(
            folder / "sdxl.safetensors", base="sdxl", full=True, hollow=True
        ),
        "a FLUX.1 transformer": tiny.write_safetensors(
            folder / "flux.safetensors",
            {name: ("BF16", shape) for name, shape in flux.items()},
            seed=0,
            hollow=True,
        ),
        "an SDXL LoRA": tiny.lora(
            folder / "lora.safetensors", base="sdxl", style="kohya", rank=16, hollow=True
        ),
        "a FLUX.1 transformer in GGUF": tiny.write_gguf(
            folder / "flux.gguf",
            {name: _gguf_form(shape) for name, shape in flux.items()},
            fields={"general.architecture": "flux"},
        ),
        "a text encoder in GGUF, 256,000 words": _language_model(folder / "text.gguf"),
        "an SD-1.5 pipeline, 7 folders": tiny.pipeline(
            folder / "pipeline", base="sd-1", full=True, hollow=True
        ),
        "an SD-1.5 `.ckpt`": _pickled(folder),
    }


def small_models(folder: Path) -> Sequence[Path]:
    """Make a small model of each container: what a program has seen before it sees a large one."""
    return (
        tiny.lora(folder / "small.safetensors", base="sd-1"),
        tiny.write_gguf(folder / "small.gguf", {"a.weight": ("F16", (2, 2))}),
        tiny.write_torch(folder / "small.ckpt", {"a.weight": TorchTensor("F32", (2, 2))}),
        tiny.pipeline(folder / "small", base="sd-1"),
    )


def published_models(folder: Path, most: int) -> Sequence[Path]:
    """Write the corpus of published models, at most *most* of them; none where there is no corpus."""
    paths = []
    for number, case in enumerate(CASES[:most]):
        (folder / str(number)).mkdir(parents=True)
        paths.append(build(case, folder / str(number)))
    return paths


def lora_library(folder: Path, count: int) -> Path:
    """Make *count* LoRAs of five kinds, a hundred in a folder, each with a sidecar of its own name."""
    headers = []
    for base, style in _LORAS:
        made = tiny.lora(folder / "one", base=base, style=style, rank=16, hollow=True)
        start = min(entry.begin for entry in read_safetensors(made).tensors.values())
        with made.open("rb") as file:
            headers.append((file.read(start), made.stat().st_size))
        made.unlink()
    library = folder / "loras"
    for number in range(count):
        raw, size = headers[number % len(headers)]
        path = library / f"{number // 100:03d}" / f"style {number:05d}.safetensors"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.write(raw)
            file.truncate(size)
        sidecar = path.with_suffix(".json")
        sidecar.write_text(json.dumps({"activation text": f"word{number}"}), encoding="utf-8")
    return library


def _gguf_form(shape: tuple[int, ...]) -> tuple[str, tuple[int, ...]]:
    return ("Q4_K" if len(shape) > 1 and shape[-1] % 256 == 0 else "F32", shape)


def _language_model(path: Path) -> Path:
    """Gemma 2 2B, the text encoder of Lumina 2, with a vocabulary as long as its own."""
    layers: dict[str, tuple[str, tuple[int, ...]]] = {
        "token_embd.weight": ("Q8_0", (_WORDS, 2304)),
        "output_norm.weight": ("F32", (2304,)),
    }
    for number in range(26):
        for name in ("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm"):
            layers[f"blk.{number}.{name}.weight"] = ("F32", (2304,))
        for name, shape in _GEMMA.items():
            layers[f"blk.{number}.{name}.weight"] = ("Q8_0", shape)
    return tiny.write_gguf(
        path,
        layers,
        fields={
            "general.architecture": "gemma2",
            "tokenizer.ggml.tokens": [f"word{number}" for number in range(_WORDS)],
            "tokenizer.ggml.scores": [0.5] * _WORDS,
            "tokenizer.ggml.token_type": [1] * _WORDS,
        },
    )


def _pickled(folder: Path) -> Path:
    """SD-1.5 with its EMA weights, in the format and precision of its first publication."""
    whole = tiny.checkpoint(folder / "ema", base="sd-1", ema=True, full=True, hollow=True)
    tensors = {
        name: TorchTensor("F32", shape) for name, shape in read_safetensors(whole).shapes.items()
    }
    whole.unlink()
    payload = {"state_dict": tensors, "global_step": 840_000, "epoch": 4}
    return tiny.write_torch(folder / "v1-5-pruned.ckpt", payload, hollow=True)
