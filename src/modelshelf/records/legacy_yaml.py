"""Reading the `models.yaml` of the two model managers before MM2, as records that any store can add.

The older (InvokeAI 2) has a name and its weights:

    stable-diffusion-1.5:
      weights: models/ldm/stable-diffusion-v1/v1-5-pruned-emaonly.ckpt
      config: configs/stable-diffusion/v1-inference.yaml
      format: ckpt

The younger (InvokeAI 3) has base, type and name as the key:

    __metadata__:
      version: 3.0.0
    sd-1/main/stable-diffusion-v1-5:
      path: sd-1/main/stable-diffusion-v1-5
      model_format: diffusers

What a record has no field for stands in its default settings, by the name that it had.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from blake3 import blake3

from modelshelf.errors import (
    InvalidModelConfigException,
    NotARecordStoreError,
    StoreUnusableError,
)
from modelshelf.records.yaml_document import METADATA, Entry, YamlDocument, parse_document
from modelshelf.records.yaml_file import YamlFile
from modelshelf.records.yaml_record import Fields, Mistake
from modelshelf.records.yaml_records import file_error
from modelshelf.records.yaml_text import Plain
from modelshelf.schema.config import AnyModelConfig, class_of, parse_config
from modelshelf.schema.config_fields import ModelSourceType
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType
from modelshelf.schema.weight_suffix import WEIGHT_SUFFIXES

__all__ = ["import_models_yaml"]

_FILE_FORMATS: Mapping[str, ModelFormat] = {
    ModelType.LORA: ModelFormat.LYCORIS,
    ModelType.EMBEDDING: ModelFormat.EMBEDDING_FILE,
    ModelType.ONNX: ModelFormat.ONNX,
}
_FOLDER_FORMATS: Mapping[str, ModelFormat] = {
    ModelType.EMBEDDING: ModelFormat.EMBEDDING_FOLDER,
    ModelType.ONNX: ModelFormat.ONNX,
    ModelType.IP_ADAPTER: ModelFormat.INVOKEAI,
}
_PREDICTIONS = {"v2-inference-v": "v_prediction", "v2-inference": "epsilon"}
_OURS = frozenset({"key", "name", "model_type", "base_model", "bases", "revision"})
"""What the old files say in another way, so that a field of this name means something else."""


def import_models_yaml(
    path: Path | str, *, root: Path | None = None
) -> list[tuple[str, AnyModelConfig]]:
    r"""Return the records of an old `models.yaml`; `service.add_models` takes them as they are.

    The file is only read. Nothing in it is dropped: what a record has no field for stands in
    `default_settings`. The same entry gets the same key each time, so that a second import is refused
    rather than doubled.

    Args:
        path: The file.
        root: The folder that paths of the older form count from; None for the one that holds the file's
            `configs` folder. Paths of the younger form count from the folder of models, as a record's do.

    Returns:
        Key and record of each model, in the order of the file. The older form does not say the base of a
        diffusers model: it is `unknown` there, and a model that was a repository's has that as its path.

    Raises:
        InvalidRecordFileError: It is no YAML, or entries make no record; all of them are named with lines.
        NotARecordStoreError: It is of another version, or does not look like a list of models.
        StoreUnusableError: It cannot be read.

    Example:
        >>> old = Path("models.yaml")
        >>> _ = old.write_text("sd-1/lora/ink:\n  path: ink.safetensors\n  model_format: lycoris\n")
        >>> [(one.name, one.base_model.value, one.path) for _, one in import_models_yaml(old)]
        [('ink', 'sd-1', 'ink.safetensors')]
    """
    file = Path(path)
    document = _read(file)
    above = root or (file.parent.parent if file.parent.name == "configs" else file.parent)
    records: list[tuple[str, AnyModelConfig]] = []
    mistakes: dict[str, Mistake] = {}
    for key, entry in document.entries.items():
        if key == METADATA:
            continue
        try:
            records.append((_key(key, entry), _config(key, entry, above.absolute())))
        except _EntryError as error:
            mistake = error.mistake
            mistakes[key] = replace(mistake, line=document.line_of(key) + mistake.line - 1)
    if mistakes:
        raise file_error(file, mistakes.values(), list(mistakes))
    return records


class _EntryError(Exception):
    def __init__(self, mistake: Mistake) -> None:
        self.mistake = mistake
        super().__init__(str(mistake))


def _read(path: Path) -> YamlDocument:
    content = YamlFile(path).read()
    if content is None:
        raise StoreUnusableError(root=str(path), reason="there is no such file")
    try:
        document = parse_document(content.decode())
    except UnicodeDecodeError as error:
        raise NotARecordStoreError(root=str(path), reason="it is no text") from error
    if document.mistakes:
        raise file_error(path, document.mistakes)
    entry = document.entries.get(METADATA)
    version = str(entry.record.fields.get("version")) if entry else "3.0"
    if version.split(".")[:2] not in (["3", "0"], ["3", "1"]):
        reason = f"expected a `models.yaml` of version 3.0 or one without, got `{version:.40}`"
        raise NotARecordStoreError(root=str(path), reason=reason)
    return document


def _key(name: str, entry: Entry) -> str:
    fields = entry.record.fields
    place = fields.get("path") or fields.get("weights") or fields.get("repo_id") or ""
    return blake3(f"{name}\n{place}".encode()).hexdigest()[:32]


def _config(key: str, entry: Entry, root: Path) -> AnyModelConfig:
    record = entry.record
    if record.mistakes:
        raise _EntryError(record.mistakes[0])
    parts = key.split("/", 2)
    is_older = len(parts) < 3 or not record.fields.keys().isdisjoint({"weights", "repo_id"})  # noqa: PLR2004 - base, type, name
    document = _older(record.fields, key, root) if is_older else _younger(record.fields, *parts)
    try:
        return parse_config(_with_settings(document))
    except InvalidModelConfigException as error:
        field = error.fields.partition(",")[0]
        line = record.lines.get(field, 0) + 1
        raise _EntryError(Mistake(line, field, error.problem)) from error


def _younger(fields: Fields, base: str, model_type: str, name: str) -> Fields:
    """Return an entry of version 3 by the names of today; what is known by no name keeps its own."""
    told: Fields = {key: value for key, value in fields.items() if value is not None}
    document = _renamed(told, _OURS)
    document.setdefault("model_format", _format(model_type, str(document.get("path") or "")))
    return document | {"name": name, "base_model": base, "model_type": model_type}


def _older(fields: Fields, name: str, root: Path) -> Fields:
    """Return an entry of version 2 by the names of today."""
    rest: Fields = {key: value for key, value in fields.items() if value is not None}
    document: Fields = {"name": name, "model_type": ModelType.MAIN.value}
    place = next((rest.pop(each) for each in ("weights", "path") if each in rest), None)
    repository = rest.pop("repo_id", None)
    if isinstance(repository, str):
        document |= {"source": repository, "source_type": ModelSourceType.HF_REPO_ID.value}
    if place is not None:
        document["path"] = str(root / place) if isinstance(place, str) else place
    elif repository:
        document["path"] = repository
    told = rest.pop("format", None) or rest.pop("model_format", None)
    if told is None:
        told = _format(ModelType.MAIN, str(place or repository or ""))
    document["model_format"] = ModelFormat.CHECKPOINT.value if told == "ckpt" else told
    config = rest.get("config")
    document |= _told_by_config(PurePosixPath(str(config or name)).stem)
    if "vae" in rest:
        rest |= _vae(rest.pop("vae"), root)
    return document | _renamed(rest, document.keys() | _OURS)


def _vae(told: Plain, root: Path) -> Fields:
    """Return where the VAE of an entry of version 2 lies, which counts from its root as the model does."""
    match told:
        case str() as place:
            return {"vae": str(root / place)}
        case {"path": str() as place, **others} if not others:
            return {"vae": str(root / place)}
        case {"repo_id": repository, **others} if not others:
            return {"vae": repository}
        case dict():
            # A record's VAE is a path; a repository with a subfolder is more than that can say.
            return {"models_yaml_vae": told}
        case _:
            return {"vae": told}


def _renamed(fields: Fields, taken: Collection[str]) -> Fields:
    """Return *fields*, those that would take the place of others by names of their own."""
    return {
        f"models_yaml_{name}" if name in taken else name: value for name, value in fields.items()
    }


def _told_by_config(stem: str) -> Fields:
    """Return what the name of a configuration such as `v1-inpainting-inference` says of a model."""
    base = next(
        (
            base
            for start, base in (("v1-", BaseModelType.SD_1), ("v2-", BaseModelType.SD_2))
            if stem.startswith(start)
        ),
        BaseModelType.UNKNOWN,
    )
    variant = "inpaint" if "inpaint" in stem else "depth" if "midas" in stem else "normal"
    told: Fields = {"base_model": base.value, "variant": variant}
    if stem in _PREDICTIONS:
        told["prediction_type"] = _PREDICTIONS[stem]
    return told


def _format(model_type: str, path: str) -> str:
    is_file = PurePosixPath(path.replace("\\", "/")).suffix.lower() in WEIGHT_SUFFIXES
    if is_file:
        return _FILE_FORMATS.get(model_type, ModelFormat.CHECKPOINT).value
    return _FOLDER_FORMATS.get(model_type, ModelFormat.DIFFUSERS).value


def _with_settings(document: Fields) -> Fields:
    """Move what the record's class has no field for into its default settings."""
    try:
        kind = class_of(
            *(document.get(each) for each in ("model_type", "model_format", "base_model"))
        )
    except KeyError:
        # `parse_config` says what is wrong about them.
        return document
    known = {key: value for key, value in document.items() if key in kind.model_fields}
    others = {key: value for key, value in document.items() if key not in kind.model_fields}
    if not others:
        return known
    settings = known.get("default_settings")
    return known | {
        "default_settings": {**(settings if isinstance(settings, dict) else {}), **others}
    }
