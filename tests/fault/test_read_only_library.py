"""Libraries that can be read and not written: a mounted image, somebody else's share."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from modelshelf.testing import tiny
from tests.desks import SHELF

pytestmark = pytest.mark.fault

LESS_THAN_ROOT = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
"""Lets a command of root's be held to permissions as any user's is."""
READER = """
import sys
from modelshelf import Settings, normalized_model_manager
with normalized_model_manager(Settings(root=sys.argv[1])) as manager:
    for _ in sys.stdin:
        print(*sorted(model.name for model in manager.list_models()), flush=True)
"""
"""A program that keeps the library open, and tells its models when it is asked."""


class Library:
    """A library with one model, of which every folder and file is read-only."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "a?b %20#" / "shelf"
        self._modes: dict[Path, int] = {}
        self.model = tiny.lora(folder / "ink.safetensors", base="sd-1")
        assert self.run("add", self.model).returncode == 0

    @property
    def database(self) -> Path:
        return self.root / "databases" / "models.db"

    def run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*LESS_THAN_ROOT, SHELF, *words] if os.geteuid() == 0 else [SHELF, *words],
            env=os.environ | {"MODELSHELF_ROOT": str(self.root), "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done

    @contextmanager
    def reader(self) -> Iterator[Callable[[], str]]:
        """Run a program that may only read; what is given asks it for the names of all models."""
        held = LESS_THAN_ROOT if os.geteuid() == 0 else []
        with subprocess.Popen(
            [*held, sys.executable, "-c", READER, str(self.root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as running:
            assert running.stdin is not None
            assert running.stdout is not None
            asked, told = running.stdin, running.stdout

            def names() -> str:
                asked.write("?\n")
                asked.flush()
                return told.readline().strip()

            yield names
            asked.close()
        assert running.returncode == 0

    def close(self) -> None:
        """Let nothing of it be written."""
        for each in [self.root, *self.root.rglob("*")]:
            if not each.is_symlink():
                self._modes.setdefault(each, each.stat().st_mode)
                each.chmod(0o555 if each.is_dir() else 0o444)

    def open(self) -> None:
        """Let it be written again, as it was before."""
        while self._modes:
            each, mode = self._modes.popitem()
            if each.exists():
                each.chmod(mode)

    def state(self) -> dict[str, int]:
        return {str(path): path.lstat().st_mtime_ns for path in self.root.rglob("*")}


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("root needs setpriv to be held to permissions")
    library = Library(tmp_path)
    try:
        yield library
    finally:
        library.open()


def test_a_library_that_can_only_be_read_gives_what_it_has(
    library: Library, tmp_path: Path
) -> None:
    """SQLite wants to write two files beside a database even to read it; nothing at all is written."""
    library.close()
    before = library.state()
    for words in (["ls"], ["show", "ink"], ["find", "ink"], ["du"], ["dupes"], ["missing"]):
        done = library.run(*words)
        assert done.returncode == 0, done.stderr
    assert library.run("find", library.model, "-q").stdout == library.run("ls", "-q").stdout != ""
    assert library.run("verify").returncode == 0
    assert library.run("export", "ink", tmp_path / "out").returncode == 0
    assert (tmp_path / "out" / "ink.safetensors").read_bytes() == library.model.read_bytes()
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["ink.safetensors"]
    assert library.state() == before


def test_a_library_that_can_only_be_read_says_that_it_takes_nothing(
    library: Library, tmp_path: Path
) -> None:
    """Each verb that would write fails in words and changes nothing; later the same verbs go on."""
    other = tiny.lora(tmp_path / "other.safetensors", base="sdxl")
    library.close()
    before = library.state()
    changing = (["add", other], ["edit", "ink", "--name", "red"], ["rm", "ink", "-y"])
    for words in (*changing, ["adopt", other], ["gc", "--garbage", "-y"]):
        done = library.run(*words)
        assert done.returncode == 1, (words, done.stderr)
        assert done.stderr.startswith("error: cannot write `")
        assert "hint: check that you may write there" in done.stderr
    refused = library.run("config", "set", "trash.days", "3", "--json")
    assert (refused.returncode, json.loads(refused.stderr)["code"]) == (1, "settings-unwritable")
    assert library.state() == before
    library.open()
    for words in changing:
        assert library.run(*(["rm", "red", "-y"] if "rm" in words else words)).returncode == 0
    assert library.run("verify").returncode == 0


def test_what_a_writer_elsewhere_has_just_written_is_seen(library: Library) -> None:
    """As long as one has the library open, its latest words lie beside the database, and not in it."""
    with closing(sqlite3.connect(library.database)) as writer:
        writer.execute("SELECT count(*) FROM sqlite_master").fetchall()
        assert library.run("edit", "ink", "--name", "red").returncode == 0
        library.close()
        assert [*library.database.parent.glob("*-wal")] != []
        done = library.run("ls")
        assert done.returncode == 0, done.stderr
        assert "red" in done.stdout
        library.open()


def test_a_program_that_only_reads_sees_what_others_write_meanwhile(
    library: Library, tmp_path: Path
) -> None:
    """Its own folder is closed to it, not to them; what it remembered of the file would be damage."""
    others = [tiny.lora(tmp_path / f"{name}.safetensors", base="sdxl") for name in ("red", "sea")]
    library.close()
    with library.reader() as names:
        assert names() == "ink"
        for known, other in zip(("ink red", "ink red sea"), others, strict=True):
            library.open()
            assert library.run("add", other, "--name", other.stem).returncode == 0
            library.close()
            assert names() == known
        library.open()
        with closing(sqlite3.connect(library.database)) as writer:
            writer.execute("SELECT count(*) FROM sqlite_master").fetchall()
            assert library.run("edit", "ink", "--name", "tea").returncode == 0
            library.close()
            assert names() == "red sea tea"
            library.open()
        library.close()
        assert names() == "red sea tea"


def test_a_folder_that_cannot_be_read_hides_no_other(library: Library, tmp_path: Path) -> None:
    """What nobody may look at is a line among the others, and broken is nothing of it."""
    private = tmp_path / "private"
    tiny.lora(private / "mine.safetensors")
    private.chmod(0)
    try:
        done = library.run("probe", private, library.model)
        alone = library.run("adopt", private)
    finally:
        private.chmod(0o755)
    assert done.returncode == 3
    assert f"cannot read `{private}`" in done.stderr
    assert "  lora  sd-1  lycoris  fp16" in done.stdout.splitlines()
    assert (alone.returncode, alone.stdout) == (9, "")
    assert f"cannot read `{private}`" in alone.stderr
