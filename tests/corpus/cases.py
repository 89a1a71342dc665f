"""The corpus of published models: where it lies, what its cases are, and their files rebuilt.

The corpus is not part of this repository. `MODELSHELF_CORPUS` names its folder; without it,
`../shared/corpus` beside the repository is looked at.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from modelshelf.testing.tiny import TorchTensor, write_torch

__all__ = ["CASES", "Case", "build", "corpus_folder"]

_REPOSITORY = Path(__file__).resolve().parents[2]
_BITS = {"F32": 32, "F16": 16, "BF16": 16, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "I64": 64}


@dataclass(frozen=True, slots=True)
class Case:
    """One published model."""

    id: str
    """Its name in the manifest; no file may be called so, because it gives the answer away."""
    kind: str
    """`state_dict`, `index` or `folder`."""
    content: Path
    """The file of the corpus that describes it."""
    expected: Mapping[str, Any]
    """What is right, in the manifest's words."""


def corpus_folder() -> Path:
    """Return where the identification corpus should be, whether or not it is there."""
    named = os.environ.get("MODELSHELF_CORPUS")
    return (Path(named) if named else _REPOSITORY.parent / "shared" / "corpus") / "identify"


def _read_cases() -> tuple[Case, ...]:
    folder = corpus_folder()
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        return ()
    return tuple(
        Case(one["id"], one["kind"], folder / one["file"], one["expected"])
        for one in json.loads(manifest.read_text())["cases"]
    )


CASES = _read_cases()
"""All cases in the manifest's order; empty where there is no corpus."""


def build(case: Case, folder: Path) -> Path:
    """Write the model of *case* below *folder*, under neutral names, and return where it lies.

    Weights are holes: full-size shapes take no space.
    """
    document = json.loads(case.content.read_text())
    if case.kind == "folder":
        return _build_folder(document["files"], folder / "neutral")
    if case.kind == "index":
        return _write(
            folder / "neutral" / "model.safetensors.index.json", json.dumps(document)
        ).parent
    if case.expected.get("container") == "pickle" or _is_nested(document):
        return write_torch(folder / "neutral.ckpt", _payload(document), hollow=True)
    return write_tensors(folder / "neutral.safetensors", document)


def _is_nested(document: Mapping[str, Any]) -> bool:
    return any(
        isinstance(value, dict) and not name.startswith("__") for name, value in document.items()
    )


def _payload(document: Mapping[str, Any]) -> object:
    """Return what `torch.save` was given, with tensors that have a shape and no numbers."""
    return _value(document, "", document.get("__dtypes__", {}))


def _value(value: object, name: str, dtypes: Mapping[str, str]) -> object:
    match value:
        case list():
            return TorchTensor(dtypes.get(name, dtypes.get("*", "F16")), tuple(value))
        case {"__value__": plain}:
            return plain
        case {"__tensor__": shape}:
            return _value(shape, name, dtypes)
        case {"__list__": [*shapes]}:
            return [_value(shape, name, dtypes) for shape in shapes]
        case dict():
            return {
                key: _value(inner, f"{name}.{key}" if name else key, dtypes)
                for key, inner in value.items()
                if not key.startswith("__")
            }
        case _:
            raise TypeError(name)


def write_tensors(path: Path, document: Mapping[str, Any]) -> Path:
    """Write a safetensors file of what a key list describes."""
    dtypes = document.get("__dtypes__", {})
    header: dict[str, object] = {}
    if "__metadata__" in document:
        header["__metadata__"] = {
            key: value if isinstance(value, str) else json.dumps(value)
            for key, value in document["__metadata__"].items()
        }
    end = 0
    for name, shape in document.items():
        if name.startswith("__"):
            continue
        dtype = dtypes.get(name, dtypes.get("*", "F16"))
        begin, end = end, end + (prod(shape) * _BITS[dtype] + 7) // 8
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}
    raw = json.dumps(header, separators=(",", ":")).encode()
    with path.open("wb") as stream:
        stream.write(len(raw).to_bytes(8, "little") + raw)
        stream.truncate(8 + len(raw) + end)
    return path


def _build_folder(files: Mapping[str, Mapping[str, Any]], folder: Path) -> Path:
    for name, facts in files.items():
        path = folder / name
        if "json" in facts:
            _write(path, json.dumps(facts["json"]))
        elif "raw" in facts:
            _write(path, facts["raw"])
        else:
            _write(path, "")
            os.truncate(path, facts.get("size") or 0)
    return folder


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path
