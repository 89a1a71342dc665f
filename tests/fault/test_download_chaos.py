"""All faults at once: a host that misbehaves in another way each time it is asked, and a user who pauses."""

from __future__ import annotations

import os
import random
from dataclasses import replace
from pathlib import Path

import pytest

from modelshelf.download.stop_signal import StopSignal
from modelshelf.errors import DownloadError, ModelshelfError
from modelshelf.protocols import Transport
from modelshelf.schema.transfer import Downloaded, ExpectedContent, Stopped
from tests.fault.downloads import QUICK, Place, expecting, own_transport
from tests.fault.moody_host import OFFERED, Host
from tests.servers.content import Offered, Reply, payload
from tests.servers.scripted import Asked, Peer, Script, Scripted

pytestmark = [pytest.mark.fault, pytest.mark.timeout(3600)]

SEEDS = int(os.environ.get("MODELSHELF_TEST_CHAOS", "12"))
"""How many hosts; each takes a second or two."""
SIZE = len(OFFERED.content)


def fetched_at_last(
    place: Place,
    url: str,
    expected: ExpectedContent,
    seed: int,
    transport: Transport | None = None,
) -> Downloaded | None:
    """Order again and again, pausing now and then, as a stubborn user does; None: not in forty times."""
    dice = random.Random(-seed)  # noqa: S311 - the same user in every run
    for _ in range(40):
        stop = StopSignal()
        until = dice.choice([SIZE + 1, dice.randint(0, SIZE)])

        def watch(received: int, _total: int, stop: StopSignal = stop, until: int = until) -> None:
            if received >= until:
                stop.pause()

        outcome = place.fetch(
            place.order(url, expected, keep_partial=dice.random() < 0.8),
            transport=transport,
            stop=stop,
            on_progress=watch,
            connections=dice.choice([1, 2, 4]),
        )
        if isinstance(outcome.result, Downloaded):
            return outcome.result
        assert isinstance(outcome.result, Stopped) or isinstance(outcome.error, DownloadError), (
            outcome
        )
        assert place.visible == []
    return None


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("known", ["digest", "size", "nothing"])
def test_a_host_that_does_everything_wrong(tmp_path: Path, seed: int, known: str) -> None:
    """Whatever happens, in whatever order: in the end the right bytes, and nothing beside them."""
    expected = {
        "digest": expecting(OFFERED),
        "size": expecting(OFFERED, sha256=False),
        "nothing": ExpectedContent(),
    }[known]
    host: Script = Host(seed, detectable=known == "digest")
    with Place(tmp_path).watched() as place, Scripted() as server:
        url = server.on("/x", host)
        downloaded = fetched_at_last(place, url, expected, seed)
        assert downloaded is not None, "forty times in vain"
        assert downloaded.path.read_bytes() == OFFERED.content
        assert place.names == ["model.bin"]
        assert server.count() < 40 * 4 * QUICK.attempts


@pytest.mark.parametrize("kind", ["session", "curl"])
@pytest.mark.parametrize("seed", range(3))
def test_such_a_host_over_another_transport(tmp_path: Path, kind: str, seed: int) -> None:
    """What is above the transports does not depend on them."""
    transport = own_transport(kind)
    with Place(tmp_path).watched() as place, Scripted() as server:
        url = server.on("/x", Host(seed, detectable=True))
        downloaded = fetched_at_last(place, url, expecting(OFFERED), seed, transport)
        assert downloaded is not None, "forty times in vain"
        assert downloaded.path.read_bytes() == OFFERED.content
        assert place.names == ["model.bin"]
    transport.close()


def damaged(head: bytes, dice: random.Random) -> bytes:
    """Change, remove, double or insert some bytes."""
    damaged = bytearray(head)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(damaged))
        match dice.randrange(5):
            case 0:
                damaged[at] ^= 1 << dice.randrange(8)
            case 1:
                del damaged[at : at + dice.randint(1, 8)]
            case 2:
                damaged[at:at] = damaged[at : at + dice.randint(1, 20)]
            case 3:
                damaged[at:at] = dice.choice(
                    [b"\r", b"\n", b"\r\n\r\n", b"\0", b":", b"\xff", b" "]
                )
            case _:
                damaged[at : at + 1] = dice.randbytes(dice.randint(1, 4))
    return bytes(damaged)


@pytest.mark.parametrize("seed", range(5 * SEEDS))
def test_a_head_with_damaged_bytes(tmp_path: Path, seed: int) -> None:
    """Whatever a head says after bytes of it were changed: the right file, or an error of ours."""
    dice = random.Random(seed)  # noqa: S311 - the same damage in every run
    offered = Offered(payload(dice.choice([3_000, 1_500_000]), seed=seed))
    told = offered.answer("bytes=0-") if dice.random() < 0.5 else offered.answer()
    told.headers |= {
        "content-disposition": 'attachment; filename="x.bin"',
        "last-modified": "Mon, 02 Feb 2026 02:02:02 GMT",
        "connection": "close",
    }
    if dice.random() < 0.3:
        told = Reply(302, {"location": "/x?y=1", "content-length": "0"}, b"")

    def script(asked: Asked, peer: Peer) -> None:
        if asked.query or asked.number > 3:
            peer.reply(offered.answer(asked.range, asked.if_range))
        else:
            peer.send(damaged(told.head, dice))
            peer.body(told.body)
        peer.hang_up()

    with Place(tmp_path).watched() as place, Scripted() as server:
        order = place.order(server.on("/x", script), expecting(offered))
        outcome = place.fetch(order, patience=replace(QUICK, silence=0.2))
        if outcome.error is None:
            place.arrived(outcome, offered)
        else:
            place.failed(outcome, ModelshelfError)
        assert server.count() <= 20
