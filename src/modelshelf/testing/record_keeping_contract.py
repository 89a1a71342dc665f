"""What a record store promises of leases, trash, views and counts."""
# ruff: noqa: S101, PLR2004 - a contract asserts, and its numbers are the expected ones

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from modelshelf.schema.query import ModelQuery
from modelshelf.schema.report import Usage
from modelshelf.schema.taxonomy import ModelType
from modelshelf.testing.record_store_case import (
    LATER,
    RecordStoreCase,
    digest_of,
    part_content,
)

__all__ = ["RecordKeepingContract"]


class RecordKeepingContract(RecordStoreCase):
    """Protecting, deleting, showing and counting what was added."""

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

    def test_yields_every_view_with_its_model(self) -> None:
        """Each once and sorted by path, however many there are, pipelines among them."""
        for number in range(405):
            self.add(part_content({"w": str(number).encode()}), f"ink {number}")
        vae = part_content({"w": b"vae"}, folder="vae", type=ModelType.VAE)
        self.add_pipeline("harbour", [vae])
        seen = list(self.records.seen_models())
        assert [view for view, _ in seen] == self.records.views()
        assert all(model == self.records.stored_model(view.key) for view, model in seen)
        assert len(seen) == 406

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
