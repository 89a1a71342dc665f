"""The folder in which Hugging Face's own client keeps what it downloaded. Only ever read.

    <cache>/models--<owner>--<name>/
    ├─ refs/<branch or tag>              holds a commit
    ├─ snapshots/<commit>/<path>         a link into blobs, or the file itself where links are off
    └─ blobs/<digest>                    git's SHA-1, or SHA-256 for what LFS keeps
    <cache>/blobs/<2 hex>/<xet hash>     files that several repositories share

https://huggingface.co/docs/huggingface_hub/guides/manage-cache
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from modelshelf.errors import UnportableNameError
from modelshelf.schema.member import MemberPath
from modelshelf.schema.model_source import REPO_ID

__all__ = ["CachedFile", "HuggingFaceCache"]

_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOST_FILES = 100_000


@dataclass(frozen=True, slots=True)
class CachedFile:
    """One file of the cache."""

    name: str
    """Path in the repository."""
    path: Path
    """The file itself, links resolved. It may go at any time, and must not be changed."""
    size: int
    """Bytes."""
    sha256: str | None
    """What the cache calls it by; a claim, to be checked before the bytes are used."""
    git_sha1: str | None
    """The same for a file that git keeps."""


class HuggingFaceCache:
    """Finds files in a cache folder. One that is missing or broken is simply not there.

    Example:
        >>> HuggingFaceCache(Path("/no/such/cache")).find("acme/lens", "main", "config.json") is None
        True
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def commit(self, repo_id: str, revision: str) -> str | None:
        """Return the commit that *revision* meant when the client asked last; None where none is here."""
        root = self._repository(repo_id)
        if root is None:
            return None
        if _COMMIT.fullmatch(revision):
            return revision if (root / "snapshots" / revision).is_dir() else None
        try:
            name = MemberPath.parse(revision)
            with (root / "refs" / name).open("rb") as stream:
                commit = stream.read(64).decode("ascii", "replace").strip()
        except (OSError, UnportableNameError):
            return None
        found = _COMMIT.fullmatch(commit) and (root / "snapshots" / commit).is_dir()
        return commit if found else None

    def find(self, repo_id: str, revision: str, name: str) -> CachedFile | None:
        """Return the file that *name* means at *revision*; None where the cache does not have it whole.

        Args:
            repo_id: Such as `stabilityai/sdxl-turbo`.
            revision: A commit, or a branch or tag as the client saw it last.
            name: Path in the repository.
        """
        root, commit = self._repository(repo_id), self.commit(repo_id, revision)
        if root is None or commit is None:
            return None
        try:
            member = MemberPath.parse(name)
            path = (root / "snapshots" / commit / member).resolve(strict=True)
            # A link may lead anywhere: only what lies in the cache is the cache's.
            if not path.is_file() or not path.is_relative_to(self._folder.resolve()):
                return None
            size = path.stat().st_size
        except (OSError, UnportableNameError, RuntimeError):
            return None
        # Shared blobs are called by their Xet hash, which is no digest of the bytes.
        digest = path.name if path.parent == (root / "blobs").resolve() else ""
        return CachedFile(
            name=name,
            path=path,
            size=size,
            sha256=digest if _SHA256.fullmatch(digest) else None,
            git_sha1=digest if _COMMIT.fullmatch(digest) else None,
        )

    def files(self, repo_id: str, revision: str) -> Iterator[CachedFile]:
        """Yield every file that the cache has at *revision*, sorted by name."""
        root, commit = self._repository(repo_id), self.commit(repo_id, revision)
        if root is None or commit is None:
            return
        top = root / "snapshots" / commit
        names = [
            (Path(folder) / name).relative_to(top).as_posix()
            for folder, _, names in os.walk(top)
            for name in names
        ]
        for name in sorted(names[:_MOST_FILES]):
            if (file := self.find(repo_id, commit, name)) is not None:
                yield file

    def _repository(self, repo_id: str) -> Path | None:
        if REPO_ID.fullmatch(repo_id) is None:
            return None
        return self._folder / f"models--{repo_id.replace('/', '--')}"
