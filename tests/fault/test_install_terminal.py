"""Terminals that are narrow, missing or closed, and names that would like to command one."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelshelf.testing import tiny
from tests.desks import SHELF, Desk
from tests.hubs import (
    CivitaiSite,
    HostedModel,
    HostedModelFile,
    HostedVersion,
    HuggingFaceHub,
    civitai_site,
    hugging_face_hub,
)

pytestmark = pytest.mark.fault

PATIENCE = 60
EVIL = "Ink\x1b[2J\x1b]0;title\x07\nadded  mine\rred \u202egnp\x9b31m"
_HARMLESS = re.compile(
    # Colours, hiding the cursor, moving it up, to the left and to a new line: what we and rich write ourselves.
    rb"\x1b\[[0-9;]*m|\x1b\[\?25[lh]|\x1b\[[0-9]*[AK]|\x1b\[2K|\r\n|\r|\n"
)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[CivitaiSite]:
    lora = tiny.lora(tmp_path / "ink.safetensors", base="sd-1", size=2_000_000)
    members = tiny.lora(tmp_path / "members.safetensors", base="sd-1", size=2_000_000, seed=3)
    name = f"{EVIL}.safetensors"
    good = HostedVersion(11, [HostedModelFile(id=31, path=lora, name=name)])
    shut = HostedVersion(21, [HostedModelFile(id=32, path=members, name=name)], needs_login=True)
    models = [HostedModel(1, EVIL, [good]), HostedModel(2, EVIL, [shut])]
    for version in (good, shut):
        version.name, version.trained_words = EVIL, (EVIL,)
    for model in models:
        model.creator, model.tags = EVIL, (EVIL,)
    with civitai_site(*models) as site:
        yield site


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HuggingFaceHub]:
    with hugging_face_hub() as hub:
        hub.add("acme/dream", tiny.pipeline(tmp_path / "dream", base="sd-1", size=3_000_000))
        odd = tmp_path / "odd"
        odd.mkdir()
        tiny.lora(odd / "a\x1b[31m\nb.safetensors", base="sd-1")
        hub.add("acme/odd", odd)
        yield hub


@pytest.fixture
def desk(tmp_path: Path, hub: HuggingFaceHub, site: CivitaiSite) -> Desk:
    desk = Desk(tmp_path, hub)
    desk.environ["MODELSHELF_CIVITAI__ENDPOINT"] = site.url
    desk.environ["TERM"] = "xterm"
    del desk.environ["NO_COLOR"]
    return desk


def on_terminal(desk: Desk, columns: int, *words: str | Path) -> tuple[int, bytes]:
    """Run a command on a terminal so many columns wide; return its status and all that it wrote there."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 10, columns, 0, 0))
    environ = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    with subprocess.Popen(
        [SHELF, *words], env=environ | desk.environ, stdin=theirs, stdout=theirs, stderr=theirs
    ) as running:
        os.close(theirs)
        written = b""
        while True:
            try:
                came = os.read(ours, 65_536)
            except OSError:
                break
            if not came:
                break
            written += came
    os.close(ours)
    return running.returncode, written


def is_harmless(written: bytes) -> None:
    """Check that nothing stands there that a terminal obeys, but what we write ourselves."""
    rest = _HARMLESS.sub(b"", written).decode()
    assert [each for each in rest if not each.isprintable()] == [], rest


@pytest.mark.parametrize("words", [("show", "nobody"), ("add", "nothing"), ("bogus",)])
def test_a_failure_has_colours_where_they_are_wanted_alone(
    desk: Desk, words: tuple[str, ...]
) -> None:
    """On a terminal by itself, and neither with `NO_COLOR` nor after `--no-color`."""
    assert b"\x1b[31m" in on_terminal(desk, 80, *words)[1]
    assert b"\x1b" not in on_terminal(desk, 80, *words, "--no-color")[1]
    desk.environ["NO_COLOR"] = "1"
    assert b"\x1b" not in on_terminal(desk, 80, *words)[1]


