"""Whole installations over real HTTP, from every kind of source."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelshelf import NormalizedModelManager, Settings, normalized_model_manager
from modelshelf.download import DownloadQueueService
from modelshelf.errors import InvalidModelConfigException, UnknownJobIDException
from modelshelf.events import EventBus
from modelshelf.manager import ModelInstallService
from modelshelf.schema.model_source import (
    CivitaiModelSource,
    HFModelSource,
    LocalModelSource,
    ModelSource,
    URLModelSource,
)
from modelshelf.schema.taxonomy import BaseModelType
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

PATIENCE = 60
"""Seconds after which a test gives up."""


@pytest.fixture
def lora(tmp_path: Path) -> Path:
    return tiny.lora(tmp_path / "originals" / "ink.safetensors", base="sd-1", size=3_000_000)


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    return tiny.pipeline(tmp_path / "originals" / "dream", base="sd-1", size=4_000_000)


@pytest.fixture
def hub(pipeline: Path, lora: Path) -> Iterator[HuggingFaceHub]:
    with hugging_face_hub() as hub:
        hub.add("acme/dream", pipeline)
        (lora.parent / "repository").mkdir()
        (lora.parent / "repository" / lora.name).hardlink_to(lora)
        hub.add("acme/ink", lora.parent / "repository")
        yield hub


@pytest.fixture
def site(lora: Path) -> Iterator[CivitaiSite]:
    version = HostedVersion(11, [HostedModelFile(id=31, path=lora)])
    # Of a module that three bases have.
    module = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"
    soft = tiny.write_safetensors(
        lora.parent / "soft.safetensors",
        {
            f"{module}.lora_down.weight": ("F16", (4, 1280)),
            f"{module}.lora_up.weight": ("F16", (1280, 4)),
        },
        seed=1,
    )
    open_one = HostedVersion(12, [HostedModelFile(id=32, path=soft)], base_model="SDXL 1.0")
    models = HostedModel(1, "Ink", [version]), HostedModel(2, "Soft", [open_one])
    with civitai_site(*models) as site:
        yield site


@pytest.fixture
def settings(tmp_path: Path, hub: HuggingFaceHub, site: CivitaiSite) -> Settings:
    return Settings.model_validate(
        {
            "root": tmp_path / "shelf",
            "hugging_face": {
                "endpoint": hub.url,
                "token_path": tmp_path / "no-token",
                "cache": tmp_path / "hf-cache",
            },
            "civitai": {"endpoint": site.url},
            "download": {"private_addresses": "as-named"},
        }
    )


@pytest.fixture
def library(settings: Settings) -> Iterator[NormalizedModelManager]:
    with normalized_model_manager(settings) as library:
        yield library


@pytest.fixture
def bus() -> EventBus:
    return EventBus()


@pytest.fixture
def installer(
    settings: Settings, library: NormalizedModelManager, bus: EventBus
) -> Iterator[ModelInstallService]:
    queue = DownloadQueueService(quiet=True)
    with ModelInstallService(settings, library.store, queue, event_bus=bus) as installer:
        yield installer
    queue.stop()


def test_the_same_model_from_four_sources_is_stored_once(
    installer: ModelInstallService,
    library: NormalizedModelManager,
    hub: HuggingFaceHub,
    lora: Path,
) -> None:
    """With four records, which say where each came from."""
    url = hub.files.sign(hub.files.publish(lora, etag="plain", is_public=True))
    sources: list[ModelSource] = [
        LocalModelSource(path=lora),
        URLModelSource(url=url),
        HFModelSource(repo_id="acme/ink"),
        CivitaiModelSource(version_id=11),
    ]
    for source in sources:
        installer.import_model(source)
    jobs = installer.wait_for_installs(timeout=PATIENCE)
    assert [(jobs[source].status.value, jobs[source].error) for source in sources] == [
        ("completed", None)
    ] * 4
    records = [jobs[source].config_out for source in sources]
    assert [str(config and config.source_type) for config in records] == [
        "path",
        "url",
        "hf_repo_id",
        "civitai",
    ]
    assert len({config.key for config in records if config}) == 4
    assert len({model.id for model in library.list_models()}) == 1
    assert library.usage().stored < 1.01 * lora.stat().st_size
    assert library.verify().clean
    civitai = jobs[sources[3]].config_out
    assert civitai is not None
    assert civitai.trigger_phrases == ["tiny style"]
    assert "tiny style" in str(civitai.source_api_response)


def test_a_repository_becomes_a_pipeline_and_comes_back(
    installer: ModelInstallService,
    library: NormalizedModelManager,
    pipeline: Path,
    bus: EventBus,
    tmp_path: Path,
) -> None:
    """Events tell its way; an export has the bytes that the repository had."""
    with bus.subscribe() as events:
        job = installer.heuristic_import("acme/dream", {"name": "Dream", "tags": ["mine"]})
        installer.wait_for_job(job, timeout=PATIENCE)
    assert (job.status.value, job.error) == ("completed", None)
    names = list(dict.fromkeys(event.name.removeprefix("model_install_") for event in events))
    assert names in (
        ["downloading", "running", "completed"],
        ["running", "completed"],
    )
    config = job.config_out
    assert config is not None
    assert (config.name, config.type.value, config.base.value) == ("Dream", "main", "sd-1")
    assert "mine" in config.tags
    assert job.bytes == job.total_bytes == config.size
    library.export("Dream", "sd-1", destination=tmp_path / "out")
    exported = {
        path.relative_to(tmp_path / "out" / "Dream"): path.read_bytes()
        for path in (tmp_path / "out" / "Dream").rglob("*")
        if path.is_file()
    }
    for member, content in exported.items():
        assert content == (pipeline / member).read_bytes()
    assert Path("unet/diffusion_pytorch_model.safetensors") in exported
    assert not list((tmp_path / "shelf" / "models" / ".cache" / "installs").glob("[0-9]*"))


def test_files_keep_the_names_that_a_repository_gave_them(
    installer: ModelInstallService,
    library: NormalizedModelManager,
    hub: HuggingFaceHub,
    pipeline: Path,
    tmp_path: Path,
) -> None:
    """Indexes refer to them: nothing is composed, dropped or replaced, unless no system could hold it."""
    names = {
        "e\u0301.json",
        "a?b.json",
        "\U0001f469\u200d\U0001f4bb.json",
        '"v2" <b>*.json',
        " lead.json",
    }
    for name in names:
        (pipeline / "unet" / name).write_text("{}")
    hub.add("acme/names", pipeline)
    job = installer.heuristic_import("acme/names", {"name": "Names"})
    installer.wait_for_job(job, timeout=PATIENCE)
    assert (job.status.value, job.error) == ("completed", None)
    library.export("Names", "sd-1", destination=tmp_path / "out")
    assert names <= {path.name for path in (tmp_path / "out" / "Names" / "unet").iterdir()}


def test_texts_of_odd_names_lose_nobody_a_model(
    installer: ModelInstallService,
    library: NormalizedModelManager,
    hub: HuggingFaceHub,
    pipeline: Path,
) -> None:
    """Legal where the repository was made and not everywhere: the job goes on without them and says so."""
    for name in ("README.md", "readme.md", "at 10:30.txt", "NUL.txt", "LICENSE "):
        (pipeline / name).write_text(name)
    hub.add("acme/odd", pipeline)
    job = installer.heuristic_import("acme/odd", {"name": "Odd"})
    installer.wait_for_job(job, timeout=PATIENCE)
    assert (job.status.value, job.error) == ("completed", None)
    kept = {file.member for file in library.files("Odd")}
    assert "README.md" in kept
    assert not {"readme.md", "at 10:30.txt", "NUL.txt", "LICENSE "} & kept
    assert len([note for note in job.notes if "left out" in note]) == 4


def test_what_is_owned_is_not_fetched(
    installer: ModelInstallService,
    library: NormalizedModelManager,
    hub: HuggingFaceHub,
    pipeline: Path,
    tmp_path: Path,
) -> None:
    """A pipeline that shares all but its U-Net moves the U-Net's bytes, and no others that have a digest."""
    other = tiny.pipeline(tmp_path / "other", base="sd-1", seed=5, share_seed=0, size=4_000_000)
    hub.add("acme/other", other)
    library.import_model(pipeline)
    job = installer.heuristic_import("acme/other")
    installer.wait_for_job(job, timeout=PATIENCE)
    assert (job.status.value, job.error) == ("completed", None)
    sent = {key.partition("/")[2]: count for key, count in hub.files.bytes_sent.items()}
    shared = sum(
        path.stat().st_size
        for folder in ("vae", "text_encoder", "safety_checker")
        for path in (other / folder).rglob("*.safetensors")
    )
    whole = sum(path.stat().st_size for path in other.rglob("*.safetensors"))
    assert job.spared_bytes >= shared
    assert sum(sent.values()) == whole - shared


