"""The Normalized Model Manager: the library behind the names that its specification uses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from modelshelf.errors import UnknownModelException
from modelshelf.manager.adding import LibraryAdder
from modelshelf.manager.assembly import assemble
from modelshelf.manager.outcome import describe_file
from modelshelf.manager.selection import choice
from modelshelf.schema.member import file_name_for
from modelshelf.schema.model import ExportOutcome, FileInfo, ModelInfo
from modelshelf.schema.progress import ProgressReporter, ignore_progress
from modelshelf.schema.query import ModelQuery
from modelshelf.schema.stored import StoredModel
from modelshelf.schema.taxonomy import BaseModelType, ExportLayout, ExportMethod, ModelType
from modelshelf.settings import Settings

__all__ = ["NormalizedModelManager", "normalized_model_manager"]


def normalized_model_manager(config: object) -> NormalizedModelManager:
    """Open the library that *config* describes, making it where there is none.

    Args:
        config: `Settings`, what `Settings.get_config()` returns, or any object with `root_path` and,
            where they differ from the usual, `models_path` and `db_path`.

    Returns:
        The manager. Close it, or use it in a `with` block.

    Raises:
        InvalidSettingError: *config* has no such attributes, or they make no sense.
        StoreUnusableError: The root cannot hold a library, or what is there is none.

    Example:
        >>> from modelshelf.testing import tiny
        >>> folder = getfixture("tmp_path")
        >>> with normalized_model_manager(Settings(root=folder / "shelf")) as nmm:
        ...     added = nmm.import_model(tiny.lora(folder / "LoWRA.safetensors", base="sd-1"))
        ...     nmm.get_model_by_name(name="LoWRA", type="lora").id == added
        True

    Source: `spec/normalized-model-manager.md`, "Initializing the normalized model manager".
    """
    return NormalizedModelManager(assemble(Settings.from_object(config), clock=_utc_now))


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _as_original(layout: str) -> bool:
    return choice(ExportLayout, layout, "export layout") is ExportLayout.ORIGINAL


class NormalizedModelManager(LibraryAdder):
    """A library of models that stores what they share once and gives each back byte for byte.

    Safe to share between threads, and with other processes that have the same library open.
    `nmm.import(path)`, as the specification spells it, is `nmm.import_model(path)`, because `import` is
    a keyword; `getattr(nmm, "import")(path)` works too.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __getattr__(self, name: str) -> Callable[..., int]:
        if name == "import":
            return self.import_model
        message = f"{type(self).__name__!r} object has no attribute {name!r}"
        raise AttributeError(message)

    def close(self) -> None:
        """Close the database; the object is of no use afterwards."""
        self._services.records.close()

    # -- asking

    def get_model_by_name(self, name: str, type: str | ModelType) -> ModelInfo:  # noqa: A002 - the specification's word
        """Return the fundamental model called *name*, to be used now: the record notes when it was, by the day.

        Args:
            name: Its name, exactly.
            type: What it is, such as `"lora"`.

        Raises:
            UnknownModelException: No such model.
            DuplicateModelException: Several; ask `get_model` for one by key.
            InvalidChoiceError: *type* is no model type.

        Source: `spec/normalized-model-manager.md`, "Fetching a model".
        """
        wanted = choice(ModelType, type, "model type")
        found = self._select.one_of(
            [
                info
                for info in self._services.records.find(ModelQuery(name=name))
                if not info.is_pipeline and info.type == wanted
            ],
            f"{name} ({wanted.value})",
        )
        self.store.mark_used(found.key)
        return found

    def get_pipeline_by_name(
        self,
        name: str,
        base: str | BaseModelType,
        submodel: str | None = None,
    ) -> ModelInfo:
        """Return a pipeline with all its parts, or one part of it, to be used now; the record notes it.

        Args:
            name: The pipeline's name, exactly.
            base: Its base, such as `"sd-1"`.
            submodel: Component folder, such as `"vae"`; None for the whole pipeline.

        Returns:
            `path` is a folder that can be loaded from: all of the pipeline, or the one component.

        Raises:
            UnknownModelException: No such pipeline.
            UnknownSubmodelError: It has no such component.
            DuplicateModelException: Several pipelines have this name and base.
            InvalidChoiceError: *base* is no base.

        Source: `spec/normalized-model-manager.md`, "Fetching a model".
        """
        pipeline = self._pipeline(name, base)
        self.store.mark_used(pipeline.key)
        if submodel is None:
            # Somebody may have taken the view apart; the promise is a usable folder.
            self._services.views.ensure(pipeline.key)
            return self._select.keyed(pipeline.key)
        return self._select.part(pipeline, str(submodel))

    def list_models(self) -> list[ModelInfo]:
        """Return every named fundamental model, sorted by name; one entry a name."""
        return self._services.records.named_models()

    def list_pipelines(self) -> list[ModelInfo]:
        """Return every pipeline with its parts, sorted by name."""
        return self._services.records.pipelines()

    def find(self, text: str) -> list[ModelInfo]:
        """Return models by a part of a name, source or description, a digest, or a file on disk.

        Args:
            text: A file or folder that exists is looked up by its content, a folder of several models as each
                of them; anything else as text.

        Raises:
            SourceError: What lies there cannot be read.
        """
        return self._select.search(text)

    def files(self, selector: str | int, *, layout: str = "diffusers") -> list[FileInfo]:
        """Return the files of a model, as an export gives them, with where the store keeps them.

        A checkpoint that was converted is in no one place: with *layout* `original` the location of
        its only file is empty.
        """
        model = self._stored(self._select.stored(selector))
        original = model.original
        if original is not None and _as_original(layout):
            name = file_name_for(model.name) + original.suffix
            return [describe_file(name, original, "")]
        return [
            describe_file(
                member, file, str(self._services.blobs.folder(file.location) / file.member)
            )
            for member, file in model.files
        ]

    # -- giving back

    def export(  # noqa: PLR0913 - each option is independent, and named at the call
        self,
        name: str | None = None,
        base: str | BaseModelType | None = None,
        *,
        type: str | ModelType | None = None,  # noqa: A002 - the specification's word
        destination: str | Path,
        selector: str | int | None = None,
        method: str = "link",
        layout: str = "original",
        force: bool = False,
        progress: ProgressReporter = ignore_progress,
    ) -> ExportOutcome:
        """Write a model out in its native format, byte for byte, under its name.

        Args:
            name: Its name, exactly; with *base* for a pipeline, with *type* for any other model.
            base: The pipeline's base.
            type: The model's type.
            destination: Folder to write into.
            selector: Instead of the three: as in `get_model`.
            method: `link` takes the cheapest real link, `copy` always checked copies.
            layout: `original` gives a model back as it came; `diffusers` gives a checkpoint that was
                converted as the folder that it became.
            force: Replace what is there under that name.
            progress: Told of progress.

        Returns:
            Where it is now and how it came there.

        Raises:
            UnknownModelException: No such model.
            DuplicateModelException: Several fit.
            DestinationExistsError: The name is taken there.
            BlobCorruptError: A file to be copied is damaged; nothing was exported.

        Source: `spec/normalized-model-manager.md`, "Exporting a model".
        """
        info = self._select.given(name, base, type, selector)
        outcome = self._services.exporter.export(
            self._stored(info),
            Path(destination),
            by_link=choice(ExportMethod, method, "export method") is ExportMethod.LINK,
            as_original=_as_original(layout),
            force=force,
            report=progress,
        )
        self.store.mark_used(info.key)
        return outcome

    def export_tar(
        self,
        *,
        selector: str | int,
        stream: BinaryIO,
        layout: str = "original",
        progress: ProgressReporter = ignore_progress,
    ) -> int:
        """Write a model to *stream* as a tar archive, laid out as by `export`; return the bytes written."""
        # Imported here: who lists models does not wait for what exports them.
        from modelshelf.export import write_tar  # noqa: PLC0415 - see above

        model = self._stored(self._select.stored(selector))
        as_original = _as_original(layout)
        written = write_tar(
            self._services.blobs, model, stream, as_original=as_original, report=progress
        )
        self.store.mark_used(model.key)
        return written

    def _pipeline(self, name: str, base: str | BaseModelType) -> ModelInfo:
        wanted = choice(BaseModelType, base, "base")
        return self._select.one_of(
            [
                info
                for info in self._services.records.find(ModelQuery(name=name))
                if info.is_pipeline and info.base == wanted
            ],
            f"{name} ({wanted.value})",
        )

    def _stored(self, info: ModelInfo) -> StoredModel:
        model = self._services.records.stored_model(info.key)
        if model is None:
            raise UnknownModelException(wanted=info.name)
        return model
