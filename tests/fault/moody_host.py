"""A host that misbehaves in another way each time it is asked."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable

from tests.servers.content import MEBIBYTE, Offered, Reply, payload
from tests.servers.scripted import Asked, Peer, redirect, status

__all__ = ["OFFERED", "Host"]

OFFERED = Offered(payload(5 * MEBIBYTE + 12_345))
_OTHER = Offered(payload(5 * MEBIBYTE + 12_345, seed=2), etag='"two"')
_SIZE = len(OFFERED.content)


class Host:
    """Misbehaves as its dice say, at least every third time not at all.

    Args:
        seed: What its dice show.
        detectable: Whether it also does what only a digest can tell: wrong bits, another file.
    """

    offered = OFFERED
    """What it has."""

    def __init__(self, seed: int, *, detectable: bool) -> None:
        self._dice = random.Random(seed)  # noqa: S311 - the same host in every run
        self._faults: list[Callable[[Asked, Peer], None]] = [
            self._cut,
            self._cut,
            self._end_early,
            self._stall,
            self._refuse,
            self._rest,
            self._vanish,
            self._ignore_range,
            self._shift,
            self._pack,
            self._unsatisfied,
            self._redirect,
            self._trickle,
            self._announce_more,
        ]
        if detectable:
            self._faults += [self._flip, self._be_another]

    def __call__(self, asked: Asked, peer: Peer) -> None:
        fault = self._dice.choice(self._faults)
        if self._dice.random() < 0.4 or "home" in asked.query:
            peer.reply(OFFERED.answer(asked.range, asked.if_range))
        else:
            fault(asked, peer)

    def _reply(self, asked: Asked) -> Reply:
        return OFFERED.answer(asked.range, asked.if_range)

    def _cut(self, asked: Asked, peer: Peer) -> None:
        reply = self._reply(asked)
        peer.reply(reply, self._dice.randint(0, len(reply.body)))
        peer.reset()

    def _end_early(self, asked: Asked, peer: Peer) -> None:
        reply = self._reply(asked)
        peer.reply(reply, self._dice.randint(0, len(reply.body)))
        peer.hang_up()

    def _stall(self, asked: Asked, peer: Peer) -> None:
        reply = self._reply(asked)
        peer.reply(reply, self._dice.randint(0, len(reply.body)))
        peer.hold()

    def _refuse(self, asked: Asked, peer: Peer) -> None:
        status(self._dice.choice([500, 502, 503, 504, 408]), b"oops")(asked, peer)

    def _rest(self, asked: Asked, peer: Peer) -> None:
        status(429, retry_after="0")(asked, peer)

    def _vanish(self, _asked: Asked, peer: Peer) -> None:
        peer.hang_up()

    def _ignore_range(self, _asked: Asked, peer: Peer) -> None:
        peer.reply(OFFERED.answer())

    def _shift(self, asked: Asked, peer: Peer) -> None:
        start = self._dice.randint(0, _SIZE - 1)
        length = len(self._reply(asked).body)
        peer.reply(OFFERED.answer(f"bytes={start}-{start + length - 1}"))

    def _pack(self, asked: Asked, peer: Peer) -> None:
        reply = self._reply(asked)
        reply.body = gzip.compress(bytes(reply.body), 0)
        reply.headers |= {"content-encoding": "gzip", "content-length": str(len(reply.body))}
        peer.reply(reply)

    def _unsatisfied(self, _asked: Asked, peer: Peer) -> None:
        peer.reply(Reply(416, {"content-range": "bytes */5", "content-length": "0"}, b""))

    def _redirect(self, asked: Asked, peer: Peer) -> None:
        redirect(f"{asked.path}?home={self._dice.random()}", 307)(asked, peer)

    def _trickle(self, asked: Asked, peer: Peer) -> None:
        reply = self._reply(asked)
        peer.reply(reply, 10)
        peer.drip(reply.body[10:40], 0.01)
        peer.reset()

    def _announce_more(self, asked: Asked, peer: Peer) -> None:
        reply = self._reply(asked)
        reply.headers["content-length"] = str(len(reply.body) + 1000)
        peer.reply(reply)
        peer.hang_up()

    def _flip(self, asked: Asked, peer: Peer) -> None:
        reply = self._reply(asked)
        body = bytearray(reply.body)
        if body:
            body[self._dice.randrange(len(body))] ^= 1 << self._dice.randrange(8)
        reply.body = bytes(body)
        peer.reply(reply)

    def _be_another(self, asked: Asked, peer: Peer) -> None:
        peer.reply(_OTHER.answer(asked.range))
