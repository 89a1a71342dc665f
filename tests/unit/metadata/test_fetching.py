from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from modelshelf.errors import (
    CivitaiNotFoundError,
    HubAnswerError,
    HubUnreachableError,
    InvalidMetadataError,
    InvalidModelSourceError,
    ModelshelfError,
    OfflineError,
    RateLimitedError,
    RepositoryNotFoundError,
)
from modelshelf.metadata import (
    CivitaiMetadata,
    CivitaiMetadataFetch,
    HuggingFaceMetadata,
    HuggingFaceMetadataFetch,
    ModelMetadataFetchBase,
)
from modelshelf.schema.hub_settings import CivitaiSettings, HubSettings
from modelshelf.testing import tiny
from tests.hubs import (
    TOKEN,
    CivitaiSite,
    HostedModel,
    HostedModelFile,
    HostedVersion,
    HuggingFaceHub,
    civitai_site,
    hugging_face_hub,
)
from tests.hubs.server import json_answer


@pytest.fixture(scope="module")
def lora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.lora(tmp_path_factory.mktemp("model") / "m" / "ink.safetensors", size=20_000)


@pytest.fixture
def hub(lora: Path) -> Iterator[HuggingFaceHub]:
    with hugging_face_hub(ink=lora.parent) as hub:
        yield hub


@pytest.fixture
def site(lora: Path) -> Iterator[CivitaiSite]:
    versions = [
        HostedVersion(number, [HostedModelFile(30 + number, lora)], name=f"v{number}")
        for number in (12, 11)
    ]
    with civitai_site(HostedModel(1, "Ink", versions)) as site:
        yield site


def _hf(hub: HuggingFaceHub, **settings: object) -> HuggingFaceMetadataFetch:
    return HuggingFaceMetadataFetch(settings=HubSettings(endpoint=hub.url, **settings))  # type: ignore[arg-type]


def _civitai(site: CivitaiSite) -> CivitaiMetadataFetch:
    return CivitaiMetadataFetch(settings=CivitaiSettings(endpoint=site.url))


def test_the_documents_example_runs(hub: HuggingFaceHub) -> None:
    """`from_id` gives a `HuggingFaceMetadata` with the documented fields."""
    model_metadata = _hf(hub).from_id("acme/ink")
    assert isinstance(model_metadata, HuggingFaceMetadata)
    assert model_metadata.type == "huggingface"
    assert (model_metadata.id, model_metadata.name, model_metadata.author) == (
        "acme/ink",
        "ink",
        "acme",
    )
    assert model_metadata.tags == {
        "diffusers",
        "safetensors",
        "text-to-image",
        "license:mit",
    }
    assert model_metadata.tag_dict == {"license": "mit", "tags": ["text-to-image"]}
    assert model_metadata.last_modified == datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert model_metadata.files == [Path("ink.safetensors")]


@pytest.mark.parametrize(
    "path",
    ["acme/ink", "acme/ink/tree/main", "acme/ink/resolve/main/ink.safetensors?download=true"],
)
def test_a_page_is_its_repository(hub: HuggingFaceHub, path: str) -> None:
    """Whatever people copy: the page, a folder, a file."""
    fetch = _hf(hub)
    assert fetch.from_url(f"{hub.url}/{path}") == fetch.from_id("acme/ink")


def test_a_session_is_used_as_it_is(hub: HuggingFaceHub) -> None:
    """Headers and cookies that the caller put on it are sent."""
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {TOKEN}"
        settings = HubSettings(endpoint=hub.url)
        HuggingFaceMetadataFetch(session, settings=settings).from_id("acme/ink")
    assert [one.credentials for one in hub.requests()] == [("authorization",)]


def test_a_renamed_repository_is_followed(hub: HuggingFaceHub) -> None:
    """Its present id is told."""
    hub.renamed["acme/former"] = "acme/ink"
    assert _hf(hub).from_id("acme/former").id == "acme/ink"


def test_metadata_comes_back_from_json(hub: HuggingFaceHub, site: CivitaiSite) -> None:
    """Through the base class as whichever it was, through a subclass as its own."""
    for metadata, fetch in (
        (_hf(hub).from_id("acme/ink"), HuggingFaceMetadataFetch),
        (_civitai(site).from_id("1"), CivitaiMetadataFetch),
    ):
        text = metadata.model_dump_json()
        assert ModelMetadataFetchBase.from_json(text) == metadata
        assert fetch.from_json(text) == metadata


@pytest.mark.parametrize(
    "fetch", [ModelMetadataFetchBase, HuggingFaceMetadataFetch, CivitaiMetadataFetch]
)
@pytest.mark.parametrize("text", ["", "[]", "{}", '{"type": "other"}', '{"type": "civitai"}'])
def test_what_is_no_metadata_is_refused(fetch: type[ModelMetadataFetchBase], text: str) -> None:
    """Also through the base class."""
    with pytest.raises(InvalidMetadataError):
        fetch.from_json(text)


