"""What a model file says about itself: the text in its header."""

from __future__ import annotations

from collections.abc import Mapping

from modelshelf.metadata.gathering import Gathering
from modelshelf.metadata.model_spec import PREFIX, read_model_spec
from modelshelf.metadata.training import read_training
from modelshelf.schema.declared import Trust
from modelshelf.schema.metadata import Field
from modelshelf.schema.vocabulary import base_meant, gguf_meant

__all__ = ["read_embedded"]

_GGUF = {
    "general.name": Field.TITLE,
    "general.basename": Field.BASE_NAME,
    "general.author": Field.AUTHOR,
    "general.organization": Field.AUTHOR,
    "general.description": Field.DESCRIPTION,
    "general.license": Field.LICENSE,
    "general.version": Field.VERSION,
    "general.size_label": Field.SIZE_LABEL,
    "general.url": Field.SOURCE,
    "general.source.url": Field.SOURCE,
    "general.repo_url": Field.SOURCE,
    "general.source.huggingface.repository": Field.SOURCE,
}
"""`ggml-org/ggml` docs/gguf.md, general metadata."""
_WORKFLOWS = ("workflow", "prompt")


def read_embedded(metadata: Mapping[str, str]) -> Gathering:
    """Take what the header's text says, whichever program wrote it."""
    gathering = Gathering("metadata", Trust.METADATA)
    if PREFIX + "architecture" in metadata or any(key.startswith(PREFIX) for key in metadata):
        read_model_spec(gathering, metadata)
    read_training(gathering, metadata)
    if "general.architecture" in metadata:
        _read_gguf(gathering, metadata)
    if any(metadata.get(key, "").lstrip().startswith("{") for key in _WORKFLOWS):
        gathering.say(Field.WORKFLOW, "ComfyUI", "workflow" if "workflow" in metadata else "prompt")
    return gathering


def _read_gguf(gathering: Gathering, metadata: Mapping[str, str]) -> None:
    for key, field in _GGUF.items():
        gathering.say(field, metadata.get(key), key)
    architecture = metadata["general.architecture"]
    gathering.claim("general.architecture", architecture, gguf_meant(architecture))
    repository = metadata.get("general.base_model.0.repo_url", "")
    if base_meant(repository):
        gathering.claim_base(repository, "general.base_model.0.repo_url")
