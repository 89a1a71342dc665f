"""Kill one use case at every operation it performs, reopen, and look at what is left.

Run as `python -m tests.fault.crash_loop USE_CASE FOLDER [EVERY]`. Each run happens in a forked child, so
that hundreds of kills cost seconds; this parent never opens a library and never hashes.
"""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TypeVar

from sqlalchemy import Engine, event

from modelshelf.disk import LocalDisk
from modelshelf.manager import NormalizedModelManager, normalized_model_manager
from modelshelf.manager.assembly import assemble
from modelshelf.schema.override import Override
from modelshelf.schema.taxonomy import BaseModelType
from modelshelf.settings import Settings
from modelshelf.testing import tiny
from modelshelf.testing.faults import WrappedDisk

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class World:
    """One library, what the user owns beside it, and where exports go."""

    folder: Path

    @property
    def root(self) -> Path:
        return self.folder / "root"

    @property
    def sources(self) -> Path:
        return self.folder / "sources"

    @property
    def exports(self) -> Path:
        return self.folder / "exports"

    def open(self) -> NormalizedModelManager:
        return normalized_model_manager(Settings(root=self.root))


class Fuse:
    """Counts operations of the disk and of the database, and kills the process before the k-th."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.count = 0
        self._lock = Lock()

    def step(self) -> None:
        with self._lock:
            self.count += 1
            if self.count == self.at:
                os.kill(os.getpid(), signal.SIGKILL)

    def watch_database(self) -> None:
        event.listen(Engine, "before_cursor_execute", lambda *_: self.step())
        event.listen(Engine, "commit", lambda *_: self.step())


class FusedDisk(WrappedDisk):
    """A disk whose every operation is a step of the fuse."""

    def __init__(self, fuse: Fuse) -> None:
        super().__init__(LocalDisk())
        self._fuse = fuse

    def around(self, operation: str, act: Callable[[], _Result]) -> _Result:
        self._fuse.step()
        return super().around(operation, act)


@dataclass(frozen=True)
class UseCase:
    """What is prepared, what is then interrupted, and which libraries may be the outcome."""

    prepare: Callable[[World], None]
    act: Callable[[World, NormalizedModelManager], None]
    outcomes: tuple[frozenset[str], ...]
    """Names of the pipelines and models that may be there afterwards: before, or after."""
    taken: frozenset[str] = frozenset()
    """Files of the user that the use case was asked to take away."""


def _make_sources(world: World) -> None:
    """Make two pipelines that share a VAE, and a LoRA: few files, because each one is many kills."""
    for seed, name in enumerate(("one", "two"), start=1):
        _make_pipeline(world.sources / name, seed)
    tiny.lora(world.sources / "LoWRA.safetensors", base="sd-1", size=300_000)


def _make_pipeline(folder: Path, seed: int) -> None:
    slots = {"unet": "UNet2DConditionModel", "vae": "AutoencoderKL"}
    index = {part: ["diffusers", name] for part, name in slots.items()}
    (folder / "samples").mkdir(parents=True)
    (folder / "README.md").write_text("# A pipeline\n")
    (folder / "model_index.json").write_text(
        json.dumps({"_class_name": "StableDiffusionPipeline", **index})
    )
    for part, name in slots.items():
        (folder / part).mkdir()
        (folder / part / "config.json").write_text(json.dumps({"_class_name": name}))
        tiny.write_safetensors(
            folder / part / "diffusion_pytorch_model.safetensors",
            {"weight": ("F16", (64, 512))},
            seed=seed if part == "unet" else 0,
        )


def _with_one(world: World) -> None:
    _make_sources(world)
    with world.open() as nmm:
        nmm.add(world.sources / "one")


def _with_all(world: World) -> None:
    _make_sources(world)
    with world.open() as nmm:
        for source in sorted(world.sources.iterdir()):
            nmm.add(source)


def _with_one_deleted(world: World) -> None:
    _with_all(world)
    with world.open() as nmm:
        nmm.delete("one")


def _with_checkpoint_to_add(world: World) -> None:
    _with_one(world)
    tiny.checkpoint(world.sources / "checkpoint.safetensors", base="sd-1")


def _with_checkpoint(world: World) -> None:
    _with_checkpoint_to_add(world)
    with world.open() as nmm:
        nmm.add(world.sources / "checkpoint.safetensors")


def _with_export(world: World) -> None:
    _with_all(world)
    (world.exports / "one" / "old").mkdir(parents=True)
    (world.exports / "one" / "old" / "notes.txt").write_text("the user's")


def _undo(_: World, nmm: NormalizedModelManager) -> None:
    nmm.undo(nmm.trash()[0].trash_id)


_ALL = frozenset({"one", "two", "LoWRA"})

USE_CASES = {
    "add": UseCase(
        _with_one,
        lambda world, nmm: _ignore(nmm.add(world.sources / "two")),
        (frozenset({"one"}), frozenset({"one", "two"})),
    ),
    "add-first": UseCase(
        _make_sources,
        lambda world, nmm: _ignore(nmm.add(world.sources / "LoWRA.safetensors")),
        (frozenset(), frozenset({"LoWRA"})),
    ),
    "add-checkpoint": UseCase(
        _with_checkpoint_to_add,
        lambda world, nmm: _ignore(nmm.add(world.sources / "checkpoint.safetensors")),
        (frozenset({"one"}), frozenset({"one", "checkpoint"})),
    ),
    "export-checkpoint": UseCase(
        _with_checkpoint,
        lambda world, nmm: _ignore(nmm.export("checkpoint", destination=world.exports)),
        (frozenset({"one", "checkpoint"}),),
    ),
    "move": UseCase(
        _with_one,
        lambda world, nmm: _ignore(nmm.add(world.sources / "LoWRA.safetensors", move=True)),
        (frozenset({"one"}), frozenset({"one", "LoWRA"})),
        taken=frozenset({"LoWRA.safetensors"}),
    ),
    "rename": UseCase(
        _with_all,
        lambda world, nmm: _ignore(nmm.add(world.sources / "one", name="uno")),
        (_ALL, _ALL | {"uno"}),
    ),
    "override": UseCase(
        _with_all,
        lambda _, nmm: _ignore(nmm.override("LoWRA", Override(bases=(BaseModelType.SDXL,)))),
        (_ALL,),
    ),
    "rm": UseCase(_with_all, lambda _, nmm: _ignore(nmm.delete("one")), (_ALL, _ALL - {"one"})),
    "undo": UseCase(_with_one_deleted, _undo, (_ALL - {"one"}, _ALL)),
    "gc": UseCase(
        _with_one_deleted,
        lambda _, nmm: _ignore(nmm.collect_garbage(expire_trash=timedelta(0))),
        (_ALL - {"one"},),
    ),
    "export": UseCase(
        _with_all,
        lambda world, nmm: _ignore(nmm.export("one", selector=None, destination=world.exports)),
        (_ALL,),
    ),
    "export-copy": UseCase(
        _with_all,
        lambda world, nmm: _ignore(nmm.export("one", destination=world.exports, method="copy")),
        (_ALL,),
    ),
    "export-force": UseCase(
        _with_export,
        lambda world, nmm: _ignore(nmm.export("one", destination=world.exports, force=True)),
        (_ALL,),
    ),
}


CHECKPOINT_USE_CASES = ("add-checkpoint", "export-checkpoint")
"""Those with the most operations."""


def _ignore(_: object) -> None:
    pass


def main() -> int:
    """Run the loop; print how many kills there were, or what went wrong."""
    use_case, folder = USE_CASES[sys.argv[1]], Path(sys.argv[2])
    every = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    template = World(folder / "template")
    template.folder.mkdir(parents=True)
    _in_child(lambda: use_case.prepare(template))
    kills, number, ended = 0, 1, False
    while not ended:
        world = World(folder / "world")
        # -a keeps the hard links between the store and its views.
        subprocess.run(["cp", "-a", str(template.folder), str(world.folder)], check=True)
        ended = not _killed(use_case, world, number)
        _in_child(partial(_check, use_case, world, template, f"operation {number}"))
        shutil.rmtree(world.folder)
        kills += not ended
        number += every
    print(f"{kills} kills")  # noqa: T201 - this is a program
    return 0


def _killed(use_case: UseCase, world: World, number: int) -> bool:
    def act() -> None:
        fuse = Fuse(number)
        fuse.watch_database()
        services = assemble(
            Settings(root=world.root), clock=lambda: datetime.now(UTC), disk=FusedDisk(fuse)
        )
        with NormalizedModelManager(services) as nmm:
            use_case.act(world, nmm)
            (world.folder / "reported").touch()

    status = _fork(act)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return True
    if os.WEXITSTATUS(status):
        message = f"operation {number}: the use case itself failed"
        raise SystemExit(message)
    return False


def _check(use_case: UseCase, world: World, template: World, when: str) -> None:
    with world.open() as nmm:
        report = nmm.verify()
        assert report.clean, (when, report.findings)
        models = {info.name: info for info in (*nmm.list_pipelines(), *nmm.list_models())}
        allowed = use_case.outcomes
        if (world.folder / "reported").exists():
            allowed = allowed[-1:]
        assert frozenset(models) in allowed, (when, sorted(models))
        _check_user_files(use_case, world, template, frozenset(models), when)
        for name in models:
            _check_whole(nmm, world, template, name, when)
        nmm.collect_garbage(expire_trash=timedelta(0))
        final = nmm.verify()
        assert final.clean, (when, "after gc", final.findings)
        _check_disk(nmm, world, when)


def _check_user_files(
    use_case: UseCase, world: World, template: World, models: frozenset[str], when: str
) -> None:
    for path in sorted(template.sources.rglob("*")):
        relative = path.relative_to(template.sources)
        now = world.sources / relative
        if str(relative) in use_case.taken and not now.exists():
            assert models == use_case.outcomes[-1], (when, "taken before it was stored")
        elif path.is_file():
            assert filecmp.cmp(path, now, shallow=False), (when, "changed", relative)
            assert now.stat().st_mode == path.stat().st_mode, (when, "mode", relative)
            assert now.stat().st_mtime_ns == path.stat().st_mtime_ns, (when, "time", relative)
    if world.exports.exists():
        _check_export(world, template, when)


def _check_export(world: World, template: World, when: str) -> None:
    names = sorted(path.name for path in world.exports.iterdir())
    assert names in ([], ["one"], ["checkpoint.safetensors"]), (when, names)
    if names == ["checkpoint.safetensors"]:
        _check_equal(template.sources / names[0], world.exports / names[0], when)
    elif (world.exports / "one" / "old").exists():
        assert (world.exports / "one" / "old" / "notes.txt").read_text() == "the user's"
    elif names:
        _check_equal(template.sources / "one", world.exports / "one", when)


_SOURCES = {
    "uno": "one",
    "LoWRA": "LoWRA.safetensors",
    "checkpoint": "checkpoint.safetensors",
}


def _check_whole(
    nmm: NormalizedModelManager, world: World, template: World, name: str, when: str
) -> None:
    source = template.sources / _SOURCES.get(name, name)
    exported = nmm.export(name, destination=world.folder / "check", method="copy").path
    _check_equal(source, exported, when)
    info = nmm.get_model(name)
    if info.original is None:
        _check_equal(source, info.path, when)


def _check_equal(expected: Path, found: Path, when: str) -> None:
    done = subprocess.run(["diff", "-r", expected, found], capture_output=True, check=False)
    assert done.returncode == 0, (when, done.stdout)


def _check_disk(nmm: NormalizedModelManager, world: World, when: str) -> None:
    """After a collection the disk holds what is referenced, and nothing else."""
    stored = {
        Path(file.location).parts[len((world.root / "models" / "blob").parts)]
        for info in (*nmm.list_pipelines(), *nmm.list_models())
        for file in nmm.files(info.key)
    }
    there = {path.name for path in (world.root / "models" / "blob").iterdir()}
    # What brings a checkpoint back is a part that none of its files lies in.
    originals = sum(info.original is not None for info in nmm.list_pipelines())
    assert stored <= there, when
    assert len(there - stored) == originals, when
    cache = {
        path.relative_to(world.root / "models" / ".cache").as_posix()
        for path in (world.root / "models" / ".cache").rglob("*")
        if path.is_file()
    }
    assert cache <= {"views.lock", "leases/leases.lock"}, (when, cache)
    assert not any((world.root / "models" / ".cache" / "discarded").glob("*")), when


def _in_child(act: Callable[[], None]) -> None:
    if _fork(act):
        message = f"failed: {sys.argv[1:]}"
        raise SystemExit(message)


def _fork(act: Callable[[], None]) -> int:
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            act()
            status = 0
        except BaseException:  # noqa: BLE001 - a child must end here, whatever happened
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    return os.waitpid(child, 0)[1]


if __name__ == "__main__":
    raise SystemExit(main())
