"""What a person sees below the models folder: links into the store, made and unmade to order.

The records say which views there should be; this module makes the disk follow, in steps that can be
repeated. Interrupted anywhere, the next call finishes. It never touches a file that is not a link of
its own making: something else at the place of a view makes the view move aside.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from filelock import FileLock

from modelshelf.blobs.hashing import hash_content
from modelshelf.blobs.placing import Placement, Placer, is_same_file
from modelshelf.blobs.stored_reader import StoredReader
from modelshelf.blobs.trouble import store_trouble
from modelshelf.errors import StoreWriteError
from modelshelf.protocols import BlobStore, Disk, ViewRecords
from modelshelf.schema.stored import StoredFile, StoredModel, View

__all__ = ["ViewKeeper"]


class ViewKeeper:
    """Keeps `models/<base>/<type>/<name>` as the records want it.

    ::

        models/
        ├─ sd-1/lora/LoWRA.safetensors          a single file
        ├─ sd-1/main/stable-diffusion-1-5/      a pipeline, with all its folders
        └─ .cache/views.lock                    held while links are made or unmade
    """

    def __init__(self, models: Path, records: ViewRecords, blobs: BlobStore, disk: Disk) -> None:
        self._models = models
        self._records = records
        self._blobs = blobs
        self._disk = disk
        self._placer = Placer(disk, (Placement.REFLINK, Placement.HARDLINK, Placement.SYMLINK))

    def settle(self) -> int:
        """Make what is wanted and unmake what is not; return how many views changed."""
        if not self._records.views(unsettled=True):
            return 0
        lock = self._models / ".cache" / "views.lock"
        with store_trouble(self._models):
            self._disk.make_folder(lock.parent)
            # Only links are made under it, never bytes copied, so nobody waits long.
            with FileLock(lock):
                return sum(self._settle(view) for view in self._records.views(unsettled=True))

    def ensure(self, key: str) -> None:
        """Make the view of *key* again if anything of it is missing."""
        view = next((view for view in self._records.views() if view.key == key), None)
        if view is not None and any(True for _ in self.faults(view)):
            self._records.want_view(key)
        self.settle()

    def faults(self, view: View) -> Iterator[str]:
        """Yield, in words, what of a made view differs from what it should show."""
        model = self._records.stored_model(view.key)
        if model is None or view.state != "made":
            return
        for placed, file in self._placed(view, model):
            if not self._shows(file, placed):
                yield f"`{placed.relative_to(self._models)}` does not show the stored file"
        for folder in model.empty_folders:
            if not (self._models / view.path / folder).is_dir():
                yield f"the empty folder `{view.path}/{folder}` is missing"

    def _settle(self, view: View) -> bool:
        model = self._records.stored_model(view.key)
        if view.state == "unwanted" or model is None:
            if model is not None:
                self._unmake(view, model)
            self._records.settle_view(view)
            return True
        if self._make(view, model):
            self._records.settle_view(view)
        else:
            self._records.move_view(view.key)
            moved = next(one for one in self._records.views() if one.key == view.key)
            return self._settle(moved)
        return True

    def _make(self, view: View, model: StoredModel) -> bool:
        """Place every file; return False, leaving things alone, where something foreign is."""
        placed = list(self._placed(view, model))
        if self._has_foreign(view, model, {path for path, _ in placed}):
            return False
        for folder in (*model.empty_folders, ""):
            if not model.is_file:
                self._disk.make_folder(self._models / view.path / folder)
        for path, file in placed:
            if not os.path.lexists(path):
                self._place(file, path)
        return True

    def _place(self, file: StoredFile, path: Path) -> None:
        self._disk.make_folder(path.parent)
        if self._placer.place(self._blobs.folder(file.location) / file.member, path) is None:
            raise StoreWriteError(
                path=str(path), reason="the file system has neither hard nor symbolic links"
            )

    def _has_foreign(self, view: View, model: StoredModel, ours: set[Path]) -> bool:
        top = self._models / view.path
        if model.is_file or not top.is_dir() or top.is_symlink():
            found = {top} if os.path.lexists(top) else set()
        else:
            found = {Path(folder, name) for folder, _, names in os.walk(top) for name in names}
        if found - ours:
            return True
        by_path = dict(self._placed(view, model))
        return any(not self._shows(by_path[path], path) for path in found)

    def _unmake(self, view: View, model: StoredModel) -> None:
        folders: set[Path] = set()
        for path, file in self._placed(view, model):
            if self._shows(file, path):
                self._disk.remove_file(path)
            folders.add(path.parent)
        top = self._models / view.path
        folders.update(top / folder for folder in model.empty_folders)
        if not model.is_file:
            folders.add(top)
        for folder in sorted(folders, key=lambda path: len(path.parts), reverse=True):
            self._remove_emptied(folder)

    def _remove_emptied(self, folder: Path) -> None:
        while folder != self._models:
            with suppress(FileNotFoundError):
                if any(folder.iterdir()):
                    return
                self._disk.remove_folder(folder)
            folder = folder.parent

    def _placed(self, view: View, model: StoredModel) -> Iterator[tuple[Path, StoredFile]]:
        top = self._models / view.path
        for member, file in model.files:
            yield (top if model.is_file else top / member), file

    def _shows(self, file: StoredFile, placed: Path) -> bool:
        same = is_same_file(self._blobs.folder(file.location) / file.member, placed)
        if same is None:
            with placed.open("rb") as opened:
                return hash_content(StoredReader(opened)) == file.blake3
        return same
