"""What every blob store promises, as tests to inherit.

A test module subclasses `BlobStoreContract`, sets `store` before each test, and supplies `put_raw` and
`get_raw`, which reach the stored bytes without the code under test. Tests take `tmp_path`, a folder of
their own, as pytest gives one; nothing else of pytest is used here.
"""
# ruff: noqa: S101, PLR2004 - a contract asserts, and its numbers are the expected ones

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from blake3 import blake3

from modelshelf.errors import BlobMissingError, ModelshelfError, SourceChangedError
from modelshelf.protocols import BlobEntry, BlobStore
from modelshelf.schema.digest import Digest, FileDigests
from modelshelf.schema.member import MemberPath
from modelshelf.schema.source import SourceFile

__all__ = ["BlobStoreContract", "error_of", "source_file"]

_Error = TypeVar("_Error", bound=ModelshelfError)

LARGE = 5 * 1024 * 1024 + 1
"""Bytes that need several reads, the last of one byte."""


def source_file(path: Path, content: bytes | bytearray) -> SourceFile:
    """Write a user's file and return it as a listing does."""
    path.write_bytes(content)
    status = path.stat()
    return SourceFile(
        member=MemberPath.parse(path.name),
        path=path,
        size=status.st_size,
        modified_ns=status.st_mtime_ns,
        device=status.st_dev,
        inode=status.st_ino,
    )


def error_of(kind: type[_Error], act: Callable[[], object]) -> _Error:
    """Return the error that *act* raises; a test fails when it raises none."""
    try:
        act()
    except kind as error:
        return error
    message = f"{kind.__name__} was not raised"
    raise AssertionError(message)


