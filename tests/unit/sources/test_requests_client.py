from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import requests

from modelshelf.errors import HubAnswerError, HubUnreachableError
from modelshelf.sources import RequestsHubClient
from tests.hubs import Answer, Exchange, Origin, Request

_SECRET = {"Authorization": "Bearer s3cret"}


class _Scripted(Origin):
    def __init__(self, name: str, log: list[Exchange], script: Callable[[Request], Answer]) -> None:
        super().__init__(name, log)
        self._script = script

    def answer(self, request: Request) -> Answer:
        return self._script(request)


@contextmanager
def _origins(script: Callable[[Request], Answer]) -> Iterator[tuple[_Scripted, _Scripted]]:
    log: list[Exchange] = []
    with _Scripted("one", log, script) as one, _Scripted("two", log, script) as two:
        yield one, two


def _ok(_: Request) -> Answer:
    return Answer(200, {"X-Word": "yes"}, b'{"a": [1]}')


def test_an_answer_is_a_value() -> None:
    """Status, headers in lower case, the parsed body, the URL without its query."""
    with _origins(_ok) as (one, _), RequestsHubClient(pauses=()) as client:
        answer = client.get_json(f"{one.url}/x?token=s3cret")
    assert (answer.status, answer.headers["x-word"], answer.body) == (200, "yes", {"a": [1]})
    assert answer.url == f"{one.url}/x"


def test_credentials_do_not_follow_to_another_origin() -> None:
    """Nor do they come back when the redirects do."""
    targets: list[str] = []

    def script(request: Request) -> Answer:
        at = int(request.path[1:])
        return Answer(302, {"Location": targets[at]}) if at < len(targets) else _ok(request)

    with _origins(script) as (one, two), RequestsHubClient(pauses=()) as client:
        targets += ["/1", f"{two.url}/2", f"{one.url}/3"]
        assert client.get_json(f"{one.url}/0", _SECRET).is_good
        sent = [(seen.origin, seen.credentials) for seen in one.log]
    assert sent == [
        ("one", ("authorization",)),
        ("one", ("authorization",)),
        ("two", ()),
        ("one", ()),
    ]


def test_a_redirect_in_circles_or_to_no_web_address_is_refused() -> None:
    """Neither a loop nor a file of this machine is followed."""

    def script(request: Request) -> Answer:
        target = "file:///etc/passwd" if request.path == "/file" else request.path
        return Answer(302, {"Location": target})

    with _origins(script) as (one, _), RequestsHubClient(pauses=()) as client:
        with pytest.raises(HubAnswerError, match="more than 5 redirects"):
            client.get_json(f"{one.url}/loop")
        with pytest.raises(HubAnswerError, match="no web address"):
            client.get_json(f"{one.url}/file")


@pytest.mark.parametrize(
    "body", [b"<html>", b"", b"\xff\xfe", b"[" * 100_000, b"[" + b"[]," * 900_000, b"1" * 5_000]
)
def test_what_is_no_sound_json_has_no_body(body: bytes) -> None:
    """Pages, broken text, and what would take far more memory than it has bytes."""
    with (
        _origins(lambda _: Answer(200, {}, body)) as (one, _),
        RequestsHubClient(pauses=()) as client,
    ):
        assert client.get_json(one.url).body is None


def test_an_endless_answer_is_cut() -> None:
    """After 16 MiB."""
    body = json.dumps("x" * (17 * 1024 * 1024)).encode()
    with (
        _origins(lambda _: Answer(200, {}, body)) as (one, _),
        RequestsHubClient(pauses=()) as client,
        pytest.raises(HubAnswerError, match="more than 16777216 bytes"),
    ):
        client.get_json(one.url)


