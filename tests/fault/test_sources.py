from __future__ import annotations

import ctypes
import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from modelshelf.errors import (
    EmptySourceError,
    FormatError,
    ModelshelfError,
    SourceChangedError,
    SourceHoldsStoreError,
    SourceInsideStoreError,
    SourceNotFoundError,
    SymlinkLeavesFolderError,
    SymlinkLoopError,
    UnportableNameError,
    UnsupportedEntryError,
)
from modelshelf.manager import NormalizedModelManager
from modelshelf.schema.progress import Progress
from modelshelf.testing import tiny
from tests.shelves import contents, open_shelf, part_path, plain_pipeline, stored_bytes

pytestmark = pytest.mark.fault

LARGE = 9 * 1024 * 1024
"""Bytes that take several reads, so that a file can change between them."""
NOBODY = 65534
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, PR_CAPBSET_DROP = 1, 2, 3, 24
"""`linux/capability.h` and `linux/prctl.h`."""


@pytest.fixture
def shelf(tmp_path: Path) -> NormalizedModelManager:
    """A library with one model in it."""
    shelf = open_shelf(tmp_path / "shelf")
    shelf.add(plain_pipeline(tmp_path / "resident"))
    return shelf


@contextmanager
def untouched(shelf: NormalizedModelManager, *users: Path) -> Iterator[None]:
    """Check that a failure left the library, and the user's files, exactly as they were."""
    root = Path(shelf.list_pipelines()[0].location).parents[3]
    models = [info.key for info in (*shelf.list_models(), *shelf.list_pipelines())]
    before = contents(root / "models" / "blob")
    theirs = [contents(user) for user in users]
    yield
    assert [info.key for info in (*shelf.list_models(), *shelf.list_pipelines())] == models
    assert contents(root / "models" / "blob") == before
    assert {path.name for path in (root / "models/.cache/leases").iterdir()} <= {"leases.lock"}
    assert shelf.verify().clean
    assert [contents(user) for user in users] == theirs


def refused(shelf: NormalizedModelManager, kind: type[ModelshelfError], path: Path) -> str:
    """Add what cannot be added; return what the error says."""
    with untouched(shelf), pytest.raises(kind) as caught:
        shelf.add(path)
    assert caught.value.advice
    return str(caught.value)


# -- what is there


def test_nothing_there(tmp_path: Path, shelf: NormalizedModelManager) -> None:
    """A path with nothing at it, and a link to nothing, are not found."""
    assert "nowhere" in refused(shelf, SourceNotFoundError, tmp_path / "nowhere")
    (tmp_path / "link").symlink_to("nowhere")
    refused(shelf, SourceNotFoundError, tmp_path / "link")


def test_a_folder_without_a_model(tmp_path: Path, shelf: NormalizedModelManager) -> None:
    """An empty folder, and one with anything but a model, hold no model."""
    (tmp_path / "empty").mkdir()
    refused(shelf, EmptySourceError, tmp_path / "empty")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "me.jpg").write_bytes(b"jpeg")
    refused(shelf, EmptySourceError, tmp_path / "photos")


def test_a_model_folder_that_holds_the_library(tmp_path: Path) -> None:
    """A library inside the folder to be added would be a part of what it stores."""
    folder = plain_pipeline(tmp_path / "model")
    with open_shelf(folder / "shelf") as shelf:
        shelf.add(plain_pipeline(tmp_path / "other"))
        refused(shelf, SourceHoldsStoreError, folder)


def test_a_tree_that_holds_the_library_is_searched_around_it(tmp_path: Path) -> None:
    """Adding all of a home folder does not find what the library there shows."""
    plain_pipeline(tmp_path / "home" / "model")
    with open_shelf(tmp_path / "home" / "shelf") as shelf:
        shelf.add(tmp_path / "home" / "model")
        assert list(shelf.discover(tmp_path / "home")) == [tmp_path / "home" / "model"]


