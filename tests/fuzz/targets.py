"""What is fuzzed: each reader of tensors with sound files to begin from."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from modelshelf.formats import (
    read_checkpoint,
    read_folder_config,
    read_gguf,
    read_modular_pipeline,
    read_onnx,
    read_pipeline,
    read_safetensors,
    read_shards,
    read_tree,
)
from modelshelf.schema.tensor import TensorIndex
from modelshelf.testing.tiny import (
    Opcodes,
    TorchTensor,
    Value,
    torch_pickle,
    write_gguf,
    write_onnx,
    write_safetensors,
    write_torch,
)
from tests.fuzz.damage import Target
from tests.unit.formats.old_torch import write_tar

__all__ = ["TARGETS"]

SHARED = {
    "a.weight": TorchTensor("F16", (2, 3), is_parameter=True),
    "b": TorchTensor("F32", (4, 3), storage="s"),
    "c": TorchTensor("F32", (2, 3), (3, 1), offset=3, storage="s", elements=12),
    "d": TorchTensor("F8_E4M3", (2, 2)),
    "e": TorchTensor("BOOL", ()),
}
"""Parameters, views, untyped storages, scalars."""
PAYLOADS: tuple[object, ...] = (
    {"state_dict": OrderedDict(SHARED), "epoch": 3, "optimizer_states": [{"lr": 0.5}]},
    [TorchTensor("F32", (2, 2)), TorchTensor("BF16", (3,))],
    {"name": "word", "step": 10**20, "string_to_param": {"*": TorchTensor("F32", (2, 8))}},
)
PICKLES = (
    torch_pickle({"a": [1, 2.5, None, True, (1, 2), {"b": "c"}], "d": "x" * 300}),
    torch_pickle({"w": Opcodes(b"cposix\nsystem\nX\4\0\0\0echo\x85R")}),
    b"\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c\x05posix\x94\x8c\x06system\x94\x93\x94)\x81}b.",
    b"\x80\x02(dp0\nS'a'\np1\nI01\nsVb\nL5L\nsg1\nF1.5\nsPid\nN0(lp2\nI1\na0(K\1K\2io\nC\n0.",
)


def _zips(folder: Path) -> Sequence[Path]:
    return [
        write_torch(folder / f"z{number}.pt", payload) for number, payload in enumerate(PAYLOADS)
    ]


def _streams(folder: Path) -> Sequence[Path]:
    return [
        write_torch(folder / f"s{number}.pt", payload, legacy=True)
        for number, payload in enumerate(PAYLOADS)
    ]


def _tars(folder: Path) -> Sequence[Path]:
    return [write_tar(folder / "t.pt", {"w": (2, 3), "v": (), "u": (0, 4)})]


def _pickles(folder: Path) -> Sequence[Path]:
    paths = [folder / f"p{number}.pt" for number in range(len(PICKLES))]
    for path, raw in zip(paths, PICKLES, strict=True):
        path.write_bytes(raw)
    return paths


def _safetensors(folder: Path) -> Sequence[Path]:
    tensors = {"a.weight": ("F16", (2, 3)), "b": ("F32", ()), "c": ("I64", (0, 2))}
    return [
        write_safetensors(folder / "m0", tensors, seed=0),
        write_safetensors(folder / "m1", tensors, seed=0, metadata={"format": "pt", "é": "\n"}),
    ]


def _gguf(folder: Path) -> Sequence[Path]:
    tensors = {"a.weight": ("Q8_0", (2, 32)), "b": ("F32", ()), "c": ("Q4_K", (2, 1, 256))}
    fields: dict[str, Value] = {
        "general.architecture": "flux",
        "general.alignment": 32,
        "words": ["a", "", "b" * 70] * 40,
        "scores": [0.5, 1.5],
        "comfy.gguf.orig_shape.a.weight": [4, 16],
        "flag": True,
    }
    return [
        write_gguf(
            folder / f"g{version}{order}", tensors, fields=fields, version=version, order=order
        )
        for version, order in ((1, "<"), (2, "<"), (3, "<"), (3, ">"))
    ]


def _onnx(folder: Path) -> Sequence[Path]:
    tensors = {"a.weight": ("F16", (2, 3)), "b": ("F32", ()), "c": ("I64", (0, 2))}
    inputs = {"sample": (2, 4, "height", ""), "timestep": (1,)}
    return [
        write_onnx(folder / "o0", tensors, inputs=inputs, properties={"author": "é"}),
        write_onnx(folder / "o1", tensors, outputs=inputs, external="weights.pb"),
    ]


def _read_shards(path: Path) -> TensorIndex:
    """Read *path* as the index of the shards beside it; places in those say nothing about its size."""
    tree = read_tree(path.parent)
    index = read_shards(tree, next(file for file in tree.files if file.member == path.name))
    tensors = {name: entry._replace(begin=0, end=0) for name, entry in index.tensors.items()}
    return replace(index, tensors=tensors)


def _shards(folder: Path) -> Sequence[Path]:
    for number in "12":
        tensors = {f"a.{number}": ("F16", (2, 3)), f"\N{GRINNING FACE}{number}": ("F32", ())}
        write_safetensors(folder / f"{number}.safetensors", tensors, seed=0)
    weight_map = {"a.1": "1.safetensors", "\N{GRINNING FACE}2": "2.safetensors", "x": "3.bin"}
    paths = [folder / "escaped", folder / "plain"]
    for path, is_escaped in zip(paths, (True, False), strict=True):
        document = {"metadata": {"total_size": 12}, "weight_map": weight_map}
        path.write_text(json.dumps(document, ensure_ascii=is_escaped), "utf-8")
    return paths


def _read_configurations(path: Path) -> TensorIndex:
    """Read *path* as each of the documents that tell what a folder is."""
    folder = path.with_name("model")
    folder.mkdir(exist_ok=True)
    for name in ("config.json", "model_index.json", "modular_model_index.json"):
        (folder / name).write_bytes(path.read_bytes())
    tree = read_tree(folder)
    named = read_folder_config(tree).class_name
    for pipeline in (read_pipeline(tree), read_modular_pipeline(tree)):
        assert pipeline is not None
        assert all("/" not in slot.folder for slot in pipeline.slots)
    return TensorIndex({}, {"class": named})


def _configurations(folder: Path) -> Sequence[Path]:
    documents: list[dict[str, object]] = [
        {
            "_class_name": "FluxPipeline",
            "vae": ["diffusers", "AutoencoderKL"],
            "unet": [None, None],
        },
        {"_class_name": ["module", "Own"], "architectures": ["T5EncoderModel"], "d_model": 4096},
        {
            "_class_name": "Blocks",
            "vae": [None, None, {"type_hint": ["diffusers", "AutoencoderKL"], "repo": "a/b"}],
        },
    ]
    paths = [folder / f"c{number}" for number in range(len(documents))]
    for path, document in zip(paths, documents, strict=True):
        path.write_text(json.dumps(document))
    return paths


TARGETS: Mapping[str, Target] = {
    "torch-zip": (read_checkpoint, _zips),
    "torch-stream": (read_checkpoint, _streams),
    "torch-tar": (read_checkpoint, _tars),
    "pickle": (read_checkpoint, _pickles),
    "safetensors": (read_safetensors, _safetensors),
    "gguf": (read_gguf, _gguf),
    "onnx": (read_onnx, _onnx),
    "shards": (_read_shards, _shards),
    "configurations": (_read_configurations, _configurations),
}
"""By name, as `python -m tests.fuzz` takes it. A new reader adds a line."""
