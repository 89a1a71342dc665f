"""Deleting a model, and bringing it back."""

from __future__ import annotations

from datetime import timedelta

from modelshelf.blobs.views import ViewKeeper
from modelshelf.errors import UnknownTrashError
from modelshelf.protocols import Clock, RecordStore
from modelshelf.schema.model import ModelInfo, TrashedModel

__all__ = ["Trash"]


class Trash:
    """What was deleted and can still be brought back.

    Deleting removes what a person sees at once and no byte of the store: that is `gc`'s business, after
    the retention has passed.
    """

    def __init__(
        self, records: RecordStore, views: ViewKeeper, clock: Clock, retention: timedelta
    ) -> None:
        self._records = records
        self._views = views
        self._clock = clock
        self._retention = retention

    def delete(self, model: ModelInfo, *, dry_run: bool = False) -> TrashedModel:
        """Delete *model*, by key: other names of the same content stay.

        Args:
            model: What to delete.
            dry_run: Only say what would be freed and what stays; `trash_id` is then empty.

        Returns:
            The entry of the trash.
        """
        deleted_at = self._clock()
        expires_at = deleted_at + self._retention
        freed, kept = self._records.cost_of(model.key)
        trash_id = "" if dry_run else self._records.move_to_trash(model.key, expires_at)
        if not dry_run:
            self._views.settle()
        return TrashedModel(
            trash_id=trash_id,
            name=model.name,
            type=model.type,
            deleted_at=deleted_at,
            expires_at=expires_at,
            size=model.size,
            bytes_freed=freed,
            bytes_kept=kept,
        )

    def restore(self, trash_id: str) -> str:
        """Bring back what was deleted under *trash_id*; return its key.

        Raises:
            UnknownTrashError: The trash has no such entry, perhaps not any more.
        """
        key = self._records.restore(trash_id)
        if key is None:
            raise UnknownTrashError(wanted=trash_id)
        self._views.settle()
        return key

    def entries(self) -> list[TrashedModel]:
        """List the trash, oldest first."""
        return self._records.trashed()
