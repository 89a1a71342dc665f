from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from modelshelf.errors import (
    DestinationExistsError,
    DuplicateModelException,
    InvalidChoiceError,
    InvalidNameError,
    UnknownModelException,
    UnknownSubmodelError,
    UnknownTrashError,
)
from modelshelf.manager import NormalizedModelManager
from modelshelf.schema.progress import Progress
from modelshelf.schema.taxonomy import BaseModelType, ModelType, SubModelType
from modelshelf.testing import tiny
from tests.shelves import StandingClock, contents, open_shelf, plain_pipeline, stored_bytes

# `make property` runs many more examples than fit into the time of one test.
pytestmark = [pytest.mark.property, pytest.mark.timeout(3600)]

KB = 1024


@pytest.fixture
def shelf(tmp_path: Path) -> NormalizedModelManager:
    """A library below *tmp_path*."""
    return open_shelf(tmp_path / "shelf")


class TestSharing:
    """The VAE and text encoders are frequently the same across multiple models (NMM)."""

    def test_pipelines_share_their_parts(
        self, tmp_path: Path, shelf: NormalizedModelManager
    ) -> None:
        """VAE, text encoder, tokenizer and safety checker of two pipelines are stored once each."""
        for seed, name in enumerate(("dreamland", "harbour")):
            shelf.add(tiny.pipeline(tmp_path / name, base="sd-1", seed=seed, size=500_000))
        first, second = shelf.list_pipelines()
        theirs = {part.folder: part for part in second.parts}
        for part in first.parts:
            same = part.folder != "unet"
            assert (part.id == theirs[part.folder].id) == same
            assert (part.path == theirs[part.folder].path) == same
            assert part.refcount == (2 if same else 1)

    def test_a_third_pipeline_stores_only_what_is_its_own(
        self, tmp_path: Path, shelf: NormalizedModelManager
    ) -> None:
        """Bytes stored and shared add up to the model, and only the denoiser was new."""
        for seed in range(2):
            outcome = shelf.add(
                tiny.pipeline(tmp_path / str(seed), base="sd-1", seed=seed, size=500_000)
            )
        unet = tmp_path / "1" / "unet" / "diffusion_pytorch_model.safetensors"
        assert outcome.bytes_stored == unet.stat().st_size
        assert outcome.bytes_shared == outcome.info.size - outcome.bytes_stored
        assert outcome.parts_stored == 1

    def test_same_weights_with_another_config_stay_different(
        self, tmp_path: Path, shelf: NormalizedModelManager
    ) -> None:
        """Two VAEs with the same weights and different `config.json` stay different."""
        for name, factor in (("cold", 0.13), ("warm", 0.18)):
            folder = tiny.vae(tmp_path / name, folder=True, scaling_factor=factor, size=100_000)
            shelf.add(folder)
        cold, warm = shelf.list_models()
        assert cold.id != warm.id
        assert cold.hash != warm.hash
        weights = "diffusion_pytorch_model.safetensors"
        assert (cold.path / weights).samefile(warm.path / weights)
        for name in ("cold", "warm"):
            made = shelf.export(name=name, type="vae", destination=tmp_path / "out").path
            assert contents(made) == contents(tmp_path / name)

    @pytest.mark.parametrize("size", [200 * KB, 3 * KB * KB])
    @pytest.mark.parametrize("at", [0.2, 0.3, 0.7])
    def test_files_that_differ_only_in_the_middle_stay_different(
        self, tmp_path: Path, shelf: NormalizedModelManager, size: int, at: float
    ) -> None:
        """Files whose three sampled windows are equal are two contents, and both come back."""
        content = bytearray(os.urandom(size))
        originals = {}
        for name in ("one", "two", "three"):
            content[int(size * at)] ^= 1 if name != "three" else 0
            originals[name] = bytes(content)
            (tmp_path / f"{name}.bin").write_bytes(content)
            shelf.add(tmp_path / f"{name}.bin")
        infos = {info.name: info for info in shelf.list_models()}
        assert infos["one"].id != infos["two"].id == infos["three"].id
        for name, original in originals.items():
            made = shelf.export(selector=infos[name].key, destination=tmp_path / "out").path
            assert made.read_bytes() == original
        assert shelf.verify().clean
        assert shelf.usage().stored == 2 * size == stored_bytes(tmp_path / "shelf")

    def test_equal_files_of_different_parts_are_one_inode(
        self, tmp_path: Path, shelf: NormalizedModelManager
    ) -> None:
        """Equal content is stored once, in whichever part, folder or model it is found."""
        (tmp_path / "loose.bin").write_bytes(b"equal" * 100)
        shelf.add(tmp_path / "loose.bin")
        files = {"vae/twin.bin": b"equal" * 100, "a/b/twin": b"equal" * 100, "c": b"equal" * 100}
        model = shelf.import_model(plain_pipeline(tmp_path / "model", files))
        places = [Path(file.location) for file in shelf.files(model) if file.size == 500]
        assert len({place.stat().st_ino for place in places}) == 1
        assert len(places) == 3

    def test_what_was_stored_twice_at_one_moment_is_joined(
        self, tmp_path: Path, shelf: NormalizedModelManager
    ) -> None:
        """Two imports that stored the same file at once are joined by the next collection."""
        for name in ("one", "two"):
            plain_pipeline(tmp_path / name, {f"vae/{name}": b"", "vae/shared": b"shared" * 999})
        plans = [shelf.plan(tmp_path / name) for name in ("one", "two")]
        added: list[int] = []

        def add_the_other(_: object) -> None:
            # While the first is copied, before anybody can find what it stored.
            if not added:
                added.append(0)
                added.append(shelf.import_model(plans[1].source))

        first = shelf.import_model(tmp_path / "one", progress=add_the_other)
        root = tmp_path / "shelf"
        assert stored_bytes(root) > shelf.usage().stored
        report = shelf.collect_garbage()
        assert report.relinked_bytes > 0
        assert stored_bytes(root) == shelf.usage().stored
        seen = {path.stat().st_ino for path in root.glob("models/**/shared")}
        assert len(seen) == 1
        assert shelf.verify().clean
        for model, name in ((first, "one"), (added[1], "two")):
            assert contents(shelf.get_model(model).path) == contents(tmp_path / name)


