"""Sidecars as the programs write them, with values that no real model has."""

from __future__ import annotations

import json
from pathlib import Path

from modelshelf.metadata import read_metadata
from modelshelf.schema.metadata import ModelMetadata

CIVITAI_VERSION: dict[str, object] = {
    "id": 135867,
    "modelId": 122359,
    "name": "v1.0",
    "description": "<p>First <b>release</b> &amp; last</p>",
    "baseModel": "Pony",
    "baseModelType": "Standard",
    "trainedWords": ["lens flare", "soft light"],
    "publishedAt": "2024-02-03T04:05:06Z",
    "downloadUrl": "https://example.org/api/download/models/135867",
    "creator": {"username": "someone"},
    "model": {
        "name": "Lens Study",
        "type": "LORA",
        "description": "<p>What it does</p>",
        "tags": ["style", "light"],
    },
    "files": [
        {"name": "other.zip", "hashes": {"SHA256": "0" * 64}},
        {
            "name": "lens.safetensors",
            "hashes": {
                "SHA256": "AB" * 32,
                "AutoV1": "81B44117",
                "AutoV2": "ABABABABAB",
                "AutoV3": "51A16C07BDD8",
                "CRC32": "DEADBEEF",
                "BLAKE3": "CD" * 32,
            },
        },
    ],
}


def beside(folder: Path, **documents: object) -> ModelMetadata:
    """Put files beside `lens.safetensors`, named by their endings, and read all.

    In an ending `_` stands for a dot and `__` for itself.
    Text is written as it is, everything else as JSON.
    """
    model = folder / "lens.safetensors"
    model.touch()
    for ending, document in documents.items():
        text = document if isinstance(document, str) else json.dumps(document)
        name = ending.replace("__", "\0").replace("_", ".").replace("\0", "_")
        folder.joinpath("lens" + name).write_text(text)
    return read_metadata(model)
