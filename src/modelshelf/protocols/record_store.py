"""What is known about the library, apart from the bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from modelshelf.schema.digest import Digest
from modelshelf.schema.manifest import ImportPlan
from modelshelf.schema.model import ModelInfo, TrashedModel
from modelshelf.schema.query import ModelQuery
from modelshelf.schema.recipe import OriginalFile
from modelshelf.schema.report import Finding, SharedPart, Usage
from modelshelf.schema.stored import (
    PartContent,
    Registered,
    StoredFile,
    StoredModel,
    StoredPart,
    View,
)
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["LeaseRecords", "RecordStore", "ViewRecords"]


class LeaseRecords(Protocol):
    """Operations in flight, and what they protect from collection."""

    def begin_lease(self, lease_id: str, purpose: str, items: Iterable[tuple[str, str]]) -> None:
        """Protect things, given as (kind, value): `folder`, `part` or `path`."""

    def end_lease(self, lease_id: str) -> None:
        """Protect them no longer; nothing happens when there is no such lease."""

    def leases(self) -> list[str]:
        """Return the ids of all leases, oldest first."""

    def leased(self, lease_id: str, kind: str) -> set[str]:
        """Return the values of one kind that a lease protects."""

    def unrecorded(self, lease_id: str) -> set[str]:
        """Return the locations that a lease protects and no part has."""


class ViewRecords(Protocol):
    """What a person should see below the models folder."""

    def together(self) -> AbstractContextManager[None]:
        """Let what this thread enters in the block be one transaction; see `RecordStore.together`."""

    def views(self, *, unsettled: bool = False) -> list[View]:
        """Return views, sorted by path; with *unsettled* only those with something left to do."""

    def seen_models(self) -> Iterator[tuple[View, StoredModel]]:
        """Yield each view with its model, sorted by path; what changes meanwhile may be told as it was."""

    def view(self, key: str) -> View | None:
        """Return the view of one model; None where it has none."""

    def want_view(self, key: str) -> None:
        """Ask for a made view to be made again."""

    def move_view(self, key: str) -> None:
        """Give a view another path, because something foreign lies at the one it had."""

    def settle_view(self, view: View) -> None:
        """Note that a wanted view was made, or that an unwanted one is gone.

        A model that is not deleted then wants another, where its type and base belong now.
        """

    def stored_model(self, key: str) -> StoredModel | None:
        """Return a model, deleted or not, as files to place somewhere; None where there is none."""


class RecordStore(LeaseRecords, ViewRecords, Protocol):
    """Every method is one transaction: it happens whole, or not at all, and then it is durable."""

    def together(self) -> AbstractContextManager[None]:
        """Let what this thread enters in the block be one transaction, durable when the block ends.

        What fails in it is taken back alone. Others wait to write meanwhile, so nothing slow belongs in it.
        """

    def find(self, query: ModelQuery) -> list[ModelInfo]:
        """Return models and pipelines that fit and are not deleted, sorted by name, then id."""

    def named_models(self) -> list[ModelInfo]:
        """Return every name of a fundamental model, sorted."""

    def pipelines(self) -> list[ModelInfo]:
        """Return every pipeline with its parts, sorted."""

    def elsewhere(self, query: ModelQuery) -> list[ModelInfo]:
        """Return models that fit and that the library has only a record of, sorted by name, then key."""

    def find_file(self, digest: Digest) -> StoredFile | None:
        """Return a file with this content, by BLAKE3 or SHA-256, from a part not known to be damaged."""

    def known_fingerprints(self, wanted: Iterable[tuple[int, bytes]]) -> set[tuple[int, bytes]]:
        """Return those pairs of size and fingerprint that some stored file has."""

    def parts(self) -> Iterator[StoredPart]:
        """Yield every part with its files, sorted by id; others may write meanwhile."""

    def part(self, digest: Digest) -> StoredPart | None:
        """Return the part with this identity."""

    def pin(self, lease_id: str, digest: Digest) -> StoredPart | None:
        """Find a part and protect it by the lease in one step, so that it cannot be collected."""

    def find_original(self, contents: Sequence[PartContent]) -> OriginalFile | None:
        """Return what a pipeline of exactly these parts came as, deleted or not.

        None where it came as a folder, or where there is none.
        """

    def pin_original(
        self, lease_id: str, blake3: Digest
    ) -> tuple[OriginalFile, dict[str, StoredPart]] | None:
        """Find a checkpoint that was converted and protect all its parts by the lease, in one step.

        Returns:
            What it was, and its parts by component folder; None where there is no such pipeline.
        """

    def register(
        self,
        plan: ImportPlan,
        contents: Sequence[PartContent],
        original: OriginalFile | None = None,
    ) -> Registered:
        """Enter an import.

        A part with a known digest is the known part; every base it comes with is added to its bases.
        With *original* it is a checkpoint that was converted, proven to come back as that file.
        """

    def identify_as(
        self,
        key: str,
        type: ModelType,  # noqa: A002 - the specification's word
        format: ModelFormat,  # noqa: A002
        bases: Sequence[BaseModelType],
        detail: str,
        *,
        before: ModelInfo | None = None,
    ) -> bool:
        """Enter what a model is known as from now on; its view moves where that says it belongs.

        A fundamental model's part takes all of it, whatever names it has; a pipeline its base. Nothing
        happens where there is no such model.

        Args:
            key: The model's.
            type: What it is.
            format: How it lies on disk.
            bases: What it works with, its own first.
            detail: As `ModelInfo.detail`.
            before: The model as it was when somebody decided this; None enters it whatever it is now.

        Returns:
            False where the model is not as *before* any more, and nothing was entered.
        """

    def repair(self, lease_id: str, part_id: int, content: PartContent) -> str | None:
        """Let a damaged part be what was just stored; the lease protects where it lay.

        Returns:
            Where it lay; None when it is gone.
        """

    def mark_damaged(self, part_id: int, *, is_damaged: bool) -> None:
        """Note whether a part was found hurt."""

    def move_to_trash(self, key: str, expires_at: datetime) -> str:
        """Delete a model so that it can be brought back; return the id to do that with."""

    def restore(self, trash_id: str) -> str | None:
        """Bring a model back; return its key, None when the trash has no such entry."""

    def trashed(self, *, expired_at: datetime | None = None) -> list[TrashedModel]:
        """Return the trash, oldest first; with *expired_at* only what had expired by then."""

    def cost_of(self, key: str) -> tuple[int, int]:
        """Return the bytes that only this model holds, and those that others hold too."""

    def freed_by(self, trash_ids: Sequence[str]) -> int:
        """Return the bytes that only these deleted models hold, taken together."""

    def sweep(self, lease_id: str, expired_trash: Sequence[str]) -> list[str]:
        """Forget trash for good, then every part that nothing holds; correct wrong counts.

        Returns:
            Their locations, which the lease protects until they are removed.
        """

    def unreferenced(self) -> list[str]:
        """Return the locations that `sweep` would free now."""

    def kept_locations(self) -> set[str]:
        """Return every location that a part has or a lease protects."""

    def usage(self) -> Usage:
        """Add up what the library costs."""

    def duplicates(self) -> list[SharedPart]:
        """Return content that models hold several times, best saving first."""

    def audit(self) -> list[Finding]:
        """Check the records themselves."""

    def holders_of_parts(self) -> dict[int, tuple[str, ...]]:
        """Return part → names of the living models that need it, sorted."""
