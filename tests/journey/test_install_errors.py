"""Every state in which an installation ends that does not succeed, reached over real HTTP."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from modelshelf.errors import InvalidModelSourceError
from modelshelf.testing import tiny
from tests.hubs import STRANGER, Answer, Request
from tests.installers import PATIENCE, Place, installing_place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with installing_place(tmp_path) as place:
        yield place


def gate(place: Place) -> None:
    place.hub.repositories["acme/dream"].gated = "auto"


def hide(place: Place) -> None:
    place.hub.repositories["acme/dream"].is_private = True


def disable(place: Place) -> None:
    place.hub.repositories["acme/dream"].is_disabled = True


def limit(place: Place) -> None:
    place.hub.refuse_next(100, {"Retry-After": "3000"})


def rename(place: Place) -> None:
    (commit,) = place.hub.repositories["acme/dream"].commits.values()
    files = dict(commit)
    name = "vae/diffusion_pytorch_model.safetensors"
    file = dataclasses.replace(files.pop(name), name="vae/../../../evil.safetensors")
    sha = next(iter(place.hub.repositories["acme/dream"].commits))
    place.hub.repositories["acme/dream"].commits[sha] = files | {file.name: file}


def point_outside(place: Place) -> None:
    (commit,) = place.hub.repositories["acme/dream"].commits.values()
    files = dict(commit)
    file = files.pop("vae/config.json")
    unsafe = dataclasses.replace(file, name="vae/con.json\\..\\..\\x.json")
    sha = next(iter(place.hub.repositories["acme/dream"].commits))
    place.hub.repositories["acme/dream"].commits[sha] = files | {unsafe.name: unsafe}


def describe_only(place: Place) -> None:
    folder = place.folder / "hosted" / "words"
    folder.mkdir()
    (folder / "README.md").write_text("# nothing here\n")
    place.hub.add("acme/words", folder)


def damage(place: Place) -> None:
    path = place.folder / "hosted" / "dream" / "unet" / "diffusion_pytorch_model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def damage_site(place: Place) -> None:
    _ = place.version.files[0].hashes  # what the site announces stays
    content = bytearray(place.lora.read_bytes())
    content[-1] ^= 1
    place.lora.write_bytes(content)


def point(place: Place) -> None:
    place.hub.repositories["acme/dream"].serves_pointers = True


def archive(place: Place) -> None:
    place.version.is_archived = True


def take_down(place: Place) -> None:
    place.version.is_blocked = True


def sell(place: Place) -> None:
    place.version.early_access_ends = datetime.now(UTC) + timedelta(days=3)


def ask_who(place: Place) -> None:
    place.version.needs_login = True


def nothing(_place: Place) -> None:
    """Arrange nothing."""


@pytest.mark.parametrize(
    ("arrange", "source", "token", "error", "code"),
    [
        (gate, "acme/dream", None, "GatedRepositoryError", "repository-gated"),
        (gate, "acme/dream", STRANGER, "GatedRepositoryError", "repository-gated"),
        (hide, "acme/dream", None, "RepositoryNotFoundError", "repository-not-found"),
        (hide, "acme/dream", STRANGER, "RepositoryNotFoundError", "repository-not-found"),
        (disable, "acme/dream", None, "RepositoryDisabledError", "repository-disabled"),
        (nothing, "acme/absent", None, "RepositoryNotFoundError", "repository-not-found"),
        (nothing, "acme/dream@no-such", None, "RevisionNotFoundError", "revision-not-found"),
        (
            nothing,
            "acme/dream::no/such.safetensors",
            None,
            "RepositoryFileNotFoundError",
            "repository-file-not-found",
        ),
        (nothing, "acme/dream", "hf_wrong", "TokenRefusedError", "token-refused"),
        (limit, "acme/dream", None, "RateLimitedError", "rate-limited"),
        (rename, "acme/dream", None, "UnsafeListingError", "listing-unsafe"),
        (point_outside, "acme/dream", None, "UnsafeListingError", "listing-unsafe"),
        (describe_only, "acme/words", None, "NoModelFilesError", "model-files-missing"),
        (damage, "acme/dream", None, "DigestMismatchError", "digest-mismatch"),
        (damage_site, "civitai:1", None, "DigestMismatchError", "digest-mismatch"),
        (nothing, "civitai:9", None, "CivitaiNotFoundError", "civitai-not-found"),
        (nothing, "civitai:1@9", None, "CivitaiNotFoundError", "civitai-not-found"),
        (nothing, "hash:0011223344", None, "CivitaiNotFoundError", "civitai-not-found"),
        (archive, "civitai:1", None, "ModelArchivedError", "model-archived"),
        (sell, "civitai:1@11", None, "EarlyAccessError", "early-access"),
        (ask_who, "civitai:1", None, "LoginRequiredError", "login-required"),
        (ask_who, "civitai:1", "wrong", "TokenRefusedError", "token-refused"),
        (take_down, "civitai:1", None, "DownloadForbiddenError", "download-forbidden"),
    ],
)
def test_a_hub_that_gives_nothing_says_why(
    place: Place,
    arrange: Callable[[Place], None],
    source: str,
    token: str | None,
    error: str,
    code: str,
) -> None:
    """As an error of its own that says what to do; one event tells it, and no model is seen."""
    arrange(place)
    with place.bus.subscribe() as events:
        job = place.install(source, token)
    assert (job.status.value, job.error_type, job.error_code) == ("error", error, code), job.error
    assert job.errored
    assert job.in_terminal_state
    assert job.hint
    assert error in (job.error or "")
    told = [event for event in events if event.name != "model_install_downloading"]
    assert [event.name for event in told] == ["model_install_error"]
    assert told[0].payload["error_type"] == error
    assert place.installer.record_store.all_models() == []
    assert place.left_behind() == [str(job.id)]
    place.installer.prune_jobs()
    assert place.left_behind() == []


def test_a_token_of_the_settings_that_opens_nothing_is_said_to_be_refused(tmp_path: Path) -> None:
    """And not that one is missing."""
    with installing_place(tmp_path, civitai={"token": "outdated"}) as place:
        ask_who(place)
        job = place.install("civitai:1")
        assert (job.status.value, job.error_code) == ("error", "token-refused")
        assert "outdated" not in (job.error or "")


def test_a_pointer_in_place_of_a_file_is_no_file(place: Place) -> None:
    """As from a clone without LFS."""
    point(place)
    job = place.install("acme/dream")
    assert job.errored
    assert job.error_code in {"content-unexpected", "digest-mismatch", "size-mismatch"}
    assert place.installer.record_store.all_models() == []


def test_a_page_in_place_of_a_file_is_no_model(place: Place) -> None:
    """Captive networks and login walls answer so, with a status that says all is well."""

    def page(request: Request) -> Answer:
        body = f"<!DOCTYPE html><title>Before {request.path}</title>".encode()
        return Answer(200, {"Content-Type": "text/html"}, body)

    place.site.files.answer = page  # type: ignore[method-assign]
    job = place.install(f"{place.site.files.url}/style.safetensors")
    assert (job.status.value, job.error_code) == ("error", "content-unexpected")


def test_a_file_that_is_no_model_is_kept_as_unknown_or_refused(place: Place) -> None:
    """What came whole and cannot be read says so by its own error, and is not fetched again."""
    path = place.folder / "broken.safetensors"
    path.write_bytes((2**40).to_bytes(8, "little") + b"{}")
    url = place.site.files.public_url(place.site.files.publish(path, etag="b", is_public=True))
    job = place.install(url)
    assert job.errored, job.config_out
    sent = place.site.files.bytes_sent.total()
    place.installer.retry_job(job)
    place.installer.wait_for_job(job, timeout=PATIENCE)
    assert job.errored
    assert place.site.files.bytes_sent.total() == sent


def test_a_variant_that_is_not_there_becomes_the_default(place: Place) -> None:
    """As the specification says, and the job says it too."""
    job = place.install("acme/dream:onnx")
    assert job.complete, job.error
    assert any("onnx" in note for note in job.notes)


def test_texts_that_name_nothing_are_refused_at_once(place: Place) -> None:
    """There is no job then."""
    for text in ("", "ftp://example.org/x.safetensors", "acme/dream:fp15", "nothing"):
        with pytest.raises(InvalidModelSourceError):
            place.installer.heuristic_import(text)
    assert place.installer.list_jobs() == []


def test_a_path_that_is_not_there_is_an_error_of_the_job(place: Place) -> None:
    """For people type paths wrong."""
    job = place.install(str(place.folder / "no-such.safetensors"))
    assert (job.status.value, job.error_code) == ("error", "source-not-found")


def test_offline_asks_nobody(tmp_path: Path) -> None:
    """And says so for each kind of source; what is on this machine goes on."""
    with installing_place(tmp_path, offline=True) as place:
        for source in ("acme/dream", "civitai:1", f"{place.hub.files.url}/x.safetensors"):
            job = place.install(source)
            assert (job.status.value, job.error_code) == ("error", "offline"), source
        assert place.hub.requests() == place.site.requests() == []
        path = tiny.lora(tmp_path / "mine.safetensors", base="sd-1")
        assert place.install(str(path)).complete


def test_a_hub_that_is_not_there_is_told_from_one_that_refuses(tmp_path: Path) -> None:
    """Trying again later may help."""
    nowhere = {"endpoint": "http://127.0.0.1:1"}
    with installing_place(tmp_path, hugging_face=nowhere, civitai=nowhere) as place:
        for source in ("acme/dream", "civitai:1"):
            job = place.install(source)
            assert (job.status.value, job.error_code) == ("error", "hub-unreachable")
        job = place.install("http://127.0.0.1:1/x.safetensors")
        assert (job.status.value, job.error_code) == ("error", "connection-lost")