class TestBases:
    """Some fundamental models only support a single base; others more than one, or any (NMM)."""

    def test_a_vae_that_two_bases_use_has_both(
        self, tmp_path: Path, shelf: NormalizedModelManager
    ) -> None:
        """An sd-1 VAE that an sd-2 pipeline also uses is one part of two bases."""
        shelf.add(tiny.pipeline(tmp_path / "first", base="sd-1", size=1_000_000))
        assert shelf.get_pipeline_by_name("first", "sd-1", "vae").base is BaseModelType.SD_1
        shelf.add(tiny.pipeline(tmp_path / "second", base="sd-2", size=1_000_000))
        first = shelf.get_pipeline_by_name("first", "sd-1", submodel="vae")
        second = shelf.get_pipeline_by_name("second", "sd-2", submodel="vae")
        assert (first.id, first.path) == (second.id, second.path)
        assert first.bases == second.bases == (BaseModelType.SD_1, BaseModelType.SD_2)
        assert first.refcount == 2
        shelf.delete("second")
        assert shelf.get_pipeline_by_name("first", "sd-1", submodel="vae").refcount == 1

    def test_a_safety_checker_serves_any(
        self, tmp_path: Path, shelf: NormalizedModelManager
    ) -> None:
        """The safety checker of an sd-1 pipeline works with every base."""
        shelf.add(tiny.pipeline(tmp_path / "first", base="sd-1", size=300_000))
        checker = shelf.get_pipeline_by_name("first", "sd-1", SubModelType.SAFETY_CHECKER)
        assert checker.bases == (BaseModelType.ANY,)
        assert checker.type is ModelType.SAFETY_CHECKER

    @pytest.mark.parametrize("base", tiny.BASES)
    def test_a_pipeline_is_found_by_its_base(
        self, tmp_path: Path, shelf: NormalizedModelManager, base: str
    ) -> None:
        """Every base that the maker makes is told from the others, and no part is unknown."""
        shelf.add(tiny.pipeline(tmp_path / "model", base=base, size=3_000_000))
        info = shelf.get_pipeline_by_name("model", base)
        assert [one.value for one in info.bases] == [base]
        assert all(part.type is not ModelType.UNKNOWN for part in info.parts)
        for other in set(tiny.BASES) - {base}:
            with pytest.raises(UnknownModelException):
                shelf.get_pipeline_by_name("model", other)


