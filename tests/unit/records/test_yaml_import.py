from __future__ import annotations

from pathlib import Path

import pytest

from modelshelf.errors import (
    DuplicateKeyError,
    InvalidRecordFileError,
    NotARecordStoreError,
    StoreUnusableError,
)
from modelshelf.records.file_service import ModelRecordServiceFile
from modelshelf.records.legacy_yaml import import_models_yaml

YOUNGER = """\
# Written by the program; edited by me
__metadata__:
  version: 3.0.0
sd-1/main/stable-diffusion-v1-5:
  path: sd-1/main/stable-diffusion-v1-5
  description: Stable Diffusion 1.5
  model_format: diffusers
  variant: normal
  vae: sd-1/vae/mse
sd-1/main/Deliberate/v2:
  path: /data/Deliberate_v2.safetensors
  model_format: checkpoint
  config: configs/stable-diffusion/v1-inference.yaml
  variant: inpaint
  vae: null
  error: not_found
sd-2/main/sd2:
  path: sd-2/main/sd2
  model_format: diffusers
  prediction_type: v_prediction
  upcast_attention: true
sd-1/vae/mse:
  path: sd-1/vae/mse
  model_format: diffusers
sd-1/embedding/easy:
  path: sd-1/embedding/easy.pt
sd-1/embedding/folder:
  path: sd-1/embedding/folder
sd-1/lora/ink:
  path: sd-1/lora/ink.safetensors
sdxl/controlnet/canny:
  path: sdxl/controlnet/canny
sd-1/ip_adapter/plus:
  path: sd-1/ip_adapter/plus
  image_encoder_model_id: encoder
any/clip_vision/encoder:
  path: any/clip_vision/encoder
sd-1/onnx/graph:
  path: sd-1/onnx/graph
  model_format: olive
  name: another
"""
OLDER = """\
stable-diffusion-1.5:
  description: The weights of 1.5
  weights: models/ldm/v1-5-pruned-emaonly.ckpt
  config: configs/stable-diffusion/v1-inpainting-inference.yaml
  vae: ./models/ldm/vae.ckpt
  width: 512
  height: 512
  default: true
  format: ckpt
sd-2.1:
  weights: /abs/v2-1.ckpt
  config: configs/v2-inference-v.yaml
  vae: {path: models/vae}
waifu:
  repo_id: hakurei/waifu-diffusion
  format: diffusers
  vae:
    repo_id: stabilityai/sd-vae-ft-mse
local/one:
  path: models/diffusers/local
  format: diffusers
  vae: {repo_id: some/vae, subfolder: vae}
  name: mine
  weights: models/diffusers/local
  variant: normal
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "configs"
    folder.mkdir()
    return folder / "models.yaml"


def test_the_younger_form_names_base_type_and_name_in_the_key(path: Path) -> None:
    """Formats that it leaves out follow from type and path."""
    path.write_text(YOUNGER)
    found = [
        (one.base_model, one.model_type, one.name, one.model_format, one.path)
        for _, one in import_models_yaml(path)
    ]
    assert found == [
        ("sd-1", "main", "stable-diffusion-v1-5", "diffusers", "sd-1/main/stable-diffusion-v1-5"),
        ("sd-1", "main", "Deliberate/v2", "checkpoint", "/data/Deliberate_v2.safetensors"),
        ("sd-2", "main", "sd2", "diffusers", "sd-2/main/sd2"),
        ("sd-1", "vae", "mse", "diffusers", "sd-1/vae/mse"),
        ("sd-1", "embedding", "easy", "embedding_file", "sd-1/embedding/easy.pt"),
        ("sd-1", "embedding", "folder", "embedding_folder", "sd-1/embedding/folder"),
        ("sd-1", "lora", "ink", "lycoris", "sd-1/lora/ink.safetensors"),
        ("sdxl", "controlnet", "canny", "diffusers", "sdxl/controlnet/canny"),
        ("sd-1", "ip_adapter", "plus", "invokeai", "sd-1/ip_adapter/plus"),
        ("any", "clip_vision", "encoder", "diffusers", "any/clip_vision/encoder"),
        ("sd-1", "onnx", "graph", "olive", "sd-1/onnx/graph"),
    ]


def test_the_younger_form_loses_nothing(path: Path) -> None:
    """Its fields keep their names; what a record has none for stands in the default settings."""
    path.write_text(YOUNGER)
    records = {one.name: one.to_document() for _, one in import_models_yaml(path)}
    assert records["stable-diffusion-v1-5"]["vae"] == "sd-1/vae/mse"
    assert records["Deliberate/v2"]["config"] == "configs/stable-diffusion/v1-inference.yaml"
    assert records["Deliberate/v2"]["variant"] == "inpaint"
    assert records["Deliberate/v2"]["default_settings"] == {"error": "not_found"}
    assert records["sd2"]["prediction_type"] == "v_prediction"
    assert records["sd2"]["upcast_attention"] is True
    assert records["plus"]["image_encoder_model_id"] == "encoder"
    assert records["graph"]["default_settings"] == {"models_yaml_name": "another"}


def test_the_older_form_is_told_by_its_configuration(path: Path) -> None:
    """Base, variant and prediction follow from the name of the configuration, paths count from its root."""
    path.write_text(OLDER)
    root = path.parent.parent
    records = [one.to_document() for _, one in import_models_yaml(path)]
    wanted = ("name", "model_format", "base_model", "path", "variant", "prediction_type", "vae")
    assert [tuple(each.get(name) for name in wanted) for each in records] == [
        (
            *("stable-diffusion-1.5", "checkpoint", "sd-1"),
            *(f"{root}/models/ldm/v1-5-pruned-emaonly.ckpt", "inpaint", None),
            f"{root}/models/ldm/vae.ckpt",
        ),
        (
            *("sd-2.1", "checkpoint", "sd-2", "/abs/v2-1.ckpt", "normal", "v_prediction"),
            f"{root}/models/vae",
        ),
        (
            *("waifu", "diffusers", "unknown", "hakurei/waifu-diffusion", "normal", None),
            "stabilityai/sd-vae-ft-mse",
        ),
        (
            "local/one",
            "diffusers",
            "unknown",
            f"{root}/models/diffusers/local",
            "normal",
            None,
            None,
        ),
    ]
    assert records[0]["default_settings"] == {"width": 512, "height": 512, "default": True}
    assert (records[2]["source"], records[2]["source_type"]) == (
        "hakurei/waifu-diffusion",
        "hf_repo_id",
    )
    assert records[3]["default_settings"] == {
        "models_yaml_vae": {"repo_id": "some/vae", "subfolder": "vae"},
        "models_yaml_name": "mine",
        "models_yaml_path": "models/diffusers/local",
        "models_yaml_variant": "normal",
    }


@pytest.mark.parametrize("content", [YOUNGER, OLDER])
def test_what_was_imported_can_be_added_once(tmp_path: Path, path: Path, content: str) -> None:
    """The keys are the same each time, and the old file stays as it is."""
    path.write_text(content)
    records = import_models_yaml(path)
    store = ModelRecordServiceFile(tmp_path / "new.yaml")
    store.add_models(records)
    assert store.count() == len(records)
    with pytest.raises(DuplicateKeyError):
        store.add_models(import_models_yaml(path))
    assert path.read_text() == content


def test_every_entry_that_makes_no_record_is_named(path: Path) -> None:
    """With line and field; nothing is imported then."""
    path.write_text(
        "sd-1/lora/ok:\n  path: a\n"
        "sd-9/lora/base:\n  path: a\n"
        "sd-1/main/format:\n  path: a\n  model_format: lycoris\n"
        "nothing: 5\n"
        "nowhere:\n  format: diffusers\n"
    )
    with pytest.raises(InvalidRecordFileError) as caught:
        import_models_yaml(path)
    assert caught.value.count == 4
    for said in (
        "record `sd-9/lora/base`, line 3, field `base_model`",
        "record `sd-1/main/format`, line 7, field `model_format`",
        "record `nothing`, line 8: ",
        "record `nowhere`, line 9, field `path`",
    ):
        assert said in str(caught.value)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"__metadata__:\n  version: '3.2'\n", NotARecordStoreError),
        (b"__metadata__: 5\n", NotARecordStoreError),
        (b"\xff\xfe", NotARecordStoreError),
        (b"a: [\n", InvalidRecordFileError),
        (None, StoreUnusableError),
    ],
)
def test_another_file_is_refused(path: Path, content: bytes | None, kind: type[Exception]) -> None:
    """What is no old list of models, and what is not there."""
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(kind):
        import_models_yaml(path)
