"""Adding a model, from a path to a record: the use case on one page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import ParamSpec, TypeVar
from uuid import uuid4

from modelshelf.blobs.leases import LeaseKeeper, new_lease_id
from modelshelf.blobs.trouble import check_space, store_trouble
from modelshelf.blobs.views import ViewKeeper
from modelshelf.errors import (
    InvalidModelConfigException,
    ModelshelfError,
    SourceError,
    SourceHoldsStoreError,
    SourceInsideStoreError,
    StorageError,
)
from modelshelf.formats import read_pipeline
from modelshelf.identify import Recollection, identify, rules_edition
from modelshelf.install.checkpoint_adding import CheckpointAdder
from modelshelf.install.examination import absolute, examine, look_at
from modelshelf.install.part_storing import PartStorer
from modelshelf.install.sampling import Sampling
from modelshelf.install.wish import ModelWish
from modelshelf.metadata import read_claims
from modelshelf.normalize import plan_import
from modelshelf.protocols import BlobStore, Disk, RecordStore
from modelshelf.schema.digest import FileDigests
from modelshelf.schema.identity import Identity
from modelshelf.schema.manifest import ImportPlan, PlannedPart
from modelshelf.schema.member import MemberPath
from modelshelf.schema.progress import Progress, ProgressReporter, ignore_progress
from modelshelf.schema.recipe import DerivedFile
from modelshelf.schema.source import SourceFile, SourceTree
from modelshelf.schema.stored import PartContent, Registered
from modelshelf.schema.taxonomy import ModelType

__all__ = ["ModelAdder", "is_small"]

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")
_SMALL = 64 * 1024 * 1024
"""Bytes; of a larger model the flushes cost little beside its bytes."""

_NOTHING_SAID = ModelWish()


class ModelAdder:
    """Adds models: decides first, then stores, then registers, then shows.

    A crash at any point leaves the library without the model or with all of it. What was written for
    a model that did not make it is debris that `gc` removes.
    """

    def __init__(
        self,
        *,
        library: tuple[Path, ...],
        records: RecordStore,
        blobs: BlobStore,
        disk: Disk,
        leases: LeaseKeeper,
        views: ViewKeeper,
        convert: bool = True,
    ) -> None:
        self._library = library
        self._records = records
        self._blobs = blobs
        self._disk = disk
        self._leases = leases
        self._views = views
        self._convert = convert
        self._checkpoints = CheckpointAdder(records, blobs)

    def plan(  # noqa: PLR0913 - what is known of one model, each named at the call
        self,
        path: Path,
        *,
        name: str | None = None,
        description: str = "",
        source: str = "",
        follow_links: bool = False,
        convert: bool | None = None,
        wish: ModelWish = _NOTHING_SAID,
        written: Mapping[MemberPath, FileDigests] | None = None,
        known: Recollection | None = None,
    ) -> ImportPlan:
        """Decide what adding the model at *path* will do; nothing is changed.

        What *wish* says of it counts more than what is found out. With *written* it lies in a folder of
        the library's own, and what was hashed while it was written there is not hashed again. What this
        thread has *known* before makes alike models cost less.

        With *convert* a main model that is one file becomes the pipeline that it holds, if it does;
        None does as this adder does by default.

        Raises:
            SourceError: The path cannot be added; its subclasses say why.
            FormatError: A file of the model is broken.
            InvalidNameError: It cannot be called that.
        """
        tree = look_at(path, follow_links=follow_links)
        if written is not None:
            tree = _with_digests(tree, written)
        for folder in () if written is not None else self._library:
            here, library = tree.root.resolve(), folder.resolve()
            if here.is_relative_to(library):
                raise SourceInsideStoreError(path=str(path), root=str(folder))
            if library.is_relative_to(here):
                raise SourceHoldsStoreError(path=str(path), root=str(folder))
        examined = examine(tree, known, told=wish.claims)
        identity, said = examined.identity, examined.said
        wanted = self._convert if convert is None else convert
        if wanted and convert is None and identity.type is ModelType.MAIN:
            # Kept whole before, by a user's word or an older release: nothing is stored twice unasked.
            wanted = not self._checkpoints.holds_whole(tree)
        return plan_import(
            tree,
            identity,
            None if tree.is_file else read_pipeline(tree),
            conversion=self._checkpoints.convert(tree, examined.header, identity)
            if wanted
            else None,
            rules=rules_edition(),
            override=wish.override,
            said=said,
            name=name if wish.name is None else wish.name,
            description=description if wish.description is None else wish.description,
            source=source,
            by_source=wish.by_source,
            record=wish.fields_beside(said),
        )

    def probe(self, path: Path, *, follow_links: bool = False) -> Identity:
        """Say what the model at *path* is; nothing is changed.

        Raises:
            SourceError: The path cannot be read as a model.
            FormatError: A file of the model is broken.
        """
        tree = look_at(path, follow_links=follow_links)
        return identify(tree, declared=read_claims(tree.root))

    def foresee(self, plans: Iterable[ImportPlan]) -> int:
        """Return the bytes that carrying plans out would store, judged by length and three samples.

        Files of equal samples nearly always are equal; their content decides when they are added.

        Raises:
            SourceChangedError: A file changed since its plan was made.
            SourceUnreadableError: A file could not be read.
        """
        parts = [part for plan in plans for part in plan.all_parts]
        return Sampling(parts, self._records).bytes_needed()

    def add(
        self,
        plan: ImportPlan,
        report: ProgressReporter = ignore_progress,
        *,
        rebuild: bool = False,
        take: bool = False,
    ) -> tuple[Registered, tuple[PartContent, ...]]:
        """Carry a plan out.

        Args:
            plan: What to do.
            report: Told of progress.
            rebuild: Put a converted checkpoint together again before it is registered, because the
                file itself is going to be removed.
            take: The model lies in a folder of the library's own and is given away: its files become
                the stored ones where they can. The caller removes their names afterwards.

        Returns:
            What was registered, and each part with what it took.

        Raises:
            SourceChangedError: A file changed since the plan was made.
            SourceUnreadableError: A file could not be read.
            NotEnoughSpaceError: The disk is, or would be, full.
            StoreWriteError: The store could not be written to.
            ConversionError: A checkpoint would not come back from its parts.
        """
        lease_id = new_lease_id()
        locations = [str(uuid4()) for _ in plan.all_parts]
        protected = [("folder", location) for location in locations]
        with self._leases.hold(lease_id, f"adding {plan.name}", protected):
            sampling = Sampling(plan.all_parts, self._records)
            check_space(self._library[-1], sampling.bytes_needed(take=take))
            report = tally(plan, report)
            storer = PartStorer(
                lease_id,
                sampling,
                self._records,
                self._blobs,
                self._views.relink,
                report,
                take=take,
            )
            if plan.original is None:
                original, contents = None, storer.store_all(plan, locations)
            else:
                original, contents = self._checkpoints.store(
                    plan,
                    sampling=sampling,
                    storer=storer,
                    locations=locations,
                    lease_id=lease_id,
                    report=report,
                    rebuild=rebuild,
                )
            registered = self._records.register(plan, contents, original)
        self._views.settle()
        self._views.ensure(registered.key)
        return registered, tuple(contents)

    def add_together(self, plans: Sequence[ImportPlan]) -> list[Registered | ModelshelfError]:
        """Carry out plans of one small file each, with one flush and one transaction for all.

        A crash leaves the library with all of them or none. One that fails does not stop the others.

        Args:
            plans: Each of one part of one file, not converted; `is_small` tells.

        Returns:
            Of each plan, in order, what was registered, or why not.

        Raises:
            StorageError: The store could not be written to; nothing was added.
        """
        lease_id, locations = new_lease_id(), [str(uuid4()) for _ in plans]
        protected = [("folder", location) for location in locations]
        with self._leases.hold(lease_id, f"adding {len(plans)} models", protected):
            parts = [plan.parts[0] for plan in plans]
            sampling = Sampling(parts, self._records, passes_over=True)
            check_space(self._library[-1], sampling.bytes_needed())
            storer = PartStorer(
                lease_id,
                sampling,
                self._records,
                self._blobs,
                self._views.relink,
                ignore_progress,
                hold_back=True,
            )
            contents = [
                sampling.failed[part]
                if part in sampling.failed
                else _outcome(storer.store, part, location)
                for part, location in zip(parts, locations, strict=True)
            ]
            storer.publish_held()
            with self._records.together():
                done = [
                    content
                    if isinstance(content, ModelshelfError)
                    else _outcome(self._records.register, plan, [content])
                    for plan, content in zip(plans, contents, strict=True)
                ]
        with suppress(StorageError):
            # They are added; what people see of them follows at the next chance.
            self._views.settle()
        return done

    def remove_sources(self, plan: ImportPlan, root: Path) -> None:
        """Remove the user's own files after they were added, as `--move` asks by name.

        Only what lies below *root* and is still what was listed goes, then the folders that this
        empties. Of a link it is the link: what it leads to was not named, and may be others' too.

        Raises:
            StoreWriteError: The system refused; the model was added, and what was not removed stays.
        """
        root = absolute(root)
        found = [entry for part in plan.all_parts for entry in _entries(part, root, plan)]
        # Looked at before the first one goes, because a link may lead to another of them.
        doomed = [path for path, source in found if _is_as_listed(path, source, root)]
        folders = {
            root / part.folder / name for part in plan.all_parts for name in part.empty_folders
        }
        for path in dict.fromkeys(doomed):
            with store_trouble(path):
                self._disk.remove_file(path)
            folders.update(folder for folder in path.parents if folder.is_relative_to(root))
        for folder in sorted(folders, key=lambda path: len(path.parts), reverse=True):
            with suppress(OSError):
                self._disk.remove_folder(folder)


def is_small(plan: ImportPlan) -> bool:
    """Say whether `add_together` may carry a plan out."""
    return plan.file_name is not None and plan.original is None and plan.size <= _SMALL


def _outcome(
    act: Callable[_Given, _Result], *given: _Given.args, **named: _Given.kwargs
) -> _Result | ModelshelfError:
    try:
        return act(*given, **named)
    except (SourceError, InvalidModelConfigException) as error:
        return error


def _with_digests(tree: SourceTree, written: Mapping[MemberPath, FileDigests]) -> SourceTree:
    files = (replace(file, digests=written.get(file.member)) for file in tree.files)
    return replace(tree, files=tuple(files))


def _entries(part: PlannedPart, root: Path, plan: ImportPlan) -> Iterator[tuple[Path, SourceFile]]:
    """Yield each file of a part as the user sees it below *root*."""
    for _, file in part.files:
        if isinstance(file, DerivedFile):
            yield root, file.source
        else:
            yield (root if plan.file_name else root / part.folder / file.member), file


def _is_as_listed(path: Path, source: SourceFile, root: Path) -> bool:
    if any(folder.is_symlink() for folder in path.parents if folder.is_relative_to(root)):
        return False
    try:
        now = path.stat()
    except OSError:
        return False
    listed = (source.device, source.inode, source.size, source.modified_ns)
    return (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns) == listed


def tally(plan: ImportPlan, report: ProgressReporter) -> ProgressReporter:
    """Turn the progress of single files into that of the whole plan."""
    finished, current, file = 0, 0, ("", "")
    # Added up once: a model may have ten thousand files, each of which reports.
    total = plan.size

    def advance(step: Progress) -> None:
        nonlocal finished, current, file
        if (step.stage, step.subject) != file or step.done < current:
            finished, file = finished + current, (step.stage, step.subject)
        current = step.done
        done = min(finished + current, total)
        report(Progress(step.stage, step.subject, done, total))

    return advance
