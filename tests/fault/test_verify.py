from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from modelshelf.disk import LocalDisk
from modelshelf.errors import BlobCorruptError, BlobMissingError, StorageError
from modelshelf.manager import NormalizedModelManager, normalized_model_manager
from modelshelf.schema.report import Finding, FindingKind
from modelshelf.settings import Settings
from modelshelf.testing import tiny
from modelshelf.testing.faults import LinklessDisk, flip_bit
from tests.shelves import contents, open_shelf, part_path, plain_pipeline, stored_bytes

pytestmark = pytest.mark.fault

BOTH = ("one", "two")
ONE = ("one",)


class Bench:
    """A library of two pipelines that share a VAE, and one loose file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "shelf"
        self.blob = self.root / "models" / "blob"
        self.sources = {name: plain_pipeline(folder / name, {"notes": b"n"}) for name in BOTH}
        (self.sources["one"] / "empty").mkdir()
        self.sources["loose"] = folder / "loose.bin"
        self.sources["loose"].write_bytes(b"loose " * 9)
        self.shelf = open_shelf(self.root)
        for source in self.sources.values():
            self.shelf.add(source)

    def part(self, name: str, folder: str) -> Path:
        """Return a component's folder in the store."""
        return part_path(self.shelf.get_model(name), folder)

    def leftovers(self, name: str) -> Path:
        """Return where the store has what a pipeline has outside its components."""
        (index,) = [f for f in self.shelf.files(name) if f.member == "model_index.json"]
        return Path(index.location).parent

    def findings(self, *, quick: bool = False) -> tuple[Finding, ...]:
        return self.shelf.verify(quick=quick).findings

    def repair(self) -> None:
        """Do what the messages say: add the damaged models again, then collect."""
        for name in self.shelf.verify().damaged_models:
            self.shelf.add(self.sources[name])
        self.shelf.collect_garbage(unknown=True)

    def check_sound(self) -> None:
        """Everything is as it was when it was added, and takes no more than it did."""
        assert self.findings() == ()
        for name, source in self.sources.items():
            assert contents(self.shelf.get_model(name).path) == contents(source)
        for info in self.shelf.list_pipelines():
            assert info.path.name == info.name
        assert self.shelf.usage().stored == stored_bytes(self.root)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A sound library."""
    return Bench(tmp_path)


def test_a_sound_library_is_clean(bench: Bench) -> None:
    """Nothing is found, and each stored byte was read exactly once."""
    report = bench.shelf.verify()
    assert report.clean
    assert report.damaged_models == ()
    assert report.bytes_read == bench.shelf.usage().stored
    quick = bench.shelf.verify(quick=True)
    assert quick.clean
    assert quick.bytes_read == 0
    assert (quick.parts, quick.files) == (report.parts, report.files)


# -- bits


def test_every_bit_of_a_small_file(tmp_path: Path) -> None:
    """Each of the bits of a file, flipped alone, is found, and names the model."""
    (tmp_path / "ink.bin").write_bytes(b"a small model")
    shelf = open_shelf(tmp_path / "shelf")
    stored = shelf.add(tmp_path / "ink.bin").info.path
    for bit in range(8 * len(b"a small model")):
        flip_bit(stored, bit)
        (finding,) = shelf.verify().findings
        assert finding.kind is FindingKind.CORRUPT
        assert finding.models == ("ink",)
        assert finding.path.endswith(stored.name)
        flip_bit(stored, bit)
    assert shelf.verify().clean


def test_bits_of_every_file_of_a_real_layout(tmp_path: Path) -> None:
    """The first, last and middle bits of every stored file of a pipeline, a LoRA and a VAE."""
    shelf = open_shelf(tmp_path / "shelf")
    shelf.add(tiny.pipeline(tmp_path / "harbour", base="sd-1", size=300_000))
    shelf.add(tiny.lora(tmp_path / "ink.safetensors", size=200_000))
    shelf.add(tiny.vae(tmp_path / "soft", folder=True, size=100_000))
    damaged = 0
    for path in sorted((tmp_path / "shelf" / "models" / "blob").rglob("*")):
        bits = path.stat().st_size * 8 if path.is_file() else 0
        for bit in sorted({0, bits // 3, bits // 2, bits - 1} if bits else ()):
            flip_bit(path, bit)
            report = shelf.verify()
            assert {one.kind for one in report.findings} == {FindingKind.CORRUPT}
            assert len(report.damaged_models) == 1
            assert any(
                one.path.endswith(f"{path.parent.name}/{path.name}") for one in report.findings
            )
            flip_bit(path, bit)
            damaged += 1
    assert damaged > 50
    assert shelf.verify().clean


def test_a_shared_file_hurts_all_that_share_it(bench: Bench) -> None:
    """Damage of a shared part names every model that has it, and no other."""
    flip_bit(bench.part("one", "vae") / "weights.bin", 7)
    assert bench.shelf.verify().damaged_models == BOTH
    flip_bit(bench.part("one", "vae") / "weights.bin", 7)
    flip_bit(bench.part("two", "unet") / "weights.bin", 7)
    assert bench.shelf.verify().damaged_models == ("two",)


def test_deleted_models_are_not_named(bench: Bench) -> None:
    """Damage of what is in the trash is found, but hurts no living model."""
    path = bench.part("one", "unet")
    bench.shelf.delete("one")
    flip_bit(path / "weights.bin", 0)
    report = bench.shelf.verify()
    assert [finding.kind for finding in report.findings] == [FindingKind.CORRUPT]
    assert report.damaged_models == ()


def test_quick_reads_nothing(bench: Bench) -> None:
    """A quick check sees lengths and names, not bits, and forgets no damage that is known."""
    stored = bench.part("one", "unet") / "weights.bin"
    flip_bit(stored, 0)
    assert bench.findings(quick=True) == ()
    assert len(bench.findings()) == 1
    bench.findings(quick=True)
    bench.repair()
    bench.check_sound()


# -- every other kind of harm, and the way back


def writable(path: Path) -> Path:
    path.chmod(0o644)
    return path


def truncate(path: Path) -> None:
    os.truncate(writable(path), path.stat().st_size - 1)
    path.chmod(0o444)


def grow(path: Path) -> None:
    with writable(path).open("ab") as opened:
        opened.write(b"\0")
    path.chmod(0o444)


def empty(path: Path) -> None:
    os.truncate(writable(path), 0)
    path.chmod(0o444)


def rot(path: Path) -> None:
    flip_bit(path, 3)


def replace_by_link(path: Path) -> None:
    copy = path.parents[4] / "elsewhere"
    shutil.copy(path, copy)
    path.unlink()
    path.symlink_to(copy)


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def replace_by_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def rewrite(path: Path) -> None:
    """What an editor does: another inode of the same length."""
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.unlink()
    path.write_bytes(content)
    path.chmod(0o444)


def remove(path: Path) -> None:
    path.unlink()


def remove_part(path: Path) -> None:
    shutil.rmtree(path.parent)


def file_for_part(path: Path) -> None:
    shutil.rmtree(path.parent)
    path.parent.write_bytes(b"a file")


HARMS: dict[Callable[[Path], None], FindingKind] = {
    rot: FindingKind.CORRUPT,
    rewrite: FindingKind.CORRUPT,
    truncate: FindingKind.TRUNCATED,
    grow: FindingKind.TRUNCATED,
    empty: FindingKind.TRUNCATED,
    remove: FindingKind.MISSING,
    remove_part: FindingKind.MISSING,
    file_for_part: FindingKind.MISSING,
    replace_by_link: FindingKind.MISSING,
    replace_by_folder: FindingKind.MISSING,
    replace_by_pipe: FindingKind.MISSING,
}
VICTIMS = ("vae/weights.bin", "unet/config.json", "notes")


@pytest.mark.parametrize("victim", VICTIMS)
@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__)
def test_harm_is_found_named_and_repaired(
    bench: Bench, harm: Callable[[Path], None], victim: str
) -> None:
    """Each kind of harm is found as what it is; adding the named models again heals all of it."""
    folder, _, name = victim.rpartition("/")
    stored = (bench.part("one", folder) if folder else bench.leftovers("one")) / name
    harm(stored)
    report = bench.shelf.verify()
    damage = [one for one in report.findings if one.kind is not FindingKind.VIEW_BROKEN]
    assert {one.kind for one in damage} == {HARMS[harm]}
    shared = folder == "vae" or (harm in {rot, truncate, grow, empty} and name != "weights.bin")
    assert set(report.damaged_models) == set(BOTH if shared else ONE)
    bench.repair()
    bench.check_sound()


@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__)
def test_a_single_file_is_repaired(bench: Bench, harm: Callable[[Path], None]) -> None:
    """A model that is one file is found, named and healed in the same way."""
    harm(bench.shelf.get_model("loose").path)
    assert bench.shelf.verify().damaged_models == ("loose",)
    bench.repair()
    bench.check_sound()


def test_damage_nobody_looked_for_is_repaired_by_adding(bench: Bench) -> None:
    """A file that is gone or of another length is noticed by adding alone, without `verify`."""
    for harm in (remove, truncate, remove_part):
        harm(bench.part("one", "unet") / "weights.bin")
        bench.shelf.add(bench.sources["one"])
        bench.shelf.collect_garbage()
        bench.check_sound()


def test_damage_does_not_spread(bench: Bench, tmp_path: Path) -> None:
    """Once damage is known nothing is linked from it: another model with the content is whole."""
    flip_bit(bench.part("one", "vae") / "weights.bin", 1)
    bench.findings()
    files = {"other/weights.bin": (bench.sources["one"] / "vae/weights.bin").read_bytes()}
    bench.sources["three"] = plain_pipeline(tmp_path / "three", {**files, "vae/more": b"1"})
    info = bench.shelf.add(bench.sources["three"]).info
    assert contents(info.path) == contents(bench.sources["three"])
    assert bench.shelf.verify().damaged_models == BOTH
    bench.repair()
    bench.check_sound()


@pytest.mark.parametrize("harm", [rot, truncate, remove, remove_part], ids=lambda h: h.__name__)
def test_damage_is_not_exported(bench: Bench, tmp_path: Path, harm: Callable[[Path], None]) -> None:
    """A copy of a damaged model is refused, and leaves nothing at the destination."""
    harm(bench.part("one", "vae") / "weights.bin")
    out = tmp_path / "out"
    with pytest.raises(StorageError) as caught:
        bench.shelf.export(selector="one", destination=out, method="copy")
    assert isinstance(caught.value, BlobCorruptError | BlobMissingError)
    assert Path(caught.value.path).parent == bench.part("one", "vae")
    assert contents(out) == {".": None}
    with (tmp_path / "out.tar").open("wb") as stream, pytest.raises(StorageError):
        bench.shelf.export_tar(selector="one", stream=stream)
    assert contents(bench.shelf.export(selector="loose", destination=out).path)


# -- what is there and should not be


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("models/blob/{vae}/stray.bin", FindingKind.STRAY),
        ("models/blob/{vae}/deep/stray.bin", FindingKind.STRAY),
        ("models/blob/stray.bin", FindingKind.STRAY),
        ("models/blob/00000000-0000-4000-8000-000000000000/f", FindingKind.UNREFERENCED),
        ("models/blob/.00000000-0000-4000-8000-000000000000.partial/f", FindingKind.UNREFERENCED),
        ("models/.cache/discarded/left/f", FindingKind.UNREFERENCED),
        ("models/{view}/stray.bin", FindingKind.STRAY),
        ("models/{view}/vae/stray.bin", FindingKind.STRAY),
        ("models/sd-1/stray.bin", FindingKind.STRAY),
        ("models/stray", FindingKind.STRAY),
    ],
)
def test_strays_are_found(bench: Bench, place: str, kind: FindingKind) -> None:
    """What the library did not put there is found at its path, hurts nobody, and is not removed."""
    view = bench.shelf.get_model("one").path.relative_to(bench.root / "models")
    path = bench.root / place.format(vae=bench.part("one", "vae").name, view=view)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"stray")
    report = bench.shelf.verify()
    (finding,) = report.findings
    assert finding.kind is kind
    assert not finding.is_damage
    assert finding.path.rpartition("/")[2] in str(path)
    assert report.damaged_models == ()
    bench.shelf.collect_garbage()
    is_whole_part = path.parent.parent.name == "blob" and not path.parent.name.startswith(".")
    assert path.exists() == (kind is FindingKind.STRAY or is_whole_part)
    bench.shelf.collect_garbage(unknown=True)
    assert path.exists() == (kind is FindingKind.STRAY)
    path.unlink(missing_ok=True)
    shutil.rmtree(path.parent if path.parent.name == "deep" else path, ignore_errors=True)
    bench.check_sound()


def test_a_lost_database_does_not_cost_the_models(bench: Bench) -> None:
    """Whole parts that no record knows may be the only copy: they go only when that is asked for."""
    parts = set((bench.root / "models" / "blob").iterdir())
    bench.shelf.close()
    shutil.rmtree(bench.root / "databases")
    with normalized_model_manager(Settings(root=bench.root)) as nmm:
        assert {one.kind for one in nmm.verify().findings} >= {FindingKind.UNREFERENCED}
        nmm.collect_garbage(expire_trash=timedelta(0))
        assert set((bench.root / "models" / "blob").iterdir()) == parts

        foreseen = nmm.collect_garbage(unknown=True, dry_run=True)
        assert foreseen.folders == len(parts)
        assert nmm.collect_garbage(unknown=True).folders == len(parts)
        assert list((bench.root / "models" / "blob").iterdir()) == []


def test_an_empty_folder_that_is_gone(bench: Bench) -> None:
    """An empty folder belongs to a model as much as a file does."""
    stored = bench.leftovers("one") / "empty"
    stored.rmdir()
    report = bench.shelf.verify()
    assert [finding.kind for finding in report.findings] == [FindingKind.MISSING]
    assert report.damaged_models == ONE
    bench.repair()
    bench.check_sound()


def test_a_folder_that_is_too_many(bench: Bench) -> None:
    """A folder that a part does not have is a stray as much as a file is."""
    (bench.part("one", "vae") / "more").mkdir()
    (finding,) = bench.findings()
    assert (finding.kind, finding.models) == (FindingKind.STRAY, ())


def test_write_permission_is_found_and_taken_back(bench: Bench) -> None:
    """A stored file that can be written to is found; a collection seals it again."""
    writable(bench.part("one", "unet") / "weights.bin")
    (finding,) = bench.findings()
    assert (finding.kind, finding.models) == (FindingKind.WRITABLE, ONE)
    assert finding.is_damage
    bench.shelf.collect_garbage()
    bench.check_sound()


# -- views


def test_views_that_were_taken_apart_are_made_again(bench: Bench) -> None:
    """Missing links, folders and whole views are found, and made again where they were."""
    view = bench.shelf.get_model("one").path
    for path in (view / "vae" / "weights.bin", view / "unet", view / "empty", view):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        report = bench.shelf.verify()
        assert {finding.kind for finding in report.findings} == {FindingKind.VIEW_BROKEN}
        assert report.damaged_models == ONE
        assert bench.shelf.collect_garbage().views_repaired == 1
        bench.check_sound()


@pytest.mark.parametrize("place", ["vae/weights.bin", "vae", ""])
@pytest.mark.parametrize("kind", ["file", "link", "folder"])
def test_what_a_user_puts_in_a_views_place_stays(bench: Bench, place: str, kind: str) -> None:
    """It is found and left alone; the view moves aside, and deleting the model spares it too."""
    view = bench.shelf.get_model("one").path
    theirs = bench.folder / "theirs"
    shutil.copytree(bench.sources["one"], theirs)
    before = contents(theirs)
    path = view / place
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    if kind == "file":
        path.write_bytes(b"mine")
    elif kind == "link":
        path.symlink_to(theirs / place)
    else:
        path.mkdir()
        (path / "mine.txt").write_bytes(b"mine")
    mine = path / "mine.txt" if kind == "folder" else path
    kinds = {finding.kind for finding in bench.findings()}
    assert FindingKind.VIEW_BROKEN in kinds
    bench.shelf.collect_garbage()
    (finding,) = bench.findings()
    assert (finding.kind, bench.root / finding.path) == (FindingKind.STRAY, mine)
    moved = bench.shelf.get_model("one").path
    assert contents(moved) == contents(bench.sources["one"])
    trash_id = bench.shelf.delete("one").trash_id
    assert not moved.exists()
    assert os.path.lexists(mine)
    assert contents(theirs) == before
    bench.shelf.undo(trash_id)
    path.unlink() if kind != "folder" else shutil.rmtree(path)
    bench.shelf.collect_garbage()
    assert bench.findings() == ()


def test_deleting_spares_what_a_user_put_there(bench: Bench) -> None:
    """A file in place of a view's folder does not stop the model from being deleted."""
    view = bench.shelf.get_model("one").path
    shutil.rmtree(view / "vae")
    (view / "vae").write_bytes(b"mine")
    bench.shelf.delete("one")
    assert contents(view) == {"vae": b"mine"}
    bench.shelf.add(bench.sources["one"])
    assert contents(bench.shelf.get_model("one").path) == contents(bench.sources["one"])


