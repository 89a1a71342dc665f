"""A repository as the Hugging Face stand-in keeps it: commits of files, with the digests it announces."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["HostedFile", "Repository"]

_LARGE_SUFFIXES = {".safetensors", ".bin", ".ckpt", ".pt", ".gguf", ".onnx", ".msgpack"}


@dataclass(frozen=True, slots=True)
class HostedFile:
    """One file of one commit."""

    name: str
    """Path inside the repository."""
    path: Path
    size: int
    sha256: str
    git_sha1: str
    """Of the blob that git holds: the file itself, or of a large one the LFS pointer."""
    is_large: bool
    """Kept by LFS: served by the file host, not by the hub."""
    xet_hash: str | None
    """Set on large files of a Xet repository."""

    @classmethod
    def read(cls, name: str, path: Path, *, xet: bool) -> HostedFile:
        """Make it of the bytes at *path*."""
        content = path.read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        is_large = path.suffix in _LARGE_SUFFIXES
        blob = _pointer(sha256, len(content)) if is_large else content
        git_sha1 = hashlib.sha1(b"blob %d\0" % len(blob) + blob).hexdigest()  # noqa: S324 - git's own
        xet_hash = (
            hashlib.blake2b(content, digest_size=32).hexdigest() if is_large and xet else None
        )
        return cls(name, path, len(content), sha256, git_sha1, is_large, xet_hash)

    @property
    def pointer(self) -> bytes:
        """What git holds in place of a large file."""
        return _pointer(self.sha256, self.size)

    @property
    def wire_etag(self) -> str:
        """The validator on the file host, which is not the announced digest."""
        return self.xet_hash or hashlib.blake2b(self.sha256.encode(), digest_size=32).hexdigest()

    def tree_entry(self) -> dict[str, object]:
        """Return it as `tree` and `paths-info` do."""
        entry: dict[str, object] = {
            "type": "file",
            "oid": self.git_sha1,
            "size": self.size,
            "path": self.name,
        }
        if self.is_large:
            size = len(self.pointer)
            entry["lfs"] = {"oid": self.sha256, "size": self.size, "pointerSize": size}
        if self.xet_hash:
            entry["xetHash"] = self.xet_hash
        return entry

    def sibling(self, *, blobs: bool) -> dict[str, object]:
        """Return it as model info does."""
        if not blobs:
            return {"rfilename": self.name}
        entry = {"rfilename": self.name, "size": self.size, "blobId": self.git_sha1}
        if not self.is_large:
            return entry
        size = len(self.pointer)
        return entry | {"lfs": {"sha256": self.sha256, "size": self.size, "pointerSize": size}}


def _pointer(sha256: str, size: int) -> bytes:
    return (
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()
    )


@dataclass(slots=True)
class Repository:
    """What the hub serves under one id. Change its fields to change how the hub answers."""

    repo_id: str
    gated: str | bool = False
    """False, `auto` or `manual`: files need a token that was granted access."""
    is_private: bool = False
    is_disabled: bool = False
    xet: bool = False
    """Whether large files say that they can be had through Xet."""
    tags: tuple[str, ...] = ("diffusers", "safetensors", "text-to-image", "license:mit")
    refs: dict[str, str] = field(default_factory=dict)
    """Branch or tag → commit."""
    commits: dict[str, Mapping[str, HostedFile]] = field(default_factory=dict)
    serves_pointers: bool = False
    """Whether large files come as their LFS pointer, as from a clone without LFS: fault 33."""

    def commit(self, folder: Path, branch: str = "main") -> str:
        """Let *branch* be what lies in *folder* now; return the commit, 40 hexadecimal digits."""
        files = {
            name: HostedFile.read(name, path, xet=self.xet) for name, path in sorted(_files(folder))
        }
        said = "".join(file.git_sha1 + name for name, file in files.items())
        sha = hashlib.sha1(f"{self.repo_id}{branch}{said}".encode()).hexdigest()  # noqa: S324
        self.commits[sha] = files
        self.refs[branch] = sha
        return sha

    def revision(self, name: str) -> str | None:
        """Return the commit that *name* means; None for one that is not there."""
        return self.refs.get(name, name if name in self.commits else None)


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path
