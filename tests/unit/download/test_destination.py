from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from modelshelf.disk import LocalDisk
from modelshelf.download.destination import Destination
from modelshelf.download.journal import JournalHead
from modelshelf.download.partial_file import PartialFile
from modelshelf.errors import InvalidDownloadError, UnsafeFileNameError
from modelshelf.schema.transfer import ExpectedContent, TransferOrder

URL = "https://hub.example/x.bin?fileId=1"


def test_a_folder_takes_the_orders_name_or_the_hosts(tmp_path: Path) -> None:
    order = TransferOrder(URL, tmp_path)
    assert Destination.of(order).name is None
    assert Destination.of(replace(order, file_name="y.bin")).name == "y.bin"


def test_a_path_names_the_file(tmp_path: Path) -> None:
    place = Destination.of(TransferOrder(URL, tmp_path / "z.bin"))
    assert (place.folder, place.name) == (tmp_path, "z.bin")


def test_a_name_that_leaves_the_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeFileNameError):
        Destination.of(TransferOrder(URL, tmp_path, file_name="../y.bin"))


def test_a_folder_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidDownloadError):
        Destination.of(TransferOrder(URL, tmp_path / "no" / "z.bin"))


def test_equal_orders_share_what_is_unfinished_and_others_do_not(tmp_path: Path) -> None:
    order = TransferOrder(URL, tmp_path)
    key = Destination.of(order).key
    assert Destination.of(replace(order, token="secret", overwrite=True)).key == key  # noqa: S106 - a test's
    assert Destination.of(replace(order, url=URL + "#top")).key == key
    assert Destination.of(replace(order, url=URL + "2")).key != key
    assert Destination.of(replace(order, expected=ExpectedContent(size=1))).key != key


@pytest.mark.parametrize("name", ["x.bin", "n" * 250 + ".safetensors"])
def test_what_is_unfinished_is_found_though_only_the_host_knew_its_name(
    tmp_path: Path, name: str
) -> None:
    place = Destination.of(TransferOrder(URL, tmp_path))
    assert place.leftover() is None
    final = tmp_path / name[-255:]
    with PartialFile.open(final, place.key, LocalDisk()) as partial:
        partial.begin(JournalHead("https://hub.example/x.bin", place.key, final.name, size=10))
    found = place.leftover()
    assert found is not None
    with PartialFile.open(found, place.key, LocalDisk()) as again:
        assert again.head is not None
    named = Destination.of(TransferOrder(URL, tmp_path / "other.bin"))
    assert named.leftover() is None