class BlobStoreContract(ABC):
    """The promises of `protocols.BlobStore`."""

    store: BlobStore
    """A store with nothing in it, set before each test."""

    @abstractmethod
    def put_raw(self, location: str, member: str, content: bytes) -> None:
        """Put bytes where the store would read them, past the store."""

    @abstractmethod
    def get_raw(self, location: str, member: str) -> bytes | None:
        """Read bytes that the store has, past the store; None where there are none."""

    def publish(self, tmp_path: Path, files: dict[str, bytes]) -> str:
        """Publish a part of these files; return its location."""
        location = str(uuid4())
        writer = self.store.write_part(location)
        for number, (member, content) in enumerate(files.items()):
            source = source_file(tmp_path / f"{location}-{number}", content)
            writer.copy_in(MemberPath.parse(member), source)
        writer.publish()
        return location

    def entry(self, location: str, member: str) -> BlobEntry:
        """Return what the store says of one file or folder."""
        return next(entry for entry in self.store.entries(location) if entry.member == member)

    # -- writing

    def test_stores_the_bytes_and_digests_what_it_stored(self, tmp_path: Path) -> None:
        """The digests are those of the source's bytes, and the same bytes are stored."""
        for content in (b"", b"a", b"weights " * 40_000, bytes(LARGE)):
            location = str(uuid4())
            writer = self.store.write_part(location)
            digests = writer.copy_in(
                MemberPath("model.bin"), source_file(tmp_path / "source", content)
            )
            writer.publish()
            assert digests == FileDigests(
                len(content),
                Digest.blake3(blake3(content).digest()),
                Digest.sha256(hashlib.sha256(content).digest()),
            )
            assert self.get_raw(location, "model.bin") == content

    def test_takes_a_file_that_is_given_away(self, tmp_path: Path) -> None:
        """What is stored and said of it is what a copy would be, whatever becomes of the other name."""
        for content in (b"", b"a", b"weights " * 40_000, bytes(LARGE)):
            location = str(uuid4())
            writer = self.store.write_part(location)
            source = source_file(tmp_path / location, content)
            digests = writer.take_in(MemberPath("deep/model.bin"), source)
            writer.publish()
            source.path.unlink()
            assert digests == FileDigests(
                len(content),
                Digest.blake3(blake3(content).digest()),
                Digest.sha256(hashlib.sha256(content).digest()),
            )
            assert self.get_raw(location, "deep/model.bin") == content
            assert not self.entry(location, "deep/model.bin").is_writable

    def test_believes_known_digests_of_what_it_takes(self, tmp_path: Path) -> None:
        """They are not worked out again; only what is not known is."""
        content = (8).to_bytes(8, "little") + b'{"a":1} ' + b"tensors"
        known = FileDigests(len(content), Digest.blake3(bytes(32)), Digest.sha256(bytes(32)))
        source = replace(source_file(tmp_path / "source", content), digests=known)
        writer = self.store.write_part(str(uuid4()))
        assert writer.take_in(MemberPath("a"), source) == known
        data = Digest.sha256(hashlib.sha256(b"tensors").digest())
        taken = writer.take_in(MemberPath("b"), source, hash_data=True)
        assert taken == replace(known, data_sha256=data)

    def test_refuses_to_take_a_file_that_changed(self, tmp_path: Path) -> None:
        """Known digests are of the file that was listed, and of no other."""
        content = b"as it was"
        known = FileDigests(len(content), Digest.blake3(bytes(32)), Digest.sha256(bytes(32)))
        source = replace(source_file(tmp_path / "source", content), digests=known)
        source.path.write_bytes(b"as it is now")
        writer = self.store.write_part(str(uuid4()))
        error = error_of(SourceChangedError, lambda: writer.take_in(MemberPath("a"), source))
        assert error.path == str(source.path)

    def test_tells_of_every_byte_of_progress(self, tmp_path: Path) -> None:
        """The last report of a copied file says that all of it is done."""
        told: list[tuple[int, int]] = []
        source = source_file(tmp_path / "source", bytes(LARGE))
        writer = self.store.write_part(str(uuid4()))
        writer.copy_in(MemberPath("a"), source, lambda step: told.append((step.done, step.total)))
        assert told[-1] == (LARGE, LARGE)
        assert told == sorted(told)

    def test_shows_a_part_only_when_it_is_published(self, tmp_path: Path) -> None:
        """Before `publish` nobody finds a file of the part; afterwards all of it is there."""
        location = str(uuid4())
        writer = self.store.write_part(location)
        writer.copy_in(MemberPath("a/b"), source_file(tmp_path / "source", b"content"))
        writer.make_folder(MemberPath("empty/inner"))
        assert list(self.store.entries(location)) == []
        assert self.get_raw(location, "a/b") is None
        writer.publish()
        members = [entry.member for entry in self.store.entries(location)]
        assert members == ["a/b", "empty/inner"]
        assert self.get_raw(location, "a/b") == b"content"

    def test_abandons_a_part_without_a_trace(self, tmp_path: Path) -> None:
        """An abandoned part is at no location, and abandoning it twice is no trouble."""
        location = str(uuid4())
        writer = self.store.write_part(location)
        writer.copy_in(MemberPath("a"), source_file(tmp_path / "source", b"content"))
        writer.abandon()
        writer.abandon()
        assert list(self.store.locations()) == []
        assert self.get_raw(location, "a") is None

    def test_refuses_a_source_that_is_not_what_was_listed(self, tmp_path: Path) -> None:
        """A file that grew, or is gone, since it was listed is not stored."""
        source = source_file(tmp_path / "source", b"before")
        source.path.write_bytes(b"after, and longer")
        writer = self.store.write_part(str(uuid4()))
        for _ in ("grown", "gone"):
            error = error_of(SourceChangedError, partial(writer.copy_in, MemberPath("a"), source))
            assert error.path == str(source.path)
            source.path.unlink(missing_ok=True)
            writer.abandon()
            writer = self.store.write_part(str(uuid4()))
        writer.abandon()

    # -- sharing

    def test_links_a_file_of_another_part(self, tmp_path: Path) -> None:
        """A linked file has the donor's bytes and is one content with it."""
        donor = self.publish(tmp_path, {"weights": b"shared"})
        location = str(uuid4())
        writer = self.store.write_part(location)
        assert writer.link_in(MemberPath("model/own"), donor, MemberPath("weights"))
        writer.publish()
        assert self.get_raw(location, "model/own") == b"shared"
        assert self.entry(location, "model/own").content == self.entry(donor, "weights").content

    def test_links_a_file_of_the_same_part(self, tmp_path: Path) -> None:
        """Equal files of one part are one content too."""
        location = str(uuid4())
        writer = self.store.write_part(location)
        writer.copy_in(MemberPath("a"), source_file(tmp_path / "source", b"twice"))
        assert writer.link_in(MemberPath("b"), location, MemberPath("a"))
        writer.publish()
        assert self.get_raw(location, "b") == b"twice"
        assert self.entry(location, "a").content == self.entry(location, "b").content

    def test_does_not_link_what_is_gone(self, tmp_path: Path) -> None:
        """A donor that was collected meanwhile is no error: the caller copies instead."""
        donor = self.publish(tmp_path, {"weights": b"shared"})
        self.store.discard(donor)
        writer = self.store.write_part(str(uuid4()))
        assert not writer.link_in(MemberPath("a"), donor, MemberPath("weights"))
        writer.abandon()

    def test_makes_equal_files_one(self, tmp_path: Path) -> None:
        """Two equal files become one content, and the bytes of the second are freed once."""
        first = self.publish(tmp_path, {"a": b"equal"})
        second = self.publish(tmp_path, {"b": b"equal"})
        shared = (second, MemberPath("b"), first, MemberPath("a"))
        assert self.store.share(*shared, lease_id=uuid4().hex) == len(b"equal")
        assert self.store.share(*shared, lease_id=uuid4().hex) == 0
        assert self.get_raw(second, "b") == b"equal"
        assert self.entry(first, "a").content == self.entry(second, "b").content
        assert not self.entry(second, "b").is_writable

    def test_shares_nothing_with_what_is_gone(self, tmp_path: Path) -> None:
        """A part that was collected meanwhile frees nothing."""
        first = self.publish(tmp_path, {"a": b"equal"})
        gone = str(uuid4()), MemberPath("b")
        here = first, MemberPath("a")
        assert self.store.share(*here, *gone, lease_id=uuid4().hex) == 0
        assert self.store.share(*gone, *here, lease_id=uuid4().hex) == 0
        assert self.get_raw(first, "a") == b"equal"

    # -- reading

    def test_opens_what_lies_there(self, tmp_path: Path) -> None:
        """`open` reads the bytes of that member, wherever they came from."""
        location = self.publish(tmp_path, {"a": b"published"})
        self.put_raw(location, "b", b"put past the store")
        for member, content in (("a", b"published"), ("b", b"put past the store")):
            with self.store.open(location, MemberPath(member)) as opened:
                assert opened.read() == content

    def test_says_that_a_file_is_missing(self, tmp_path: Path) -> None:
        """No such part, no such file, or a folder in its place: the blob is missing."""
        location = self.publish(tmp_path, {"a/b": b"content"})
        for place, member in ((str(uuid4()), "a"), (location, "c"), (location, "a")):
            error = error_of(BlobMissingError, partial(self.store.open, place, MemberPath(member)))
            assert member in error.path

    def test_lists_whatever_lies_in_a_part(self, tmp_path: Path) -> None:
        """Every file is listed with its size and as read-only, strangers too, sorted."""
        location = self.publish(tmp_path, {"b": b"12", "a/c": b"", "a/a": b"3"})
        self.put_raw(location, "stranger", b"4567")
        listed = [(entry.member, entry.size) for entry in self.store.entries(location)]
        assert sorted(listed) == [("a/a", 1), ("a/c", 0), ("b", 2), ("stranger", 4)]
        ours = [entry for entry in self.store.entries(location) if entry.member != "stranger"]
        assert all(entry.is_file and not entry.is_writable for entry in ours)

    def test_knows_every_location(self, tmp_path: Path) -> None:
        """Published and unfinished parts are at a location, so that debris can be found."""
        published = self.publish(tmp_path, {"a": b"1"})
        unfinished = str(uuid4())
        writer = self.store.write_part(unfinished)
        assert list(self.store.locations()) == [published]
        assert list(self.store.unfinished()) == [unfinished]
        writer.abandon()
        assert list(self.store.unfinished()) == []

    # -- removing

    def test_discards_a_part_and_says_what_that_freed(self, tmp_path: Path) -> None:
        """Only bytes that no other part holds are freed, and the others keep theirs."""
        first = self.publish(tmp_path, {"own": b"123", "shared": b"45678"})
        second = str(uuid4())
        writer = self.store.write_part(second)
        writer.link_in(MemberPath("shared"), first, MemberPath("shared"))
        writer.publish()
        assert self.store.discard(first) == 3
        assert self.get_raw(second, "shared") == b"45678"
        assert self.store.discard(second) == 5
        assert list(self.store.locations()) == []

    def test_discards_an_unfinished_part(self, tmp_path: Path) -> None:
        """What an import left behind goes like any other part."""
        location = str(uuid4())
        writer = self.store.write_part(location)
        writer.copy_in(MemberPath("a"), source_file(tmp_path / "source", b"content"))
        assert self.store.discard(location) == len(b"content")
        assert list(self.store.unfinished()) == []

    def test_discarding_twice_is_discarding_once(self, tmp_path: Path) -> None:
        """A part that is not there is no error and frees nothing."""
        location = self.publish(tmp_path, {"a": b"1"})
        self.store.discard(location)
        assert self.store.discard(location) == 0
        assert self.store.discard(str(uuid4())) == 0
