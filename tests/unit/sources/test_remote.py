from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from modelshelf.schema.hub_settings import CivitaiSettings, HubSettings
from modelshelf.schema.listing import Listing
from modelshelf.schema.model_source import (
    CivitaiModelSource,
    HFModelSource,
    LocalModelSource,
    ModelSource,
    URLModelSource,
)
from modelshelf.sources import RemoteSources, RequestsHubClient, parse_source
from modelshelf.testing import tiny
from tests.hubs import (
    CivitaiSite,
    HostedModel,
    HostedModelFile,
    HostedVersion,
    HuggingFaceHub,
    civitai_site,
    hugging_face_hub,
)


@pytest.fixture(scope="module")
def lora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.lora(tmp_path_factory.mktemp("model") / "m" / "ink.safetensors", size=20_000)


@pytest.fixture
def hub(lora: Path) -> Iterator[HuggingFaceHub]:
    with hugging_face_hub(ink=lora.parent) as hub:
        yield hub


@pytest.fixture
def site(lora: Path) -> Iterator[CivitaiSite]:
    with civitai_site(
        HostedModel(1, "Ink", [HostedVersion(11, [HostedModelFile(31, lora)])])
    ) as site:
        yield site


def _list(hub: HuggingFaceHub, site: CivitaiSite, source: ModelSource) -> Listing:
    assert not isinstance(source, LocalModelSource)
    with RequestsHubClient(pauses=()) as client:
        settings = HubSettings(hub.url), CivitaiSettings(site.url)
        return RemoteSources(client, *settings).list(source)


def test_the_same_file_is_known_from_both_hubs_before_it_is_fetched(
    hub: HuggingFaceHub, site: CivitaiSite
) -> None:
    """By its SHA-256, so that it is stored once."""
    repository = _list(hub, site, HFModelSource(repo_id="acme/ink", variant=None))
    version = _list(hub, site, CivitaiModelSource(model_id=1))
    assert repository.files[0].sha256 == version.files[0].sha256 is not None


def test_the_url_of_a_hub_is_listed_as_the_hubs(hub: HuggingFaceHub, site: CivitaiSite) -> None:
    """With digests and metadata; the source stays what was asked for."""
    for url in (
        f"{hub.url}/acme/ink/resolve/main/ink.safetensors",
        f"{site.url}/api/download/models/11",
    ):
        source = URLModelSource.model_validate({"url": url})
        listing = _list(hub, site, source)
        assert listing.source == source
        assert listing.files[0].is_verifiable
        assert listing.metadata is not None


@pytest.mark.parametrize(
    ("url", "name", "origin"),
    [
        ("https://example.com/a/ink.safetensors?x=1", "ink.safetensors", "https://example.com"),
        ("http://example.com:8080/a%20b.ckpt", "a b.ckpt", "http://example.com:8080"),
        ("https://example.com/", "model", "https://example.com"),
        ("https://example.com/..%2f..%2fpasswd", "_.._.._passwd", "https://example.com"),
    ],
)
def test_any_other_url_is_one_file(
    hub: HuggingFaceHub, site: CivitaiSite, url: str, name: str, origin: str
) -> None:
    """Nothing is asked; the name is a safe one."""
    listing = _list(hub, site, URLModelSource.model_validate({"url": url}))
    assert listing.files[0].name == name
    assert listing.origin == origin
    assert (listing.is_folder, listing.size, listing.metadata) == (False, None, None)
    assert hub.requests() == []


def test_a_text_becomes_a_listing(hub: HuggingFaceHub, site: CivitaiSite, lora: Path) -> None:
    """Whatever the text: a repository, its page, a version, a hash."""
    sha256 = site.models[0].versions[0].files[0].hashes["SHA256"]
    texts = ["acme/ink", f"{hub.url}/acme/ink", "civitai:1@11", f"{site.url}/models/1", sha256]
    for text in texts:
        settings = HubSettings(hub.url), CivitaiSettings(site.url)
        source = parse_source(text, hub=settings[0], civitai=settings[1])
        listing = _list(hub, site, source)
        assert [file.name for file in listing.files] == [lora.name]
