"""What every record store promises, as tests to inherit.

A test module subclasses `RecordStoreContract` and sets `records` before each test. Nothing of pytest is
used here. Parts are made of plain bytes: a record store never reads them.
"""
# ruff: noqa: S101, PLR2004 - a contract asserts, and its numbers are the expected ones

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from blake3 import blake3

from modelshelf.protocols import RecordStore
from modelshelf.schema.digest import Digest
from modelshelf.schema.manifest import ImportPlan, PartFile, PartManifest, PlannedPart, part_digest
from modelshelf.schema.member import MemberPath
from modelshelf.schema.query import ModelQuery
from modelshelf.schema.report import Usage
from modelshelf.schema.source import SourceFile
from modelshelf.schema.stored import PartContent, Registered
from modelshelf.schema.taxonomy import BaseModelType, ModelFormat, ModelType

__all__ = ["RecordStoreContract", "part_content", "pipeline_plan", "single_plan"]

LATER = datetime(2100, 1, 1, tzinfo=UTC)
"""When trash of these tests expires."""


def digest_of(content: bytes) -> Digest:
    """Return the BLAKE3 of bytes."""
    return Digest.blake3(blake3(content).digest())


def part_content(
    files: Mapping[str, bytes],
    *,
    folder: str = "",
    type: ModelType = ModelType.LORA,  # noqa: A002 - the specification's word
    bases: Sequence[BaseModelType] = (BaseModelType.SD_1,),
    location: str | None = None,
    is_new: bool = True,
) -> PartContent:
    """Make a part as if it had just been stored.

    Args:
        files: Content by member.
        folder: Component folder in a pipeline; empty for a model of its own.
        type: What it is.
        bases: What it comes with.
        location: Where it lies; None for a place of its own.
        is_new: False for a part that was found in the store.
    """
    stored = tuple(_part_file(member, files[member]) for member in sorted(files))
    manifest = PartManifest(stored)
    return PartContent(
        planned=PlannedPart(
            folder=folder,
            type=type,
            format=ModelFormat.DIFFUSERS,
            bases=tuple(bases),
            is_file=False,
            files=tuple((file.member, _source(file)) for file in stored),
        ),
        digest=part_digest((file.member, file.size, file.blake3) for file in stored),
        manifest=manifest,
        location=location or str(uuid4()),
        is_new=is_new,
        bytes_stored=manifest.size if is_new else 0,
    )


def single_plan(content: PartContent, name: str, *, file_name: str | None = None) -> ImportPlan:
    """Plan a model of one part, as a folder unless it has a *file_name*."""
    return ImportPlan(
        name=name,
        type=content.planned.type,
        format=content.planned.format,
        bases=content.planned.bases,
        parts=(content.planned,),
        source=f"/models/{name}",
        file_name=file_name,
    )


def pipeline_plan(
    contents: Sequence[PartContent], name: str, base: BaseModelType = BaseModelType.SD_1
) -> ImportPlan:
    """Plan a pipeline; the part whose folder is empty holds its `model_index.json`."""
    leftovers = next(content.planned for content in contents if not content.planned.folder)
    return ImportPlan(
        name=name,
        type=ModelType.MAIN,
        format=ModelFormat.DIFFUSERS,
        bases=(base,),
        parts=tuple(content.planned for content in contents if content.planned.folder),
        is_pipeline=True,
        leftovers=leftovers,
        source=f"/models/{name}",
    )


def _part_file(member: str, content: bytes) -> PartFile:
    return PartFile(
        MemberPath.parse(member),
        len(content),
        digest_of(content),
        Digest.sha256(hashlib.sha256(content).digest()),
        blake3(content).digest(16),
    )


def _source(file: PartFile) -> SourceFile:
    return SourceFile(file.member, Path("/models") / file.member, file.size, 0, 0, 0)