class TestCounting:
    """`du` shows logical, stored and shared bytes; the numbers agree with the file system's own."""

    def test_usage_agrees_with_the_file_system(
        self, tmp_path: Path, shelf: NormalizedModelManager
    ) -> None:
        """Distinct inodes in the store, and all names in the views, add up to what `usage` says."""
        for seed in range(3):
            shelf.add(tiny.pipeline(tmp_path / str(seed), base="sd-1", seed=seed, size=300_000))
        shelf.add(tiny.vae(tmp_path / "vae.safetensors", size=100_000))
        root = tmp_path / "shelf"
        usage = shelf.usage()
        assert stored_bytes(root) == usage.stored
        assert usage.logical == sum(
            path.lstat().st_size
            for path in (root / "models").rglob("*")
            if path.is_file()
            and not path.is_relative_to(root / "models" / "blob")
            and not path.is_relative_to(root / "models" / ".cache")
        )
        trashed = shelf.delete("0")
        usage = shelf.usage()
        assert usage.trash == trashed.bytes_freed
        assert stored_bytes(root) == usage.stored + usage.trash + usage.garbage

    @pytest.mark.skipif(shutil.which("du") is None, reason="needs coreutils' du")
    def test_usage_agrees_with_du(self, tmp_path: Path, shelf: NormalizedModelManager) -> None:
        """`du -l` counts every link, plain `du` every inode: logical and stored."""
        for seed in range(2):
            shelf.add(tiny.pipeline(tmp_path / str(seed), base="sd-1", seed=seed, size=300_000))
        views = [info.path for info in shelf.list_pipelines()]
        usage = shelf.usage()
        blob = tmp_path / "shelf" / "models" / "blob"

        def du(*arguments: str | Path) -> int:
            command = ["du", "-c", "-b", *arguments]
            report = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            return int(report.splitlines()[-1].split()[0])

        def folders(*tops: Path) -> int:
            return sum(
                path.stat().st_size
                for top in tops
                for path in (top, *top.rglob("*"))
                if path.is_dir()
            )

        assert du("-l", *views) - folders(*views) == usage.logical
        assert du(*views) - folders(*views) == usage.stored
        assert du(blob) - folders(blob) == usage.stored

    def test_link_counts_tell_what_is_shared(
        self, tmp_path: Path, shelf: NormalizedModelManager
    ) -> None:
        """Each stored inode has one name per part and per view that shows it, where links are hard."""
        for name in ("one", "two"):
            shelf.add(plain_pipeline(tmp_path / name))
        first, second = shelf.list_pipelines()
        shared = [info.path / "vae" / "weights.bin" for info in (first, second)]
        if not shared[0].samefile(shared[1]):
            pytest.skip("views are reflinks here, which have no link count")
        assert shared[0].stat().st_nlink == 3
        assert (first.path / "unet" / "weights.bin").stat().st_nlink == 2


