"""What an installation must not do, whoever asks for it: reach inside, give tokens away, leave its folder."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from modelshelf import ModelInstallService, Settings
from modelshelf.download import DownloadQueueService, PrivateAddresses
from modelshelf.errors import ForbiddenAddressError
from modelshelf.schema.listing import ListedFile, Listing
from modelshelf.schema.model_source import HFModelSource
from modelshelf.testing import tiny
from tests.hubs import TOKEN, Answer, Origin, Request
from tests.installers import PATIENCE, Place, installing_place

pytestmark = pytest.mark.fault

REFUSE = {"private_addresses": Settings().download.private_addresses}
"""What a library does whose settings do not say."""


def send_to_another_name(origin: Origin) -> None:
    """Let *origin* redirect to this machine by another of its names, as a rebinding host would."""
    answer = origin.answer

    def elsewhere(request: Request) -> Answer:
        found = answer(request)
        if "Location" in found.headers:
            found.headers["Location"] = found.headers["Location"].replace("127.0.0.1", "localhost")
        return found

    origin.answer = elsewhere  # type: ignore[method-assign]


def refuse(request: Request) -> Answer:
    """Answer as a storage does that was asked wrongly."""
    return Answer(400, {"X-Asked": request.method})


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with installing_place(tmp_path) as place:
        yield place


def test_private_addresses_are_refused_unless_settings_allow_them(tmp_path: Path) -> None:
    """For an address and for what is only cached, whatever queue fetches it; nobody there is asked."""
    with installing_place(tmp_path, download=REFUSE) as place:
        port = urlsplit(place.hub.files.url).port
        for host in ("127.0.0.1", "localhost", "[::1]", "0.0.0.0", "2130706433", "127.1"):  # noqa: S104
            job = place.install(f"http://{host}:{port}/x.safetensors")
            assert job.errored, host
            assert job.error_code in {"address-forbidden", "model-source-invalid"}, host
        with pytest.raises(ForbiddenAddressError, match="not a public address"):
            place.installer.download_and_cache(f"{place.hub.files.url}/x")
        with (
            DownloadQueueService(quiet=True, private_addresses=PrivateAddresses.ALLOW) as queue,
            ModelInstallService(place.settings, place.services.configs, queue) as installer,
        ):
            job = installer.heuristic_import(f"http://127.0.0.1:{port}/x.safetensors")
            assert installer.wait_for_job(job, PATIENCE).error_code == "address-forbidden"
        assert place.hub.files.requests() == place.site.files.requests() == []
        assert place.hub.files.bytes_sent.total() == 0


@pytest.mark.parametrize("source", ["acme/dream", "civitai:1"])
def test_a_hub_that_settings_name_may_be_anywhere(tmp_path: Path, source: str) -> None:
    """A mirror in one's own network was allowed by being named; what it sends to elsewhere was not."""
    with installing_place(tmp_path, download=REFUSE) as place:
        assert place.install(source).complete
    with installing_place(tmp_path / "again", download=REFUSE) as place:
        send_to_another_name(place.hub)
        send_to_another_name(place.site)
        assert place.install(source).error_code == "address-forbidden"


@pytest.mark.parametrize("source", ["acme/dream", "civitai:1"])
def test_a_hub_may_not_send_to_a_private_address_that_nobody_named(
    place: Place, source: str
) -> None:
    """The hub itself was named by the settings; what it redirects to was not."""
    send_to_another_name(place.hub)
    send_to_another_name(place.site)
    job = place.install(source)
    assert (job.status.value, job.error_code) == ("error", "address-forbidden"), job.error
    assert place.hub.files.requests() == place.site.files.requests() == []


def test_private_addresses_may_be_allowed(tmp_path: Path) -> None:
    """In a network in which every host is one's own."""
    with installing_place(tmp_path, download={"private_addresses": "allow"}) as place:
        send_to_another_name(place.hub)
        assert place.install("acme/dream").complete


