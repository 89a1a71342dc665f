"""A folder to download into that is watched the whole time, and what must be true of it afterwards."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import TypeVar

import pytest
import requests

from modelshelf.disk import LocalDisk
from modelshelf.download.file_download import FileDownload
from modelshelf.download.hosts import Hosts
from modelshelf.download.http_transport import HttpTransport
from modelshelf.download.pace import Pace
from modelshelf.download.patience import Patience
from modelshelf.download.stop_signal import StopSignal
from modelshelf.errors import ModelshelfError
from modelshelf.protocols import Answer, Disk, Request, Transport
from modelshelf.schema.digest import Digest
from modelshelf.schema.transfer import (
    Downloaded,
    ExpectedContent,
    Stopped,
    TransferOrder,
    Verification,
)
from tests.fault.folder_witness import FolderWitness
from tests.servers.content import Offered

__all__ = [
    "QUICK",
    "TRANSPORT",
    "Outcome",
    "Place",
    "WatchedTransport",
    "expecting",
    "own_transport",
    "within",
]

_Error = TypeVar("_Error", bound=ModelshelfError)

QUICK = Patience(
    connect=2,
    silence=0.5,
    slow_share=0.01,
    slow_for=1,
    attempts=4,
    first_pause=0.01,
    longest_pause=0.05,
    longest_rest=5,
    restarts=3,
)
"""A user in a hurry, so that the tests are."""

TRANSPORT = os.environ.get("MODELSHELF_TEST_TRANSPORT", "own")
"""Read before tests lose such variables."""
_LONGEST = 45.0
"""Seconds after which a download counts as hung."""


def expecting(offered: Offered, *, size: bool = True, sha256: bool = True) -> ExpectedContent:
    """Say what a listing tells of *offered*."""
    return ExpectedContent(
        size=len(offered.content) if size else None,
        sha256=Digest.parse(f"sha256:{offered.sha256}") if sha256 else None,
    )


def within(act: Callable[[], object], seconds: float = _LONGEST) -> None:
    """Run *act* in a thread of its own; the test fails when it does not end."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            act()
        except BaseException as error:  # noqa: BLE001 - handed to the test's own thread
            failures.append(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        pytest.fail(f"hung: not done after {seconds} seconds")
    if failures:
        raise failures[0]


def own_transport(kind: str = TRANSPORT) -> Transport:
    """Make a transport: of our `own`, over a `session`, or with `curl`.

    Without a word it is what the environment asks for: `MODELSHELF_TEST_TRANSPORT=session` runs all faults
    over a session.
    """
    match kind:
        case "session":
            return HttpTransport(requests.Session())
        case "curl":
            pytest.importorskip("pycurl", reason="the curl extra is not installed")
            from modelshelf.download.curl_transport import CurlTransport  # noqa: PLC0415 - an extra

            return CurlTransport()
        case _:
            return HttpTransport()


class WatchedTransport:
    """Passes every request on; a test may change it, or do something, before it goes out."""

    def __init__(self, transport: Transport, before: Callable[[int, Request], Request]) -> None:
        self._transport = transport
        self._before = before
        self.asked = 0
        """How many requests there were."""

    def open(self, request: Request) -> Answer:
        self.asked += 1
        return self._transport.open(self._before(self.asked, request))

    def close(self) -> None:
        self._transport.close()


@dataclass(slots=True)
class Outcome:
    """What came of one download."""

    result: Downloaded | Stopped | None = None
    error: ModelshelfError | None = None
    progress: list[tuple[int, int]] = field(default_factory=list)
    """What was reported: received and total."""

    @property
    def downloaded(self) -> Downloaded:
        """The file; the test fails when there is none."""
        if self.error is not None:
            raise self.error
        assert isinstance(self.result, Downloaded), self.result
        return self.result


class Place:
    """A folder to download into, inside a home in which nothing else may change.

    Use it as a context: at the end it asks the witness whether a final name ever stood for less than a
    whole file, and looks for files outside the folder.
    """

    def __init__(self, root: Path) -> None:
        self.home = root / "home"
        """The folder around it."""
        self.folder = self.home / "inbox"
        """Where downloads go."""
        self.folder.mkdir(parents=True)
        (self.home / "diary.txt").write_text("not yours")
        self.outside: frozenset[str] = frozenset()
        """What a test itself puts into the home."""
        self.planted: frozenset[str] = frozenset()
        """Names in the folder that a test itself puts something under."""

    @contextmanager
    def watched(self) -> Iterator[Place]:
        """Watch from here on."""
        with FolderWitness(self.folder) as witness:
            yield self
            assert witness.broken_promises(self.planted) == []
        assert {path.name for path in self.home.iterdir()} == {
            "inbox",
            "diary.txt",
            *self.outside,
        }
        assert (self.home / "diary.txt").read_text() == "not yours"

    @property
    def names(self) -> list[str]:
        """All names in the folder, hidden ones too, in order."""
        return sorted(path.name for path in self.folder.iterdir())

    @property
    def visible(self) -> list[str]:
        """The names that users see."""
        return [name for name in self.names if not name.startswith(".")]

    @property
    def part(self) -> Path:
        """The one partial file; the test fails when there is none, or more."""
        (part,) = self.folder.glob(".*.part")
        return part

    @property
    def journal(self) -> Path:
        """The one journal."""
        (journal,) = self.folder.glob(".*.journal")
        return journal

    def order(
        self, url: str, expected: ExpectedContent | None = None, **fields: object
    ) -> TransferOrder:
        """Make an order for `model.bin`, or with another `destination`."""
        named = {"destination": self.folder / "model.bin"} | fields
        return TransferOrder(url, expected=expected or ExpectedContent(), **named)  # type: ignore[arg-type]

    def fetch(
        self,
        order: TransferOrder | str,
        *,
        patience: Patience = QUICK,
        connections: int = 4,
        disk: Disk | None = None,
        transport: Transport | None = None,
        stop: StopSignal | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Outcome:
        """Carry out *order*; every failure of modelshelf's own is an outcome, everything else a bug."""
        outcome = Outcome()
        mine = own_transport() if transport is None else transport
        wanted = self.order(order) if isinstance(order, str) else order

        def report(received: int, total: int) -> None:
            outcome.progress.append((received, total))
            if on_progress is not None:
                on_progress(received, total)

        def run() -> None:
            download = FileDownload(
                mine,
                disk or LocalDisk(),
                Hosts(),
                Pace(),
                patience=patience,
                connections=connections,
                clock=time.monotonic,
            )
            try:
                outcome.result = download.run(wanted, stop or StopSignal(), report)
            except ModelshelfError as error:
                outcome.error = error

        try:
            within(run)
        finally:
            if transport is None:
                mine.close()
        received = [count for count, _ in outcome.progress]
        assert received == sorted(received), "progress went back"
        return outcome

    def arrived(
        self,
        outcome: Outcome,
        offered: Offered,
        verification: Verification | None = None,
        name: str = "model.bin",
    ) -> Downloaded:
        """Check that exactly the right file is there, and nothing else; return what is told of it."""
        downloaded = outcome.downloaded
        assert downloaded.path == self.folder / name
        assert downloaded.path.read_bytes() == offered.content, "wrong bytes"
        assert downloaded.size == len(offered.content)
        assert self.names == [name], "something is left beside it"
        assert verification in {None, downloaded.verification}
        if outcome.progress:
            assert outcome.progress[-1] == (downloaded.size, downloaded.size)
        return downloaded

    def failed(self, outcome: Outcome, *kinds: type[_Error], left: bool = False) -> _Error:
        """Check that it failed as it should, with advice, and that nothing is there.

        Args:
            outcome: What came of it.
            *kinds: The errors that are right.
            left: Whether a partial file may stay.
        """
        assert outcome.error is not None, f"it went well: {outcome.result}"
        if not isinstance(outcome.error, kinds):
            raise outcome.error
        assert outcome.error.advice, "no advice"
        assert self.visible == [], "something stands at a final name"
        if not left:
            assert self.names == [], "something is left"
        return outcome.error
