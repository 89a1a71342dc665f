"""Looking at a file or folder that a user points at: names, sizes and links, no content."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from modelshelf.errors import (
    EmptySourceError,
    SourceNotFoundError,
    SourceUnreadableError,
    SymlinkLeavesFolderError,
    SymlinkLoopError,
    UnsupportedEntryError,
)
from modelshelf.schema.member import MemberPath
from modelshelf.schema.source import SourceFile, SourceTree

__all__ = ["read_tree"]

_DEEPEST = 64
_MOST_LINKS = 4_096
"""Links to folders that are followed: two in each of thirteen folders, the one to the next, are 8,000 ways."""

_SHARED_BLOB = re.compile(r"/blobs/[0-9a-f]{2}/[^/]+")

_KINDS = {
    stat.S_IFBLK: "device",
    stat.S_IFCHR: "device",
    stat.S_IFIFO: "named pipe",
    stat.S_IFSOCK: "socket",
}


def read_tree(
    path: Path, *, follow_links: bool = False, most_entries: int = 1_000_000
) -> SourceTree:
    """List the file or folder at *path*; looks at names and sizes and reads no content.

    Every regular file counts, hidden ones too. *path* may itself be a link. Links inside a folder are
    followed while they stay inside it; the Hugging Face cache, whose snapshots are links into
    `blobs/`, is known and followed as well. Names that differ only in case, hold spaces or newlines,
    and files without a byte are all kept as they are.

    Args:
        path: A model file, or a folder.
        follow_links: Follow links that leave the folder too, because the user says that those
            files belong to the model.
        most_entries: Files, folders and links to look at before giving up: links that branch at
            every level make a few folders look like millions.

    Raises:
        SourceNotFoundError: Nothing is there, or a link inside points to nothing.
        SourceUnreadableError: The operating system refuses to list something.
        EmptySourceError: The folder holds no file at all.
        SymlinkLeavesFolderError: A link points outside and *follow_links* is not given.
        SymlinkLoopError: A link leads back to a folder that holds it.
        UnsupportedEntryError: A device, pipe or socket, folders deeper than 64 levels, or too many
            entries.
        UnportableNameError: A name that is not UTF-8.
    """
    named = Path(path).absolute()
    with _as_source_errors(str(named)):
        root = os.path.realpath(named, strict=True)
        status = Path(root).stat()
    if not stat.S_ISDIR(status.st_mode):
        file = _file(MemberPath.parse(named.name or Path(root).name), Path(root), status)
        return SourceTree(root=named, is_file=True, files=(file,))
    walk = _Walk(root, status, follow_links=follow_links, most_entries=most_entries)
    walk.run()
    if not walk.files:
        raise EmptySourceError(path=str(named), reason="there is no file in it")
    return SourceTree(
        root=named,
        is_file=False,
        files=tuple(sorted(walk.files, key=lambda file: file.member)),
        empty_folders=tuple(sorted(walk.empty_folders)),
    )


@dataclass(frozen=True, slots=True)
class _Folder:
    """One folder still to be listed."""

    real: str
    """Where it is, links resolved."""
    member: str
    """Its name inside the model; empty for the model's own folder."""
    chain: tuple[tuple[int, int], ...]
    """Device and inode of the folder and of all that hold it: a link to one of them is a loop."""