class TestNames:
    """The calls and answers of `spec/normalized-model-manager.md`."""

    def test_fetches_a_fundamental_model(
        self, tmp_path: Path, shelf: NormalizedModelManager
    ) -> None:
        """By name and type, given as enum member or as text; path and description as stored."""
        source = tiny.lora(tmp_path / "LoWRA.safetensors")
        model = shelf.import_model(source, description="low light", source="stabilityai/lowra")
        for kind in (ModelType.LORA, "lora"):
            info = shelf.get_model_by_name(name="LoWRA", type=kind)
            assert (info.id, info.description) == (model, "low light")
            assert info.source == "stabilityai/lowra"
            assert info.path.read_bytes() == source.read_bytes()
        assert BaseModelType.SD_1 in shelf.get_model(model).bases

    def test_import_is_spelled_as_the_document_does(
        self, tmp_path: Path, shelf: NormalizedModelManager
    ) -> None:
        """`getattr(nmm, "import")` adds a model; other names that it lacks are not made up."""
        source = tiny.lora(tmp_path / "ink.safetensors")
        model = getattr(shelf, "import")(source)
        assert model == shelf.import_model(str(source))
        with pytest.raises(AttributeError):
            getattr(shelf, "importt")  # noqa: B009 - what a caller who mistypes does

    def test_fetches_a_pipeline_or_part_of_one(
        self, tmp_path: Path, shelf: NormalizedModelManager
    ) -> None:
        """With a submodel its folder in the store; without, a folder with all of the pipeline."""
        source = tiny.pipeline(tmp_path / "three", base="sd-3", size=2_000_000)
        shelf.add(source)
        for base in (BaseModelType.SD_3, "sd-3"):
            for submodel in (SubModelType.VAE, "vae"):
                vae = shelf.get_pipeline_by_name(name="three", base=base, submodel=submodel)
                assert contents(vae.path) == contents(source / "vae")
                assert vae.type is ModelType.VAE
            whole = shelf.get_pipeline_by_name(name="three", base=base)
            assert contents(whole.path) == contents(source)
        assert [part.folder for part in whole.parts] == sorted(
            path.name
            for path in source.iterdir()
            if (path / "config.json").exists() or path.name.startswith(("tokenizer", "scheduler"))
        )

    def test_a_usable_folder_is_made_again(
        self, tmp_path: Path, shelf: NormalizedModelManager
    ) -> None:
        """Whoever asks for a pipeline gets its folder even if somebody took it apart."""
        source = tiny.pipeline(tmp_path / "three", base="sd-3", size=2_000_000)
        shelf.add(source)
        shutil.rmtree(shelf.get_pipeline_by_name("three", "sd-3").path)
        assert contents(shelf.get_pipeline_by_name("three", "sd-3").path) == contents(source)
        assert shelf.verify().clean

    def test_says_what_is_unknown(self, tmp_path: Path, shelf: NormalizedModelManager) -> None:
        """A name, type, base, component, id or trash entry that is not there is named."""
        shelf.add(tiny.lora(tmp_path / "ink.safetensors"))
        shelf.add(tiny.pipeline(tmp_path / "three", base="sd-3", size=2_000_000))
        with pytest.raises(UnknownModelException, match="ink"):
            shelf.get_model_by_name("ink", "vae")
        with pytest.raises(UnknownModelException):
            shelf.get_model_by_name("three", "main")
        with pytest.raises(UnknownModelException):
            shelf.get_pipeline_by_name("three", "sd-1")
        with pytest.raises(UnknownSubmodelError, match="transformer"):
            shelf.get_pipeline_by_name("three", "sd-3", submodel="unet")
        with pytest.raises(InvalidChoiceError, match="vae"):
            shelf.get_model_by_name("ink", "loar")
        with pytest.raises(InvalidChoiceError, match="sd-1"):
            shelf.get_pipeline_by_name("three", "sd3")
        for selector in (10**9, "nobody", "deadbeef", ""):
            with pytest.raises(UnknownModelException):
                shelf.get_model(selector)
        with pytest.raises(UnknownTrashError):
            shelf.undo("00000000")

    def test_refuses_to_guess_between_two(
        self, tmp_path: Path, shelf: NormalizedModelManager
    ) -> None:
        """Look-ups that fit several models raise, naming their keys; a key decides."""
        for seed in range(2):
            source = tiny.lora(tmp_path / f"{seed}.safetensors", seed=seed)
            assert (len(shelf.add(source, name="ink").warnings) > 0) == (seed == 1)
        with pytest.raises(DuplicateModelException) as caught:
            shelf.get_model_by_name("ink", "lora")
        keys = [info.key for info in shelf.list_models()]
        assert all(key[:12] in caught.value.matches for key in keys)
        with pytest.raises(DuplicateModelException):
            shelf.delete("ink")
        assert {shelf.get_model(key).key for key in keys} == set(keys)

    def test_the_same_name_is_the_same_id(
        self, tmp_path: Path, shelf: NormalizedModelManager
    ) -> None:
        """Importing what is there under its name returns its id and stores nothing."""
        source = tiny.lora(tmp_path / "ink.safetensors")
        model = shelf.import_model(source)
        again = shelf.add(source)
        assert (again.info.id, again.is_new, again.bytes_stored) == (model, False, 0)
        assert len(shelf.list_models()) == 1

    def test_another_name_stores_nothing(
        self, tmp_path: Path, shelf: NormalizedModelManager
    ) -> None:
        """Another name of a known model or pipeline is a name; both are found."""
        lora = tiny.lora(tmp_path / "ink.safetensors")
        pipeline = tiny.pipeline(tmp_path / "harbour", base="sd-1", size=300_000)
        ids = {}
        for source in (lora, pipeline):
            ids[source] = shelf.import_model(source)
            before = stored_bytes(tmp_path / "shelf")
            outcome = shelf.add(source, name="other")
            assert (outcome.is_new, outcome.bytes_stored, outcome.parts_stored) == (True, 0, 0)
            assert stored_bytes(tmp_path / "shelf") == before
        assert shelf.get_model_by_name("other", "lora").id == ids[lora]
        names = [info.name for info in shelf.list_pipelines()]
        assert names == ["harbour", "other"]
        assert len({info.id for info in shelf.list_pipelines()}) == 2

    def test_ids_never_collide(self, tmp_path: Path, shelf: NormalizedModelManager) -> None:
        """No pipeline has the id of a fundamental model, nor a new model that of a deleted one."""
        seen: set[int] = set()
        for seed in range(3):
            lora = tiny.lora(tmp_path / f"{seed}.safetensors", seed=seed)
            ids = [
                shelf.import_model(plain_pipeline(tmp_path / f"pipeline-{seed}")),
                shelf.import_model(lora),
            ]
            parts = {part.id for info in shelf.list_pipelines() for part in info.parts}
            assert not parts & set(ids[:1])
            assert not seen & set(ids)
            seen |= {*ids, *parts}
            for model in ids:
                shelf.delete(model)
            shelf.collect_garbage(expire_trash=timedelta(0))

    @pytest.mark.parametrize("name", ["", "  ", "\0", "a\0b", "x" * 501, "\udcff"])
    def test_refuses_names_that_cannot_be(
        self, tmp_path: Path, shelf: NormalizedModelManager, name: str
    ) -> None:
        """An empty, endless or unwritable name is refused before anything is stored."""
        with pytest.raises(InvalidNameError):
            shelf.add(tiny.lora(tmp_path / "ink.safetensors"), name=name)
        assert shelf.list_models() == []
        assert stored_bytes(tmp_path / "shelf") == 0

    @pytest.mark.parametrize(
        "name", [".", "..", "a/b", "../../etc", "CON", "new\nline", "-rf", "ü", "x" * 500, "a."]
    )
    def test_any_other_name_stays_below_its_folder(
        self, tmp_path: Path, shelf: NormalizedModelManager, name: str
    ) -> None:
        """A name with slashes, dots or newlines is kept, and neither view nor export leave home."""
        source = tiny.lora(tmp_path / "ink.safetensors")
        info = shelf.add(source, name=name).info
        assert shelf.get_model_by_name(name, "lora").id == info.id
        made = shelf.export(name=name, type="lora", destination=tmp_path / "out").path
        assert made.parent == tmp_path / "out"
        assert made.read_bytes() == source.read_bytes()
        folder = tmp_path / "shelf" / "models" / info.base / "lora"
        assert len(list(folder.iterdir())) == 1
        assert shelf.verify().clean

    def test_names_that_differ_in_case_are_two(
        self, tmp_path: Path, shelf: NormalizedModelManager
    ) -> None:
        """Views of `ink` and `INK` are apart even where a file system cannot tell them apart."""
        for seed, name in enumerate(("ink", "INK")):
            shelf.add(tiny.lora(tmp_path / f"{seed}.safetensors", seed=seed), name=name)
        folder = next((tmp_path / "shelf" / "models").glob("*/lora"))
        assert sorted(path.name for path in folder.iterdir()) == [
            "INK-2.safetensors",
            "ink.safetensors",
        ]


