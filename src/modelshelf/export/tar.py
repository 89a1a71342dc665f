"""Exporting as a tar stream, for pipes and other machines."""

from __future__ import annotations

import tarfile
from typing import BinaryIO

from modelshelf.export.checked_read import open_checked
from modelshelf.export.original import open_checked_original
from modelshelf.protocols import BlobStore
from modelshelf.schema.member import MemberPath, file_name_for
from modelshelf.schema.progress import Progress, ProgressReporter, ignore_progress
from modelshelf.schema.stored import StoredModel

__all__ = ["write_tar"]


class _Counting:
    """Counts what goes into a stream that need not know its own position."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.written = 0

    def write(self, content: bytes) -> int:
        """Pass on."""
        self.written += len(content)
        return self._stream.write(content)


def write_tar(
    blobs: BlobStore,
    model: StoredModel,
    stream: BinaryIO,
    *,
    as_original: bool = True,
    report: ProgressReporter = ignore_progress,
) -> int:
    """Write *model* as a pax tar archive, the same bytes every time.

    Entries lie below the model's name, sorted, owned by nobody, dated 1970. The stream is written from
    front to back only.

    Args:
        blobs: Where the bytes are.
        model: What to write.
        stream: Open for writing; left open.
        as_original: Write a converted checkpoint as the file that it was; False: as a folder.
        report: Told of progress.

    Returns:
        Bytes written.

    Raises:
        BlobCorruptError: A file is not what was stored; the archive is left without its end, so no
            reader takes it for whole.
        BlobMissingError: The store has lost a file; the same.
    """
    original = model.original if as_original else None
    name = file_name_for(model.name) + (model.suffix if original is None else original.suffix)
    counting = _Counting(stream)
    # Closed by hand: a `with` block would write the end of the archive after a failure, too.
    archive = tarfile.open(  # noqa: SIM115 - see above
        fileobj=counting,  # type: ignore[call-overload] # it only writes
        mode="w|",
        format=tarfile.PAX_FORMAT,
    )
    if original is None:
        _add_files(archive, blobs, model, name, report)
    else:
        with open_checked_original(blobs, model, original) as reader:
            archive.addfile(_file(name, original.size), reader)
        report(Progress("exporting", MemberPath(name), original.size, original.size))
    archive.close()
    return counting.written


def _add_files(
    archive: tarfile.TarFile,
    blobs: BlobStore,
    model: StoredModel,
    name: str,
    report: ProgressReporter,
) -> None:
    done = 0
    if not model.is_file:
        archive.addfile(_folder(name))
    for folder in model.empty_folders:
        archive.addfile(_folder(f"{name}/{folder}"))
    for member, file in model.files:
        entry = _file(name if model.is_file else f"{name}/{member}", file.size)
        with open_checked(blobs, file) as reader:
            archive.addfile(entry, reader)
        done += file.size
        report(Progress("exporting", MemberPath(member), done, model.size))


def _file(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o644
    return entry


def _folder(name: str) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = tarfile.DIRTYPE, 0o755
    return entry
