from __future__ import annotations

import errno
from pathlib import Path

import pytest

from modelshelf.blobs.folder_store import FolderBlobStore
from modelshelf.disk import LocalDisk
from modelshelf.protocols import Disk
from modelshelf.schema.member import MemberPath
from modelshelf.testing.blob_store_contract import BlobStoreContract
from modelshelf.testing.faults import LinklessDisk, ShortWritingDisk


class _InFolder(BlobStoreContract):
    @pytest.fixture(autouse=True)
    def _store(self, tmp_path: Path) -> None:
        self.folder = tmp_path / "blob"
        self.store = FolderBlobStore(self.folder, tmp_path / "discarded", self.disk())

    def disk(self) -> Disk:
        return LocalDisk()

    def put_raw(self, location: str, member: str, content: bytes) -> None:
        path = self.folder / location / member
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def get_raw(self, location: str, member: str) -> bytes | None:
        path = self.folder / location / member
        return path.read_bytes() if path.is_file() else None


class TestFolder(_InFolder):
    """A folder on a sound disk."""

    def test_leaves_what_it_did_not_make(self) -> None:
        """A name that is no location is a stranger, and is no part."""
        self.folder.mkdir()
        (self.folder / "notes.txt").write_text("mine")
        assert list(self.store.locations()) == []
        assert isinstance(self.store, FolderBlobStore)
        assert list(self.store.strangers()) == ["notes.txt"]


class TestFolderWithShortWrites(_InFolder):
    """A folder on a disk whose writes take a part of what they are given."""

    def disk(self) -> Disk:
        return ShortWritingDisk(LocalDisk(), at_most=100_000)


@pytest.mark.parametrize("number", [errno.EPERM, errno.EMLINK, errno.EXDEV, errno.EOPNOTSUPP])
def test_copies_where_files_cannot_be_linked(tmp_path: Path, number: int) -> None:
    """Without hard links nothing is linked or shared, and nothing is lost by trying."""
    contract = _InFolder()
    disk = LinklessDisk(LocalDisk(), number=number)
    contract.store = FolderBlobStore(tmp_path / "blob", tmp_path / "discarded", disk)
    first = contract.publish(tmp_path, {"a": b"equal"})
    second = contract.publish(tmp_path, {"b": b"equal"})
    member, donor = contract.entry(second, "b").member, contract.entry(first, "a").member
    writer = contract.store.write_part("00000000-0000-4000-8000-000000000000")
    assert not writer.link_in(MemberPath("c"), first, MemberPath(donor))
    writer.abandon()
    assert (
        contract.store.share(
            second, MemberPath(member), first, MemberPath(donor), lease_id="0" * 32
        )
        == 0
    )
    assert contract.entry(first, "a").content != contract.entry(second, "b").content
