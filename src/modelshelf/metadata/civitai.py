"""What Civitai says about a model, as programs keep it beside the file.

* `<name>.civitai.info`, Civitai Helper: a model version as the web API gives it.
* `<name>.api_info.json`, Civitai Browser+, and `<name>.json`, SD.Next: the same, or the whole model with
  its versions.
* `<name>.metadata.json`, LoRA Manager: fields of its own, with the version under `civitai`
  (`willmiao/ComfyUI-Lora-Manager` docs/metadata-json-schema.md).
* `<name>.cm-info.json`, Stability Matrix: names of its own
  (`LykosAI/StabilityMatrix` StabilityMatrix.Core/Models/ConnectedModelInfo.cs).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelshelf.metadata.gathering import Gathering, as_text
from modelshelf.schema.metadata import Field
from modelshelf.schema.taxonomy import ModelVariantType
from modelshelf.schema.vocabulary import Meaning, base_meant, type_meant

__all__ = [
    "is_civitai",
    "read_civitai",
    "read_civitai_version",
    "read_lora_manager",
    "read_stability_matrix",
]

_HASHES = {
    "SHA256": Field.SHA256,
    "BLAKE3": Field.BLAKE3,
    "AutoV1": Field.AUTOV1,
    "AutoV2": Field.AUTOV2,
    "AutoV3": Field.AUTOV3,
    "CRC32": Field.CRC32,
}
_VERSIONS = "modelVersions"
_MOST_FILES = 50


def is_civitai(document: Mapping[str, Any]) -> bool:
    """Say whether *document* is an answer of Civitai's web API."""
    return any(key in document for key in ("baseModel", "trainedWords", _VERSIONS))


def read_civitai(gathering: Gathering, document: Mapping[str, Any], file_name: str) -> None:
    """Take an answer of the web API: one version, or a model of which one version is meant."""
    versions = document.get(_VERSIONS)
    if not isinstance(versions, list):
        read_civitai_version(gathering, document, file_name)
        return
    listed = [_object(one) for one in versions[:_MOST_FILES]]
    holding = [one for one in listed if _hashes_of(one.get("files"), file_name, by_name=True)]
    meant = (holding or listed)[0] if holding or len(listed) == 1 else {}
    # A version inside a model's answer leaves out what stands above it.
    whole = {
        "creator": document.get("creator"),
        "model": document,
        "modelId": document.get("id"),
        **meant,
    }
    read_civitai_version(gathering, whole, file_name)


def read_civitai_version(
    gathering: Gathering, version: Mapping[str, Any], file_name: str, key: str = ""
) -> None:
    """Take a model version of Civitai's web API.

    Args:
        gathering: Where to put it.
        version: The object.
        file_name: What the model file is called: of a version's files only that one is meant.
        key: Where the object stands in its document, with a dot behind it; empty for the top.
    """
    model = _object(version.get("model"))
    gathering.say(Field.TITLE, model.get("name"), key + "model.name")
    gathering.say(Field.VERSION, version.get("name"), key + "name")
    gathering.say(Field.DESCRIPTION, model.get("description"), key + "model.description")
    gathering.say(Field.NOTE, version.get("description"), key + "description")
    gathering.say(
        Field.AUTHOR, _object(version.get("creator")).get("username"), key + "creator.username"
    )
    gathering.say(Field.DATE, version.get("publishedAt"), key + "publishedAt")
    gathering.say_all(Field.TRIGGER_WORD, version.get("trainedWords"), key + "trainedWords")
    gathering.say_all(Field.TAG, model.get("tags"), key + "model.tags")
    gathering.say_id(Field.CIVITAI_MODEL, version.get("modelId"), key + "modelId")
    gathering.say_id(Field.CIVITAI_VERSION, version.get("id"), key + "id")
    gathering.say(Field.SOURCE, version.get("downloadUrl"), key + "downloadUrl")
    _claim(
        gathering, version.get("baseModel"), version.get("baseModelType"), model.get("type"), key
    )
    _say_hashes(gathering, _hashes_of(version.get("files"), file_name), key + "files.hashes")


def _claim(gathering: Gathering, base: object, kind: object, model_type: object, key: str) -> None:
    meaning = base_meant(as_text(base))
    found = type_meant(as_text(model_type))
    if meaning is not None and as_text(kind) == "Inpainting":
        meaning = Meaning(meaning.bases, ModelVariantType.INPAINT)
    if meaning is not None:
        gathering.claim(key + "baseModel", as_text(base), meaning, type=found)
    else:
        gathering.claim_base(base, key + "baseModel", type=found)


def _hashes_of(files: object, file_name: str, *, by_name: bool = False) -> Mapping[str, Any]:
    """Return the hashes of the file that is meant: the one of that name, or else the only one."""
    listed = [_object(one) for one in files[:_MOST_FILES]] if isinstance(files, list) else []
    named = [one for one in listed if one.get("name") == file_name]
    if not named and len(listed) == 1 and not by_name:
        # Users rename their files; a version with one file means that one.
        named = listed
    return _object(named[0].get("hashes")) if named else {}


def _say_hashes(gathering: Gathering, hashes: Mapping[str, Any], key: str) -> None:
    for name, field in _HASHES.items():
        gathering.say(field, hashes.get(name), f"{key}.{name}")


def read_lora_manager(gathering: Gathering, document: Mapping[str, Any], file_name: str) -> None:
    """Take LoRA Manager's document: the user's own words first, then Civitai's."""
    version = _object(document.get("civitai"))
    gathering.say(Field.TITLE, document.get("model_name"), "model_name")
    gathering.say(Field.NOTE, document.get("notes"), "notes")
    gathering.say(Field.DESCRIPTION, document.get("modelDescription"), "modelDescription")
    gathering.say_all(Field.TAG, document.get("tags"), "tags")
    gathering.say(Field.SHA256, document.get("sha256"), "sha256")
    gathering.say(Field.AUTOV3, document.get("autov3"), "autov3")
    found = type_meant(as_text(document.get("model_type")))
    gathering.claim_base(document.get("base_model"), "base_model", type=found)
    if version:
        read_civitai_version(gathering, version, file_name, "civitai.")


def read_stability_matrix(gathering: Gathering, document: Mapping[str, Any]) -> None:
    """Take Stability Matrix' document."""
    gathering.say(Field.TITLE, document.get("UserTitle"), "UserTitle")
    gathering.say(Field.TITLE, document.get("ModelName"), "ModelName")
    gathering.say(Field.VERSION, document.get("VersionName"), "VersionName")
    gathering.say(Field.DESCRIPTION, document.get("ModelDescription"), "ModelDescription")
    gathering.say(Field.NOTE, document.get("VersionDescription"), "VersionDescription")
    gathering.say(Field.AUTHOR, document.get("AuthorUsername"), "AuthorUsername")
    gathering.say_all(Field.TRIGGER_WORD, document.get("TrainedWords"), "TrainedWords")
    gathering.say_all(Field.TAG, document.get("Tags"), "Tags")
    gathering.say_id(Field.CIVITAI_MODEL, document.get("ModelId"), "ModelId")
    gathering.say_id(Field.CIVITAI_VERSION, document.get("VersionId"), "VersionId")
    _say_hashes(gathering, _object(document.get("Hashes")), "Hashes")
    found = type_meant(as_text(document.get("ModelType")))
    gathering.claim_base(document.get("BaseModel"), "BaseModel", type=found)


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