def test_a_refusal_is_the_hubs_own_error(hub: HuggingFaceHub) -> None:
    """Missing, limited, away, offline, and an answer that is none."""
    fetch = _hf(hub)
    with pytest.raises(RepositoryNotFoundError):
        fetch.from_id("acme/none")
    hub.refuse_next(1, {"Retry-After": "7"})
    with pytest.raises(RateLimitedError):
        fetch.from_id("acme/ink")
    away = HuggingFaceMetadataFetch(settings=HubSettings(endpoint="http://127.0.0.1:1"))
    with pytest.raises(HubUnreachableError):
        away.from_id("acme/ink")
    with pytest.raises(OfflineError):
        _hf(hub, offline=True).from_id("acme/ink")
    with pytest.raises(HubAnswerError):
        HuggingFaceMetadataFetch(
            settings=HubSettings(endpoint=f"{hub.url}/acme/ink/resolve/main/ink.safetensors?")
        ).from_id("acme/ink")


@pytest.mark.parametrize(
    ("text", "version"),
    [("1", 12), ("1@11", 11), ("civitai:1@12", 12)],
)
def test_a_version_is_found_by_its_id(site: CivitaiSite, text: str, version: int) -> None:
    """The newest where none is named."""
    metadata = _civitai(site).from_id(text)
    assert isinstance(metadata, CivitaiMetadata)
    assert (metadata.id, metadata.model_id, metadata.name) == (version, 1, "Ink")
    assert metadata.version_name == f"v{version}"
    assert metadata.files == [Path("ink.safetensors")]


@pytest.mark.parametrize(
    ("path", "version"),
    [
        ("models/1", 12),
        ("models/1/ink-drawing?modelVersionId=11", 11),
        ("model-versions/11", 11),
        ("api/download/models/11?type=Model", 11),
    ],
)
def test_a_page_of_civitai_is_its_version(site: CivitaiSite, path: str, version: int) -> None:
    """Page, version, download: with what the model says, whichever was asked for."""
    metadata = _civitai(site).from_url(f"{site.url}/{path}")
    assert (metadata.id, metadata.author, metadata.tags) == (version, "acme", {"style", "tiny"})


def test_what_civitai_does_not_have_is_told(site: CivitaiSite) -> None:
    """Model, version of a model, version."""
    fetch = _civitai(site)
    for text in ("9", "1@99"):
        with pytest.raises(CivitaiNotFoundError):
            fetch.from_id(text)
    with pytest.raises(CivitaiNotFoundError):
        fetch.from_version_id(99)


def test_a_version_whose_model_is_hidden_is_told(site: CivitaiSite) -> None:
    """By what the version says of its model; offline nothing is asked."""
    site.models[0].id, number = 9, site.models[0].versions[0].id
    hidden = site.models[0].versions[0]
    fetch = _civitai(site)
    assert fetch.from_version_id(number).model_id == 9
    site.answer = lambda request: (  # type: ignore[method-assign]
        json_answer({"id": hidden.id, "modelId": 8, "model": {"name": "Ink"}})
        if "model-versions" in request.path
        else json_answer({}, 404)
    )
    assert (fetch.from_version_id(number).name, fetch.from_version_id(number).tags) == (
        "Ink",
        set(),
    )
    offline = CivitaiMetadataFetch(settings=CivitaiSettings(site.url, offline=True))
    with pytest.raises(OfflineError):
        offline.from_id("1")


def test_an_endless_answer_is_cut(hub: HuggingFaceHub, tmp_path: Path) -> None:
    """After 16 MiB, before it is parsed."""
    big = tmp_path / "big"
    big.mkdir()
    (big / "x.safetensors").write_bytes(bytes(17 * 1024 * 1024))
    hub.add("acme/big", big)
    settings = HubSettings(endpoint=f"{hub.url}/acme/big/resolve/main/x.safetensors?")
    with pytest.raises(HubAnswerError, match="more than"):
        HuggingFaceMetadataFetch(settings=settings).from_id("acme/ink")


@pytest.mark.parametrize(
    ("fetch", "text"),
    [
        (HuggingFaceMetadataFetch(), "https://huggingface.co/datasets/acme/words"),
        (HuggingFaceMetadataFetch(), "https://evil.example/huggingface.co/acme/ink"),
        (HuggingFaceMetadataFetch(), "https://huggingface.co/acme"),
        (CivitaiMetadataFetch(), "https://civitai.com/user/acme"),
        (CivitaiMetadataFetch(), "https://evil.example/models/1?x=civitai.com"),
        (HuggingFaceMetadataFetch(), "http://me:word@[half/acme/ink?token=word"),
        (HuggingFaceMetadataFetch(), "https://me:word@huggingface.co:port/acme/ink"),
        (CivitaiMetadataFetch(), "https://me:word@civitai.com/user/acme"),
        (CivitaiMetadataFetch(), "https://me:word@civitai.com:99999/models/1"),
        (CivitaiMetadataFetch(), ""),
    ],
)
def test_another_page_is_refused_without_a_question(
    fetch: ModelMetadataFetchBase, text: str
) -> None:
    """Nothing is sent anywhere, and nothing secret is said, also of what is hardly an address."""
    with pytest.raises(InvalidModelSourceError) as refused:
        fetch.from_url(text)
    assert "word@" not in str(refused.value)


@pytest.mark.parametrize("text", ["ink", "acme/../x", "sdxl@1"])
def test_an_id_that_no_hub_has_is_refused(text: str) -> None:
    """Before it becomes a part of an address."""
    for fetch in (HuggingFaceMetadataFetch(), CivitaiMetadataFetch()):
        with pytest.raises(ModelshelfError):
            fetch.from_id(text)


def test_reading_a_files_own_metadata_loads_no_http_library() -> None:
    """It takes a tenth of a second that nobody needs there."""
    program = "import sys, modelshelf.metadata; print('requests' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
