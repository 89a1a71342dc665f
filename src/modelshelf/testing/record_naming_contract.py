"""What a record store promises of parts, names, pipelines, bases and files."""
# ruff: noqa: S101, PLR2004 - a contract asserts, and its numbers are the expected ones

from __future__ import annotations

import hashlib
from dataclasses import replace
from uuid import uuid4

from modelshelf.schema.digest import Digest
from modelshelf.schema.query import ModelQuery
from modelshelf.schema.recipe import OriginalFile
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType
from modelshelf.testing.record_store_case import (
    RecordStoreCase,
    digest_of,
    part_content,
    pipeline_plan,
    single_plan,
)

__all__ = ["RecordNamingContract"]


class RecordNamingContract(RecordStoreCase):
    """Registering what was added, and finding it again."""

    # -- registering and finding

    def test_finds_what_was_registered(self) -> None:
        """A registered model is found by name, id, key and digest, with all that it came with."""
        content = part_content({"model.safetensors": b"weights"})
        registered = self.add(content, "ink", file_name="ink v2.SafeTensors")
        (info,) = self.records.find(ModelQuery())
        assert registered.is_new
        assert (info.id, info.key, info.name) == (registered.id, registered.key, "ink")
        assert (info.type, info.bases) == (ModelType.LORA, (BaseModelType.SD_1,))
        assert (info.size, info.hash) == (7, str(content.digest))
        assert info.source == "/models/ink"
        assert info.path.name == "model.safetensors"
        for query in (
            ModelQuery(ids=(info.id,)),
            ModelQuery(key_prefix=info.key[:8]),
            ModelQuery(name="ink"),
            ModelQuery(contains="NK"),
            ModelQuery(digest_prefix=content.digest.hexadecimal[:9]),
            ModelQuery(digest_prefix=hashlib.sha256(b"weights").hexdigest()[:9]),
        ):
            assert self.records.find(query) == [info]
        assert self.records.named_models() == [info]
        assert self.records.pipelines() == []

    def test_finds_nothing_else(self) -> None:
        """Words that fit nothing find nothing, and `%` and `_` mean themselves."""
        self.add(part_content({"a": b"1"}), "ink")
        for query in (
            ModelQuery(name="IN"),
            ModelQuery(contains="%"),
            ModelQuery(contains="i_k"),
            ModelQuery(ids=()),
            ModelQuery(ids=(10**6,)),
            ModelQuery(key_prefix="zz"),
            ModelQuery(digest_prefix="xyz"),
        ):
            assert self.records.find(query) == []

    def test_keeps_odd_names(self) -> None:
        """Names are text of any kind: quotes, newlines, wildcards and emoji come back as given."""
        names = ["a'b\"c", "new\nline", "100%_", "🦊", "a/b", " edge "]
        for number, name in enumerate(names):
            self.add(part_content({"a": str(number).encode()}), name)
        assert sorted(info.name for info in self.records.named_models()) == sorted(names)
        for name in names:
            assert [info.name for info in self.records.find(ModelQuery(name=name))] == [name]

    def test_registering_again_is_registering_once(self) -> None:
        """The same content under the same name has the same id and key, and is not new."""
        content = part_content({"a": b"1"})
        first = self.add(content, "ink")
        second = self.add(part_content({"a": b"1"}), "ink")
        assert (second.id, second.key, second.is_new) == (first.id, first.key, False)
        assert len(self.records.named_models()) == 1

    def test_another_name_is_another_key_of_one_part(self) -> None:
        """The same content under another name keeps its id and gets a key of its own."""
        first = self.add(part_content({"a": b"1"}), "ink")
        second = self.add(part_content({"a": b"1"}), "pen")
        assert first.id == second.id
        assert first.key != second.key
        assert self.refcount("ink") == self.refcount("pen") == 2
        assert len(list(self.records.parts())) == 1

    def test_names_are_not_unique(self) -> None:
        """Two models may have one name; both are found."""
        first = self.add(part_content({"a": b"1"}), "ink")
        second = self.add(part_content({"a": b"2"}), "ink")
        found = {info.id for info in self.records.find(ModelQuery(name="ink"))}
        assert found == {first.id, second.id}

    def test_tells_of_a_folder_stored_in_vain(self) -> None:
        """When two imports stored the same part, the second one's folder is nobody's."""
        kept = part_content({"a": b"1"})
        vain = part_content({"a": b"1"})
        lease_id = uuid4().hex
        leased = [("folder", content.location) for content in (kept, vain)]
        self.records.begin_lease(lease_id, "adding", leased)
        assert self.records.unrecorded(lease_id) == {kept.location, vain.location}
        self.add(kept, "ink")
        self.add(vain, "pen")
        assert self.records.unrecorded(lease_id) == {vain.location}
        assert [part.location for part in self.records.parts()] == [kept.location]

    def test_a_pipeline_has_its_parts(self) -> None:
        """A pipeline is found with its components by folder, and shares them with others."""
        vae = part_content({"w": b"vae"}, folder="vae", type=ModelType.VAE)
        ids = []
        for name in ("harbour", "meadow"):
            unet = part_content({"w": name.encode()}, folder="unet", type=ModelType.UNET)
            ids.append(self.add_pipeline(name, [unet, vae]).id)
        harbour, meadow = self.records.pipelines()
        assert [harbour.id, meadow.id] == ids
        assert [part.folder for part in harbour.parts] == ["unet", "vae"]
        assert harbour.parts[1].id == meadow.parts[1].id
        assert harbour.parts[0].id != meadow.parts[0].id
        assert [part.refcount for part in harbour.parts] == [1, 2]
        assert (harbour.type, harbour.base) == (ModelType.MAIN, BaseModelType.SD_1)
        assert harbour.size == len(b"harbour" + b"vae" + b"{}")
        assert self.records.named_models() == []

    def test_the_same_pipeline_again_is_the_same_pipeline(self) -> None:
        """Same parts and name: the same id, whatever its base is called by now. Else another pipeline."""
        vae = part_content({"w": b"vae"}, folder="vae", type=ModelType.VAE)
        first = self.add_pipeline("harbour", [vae])
        for base in (BaseModelType.SD_1, BaseModelType.SD_2):
            assert self.add_pipeline("harbour", [vae], base=base).id == first.id
        others = [
            self.add_pipeline("meadow", [vae]),
            self.add_pipeline("harbour", [vae], index=b"{ }"),
        ]
        assert all(other.is_new for other in others)
        assert len({first.id, *(other.id for other in others)}) == 3
        assert len(list(self.records.parts())) == 3

    def test_a_part_in_two_folders_of_a_pipeline_counts_once(self) -> None:
        """REFCOUNT counts pipelines, not folders: one tokenizer used twice is shared by one."""
        contents = [
            part_content({"w": b"t"}, folder=folder, type=ModelType.TOKENIZER)
            for folder in ("tokenizer", "tokenizer_2")
        ]
        self.add_pipeline("harbour", contents)
        (harbour,) = self.records.pipelines()
        assert [part.refcount for part in harbour.parts] == [1, 1]
        assert harbour.parts[0].id == harbour.parts[1].id
        assert self.records.audit() == []

    def test_a_converted_checkpoint_is_a_pipeline_that_knows_what_it_was(self) -> None:
        """It is listed with the file that it came as, found by that file's digests, and placed without it."""
        contents = [
            part_content({"w": b"1"}, folder="unet", type=ModelType.UNET),
            part_content({"model_index.json": b"{}"}, type=ModelType.PIPELINE_FILES),
            part_content({"rest.bin": b"2"}, folder=".original", type=ModelType.ORIGINAL_FILE),
        ]
        sha256 = hashlib.sha256(b"the file").digest()
        original = OriginalFile(".ckpt", 8, digest_of(b"the file"), Digest.sha256(sha256))
        assert self.records.find_original(contents) is None
        plan = pipeline_plan(contents, "one")
        registered = self.records.register(plan, contents, original)
        (info,) = self.records.pipelines()
        assert (info.original, info.format) == (original, ModelFormat.DIFFUSERS)
        assert [part.folder for part in info.parts] == ["unet"]
        for digest in (sha256.hex(), original.blake3.hexadecimal[:10]):
            assert self.records.find(ModelQuery(digest_prefix=digest)) == [info]
        model = self.records.stored_model(registered.key)
        assert model is not None
        assert model.original == original
        assert [member for member, _ in model.files] == ["model_index.json", "unet/w"]
        assert set(model.sources) == {
            ("", "model_index.json"),
            (".original", "rest.bin"),
            ("unet", "w"),
        }
        trash_id = self.delete(registered.key)
        assert self.records.find_original(contents) == original
        assert len(self.sweep(trash_id)) == 3
        assert self.records.find_original(contents) is None

    def test_ids_never_collide_and_are_never_used_again(self) -> None:
        """Pipelines and fundamental models share one sequence, and a freed id stays free."""
        vae = part_content({"w": b"vae"}, folder="vae", type=ModelType.VAE)
        pipeline = self.add_pipeline("harbour", [vae])
        model = self.add(part_content({"a": b"1"}), "ink")
        part_ids = {part.id for part in self.records.parts()}
        assert pipeline.id not in part_ids
        assert model.id in part_ids
        self.sweep(self.delete(pipeline.key), self.delete(model.key))
        again = self.add(part_content({"a": b"1"}), "ink")
        assert again.id > max(part_ids | {pipeline.id})

    # -- bases

    def test_a_part_learns_bases(self) -> None:
        """A part serves every base that it came with, whichever came first."""
        for base in (BaseModelType.SD_2, BaseModelType.SD_1, BaseModelType.SD_2):
            self.add(part_content({"w": b"vae"}, type=ModelType.VAE, bases=[base]), "vae")
        (info,) = self.records.named_models()
        assert info.bases == (BaseModelType.SD_1, BaseModelType.SD_2)

    def test_unknown_gives_way(self) -> None:
        """A base or type that was not known is learnt later, and is not forgotten again."""
        unknown = part_content({"w": b"1"}, type=ModelType.UNKNOWN, bases=[BaseModelType.UNKNOWN])
        known = part_content({"w": b"1"}, type=ModelType.VAE, bases=[BaseModelType.SDXL])
        for content in (unknown, known, unknown):
            self.add(content, "vae")
        (info,) = self.records.find(ModelQuery(name="vae"))
        assert (info.type, info.bases) == (ModelType.VAE, (BaseModelType.SDXL,))

    def test_any_swallows(self) -> None:
        """What works with every base has no other base, whatever it comes with later."""
        for base in (BaseModelType.SD_1, BaseModelType.ANY, BaseModelType.SD_2):
            self.add(part_content({"w": b"1"}, bases=[base]), "checker")
        (info,) = self.records.named_models()
        assert info.bases == (BaseModelType.ANY,)

    def test_a_source_may_tell_models_apart(self) -> None:
        """Where that is asked for, the same name and content from elsewhere is another model."""
        content = part_content({"w": b"1"})
        plan = replace(single_plan(content, "ink"), source="here", by_source=True)
        here = self.records.register(plan, [content])
        there = self.records.register(replace(plan, source="there"), [content])
        assert (here.is_new, there.is_new, here.id) == (True, True, there.id)
        assert not self.records.register(replace(plan, source="there"), [content]).is_new
        anywhere = replace(plan, source="nowhere", by_source=False)
        assert self.records.register(anywhere, [content]).key in {here.key, there.key}
        assert [info.source for info in self.records.named_models()] == ["here", "there"]

    def test_a_source_may_tell_pipelines_apart(self) -> None:
        """A pipeline that comes from two sources has two records and its parts once."""
        contents = [
            part_content({"w": b"1"}, folder="vae"),
            part_content({"model_index.json": b"{}"}),
        ]
        plan = replace(
            pipeline_plan(contents, "dream", BaseModelType.SD_1), source="a", by_source=True
        )
        keys = {
            self.records.register(replace(plan, source=source), contents).key
            for source in ("a", "b", "a")
        }
        assert len(keys) == 2
        assert len(list(self.records.parts())) == 2

    # -- files

    def test_finds_files_by_content(self) -> None:
        """A file is found by its digest, with all that sharing it needs."""
        content = part_content({"config.json": b"{}", "w": b"weights"})
        self.add(content, "ink")
        found = self.records.find_file(digest_of(b"weights"))
        assert found is not None
        expected = content.manifest.files[1]
        assert (found.location, found.member) == (content.location, "w")
        assert (found.size, found.sha256, found.quick) == (7, expected.sha256, expected.quick)
        assert self.records.find_file(digest_of(b"others")) is None
        assert self.records.find_file(expected.sha256) == found
        assert self.records.find_file(Digest.sha256(expected.blake3.raw)) is None

    def test_offers_nothing_from_a_damaged_part(self) -> None:
        """A file of a damaged part is not shared, unless a whole part has it too."""
        self.add(part_content({"w": b"weights"}), "ink")
        (part,) = self.records.parts()
        self.records.mark_damaged(part.id, is_damaged=True)
        assert self.records.find_file(digest_of(b"weights")) is None
        whole = part_content({"v": b"weights"})
        self.add(whole, "pen")
        found = self.records.find_file(digest_of(b"weights"))
        assert found is not None
        assert found.location == whole.location
        self.records.mark_damaged(part.id, is_damaged=False)
        assert not any(part.is_damaged for part in self.records.parts())

    def test_knows_fingerprints(self) -> None:
        """Of any number of pairs of size and fingerprint, those that are stored are returned."""
        content = part_content({str(number): bytes([number]) * 9 for number in range(250)})
        self.add(content, "many")
        stored = {(file.size, file.quick) for file in content.manifest.files}
        strange = {(9, number.to_bytes(16, "big")) for number in range(1000)}
        wrong_size = {(8, quick) for _, quick in stored}
        assert self.records.known_fingerprints(stored | strange | wrong_size) == stored
        assert self.records.known_fingerprints([]) == set()

    def test_yields_every_part_with_its_files(self) -> None:
        """All parts come, each once and in order, however many there are."""
        contents = [part_content({"w": str(n).encode(), "c": b""}) for n in range(405)]
        for number, content in enumerate(contents):
            self.add(content, f"model-{number}")
        parts = list(self.records.parts())
        assert [part.digest for part in parts] == [content.digest for content in contents]
        assert all([file.member for file in part.files] == ["c", "w"] for part in parts)
        assert parts[7] == self.records.part(contents[7].digest)
        assert self.records.part(digest_of(b"none")) is None

    def test_a_model_as_files(self) -> None:
        """A stored model lists each file under its path in the model, with its own name."""
        single = self.add(part_content({"model.bin": b"1"}), "ink", file_name="Ink.BIN")
        stored = self.records.stored_model(single.key)
        assert stored is not None
        assert (stored.name, stored.is_file, stored.suffix) == ("ink", True, ".BIN")
        vae = part_content({"a/w": b"vae"}, folder="vae", type=ModelType.VAE)
        pipeline = self.add_pipeline("harbour", [vae])
        stored = self.records.stored_model(pipeline.key)
        assert stored is not None
        assert [member for member, _ in stored.files] == ["model_index.json", "vae/a/w"]
        assert not stored.is_file
        assert self.records.stored_model("0" * 32) is None