@pytest.mark.parametrize("columns", [20, 1, 0])
def test_a_narrow_terminal_is_wide_enough(desk: Desk, tmp_path: Path, columns: int) -> None:
    """Tables are shortened as far as they can be; nothing fails of it."""
    commands: dict[tuple[str | Path, ...], int] = {
        ("add", "acme/dream", "civitai:1"): 0,
        ("add", "acme/odd", "civitai:2"): 1,
        ("add", "--scan", "--dry-run", tmp_path / "dream"): 0,
        ("job", "ls"): 0,
        ("ls",): 0,
        ("adopt", tmp_path / "dream"): 0,
        ("missing",): 0,
        ("job", "prune"): 0,
    }
    for words, expected in commands.items():
        status, written = on_terminal(desk, columns, *words)
        assert status == expected, (words, written)
        assert b"Traceback" not in written
        is_harmless(written)


def test_bars_fit_a_narrow_terminal(desk: Desk, hub: HuggingFaceHub) -> None:
    """They come after a second, with names of the hub's choosing in them."""
    reached, go_on = hub.files.hold_after(1_000_000)
    ours, theirs = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 10, 20, 0, 0))
    running = subprocess.Popen(
        [SHELF, "add", "acme/dream"],
        env=os.environ | desk.environ,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    assert reached.wait(PATIENCE)
    written = b""
    deadline = time.monotonic() + PATIENCE
    while b"MB" not in written and time.monotonic() < deadline:
        written += os.read(ours, 65_536)
    go_on.set()
    while True:
        try:
            written += os.read(ours, 65_536)
        except OSError:
            break
    assert running.wait(PATIENCE) == 0, written
    os.close(ours)
    assert b"added  dream" in written
    is_harmless(written)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams_change_nothing(desk: Desk, closed: str) -> None:
    """What would have been written there is written nowhere, least of all into a file that is opened."""
    for words, expected in (
        (["add", "acme/dream"], 0),
        (["add", "acme/no"], 4),
        (["job", "ls"], 0),
    ):
        done = subprocess.run(
            ["bash", "-c", f'"$0" "$@" {closed}', SHELF, *words],
            env=os.environ | desk.environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == expected, done.stderr
        assert "Traceback" not in done.stderr
    assert [model["name"] for model in desk.data("ls")] == ["dream"]
    assert desk.run("verify").exit_code == 0


def test_without_a_terminal_nothing_is_drawn_or_asked(desk: Desk) -> None:
    """As a service runs it: no session, no input, and no controlling terminal."""
    done = subprocess.run(
        [SHELF, "add", "acme/dream", "civitai:1"],
        env=os.environ | desk.environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        start_new_session=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"\x1b" not in done.stdout + done.stderr
    assert done.stdout.count(b"\n") == 2


def test_names_of_a_hub_command_no_terminal(desk: Desk, hub: HuggingFaceHub) -> None:
    """Neither in what is added, nor in lists, errors, hints and warnings; programs get them as they are."""
    for words in (
        ("add", "civitai:1"),
        ("add", "civitai:2"),
        ("add", "acme/odd"),
        ("job", "ls"),
        ("job", "retry", "1"),
        ("ls",),
        ("show", "1"),
        ("add", "acme/dr\x1b[31meam", f"{hub.files.url}/\x1b[31m.safetensors"),
    ):
        done = desk.run(*words)
        for text in (done.stdout, done.stderr):
            rest = text.replace("\n", "")
            assert [each for each in rest if not each.isprintable()] == [], (words, text)
        assert not [line for line in done.stdout.splitlines() if line.startswith("added  mine")]
    (model,) = desk.data("ls")
    assert model["name"] == EVIL
    document = desk.run("--json", "ls").stdout
    assert json.loads(document) == [model]
    assert document.isascii()
