"""Faults 34 to 42: what hosts say besides the file: wait, ask elsewhere, come back with a name."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from modelshelf.errors import (
    AccessDeniedError,
    DownloadError,
    ForbiddenRedirectError,
    ModelshelfError,
    RemoteFileGoneError,
    RemoteServerError,
    TooManyRequestsError,
)
from modelshelf.schema.digest import Digest
from modelshelf.schema.transfer import ExpectedContent, Verification
from tests.fault.downloads import QUICK, TRANSPORT, Place, expecting, own_transport
from tests.hubs import (
    STRANGER,
    HostedModel,
    HostedModelFile,
    HostedVersion,
    HuggingFaceHub,
    civitai_site,
    hugging_face_hub,
)
from tests.servers.content import MEBIBYTE, Offered, Reply, payload
from tests.servers.nginx import run_nginx
from tests.servers.scripted import Asked, Peer, Scripted, in_turn, redirect, serve, status

pytestmark = pytest.mark.fault

OFFERED = Offered(payload())
SIZE = len(OFFERED.content)
PATIENT = replace(QUICK, longest_rest=20)

STRANGE = [
    " /y ",
    "?z",
    "#fragment",
    "//127.0.0.1",
    "///y",
    "\\\\127.0.0.1\\y",
    "http:\\\\127.0.0.1\\y",
    "http:/y",
    "http:y",
    "http://[::1",
    "http://[v1.x]/y",
    "http://127.0.0.1:0/y",
    "http://127.0.0.1:99999/y",
    "http://127.0.0.1:-1/y",
    "http://127.0.0.1:\uff18\uff10/y",
    "http://127.0.0.1:80:80/y",
    "http://me:secret@127.0.0.1:1/y",
    "http://127.0.0.1%00.example/y",
    "http://127.0.0.1 .example/y",
    "http://exa mple/y",
    "http://-/y",
    "http://a..b/y",
    "http://" + "a" * 300 + "/y",
    "http://xn--/y",
    "http://ex\u0301ample.invalid/y",
    "HTTP://LOCALHOST:1/y",
    "\u202e/y",
    "/" + "y" * 40_000,
    "/%",
    "/%zz",
    "/\x7f",
    "http://127.0.0.1:1/y\tz",
    "1",
    "*",
    ":",
    "::",
    "%2f%2fevil",
]
"""Where a redirect may say that the file is."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with Place(tmp_path).watched() as place:
        yield place


@pytest.fixture
def server() -> Iterator[Scripted]:
    with Scripted() as server:
        yield server


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A repository's folder with one large file."""
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(OFFERED.content)
    (folder / "config.json").write_text("{}")
    return folder


@pytest.fixture
def hub(model: Path) -> Iterator[HuggingFaceHub]:
    with hugging_face_hub(dreamland=model) as hub:
        yield hub


def resting(server: Scripted, number: int = 1) -> float:
    """Return the seconds between the *number*-th request and the next one."""
    first, then = server.requests()[number - 1 : number + 1]
    return then.at - first.at


