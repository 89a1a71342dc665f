"""Installations that are paused, cancelled, awaited and taken up again, from here and from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from modelshelf import ModelInstallService, Settings
from modelshelf.disk import LocalDisk
from modelshelf.download import DownloadQueueService
from modelshelf.errors import (
    InvalidModelSourceError,
    LoginRequiredError,
    StoreUnusableError,
    UndeletableFolderError,
)
from modelshelf.install.job_folder import JobFolders, Wish
from modelshelf.protocols import ModelRecords
from modelshelf.records.services import ModelRecordServiceFile, ModelRecordServiceSQL
from modelshelf.schema.install_job import ModelInstallJob
from modelshelf.schema.model_source import HFModelSource, LocalModelSource
from modelshelf.testing import tiny
from tests.hubs import TOKEN, Answer
from tests.installers import PATIENCE, Place, installing_place, open_place

TERMINAL = {"model_install_completed", "model_install_error", "model_install_cancelled"}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with installing_place(tmp_path) as place:
        yield place


def held(place: Place) -> tuple[ModelInstallJob, Event]:
    """Begin an installation whose download stands still in the middle."""
    reached, go_on = place.hub.files.hold_after(600_000)
    job = place.installer.heuristic_import("acme/dream")
    assert reached.wait(PATIENCE)
    return job, go_on


def other_program(place: Place, job: ModelInstallJob, wish: Wish) -> None:
    """Ask for something as `shelf job` does, from a program that has no part in it."""
    with JobFolders(place.settings.cache_path / "installs", LocalDisk()) as folders:
        found = folders.find(job.id)
        assert found is not None
        assert folders.is_alive(found[1])
        found[0].ask(wish)


def wait_until(place: Place, job: ModelInstallJob, status: str) -> None:
    """Wait for a status that nobody can wait for otherwise; events come when it may have changed."""
    with place.bus.subscribe() as events:
        for _ in range(PATIENCE * 10):
            if job.status.value == status:
                return
            events.get(timeout=0.1)
    raise AssertionError(job.status)


def test_a_paused_job_keeps_what_came_and_goes_on(place: Place) -> None:
    """Nothing is fetched twice but what was on its way."""
    job, go_on = held(place)
    place.installer.pause_job(job)
    go_on.set()
    assert job.paused
    assert not job.in_terminal_state
    assert job in place.installer.wait_for_installs(timeout=PATIENCE)
    assert job.paused
    place.installer.resume_job(job)
    assert place.installer.wait_for_job(job, timeout=PATIENCE).complete, job.error
    (commit,) = place.hub.repositories["acme/dream"].commits.values()
    whole = sum(file.size for file in commit.values() if file.is_large)
    assert place.hub.files.bytes_sent.total() < whole + 8 * (1 << 20)


def test_a_cancelled_job_leaves_nothing_and_says_so_once(place: Place) -> None:
    """Its folder is gone, and cancelling again changes nothing."""
    with place.bus.subscribe() as events:
        job, go_on = held(place)
        place.installer.cancel_job(job)
        go_on.set()
        place.installer.cancel_job(job)
        place.installer.wait_for_job(job, timeout=PATIENCE)
        place.queue.join()
    assert job.cancelled
    ends = [event for event in events if event.name in TERMINAL]
    assert [event.name for event in ends] == ["model_install_cancelled"]
    assert ends[0].payload["source"] == "acme/dream"
    place.installer.stop()
    assert place.left_behind() == []
    assert place.services.configs.all_models() == []


def test_another_program_pauses_resumes_and_cancels(place: Place) -> None:
    """By a wish in the job's folder, which its program carries out."""
    job, go_on = held(place)
    other_program(place, job, Wish.PAUSE)
    wait_until(place, job, "paused")
    go_on.set()
    other_program(place, job, Wish.RESUME)
    wait_until(place, job, "completed")
    second = place.installer.heuristic_import("acme/absent")
    place.installer.wait_for_job(second, timeout=PATIENCE)
    assert second.errored
    place.hub.add("acme/absent", place.folder / "hosted" / "dream")
    other_program(place, second, Wish.RESUME)
    wait_until(place, second, "completed")


def test_waiting_ends_when_the_time_is_over(place: Place) -> None:
    """Without an error; the job says that it is not done. A timeout of 0 waits until it is."""
    job, go_on = held(place)
    jobs = place.installer.wait_for_installs(timeout=0.2)
    assert jobs[HFModelSource(repo_id="acme/dream", variant=None)] is job
    assert not job.in_terminal_state
    assert place.installer.wait_for_job(job, timeout=0.2) is job
    assert not job.in_terminal_state
    Thread(target=go_on.set).start()
    assert place.installer.wait_for_installs()[0].complete
    assert place.installer.wait_for_installs() == [job]


