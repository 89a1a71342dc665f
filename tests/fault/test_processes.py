"""Several processes on one library at once."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from modelshelf.manager import normalized_model_manager
from modelshelf.schema.progress import Progress
from modelshelf.settings import Settings
from modelshelf.testing import tiny
from tests.shelves import contents, said, stored_bytes

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]

_MEGABYTE = 1_000_000
_WORKER = """
import sys
from pathlib import Path
from modelshelf.manager import normalized_model_manager
from modelshelf.settings import Settings

root, order, *sources = sys.argv[1:]
sys.stdin.readline()
with normalized_model_manager(Settings(root=root)) as nmm:
    for source in sources[int(order):] + sources[:int(order)]:
        print(Path(source).stem, nmm.import_model(source), flush=True)
"""
_FICKLE = """
import sys
from datetime import timedelta
from pathlib import Path
from modelshelf.errors import UnknownModelException
from modelshelf.manager import normalized_model_manager
from modelshelf.settings import Settings

root, order, *sources = sys.argv[1:]
sys.stdin.readline()
with normalized_model_manager(Settings(root=root)) as nmm:
    turned = sources[int(order):] + sources[:int(order)]
    for source, is_kept in [(one, False) for one in turned * 2] + [(one, True) for one in turned]:
        name = f"{Path(source).parent.name} {Path(source).name}"
        try:
            nmm.import_model(source, name=name)
            if not is_kept:
                nmm.delete(name)
        except UnknownModelException:
            # Another deleted it meanwhile, and is going to add it again.
            continue
        if not is_kept:
            nmm.collect_garbage(expire_trash=timedelta(0) if int(order) % 2 else None)
"""
_COLLECTOR = """
import sys
from datetime import timedelta
from modelshelf.manager import normalized_model_manager
from modelshelf.settings import Settings

sys.stdin.readline()
with normalized_model_manager(Settings(root=sys.argv[1])) as nmm:
    while not sys.argv[2:] or nmm.list_pipelines() == []:
        nmm.collect_garbage(expire_trash=timedelta(0))
    for _ in range(20):
        nmm.collect_garbage(expire_trash=timedelta(0))
"""


def _start(script: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _together(processes: list[subprocess.Popen[str]]) -> list[str]:
    """Let all of them go at once; return what each printed."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = []
    for process in processes:
        output, errors = process.communicate(timeout=500)
        assert process.returncode == 0, errors
        outputs.append(output)
    return outputs


def _sources(folder: Path) -> list[str]:
    made = [
        tiny.pipeline(folder / f"pipeline-{seed}", base="sd-1", seed=seed, size=_MEGABYTE)
        for seed in range(1, 5)
    ]
    made += [
        tiny.lora(folder / f"lora-{seed}.safetensors", base="sd-1", seed=seed, size=_MEGABYTE)
        for seed in range(1, 4)
    ]
    return [str(path) for path in made]


def test_four_processes_add_the_same_models_at_once(tmp_path: Path) -> None:
    """No part is lost or doubled, nobody sees a locked database, and all are told the same ids."""
    sources, root = _sources(tmp_path / "sources"), tmp_path / "root"
    workers = [_start(_WORKER, str(root), str(number), *sources) for number in range(4)]
    told = [set(output.splitlines()) for output in _together(workers)]

    assert all(one == told[0] for one in told)
    assert len(told[0]) == len(sources)
    with normalized_model_manager(Settings(root=root)) as nmm:
        assert nmm.verify().clean
        assert len(nmm.list_pipelines()) == 4
        assert len(nmm.list_models()) == 3
        vaes = {
            part.id for one in nmm.list_pipelines() for part in one.parts if part.folder == "vae"
        }
        assert len(vaes) == 1
        usage = nmm.usage()
        nmm.collect_garbage()
        inodes = {
            (path.stat().st_ino, path.stat().st_size)
            for path in (root / "models" / "blob").rglob("*")
            if path.is_file()
        }
        assert sum(size for _, size in inodes) == usage.stored


