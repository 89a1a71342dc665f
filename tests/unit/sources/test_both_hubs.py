from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from modelshelf.schema.hub_settings import CivitaiSettings, HubSettings
from modelshelf.schema.listing import Listing
from modelshelf.schema.model_source import (
    CivitaiModelSource,
    HFModelSource,
    ModelSource,
)
from modelshelf.sources import (
    CivitaiSource,
    HuggingFaceSource,
    RequestsHubClient,
    parse_source,
)
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
    with RequestsHubClient(pauses=()) as client:
        if isinstance(source, HFModelSource):
            return HuggingFaceSource(client, HubSettings(hub.url)).list(source)
        assert isinstance(source, CivitaiModelSource)
        return CivitaiSource(client, CivitaiSettings(site.url)).list(source)


def test_the_same_file_is_known_from_both_hubs_before_it_is_fetched(
    hub: HuggingFaceHub, site: CivitaiSite
) -> None:
    """By its SHA-256, so that it is stored once."""
    repository = _list(hub, site, HFModelSource(repo_id="acme/ink", variant=None))
    version = _list(hub, site, CivitaiModelSource(model_id=1))
    assert repository.files[0].sha256 == version.files[0].sha256 is not None


def test_a_text_becomes_a_listing(hub: HuggingFaceHub, site: CivitaiSite, lora: Path) -> None:
    """Whatever the text: a repository, its page, a version, a hash."""
    sha256 = site.models[0].versions[0].files[0].hashes["SHA256"]
    texts = ["acme/ink", f"{hub.url}/acme/ink", "civitai:1@11", f"{site.url}/models/1", sha256]
    for text in texts:
        settings = HubSettings(hub.url), CivitaiSettings(site.url)
        source = parse_source(text, hub=settings[0], civitai=settings[1])
        listing = _list(hub, site, source)
        assert [file.name for file in listing.files] == [lora.name]
