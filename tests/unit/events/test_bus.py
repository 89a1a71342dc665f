from __future__ import annotations

import asyncio
from threading import Thread

import pytest

from modelshelf.events import EventBus, EventServiceBase, Subscription
from modelshelf.schema.event import (
    DownloadPart,
    ModelEvent,
    ModelInstallCancelled,
    ModelInstallCompleted,
    ModelInstallDownloading,
    ModelInstallError,
    ModelInstallRunning,
)


def running(number: int) -> ModelInstallRunning:
    return ModelInstallRunning(id=number, source=f"author/model-{number}")


def progress(number: int, done: int) -> ModelInstallDownloading:
    return ModelInstallDownloading(
        id=number,
        source=f"author/model-{number}",
        local_path="/models/in-flight",
        bytes=done,
        total_bytes=100,
        parts=(
            DownloadPart(
                source="https://hub.example/a",
                local_path="/models/in-flight/a",
                bytes=done,
                total_bytes=100,
            ),
        ),
    )


def all_of(bus: EventBus, *events: ModelEvent, capacity: int = 1_000) -> list[ModelEvent]:
    with bus.subscribe(capacity=capacity) as listener:
        for event in events:
            bus.dispatch(event)
    return list(listener)


def test_everybody_who_listens_gets_every_event_in_order() -> None:
    """Whoever came too late or left gets nothing."""
    bus = EventBus()
    bus.dispatch(running(0))
    with bus.subscribe() as first, bus.subscribe() as second:
        bus.dispatch(running(1))
        first.close()
        bus.dispatch(running(2))
    bus.dispatch(running(3))
    assert [event.id for event in first] == [1]
    assert [event.id for event in second] == [1, 2]


def test_payloads_have_the_documented_keys() -> None:
    """And nothing that JSON cannot say."""
    assert progress(7, 40).payload == {
        "id": 7,
        "source": "author/model-7",
        "local_path": "/models/in-flight",
        "bytes": 40,
        "total_bytes": 100,
        "parts": [
            {
                "source": "https://hub.example/a",
                "local_path": "/models/in-flight/a",
                "bytes": 40,
                "total_bytes": 100,
            }
        ],
    }
    done = ModelInstallCompleted(id=1, source="s", total_bytes=9, key="k")
    assert done.payload == {"id": 1, "source": "s", "total_bytes": 9, "key": "k"}
    failed = ModelInstallError(id=1, source="s", error_type="TlsError", error="why")
    assert failed.payload == {"id": 1, "source": "s", "error_type": "TlsError", "error": "why"}
    cancelled = ModelInstallCancelled(id=1, source="s")
    assert cancelled.payload == {"id": 1, "source": "s"}
    names = [event.name for event in (progress(1, 1), running(1), done, failed, cancelled)]
    assert names == [
        "model_install_downloading",
        "model_install_running",
        "model_install_completed",
        "model_install_error",
        "model_install_cancelled",
    ]
    assert EventServiceBase.model_event == "model_event"


def test_unread_progress_is_replaced_by_newer_progress() -> None:
    """It moves to the end: it is news of now."""
    events = all_of(EventBus(), progress(1, 10), progress(2, 5), running(3), progress(1, 20))
    assert [(event.id, event.payload.get("bytes")) for event in events] == [
        (2, 5),
        (3, None),
        (1, 20),
    ]


def test_a_slow_listener_loses_progress_first_and_knows_it() -> None:
    """Memory stays bounded whoever reads or does not."""
    bus = EventBus()
    with bus.subscribe(capacity=3) as listener:
        for event in (running(1), progress(2, 5), running(3), running(4), running(5)):
            bus.dispatch(event)
    assert [event.id for event in listener] == [3, 4, 5]
    assert listener.dropped == 2


def test_a_capacity_below_one_is_refused() -> None:
    """A queue without room would lose everything silently."""
    with pytest.raises(ValueError, match="capacity of 1"):
        EventBus().subscribe(capacity=0)


def test_waiting_ends_when_time_is_up() -> None:
    """None says that nothing came."""
    with EventBus().subscribe() as listener:
        assert listener.get(timeout=0) is None


def test_many_threads_may_tell_at_once() -> None:
    """Nothing is lost, and each thread's events keep their order."""
    bus = EventBus()

    def tell(first: int) -> None:
        for number in range(first, first + 500):
            bus.dispatch(running(number))

    with bus.subscribe(capacity=4_000) as listener:
        threads = [Thread(target=tell, args=(first,)) for first in range(0, 4_000, 1_000)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    told = [event.id for event in listener]
    assert len(told) == 2_000
    for first in range(0, 4_000, 1_000):
        own = [number for number in told if first <= number < first + 1_000]
        assert own == sorted(own)


def test_coroutines_listen_too() -> None:
    """A loop over the subscription waits without a thread of its own and ends when it is closed."""
    bus = EventBus()

    async def listen() -> list[int]:
        with bus.subscribe() as listener:
            teller = Thread(target=tell, args=(listener,))
            teller.start()
            heard = [event.id async for event in listener]
            await asyncio.to_thread(teller.join)
        return heard

    def tell(listener: Subscription) -> None:
        for number in range(100):
            bus.dispatch(running(number))
        listener.close()

    assert asyncio.run(listen()) == list(range(100))


def test_a_cancelled_coroutine_leaves_the_subscription_usable() -> None:
    """A web page that goes away while it waits must not break the next one."""
    bus = EventBus()

    async def listen() -> int:
        with bus.subscribe() as listener:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(anext(listener), timeout=0)
            bus.dispatch(running(5))
            return (await anext(listener)).id

    assert asyncio.run(listen()) == 5


def test_a_loop_that_was_closed_around_its_listener_takes_nothing_from_others() -> None:
    """A server that was shut down leaves such a listener behind, and others were told nothing any more."""
    bus = EventBus()
    left_behind, listener = bus.subscribe(), bus.subscribe()

    async def hear_one() -> ModelEvent:
        return await anext(left_behind)

    async def begin() -> asyncio.Task[ModelEvent]:
        task = asyncio.create_task(hear_one())
        await asyncio.sleep(0)
        return task

    loop = asyncio.new_event_loop()
    task = loop.run_until_complete(begin())
    loop.close()
    bus.dispatch(running(1))
    bus.dispatch(running(2))
    listener.close()
    left_behind.close()
    task.get_coro().close()
    assert [event.id for event in listener] == [1, 2]
    assert [event.id for event in left_behind] == [1, 2]
