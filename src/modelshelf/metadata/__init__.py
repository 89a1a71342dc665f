"""Metadata: what is written in and beside a model file, and what a hub says about a model.

All of it is the untrusted text of strangers.
"""

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
