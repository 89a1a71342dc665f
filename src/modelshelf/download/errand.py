"""A call that takes as long as a stranger likes, made so that nobody has to wait for its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Generic, TypeVar

from modelshelf.download.stop_signal import StopSignal

__all__ = ["send_errand"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Return(Generic[T]):
    """What an errand brought back: a value, or an error."""

    values: tuple[T, ...]
    error: BaseException | None


def send_errand(
    call: Callable[[], T], *, stop: StopSignal, discard: Callable[[T], None]
) -> T | None:
    """Make *call* in a thread of its own, and wait until it returns or *stop* is said.

    Resolving a name and connecting cannot be broken off in Python, so a stop leaves the thread to itself.

    Args:
        call: What to do. Its errors are raised here.
        stop: Ends the waiting.
        discard: Is given what *call* returns when nobody waits for it any more.

    Returns:
        What *call* returned; None when *stop* came first.

    Example:
        >>> send_errand(lambda: 6 * 7, stop=StopSignal(), discard=print)
        42
    """
    returns: SimpleQueue[_Return[T] | None] = SimpleQueue()
    lock = Lock()
    is_awaited = True

    def carry_out() -> None:
        back: _Return[T]
        try:
            back = _Return((call(),), None)
        except BaseException as error:  # noqa: BLE001 - it is raised where somebody waits
            back = _Return((), error)
        with lock:
            if is_awaited:
                returns.put(back)
                return
        for value in back.values:
            discard(value)

    forget = stop.on_stop(lambda: returns.put(None))
    Thread(target=carry_out, name="modelshelf-errand", daemon=True).start()
    back = returns.get()
    forget()
    if back is None:
        with lock:
            is_awaited = False
        # It may have come back in the very moment of the stop.
        while not returns.empty():
            late = returns.get()
            for value in late.values if late else ():
                discard(value)
        return None
    if back.error is not None:
        raise back.error
    return back.values[0]
