from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import get_native_id

import pytest

from modelshelf.download.processor_wait import ProcessorWait, waited_for_processor

_PATIENCE = 30.0


@contextmanager
def somebody_on_our_processor() -> Iterator[None]:
    """Keep this thread on one processor, and another program there busy."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        other.kill()
        other.wait()
        os.sched_setaffinity(0, before)


@pytest.mark.skipif(
    not Path("/proc/thread-self/schedstat").exists(), reason="the system keeps no such account"
)
def test_a_thread_that_shares_its_processor_waits_for_it() -> None:
    """What a thread waits while it sleeps does not count; what it waits while it could run does."""
    wait = ProcessorWait()
    me = get_native_id()
    with somebody_on_our_processor():
        wait.grown([me])
        waited, until = 0.0, time.monotonic() + _PATIENCE
        while waited < 0.05:
            assert time.monotonic() < until
            waited += wait.grown([me])


def test_a_thread_that_is_gone_or_follows_under_the_same_number_waits_for_nothing_twice() -> None:
    """What it waited is counted from when it began, and what another one did before it not at all."""
    account = {7: 5.0}
    wait = ProcessorWait(lambda thread: account.get(thread, 0.0))
    assert wait.grown([7]) == 5.0
    assert wait.grown([]) == 0.0
    account[7] = 1.0
    assert wait.grown([7, 8]) == 1.0
    account[7] = 0.5
    assert wait.grown([7, 8]) == 0.0


def test_what_the_system_does_not_know_is_no_wait() -> None:
    assert waited_for_processor(-1) == 0.0
