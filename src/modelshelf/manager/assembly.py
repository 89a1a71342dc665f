"""Putting the services of one library together."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from modelshelf.blobs.folder_store import FolderBlobStore
from modelshelf.blobs.leases import LeaseKeeper
from modelshelf.blobs.leftovers import Leftovers
from modelshelf.blobs.views import ViewKeeper
from modelshelf.disk import LocalDisk
from modelshelf.errors import StoreUnusableError
from modelshelf.export import Exporter
from modelshelf.install import ModelAdder
from modelshelf.protocols import Clock, Disk
from modelshelf.records.database import Database
from modelshelf.records.library_service import LibraryRecordService
from modelshelf.records.store import SqlRecordStore
from modelshelf.settings import Settings
from modelshelf.upkeep import GarbageCollector, Trash, Verifier
from modelshelf.upkeep.identification import Identification

__all__ = ["Services", "assemble"]


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that the faces of one library work with."""

    settings: Settings
    """Where it lies and how it behaves."""

    records: SqlRecordStore
    """What is known."""
    configs: LibraryRecordService
    """What is known, as MM2 asks for it."""
    blobs: FolderBlobStore
    """Where the bytes are."""
    views: ViewKeeper
    """What a person sees."""
    adder: ModelAdder
    """Brings models in."""
    exporter: Exporter
    """Gives models back."""
    trash: Trash
    """Deletes and restores."""
    identification: Identification
    """Says anew what models are."""
    collector: GarbageCollector
    """Frees what nobody needs."""
    verifier: Verifier
    """Checks everything."""
    clock: Clock
    """The time of day."""
    disk: Disk
    """Through which everything is written."""
    library: tuple[Path, ...]
    """The folders that are the library's own: nothing is added from there or exported to there."""


def assemble(settings: Settings, *, clock: Clock, disk: Disk | None = None) -> Services:
    """Build the services of the library that *settings* describe, making it where there is none.

    Args:
        settings: Where it lies and how it behaves.
        clock: The time of day.
        disk: Through which to change the file system; None for the local one.

    Raises:
        StoreUnusableError: The root cannot hold a library, or what is there is none.
    """
    disk = disk or LocalDisk()
    models, cache = settings.models_path, settings.cache_path
    try:
        for folder in (settings.blob_path, cache):
            disk.make_folder(folder)
    except OSError as error:
        reason = error.strerror or str(error)
        path = os.fsdecode(error.filename or models)
        raise StoreUnusableError(root=str(settings.root), reason=f"`{path}`: {reason}") from error
    discarded = cache / "discarded"
    database = Database(settings.db_path)
    records = SqlRecordStore(database, models, clock)
    blobs = FolderBlobStore(settings.blob_path, discarded, disk)
    library = (settings.root, models)
    leases = LeaseKeeper(cache / "leases", records, Leftovers(records, blobs, disk).remove)
    views = ViewKeeper(models, records, blobs, disk)
    return Services(
        settings=settings,
        records=records,
        configs=LibraryRecordService(
            database,
            clock=clock,
            models=models,
            retention=settings.trash_retention,
            settle=views.settle,
        ),
        blobs=blobs,
        views=views,
        adder=ModelAdder(
            library=library,
            records=records,
            blobs=blobs,
            disk=disk,
            leases=leases,
            views=views,
            convert=settings.convert,
        ),
        exporter=Exporter(blobs, disk, leases, library),
        trash=Trash(records, views, clock, settings.trash_retention),
        identification=Identification(records, views),
        collector=GarbageCollector(
            records=records, blobs=blobs, disk=disk, leases=leases, views=views, clock=clock
        ),
        verifier=Verifier(models=models, records=records, blobs=blobs, views=views),
        clock=clock,
        disk=disk,
        library=library,
    )