class _Walk:
    """One listing in progress. A list of folders to do, not a recursion, so depth costs no stack."""

    def __init__(
        self, root: str, status: os.stat_result, *, follow_links: bool, most_entries: int
    ) -> None:
        self.files: list[SourceFile] = []
        self.empty_folders: list[MemberPath] = []
        self._root = root
        self._follow_links = follow_links
        self._cache = _cached_repository(root)
        self._to_do = [_Folder(root, "", ((status.st_dev, status.st_ino),))]
        self._entries, self._most_entries = 0, most_entries
        self._links = 0

    def run(self) -> None:
        while self._to_do:
            folder = self._to_do.pop()
            with _as_source_errors(folder.real), os.scandir(folder.real) as entries:
                is_empty, home = True, Path(folder.real)
                for entry in entries:
                    is_empty = False
                    self._take(folder, home, entry)
            if is_empty and folder.member:
                self.empty_folders.append(MemberPath.parse(folder.member))

    def _take(self, folder: _Folder, home: Path, entry: os.DirEntry[str]) -> None:
        self._entries += 1
        if self._entries > self._most_entries:
            kind = f"tree of more than {self._most_entries} entries"
            raise UnsupportedEntryError(path=self._root, kind=kind)
        member = MemberPath.parse(f"{folder.member}/{entry.name}" if folder.member else entry.name)
        is_link = entry.is_symlink()
        with _as_source_errors(entry.path):
            # Joined, as a whole path takes four times as long to be taken apart.
            real = Path(self._resolve(entry.path)) if is_link else home / entry.name
            status = real.stat() if is_link else entry.stat(follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            self._links += is_link
            if self._links > _MOST_LINKS:
                kind = f"tree of more than {_MOST_LINKS} links to folders"
                raise UnsupportedEntryError(path=self._root, kind=kind)
            self._queue(folder, _Folder(str(real), member, folder.chain), status, entry.path)
        else:
            self.files.append(_file(member, real, status, shown=entry.path))

    def _resolve(self, link: str) -> str:
        target = os.path.realpath(link, strict=True)
        if not self._follow_links and not self._belongs(target):
            raise SymlinkLeavesFolderError(path=link, target=target)
        return target

    def _belongs(self, target: str) -> bool:
        if _is_inside(target, self._root):
            return True
        if self._cache is None:
            return False
        shared = _SHARED_BLOB.fullmatch(target.removeprefix(str(self._cache.parent)))
        return _is_inside(target, str(self._cache / "blobs")) or shared is not None

    def _queue(self, parent: _Folder, folder: _Folder, status: os.stat_result, shown: str) -> None:
        identity = status.st_dev, status.st_ino
        if identity in parent.chain:
            raise SymlinkLoopError(path=shown, target=folder.real)
        if len(parent.chain) > _DEEPEST:
            raise UnsupportedEntryError(path=shown, kind=f"folder deeper than {_DEEPEST} levels")
        self._to_do.append(_Folder(folder.real, folder.member, (*parent.chain, identity)))


def _file(
    member: MemberPath, real: Path, status: os.stat_result, *, shown: str | None = None
) -> SourceFile:
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "special file")
        raise UnsupportedEntryError(path=shown or str(real), kind=kind)
    return SourceFile(
        member, real, status.st_size, status.st_mtime_ns, status.st_dev, status.st_ino
    )


def _is_inside(target: str, folder: str) -> bool:
    return target == folder or target.startswith(folder.rstrip("/") + "/")


def _cached_repository(root: str) -> Path | None:
    """Return the repository of the Hugging Face cache whose snapshot *root* is or lies in.

    The layout is `<cache>/models--<owner>--<name>/snapshots/<revision>/…`, each file a link into
    `../../blobs/`, or into `<cache>/blobs/<2 digits>/` where repositories share them.
    https://huggingface.co/docs/huggingface_hub/guides/manage-cache
    """
    for snapshot in (Path(root), *Path(root).parents):
        snapshots, repository = snapshot.parent, snapshot.parent.parent
        if snapshots.name == "snapshots" and repository.name.startswith("models--"):
            return repository
    return None


@contextmanager
def _as_source_errors(path: str) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise SourceNotFoundError(path=path) from error
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise SymlinkLoopError(path=path, target=_link_target(path)) from error
        raise SourceUnreadableError(path=path, reason=error.strerror or str(error)) from error


def _link_target(path: str) -> str:
    # The loop may lie in a folder above, and then the path itself is no link.
    return str(Path(path).readlink()) if Path(path).is_symlink() else path
