"""The one word that ends a transfer before its time, said in any thread and heard in all."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Lock

from modelshelf.schema.transfer import StopKind

__all__ = ["StopSignal"]


class StopSignal:
    """Whether a transfer shall stop, and what shall become of it then.

    Once said it stays said. A cancellation beats a pause, whichever came first.

    Example:
        >>> stop = StopSignal()
        >>> stop.kind is None
        True
        >>> stop.cancel()
        >>> stop.pause()
        >>> stop.kind.value, stop.wait(60.0)
        ('cancel', True)
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._said = Event()
        self._kind: StopKind | None = None
        self._listeners: dict[object, Callable[[], None]] = {}

    @property
    def kind(self) -> StopKind | None:
        """What was said; None while the transfer may go on."""
        return self._kind

    def pause(self) -> None:
        """Stop and keep what came."""
        self._say(StopKind.PAUSE)

    def cancel(self) -> None:
        """Stop and remove what came."""
        self._say(StopKind.CANCEL)

    def wait(self, seconds: float) -> bool:
        """Sleep until something is said, at most *seconds*.

        Returns:
            Whether something was said.
        """
        return self._said.wait(max(0.0, seconds))

    def on_stop(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call *listener* once, in the thread that says stop; at once where that has happened.

        Args:
            listener: Returns quickly and raises nothing: whoever says stop waits for it.

        Returns:
            What to call when *listener* need not hear of it any more.
        """
        key = object()
        with self._lock:
            if self._kind is None:
                self._listeners[key] = listener
                return lambda: self._forget(key)
        listener()
        return lambda: None

    def _say(self, kind: StopKind) -> None:
        with self._lock:
            if self._kind is not StopKind.CANCEL:
                self._kind = kind
            listeners = list(self._listeners.values())
            self._listeners.clear()
        self._said.set()
        for listener in listeners:
            listener()

    def _forget(self, key: object) -> None:
        with self._lock:
            self._listeners.pop(key, None)
