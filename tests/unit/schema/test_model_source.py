from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import AnyHttpUrl, ValidationError

from modelshelf.schema.model_source import (
    MODEL_SOURCE,
    CivitaiModelSource,
    HFModelSource,
    LocalModelSource,
    ModelSource,
    URLModelSource,
)
from modelshelf.schema.taxonomy import ModelRepoVariant

_URL = AnyHttpUrl("https://civitai.com/api/download/models/63006")
_SECRET = "letmein"  # noqa: S105 - it opens nothing
_SOURCES: list[ModelSource] = [
    LocalModelSource(path=Path("/opt/models/sushi.safetensors")),
    LocalModelSource(path=Path("/opt/models/sushi_diffusers"), inplace=True),
    HFModelSource(repo_id="runwayml/stable-diffusion-v1-5"),
    HFModelSource(repo_id="runwayml/stable-diffusion-v1-5", subfolder=Path("vae")),
    HFModelSource(repo_id="runwayml/stable-diffusion-v1-5", variant=ModelRepoVariant.FP32),
    URLModelSource(url=_URL),
    URLModelSource(url=_URL, access_token=_SECRET),
    CivitaiModelSource(model_id=1, version_id=2, file_id=3),
]


def test_sources_are_keys_of_a_dictionary() -> None:
    """Equal ones are one key; a token makes another source, as in the document's sample."""
    again = [one.model_copy() for one in _SOURCES]
    assert {**dict.fromkeys(_SOURCES, 1), **dict.fromkeys(again, 2)} == dict.fromkeys(_SOURCES, 2)


@pytest.mark.parametrize("source", _SOURCES, ids=range(len(_SOURCES)))
def test_a_source_comes_back_from_json(source: ModelSource) -> None:
    """All of it but the token."""
    again = MODEL_SOURCE.validate_json(source.model_dump_json())
    assert str(again) == str(source)
    assert again == source.model_copy(
        update={"access_token": None} if hasattr(source, "access_token") else {}
    )


def test_the_words_of_the_document_are_accepted() -> None:
    """Strings for variant, path and subfolder; fp16 where nothing is said."""
    source = HFModelSource.model_validate(
        {"repo_id": "acme/lens", "variant": "onnx", "subfolder": "OrangeMix/OrangeMix1.ckpt"}
    )
    assert source.variant is ModelRepoVariant.ONNX
    assert source.subfolder == Path("OrangeMix/OrangeMix1.ckpt")
    assert HFModelSource(repo_id="acme/lens").variant is ModelRepoVariant.FP16


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "hf", "repo_id": "lens"},
        {"type": "hf", "repo_id": "acme/lens.git"},
        {"type": "hf", "repo_id": "acme/lens", "subfolder": "../x"},
        {"type": "hf", "repo_id": "acme/lens", "revision": "a b"},
        {"type": "hf", "repo_id": "acme/lens", "variant": "fp8"},
        {"type": "url", "url": "file:///etc/passwd"},
        {"type": "civitai"},
        {"type": "civitai", "model_id": 1, "hash": "0123456789"},
        {"type": "civitai", "hash": "xyz"},
        {"type": "civitai", "version_id": 0},
        {"type": "local", "path": "x", "extra": 1},
    ],
)
def test_what_names_no_source_is_refused(fields: dict[str, object]) -> None:
    """And the error repeats nothing of what was given."""
    with pytest.raises(ValidationError) as caught:
        MODEL_SOURCE.validate_python({**fields, "access_token": _SECRET})
    assert _SECRET not in str(caught.value)


def test_a_source_cannot_be_changed() -> None:
    """A key of a dictionary must stay what it is."""
    with pytest.raises(ValidationError):
        _SOURCES[0].type = "hf"  # type: ignore[misc]
