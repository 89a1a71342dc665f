"""Putting the services of one library together."""

from __future__ import annotations

import os
from functools import cached_property
from typing import TYPE_CHECKING

from modelshelf.disk import LocalDisk
from modelshelf.errors import StoreUnusableError
from modelshelf.protocols import Clock, Disk
from modelshelf.records.database import Database
from modelshelf.records.store import SqlRecordStore
from modelshelf.settings import Settings

if TYPE_CHECKING:
    from modelshelf.blobs.folder_store import FolderBlobStore
    from modelshelf.blobs.leases import LeaseKeeper
    from modelshelf.blobs.views import ViewKeeper
    from modelshelf.export import Exporter
    from modelshelf.install import ModelAdder
    from modelshelf.records.library_service import LibraryRecordService
    from modelshelf.upkeep import GarbageCollector, Trash, Verifier
    from modelshelf.upkeep.identification import Identification

__all__ = ["Services", "assemble"]


class Services:
    """Everything that the faces of one library work with.

    The database is opened at once. What works on it is made, and imported, when it is first used: who
    lists models does not wait for what adds, identifies or checks them. None of it has anything
    of its own to keep, so that two threads may make it twice.
    """

    def __init__(self, settings: Settings, *, clock: Clock, disk: Disk) -> None:
        """Open the database; see `assemble`."""
        self.settings = settings
        """Where it lies and how it behaves."""
        self.clock = clock
        """The time of day."""
        self.disk = disk
        """Through which everything is written."""
        self.library = (settings.root, settings.models_path)
        """The folders that are the library's own: nothing is added from there or exported to there."""
        self._database = Database(settings.db_path)
        self.records = SqlRecordStore(self._database, settings.models_path, clock)
        """What is known."""

    @cached_property
    def configs(self) -> LibraryRecordService:
        """What is known, as MM2 asks for it."""
        from modelshelf.records.library_service import (  # noqa: PLC0415 - see the class
            LibraryRecordService,
        )

        return LibraryRecordService(
            self._database,
            clock=self.clock,
            models=self.settings.models_path,
            retention=self.settings.trash_retention,
            settle=self._settle,
        )

    @cached_property
    def blobs(self) -> FolderBlobStore:
        """Where the bytes are."""
        from modelshelf.blobs.folder_store import FolderBlobStore  # noqa: PLC0415 - see the class

        discarded = self.settings.cache_path / "discarded"
        return FolderBlobStore(self.settings.blob_path, discarded, self.disk)

    @cached_property
    def views(self) -> ViewKeeper:
        """What a person sees."""
        from modelshelf.blobs.views import ViewKeeper  # noqa: PLC0415 - see the class

        return ViewKeeper(self.settings.models_path, self.records, self.blobs, self.disk)

    @cached_property
    def _leases(self) -> LeaseKeeper:
        from modelshelf.blobs.leases import LeaseKeeper  # noqa: PLC0415 - see the class
        from modelshelf.blobs.leftovers import Leftovers  # noqa: PLC0415 - see the class

        leftovers = Leftovers(self.records, self.blobs, self.disk)
        return LeaseKeeper(self.settings.cache_path / "leases", self.records, leftovers.remove)

    @cached_property
    def adder(self) -> ModelAdder:
        """Brings models in."""
        from modelshelf.install import ModelAdder  # noqa: PLC0415 - see the class

        return ModelAdder(
            library=self.library,
            records=self.records,
            blobs=self.blobs,
            disk=self.disk,
            leases=self._leases,
            views=self.views,
            convert=self.settings.convert,
        )

    @cached_property
    def exporter(self) -> Exporter:
        """Gives models back."""
        from modelshelf.export import Exporter  # noqa: PLC0415 - see the class

        return Exporter(self.blobs, self.disk, self._leases, self.library)

    @cached_property
    def trash(self) -> Trash:
        """Deletes and restores."""
        from modelshelf.upkeep import Trash  # noqa: PLC0415 - see the class

        return Trash(self.records, self.views, self.clock, self.settings.trash_retention)

    @cached_property
    def identification(self) -> Identification:
        """Says anew what models are."""
        from modelshelf.upkeep.identification import Identification  # noqa: PLC0415 - see the class

        return Identification(self.records, self.views, self.configs.metadata)

    @cached_property
    def collector(self) -> GarbageCollector:
        """Frees what nobody needs."""
        from modelshelf.upkeep import GarbageCollector  # noqa: PLC0415 - see the class

        return GarbageCollector(
            records=self.records,
            blobs=self.blobs,
            disk=self.disk,
            leases=self._leases,
            views=self.views,
            clock=self.clock,
        )

    @cached_property
    def verifier(self) -> Verifier:
        """Checks everything."""
        from modelshelf.upkeep import Verifier  # noqa: PLC0415 - see the class

        return Verifier(
            models=self.settings.models_path,
            records=self.records,
            blobs=self.blobs,
            views=self.views,
        )

    def _settle(self) -> None:
        # By name, so that who only reads records does not wait for what makes views.
        self.views.settle()


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
    try:
        for folder in (settings.blob_path, settings.cache_path):
            disk.make_folder(folder)
    except OSError as error:
        reason = error.strerror or str(error)
        path = os.fsdecode(error.filename or settings.models_path)
        raise StoreUnusableError(root=str(settings.root), reason=f"`{path}`: {reason}") from error
    return Services(settings, clock=clock, disk=disk)
