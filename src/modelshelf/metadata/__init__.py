"""Metadata: what is written in and beside a model file, and what a hub says about a model.

All of it is the untrusted text of strangers. Names are fetched when they are first used: who adds a
file does not wait for what asks hubs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelshelf.metadata.civitai_fetch import CivitaiMetadataFetch
    from modelshelf.metadata.fetching import ModelMetadataFetchBase
    from modelshelf.metadata.hugging_face_fetch import HuggingFaceMetadataFetch
    from modelshelf.metadata.reading import read_claims, read_metadata
    from modelshelf.schema.repo_metadata import (
        AnyModelRepoMetadata,
        CivitaiMetadata,
        HuggingFaceMetadata,
        ModelMetadataBase,
    )

__all__ = [
    "AnyModelRepoMetadata",
    "CivitaiMetadata",
    "CivitaiMetadataFetch",
    "HuggingFaceMetadata",
    "HuggingFaceMetadataFetch",
    "ModelMetadataBase",
    "ModelMetadataFetchBase",
    "read_claims",
    "read_metadata",
]

_HOMES = {
    "AnyModelRepoMetadata": "modelshelf.schema.repo_metadata",
    "CivitaiMetadata": "modelshelf.schema.repo_metadata",
    "CivitaiMetadataFetch": "modelshelf.metadata.civitai_fetch",
    "HuggingFaceMetadata": "modelshelf.schema.repo_metadata",
    "HuggingFaceMetadataFetch": "modelshelf.metadata.hugging_face_fetch",
    "ModelMetadataBase": "modelshelf.schema.repo_metadata",
    "ModelMetadataFetchBase": "modelshelf.metadata.fetching",
    "read_claims": "modelshelf.metadata.reading",
    "read_metadata": "modelshelf.metadata.reading",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(home), name)