class RecordStoreContract:
    """The promises of `protocols.RecordStore`."""

    records: RecordStore
    """A store with nothing in it, set before each test."""

    def add(self, content: PartContent, name: str, *, file_name: str | None = None) -> Registered:
        """Register a model of one part."""
        return self.records.register(single_plan(content, name, file_name=file_name), [content])

    def add_pipeline(
        self,
        name: str,
        parts: Sequence[PartContent],
        base: BaseModelType = BaseModelType.SD_1,
        index: bytes = b"{}",
    ) -> Registered:
        """Register a pipeline of these parts and a `model_index.json`."""
        leftovers = part_content(
            {"model_index.json": index}, type=ModelType.PIPELINE_FILES, bases=(base,)
        )
        contents = [*parts, leftovers]
        return self.records.register(pipeline_plan(contents, name, base), contents)

    def delete(self, key: str) -> str:
        """Move a model to the trash; return how to bring it back."""
        return self.records.move_to_trash(key, LATER)

    def refcount(self, name: str) -> int:
        """Return how many share the part of the model *name*."""
        (info,) = self.records.find(ModelQuery(name=name))
        return info.refcount

    def sweep(self, *trash_ids: str) -> list[str]:
        """Forget these entries of the trash and all that nothing holds."""
        lease_id = uuid4().hex
        self.records.begin_lease(lease_id, "sweeping", [])
        swept = self.records.sweep(lease_id, trash_ids)
        self.records.end_lease(lease_id)
        return swept

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
        """Same parts and name: the same id. Another name, base or part: another pipeline."""
        vae = part_content({"w": b"vae"}, folder="vae", type=ModelType.VAE)
        first = self.add_pipeline("harbour", [vae])
        assert self.add_pipeline("harbour", [vae]).id == first.id
        others = [
            self.add_pipeline("meadow", [vae]),
            self.add_pipeline("harbour", [vae], base=BaseModelType.SD_2),
            self.add_pipeline("harbour", [vae], index=b"{ }"),
        ]
        assert all(other.is_new for other in others)
        assert len({first.id, *(other.id for other in others)}) == 4
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
        """A part serves every base that it came with; the first stays first."""
        for base in (BaseModelType.SD_2, BaseModelType.SD_1, BaseModelType.SD_2):
            self.add(part_content({"w": b"vae"}, type=ModelType.VAE, bases=[base]), "vae")
        (info,) = self.records.named_models()
        assert info.bases == (BaseModelType.SD_2, BaseModelType.SD_1)

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

    # -- leases

    def test_a_lease_protects_until_it_ends(self) -> None:
        """What a lease names is kept; when it ends, or ends again, it no longer is."""
        one, two = uuid4().hex, uuid4().hex
        self.records.begin_lease(one, "adding", [("folder", "here"), ("path", "/x")])
        self.records.begin_lease(two, "exporting", [("path", "/y")])
        assert set(self.records.leases()) == {one, two}
        assert self.records.kept_locations() == {"here"}
        assert self.records.leased(one, "path") == {"/x"}
        assert self.records.leased(one, "part") == set()
        self.records.end_lease(one)
        self.records.end_lease(one)
        assert self.records.leases() == [two]
        assert self.records.kept_locations() == set()

    def test_a_pinned_part_is_not_swept(self) -> None:
        """A part that an import found stays until the import is over, used or not."""
        content = part_content({"w": b"1"})
        key = self.add(content, "ink").key
        lease_id = uuid4().hex
        self.records.begin_lease(lease_id, "adding", [])
        pinned = self.records.pin(lease_id, content.digest)
        assert pinned is not None
        assert pinned == self.records.part(content.digest)
        assert self.records.pin(lease_id, content.digest) == pinned
        assert self.records.pin(lease_id, digest_of(b"none")) is None
        assert self.sweep(self.delete(key)) == []
        assert self.records.unreferenced() == []
        self.records.end_lease(lease_id)
        assert self.records.unreferenced() == [content.location]
        assert self.sweep() == [content.location]
        assert list(self.records.parts()) == []

    def test_swept_locations_are_leased(self) -> None:
        """What a sweep forgot stays protected by its lease, so that a crash leaves a trace."""
        content = part_content({"w": b"1"})
        trash_id = self.delete(self.add(content, "ink").key)
        lease_id = uuid4().hex
        self.records.begin_lease(lease_id, "sweeping", [])
        assert self.records.sweep(lease_id, [trash_id]) == [content.location]
        assert self.records.leased(lease_id, "folder") == {content.location}

    def test_repair_moves_a_part_and_writes_its_rows_anew(self) -> None:
        """A repaired part lies elsewhere, is whole, and is still the same part."""
        broken = part_content({"w": b"1"})
        self.add(broken, "ink")
        (part,) = self.records.parts()
        self.records.mark_damaged(part.id, is_damaged=True)
        whole = part_content({"w": b"1"})
        lease_id = uuid4().hex
        self.records.begin_lease(lease_id, "repairing", [("folder", whole.location)])
        assert self.records.repair(lease_id, part.id, whole) == broken.location
        assert self.records.leased(lease_id, "folder") == {whole.location, broken.location}
        (repaired,) = self.records.parts()
        assert (repaired.id, repaired.digest, repaired.location) == (
            part.id,
            part.digest,
            whole.location,
        )
        assert not repaired.is_damaged
        assert [file.location for file in repaired.files] == [whole.location]
        assert self.records.repair(lease_id, 10**6, whole) is None

    # -- deleting

    def test_trash_hides_and_restore_brings_back(self) -> None:
        """A deleted model is found nowhere, holds its part, and comes back with id and key."""
        registered = self.add(part_content({"w": b"123"}), "ink")
        trash_id = self.delete(registered.key)
        assert self.records.find(ModelQuery()) == []
        (entry,) = self.records.trashed()
        assert (entry.trash_id, entry.name, entry.type) == (trash_id, "ink", ModelType.LORA)
        assert (entry.size, entry.bytes_freed, entry.bytes_kept) == (3, 3, 0)
        assert entry.expires_at == LATER
        assert self.sweep() == []
        assert self.records.restore(trash_id) == registered.key
        assert self.records.restore(trash_id) is None
        assert self.records.trashed() == []
        (info,) = self.records.find(ModelQuery())
        assert (info.id, info.key, info.refcount) == (registered.id, registered.key, 1)

    def test_only_the_named_key_is_deleted(self) -> None:
        """Another name of the same part stays, and so does the part."""
        ink = self.add(part_content({"w": b"1"}), "ink")
        self.add(part_content({"w": b"1"}), "pen")
        trash_id = self.delete(ink.key)
        assert [info.name for info in self.records.named_models()] == ["pen"]
        assert self.refcount("pen") == 1
        assert self.sweep(trash_id) == []
        assert self.records.trashed() == []

    def test_restoring_a_twin_gives_the_living_one(self) -> None:
        """What was added again meanwhile under the same name is what undo returns."""
        content = part_content({"w": b"1"})
        trash_id = self.delete(self.add(content, "ink").key)
        living = self.add(content, "ink")
        assert self.records.restore(trash_id) == living.key
        assert len(self.records.find(ModelQuery(name="ink"))) == 1
        assert self.refcount("ink") == 1
        vae = part_content({"w": b"vae"}, folder="vae", type=ModelType.VAE)
        trash_id = self.delete(self.add_pipeline("harbour", [vae]).key)
        pipeline = self.add_pipeline("harbour", [vae])
        assert self.records.restore(trash_id) == pipeline.key
        assert len(self.records.pipelines()) == 1
        assert self.records.audit() == []

    def test_says_what_had_expired(self) -> None:
        """Only trash whose time is over by then is listed."""
        self.delete(self.add(part_content({"w": b"1"}), "ink").key)
        assert len(self.records.trashed(expired_at=LATER)) == 1
        assert self.records.trashed(expired_at=LATER - timedelta(seconds=1)) == []

    def test_sweep_frees_what_nothing_holds_and_no_more(self) -> None:
        """Parts that a living or deleted model holds stay; forgotten ones go."""
        vae = part_content({"w": b"vae"}, folder="vae", type=ModelType.VAE)
        unets = [
            part_content({"w": name}, folder="unet", type=ModelType.UNET) for name in (b"1", b"2")
        ]
        first = self.add_pipeline("one", [unets[0], vae])
        self.add_pipeline("two", [unets[1], vae], index=b"[]")
        trash_id = self.delete(first.key)
        assert self.sweep() == []
        swept = self.sweep(trash_id)
        assert unets[0].location in swept
        assert len(swept) == 2
        assert {vae.location, unets[1].location} <= self.records.kept_locations()
        (two,) = self.records.pipelines()
        assert [part.refcount for part in two.parts] == [1, 1]
        assert self.records.audit() == []

    # -- views

    def test_views_are_wanted_made_and_unwanted(self) -> None:
        """Each model gets a view; deleting takes it back; both are noted until they are done."""
        registered = self.add(part_content({"model.bin": b"1"}), "ink", file_name="a.bin")
        (view,) = self.records.views(unsettled=True)
        assert (view.key, view.path, view.state) == (registered.key, "sd-1/lora/ink.bin", "wanted")
        self.records.settle_view(view)
        assert self.records.views(unsettled=True) == []
        assert [view.state for view in self.records.views()] == ["made"]
        self.records.want_view(registered.key)
        assert [view.state for view in self.records.views()] == ["wanted"]
        self.records.settle_view(view)
        trash_id = self.delete(registered.key)
        (unwanted,) = self.records.views(unsettled=True)
        assert unwanted.state == "unwanted"
        self.records.settle_view(unwanted)
        assert self.records.views() == []
        self.records.restore(trash_id)
        assert [(view.path, view.state) for view in self.records.views()] == [
            ("sd-1/lora/ink.bin", "wanted")
        ]

    def test_no_two_views_have_one_path(self) -> None:
        """Names that are one name, in whatever case, are told apart by a number."""
        for number, name in enumerate(("ink", "INK", "ink")):
            self.add(part_content({"a": bytes([number])}), name)
        paths = [view.path.lower() for view in self.records.views()]
        assert len(set(paths)) == 3
        (first, *_) = self.records.views()
        self.records.move_view(first.key)
        moved = [view.path.lower() for view in self.records.views()]
        assert len(set(moved)) == 3
        assert first.path not in {view.path for view in self.records.views()}

    # -- counting and checking

    def test_usage_counts_content_once(self) -> None:
        """Logical bytes repeat what is shared, stored bytes do not, trash and garbage are apart."""
        assert self.records.usage() == Usage((), logical=0, stored=0, trash=0, garbage=0)
        self.add(part_content({"own": b"12", "both": b"345"}), "ink")
        pen = self.add(part_content({"own": b"6789", "both": b"345", "again": b"345"}), "pen")
        usage = self.records.usage()
        assert (usage.logical, usage.stored, usage.saved) == (15, 9, 6)
        assert [(m.name, m.logical, m.unique, m.shared) for m in usage.models] == [
            ("pen", 10, 4, 3),
            ("ink", 5, 2, 3),
        ]
        assert self.records.cost_of(pen.key) == (4, 3)
        (shared,) = self.records.duplicates()
        assert (shared.size, shared.uses, shared.saved) == (3, 3, 6)
        assert shared.models == ("ink", "pen")
        self.delete(pen.key)
        usage = self.records.usage()
        assert (usage.logical, usage.stored, usage.trash, usage.garbage) == (5, 5, 4, 0)

    def test_usage_knows_garbage(self) -> None:
        """Content of a part that nothing holds any more is garbage until it is swept."""
        content = part_content({"w": b"123"})
        key = self.add(content, "ink").key
        lease_id = uuid4().hex
        self.records.begin_lease(lease_id, "adding", [])
        self.records.pin(lease_id, content.digest)
        self.sweep(self.delete(key))
        assert self.records.usage().garbage == 3
        self.records.end_lease(lease_id)
        self.sweep()
        assert self.records.usage().garbage == 0

    def test_says_who_needs_a_part(self) -> None:
        """The living models of each part are named once, whatever else holds it."""
        vae = part_content({"w": b"vae"}, folder="vae", type=ModelType.VAE)
        pipelines = [self.add_pipeline(name, [vae]) for name in ("two", "one")]
        part = self.records.part(vae.digest)
        assert part is not None
        assert self.records.holders_of_parts()[part.id] == ("one", "two")
        self.delete(pipelines[0].key)
        assert self.records.holders_of_parts()[part.id] == ("one",)

    def test_a_sound_store_has_no_findings(self) -> None:
        """After adding, deleting, restoring and sweeping, the audit finds nothing."""
        vae = part_content({"w": b"vae"}, folder="vae", type=ModelType.VAE)
        keys = [self.add_pipeline(name, [vae]).key for name in ("one", "two")]
        keys.append(self.add(part_content({"w": b"vae"}, type=ModelType.VAE), "vae").key)
        trash = [self.delete(key) for key in keys]
        self.records.restore(trash[0])
        self.sweep(trash[1])
        assert self.records.audit() == []
