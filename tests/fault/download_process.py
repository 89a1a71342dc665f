"""One download in a process of its own, to be killed, stopped, forked or raced: run as a module.

Usage: `python -m tests.fault.download_process URL FILE SHA256 SIZE [WORD...]`. It prints `at N` for each
step of progress, and at the end `done N` (bytes taken from the network), `stopped`, or the name of the error.

Words: `jumping` has a wall clock that jumps by a day at each look; `forking` forks in mid-download, and
`multiprocessing` as that library does; `pausing` pauses on SIGINT, as a command line does; `as-user` gives
root's exemptions up first.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

from modelshelf.disk import LocalDisk
from modelshelf.download.file_download import FileDownload
from modelshelf.download.hosts import Hosts
from modelshelf.download.http_transport import HttpTransport
from modelshelf.download.pace import Pace
from modelshelf.download.patience import Patience
from modelshelf.download.stop_signal import StopSignal
from modelshelf.errors import ModelshelfError
from modelshelf.schema.digest import Digest
from modelshelf.schema.transfer import Downloaded, ExpectedContent, TransferOrder

_PR_CAPBSET_DROP, _EXEMPTIONS = 24, (1, 2, 3)
"""`linux/prctl.h`; CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH and CAP_FOWNER of `linux/capability.h`."""
_PATIENCE = Patience(connect=5, silence=5, attempts=4, first_pause=0.05, longest_pause=0.5)


def main(url: str, file: str, sha256: str, size: str, *words: str) -> None:
    """Download, and tell how it goes."""
    order = TransferOrder(url, Path(file))
    if sha256:
        digest = Digest.parse(f"sha256:{sha256}")
        order = replace(order, expected=ExpectedContent(size=int(size), sha256=digest))
    if "as-user" in words and os.geteuid() == 0:
        _become_user()
    stop = StopSignal()
    children: list[Callable[[], object]] = []
    if "jumping" in words:
        _let_the_clock_jump()
    if "pausing" in words:
        signal.signal(signal.SIGINT, lambda *_: stop.pause())

    def report(received: int, _total: int) -> None:
        _say("at", received)
        if received > 0 and not children:
            children.append(_fork(words))

    download = FileDownload(
        HttpTransport(), LocalDisk(), Hosts(), Pace(), patience=_PATIENCE, connections=4
    )
    try:
        result = download.run(order, stop, report)
    except ModelshelfError as error:
        _say(type(error).__name__)
        return
    for wait in children:
        wait()
    _say(*("done", result.fetched) if isinstance(result, Downloaded) else ("stopped",))


def _fork(words: Collection[str]) -> Callable[[], object]:
    """Fork in the way that *words* say, if any; return what waits for the child's end."""
    if "forking" in words:
        child = os.fork()
        if child == 0:
            # Leaves as a program does that knows nothing of downloads: whatever it cleans up, runs.
            sys.exit(0)
        return lambda: os.waitpid(child, 0)
    if "multiprocessing" in words:
        helper = multiprocessing.get_context("fork").Process(target=sum, args=([1, 2],))
        helper.start()
        return helper.join
    return lambda: None


def _become_user() -> None:
    """Give up root's exemptions for good, but stay the owner of root's files (`prctl(2)`)."""
    library = ctypes.CDLL(None, use_errno=True)
    for capability in _EXEMPTIONS:
        assert library.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) == 0
    # The exemptions are gone from the next program on: this one, begun anew.
    words = [word for word in sys.argv[1:] if word != "as-user"]
    os.execv(sys.executable, [sys.executable, "-m", "tests.fault.download_process", *words])  # noqa: S606


def _say(*words: object) -> None:
    sys.stdout.write(" ".join(str(word) for word in words) + "\n")
    sys.stdout.flush()


def _let_the_clock_jump() -> None:
    """Set the wall clock a day ahead, or two days back, whenever somebody looks at it."""
    real, looks = time.time, [0]

    def jumping() -> float:
        looks[0] += 1
        return real() + (86_400 if looks[0] % 2 else -172_800)

    time.time = jumping


if __name__ == "__main__":
    main(*sys.argv[1:])