class TestExport:
    """`export` writes to the folder named, under the model's name, and nothing else."""

    def test_never_replaces_unasked(self, tmp_path: Path, shelf: NormalizedModelManager) -> None:
        """An existing file, folder or link under that name is left as it is, and named."""
        shelf.add(plain_pipeline(tmp_path / "model"))
        out = tmp_path / "out"
        makers: list[Callable[[Path], object]] = [
            lambda path: path.write_bytes(b"mine"),
            Path.mkdir,
            lambda path: path.symlink_to("/nowhere"),
        ]
        for make in makers:
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir()
            make(out / "model")
            before = (out / "model").lstat()
            with pytest.raises(DestinationExistsError, match="out/model"):
                shelf.export(selector="model", destination=out)
            assert [path.name for path in out.iterdir()] == ["model"]
            assert (out / "model").lstat().st_ino == before.st_ino

    def test_never_replaces_what_comes_meanwhile(
        self, tmp_path: Path, shelf: NormalizedModelManager
    ) -> None:
        """A file that somebody puts there while the export runs is left as it is."""
        shelf.add(plain_pipeline(tmp_path / "model"))
        out = tmp_path / "out"

        def put_there(_: Progress) -> None:
            (out / "model").write_bytes(b"mine")

        with pytest.raises(DestinationExistsError):
            shelf.export(selector="model", destination=out, progress=put_there)
        assert contents(out) == {"model": b"mine"}

    @pytest.mark.parametrize("method", ["link", "copy"])
    def test_replaces_when_told(
        self, tmp_path: Path, shelf: NormalizedModelManager, method: str
    ) -> None:
        """With force the old is gone and the new is whole; a link is replaced, not followed."""
        source = plain_pipeline(tmp_path / "model")
        shelf.add(source)
        theirs = plain_pipeline(tmp_path / "theirs")
        before = contents(theirs)
        out = tmp_path / "out"
        plain_pipeline(out / "model", {"old": b"1", "older/still": b"2"})
        for _ in range(2):
            shelf.export(selector="model", destination=out, method=method, force=True)
            assert contents(out / "model") == contents(source)
            assert [path.name for path in out.iterdir()] == ["model"]
            shutil.rmtree(out / "model")
            (out / "model").symlink_to(theirs)
        assert contents(theirs) == before

    def test_a_copy_is_the_users_own(self, tmp_path: Path, shelf: NormalizedModelManager) -> None:
        """What was copied out can be written to, and the library does not change with it."""
        shelf.add(plain_pipeline(tmp_path / "model"))
        made = shelf.export(selector="model", destination=tmp_path / "out", method="copy").path
        for path in made.rglob("*.bin"):
            assert os.access(path, os.W_OK)
            path.write_bytes(b"changed")
        assert shelf.verify().clean

    def test_needs_a_name_or_a_selector(
        self, tmp_path: Path, shelf: NormalizedModelManager
    ) -> None:
        """By name with base, as the document shows; an unknown method is refused with the choices."""
        shelf.add(tiny.pipeline(tmp_path / "three", base="sd-3", size=2_000_000))
        made = shelf.export(name="three", base="sd-3", destination=tmp_path / "out").path
        assert made == tmp_path / "out" / "three"
        with pytest.raises(UnknownModelException):
            shelf.export(name="three", base="sd-1", destination=tmp_path / "out")
        with pytest.raises(InvalidChoiceError, match="copy"):
            shelf.export(selector="three", destination=tmp_path / "b", method="teleport")
        assert not (tmp_path / "b").exists()


