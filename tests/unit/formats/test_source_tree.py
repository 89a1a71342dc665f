from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from modelshelf.errors import (
    EmptySourceError,
    SourceNotFoundError,
    SourceUnreadableError,
    SymlinkLeavesFolderError,
    SymlinkLoopError,
    UnportableNameError,
    UnsupportedEntryError,
)
from modelshelf.formats import read_tree


def write(path: Path, content: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def members(path: Path, *, follow_links: bool = False) -> list[str]:
    return [file.member for file in read_tree(path, follow_links=follow_links).files]


def test_a_file_is_a_tree_of_one(tmp_path: Path) -> None:
    """Its member is its own name, its facts are those of the disk."""
    path = write(tmp_path / "LoWRA.safetensors", b"12345")
    tree = read_tree(path)
    (file,) = tree.files
    status = path.stat()
    assert (tree.is_file, tree.root, file.member, file.size) == (True, path, "LoWRA.safetensors", 5)
    assert (file.modified_ns, file.device, file.inode) == (
        status.st_mtime_ns,
        status.st_dev,
        status.st_ino,
    )


def test_a_folder_lists_every_file_sorted(tmp_path: Path) -> None:
    """Hidden files, empty files and files beside the components survive too."""
    for name in (
        "vae/config.json",
        ".gitattributes",
        ".git/HEAD",
        "README.md",
        "vae/a b\nc",
        "B",
        "b",
    ):
        write(tmp_path / name, b"")
    assert members(tmp_path) == sorted(
        ["vae/config.json", ".gitattributes", ".git/HEAD", "README.md", "vae/a b\nc", "B", "b"]
    )


def test_empty_folders_are_named(tmp_path: Path) -> None:
    """An export makes them again."""
    write(tmp_path / "a")
    (tmp_path / "logs" / "old").mkdir(parents=True)
    assert read_tree(tmp_path).empty_folders == ("logs/old",)


def test_equal_folders_give_equal_members(tmp_path: Path) -> None:
    """Where a folder lies and in which order it was filled says nothing about the model."""
    for root, names in (("one", ["b/c", "a"]), ("two", ["a", "b/c"])):
        for name in names:
            write(tmp_path / root / name)
    assert members(tmp_path / "one") == members(tmp_path / "two")


def test_ten_thousand_files_are_listed(tmp_path: Path) -> None:
    """A folder of many small files is a folder like any other."""
    for number in range(100):
        (tmp_path / f"{number}").mkdir()
        for inner in range(100):
            (tmp_path / f"{number}" / f"{inner}").touch()
    assert len(members(tmp_path)) == 10_000


def test_nothing_there_is_not_found(tmp_path: Path) -> None:
    """The commonest mistake is a wrong path."""
    with pytest.raises(SourceNotFoundError, match="nope"):
        read_tree(tmp_path / "nope")


def test_a_file_used_as_a_folder_is_not_found(tmp_path: Path) -> None:
    """Nothing can lie below a file."""
    with pytest.raises(SourceNotFoundError):
        read_tree(write(tmp_path / "file") / "below")


@pytest.mark.parametrize("inner", [(), ("a/b", "c")])
def test_a_folder_without_files_is_empty(tmp_path: Path, inner: tuple[str, ...]) -> None:
    """Folders in folders are still nothing to add."""
    for name in inner:
        (tmp_path / name).mkdir(parents=True)
    with pytest.raises(EmptySourceError):
        read_tree(tmp_path)


def test_the_named_path_may_be_a_link(tmp_path: Path) -> None:
    """The user's own name for it stays, the bytes are found where they are."""
    target = write(tmp_path / "real.safetensors")
    link = tmp_path / "mine.safetensors"
    link.symlink_to(target)
    (file,) = read_tree(link).files
    assert (file.member, file.path) == ("mine.safetensors", target)


def test_links_that_stay_inside_are_followed(tmp_path: Path) -> None:
    """To files and to folders."""
    write(tmp_path / "unet" / "weights")
    (tmp_path / "alias").symlink_to("unet/weights")
    (tmp_path / "unet_2").symlink_to("unet")
    tree = read_tree(tmp_path)
    assert [(file.member, file.path.name) for file in tree.files] == [
        ("alias", "weights"),
        ("unet/weights", "weights"),
        ("unet_2/weights", "weights"),
    ]


def test_a_link_that_leaves_is_refused_unless_asked_for(tmp_path: Path) -> None:
    """A downloaded folder must not bring the user's own files into the library unasked."""
    outside = write(tmp_path / "outside")
    write(tmp_path / "model" / "a")
    (tmp_path / "model" / "b").symlink_to(outside)
    with pytest.raises(SymlinkLeavesFolderError, match="outside the model's folder"):
        read_tree(tmp_path / "model")
    assert members(tmp_path / "model", follow_links=True) == ["a", "b"]


def test_a_folder_beside_with_the_same_beginning_is_outside(tmp_path: Path) -> None:
    """`model-2` is no part of `model`."""
    write(tmp_path / "model" / "a")
    (tmp_path / "model" / "b").symlink_to(write(tmp_path / "model-2" / "b"))
    with pytest.raises(SymlinkLeavesFolderError):
        read_tree(tmp_path / "model")


@pytest.mark.parametrize("blob", ["models--acme--sd/blobs/abc", "blobs/ab/abc"])
@pytest.mark.parametrize("named", ["", "vae"])
def test_a_snapshot_of_the_hugging_face_cache_is_followed(
    tmp_path: Path, blob: str, named: str
) -> None:
    """There every file is a link into the cache's own blobs."""
    target = write(tmp_path / blob)
    snapshot = tmp_path / "models--acme--sd" / "snapshots" / "0123abc"
    (snapshot / "vae").mkdir(parents=True)
    (snapshot / "vae" / "config.json").symlink_to(target)
    assert [file.path for file in read_tree(snapshot / named).files] == [target]


@pytest.mark.parametrize(
    "blob", ["blobs/abc", "blobs/ab/c/abc", "models--other/blobs/abc", "secret"]
)
def test_a_snapshot_reaches_into_no_other_place(tmp_path: Path, blob: str) -> None:
    """Another repository's blobs and other folders stay outside."""
    snapshot = tmp_path / "models--acme--sd" / "snapshots" / "0123abc"
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").symlink_to(write(tmp_path / blob))
    with pytest.raises(SymlinkLeavesFolderError):
        read_tree(snapshot)


@pytest.mark.parametrize(
    "folder", ["models--acme--sd/revisions/0123abc", "acme--sd/snapshots/0123abc"]
)
def test_only_the_caches_own_layout_shares_blobs(tmp_path: Path, folder: str) -> None:
    """A folder that is merely called like a part of it reaches nowhere."""
    snapshot = tmp_path / folder
    snapshot.mkdir(parents=True)
    blob = write(tmp_path / folder.partition("/")[0] / "blobs" / "abc")
    (snapshot / "config.json").symlink_to(blob)
    with pytest.raises(SymlinkLeavesFolderError):
        read_tree(snapshot)


@pytest.mark.parametrize("target", [".", "..", "../.."])
def test_a_link_to_a_folder_that_holds_it_is_a_loop(tmp_path: Path, target: str) -> None:
    """Followed, it would never end."""
    write(tmp_path / "a" / "b" / "file")
    (tmp_path / "a" / "b" / "link").symlink_to(target)
    with pytest.raises(SymlinkLoopError, match="leads back"):
        read_tree(tmp_path)


def test_links_that_lead_to_each_other_are_a_loop(tmp_path: Path) -> None:
    """Neither points to a folder above itself, together they do."""
    write(tmp_path / "a" / "file")
    write(tmp_path / "b" / "file")
    (tmp_path / "a" / "to_b").symlink_to("../b")
    (tmp_path / "b" / "to_a").symlink_to("../a")
    with pytest.raises(SymlinkLoopError):
        read_tree(tmp_path)


@pytest.mark.parametrize("place", ["", "inner"])
def test_a_link_to_itself_is_a_loop(tmp_path: Path, place: str) -> None:
    """As the named path and inside a folder."""
    write(tmp_path / "model" / "file")
    (tmp_path / "model" / "self").symlink_to("self")
    with pytest.raises(SymlinkLoopError) as caught:
        read_tree(tmp_path / "model" / ("" if place else "self"))
    assert caught.value.facts["target"] == "self"


def test_a_broken_link_is_named(tmp_path: Path) -> None:
    """The link is what the user can repair."""
    write(tmp_path / "a")
    (tmp_path / "link").symlink_to("gone")
    with pytest.raises(SourceNotFoundError, match="link"):
        read_tree(tmp_path)


def test_pipes_sockets_and_devices_are_refused(tmp_path: Path) -> None:
    """Reading one would hang or never end."""
    pipe, bound = tmp_path / "model" / "pipe", tmp_path / "sockets" / "s"
    write(tmp_path / "model" / "a")
    write(tmp_path / "sockets" / "a")
    os.mkfifo(pipe)
    with pytest.raises(UnsupportedEntryError, match="named pipe"):
        read_tree(tmp_path / "model")
    with pytest.raises(UnsupportedEntryError, match="named pipe"):
        read_tree(pipe)
    with pytest.raises(UnsupportedEntryError, match="device"):
        read_tree(Path("/dev/null"))
    with socket.socket(socket.AF_UNIX) as server:
        # A socket's path may be no longer than 107 bytes, and temporary folders are deep.
        here = Path.cwd()
        os.chdir(bound.parent)
        try:
            server.bind(bound.name)
        finally:
            os.chdir(here)
        with pytest.raises(UnsupportedEntryError, match="socket"):
            read_tree(tmp_path / "sockets")


def test_a_name_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    """It could not be given back on another machine."""
    (tmp_path / os.fsdecode(b"caf\xe9.json")).touch()
    with pytest.raises(UnportableNameError, match="not UTF-8"):
        read_tree(tmp_path)


def test_folders_deeper_than_any_model_are_refused(tmp_path: Path) -> None:
    """64 levels are listed, one more is refused, and no depth exhausts the stack."""
    deepest = tmp_path.joinpath(*["d"] * 64)
    write(deepest / "file")
    assert len(members(tmp_path)) == 1
    write(deepest / "d" / "file")
    with pytest.raises(UnsupportedEntryError, match="deeper than 64"):
        read_tree(tmp_path)


def test_links_that_branch_at_every_level_end(tmp_path: Path) -> None:
    """Twenty folders can look like a million; counting stops before the machine does."""
    write(tmp_path / "20" / "file")
    for level in range(20):
        (tmp_path / f"{level}").mkdir()
        (tmp_path / f"{level}" / "left").symlink_to(f"../{level + 1}")
        (tmp_path / f"{level}" / "right").symlink_to(f"../{level + 1}")
    with pytest.raises(UnsupportedEntryError, match="tree of more than 1000 entries"):
        read_tree(tmp_path, most_entries=1000)


def test_what_is_no_file_is_named_as_the_folder_names_it(tmp_path: Path) -> None:
    """The link is what the user can see."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights").symlink_to("../pipe")
    with pytest.raises(UnsupportedEntryError, match="model/weights"):
        read_tree(tmp_path / "model", follow_links=True)


def test_entries_are_looked_at_up_to_their_bound(tmp_path: Path) -> None:
    """Files, folders and links count alike."""
    write(tmp_path / "folder" / "file")
    (tmp_path / "link").symlink_to("folder/file")
    assert len(read_tree(tmp_path, most_entries=3).files) == 2
    with pytest.raises(UnsupportedEntryError, match="tree of more than 2 entries"):
        read_tree(tmp_path, most_entries=2)


def test_links_to_folders_are_followed_up_to_their_bound(tmp_path: Path) -> None:
    """A library may be made of links; one that fans out has thousands to a handful of folders."""
    write(tmp_path / "model" / "file")
    for number in range(4_096):
        (tmp_path / f"{number}").symlink_to("model")
    assert len(read_tree(tmp_path).files) == 4_097
    (tmp_path / "last").symlink_to("model")
    with pytest.raises(UnsupportedEntryError, match="more than 4096 links to folders"):
        read_tree(tmp_path)


def test_a_path_through_a_loop_is_a_loop(tmp_path: Path) -> None:
    """The loop may lie above what was named."""
    (tmp_path / "self").symlink_to("self")
    with pytest.raises(SymlinkLoopError):
        read_tree(tmp_path / "self" / "model.safetensors")


def test_what_the_operating_system_refuses_is_passed_on(tmp_path: Path) -> None:
    """In its own words."""
    with pytest.raises(SourceUnreadableError, match="File name too long"):
        read_tree(tmp_path / ("x" * 300))


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_folder_that_may_not_be_listed_is_unreadable(tmp_path: Path) -> None:
    """Skipping it would lose files without a word."""
    locked = tmp_path / "locked"
    locked.mkdir(mode=0)
    try:
        with pytest.raises(SourceUnreadableError, match="Permission denied"):
            read_tree(tmp_path)
    finally:
        locked.chmod(0o700)
