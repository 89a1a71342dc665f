"""Jobs that move a file or folder of this machine."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from blake3 import blake3

from modelshelf.download.file_fetcher import Report
from modelshelf.download.remote_job import make_folder
from modelshelf.download.stop_signal import StopSignal
from modelshelf.download.tree_copy import TreeCopy, TreeCopyStoppedError, remove_tree, tree_size
from modelshelf.errors import (
    DestinationExistsError,
    DestinationUnusableError,
    InvalidDownloadError,
    SourceNotFoundError,
)
from modelshelf.protocols import Disk
from modelshelf.schema.download_job import DownloadJobPath
from modelshelf.schema.transfer import Stopped

__all__ = ["PathWork"]

_OTHER_FILE_SYSTEM = {errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS}
"""A second name cannot be had: another file system, or one that knows no links."""


class PathWork:
    """Moves or copies the source of a `DownloadJobPath`, so that at each instant one whole copy is there.

    On the same file system moving is giving another name. Elsewhere the source is copied beside the
    destination, flushed and compared, gets its name in one step, and only then the source is removed.
    """

    def __init__(self, disk: Disk) -> None:
        """Work through *disk*."""
        self._disk = disk

    def run(self, job: DownloadJobPath, stop: StopSignal, report: Report) -> Stopped | None:
        """Move it; see `JobWork`."""
        source = job.source.absolute()
        target = self._target(job, source)
        self.discard(job)
        try:
            total = tree_size(source)
            report(0, total)
            stopped = self._bring(job, source, target, stop, lambda done: report(done, total))
        except OSError as error:
            if error.errno == errno.EEXIST:
                raise DestinationExistsError(path=str(target)) from error
            raise DestinationUnusableError(
                path=str(target), reason=error.strerror or str(error)
            ) from error
        if stopped:
            return stopped
        report(total, total)
        job.bytes = job.total_bytes = total
        job.downloaded_path = target
        return None

    def discard(self, job: DownloadJobPath) -> None:
        """Remove an unfinished copy; see `JobWork`."""
        with suppress(OSError):
            remove_tree(self._disk, self._copy_of(job))

    def _target(self, job: DownloadJobPath, source: Path) -> Path:
        if not os.path.lexists(source):
            raise SourceNotFoundError(path=str(source))
        target = self._named(job, source)
        inside = Path(os.path.realpath(target))
        if inside.is_relative_to(os.path.realpath(source)):
            raise InvalidDownloadError(
                url=str(source), reason="its destination is the source itself or lies inside it"
            )
        make_folder(self._disk, target.parent)
        if os.path.lexists(target) and not (job.overwrite or _is_half_moved(job, source, target)):
            raise DestinationExistsError(path=str(target))
        return target

    def _named(self, job: DownloadJobPath, source: Path) -> Path:
        destination = job.destination.absolute()
        is_folder = job.destination_is_folder or destination.is_dir()
        return destination / source.name if is_folder else destination

    def _copy_of(self, job: DownloadJobPath) -> Path:
        source = job.source.absolute()
        target = self._named(job, source)
        key = blake3(f"{job.id}\0{source}\0{target}".encode(errors="surrogateescape"))
        return target.with_name(f".{target.name[:80]}.{key.hexdigest(16)}.moving")

    def _bring(
        self,
        job: DownloadJobPath,
        source: Path,
        target: Path,
        stop: StopSignal,
        advance: Callable[[int], None],
    ) -> Stopped | None:
        if stop.kind is not None:
            return Stopped(stop.kind, 0)
        if _is_half_moved(job, source, target):
            self._disk.remove_file(source)
            self._disk.sync_folder(source.parent)
            return None
        if not job.keep_source and self._renamed(source, target, overwrite=job.overwrite):
            return None
        copy = self._copy_of(job)
        try:
            copied = TreeCopy(self._disk, stop, advance)
            copied.copy(source, copy)
            self._publish(copy, target, overwrite=job.overwrite)
        except TreeCopyStoppedError as stopped:
            remove_tree(self._disk, copy)
            return Stopped(stopped.kind, 0)
        except BaseException:
            with suppress(OSError):
                remove_tree(self._disk, copy)
            raise
        if not job.keep_source:
            copied.remove_source()
            self._disk.sync_folder(source.parent)
        return None

    def _renamed(self, source: Path, target: Path, *, overwrite: bool) -> bool:
        """Give the source its new name; False where that is on another file system."""
        try:
            self._publish(source, target, overwrite=overwrite)
        except OSError as error:
            if error.errno in _OTHER_FILE_SYSTEM:
                return False
            raise
        self._disk.sync_folder(source.parent)
        return True

    def _publish(self, source: Path, target: Path, *, overwrite: bool) -> None:
        """Let *source*, on the same file system, be *target*; what stands there is replaced or an error."""
        is_folder = stat.S_ISDIR(os.lstat(source).st_mode)
        if os.path.lexists(target):
            if not overwrite:
                raise DestinationExistsError(path=str(target))
            if is_folder or target.is_dir():
                # At once, and what was there is removed under the name that nobody looks for.
                self._disk.exchange(source, target)
                remove_tree(self._disk, source)
            else:
                self._disk.rename(source, target)
        elif is_folder:
            self._disk.rename(source, target)
        else:
            # A rename would replace what appeared in the meantime.
            self._disk.link(source, target)
            self._disk.remove_file(source)
        self._disk.sync_folder(target.parent)


def _is_half_moved(job: DownloadJobPath, source: Path, target: Path) -> bool:
    """Tell whether the source has both names already: a process died between the two steps of a move."""
    with suppress(FileNotFoundError):
        one, other = os.lstat(source), os.lstat(target)
        return not job.keep_source and os.path.samestat(one, other)
    return False