def test_the_library_itself(tmp_path: Path, shelf: NormalizedModelManager) -> None:
    """What lies in the library is already added: by its path, and through a link."""
    inside = shelf.list_pipelines()[0].path
    refused(shelf, SourceInsideStoreError, inside)
    (tmp_path / "link").symlink_to(inside)
    refused(shelf, SourceInsideStoreError, tmp_path / "link")
    stored = part_path(shelf.list_pipelines()[0], "vae")
    refused(shelf, SourceInsideStoreError, stored / ".." / stored.name)


@pytest.mark.parametrize(
    "content",
    [b"", b"short", b"\xff" * 64, b"\x08\0\0\0\0\0\0\0notjson!", b"\2\0\0\0\0\0\0\0{}" * 9],
)
def test_a_file_that_is_not_what_its_name_says(
    tmp_path: Path, shelf: NormalizedModelManager, content: bytes
) -> None:
    """A damaged model file is named, alone or in a pipeline."""
    (tmp_path / "ink.safetensors").write_bytes(content)
    assert "ink.safetensors" in refused(shelf, FormatError, tmp_path / "ink.safetensors")
    model = plain_pipeline(tmp_path / "model", {"unet/model.safetensors": content})
    assert "unet/model.safetensors" in refused(shelf, FormatError, model)


@pytest.mark.parametrize("index", [b"", b"[]", b"{", b'{"vae": ["diffusers"]}', b"\xff\xfe"])
def test_a_broken_index(tmp_path: Path, shelf: NormalizedModelManager, index: bytes) -> None:
    """A `model_index.json` that is none is named."""
    model = plain_pipeline(tmp_path / "model", {"model_index.json": index})
    assert "model_index.json" in refused(shelf, FormatError, model)


# -- what may not be read


def run_without_privileges(script: str, *arguments: str) -> str:
    """Run Python as an ordinary user, whom permissions bind; return its last line."""
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        check=False,
        capture_output=True,
        text=True,
        preexec_fn=drop_privileges if os.getuid() == 0 else None,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def drop_privileges() -> None:
    """Give up root's exemptions for good, but stay the owner of root's files (`prctl(2)`)."""
    library = ctypes.CDLL(None, use_errno=True)
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER):
        assert library.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0


ADD_AND_REPORT = """
import sys
from pathlib import Path
from modelshelf.errors import ModelshelfError
from tests.shelves import open_shelf, stored_bytes
root, source = Path(sys.argv[1]), Path(sys.argv[2])
shelf = open_shelf(root)
try:
    said = "added " + shelf.add(source, move="--move" in sys.argv).info.name
except ModelshelfError as error:
    said = type(error).__name__
print(said, shelf.verify().clean, stored_bytes(root) == shelf.usage().stored)
"""


@pytest.mark.parametrize(
    ("spoilt", "mode", "expected"),
    [
        ("vae/weights.bin", 0, "SourceUnreadableError"),
        ("vae", 0o600, "SourceUnreadableError"),
        ("vae", 0o300, "SourceUnreadableError"),
        ("model_index.json", 0, "SourceUnreadableError"),
        ("", 0, "SourceUnreadableError"),
        ("", 0o555, "added model"),
    ],
)
def test_without_permission(tmp_path: Path, spoilt: str, mode: int, expected: str) -> None:
    """What may not be read is named and leaves nothing; what may only be read is added."""
    model = plain_pipeline(tmp_path / "model")
    (model / spoilt).chmod(mode)
    said = run_without_privileges(ADD_AND_REPORT, str(tmp_path / "shelf"), str(model))
    assert said == f"{expected} True True"
    (model / spoilt).chmod(0o755)