def test_a_failed_install_says_why_and_leaves_nothing(
    installer: ModelInstallService, library: NormalizedModelManager, bus: EventBus
) -> None:
    """A repository that is not there is an error of its own; the others go on."""
    with bus.subscribe() as events:
        job = installer.heuristic_import("acme/nothing")
        installer.wait_for_job(job, timeout=PATIENCE)
    assert (job.status.value, job.error_type) == ("error", "RepositoryNotFoundError")
    assert job.error_code == "repository-not-found"
    assert job.hint
    assert [event.name for event in events] == ["model_install_error"]
    assert library.list_models() == []
    installer.prune_jobs()
    assert installer.list_jobs() == []
    with pytest.raises(UnknownJobIDException):
        installer.get_job_by_id(job.id)


def test_what_cannot_be_said_of_a_model_is_refused_before_anything_moves(
    installer: ModelInstallService, hub: HuggingFaceHub
) -> None:
    """Not after the download."""
    with pytest.raises(InvalidModelConfigException):
        installer.heuristic_import("acme/dream", {"base": "sd-9"})
    assert hub.requests() == []


def test_a_token_goes_to_its_hub_and_nowhere_else(
    installer: ModelInstallService,
    hub: HuggingFaceHub,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    bus: EventBus,
) -> None:
    """Not to storage, not into logs, events, records or files."""
    hub.repositories["acme/dream"].is_private = True
    caplog.set_level(logging.DEBUG)
    token = "hf_reader_of_everything"  # noqa: S105 - the stand-in's own
    with bus.subscribe() as events:
        job = installer.heuristic_import("acme/dream", access_token=token)
        installer.wait_for_job(job, timeout=PATIENCE)
    assert (job.status.value, job.error) == ("completed", None)
    assert all(not one.credentials for one in hub.files.requests())
    assert any(one.credentials for one in hub.requests())
    said = caplog.text + "".join(str(event.payload) for event in events) + repr(job)
    assert token not in said + str(job.config_out)
    for path in (tmp_path / "shelf").rglob("*"):
        if path.is_file():
            assert token.encode() not in path.read_bytes()