def test_collecting_while_others_add_takes_nothing_that_is_needed(tmp_path: Path) -> None:
    """`gc` in a loop beside three importers removes neither finished nor unfinished parts."""
    sources, root = _sources(tmp_path / "sources"), tmp_path / "root"
    with normalized_model_manager(Settings(root=root)) as nmm:
        nmm.delete(nmm.import_model(sources[0]))
    workers = [_start(_WORKER, str(root), str(number), *sources) for number in range(3)]
    _together([*workers, _start(_COLLECTOR, str(root), "until one is there")])

    with normalized_model_manager(Settings(root=root)) as nmm:
        assert nmm.verify().clean
        assert len(nmm.list_pipelines()) == 4
        nmm.collect_garbage(expire_trash=timedelta(0))
        assert nmm.verify().clean


def test_eight_processes_make_one_library_at_the_same_moment(tmp_path: Path) -> None:
    """Creating the database is done once, whoever comes first."""
    lora = tiny.lora(tmp_path / "LoWRA.safetensors", base="sd-1", size=_MEGABYTE)
    workers = [_start(_WORKER, str(tmp_path / "root"), "0", str(lora)) for _ in range(8)]
    assert len(set(_together(workers))) == 1


def test_nothing_is_locked_while_bytes_are_copied(tmp_path: Path) -> None:
    """In the middle of copying one file others add, list, delete and collect without waiting."""
    large = tiny.lora(tmp_path / "large.safetensors", base="sd-1", seed=1, size=20 * _MEGABYTE)
    small = tiny.lora(tmp_path / "small.safetensors", base="sd-1", seed=2, size=_MEGABYTE)
    settings = Settings(root=tmp_path / "root")
    seen: list[str] = []

    def meanwhile(step: Progress) -> None:
        if seen or step.stage != "copying" or not 0 < step.done < step.total:
            return
        with normalized_model_manager(settings) as other:
            other.import_model(small)
            seen.extend(info.name for info in other.list_models())
            other.delete("small")
            other.collect_garbage(expire_trash=timedelta(0))

    with normalized_model_manager(settings) as nmm:
        nmm.import_model(large, progress=meanwhile)
        assert seen == ["small"]
        assert [info.name for info in nmm.list_models()] == ["large"]
        assert nmm.verify().clean


def test_eight_processes_share_parts_in_eight_orders(tmp_path: Path) -> None:
    """Added, deleted, collected and added again: all is there, is said as ever, and comes back as it was."""
    first = tiny.pipeline(tmp_path / "in" / "first", base="sd-1", seed=1, size=_MEGABYTE)
    sources = [
        first,
        *(first / part for part in ("vae", "text_encoder", "unet", "safety_checker")),
        tiny.pipeline(tmp_path / "in" / "second", base="sd-2", seed=2, size=_MEGABYTE),
        tiny.checkpoint(tmp_path / "in" / "third.safetensors", base="sd-1", seed=1),
    ]
    root = tmp_path / "root"
    workers = [
        _start(_FICKLE, str(root), str(number % 7), *map(str, sources)) for number in range(8)
    ]
    _together(workers)

    names = {f"{source.parent.name} {source.name}": source for source in sources}
    with normalized_model_manager(Settings(root=tmp_path / "calm")) as calm:
        for name, source in names.items():
            calm.import_model(source, name=name)
        expected = said(calm, tmp_path / "calm")
    with normalized_model_manager(Settings(root=root)) as nmm:
        assert nmm.verify().clean
        nmm.collect_garbage(expire_trash=timedelta(0))
        # A place below the models folder is another's until the links are gone, so some have a number.
        assert {**said(nmm, root), "views": expected["views"]} == expected
        for name, source in names.items():
            made = nmm.export(selector=name, destination=tmp_path / "out", method="copy").path
            assert contents(made) == contents(source)
        assert stored_bytes(root) == nmm.usage().stored
