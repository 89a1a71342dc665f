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

from modelshelf.download.processor_account import ProcessorAccount, processor_account

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
    """One that always could run runs for a part of the time, and waits for the rest."""
    account = ProcessorAccount()
    me = get_native_id()
    with somebody_on_our_processor():
        account.grown([me])
        ran = waited = 0.0
        until = time.monotonic() + _PATIENCE
        while ran < 0.05 or waited < 0.05:
            assert time.monotonic() < until
            more = account.grown([me])
            ran, waited = ran + more[0], waited + more[1]


def test_a_thread_that_follows_another_one_under_its_number_has_an_account_of_its_own() -> None:
    """It is counted from when it began, and what another one did before it not at all."""
    seconds = {7: (5.0, 3.0)}
    account = ProcessorAccount(lambda thread: seconds.get(thread, (0.0, 0.0)))
    assert account.grown([7]) == (5.0, 3.0)
    assert account.grown([]) == (0.0, 0.0)
    seconds[7] = (1.0, 2.0)
    assert account.grown([7, 8]) == (1.0, 2.0)
    seconds[7] = (0.5, 2.5)
    assert account.grown([7, 8]) == (0.0, 0.5)


def test_what_the_system_does_not_know_is_nothing() -> None:
    assert processor_account(-1) == (0.0, 0.0)