def test_start_takes_up_what_was_left(tmp_path: Path, place: Place) -> None:
    """With its number and its wishes; what is whole is not fetched again."""
    job, go_on = held(place)
    job.config_in["name"] = "not what counts"
    place.installer.stop()
    go_on.set()
    place.queue.stop()
    with open_place(tmp_path, place.hub, place.site) as later:
        assert later.installer.list_jobs() == []
        later.installer.start()
        (again,) = later.installer.list_jobs()
        assert (again.id, again.source) == (job.id, job.source)
        assert later.installer.wait_for_job(again, timeout=PATIENCE).complete, again.error
        assert again.config_out is not None
        assert again.config_out.name == "dream"
        assert later.left_behind() == []


def test_a_program_that_stops_and_starts_keeps_its_own_tokens(place: Place) -> None:
    """They are in no file, but it has them still; only another program has to be given them again."""
    place.hub.repositories["acme/dream"].is_private = True
    reached, go_on = place.hub.files.hold_after(600_000)
    job = place.installer.heuristic_import("acme/dream", access_token=TOKEN)
    assert reached.wait(PATIENCE)
    place.installer.stop()
    go_on.set()
    place.installer.start()
    assert place.installer.wait_for_job(job, timeout=PATIENCE).complete, job.error


def test_a_job_that_was_resumed_goes_on_after_a_stop(place: Place) -> None:
    """That it had been put aside once does not count any more."""
    job, go_on = held(place)
    place.installer.pause_job(job)
    place.installer.resume_job(job)
    place.installer.stop()
    go_on.set()
    place.installer.start()
    assert place.installer.wait_for_job(job, timeout=PATIENCE).complete, job.error


def test_a_job_whose_source_has_changed_is_not_gone_on_with(place: Place) -> None:
    """Nor by the program that began it: what is asked for is listed afresh."""
    source = HFModelSource(repo_id="acme/dream", variant=None)
    place.hub.files.answer = lambda request: Answer(404)  # type: ignore[method-assign]  # noqa: ARG005
    job = place.installer.import_model(source)
    assert place.installer.wait_for_job(job, timeout=PATIENCE).errored
    assert job.error_code == "remote-file-gone"
    assert place.installer.take_up_same(source) is None


def test_the_same_goes_on_where_it_rests_and_never_where_it_runs(place: Place) -> None:
    """Whether this program began it or another; with the token that is given now."""
    place.hub.repositories["acme/dream"].is_private = True
    source = HFModelSource(repo_id="acme/dream", variant=None)
    with_token = source.model_copy(update={"access_token": TOKEN})
    reached, go_on = place.hub.files.hold_after(600_000)
    job = place.installer.import_model(with_token, {"tags": ["mine"]})
    assert reached.wait(PATIENCE)
    assert place.installer.take_up_same(with_token, {"tags": ["mine"]}) is None
    place.installer.pause_job(job)
    assert place.installer.take_up_same(with_token) is None
    go_on.set()
    place.installer.stop()
    place.queue.stop()
    with open_place(place.folder, place.hub, place.site) as later:
        refused = later.installer.take_up_same(source, {"tags": ["mine"]})
        assert refused is not None
        assert later.installer.wait_for_job(refused, timeout=PATIENCE).errored
        again = later.installer.take_up_same(with_token, {"tags": ["mine"]})
        assert again is refused
        assert later.installer.wait_for_job(again, timeout=PATIENCE).complete, again.error
        assert later.left_behind() == []
        assert later.installer.take_up_same(with_token, {"tags": ["mine"]}) is None


def test_events_come_in_their_order_and_end_once(place: Place) -> None:
    """Downloading before running; one end; a local model has no downloading."""
    with place.bus.subscribe() as events:
        remote = place.install("acme/dream")
        local = place.install(str(place.lora))
    assert (remote.complete, local.complete) == (True, True)
    told = list(events)
    names = [event.name for event in told if event.payload["id"] == remote.id]
    assert list(dict.fromkeys(names)) == [
        "model_install_downloading",
        "model_install_running",
        "model_install_completed",
    ]
    assert names.count("model_install_running") == names.count("model_install_completed") == 1
    assert [event.name for event in told if event.payload["id"] == local.id] == [
        "model_install_running",
        "model_install_completed",
    ]
    moved = [event.payload for event in told if event.name == "model_install_downloading"]
    counts = [payload["bytes"] for payload in moved]
    assert counts == sorted(counts)
    assert all(payload["total_bytes"] == moved[0]["total_bytes"] for payload in moved)
    done = next(event for event in told if event.name == "model_install_completed")
    assert remote.config_out is not None
    assert done.payload["key"] == remote.config_out.key
    assert done.payload["source"] == "acme/dream"