def test_files_in_the_hubs_own_cache_are_used(
    installer: ModelInstallService, hub: HuggingFaceHub, tmp_path: Path
) -> None:
    """Copied, never changed, and only as far as they are what the hub lists."""
    repository = hub.repositories["acme/dream"]
    commit = repository.refs["main"]
    root = tmp_path / "hf-cache" / "models--acme--dream"
    (root / "blobs").mkdir(parents=True)
    for file in repository.commits[commit].values():
        snapshot = root / "snapshots" / commit / file.name
        snapshot.parent.mkdir(parents=True, exist_ok=True)
        blob = root / "blobs" / (file.sha256 if file.is_large else file.git_sha1)
        blob.write_bytes(file.path.read_bytes())
        snapshot.symlink_to(blob)
    damaged = next(path for path in (root / "blobs").iterdir() if path.stat().st_size > 100_000)
    content = bytearray(damaged.read_bytes())
    content[-1] ^= 1
    damaged.write_bytes(content)
    before = {path: path.stat().st_mtime_ns for path in (root / "blobs").iterdir()}
    job = installer.heuristic_import("acme/dream")
    installer.wait_for_job(job, timeout=PATIENCE)
    assert (job.status.value, job.error) == ("completed", None)
    assert sum(hub.files.bytes_sent.values()) == len(content)
    assert {path: path.stat().st_mtime_ns for path in (root / "blobs").iterdir()} == before
    assert all(path.stat().st_mode & 0o200 for path in before)


def test_a_model_stays_where_it_is(
    installer: ModelInstallService, library: NormalizedModelManager, lora: Path
) -> None:
    """Registered in place it is known and costs nothing; delete leaves the user's file alone."""
    job = installer.heuristic_import(str(lora), inplace=True)
    installer.wait_for_job(job, timeout=PATIENCE)
    config = job.config_out
    assert config is not None
    assert config.path == str(lora)
    assert job.inplace
    assert library.usage().stored == 0
    installer.delete(config.key)
    assert lora.exists()
    assert not library.store.exists(config.key)
    key = installer.register_path(lora)
    installer.unconditionally_delete(key)
    assert not lora.exists()


def test_download_and_cache_fetches_once(
    installer: ModelInstallService, hub: HuggingFaceHub, lora: Path
) -> None:
    """And makes no model of it."""
    first = installer.download_and_cache("acme/ink")
    sent = sum(hub.files.bytes_sent.values())
    assert installer.download_and_cache("acme/ink") == first
    assert sum(hub.files.bytes_sent.values()) == sent
    assert first.read_bytes() == lora.read_bytes()
    assert installer.record_store.all_models() == []


def test_what_a_site_calls_the_base_chooses_among_those_that_fit(
    installer: ModelInstallService, library: NormalizedModelManager
) -> None:
    """As its words beside a file would, and they are heard when the model is identified again."""
    job = installer.import_model(CivitaiModelSource(version_id=12))
    installer.wait_for_installs(PATIENCE)
    assert job.config_out is not None
    assert library.get_model(job.config_out.key).bases == (BaseModelType.SDXL,)
    assert library.identify_again([job.config_out.key]) == []
    assert library.as_detected(job.config_out.key).bases == (BaseModelType.SDXL,)