def test_31_the_branch_moves_on_in_mid_file(
    place: Place, hub: HuggingFaceHub, tmp_path: Path
) -> None:
    """Fault 31: somebody commits to `main` while its file is fetched: one commit's file, no mixture."""
    hub.files.expire_after(SIZE // 2)
    moved = tmp_path / "moved"
    moved.mkdir()
    then = Offered(payload(seed=7))
    (moved / "model.safetensors").write_bytes(then.content)

    def commit(received: int, _total: int) -> None:
        if received > SIZE // 4 and "moved" not in hub.repositories["acme/dreamland"].refs:
            hub.repositories["acme/dreamland"].commit(moved, "main")
            hub.repositories["acme/dreamland"].commit(moved, "moved")

    url = f"{hub.url}/acme/dreamland/resolve/main/model.safetensors"
    outcome = place.fetch(url, on_progress=commit, connections=1)
    path = outcome.downloaded.path
    assert path.read_bytes() in {OFFERED.content, then.content}
    assert place.names == ["model.bin"]


def test_31_the_branch_moved_on_and_the_digest_is_of_the_older_commit(
    place: Place, hub: HuggingFaceHub, tmp_path: Path
) -> None:
    """Fault 31: the listing was made at one commit, and `main` is another one now: that is an error."""
    moved = tmp_path / "moved"
    moved.mkdir()
    (moved / "model.safetensors").write_bytes(payload(seed=7))
    pinned = hub.repositories["acme/dreamland"].refs["main"]
    hub.repositories["acme/dreamland"].commit(moved)
    branch = f"{hub.url}/acme/dreamland/resolve/main/model.safetensors"
    place.failed(place.fetch(place.order(branch, expecting(OFFERED))), DownloadError)
    url = f"{hub.url}/acme/dreamland/resolve/{pinned}/model.safetensors"
    place.arrived(place.fetch(place.order(url, expecting(OFFERED))), OFFERED, Verification.DIGEST)


def test_34_too_many_requests_with_seconds(place: Place, server: Scripted) -> None:
    """Fault 34: 429 with `Retry-After` in seconds, and silence until they are over."""
    url = server.on("/x", in_turn(status(429, retry_after="1"), serve(OFFERED)))
    place.arrived(place.fetch(url), OFFERED)
    assert resting(server) >= 1


def test_34_several_downloads_rest_together(place: Place, server: Scripted) -> None:
    """Fault 34: in mid-file with four connections, one of them is told to wait: all of them do."""
    limit = in_turn(status(429, retry_after="1"), serve(OFFERED))

    def drop(asked: Asked, peer: Peer) -> None:
        peer.reply(OFFERED.answer(asked.range), MEBIBYTE)
        peer.reset()

    def script(asked: Asked, peer: Peer) -> None:
        drop(asked, peer) if asked.number == 1 else limit(
            replace(asked, number=asked.number - 1), peer
        )

    url = server.on("/x", script)
    place.arrived(place.fetch(place.order(url, expecting(OFFERED))), OFFERED)
    assert resting(server, 2) >= 1


def test_35_unavailable_until_a_date(place: Place, server: Scripted) -> None:
    """Fault 35: 503 with an HTTP date in `Retry-After`."""

    def busy(_asked: Asked, peer: Peer) -> None:
        until = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
        status(503, retry_after=format_datetime(until, usegmt=True))(_asked, peer)

    url = server.on("/x", in_turn(busy, serve(OFFERED)))
    place.arrived(place.fetch(url), OFFERED)
    assert resting(server) >= 0.9, "the date was not waited for"
    assert server.count() <= 10


@pytest.mark.parametrize(
    "value", ["1000000000", "9" * 40, "Fri, 31 Dec 9999 23:59:59 GMT", "-1", "soon", "1.5e99", ""]
)
def test_36_absurd_retry_after(place: Place, server: Scripted, value: str) -> None:
    """Fault 36: a host asks for a rest of years, or for none that can be understood."""
    url = server.on("/x", in_turn(status(429, retry_after=value), serve(OFFERED)))
    outcome = place.fetch(url)
    if outcome.error is None:
        place.arrived(outcome, OFFERED)
    else:
        place.failed(outcome, TooManyRequestsError)
    assert server.count() <= 10


def test_36_retry_after_for_ever(place: Place, server: Scripted) -> None:
    """Fault 36: a host that says `Retry-After: 0` each time is not asked a thousand times."""
    url = server.on("/x", status(429, retry_after="0"))
    place.failed(place.fetch(url), TooManyRequestsError, RemoteServerError)
    assert server.count() <= QUICK.attempts + 1


@pytest.mark.parametrize(
    "headers",
    [
        {"ratelimit": '"api";r=0;t=1', "ratelimit-policy": '"fixed window";"api";q=500;w=300'},
        {"ratelimit": '"resolve";r=7;t=40, "api";r=0;t=1'},
        {"ratelimit_remaining": "0", "ratelimit_reset": "1"},
    ],
    ids=["hub", "list", "legacy"],
)
def test_37_rate_limit_header(place: Place, server: Scripted, headers: dict[str, str]) -> None:
    """Fault 37: 429 without `Retry-After`, but with the header that tells when the window ends."""
    url = server.on("/x", in_turn(status(429, **headers), serve(OFFERED)))
    place.arrived(place.fetch(url), OFFERED)
    assert resting(server) >= 1


def test_37_too_many_requests_says_nothing_more(place: Place, server: Scripted) -> None:
    """Fault 37: 429 alone, as Civitai sends it, is backed off from."""
    url = server.on("/x", in_turn(*[status(429)] * 2, serve(OFFERED)))
    place.arrived(place.fetch(url), OFFERED)
    assert server.count() < 20


@pytest.mark.parametrize("code", [500, 502, 503, 504, 408, 425])
def test_38_server_errors_pass(place: Place, server: Scripted, code: int) -> None:
    """Fault 38: the host stumbles twice, at the beginning."""
    url = server.on("/x", in_turn(*[status(code, b"oops")] * 2, serve(OFFERED)))
    place.arrived(place.fetch(url), OFFERED)
    assert server.count() < 20


def test_38_server_errors_between_the_parts(place: Place, server: Scripted) -> None:
    """Fault 38: in mid-file, and twice each time, some parts are answered with an error."""

    def script(asked: Asked, peer: Peer) -> None:
        if asked.number % 3:
            status(502, b"<html>bad gateway</html>")(asked, peer)
            return
        peer.reply(OFFERED.answer(asked.range), MEBIBYTE)
        peer.reset()

    url = server.on("/x", script)
    place.arrived(place.fetch(place.order(url, expecting(OFFERED)), connections=1), OFFERED)


@pytest.mark.parametrize("code", [500, 503, 504])
def test_38_server_errors_do_not_pass(place: Place, server: Scripted, code: int) -> None:
    """Fault 38: the host is broken for good, which is told after some attempts."""
    url = server.on("/x", status(code, b"oops"))
    error = place.failed(place.fetch(url), RemoteServerError)
    assert error.status == code
    assert server.count() <= QUICK.attempts + 1


def test_39_not_found_that_heals(place: Place, tmp_path: Path) -> None:
    """Fault 39: Civitai's resolver says 404 when it is out of breath, and is right the next time."""
    made = tmp_path / "style.safetensors"
    made.write_bytes(OFFERED.content)
    version = HostedVersion(7, [HostedModelFile(70, made)])
    with civitai_site(HostedModel(1, "style", [version])) as site:
        site.refuse_next(404)
        url = f"{site.url}/api/download/models/7?fileId=70"
        order = place.order(url, expecting(OFFERED), destination=place.folder)
        place.arrived(place.fetch(order), OFFERED, Verification.DIGEST, "style.safetensors")
        assert len(site.requests()) == 2


def test_39_not_found_that_stays(place: Place, server: Scripted) -> None:
    """Fault 39: a file that is not there is asked for at most three times."""
    place.failed(place.fetch(server.url("/nowhere")), RemoteFileGoneError)
    assert server.count() <= 3


def test_40_redirects_in_a_circle(place: Place, server: Scripted) -> None:
    """Fault 40: two addresses lead to each other."""
    url = server.on("/a", redirect("/b"))
    server.on("/b", redirect("/a"))
    place.failed(place.fetch(url), ForbiddenRedirectError)
    assert server.count() <= 12


def test_40_too_many_redirects(place: Place, server: Scripted) -> None:
    """Fault 40: ten redirects are followed, eleven are not."""
    for hop in range(12):
        server.on(f"/{hop}", redirect(f"/{hop + 1}", 307))
    server.on("/12", serve(OFFERED))
    place.arrived(place.fetch(server.url("/2")), OFFERED)
    (place.folder / "model.bin").unlink()
    asked = server.count()
    place.failed(place.fetch(server.url("/1")), ForbiddenRedirectError)
    assert server.count() - asked <= 12


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_40_each_kind_of_redirect(place: Place, server: Scripted, code: int) -> None:
    """Fault 40, the other way round: every redirecting status is followed, relative targets too."""
    url = server.on("/a/b", redirect("../x?y=1", code))
    server.on("/x", serve(OFFERED))
    place.arrived(place.fetch(url), OFFERED)


@pytest.mark.parametrize("target", STRANGE)
def test_40_strange_redirect(place: Place, server: Scripted, target: str) -> None:
    """Fault 40: whatever a redirect says, it leads to the file or to an error of ours, and not far."""
    url = server.on("/x", redirect(target))
    server.on("/y", serve(OFFERED))
    outcome = place.fetch(url)
    if outcome.error is None:
        place.arrived(outcome, OFFERED)
    else:
        place.failed(outcome, ModelshelfError)
    assert server.count() <= 12


@pytest.mark.parametrize("kind", ["session", "curl"])
def test_40_strange_redirects_over_another_transport(
    place: Place, server: Scripted, kind: str
) -> None:
    """Fault 40: libraries that read redirects for themselves trip over none of them."""
    transport = own_transport(kind)
    server.on("/y", serve(OFFERED))
    for target in (*STRANGE, "/\udcff"):
        url = server.on("/x", redirect(target))
        outcome = place.fetch(place.order(url, overwrite=True), transport=transport)
        if outcome.error is None:
            place.arrived(outcome, OFFERED)
            outcome.downloaded.path.unlink()
        else:
            place.failed(outcome, ModelshelfError)
    transport.close()


def test_40_redirect_with_an_endless_body(place: Place, server: Scripted) -> None:
    """Fault 40: behind the head of a redirect comes a body that never ends; nobody reads it."""

    def script(_asked: Asked, peer: Peer) -> None:
        peer.head(Reply(302, {"location": "/y", "transfer-encoding": "chunked"}, b""))
        for _ in range(100):
            peer.chunk(OFFERED.content)

    if TRANSPORT == "session":
        pytest.skip("requests itself reads the body of a redirect, whoever asked for none")
    server.on("/y", serve(OFFERED))
    place.arrived(place.fetch(server.on("/x", script)), OFFERED)
    assert server.sent("/x") < 10 * SIZE


def test_40_redirect_to_nowhere(place: Place, server: Scripted) -> None:
    """Fault 40: a redirect without a target is an error of its own."""
    url = server.on("/x", status(302))
    outcome = place.fetch(url)
    place.failed(outcome, DownloadError)
    assert server.count() <= 2


def test_41_signed_address_expires_in_mid_file(place: Place, hub: HuggingFaceHub) -> None:
    """Fault 41: the signature is too old for the rest: the origin is asked again, and nothing comes twice."""
    hub.files.expire_after(SIZE // 2)
    url = f"{hub.url}/acme/dreamland/resolve/main/model.safetensors"
    order = place.order(
        url,
        expecting(OFFERED),
        token=HuggingFaceHub.token if hasattr(HuggingFaceHub, "token") else None,
    )
    place.arrived(place.fetch(order), OFFERED, Verification.DIGEST)
    assert hub.files.bytes_sent.total() - SIZE <= 4 * MEBIBYTE
    assert 2 <= len(hub.requests("GET", "/resolve/")) <= 6
    assert all(not one.credentials for one in hub.files.requests())


def test_41_signed_address_of_nginx_expires(place: Place, tmp_path: Path, server: Scripted) -> None:
    """Fault 41: nginx's own signed links, each good for two seconds at most, on a slow connection."""
    (tmp_path / "nginx").mkdir()
    with run_nginx(tmp_path / "nginx", rate="1m") as nginx:
        (nginx.files / "x").write_bytes(OFFERED.content)

        def sign(asked: Asked, peer: Peer) -> None:
            redirect(nginx.signed("x", 2))(asked, peer)

        url = server.on("/x", sign)
        place.arrived(place.fetch(place.order(url, expecting(OFFERED)), connections=2), OFFERED)
        fetched = sum(one.sent for one in nginx.log() if one.status in {200, 206})
        assert fetched - SIZE <= 2 * MEBIBYTE
        assert server.count() <= 12


def test_42_gated_repository(place: Place, hub: HuggingFaceHub, model: Path) -> None:
    """Fault 42: the author wants to be asked: 401 without a token, 403 with one that was not granted."""
    hub.add("acme/gated", model, gated="manual")
    url = f"{hub.url}/acme/gated/resolve/main/model.safetensors"
    anonymous = place.failed(place.fetch(url), AccessDeniedError)
    assert anonymous.status == 401
    stranger = place.failed(place.fetch(place.order(url, token=STRANGER)), AccessDeniedError)
    assert stranger.status == 403
    assert STRANGER not in f"{stranger} {stranger.advice} {stranger.facts}"
    assert len(hub.requests("GET", "/resolve/")) == 2


def test_42_missing_file_and_repository(place: Place, hub: HuggingFaceHub) -> None:
    """Fault 42: the Hub says by a code of its own whether the file or the repository is not there."""
    url = f"{hub.url}/acme/dreamland/resolve/main/nothing.bin"
    place.failed(place.fetch(url), RemoteFileGoneError)
    url = f"{hub.url}/acme/nothing/resolve/main/model.safetensors"
    place.failed(place.fetch(url), RemoteFileGoneError, AccessDeniedError)


@pytest.mark.parametrize(
    ("fields", "kind", "code", "said"),
    [
        ({"needs_login": True}, AccessDeniedError, 401, "logged in"),
        ({"is_blocked": True}, AccessDeniedError, 403, ""),
        (
            {"early_access_ends": datetime.now(UTC) + timedelta(days=3)},
            AccessDeniedError,
            403,
            "Early Access",
        ),
        ({"is_archived": True}, RemoteFileGoneError, 410, "archived"),
    ],
    ids=["login", "blocked", "early", "archived"],
)
def test_42_civitai_says_no(
    place: Place,
    tmp_path: Path,
    fields: dict[str, object],
    kind: type[AccessDeniedError | RemoteFileGoneError],
    code: int,
    said: str,
) -> None:
    """Fault 42: each way in which Civitai refuses has its own type, the site's words, and is asked once."""
    made = tmp_path / "style.safetensors"
    made.write_bytes(OFFERED.content)
    version = HostedVersion(7, [HostedModelFile(70, made)], **fields)  # type: ignore[arg-type]
    with civitai_site(HostedModel(1, "style", [version])) as site:
        url = f"{site.url}/api/download/models/7?fileId=70"
        error = place.failed(place.fetch(url), kind)
        assert error.status == code
        assert said.lower() in f"{error} {error.advice}".lower()
        assert len(site.requests()) == 1


def test_42_small_files_have_a_digest_too(place: Place, hub: HuggingFaceHub, model: Path) -> None:
    """Fault 42, the other way round: with access, a small file is checked against git's own digest."""
    shutil.copy(model / "config.json", place.home.parent / "config.json")
    content = (model / "config.json").read_bytes()
    git = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    url = f"{hub.url}/acme/dreamland/resolve/main/config.json"
    order = place.order(
        url, ExpectedContent(size=len(content), git_sha1=git), destination=place.folder
    )
    offered = Offered(content)
    downloaded = place.arrived(place.fetch(order), offered, Verification.DIGEST, "config.json")
    assert downloaded.sha256 in {None, Digest.parse(f"sha256:{offered.sha256}")}
