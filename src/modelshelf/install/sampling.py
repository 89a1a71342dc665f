"""Asking the store about files by their fingerprints, before any of them is read whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from modelshelf.blobs.fingerprint import Fingerprint, fingerprint
from modelshelf.errors import SourceError
from modelshelf.protocols import RecordStore
from modelshelf.schema.manifest import PlannedPart
from modelshelf.schema.member import MemberPath
from modelshelf.schema.recipe import StorableFile
from modelshelf.schema.source import SourceFile

__all__ = ["SampledFile", "Sampling"]


@dataclass(frozen=True, slots=True)
class SampledFile:
    """A file to store, after the three short reads of its fingerprint."""

    member: MemberPath
    """Its path inside the part."""
    source: StorableFile
    """Where its bytes are."""
    fingerprint: Fingerprint
    """What three short reads told."""
    is_alone: bool
    """True where the model is this one file."""

    @property
    def sample(self) -> tuple[int, bytes]:
        """Size and fingerprint: what the store is asked for."""
        return self.source.size, self.fingerprint.quick


class Sampling:
    """The files of some parts, and which of them the store may have."""

    def __init__(
        self, parts: Iterable[PlannedPart], records: RecordStore, *, passes_over: bool = False
    ) -> None:
        """Take the samples, and ask.

        Args:
            parts: Whose files.
            records: Whom to ask.
            passes_over: Whether a part that cannot be sampled is put into `failed`, and the others go on.

        Raises:
            SourceChangedError: A file is not what it was when it was listed.
            SourceUnreadableError: The system refused to read one.
        """
        self._files: dict[PlannedPart, list[SampledFile]] = {}
        self.failed: dict[PlannedPart, SourceError] = {}
        """Parts that were passed over, and why."""
        for part in parts:
            try:
                self._files[part] = _sample(part)
            except SourceError as error:
                if not passes_over:
                    raise
                self.failed[part] = error
        self._samples = {file.sample for files in self._files.values() for file in files}
        self._familiar = records.known_fingerprints(self._samples)

    def files(self, part: PlannedPart) -> list[SampledFile]:
        """Return the files of one of the parts."""
        return self._files[part]

    def files_of(self, parts: Iterable[PlannedPart]) -> Iterator[SampledFile]:
        """Yield the files of several of the parts."""
        for part in parts:
            yield from self._files[part]

    def is_familiar(self, file: SampledFile) -> bool:
        """Say whether a stored file has the same size and fingerprint, and so may be the same."""
        return file.sample in self._familiar

    def remember(self, size: int, quick: bytes) -> None:
        """Note that the store has such a file from now on."""
        self._familiar.add((size, quick))

    def bytes_needed(self, *, take: bool = False) -> int:
        """Return the bytes that will certainly be written: of files whose fingerprint nobody has seen.

        Args:
            take: Whether files that lie there as they are to be stored are linked in, which takes no room.
        """
        files = self.files_of(self._files)
        wanted = {
            file.sample for file in files if not (take and isinstance(file.source, SourceFile))
        }
        return sum(size for size, _ in wanted - self._familiar)

    def take(self, parts: Iterable[PlannedPart]) -> int:
        """Return the bytes that storing *parts* would certainly write; from then on they count as stored."""
        new = {file.sample for file in self.files_of(parts)} - self._familiar
        self._familiar |= new
        return sum(size for size, _ in new)


def _sample(part: PlannedPart) -> list[SampledFile]:
    return [
        SampledFile(member, source, fingerprint(source), part.is_file)
        for member, source in part.files
    ]