@pytest.mark.parametrize("kind", ["sql", "yaml"])
def test_records_go_into_a_store_of_the_programs_own(
    tmp_path: Path, place: Place, kind: str
) -> None:
    """The library and the other store have the same key; `delete` removes both."""
    store: ModelRecords
    if kind == "sql":
        store = ModelRecordServiceSQL.from_db_file(str(tmp_path / "own.db"))
    else:
        store = ModelRecordServiceFile.from_db_file(str(tmp_path / "own.yaml"))
    with ModelInstallService(
        place.settings, store, place.queue, services=place.services
    ) as installer:
        assert installer.record_store is store
        job = installer.wait_for_job(
            installer.heuristic_import("acme/ink", {"tags": ["mine"]}), timeout=PATIENCE
        )
        assert job.complete, job.error
        assert job.config_out is not None
        key = job.config_out.key
        assert store.get_model(key).tags == place.services.configs.get_model(key).tags
        assert "mine" in store.get_model(key).tags
        placed = installer.register_path(place.lora)
        assert not place.services.configs.exists(placed)
        installer.delete(key)
        assert not store.exists(key)
        assert not place.services.configs.exists(key)
        installer.delete(placed)
        assert place.lora.exists()
    store.close()


def test_a_path_is_the_same_source_however_it_is_written(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record says where its model came from also when somebody reads it in another folder."""
    monkeypatch.chdir(place.folder)
    monkeypatch.setenv("HOME", str(place.folder))
    texts = ["hosted/ink/ink.safetensors", "./hosted//ink/../ink/ink.safetensors", str(place.lora)]
    jobs = [place.install(text) for text in (*texts, "~/hosted/ink/ink.safetensors")]
    records = [job.config_out for job in jobs if job.config_out is not None]
    assert {record.source for record in records} == {str(place.lora)}
    assert len(records) == 4
    assert len({record.key for record in records}) == 1


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, "lora model for sd-1"),
        ({"base": "sdxl"}, "lora model for sdxl"),
        ({"description": "of ink"}, "of ink"),
        ({"description": ""}, None),
    ],
)
def test_a_model_that_nobody_describes_is_described_by_what_it_is(
    place: Place, config: dict[str, str], expected: str | None
) -> None:
    """As the specification has it: probing assigns a default name and description."""
    installer = place.installer
    fetched = installer.wait_for_job(installer.heuristic_import("acme/ink", config), PATIENCE)
    assert fetched.config_out is not None
    keys = [
        fetched.config_out.key,
        installer.install_path(place.lora, config),
        installer.register_path(place.lora, config),
    ]
    assert [installer.record_store.get_model(key).description for key in keys] == [expected] * 3


def test_records_of_the_programs_own_do_not_lie_where_the_library_is_to_be(tmp_path: Path) -> None:
    """The specification opens its store at `config.db_path`; here that is the whole library's file."""
    settings = Settings(root=tmp_path / "shelf")
    with (
        ModelRecordServiceSQL.from_db_file(settings.db_path) as store,
        DownloadQueueService(quiet=True) as queue,
        pytest.raises(StoreUnusableError, match=r"`ModelRecordServiceBase\.open\(config\)`"),
    ):
        ModelInstallService(settings, store, queue)
    with ModelRecordServiceSQL.from_db_file(settings.db_path) as store:
        assert store.all_models() == []


def test_what_another_model_shares_survives_and_undo_brings_all_back(place: Place) -> None:
    """Deleting takes the record; bytes stay as long as anybody may need them."""
    other = tiny.pipeline(
        place.folder / "hosted" / "other", base="sd-1", seed=5, share_seed=0, size=3_000_000
    )
    place.hub.add("acme/other", other)
    first, second = place.install("acme/dream"), place.install("acme/other")
    assert first.config_out is not None
    assert second.config_out is not None
    place.installer.delete(first.config_out.key)
    services = place.services
    services.collector.collect(expire_trash=None)
    assert services.verifier.verify().clean
    assert services.records.stored_model(second.config_out.key) is not None
    (entry,) = services.trash.entries()
    assert entry.name == "dream"
    services.trash.restore(entry.trash_id)
    assert services.configs.get_model(first.config_out.key).name == "dream"
    assert services.verifier.verify().clean


def test_a_link_is_removed_as_a_link(place: Place) -> None:
    """Also one to a folder: what it leads to was not named."""
    target = tiny.pipeline(place.folder / "target", base="sd-1")
    for kind, found in (("folder", target), ("file", place.lora)):
        link = place.folder / f"{kind}-link{found.suffix}"
        link.symlink_to(found)
        place.installer.unconditionally_delete(place.installer.register_path(link))
        assert not link.is_symlink()
        assert found.exists()
    mine = tiny.pipeline(place.folder / "mine", base="sd-1")
    inner = mine / "linked.safetensors"
    inner.symlink_to(place.lora)
    place.installer.unconditionally_delete(place.installer.register_path(mine))
    assert not mine.exists()
    assert place.lora.exists()


def test_a_folder_that_is_more_than_a_model_is_not_deleted(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records may come from anybody: one of the library's folder, or of another model's, deletes neither."""
    home = place.folder / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    other = tiny.lora(place.folder / "mine" / "other.safetensors", base="sd-1")
    place.installer.register_path(other)
    fields = {"name": "all", "type": "main", "format": "diffusers", "base": "sd-1", "size": 1}
    store = place.installer.record_store
    for number, folder in enumerate((place.folder, place.folder / "mine", home)):
        key = f"record-{number}"
        store.add_model(key, {**fields, "path": str(folder)})
        with pytest.raises(UndeletableFolderError):
            place.installer.unconditionally_delete(key)
        assert folder.is_dir()
        assert store.exists(key)
        store.del_model(key)
    assert other.exists()


def test_a_model_that_is_in_the_library_goes_to_the_trash_whoever_deletes_it(place: Place) -> None:
    """`unconditionally_delete` of a stored model is `delete`; its original stays, being another's."""
    key = place.installer.install_path(place.lora)
    place.installer.unconditionally_delete(key)
    assert place.lora.exists()
    assert [entry.name for entry in place.services.trash.entries()] == ["ink"]


def test_jobs_are_found_by_their_source(place: Place) -> None:
    """By value; a source that nobody asked for has none."""
    source = LocalModelSource(path=place.lora)
    job = place.installer.import_model(source)
    place.installer.wait_for_installs(timeout=PATIENCE)
    assert place.installer.get_job_by_source(LocalModelSource(path=place.lora)) == [job]
    assert place.installer.get_job_by_source(HFModelSource(repo_id="acme/ink")) == []


def test_a_cached_download_that_takes_too_long_goes_on_later(place: Place) -> None:
    """What came is kept; a token that is missing is told as by an installation."""
    reached, go_on = place.hub.files.hold_after(600_000)
    with pytest.raises(TimeoutError):
        place.installer.download_and_cache("acme/dream", timeout=1)
    assert reached.is_set()
    go_on.set()
    path = place.installer.download_and_cache("acme/dream", timeout=PATIENCE)
    assert (path / "model_index.json").is_file()
    assert path.is_relative_to(place.settings.cache_path)
    assert place.installer.download_and_cache("acme/dream") == path
    (commit,) = place.hub.repositories["acme/dream"].commits.values()
    whole = sum(file.size for file in commit.values() if file.is_large)
    assert place.hub.files.bytes_sent.total() < whole + 8 * (1 << 20)
    place.version.needs_login = True
    with pytest.raises(LoginRequiredError):
        place.installer.download_and_cache("civitai:1")
    assert place.installer.download_and_cache("civitai:1", place.site.token).is_file()
    with pytest.raises(InvalidModelSourceError):
        place.installer.download_and_cache(str(place.lora))


def test_full_precision_is_a_setting(tmp_path: Path) -> None:
    """`org/name` alone takes fp32 then, and fp16 otherwise."""
    with installing_place(tmp_path, full_precision=True) as place:
        folder = tmp_path / "hosted" / "both"
        place.hub.add("acme/both", tiny.pipeline(folder, base="sd-1", variant="both"))
        wide = place.install("acme/both").total_bytes
        narrow = place.install("acme/both:fp16").total_bytes
        assert wide > 1.5 * narrow
        with open_place(tmp_path, place.hub, place.site) as usual:
            assert usual.install("acme/both").total_bytes == narrow
    assert not Settings(root=tmp_path).full_precision
