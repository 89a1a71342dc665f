"""Removing what an operation wrote and no record wants, by what its lease names."""

from __future__ import annotations

import os

from modelshelf.blobs.leases import item_path
from modelshelf.blobs.removal import remove_tree
from modelshelf.blobs.trouble import store_trouble
from modelshelf.protocols import BlobStore, Disk, LeaseRecords

__all__ = ["Leftovers"]


class Leftovers:
    """Cleans up after operations: their own at the end, those of the dead when somebody notices."""

    def __init__(self, records: LeaseRecords, blobs: BlobStore, disk: Disk) -> None:
        self._records = records
        self._blobs = blobs
        self._disk = disk

    def remove(self, lease_id: str) -> None:
        """Remove unfinished exports, and leased folders that no record has.

        Asked of the records, not remembered: an interruption may come just after a commit.

        Raises:
            StorageError: Something could not be removed; calling again goes on from there.
        """
        for value in self._records.leased(lease_id, "path"):
            unfinished = item_path(value)
            if os.path.lexists(unfinished):
                with store_trouble(unfinished):
                    remove_tree(unfinished, self._disk)
        for location in (*sorted(self._records.unrecorded(lease_id)), lease_id):
            self._blobs.discard(location)
