"""The last step of every installation: what is on this machine becomes a model of the library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from modelshelf.errors import EmptySourceError, ModelshelfError, UnknownModelException
from modelshelf.identify import Recollection
from modelshelf.install.examination import absolute
from modelshelf.install.job_folder import FetchedFile
from modelshelf.install.pipeline import ModelAdder, is_small
from modelshelf.install.told import claims_told, default_description, source_in_words, told_by
from modelshelf.install.wish import ModelWish
from modelshelf.protocols import ModelRecords
from modelshelf.schema.config import AnyModelConfig
from modelshelf.schema.digest import Digest, FileDigests
from modelshelf.schema.listing import Listing
from modelshelf.schema.manifest import ImportPlan
from modelshelf.schema.member import MemberPath
from modelshelf.schema.model_source import LocalModelSource, ModelSource
from modelshelf.schema.progress import ProgressReporter, ignore_progress

__all__ = ["ModelStorer"]


class ModelStorer:
    """Identifies, normalizes, stores and records, one model at a time."""

    def __init__(self, adder: ModelAdder, library: ModelRecords, records: ModelRecords) -> None:
        """Hold what models are stored with.

        Args:
            adder: Brings models into the library.
            library: The library's own records.
            records: The records that the application uses; maybe the same.
        """
        self._adder = adder
        self._library = library
        self._records = records
        self._known = Recollection()

    def store_local(
        self,
        source: LocalModelSource,
        wish: ModelWish,
        report: ProgressReporter = ignore_progress,
    ) -> AnyModelConfig:
        """Copy a model of this machine into the library; what lies at its path stays as it is.

        Raises:
            ModelshelfError: It cannot be added; nothing was.
        """
        plan = self._adder.plan(
            source.path,
            source=str(absolute(source.path)),
            wish=replace(wish, told=told_by(source), by_source=True),
        )
        registered, _ = self._adder.add(_described(plan, wish), report)
        return self._record(registered.key)

    def store_together(
        self, wanted: Sequence[tuple[LocalModelSource, ModelWish]]
    ) -> list[AnyModelConfig | ModelshelfError]:
        """Copy several models of this machine into the library, small ones with one transaction for all.

        To be called from one thread at a time: what it has seen makes alike models cost less.

        Returns:
            Of each, in order, its record, or why it was not added.

        Raises:
            StorageError: The store cannot be written to.
        """
        plans = [self._plan_or_error(source, wish) for source, wish in wanted]
        small = [plan for plan in plans if not isinstance(plan, ModelshelfError) and is_small(plan)]
        added = iter(self._adder.add_together(small) if small else ())
        done: list[AnyModelConfig | ModelshelfError] = []
        for plan in plans:
            if isinstance(plan, ModelshelfError):
                done.append(plan)
            elif is_small(plan):
                registered = next(added)
                if isinstance(registered, ModelshelfError):
                    done.append(registered)
                else:
                    done.append(self._record_or_error(registered.key))
            else:
                done.append(self._add_or_error(plan))
        return done

    def _plan_or_error(
        self, source: LocalModelSource, wish: ModelWish
    ) -> ImportPlan | ModelshelfError:
        try:
            return self._plan_local(source, wish)
        except ModelshelfError as error:
            return error

    def _add_or_error(self, plan: ImportPlan) -> AnyModelConfig | ModelshelfError:
        try:
            registered, _ = self._adder.add(plan)
        except ModelshelfError as error:
            return error
        return self._record_or_error(registered.key)

    def _record_or_error(self, key: str) -> AnyModelConfig | ModelshelfError:
        """Return the record; of a model that somebody removed meanwhile the error, which is its own alone."""
        try:
            return self._record(key)
        except ModelshelfError as error:
            return error

    def _plan_local(self, source: LocalModelSource, wish: ModelWish) -> ImportPlan:
        plan = self._adder.plan(
            source.path,
            source=str(absolute(source.path)),
            wish=replace(wish, told=told_by(source), by_source=True),
            known=self._known,
        )
        return _described(plan, wish)

    def store_fetched(
        self,
        source: ModelSource,
        wish: ModelWish,
        *,
        folder: Path,
        listing: Listing | None,
        fetched: Sequence[FetchedFile],
        report: ProgressReporter = ignore_progress,
    ) -> AnyModelConfig:
        """Take a fetched model into the library; its files become the stored ones where they can.

        Args:
            source: Where it came from.
            wish: What the caller says of it.
            folder: Where its files are, ours to give away.
            listing: What the hub listed; None for a URL.
            fetched: What is known of its files.
            report: Told of progress.

        Raises:
            ModelshelfError: It cannot be added; nothing was, and the files are still there.
        """
        path = _only_file(folder) if listing is None or not listing.is_folder else folder
        name = wish.name or (None if listing is None else listing.name)
        plan = self._adder.plan(
            path,
            source=source_in_words(source),
            wish=replace(
                wish,
                name=name,
                told=told_by(source, listing),
                claims=claims_told(listing),
                by_source=True,
            ),
            written=_known(fetched, path, folder),
        )
        registered, _ = self._adder.add(_described(plan, wish), report, take=True)
        return self._record(registered.key)

    def _record(self, key: str) -> AnyModelConfig:
        """Return the record of a stored model, having entered it where the application looks for it."""
        with suppress(UnknownModelException):
            # Nearly always the library's own records, whoever opened them.
            return self._records.get_model(key)
        config = self._library.get_model(key)
        fields: Mapping[str, Any] = config.model_dump(exclude={"key", "revision"})
        return self._records.add_model(key, fields)


def _described(plan: ImportPlan, wish: ModelWish) -> ImportPlan:
    if plan.description or wish.description is not None:
        return plan
    return replace(plan, description=default_description(plan.type, plan.bases))


def _only_file(folder: Path) -> Path:
    """Return the file of a model that is one file, wherever in *folder* it lies."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name[0] != "."]
    if len(paths) != 1:
        raise EmptySourceError(path=str(folder), reason=f"{len(paths)} files where one was fetched")
    return paths[0]


def _known(
    fetched: Sequence[FetchedFile], path: Path, folder: Path
) -> Mapping[MemberPath, FileDigests]:
    """Return digests by the member that a plan calls a file by, of those that are still what they were."""
    known: dict[MemberPath, FileDigests] = {}
    for file in fetched:
        there = folder / file.member
        try:
            status = there.stat()
        except OSError:
            continue
        now = (status.st_size, status.st_mtime_ns, status.st_ino)
        if now != (file.size, file.modified_ns, file.inode):
            continue
        member = there.name if path == there else file.member
        known[MemberPath(member)] = FileDigests(
            file.size,
            Digest.parse(f"blake3:{file.blake3}"),
            Digest.parse(f"sha256:{file.sha256}"),
        )
    return known
