"""Checking a library that others change at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from modelshelf.manager import NormalizedModelManager
from modelshelf.manager.assembly import Services, assemble
from modelshelf.records.store import SqlRecordStore
from modelshelf.schema.report import Finding, FindingKind, VerifyReport
from modelshelf.schema.stored import StoredModel, View
from modelshelf.settings import Settings
from modelshelf.testing import tiny
from modelshelf.upkeep import Verifier
from tests.shelves import StandingClock


class Changing:
    """Records of a library that somebody changes while a view is being looked at."""

    def __init__(self, records: SqlRecordStore, change: Callable[[], object]) -> None:
        self._records = records
        self._change = change

    def __getattr__(self, name: str) -> object:
        return getattr(self._records, name)

    def seen_models(self) -> Iterator[tuple[View, StoredModel]]:
        """Yield views that are not what they were any more."""
        for seen in list(self._records.seen_models()):
            self._change()
            yield seen

    def audit(self) -> list[Finding]:
        """Look at the records, which are others when they are asked next."""
        found = self._records.audit()
        self._change()
        return found


def checked(services: Services, change: Callable[[], object]) -> VerifyReport:
    """Verify a library that changes meanwhile."""
    return Verifier(
        models=services.settings.models_path,
        records=Changing(services.records, change),  # type: ignore[arg-type] # the rest is the library's
        blobs=services.blobs,
        views=services.views,
    ).verify()


def test_what_somebody_takes_away_or_moves_meanwhile_is_no_damage(tmp_path: Path) -> None:
    """Its links are gone because its model is; or they are where it belongs now, or back again."""
    services = assemble(Settings(root=tmp_path / "shelf"), clock=StandingClock())
    with NormalizedModelManager(services) as shelf:
        folder = tiny.pipeline(tmp_path / "pipe")
        vae = shelf.add(folder / "vae", name="vae").info

        def go_and_come_back() -> None:
            shelf.undo(shelf.delete(vae.key).trash_id)

        assert checked(services, go_and_come_back).clean
        assert checked(services, lambda: shelf.store.update_model(vae.key, {"name": "other"})).clean
        assert checked(services, lambda: shelf.delete(vae.key)).clean
        assert shelf.verify().clean


def test_what_somebody_collects_meanwhile_is_nobodys_part(tmp_path: Path) -> None:
    """Its folder was there when the check began, and its record is not any more."""
    services = assemble(Settings(root=tmp_path / "shelf"), clock=StandingClock())
    with NormalizedModelManager(services) as shelf:
        shelf.delete(shelf.import_model(tiny.lora(tmp_path / "ink.safetensors")))
        report = checked(services, lambda: shelf.collect_garbage(expire_trash=timedelta(0)))
        assert report.findings == ()


def test_a_link_that_somebody_took_away_is_found(tmp_path: Path) -> None:
    """Where no model was changed, what is missing is missing."""
    services = assemble(Settings(root=tmp_path / "shelf"), clock=StandingClock())
    with NormalizedModelManager(services) as shelf:
        shelf.import_model(tiny.lora(tmp_path / "ink.safetensors"))
        (link,) = (tmp_path / "shelf" / "models").glob("*/lora/ink.safetensors")
        report = checked(services, lambda: link.unlink(missing_ok=True))
        assert [one.kind for one in report.findings] == [FindingKind.VIEW_BROKEN]
