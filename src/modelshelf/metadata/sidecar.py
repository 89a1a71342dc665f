"""Files that programs put beside a model file, called as it is but for the suffix."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from modelshelf.errors import ModelshelfError
from modelshelf.formats import predicts_velocity, read_json
from modelshelf.metadata.beside import files_beside
from modelshelf.metadata.civitai import (
    is_civitai,
    read_civitai,
    read_lora_manager,
    read_stability_matrix,
)
from modelshelf.metadata.gathering import Gathering, as_text
from modelshelf.metadata.model_spec import PREFIX, read_model_spec
from modelshelf.schema.declared import Trust
from modelshelf.schema.metadata import Field
from modelshelf.schema.taxonomy import SchedulerPredictionType

__all__ = ["read_sidecars"]

_LIMIT = 2 * 1024 * 1024
"""Bytes; a document with a hundred pictures' prompts has some 300 KB."""
_CONFIG = ".yaml"

_Document = Mapping[str, Any]
_Reader = Callable[[Gathering, _Document, str], None]


def read_sidecars(model: Path) -> Iterator[tuple[str, Gathering]]:
    """Read every file beside *model* that belongs to it, the most personal first.

    Args:
        model: The model file as the user named it: what it links to lies elsewhere.

    Yields:
        The file's name, and what it says. One that is damaged says that, and nothing else.
    """
    for ending, path in files_beside(model, (*_READERS, _CONFIG)):
        if ending == _CONFIG:
            yield path.name, _read_config(path)
        else:
            yield path.name, _read_document(path, _READERS[ending], model.name)


def _read_document(path: Path, read: _Reader, file_name: str) -> Gathering:
    gathering = Gathering(path.name, Trust.SIDECAR)
    try:
        document = read_json(path, limit=_LIMIT)
    except ModelshelfError as error:
        gathering.doubt(as_text(error.facts.get("problem")) or str(error))
        return gathering
    if isinstance(document, dict):
        read(gathering, document, file_name)
    return gathering


def _read_automatic(gathering: Gathering, document: _Document, file_name: str) -> None:
    """Take AUTOMATIC1111's user metadata; other programs put Civitai's answer under the same name."""
    if is_civitai(document):
        read_civitai(gathering, document, file_name)
        return
    gathering.say(Field.DESCRIPTION, document.get("description"), "description")
    gathering.say(Field.TRIGGER_WORD, document.get("activation text"), "activation text")
    gathering.say(Field.NEGATIVE_TEXT, document.get("negative text"), "negative text")
    gathering.say(Field.NOTE, document.get("notes"), "notes")
    gathering.say(Field.SHA256, document.get("sha256"), "sha256")
    gathering.say_id(Field.CIVITAI_MODEL, document.get("modelId"), "modelId")
    weight = as_text(document.get("preferred weight"))
    if weight not in {"0", "0.0"}:
        gathering.say(Field.WEIGHT, weight, "preferred weight")
    gathering.claim_base(document.get("sd version"), "sd version")


def _read_swarm(gathering: Gathering, document: _Document, _: str) -> None:
    """Take SwarmUI's document, ModelSpec's fields with or without their prefix."""
    prefixed = any(key.startswith(PREFIX) for key in document)
    read_model_spec(gathering, document, PREFIX if prefixed else "")


def _read_stability_matrix(gathering: Gathering, document: _Document, _: str) -> None:
    read_stability_matrix(gathering, document)


_READERS: Mapping[str, _Reader] = {
    ".json": _read_automatic,
    ".swarm.json": _read_swarm,
    ".metadata.json": read_lora_manager,
    ".cm-info.json": _read_stability_matrix,
    ".civitai.info": read_civitai,
    ".api_info.json": read_civitai,
}
"""Suffix → who reads it. What users edit by hand comes before what a web site said."""


def _read_config(path: Path) -> Gathering:
    """Take the one line of a checkpoint's configuration that its tensors do not tell.

    AUTOMATIC1111 and kohya's trainer put `<name>.yaml` beside checkpoints that predict velocity.
    """
    gathering = Gathering(path.name, Trust.CONFIG)
    try:
        is_velocity = predicts_velocity(path)
    except ModelshelfError as error:
        gathering.doubt(str(error))
        return gathering
    if is_velocity:
        gathering.claim(
            "parameterization", "v", prediction_type=SchedulerPredictionType.V_PREDICTION
        )
    return gathering
