"""An installer with two hubs on this machine, to be asked for what goes well and for what does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from modelshelf import ModelInstallService, Settings
from modelshelf.disk import LocalDisk
from modelshelf.download import DownloadQueueService
from modelshelf.events import EventBus
from modelshelf.manager.assembly import Services, assemble
from modelshelf.manager.download_queue import download_queue
from modelshelf.protocols import Disk
from modelshelf.schema.install_job import ModelInstallJob
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

__all__ = ["PATIENCE", "Place", "installing_place", "open_place"]

PATIENCE = 60
"""Seconds after which a test gives up."""


@dataclass(slots=True)
class Place:
    """A library that is installed into, the hubs that it asks, and what is told."""

    folder: Path
    """Everything is below it."""
    hub: HuggingFaceHub
    """Has `acme/dream`, a pipeline, and `acme/ink`, a LoRA."""
    site: CivitaiSite
    """Has model 1 with version 11, the LoRA."""
    settings: Settings
    services: Services
    queue: DownloadQueueService
    bus: EventBus
    installer: ModelInstallService

    @property
    def lora(self) -> Path:
        """The LoRA that both hubs have."""
        return self.folder / "hosted" / "ink" / "ink.safetensors"

    @property
    def version(self) -> HostedVersion:
        """The one of the site's model."""
        return self.site.models[0].versions[0]

    def install(self, source: str, token: str | None = None) -> ModelInstallJob:
        """Install from *source*, and wait for what comes of it."""
        job = self.installer.heuristic_import(source, access_token=token)
        return self.installer.wait_for_job(job, timeout=PATIENCE)

    def left_behind(self) -> list[str]:
        """Return the folders of jobs that are on the disk."""
        return sorted(path.name for path in (self.settings.cache_path / "installs").glob("[0-9]*"))


@contextmanager
def installing_place(
    folder: Path, *, disk: Disk | None = None, **settings: object
) -> Iterator[Place]:
    """Open a place; *settings* are those of the library, by their groups."""
    hosted = folder / "hosted"
    dream = tiny.pipeline(hosted / "dream", base="sd-1", size=3_000_000)
    lora = tiny.lora(hosted / "ink" / "ink.safetensors", base="sd-1", size=2_000_000)
    model = HostedModel(1, "Ink", [HostedVersion(11, [HostedModelFile(id=31, path=lora)])])
    with hugging_face_hub() as hub, civitai_site(model) as site:
        hub.add("acme/dream", dream)
        hub.add("acme/ink", lora.parent)
        with open_place(folder, hub, site, disk=disk, settings=settings) as place:
            yield place


@contextmanager
def open_place(
    folder: Path,
    hub: HuggingFaceHub,
    site: CivitaiSite,
    *,
    disk: Disk | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Iterator[Place]:
    """Open the library below *folder* once more, with the same hubs."""
    given = dict(settings or {})
    hugging_face = {
        "endpoint": hub.url,
        "token_path": folder / "no-token",
        "cache": folder / "hf-cache",
    } | given.pop("hugging_face", {})
    civitai = {"endpoint": site.url} | given.pop("civitai", {})
    # The stand-ins are hosts of this machine, and so are the addresses that tests name.
    download = {"private_addresses": "as-named"} | given.pop("download", {})
    wanted = Settings.model_validate(
        {
            "root": folder / "shelf",
            "hugging_face": hugging_face,
            "civitai": civitai,
            "download": download,
        }
        | given
    )
    services = assemble(wanted, clock=lambda: datetime.now(UTC), disk=disk or LocalDisk())
    bus = EventBus()
    try:
        with (
            download_queue(wanted) as queue,
            ModelInstallService(
                wanted, services.configs, queue, event_bus=bus, services=services
            ) as installer,
        ):
            yield Place(folder, hub, site, wanted, services, queue, bus, installer)
    finally:
        services.records.close()
