"""Fault 53: the process is killed at any instant, with four connections under way."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import pytest

from tests.fault.folder_witness import FolderWitness
from tests.fault.moody_host import Host
from tests.servers.content import MEBIBYTE, Offered, payload
from tests.servers.scripted import Asked, Peer, Scripted

pytestmark = [pytest.mark.fault, pytest.mark.timeout(1800)]

OFFERED = Offered(payload(64 * MEBIBYTE))
SIZE = len(OFFERED.content)
KILLS = int(os.environ.get("MODELSHELF_TEST_KILLS", "12"))
"""How often; a hundred take some minutes."""
STEP = 32 * 1024
RATE = 16 * MEBIBYTE
"""Bytes a second and connection, so that there are instants to be killed at."""


LINE = Event()
"""Set while the server may send."""


def throttled(asked: Asked, peer: Peer) -> None:
    """Serve a range at the rate of a fast line."""
    reply = OFFERED.answer(asked.range, asked.if_range)
    peer.head(reply)
    began, never = time.monotonic(), Event()
    for start in range(0, len(reply.body), STEP):
        LINE.wait(60)
        peer.body(reply.body[start : start + STEP])
        ahead = began + start / RATE - time.monotonic()
        if ahead > 0:
            never.wait(ahead)


@pytest.fixture(scope="module")
def server() -> Iterator[Scripted]:
    LINE.set()
    with Scripted() as server:
        server.on("/x", throttled)
        yield server
        LINE.set()


@dataclass(frozen=True)
class Killed:
    """What became of one download that was killed and begun again."""

    received: int
    """Bytes that had come when it was killed."""
    again: int
    """Bytes that came again."""
    is_right: bool
    orphans: tuple[str, ...]
    broken: tuple[str, ...]
    """What the witness of the folder complains of."""


def start(url: str, folder: Path, offered: Offered = OFFERED) -> subprocess.Popen[str]:
    words = [url, str(folder / "model.bin"), offered.sha256, str(len(offered.content))]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.fault.download_process", *words],
        stdout=subprocess.PIPE,
        text=True,
    )


def _kill(process: subprocess.Popen[str], server: Scripted) -> int:
    """Kill a process, if it still runs; return how many bytes had been read from the server by then."""
    # A process that is held still has the same state as one that is killed, and its buffers can be looked at.
    process.send_signal(signal.SIGSTOP)
    LINE.clear()
    # Until what has arrived is acknowledged, it counts as being on its way.
    Event().wait(0.1)
    sent, unread = server.sent(), server.unread()
    while (sent, unread) != (server.sent(), server.unread()):
        sent, unread = server.sent(), server.unread()
    process.kill()
    LINE.set()
    return sent - unread


def kill_at(server: Scripted, folder: Path, share: float, delay: float) -> Killed:
    """Kill a download when so much has come and a moment more; let a new process finish it."""
    folder.mkdir()
    before = server.sent()
    with FolderWitness(folder) as witness:
        with start(server.url("/x"), folder) as process:
            assert process.stdout is not None
            for line in process.stdout:
                word, _, count = line.partition(" ")
                if word != "at" or int(count) >= share * SIZE:
                    break
            with suppress(subprocess.TimeoutExpired):
                process.wait(delay)
            received = _kill(process, server) - before
        sent = server.sent()
        with start(server.url("/x"), folder) as process:
            output, _ = process.communicate(timeout=120)
        assert output.splitlines()[-1].startswith(("done", "DestinationExists")), output[-200:]
        broken = tuple(witness.broken_promises())
    again = received + (server.sent() - sent) - SIZE
    final = folder / "model.bin"
    is_right = final.read_bytes() == OFFERED.content
    names = tuple(path.name for path in folder.iterdir() if path != final)
    final.unlink()
    return Killed(received, again, is_right, names, broken)


def test_53_killed_at_random_instants(server: Scripted, tmp_path: Path) -> None:
    """Fault 53: `kill -9` at random instants: right bytes, no orphan, at most 1 % fetched again."""
    chance = random.Random(53)  # noqa: S311 - the same instants in every run
    outcomes = [
        kill_at(server, tmp_path / str(number), chance.random(), chance.random() * 0.03)
        for number in range(KILLS)
    ]
    assert all(one.is_right for one in outcomes)
    assert [one.orphans for one in outcomes if one.orphans] == []
    assert [one.broken for one in outcomes if one.broken] == []
    received = sum(one.received for one in outcomes)
    again = sum(one.again for one in outcomes)
    worst = max(one.again for one in outcomes)
    print(f"{KILLS} kills: {again} of {received} bytes again, {worst} at most")  # noqa: T201
    assert again <= received / 100
    assert worst <= 4 * 4 * MEBIBYTE


def test_53_killed_again_and_again(server: Scripted, tmp_path: Path) -> None:
    """Fault 53: the same download is killed five times in a row before it may end."""
    chance = random.Random(5)  # noqa: S311 - the same instants in every run
    before = server.sent()
    for number in range(5):
        with start(server.url("/x"), tmp_path) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if int(line.split()[1]) >= (number + 1) * SIZE / 7 or chance.random() < 0.02:
                    break
            process.kill()
    with start(server.url("/x"), tmp_path) as process:
        output, _ = process.communicate(timeout=120)
    assert output.splitlines()[-1].startswith("done")
    assert (tmp_path / "model.bin").read_bytes() == OFFERED.content
    assert [path.name for path in tmp_path.iterdir()] == ["model.bin"]
    assert server.sent() - before - SIZE <= 5 * 4 * 4 * MEBIBYTE


@pytest.mark.parametrize("seed", range(2))
def test_53_killed_while_the_host_misbehaves(tmp_path: Path, seed: int) -> None:
    """Fault 53: the process is killed again and again while the host does everything wrong, too."""
    chance = random.Random(seed)  # noqa: S311 - the same instants in every run
    host = Host(seed, detectable=True)
    with Scripted() as server, FolderWitness(tmp_path) as witness:
        url = server.on("/x", host)
        for _ in range(60):
            with start(url, tmp_path, host.offered) as process:
                assert process.stdout is not None
                process.stdout.readline()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(chance.random() * 0.2)
                process.kill()
                words = process.stdout.read().split()
            assert witness.broken_promises() == []
            if "done" in words:
                break
        else:
            pytest.fail("sixty times in vain")
    assert (tmp_path / "model.bin").read_bytes() == host.offered.content
    assert [path.name for path in tmp_path.iterdir()] == ["model.bin"]
