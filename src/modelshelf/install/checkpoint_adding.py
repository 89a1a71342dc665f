"""Adding a checkpoint as the pipeline that it holds, so that the file need not be stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from modelshelf.blobs.fingerprint import fingerprint
from modelshelf.blobs.source_reader import hash_source
from modelshelf.convert import convert_checkpoint
from modelshelf.install.part_storing import PartStorer
from modelshelf.install.proof import (
    check_rebuilt,
    hash_original,
    hashing_original,
    prove_recipe,
)
from modelshelf.install.sampling import Sampling
from modelshelf.protocols import BlobStore, RecordStore
from modelshelf.schema.conversion import Conversion, KeptWhole
from modelshelf.schema.identity import Identity
from modelshelf.schema.manifest import ImportPlan
from modelshelf.schema.progress import ProgressReporter
from modelshelf.schema.recipe import DerivedFile, OriginalFile
from modelshelf.schema.source import SourceFile, SourceTree
from modelshelf.schema.stored import PartContent
from modelshelf.schema.taxonomy import ModelType
from modelshelf.schema.tensor import TensorIndex

__all__ = ["CheckpointAdder"]


class CheckpointAdder:
    """Splits checkpoints, stores their parts, and finds out what the files were."""

    def __init__(self, records: RecordStore, blobs: BlobStore) -> None:
        self._records = records
        self._blobs = blobs

    def convert(
        self, tree: SourceTree, header: TensorIndex | None, identity: Identity
    ) -> Conversion | KeptWhole | None:
        """Decide how a main model that is one file, with this *header*, is split; else None."""
        if header is None or identity.type is not ModelType.MAIN:
            return None
        return convert_checkpoint(tree.files[0], header, identity)

    def holds_whole(self, tree: SourceTree) -> bool:
        """Say whether the store has a model that is one file as that file, because it was kept whole."""
        if not tree.is_file:
            return False
        file = tree.files[0]
        if not self._records.known_fingerprints([(file.size, fingerprint(file).quick)]):
            return False
        return self._records.find_file(hash_source(file)) is not None

    def store(
        self,
        plan: ImportPlan,
        *,
        sampling: Sampling,
        storer: PartStorer,
        locations: Sequence[str],
        lease_id: str,
        report: ProgressReporter,
        rebuild: bool,
    ) -> tuple[OriginalFile, list[PartContent]]:
        """Make sure that the store has the parts of a checkpoint, and that it comes back from them.

        Args:
            plan: One that splits a checkpoint.
            sampling: Its files.
            storer: Brings them in.
            locations: Where to put the parts that are new, in the plan's order.
            lease_id: Of this import.
            report: Told of progress.
            rebuild: Put it together again and compare, because the file is going to be removed.

        Returns:
            What the file is, and its parts.

        Raises:
            ConversionError: It would not come back.
            SourceChangedError: It changed meanwhile.
        """
        source = _checkpoint_of(plan)
        # Once anything is new, so is the checkpoint, and reading it as it lies finds nothing.
        is_new = not all(map(sampling.is_familiar, sampling.files_of(plan.all_parts)))
        known = None if is_new else self._recognise(plan, source, storer, lease_id, report)
        if known is None:
            prove_recipe(plan, source)
            with hashing_original(source if is_new else None) as hashing:
                contents = storer.store_all(plan, locations)
                # The same parts give the same file, whatever name they have this time.
                original = self._records.find_original(contents)
                if original is None:
                    original = hashing.result() if hashing else hash_original(source, report=report)
        else:
            original, contents = known
        if rebuild:
            check_rebuilt(source, original, contents, self._blobs, report)
        return replace(original, suffix=PurePosixPath(source.member).suffix), contents

    def _recognise(
        self,
        plan: ImportPlan,
        source: SourceFile,
        storer: PartStorer,
        lease_id: str,
        report: ProgressReporter,
    ) -> tuple[OriginalFile, list[PartContent]] | None:
        """Find a checkpoint that was converted before, by one read of it as it lies."""
        found = self._records.pin_original(lease_id, hash_source(source, report))
        if found is None:
            return None
        original, stored = found
        contents = [
            storer.recognise(part, stored[part.folder])
            for part in plan.all_parts
            if part.folder in stored
        ]
        whole = [content for content in contents if content is not None]
        return (original, whole) if len(whole) == len(plan.all_parts) == len(stored) else None


def _checkpoint_of(plan: ImportPlan) -> SourceFile:
    return next(
        file.source
        for part in plan.all_parts
        for _, file in part.files
        if isinstance(file, DerivedFile)
    )
