"""Giving a file that is whole its final name, without ever replacing another one unasked."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

from modelshelf.download.destination_trouble import destination_trouble
from modelshelf.download.owned_file import OwnedFile
from modelshelf.download.partial_names import PartialNames
from modelshelf.download.room import check_space
from modelshelf.download.umask import current_umask
from modelshelf.errors import DestinationExistsError
from modelshelf.protocols import Disk

__all__ = ["give_final_name", "make_durable", "publish_small"]

_NO_LINKS = {errno.EPERM, errno.EACCES, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
_CANNOT_PROMISE = {errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP}
"""What is said where a free name cannot be taken at once."""
_NO_FLUSH = {errno.EINVAL, errno.EOPNOTSUPP, errno.ENOSYS}
"""What file systems say whose folders need no flush, or know none."""


def make_durable(descriptor: int, disk: Disk) -> None:
    """Let others read the open file as the user's umask allows, and wait until it survives a power cut.

    Raises:
        OSError: The system refused.
    """
    with suppress(OSError):
        # FAT and network shares have the modes that they were mounted with, and refuse others.
        os.fchmod(descriptor, 0o644 & ~current_umask())
    disk.sync_file(descriptor)


def give_final_name(
    part: Path, final: Path, disk: Disk, *, overwrite: bool, sync_folder: bool
) -> None:
    """Move the durable file *part* to *final* at once.

    Killed on the way, it leaves the file under one of the names or under both.

    Args:
        part: What is whole.
        final: Name in the same folder. A link there is replaced or kept, never followed.
        disk: Through which to write.
        overwrite: Whether a file that stands there is replaced.
        sync_folder: Whether to wait until the new name survives a power cut; if not, the caller does so
            for many files at once.

    Raises:
        DestinationExistsError: Something is there already and is kept; so is *part*.
        OSError: The system refused. Only when it refused the flush of the folder has the file its new name.
    """
    if overwrite:
        disk.rename(part, final)
    else:
        _give_new_name(part, final, disk)
    if sync_folder:
        try:
            disk.sync_folder(final.parent)
        except OSError as error:
            if error.errno not in _NO_FLUSH:
                raise


def publish_small(
    final: Path,
    content: bytes | memoryview,
    disk: Disk,
    *,
    key: str = "0" * 16,
    overwrite: bool = False,
    sync_folder: bool = True,
) -> None:
    """Write a file that came in one piece: no journal, because there is nothing to go on with.

    Killed at any instant, it leaves the file whole at its final name or not at all, and perhaps a part that
    the next download of the same name and key, or `find_partials`, removes.

    Args:
        final: Name of the file to be, in a folder that exists.
        content: All of it, checked.
        disk: Through which to write.
        key: As for `PartialFile.open`.
        overwrite: Whether a file that stands there is replaced.
        sync_folder: As for `PartialFile.publish`.

    Raises:
        DownloadBusyError: Somebody is publishing or fetching the same file.
        DestinationExistsError: Something is there already; it is kept.
        NotEnoughSpaceError: The disk is full.
        DestinationUnusableError: The system refused.

    Example:
        >>> import tempfile
        >>> from modelshelf.disk import LocalDisk
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     publish_small(Path(folder) / "config.json", b"{}", LocalDisk())
        ...     [path.name for path in Path(folder).iterdir()]
        ['config.json']
    """
    part = PartialNames.of(final, key).part
    with destination_trouble(final, needed=len(content)):
        check_space(final, len(content))
        owned = OwnedFile.make(part, disk)
        try:
            owned.write(content, 0)
            make_durable(owned.descriptor, disk)
            give_final_name(part, final, disk, overwrite=overwrite, sync_folder=sync_folder)
        except BaseException:
            # Nothing of it could be used by the next attempt.
            with suppress(OSError):
                owned.remove()
            raise
        finally:
            owned.close()


def _give_new_name(part: Path, final: Path, disk: Disk) -> None:
    try:
        disk.link(part, final)
    except FileExistsError as error:
        raise DestinationExistsError(path=str(final)) from error
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # A file system without hard links.
        _rename_to_free_name(part, final, disk)
        return
    # The file is where it should be. A second name that cannot be removed now is removed by whoever comes next.
    with suppress(OSError):
        disk.remove_file(part)


def _rename_to_free_name(part: Path, final: Path, disk: Disk) -> None:
    try:
        disk.rename_new(part, final)
    except FileExistsError as error:
        raise DestinationExistsError(path=str(final)) from error
    except OSError as error:
        if error.errno not in _CANNOT_PROMISE:
            raise
        # Between the look and the renaming somebody could still put a file there, and would lose it: there
        # is no better call that such a system has.
        if os.path.lexists(final):
            raise DestinationExistsError(path=str(final)) from error
        disk.rename(part, final)
