"""What brings models of this machine into a library, and says before what that would do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from modelshelf.manager.keeping import LibraryKeeper
from modelshelf.manager.outcome import describe_addition
from modelshelf.schema.identity import Identity
from modelshelf.schema.manifest import ImportPlan
from modelshelf.schema.model import AddOutcome
from modelshelf.schema.progress import ProgressReporter, ignore_progress
from modelshelf.schema.query import ModelQuery

__all__ = ["LibraryAdder"]


class LibraryAdder(LibraryKeeper):
    """Finds models, says what they are, what adding them would store, and adds them."""

    def import_model(
        self,
        path: str | Path,
        *,
        name: str | None = None,
        description: str = "",
        source: str = "",
        move: bool = False,
        follow_links: bool = False,
        convert: bool | None = None,
        progress: ProgressReporter = ignore_progress,
    ) -> int:
        """Add a diffusers folder or a model file, and return its id.

        A checkpoint that holds a whole pipeline becomes one, so that it shares its parts with others;
        an export gives the checkpoint back, byte for byte, and other files stay the files that they are.

        What is already there under the same name keeps its id. Under another name a fundamental model
        gets a further name and keeps its id too; a pipeline becomes another pipeline, with an id of its
        own, of the same parts. Nothing is stored twice either way.

        Args:
            path: The file or folder. It is read, and left as it is unless *move*.
            name: What to call it; None for the file's or folder's own name.
            description: Free text to keep with it.
            source: Where it came from; empty for *path*.
            move: Remove the user's files once the model is safely stored.
            follow_links: Accept links that lead out of the folder.
            convert: Split a checkpoint into the pipeline that it holds; False keeps it one file; None
                does as the settings say.
            progress: Told of progress.

        Returns:
            The id, for `delete` and `get_model`; pipelines and other models never share one.

        Raises:
            SourceError: The path cannot be added; subclasses say why.
            FormatError: A file of the model is broken.
            NotEnoughSpaceError: The disk is too full. Nothing was added in any of these cases.

        Source: `spec/normalized-model-manager.md`, "Saving a model to the database".
        """
        return self.add(
            path,
            name=name,
            description=description,
            source=source,
            move=move,
            follow_links=follow_links,
            convert=convert,
            progress=progress,
        ).info.id

    def add(
        self,
        path: str | Path,
        *,
        name: str | None = None,
        description: str = "",
        source: str = "",
        move: bool = False,
        follow_links: bool = False,
        convert: bool | None = None,
        progress: ProgressReporter = ignore_progress,
    ) -> AddOutcome:
        """Add a model as `import_model` does, and say what that stored and shared."""
        plan = self.plan(
            path,
            name=name,
            description=description,
            source=source,
            follow_links=follow_links,
            convert=convert,
        )
        registered, contents = self._services.adder.add(plan, progress, rebuild=move)
        if move:
            self._services.adder.remove_sources(plan, Path(path))
        # It is one of those that are called so, and its namesakes are to be counted anyway.
        named = self._services.records.find(ModelQuery(name=plan.name))
        found = next((one for one in named if one.key == registered.key), None)
        info = self._select.keyed(registered.key) if found is None else found
        return describe_addition(
            plan,
            info,
            contents,
            is_new=registered.is_new,
            namesakes=sum(
                other.key != info.key and (other.type, other.bases) == (info.type, info.bases)
                for other in named
            ),
        )

    def plan(
        self,
        path: str | Path,
        *,
        name: str | None = None,
        description: str = "",
        source: str = "",
        follow_links: bool = False,
        convert: bool | None = None,
    ) -> ImportPlan:
        """Decide what `add` would do with the model at *path*; nothing is stored."""
        return self._services.adder.plan(
            Path(path),
            name=name,
            description=description,
            source=source,
            follow_links=follow_links,
            convert=convert,
        )

    def foresee(self, plans: Iterable[ImportPlan]) -> int:
        """Return the bytes that adding these plans, in turn, would store; the rest would be shared.

        Judged by the length and three samples of each file, so it takes milliseconds; nothing is stored.
        """
        return self._services.adder.foresee(plans)

    def foresee_each(self, plans: Sequence[ImportPlan]) -> list[int]:
        """Return, for each plan, the bytes that adding it would store after those before it; see `foresee`."""
        # Imported here: who lists models does not wait for what adds them.
        from modelshelf.install.sampling import Sampling  # noqa: PLC0415 - see above

        parts = [part for plan in plans for part in plan.all_parts]
        sampling = Sampling(parts, self._services.records)
        return [sampling.take(plan.all_parts) for plan in plans]

    def discover(self, path: str | Path) -> Iterator[Path]:
        """Yield the models at or below *path*, sorted; a model folder is yielded whole."""
        # Imported here: who lists models does not wait for what searches folders.
        from modelshelf.install import discover_models  # noqa: PLC0415 - see above

        return discover_models(Path(path), apart=self._services.library)

    def probe(self, path: str | Path, *, follow_links: bool = False) -> Identity:
        """Say what the model at *path* is, and why; nothing is stored."""
        return self._services.adder.probe(Path(path), follow_links=follow_links)