SOURCES = ("one", "two", "three", "loose.bin")


class Library(RuleBasedStateMachine):
    """A library and a dictionary that should always agree."""

    def __init__(self) -> None:
        super().__init__()
        self._place = TemporaryDirectory()
        self.here = Path(self._place.name)
        for name in SOURCES[:2]:
            plain_pipeline(self.here / name, {"README": b"about", "vae/x": b"about"})
        plain_pipeline(self.here / "three", {"README": b"else", "a/b": b"about", "c": b"about"})
        (self.here / "loose.bin").write_bytes(b"about")
        self.clock = StandingClock()
        self.shelf = open_shelf(self.here / "shelf", clock=self.clock)
        self.alive: dict[tuple[str, str], str] = {}
        """(source, name) → key."""
        self.trashed: dict[str, tuple[str, str]] = {}
        """Trash id → (source, name)."""
        self.expires: dict[str, int] = {}
        self.days = 0

    def teardown(self) -> None:
        self.shelf.close()
        self._place.cleanup()

    @rule(source=st.sampled_from(SOURCES), name=st.sampled_from(["a", "A", "b"]))
    def add(self, source: str, name: str) -> None:
        """Adding is new exactly when this content did not have this name."""
        outcome = self.shelf.add(self.here / source, name=name)
        assert outcome.is_new == ((source, name) not in self.alive)
        assert self.alive.setdefault((source, name), outcome.info.key) == outcome.info.key

    @precondition(lambda self: self.alive)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        """A deleted model is gone and in the trash."""
        which = data.draw(st.sampled_from(sorted(self.alive)))
        entry = self.shelf.delete(self.alive.pop(which))
        self.trashed[entry.trash_id] = which
        self.expires[entry.trash_id] = self.days + 30

    @precondition(lambda self: self.trashed)
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        """What comes back has its key, unless the same was added again meanwhile."""
        trash_id = data.draw(st.sampled_from(sorted(self.trashed)))
        which = self.trashed.pop(trash_id)
        info = self.shelf.undo(trash_id)
        assert self.alive.setdefault(which, info.key) == info.key

    @rule(days=st.sampled_from([1, 29, 31]))
    def wait(self, days: int) -> None:
        """Time goes by."""
        self.clock.pass_days(days)
        self.days += days

    @rule(everything=st.booleans())
    def collect(self, *, everything: bool) -> None:
        """Expired trash goes, all of it when asked, and with it every byte that nothing holds."""
        gone = [one for one in self.trashed if everything or self.expires[one] <= self.days]
        report = self.shelf.collect_garbage(expire_trash=timedelta(0) if everything else None)
        assert report.trash == len(gone)
        for trash_id in gone:
            del self.trashed[trash_id]
        usage = self.shelf.usage()
        assert usage.garbage == 0
        assert len(list((self.here / "shelf/models/blob").iterdir())) == self.shelf.verify().parts

    @rule()
    def reopen(self) -> None:
        """Closing and opening changes nothing."""
        self.shelf.close()
        self.shelf = open_shelf(self.here / "shelf", clock=self.clock)

    @invariant()
    def has_what_was_added(self) -> None:
        """The library lists exactly what the dictionary has, and shows it byte for byte."""
        infos = [*self.shelf.list_models(), *self.shelf.list_pipelines()]
        assert {info.key for info in infos} == set(self.alive.values())
        by_key = {info.key: info for info in infos}
        for (source, name), key in self.alive.items():
            assert by_key[key].name == name
            assert contents(by_key[key].path) == contents(self.here / source)
        assert {entry.trash_id for entry in self.shelf.trash()} == set(self.trashed)

    @invariant()
    def is_sound(self) -> None:
        """`verify` is clean, and the numbers are those of the file system."""
        assert self.shelf.verify().clean
        usage = self.shelf.usage()
        assert usage.stored + usage.trash + usage.garbage == stored_bytes(self.here / "shelf")


def test_random_sequences_equal_a_dictionary() -> None:
    """Adding, deleting, undoing, collecting and waiting in any order: `gc` never takes what a mark reaches."""
    run_state_machine_as_test(
        Library,
        settings=settings(
            settings.default,
            max_examples=max(8, settings().max_examples // 4),
            stateful_step_count=12,
        ),
    )