def test_moving_out_of_a_folder_that_is_read_only(tmp_path: Path) -> None:
    """The model is added; that its source cannot be removed is an error of its own."""
    model = plain_pipeline(tmp_path / "model")
    before = contents(model)
    for path in (model, *model.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    said = run_without_privileges(ADD_AND_REPORT, str(tmp_path / "shelf"), str(model), "--move")
    assert said == "StoreWriteError True True"
    assert contents(model) == before


def test_a_library_that_may_not_be_written(tmp_path: Path) -> None:
    """A root in somebody else's folder is refused with the reason."""
    (tmp_path / "theirs").mkdir(mode=0o555)
    if os.getuid() == 0:
        os.chown(tmp_path / "theirs", NOBODY, NOBODY)
    script = """
import sys
from pathlib import Path
from modelshelf.errors import StoreUnusableError
from tests.shelves import open_shelf
try:
    open_shelf(Path(sys.argv[1]))
except StoreUnusableError as error:
    print(error.reason)
"""
    said = run_without_privileges(script, str(tmp_path / "theirs" / "shelf"))
    assert "Permission denied" in said


# -- what changes while it is read


def at_copying(act: Callable[[], object], *, after: int = 0) -> Callable[[Progress], None]:
    """Do something once, in the middle of copying."""
    waiting = [act]

    def report(step: Progress) -> None:
        if step.stage == "copying" and step.done > after and waiting:
            waiting.pop()()

    return report


@pytest.mark.parametrize("change", ["overwritten", "truncated", "grown", "emptied"])
@pytest.mark.parametrize("size", [1000, LARGE])
def test_a_file_that_changes_while_it_is_copied(
    tmp_path: Path, shelf: NormalizedModelManager, change: str, size: int
) -> None:
    """A file that is written to, cut or grows while it is read is refused, and named."""
    model = plain_pipeline(tmp_path / "model", {"vae/weights.bin": os.urandom(size)})
    file = model / "vae" / "weights.bin"

    def act() -> None:
        status = file.stat()
        with file.open("r+b") as opened:
            if change == "overwritten":
                opened.write(b"different")
            elif change == "grown":
                opened.seek(0, os.SEEK_END)
                opened.write(b"more")
            else:
                opened.truncate(0 if change == "emptied" else size // 2)
        # A clock may be too coarse to show that something was written at once.
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns + 1))

    def report(step: Progress) -> None:
        if step.subject == "weights.bin" and step.stage == "copying" and "vae" not in done:
            done.append("vae")
            act()

    done: list[str] = []
    (model / "unet" / "weights.bin").rename(model / "unet" / "other.bin")
    with untouched(shelf), pytest.raises(SourceChangedError, match=r"vae/weights\.bin"):
        shelf.add(model, progress=report)


def test_a_file_that_changes_before_its_turn(tmp_path: Path, shelf: NormalizedModelManager) -> None:
    """A file of a later part that changes while an earlier one is copied is refused."""
    model = plain_pipeline(tmp_path / "model", {"unet/weights.bin": os.urandom(LARGE)})
    late = model / "vae" / "late.bin"
    late.write_bytes(b"before")
    report = at_copying(lambda: late.write_bytes(b"after it was listed"))
    with untouched(shelf), pytest.raises(SourceChangedError, match=r"late\.bin"):
        shelf.add(model, progress=report)


@pytest.mark.parametrize("kind", ["gone", "pipe", "folder", "link", "another file"])
def test_a_file_that_is_replaced_before_its_turn(
    tmp_path: Path, shelf: NormalizedModelManager, kind: str
) -> None:
    """A name that means something else when its turn comes is refused; a pipe hangs nobody."""
    model = plain_pipeline(tmp_path / "model", {"unet/weights.bin": os.urandom(LARGE)})
    late = model / "vae" / "late.bin"
    late.write_bytes(b"12345")
    (tmp_path / "other").write_bytes(b"54321")

    def replace() -> None:
        late.unlink()
        if kind == "pipe":
            os.mkfifo(late)
        elif kind == "folder":
            late.mkdir()
        elif kind == "link":
            late.symlink_to(tmp_path / "other")
        elif kind == "another file":
            shutil.copy2(tmp_path / "other", late)

    with untouched(shelf), pytest.raises(SourceChangedError, match=r"late\.bin"):
        shelf.add(model, progress=at_copying(replace))


def test_a_file_that_is_removed_while_it_is_open(
    tmp_path: Path, shelf: NormalizedModelManager
) -> None:
    """Bytes that were open are read to the end: a name that goes meanwhile does not change them."""
    content = os.urandom(LARGE)
    source = tmp_path / "weights.bin"
    source.write_bytes(content)
    info = shelf.add(source, progress=at_copying(source.unlink)).info
    assert info.path.read_bytes() == content
    assert shelf.verify().clean


