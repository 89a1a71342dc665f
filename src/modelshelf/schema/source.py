"""What lies at a path that the user wants to add, found by looking and not yet by reading."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from modelshelf.schema.digest import FileDigests
from modelshelf.schema.member import MemberPath

__all__ = ["SourceFile", "SourceTree"]


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One regular file, and what it was when it was listed."""

    member: MemberPath
    """Its name inside the model; for a single-file model the file's own name."""
    path: Path
    """Where its bytes are: links resolved."""
    size: int
    """Bytes, when listed."""
    modified_ns: int
    """Modification time, nanoseconds since 1970; a different one later means the source changed."""
    device: int
    """`st_dev` when listed; with *inode* it says whether the name still means the same file."""
    inode: int
    """`st_ino` when listed."""
    digests: FileDigests | None = None
    """What its bytes are known to be, because modelshelf itself wrote them just so; None where nobody knows."""


@dataclass(frozen=True, slots=True)
class SourceTree:
    """Everything below one path: a model file, or a folder.

    Members are sorted, so two equal folders give equal trees wherever they lie.
    """

    root: Path
    """The file or the folder as the user named it, made absolute."""
    is_file: bool
    """True for a single model file; *files* then has one entry."""
    files: tuple[SourceFile, ...]
    """Every regular file, sorted by member."""
    empty_folders: tuple[MemberPath, ...] = ()
    """Folders with nothing in them, sorted; an export makes them again."""

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)

    def member(self, path: str) -> SourceFile | None:
        """Return the file called *path* inside the model, or None."""
        return next((file for file in self.files if file.member == path), None)

    def below(self, folder: str) -> SourceTree:
        """Return the sub-folder as a tree of its own, members relative to it."""
        prefix = folder + "/"
        return SourceTree(
            root=self.root / folder,
            is_file=False,
            files=tuple(
                replace(file, member=MemberPath(file.member[len(prefix) :]))
                for file in self.files
                if file.member.startswith(prefix)
            ),
            empty_folders=tuple(
                MemberPath(name[len(prefix) :])
                for name in self.empty_folders
                if name.startswith(prefix)
            ),
        )
