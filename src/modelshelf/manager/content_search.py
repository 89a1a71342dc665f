"""Finding the models that are what lies at a path, whatever it is called there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from modelshelf.errors import EmptySourceError, SourceError
from modelshelf.protocols import RecordStore
from modelshelf.schema.model import ModelInfo
from modelshelf.schema.query import ModelQuery
from modelshelf.schema.source import SourceTree

__all__ = ["ContentSearch"]


class ContentSearch:
    """Looks models up by their bytes, those that the library stores and those that it has a record of."""

    def __init__(self, records: RecordStore, apart: Collection[Path]) -> None:
        """Search the models of a library.

        Args:
            records: What it knows.
            apart: Its own folders, in which nobody's models are looked for.
        """
        self._records = records
        self._apart = apart

    def models(self, path: Path) -> list[ModelInfo]:
        """Return the models that are the same as one at or below *path*, sorted by name.

        A folder of several models is each of them; one in which nobody sees a model is all its files.

        Raises:
            SourceError: Something there cannot be read.
        """
        found = {info.key: info for each in self._at(path) for info in self._same(each)}
        return sorted(found.values(), key=lambda info: (info.name, info.id, info.key))

    def _at(self, path: Path) -> list[Path]:
        # Imported here: finding a model by its name needs no reader of files.
        from modelshelf.install.discovery import discover_models  # noqa: PLC0415 - see above

        try:
            return list(discover_models(path, apart=self._apart))
        except EmptySourceError:
            return [path]

    def _same(self, path: Path) -> Iterator[ModelInfo]:
        from modelshelf.formats import read_tree  # noqa: PLC0415 - as above

        tree = read_tree(path.absolute(), follow_links=True)
        yield from self._holders(tree)
        yield from self._placed(tree)

    def _holders(self, tree: SourceTree) -> Iterable[ModelInfo]:
        """Return the models that hold every file of *tree*."""
        shared: dict[str, ModelInfo] | None = None
        for digest in _digests(tree):
            query = ModelQuery(digest_prefix=digest)
            found = [*self._records.find(query), *self._records.elsewhere(query)]
            holders = {info.key: info for info in found}
            shared = holders if shared is None else {k: shared[k] for k in shared.keys() & holders}
            if not shared:
                break
        return (shared or {}).values()

    def _placed(self, tree: SourceTree) -> Iterator[ModelInfo]:
        """Yield the models that lie elsewhere and look as *tree* does, where nobody can see a difference."""
        from modelshelf.install.placed_identity import quick_hash_of  # noqa: PLC0415 - as above

        sample = quick_hash_of(tree)
        for info in self._records.elsewhere(ModelQuery(digest_prefix=sample.rpartition(":")[2])):
            if info.hash == sample and _may_be(tree, info.path):
                yield info


def _may_be(tree: SourceTree, path: Path) -> bool:
    """Say whether *tree* is what lies at *path*, or lay there before somebody moved it."""
    from modelshelf.formats import read_tree  # noqa: PLC0415 - as in the class

    try:
        there = read_tree(path, follow_links=True)
        if [file.path for file in there.files] == [file.path for file in tree.files]:
            return True
        return there.size == tree.size and list(_digests(there)) == list(_digests(tree))
    except SourceError:
        return True


def _digests(tree: SourceTree) -> Iterator[str]:
    """Yield the BLAKE3 of each file, in the order of their names."""
    from modelshelf.blobs.source_reader import hash_source  # noqa: PLC0415 - as in the class

    return (hash_source(file).hexadecimal for file in tree.files)