# -- the database


def change(bench: Bench, statement: str) -> None:
    with closing(sqlite3.connect(bench.root / "databases" / "models.db")) as connection:
        connection.execute(statement)
        connection.commit()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE part_file SET blake3 = zeroblob(32) WHERE member = 'notes'",
        "UPDATE part_file SET size = size + 1 WHERE member = 'notes'",
        "UPDATE part_file SET member = 'knots' WHERE member = 'notes'",
        "DELETE FROM part_file WHERE member = 'notes'",
        "UPDATE model_path SET empty_folders = '[]'",
        "UPDATE model_path SET empty_folders = '[\"x\"]' WHERE type = 'pipeline_files'",
    ],
)
def test_changed_rows_are_found_and_written_again(bench: Bench, statement: str) -> None:
    """Rows that no longer give a part's digest are damage, and adding again rights them."""
    change(bench, statement)
    report = bench.shelf.verify()
    assert FindingKind.DATABASE in {finding.kind for finding in report.findings}
    assert "one" in report.damaged_models
    bench.repair()
    bench.check_sound()


def test_a_wrong_count_is_found_and_corrected(bench: Bench) -> None:
    """A REFCOUNT that is not the number of references is found; a collection counts again."""
    change(bench, "UPDATE model_path SET refcount = refcount + 1 WHERE type = 'vae'")
    findings = bench.findings()
    assert {finding.kind for finding in findings} == {FindingKind.WRONG_COUNT}
    bench.shelf.collect_garbage()
    bench.check_sound()