def test_a_file_that_changes_between_hashing_and_copying(
    tmp_path: Path, shelf: NormalizedModelManager
) -> None:
    """A file that looked familiar and was hashed first is refused if it changes then."""
    known = b"\1" * LARGE
    (tmp_path / "known.bin").write_bytes(known)
    shelf.add(tmp_path / "known.bin")
    model = plain_pipeline(tmp_path / "model", {"vae/zz.bin": known})

    def report(step: Progress) -> None:
        if step.stage == "hashing" and step.subject == "zz.bin":
            os.utime(model / "vae" / "zz.bin", ns=(1, 1))

    with untouched(shelf), pytest.raises(SourceChangedError, match=r"zz\.bin"):
        shelf.add(model, progress=report)


def test_an_interruption(tmp_path: Path, shelf: NormalizedModelManager) -> None:
    """Ctrl-C in the middle of a copy leaves nothing behind."""
    source = tmp_path / "weights.bin"
    source.write_bytes(os.urandom(LARGE))

    def interrupt() -> None:
        raise KeyboardInterrupt

    with untouched(shelf, source), pytest.raises(KeyboardInterrupt):
        shelf.add(source, progress=at_copying(interrupt))


# -- links and special files


def test_links_inside_are_followed(tmp_path: Path, shelf: NormalizedModelManager) -> None:
    """A link to a file or folder of the model is that file or folder, and is stored once."""
    model = plain_pipeline(tmp_path / "model")
    (model / "unet" / "again.bin").symlink_to("weights.bin")
    (model / "copy").symlink_to("vae")
    info = shelf.add(model).info
    assert contents(info.path) == contents(model) | {
        f"copy/{name}": content for name, content in contents(model / "vae").items()
    }
    assert stored_bytes(tmp_path / "shelf") == shelf.usage().stored


def test_loops_are_named(tmp_path: Path, shelf: NormalizedModelManager) -> None:
    """A link to itself, to a folder that holds it, or round in two steps is a loop."""
    for number, (link, target) in enumerate(
        [("vae/me", "me"), ("vae/up", ".."), ("vae/deep/up", "../.."), ("loop", "vae/../loop")]
    ):
        model = plain_pipeline(tmp_path / str(number))
        (model / link).parent.mkdir(exist_ok=True)
        (model / link).symlink_to(target)
        assert link in refused(shelf, SymlinkLoopError, model)


@pytest.mark.parametrize("target", ["/etc/hostname", "../outside", "vae/../../outside"])
def test_links_that_leave_need_a_word(
    tmp_path: Path, shelf: NormalizedModelManager, target: str
) -> None:
    """A link out of the folder is refused, unless the caller says that links are meant."""
    (tmp_path / "outside").write_bytes(b"outside")
    model = plain_pipeline(tmp_path / "model")
    (model / "link").symlink_to(target)
    if not (model / "link").exists():
        pytest.skip(f"{target} is not on this machine")
    refused(shelf, SymlinkLeavesFolderError, model)
    info = shelf.add(model, follow_links=True).info
    assert (info.path / "link").read_bytes() == (model / "link").read_bytes()


def test_a_link_to_nothing(tmp_path: Path, shelf: NormalizedModelManager) -> None:
    """A dangling link in a model is named: what it stood for is missing."""
    model = plain_pipeline(tmp_path / "model")
    (model / "vae" / "lost.bin").symlink_to("nothing")
    assert "lost.bin" in refused(shelf, SourceNotFoundError, model)


def test_the_hub_cache(tmp_path: Path, shelf: NormalizedModelManager) -> None:
    """A snapshot of the Hugging Face cache, all links into `blobs/`, is added under its own name."""
    repository = tmp_path / "hub" / "models--acme--tiny-model"
    snapshot = repository / "snapshots" / ("4f1c" * 10)
    plain = plain_pipeline(tmp_path / "plain")
    for number, path in enumerate(sorted(plain.rglob("*"))):
        if path.is_file():
            blob = repository / "blobs" / f"{number:040x}"
            blob.parent.mkdir(parents=True, exist_ok=True)
            blob.write_bytes(path.read_bytes())
            link = snapshot / path.relative_to(plain)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(os.path.relpath(blob, link.parent))
    info = shelf.add(snapshot).info
    assert info.name == "tiny-model"
    assert contents(info.path) == contents(plain)


