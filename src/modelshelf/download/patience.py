"""How long a download waits, how often it tries, and when it gives up."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

__all__ = ["Patience"]


@dataclass(frozen=True, slots=True)
class Patience:
    """The limits within which a download keeps trying. All times are seconds.

    Example:
        >>> from random import Random
        >>> patience = Patience(first_pause=1.0, longest_pause=8.0)
        >>> pauses = [patience.pause_before(attempt, Random(7)) for attempt in range(1, 9)]
        >>> all(0.5 <= pause <= 8.0 for pause in pauses)
        True
    """

    connect: float = 10.0
    """Until a connection must stand, TLS included."""
    silence: float = 15.0
    """Without any byte, until an exchange counts as stalled."""
    slow_share: float = 0.01
    """A connection slower than this share of the median of its siblings counts as stuck ..."""
    slow_for: float = 30.0
    """... once it has been for so long."""
    crawl: float = 100.0
    """Bytes per second below which it does so, even if there is nothing to compare it with."""
    attempts: int = 6
    """Failures in a row, without a new byte between them, after which the download fails."""
    first_pause: float = 0.5
    """Before the second attempt; doubled for each further one."""
    longest_pause: float = 30.0
    """Between two attempts."""
    longest_rest: float = 300.0
    """That a host may ask for; one that asks for more fails the download."""
    restarts: int = 3
    """Times a file that changes meanwhile is begun anew."""

    def pause_before(self, attempt: int, random: Random) -> float:
        """Say how long to wait before trying again.

        Args:
            attempt: How many attempts have failed, 1 or more.
            random: Spreads the pauses, so that many downloads that failed together do not return
                together.

        Returns:
            Seconds, between half of the doubled pause and all of it.
        """
        # Beyond 2 ** 30 the cap has long been reached; the power itself must not overflow.
        pause = min(self.longest_pause, self.first_pause * 2.0 ** min(attempt - 1, 30))
        return pause * random.uniform(0.5, 1.0)