def test_a_wrong_count_removes_nothing(bench: Bench) -> None:
    """Deletion is decided by marking: a part that counts zero and is needed stays."""
    change(bench, "UPDATE model_path SET refcount = 0")
    bench.shelf.collect_garbage()
    bench.check_sound()


def test_a_part_that_points_elsewhere(bench: Bench) -> None:
    """A location that was changed in the database is a missing part, and is healed."""
    change(
        bench,
        "UPDATE model_path SET path = 'blob/00000000-0000-4000-8000-000000000000'"
        " WHERE type = 'vae'",
    )
    report = bench.shelf.verify()
    assert set(report.damaged_models) == set(BOTH)
    bench.repair()
    bench.check_sound()


@pytest.mark.parametrize("lacking", [(), ("clone",), ("clone", "link")], ids=len)
def test_a_library_may_be_moved(tmp_path: Path, lacking: tuple[str, ...]) -> None:
    """A library that was moved with all its links, of whatever kind, is as sound as before."""
    disk = LinklessDisk(LocalDisk(), lacking)
    source = plain_pipeline(tmp_path / "model")
    with open_shelf(tmp_path / "shelf", disk=disk) as shelf:
        shelf.add(source)
    (tmp_path / "shelf").rename(tmp_path / "moved")
    with open_shelf(tmp_path / "moved", disk=disk) as shelf:
        assert shelf.verify().clean
        assert contents(shelf.get_model("model").path) == contents(source)
        shelf.collect_garbage()
        assert shelf.verify().clean


def test_a_library_that_was_copied_without_its_links(bench: Bench) -> None:
    """A copy that made every link a file of its own is sound, and a collection shares again."""
    bench.shelf.close()
    copied = bench.folder / "copied"
    shutil.copytree(bench.root, copied)
    bench.root = copied
    shelf: NormalizedModelManager = open_shelf(copied)
    bench.shelf = shelf
    assert bench.findings() == ()
    assert stored_bytes(copied) >= shelf.usage().stored
    shelf.collect_garbage()
    bench.check_sound()