def test_a_broken_connection_is_unreachable_and_says_no_secret() -> None:
    """Refused, and cut in the middle of the body; the query is not repeated."""

    def script(_: Request) -> Answer:
        return Answer(200, {"Content-Length": "100"}, b"{}", lambda _: False)

    with _origins(script) as (one, _), RequestsHubClient(pauses=()) as client:
        for url in (f"{one.url}/x?token=s3cret", "http://127.0.0.1:1/x?token=s3cret"):
            with pytest.raises(HubUnreachableError) as caught:
                client.get_json(url)
            assert "s3cret" not in str(caught.value)


def test_a_session_is_used_as_it_is() -> None:
    """Its own headers are sent, and it is not closed."""
    seen: list[str] = []

    def script(request: Request) -> Answer:
        seen.append(request.headers.get("x-mine", ""))
        return _ok(request)

    with _origins(script) as (one, _), requests.Session() as session:
        session.headers["X-Mine"] = "yes"
        for _ in range(2):
            with RequestsHubClient(session) as client:
                assert client.get_json(one.url).is_good
    assert seen == ["yes", "yes"]


def test_an_answer_that_takes_too_long_is_given_up() -> None:
    """Though a byte comes now and then."""
    with (
        _origins(_ok) as (one, _),
        RequestsHubClient(patience=-1) as client,
        pytest.raises(HubUnreachableError, match="takes longer"),
    ):
        client.get_json(one.url)


class _Canned(requests.Session):
    """A session that answers from memory, as tests of other programs make them."""

    def get(self, url: str | bytes, **_: object) -> requests.Response:
        answer = requests.Response()
        answer.status_code, answer.url = 200, str(url)
        answer.raw = io.BytesIO(b'{"a": 1}')
        return answer


def test_a_session_that_was_made_for_a_test_will_do() -> None:
    """Its body is whatever can be read."""
    with _Canned() as session, RequestsHubClient(session) as client:
        assert client.get_json("https://hub.example/api").body == {"a": 1}


def _failing(*statuses: int) -> Callable[[Request], Answer]:
    """Answer with each of *statuses* once, 0 being a connection that breaks; then well."""
    left = list(statuses)

    def script(request: Request) -> Answer:
        status = left.pop(0) if left else 200
        if status == 0:
            return Answer(200, {"Content-Length": "100"}, b"{}", lambda _: False)
        return Answer(status, {}, b"{}") if status != 200 else _ok(request)

    return script


@pytest.mark.parametrize("statuses", [(503,), (0,), (502, 0), (500, 408), (0, 504)])
def test_what_passes_is_tried_again(statuses: tuple[int, ...]) -> None:
    """After each pause once."""
    waited: list[float] = []
    with (
        _origins(_failing(*statuses)) as (one, _),
        RequestsHubClient(pauses=(1, 2), sleep=waited.append) as client,
    ):
        assert client.get_json(one.url).is_good
    assert waited == [1, 2][: len(statuses)]


@pytest.mark.parametrize("status", [401, 403, 404, 410, 429])
def test_what_stays_is_not_tried_again(status: int) -> None:
    """A limit above all: more requests make it longer."""
    waited: list[float] = []
    with (
        _origins(_failing(status)) as (one, _),
        RequestsHubClient(sleep=waited.append) as client,
    ):
        assert client.get_json(one.url).status == status
        assert len(one.requests()) == 1
    assert waited == []


def test_a_host_that_cannot_prove_who_it_is_is_not_tried_again() -> None:
    """Nothing is sent to it."""
    waited: list[float] = []
    with (
        _origins(_ok) as (one, _),
        RequestsHubClient(sleep=waited.append) as client,
        pytest.raises(HubUnreachableError, match="TLS"),
    ):
        client.get_json(one.url.replace("http:", "https:"))
    assert waited == []


def test_a_host_that_stays_away_is_given_up() -> None:
    """After the last pause."""
    waited: list[float] = []
    with (
        RequestsHubClient(pauses=(1, 2), sleep=waited.append) as client,
        pytest.raises(HubUnreachableError),
    ):
        client.get_json("http://127.0.0.1:1")
    assert waited == [1, 2]
