"""What keeps a library in order, whichever door a program came through."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

from modelshelf.errors import InvalidChoiceError
from modelshelf.manager.assembly import Services
from modelshelf.manager.selection import Selector
from modelshelf.schema.model import ModelInfo, TrashedModel
from modelshelf.schema.override import OVERRIDABLE, Override
from modelshelf.schema.progress import ProgressReporter, ignore_progress
from modelshelf.schema.query import ModelQuery
from modelshelf.schema.report import GarbageReport, SharedPart, Usage, VerifyReport

if TYPE_CHECKING:
    from modelshelf.download import DownloadQueueServiceBase
    from modelshelf.events import EventServiceBase
    from modelshelf.install.placed_models import PlacedModels
    from modelshelf.manager.install_service import ModelInstallService
    from modelshelf.records.library_service import LibraryRecordService
    from modelshelf.schema.config import AnyModelConfig

__all__ = ["LibraryKeeper"]


class LibraryKeeper:
    """Deletes and brings back, checks, collects, counts, and says anew what models are."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._select = Selector(services.records, services.library)

    @property
    def store(self) -> LibraryRecordService:
        """The same models as MM2 asks for them: by key, as typed records that can be searched and changed.

        Source: `spec/model-manager-v2.md`, "Reading and Writing Model Configuration Records".
        """
        return self._services.configs

    def installer(
        self,
        download_queue: DownloadQueueServiceBase,
        *,
        event_bus: EventServiceBase | None = None,
    ) -> ModelInstallService:
        """Return an installer that brings models into this library from anywhere.

        Args:
            download_queue: Fetches files; the caller's to stop.
            event_bus: Is told of every job; None tells nobody.

        Source: `spec/model-manager-v2.md`, "Initializing the installer".
        """
        # Who lists models does not wait for what installs them.
        from modelshelf.manager.install_service import ModelInstallService  # noqa: PLC0415

        services = self._services
        return ModelInstallService(
            services.settings,
            services.configs,
            download_queue,
            event_bus=event_bus,
            services=services,
        )

    def get_model(self, selector: str | int) -> ModelInfo:
        """Return the one model that *selector* means, stored here or elsewhere.

        Args:
            selector: An id, a key or its first digits, a name, or a digest or its first digits.

        Raises:
            UnknownModelException: Nothing fits.
            DuplicateModelException: Several fit.
        """
        return self._select.model(selector)

    def elsewhere(self) -> list[ModelInfo]:
        """Return the models that the library has only a record of, sorted by name, then key."""
        return self._services.records.elsewhere(ModelQuery())

    def delete(self, selector: str | int, *, dry_run: bool = False) -> TrashedModel:
        """Delete a model; what others share stays, and `undo` brings it back until it expires.

        Of a model that lies elsewhere the record goes, for good; its files are not touched.

        Raises:
            UnknownModelException: Nothing fits.
            DuplicateModelException: Several fit; a fundamental model with two names is deleted by key.
        """
        model = self.get_model(selector)
        if model.is_stored:
            return self._services.trash.delete(model, dry_run=dry_run)
        return self._forget(model, dry_run=dry_run)

    def undo(self, trash_id: str) -> ModelInfo:
        """Bring a deleted model back.

        Raises:
            UnknownTrashError: The trash has no such entry, perhaps not any more.
        """
        return self._select.keyed(self._services.trash.restore(trash_id))

    def trash(self) -> list[TrashedModel]:
        """Return what can be brought back, oldest first."""
        return self._services.trash.entries()

    def verify(
        self, *, quick: bool = False, progress: ProgressReporter = ignore_progress
    ) -> VerifyReport:
        """Check every byte, name, count and link of the library; finish what was interrupted first."""
        self._services.collector.finish_interrupted()
        return self._services.verifier.verify(quick=quick, report=progress)

    def collect_garbage(
        self,
        *,
        expire_trash: timedelta | None = None,
        unknown: bool = False,
        dry_run: bool = False,
        progress: ProgressReporter = ignore_progress,
    ) -> GarbageReport:
        """Remove what no model, trash entry or running import refers to.

        Args:
            expire_trash: Forget for good what was deleted at least so long ago, zero for all of it;
                None for what is past its date.
            unknown: Remove whole parts that no record knows, too. They are left where an older database
                was put back, and may be the only copy of a model.
            dry_run: Only say what would go.
            progress: Told of progress.
        """
        collector = self._services.collector
        if dry_run:
            return collector.foresee(expire_trash=expire_trash, unknown=unknown)
        return collector.collect(expire_trash=expire_trash, unknown=unknown, report=progress)

    def usage(self) -> Usage:
        """Return what the library costs, per model and in all, and what sharing saves."""
        return self._services.records.usage()

    def duplicates(self) -> list[SharedPart]:
        """Return what models hold several times and the store has once, best saving first."""
        return self._services.records.duplicates()

    def identify_again(
        self,
        selectors: Iterable[str | int] | None = None,
        *,
        dry_run: bool = False,
        progress: ProgressReporter = ignore_progress,
    ) -> list[ModelInfo]:
        """Say anew what models are, and keep what is known now.

        A model that lies elsewhere is looked at only where nobody knows its type or base.

        Args:
            selectors: Which ones; None for those that are stored and that other rules than today's left
                open.
            dry_run: Change nothing; the result is what would be known.
            progress: Told of progress.

        Returns:
            Models of which something else is known now, as they are now.

        Raises:
            SourceError: A model that lies elsewhere is not there any more. Those before it are done.
        """
        keeper = self._services.identification
        if selectors is None:
            models = keeper.open_ones()
        else:
            models = [self._select.model(selector) for selector in selectors]
        stored = [model for model in models if model.is_stored]
        changed = list(keeper.again(stored, dry_run=dry_run, report=progress))
        for model in models:
            if not model.is_stored:
                config = self._placed.identify(model.key, dry_run=dry_run)
                changed += [] if config is None else [self._elsewhere(config)]
        return changed if dry_run else [self._select.anywhere(model.key) for model in changed]

    def override(
        self,
        selector: str | int,
        wish: Override,
        *,
        taken_back: Collection[str] = (),
        dry_run: bool = False,
    ) -> ModelInfo:
        """Let the user's word win over what was detected, field by field.

        It stays when the model is identified again, and all names of a fundamental model have it.

        Args:
            selector: Which model.
            wish: What the user says.
            taken_back: Names of fields of `Override`, of which what was detected counts again.
            dry_run: Change nothing; the result is what the model would be.

        Returns:
            The model, as it is now.

        Raises:
            UnknownModelException: Nothing fits.
            DuplicateModelException: Several fit, or one of the same content, name and source is known so.
            UsageError: A pipeline was to be something else.
            InvalidChoiceError: *taken_back* has something else than a field.
            InvalidModelConfigException: No record can keep a word; or it lies elsewhere, and no such model has
                its form on disk.
            SourceError: A word is taken back of a model that lies elsewhere, and is not there any more.
        """
        for field in taken_back:
            if field not in OVERRIDABLE:
                raise InvalidChoiceError(what="field", got=field, allowed=", ".join(OVERRIDABLE))
        model = self._select.model(selector)
        # Who lists models makes no class of record.
        from modelshelf.schema.config_detail import check_words  # noqa: PLC0415 - see above

        check_words(model.name, wish)
        if model.is_stored:
            keeper = self._services.identification
            known = keeper.say(model, wish, taken_back=taken_back, dry_run=dry_run)
        else:
            config = self._placed.say(model.key, wish, taken_back=taken_back, dry_run=dry_run)
            known = self._elsewhere(config)
        return known if dry_run else self._select.anywhere(model.key)

    def as_detected(
        self,
        selector: str | int,
        fields: Collection[str] = OVERRIDABLE,
        *,
        dry_run: bool = False,
    ) -> ModelInfo:
        """Take back what `override` said of a model; what was detected counts again.

        Args:
            selector: Which model.
            fields: Names of fields of `Override`; left out, all of them.
            dry_run: Change nothing; the result is what the model would be.

        Returns:
            The model, as it is now.

        Raises:
            UnknownModelException: Nothing fits.
            DuplicateModelException: As `override`.
            InvalidChoiceError: *fields* has something else than a field.
            SourceError: It lies elsewhere, and is not there any more.
        """
        return self.override(selector, Override(), taken_back=fields, dry_run=dry_run)

    def _elsewhere(self, config: AnyModelConfig) -> ModelInfo:
        # Who lists models does not wait for what reads records.
        from modelshelf.records.elsewhere import placed_info  # noqa: PLC0415

        return placed_info(config, self._services.settings.models_path)

    @property
    def _placed(self) -> PlacedModels:
        # Who lists models does not wait for what reads them.
        from modelshelf.install.placed_models import PlacedModels  # noqa: PLC0415

        return PlacedModels(self.store, self._services.library)

    def _forget(self, model: ModelInfo, *, dry_run: bool) -> TrashedModel:
        if not dry_run:
            self.store.del_model(model.key)
        now = self._services.clock()
        return TrashedModel(
            trash_id="",
            name=model.name,
            type=model.type,
            deleted_at=now,
            expires_at=now,
            size=model.size,
            bytes_freed=0,
            bytes_kept=0,
            is_stored=False,
        )