@pytest.mark.parametrize("kind", ["pipe", "socket", "device"])
def test_special_files(
    tmp_path: Path, shelf: NormalizedModelManager, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe, socket or device is no part of a model; nobody waits for one."""
    model = plain_pipeline(tmp_path / "model")
    special = model / "vae" / "special"
    if kind == "pipe":
        os.mkfifo(special)
    elif kind == "socket":
        monkeypatch.chdir(special.parent)
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(special.name)
    elif os.getuid() == 0:
        os.mknod(special, 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    else:
        pytest.skip("only root makes devices")
    assert "special" in refused(shelf, UnsupportedEntryError, model)
    refused(shelf, UnsupportedEntryError, special)
    refused(shelf, UnsupportedEntryError, Path("/dev/null"))


# -- names and numbers


def test_names_that_are_not_text(tmp_path: Path, shelf: NormalizedModelManager) -> None:
    """A name that is not UTF-8 is refused readably, in a folder and as a file."""
    model = plain_pipeline(tmp_path / "model")
    odd = os.fsdecode(b"odd-\xff.bin")
    (model / odd).write_bytes(b"1")
    assert "odd-\\udcff.bin" in refused(shelf, UnportableNameError, model)
    (tmp_path / odd).write_bytes(b"1")
    refused(shelf, UnportableNameError, tmp_path / odd)


def test_folders_above_may_have_any_name(tmp_path: Path, shelf: NormalizedModelManager) -> None:
    """Only names inside the model are kept, so those above it may be anything; exports go there too."""
    odd = tmp_path / os.fsdecode(b"odd-\xff")
    model = plain_pipeline(odd / "model")
    info = shelf.add(model).info
    assert contents(info.path) == contents(model)
    made = shelf.export(selector=info.key, destination=odd / "out").path
    assert contents(made) == contents(model)


def test_awkward_names_are_kept(tmp_path: Path, shelf: NormalizedModelManager) -> None:
    """Newlines, spaces, backslashes, leading dashes, other cases and scripts are kept as they are."""
    names = ["a\nb", " a ", "a\\b", "-rf", "A", "a", "..a", "a..", "ü", "u\u0308", "名", "x" * 255]
    model = plain_pipeline(
        tmp_path / "model",
        {f"{place}{name}": name.encode() for name in names for place in ("", "vae/")},
    )
    info = shelf.add(model).info
    assert contents(info.path) == contents(model)
    made = shelf.export(selector=info.key, destination=tmp_path / "out", method="copy").path
    assert contents(made) == contents(model)


def test_an_endless_suffix(tmp_path: Path, shelf: NormalizedModelManager) -> None:
    """A file whose name the store could not keep is refused by the store, in words."""
    source = tmp_path / ("a." + "b" * 250)
    source.write_bytes(b"1")
    with untouched(shelf, source), pytest.raises(ModelshelfError):
        shelf.add(source)


def test_ten_thousand_small_files(tmp_path: Path, shelf: NormalizedModelManager) -> None:
    """A folder of ten thousand files, a hundred contents among them, comes back as it was."""
    model = plain_pipeline(tmp_path / "model")
    (model / "many").mkdir()
    for number in range(10_000):
        (model / "many" / f"{number:05}").write_bytes(str(number % 100).encode() * 20)
    before = contents(model)
    info = shelf.add(model).info
    assert contents(info.path) == before
    assert shelf.usage().stored == stored_bytes(tmp_path / "shelf")
    assert shelf.verify().clean


def test_deep_folders_have_an_end(tmp_path: Path, shelf: NormalizedModelManager) -> None:
    """Sixty levels are kept, eighty are refused."""
    for depth, is_kept in ((60, True), (80, False)):
        model = plain_pipeline(tmp_path / str(depth), {"/".join(["d"] * depth) + "/f": b"deep"})
        if is_kept:
            assert contents(shelf.add(model).info.path) == contents(model)
        else:
            refused(shelf, UnsupportedEntryError, model)


def test_files_without_a_byte(tmp_path: Path, shelf: NormalizedModelManager) -> None:
    """Empty files are files: in a model, and alone where the format allows it."""
    model = plain_pipeline(tmp_path / "model", {"empty": b"", "vae/empty.txt": b"", "unet/e": b""})
    assert contents(shelf.add(model).info.path) == contents(model)
    (tmp_path / "empty.bin").write_bytes(b"")
    assert shelf.add(tmp_path / "empty.bin").info.path.read_bytes() == b""
    assert shelf.verify().clean


def test_another_file_system(tmp_path: Path, shelf: NormalizedModelManager) -> None:
    """A source and a destination on another file system are read and copied to like any other."""
    memory = Path("/dev/shm")  # noqa: S108 - where Linux has a file system in memory
    if not os.access(memory, os.W_OK) or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system")
    with TemporaryDirectory(dir=memory) as place:
        model = plain_pipeline(Path(place) / "model")
        info = shelf.add(model).info
        assert contents(info.path) == contents(model)
        outcome = shelf.export(selector=info.key, destination=Path(place) / "out")
        assert outcome.method == "copy"
        assert contents(outcome.path) == contents(model)
    assert shelf.verify().clean


# -- moving


def test_move_removes_the_source_and_its_folders(
    tmp_path: Path, shelf: NormalizedModelManager
) -> None:
    """After a move nothing of the source is left, empty folders and inner links included."""
    model = tiny.pipeline(tmp_path / "model", base="sd-1", size=300_000)
    (model / "vae" / "link.json").symlink_to("config.json")
    before = contents(model)
    info = shelf.add(model, move=True).info
    assert contents(info.path) == before
    assert not model.exists()
    single = tiny.lora(tmp_path / "ink.safetensors")
    shelf.add(single, move=True)
    assert not single.exists()
    assert shelf.verify().clean


def test_move_leaves_what_a_link_leads_to(tmp_path: Path, shelf: NormalizedModelManager) -> None:
    """Only what lies below the named path goes: others may need what its links lead to."""
    outside = tmp_path / "outside.bin"
    outside.write_bytes(b"others need this")
    model = plain_pipeline(tmp_path / "model")
    (model / "vae" / "link.bin").symlink_to(outside)
    stored = Path(shelf.files("resident")[0].location)
    (model / "vae" / "stored.bin").symlink_to(stored)
    shelf.add(model, move=True, follow_links=True)
    assert outside.read_bytes() == b"others need this"
    assert not model.exists()
    assert shelf.verify().clean
    alias = tmp_path / "alias.bin"
    alias.symlink_to(outside)
    shelf.add(alias, move=True)
    assert outside.exists()
    assert not alias.is_symlink()


def test_move_leaves_what_changed_meanwhile(tmp_path: Path, shelf: NormalizedModelManager) -> None:
    """A file that was written again after it was stored is not what was stored, and stays."""
    model = plain_pipeline(tmp_path / "model", {"vae/zz.bin": os.urandom(LARGE)})
    early = model / "unet" / "weights.bin"
    later = model / "unet" / "arrived.bin"

    def write() -> None:
        early.write_bytes(b"new words")
        later.write_bytes(b"new file")

    def report(step: Progress) -> None:
        if step.subject == "zz.bin":
            write()

    shelf.add(model, move=True, progress=report)
    assert contents(model) == {"unet/weights.bin": b"new words", "unet/arrived.bin": b"new file"}
    assert shelf.verify().clean


def test_move_of_what_is_known_already(tmp_path: Path, shelf: NormalizedModelManager) -> None:
    """A model that the library has is removed at its source too, as was asked."""
    shelf.add(tmp_path / "resident", move=True)
    assert not (tmp_path / "resident").exists()
    assert contents(shelf.list_pipelines()[0].path)
