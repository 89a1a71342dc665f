from __future__ import annotations

from pathlib import Path

from modelshelf.blobs.removal import remove_tree, scan
from modelshelf.disk import LocalDisk


def test_frees_what_nobody_else_holds(tmp_path: Path) -> None:
    """Bytes of a file are freed with its last link, not before."""
    top = tmp_path / "top"
    (top / "deep").mkdir(parents=True)
    (top / "own").write_bytes(b"123")
    (top / "deep" / "shared").write_bytes(b"45678")
    (tmp_path / "other").hardlink_to(top / "deep" / "shared")
    (top / "deep" / "twin").hardlink_to(top / "own")
    assert remove_tree(top, LocalDisk()) == 3
    assert not top.exists()
    assert (tmp_path / "other").read_bytes() == b"45678"


def test_never_follows_a_link(tmp_path: Path) -> None:
    """A link in the tree, or in its place, goes; what it leads to stays."""
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "file").write_bytes(b"mine")
    (tmp_path / "top").mkdir()
    (tmp_path / "top" / "link").symlink_to(mine)
    remove_tree(tmp_path / "top", LocalDisk())
    (tmp_path / "top").symlink_to(mine)
    remove_tree(tmp_path / "top", LocalDisk())
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert (mine / "file").read_bytes() == b"mine"


def test_scans_sorted_and_finds_nothing_in_nothing(tmp_path: Path) -> None:
    """Entries come by name; a folder that is not there, or is a file, has none."""
    for name in ("b", "a", "C"):
        (tmp_path / name).touch()
    assert [entry.name for entry in scan(tmp_path)] == ["C", "a", "b"]
    assert scan(tmp_path / "gone") == []
    assert scan(tmp_path / "a") == []