@pytest.mark.parametrize("outcome", ["completed", "error"])
def test_tokens_are_nowhere_but_in_the_settings(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, outcome: str
) -> None:
    """Neither the settings' nor the caller's nor one in an address: not on disk, in logs, events or jobs."""
    caplog.set_level(logging.DEBUG)
    secrets = [TOKEN, "s3cretOfCivitai", "s3cretInQuery", "s3cretUser"]
    with installing_place(tmp_path, civitai={"token": "s3cretOfCivitai"}) as place:
        place.site.token = "s3cretOfCivitai"  # noqa: S105 - the stand-in's own
        place.version.needs_login = True
        place.hub.repositories["acme/dream"].is_private = True
        if outcome == "error":
            place.hub.files.expire_signed_urls()
            for storage in (place.site.files, place.hub.files):
                storage.answer = refuse  # type: ignore[method-assign]
        key = place.hub.files.publish(place.lora, etag="p", is_public=True)
        address = urlsplit(place.hub.files.public_url(key))
        url = f"http://s3cretUser:pw@{address.netloc}{address.path}?token=s3cretInQuery"
        with place.bus.subscribe() as events:
            jobs = [place.install("acme/dream", TOKEN), place.install("civitai:1")]
            jobs.append(place.install(url))
        assert [job.status.value for job in jobs] == [outcome] * 3, [job.error for job in jobs]
        said = caplog.text + "".join(f"{job!r}{job.model_dump_json()}" for job in jobs[:2])
        said += jobs[2].error or ""
        said += "".join(str(event.payload) for event in events)
        said += "".join(str(job.config_out) for job in jobs)
        assert [secret for secret in secrets if secret in said] == []
        stored = [*place.hub.files.requests(), *place.site.files.requests()]
        # What the address itself says is for its host.
        assert not [one for one in stored if one.credentials and not one.path.startswith("/p/")]
    for path in (tmp_path / "shelf").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert [each for each in secrets if each.encode() in content] == [], path


def test_names_that_a_hub_chooses_stay_inside(place: Place) -> None:
    """Also when a listing was not made by us: what lies on the disk is checked when it is taken up."""
    before = {path for path in place.folder.rglob("*") if "shelf" not in path.parts}
    place.version.files[0].name = "../../../../evil.safetensors"
    job = place.install("civitai:1")
    assert job.complete, job.error
    assert job.config_out is not None
    assert "/" not in job.config_out.name
    assert {path for path in place.folder.rglob("*") if "shelf" not in path.parts} == before
    with pytest.raises(ValueError, match="leave its folder"):
        Listing(
            source=HFModelSource(repo_id="acme/dream"),
            name="dream",
            files=(ListedFile(name="../evil.safetensors", url="https://hub.example/x"),),
            is_folder=True,
            origin="https://hub.example",
        )


def test_nothing_that_is_fetched_is_executed(place: Place) -> None:
    """A pickle that calls something is kept as what it is, or refused; what it calls is never called."""
    mark = place.folder / "executed"
    evil = place.folder / "evil.ckpt"
    evil.write_bytes(f"cos\nsystem\n(S'touch {mark}'\ntR.".encode())
    url = place.site.files.public_url(place.site.files.publish(evil, etag="e", is_public=True))
    job = place.install(url)
    assert job.in_terminal_state
    assert not mark.exists()


def test_what_lies_at_an_adopted_path_is_never_written(place: Place) -> None:
    """Not by registering, relinking, missing or deleting its record."""
    mine = place.folder / "mine"
    tiny.pipeline(mine / "dream", base="sd-1")
    for path in [mine, *mine.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = {path: path.stat() for path in [mine, *mine.rglob("*")]}
    try:
        key = place.installer.register_path(mine / "dream")
        place.installer.start()
        assert place.installer.placed.missing() == []
        assert list(place.installer.placed.relink([mine])) == []
        place.installer.delete(key)
        after = {path: path.stat() for path in [mine, *mine.rglob("*")]}
        assert {
            path: (status.st_mtime_ns, status.st_ctime_ns) for path, status in after.items()
        } == {path: (status.st_mtime_ns, status.st_ctime_ns) for path, status in before.items()}
    finally:
        for path in [mine, *mine.rglob("*")]:
            if path.is_dir():
                path.chmod(0o755)


def test_many_waits_end(place: Place) -> None:
    """However an installation ends, whoever waits for it is told within the time that it takes."""
    for source in ("acme/absent", "acme/ink", "civitai:9"):
        place.installer.heuristic_import(source)
    jobs = place.installer.wait_for_installs(timeout=PATIENCE)
    assert [job.in_terminal_state for job in jobs] == [True] * 3
