"""What a person sees below the models folder: links into the store, made and unmade to order.

The records say which views there should be; this module makes the disk follow, in steps that can be
repeated. Interrupted anywhere, the next call finishes. It never touches a file that is not a link of
its own making: something else at the place of a view makes the view move aside.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock

from modelshelf.blobs.copying import copy_and_check
from modelshelf.blobs.hashing import hash_content
from modelshelf.blobs.placing import Placement, Placer, is_same_file
from modelshelf.blobs.stored_reader import StoredReader
from modelshelf.blobs.trouble import store_trouble
from modelshelf.protocols import BlobStore, Disk, ViewRecords
from modelshelf.schema.member import MemberPath
from modelshelf.schema.stored import StoredFile, StoredModel, View

__all__ = ["ViewKeeper"]


class ViewKeeper:
    """Keeps `models/<base>/<type>/<name>` as the records want it.

    ::

        models/
        ├─ sd-1/lora/LoWRA.safetensors          a single file
        ├─ sd-1/main/stable-diffusion-1-5/      a pipeline, with all its folders
        └─ .cache/
           ├─ views.lock                        held while links are made or unmade
           └─ view.partial                      a reflink or copy being made
    """

    def __init__(self, models: Path, records: ViewRecords, blobs: BlobStore, disk: Disk) -> None:
        self._models = models
        self._records = records
        self._blobs = blobs
        self._disk = disk
        self._scratch = models / ".cache" / "view.partial"
        self._placer = Placer(
            disk,
            (Placement.REFLINK, Placement.HARDLINK, Placement.SYMLINK),
            scratch=self._scratch,
        )

    def settle(self) -> int:
        """Make what is wanted and unmake what is not; return how many views changed."""
        if not self._records.views(unsettled=True):
            return 0
        with self._locked():
            self._placer.forget_scratch()
            unsettled = self._records.views(unsettled=True)
            made = [view for view in unsettled if self._is_made(view)]
            # One transaction for all, and none while files are placed: that may mean to copy them.
            with self._records.together():
                for view in made:
                    self._records.settle_view(view)
            return len(made) + sum(self._settle(view) for view in unsettled if view not in made)

    def _is_made(self, view: View) -> bool:
        """Make a wanted view, where nothing is in its way; say whether it is there now."""
        model = self._records.stored_model(view.key) if view.state == "wanted" else None
        return model is not None and self._in_the_way(view) is None and self._make(view, model)

    def ensure(self, key: str) -> None:
        """Make the view of *key* again if anything of it is missing."""
        view = self._records.view(key)
        if view is not None and self.is_broken(view):
            self._records.want_view(key)
        self.settle()

    def is_broken(self, view: View) -> bool:
        """Say whether anything of a made view is not as it should be."""
        model = self._records.stored_model(view.key)
        return model is not None and any(True for _ in self.faults(view, model))

    def relink(
        self, moved: Mapping[tuple[str, MemberPath], Path], *, in_place: bool = False
    ) -> None:
        """Let views show other files of the same content, before the store lets go of the old ones.

        Without it a view would keep the old file alive, and its damage with it. Interrupted, it leaves
        a view with a link missing, which `ensure` or the next collection makes again.

        Args:
            moved: Location and member of a stored file, and the stored file to show instead.
            in_place: The other file will take the old one's path, so links to that path stay right.
        """
        if not moved:
            return
        with self._locked():
            for view, model in self._records.seen_models():
                for placed, file in self._placed(view, model):
                    target = moved.get((file.location, file.member))
                    if target is None or (in_place and placed.is_symlink()):
                        continue
                    if self._shows(file, placed):
                        self._disk.remove_file(placed)
                        self._place(target, placed)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = self._models / ".cache" / "views.lock"
        with store_trouble(self._models):
            self._disk.make_folder(lock.parent)
            # Only links are made under it, never bytes copied, so nobody waits long.
            with FileLock(lock):
                yield

    def faults(self, view: View, model: StoredModel) -> Iterator[str]:
        """Yield, in words, what of the made view of *model* differs from what it should show."""
        blocked = self._in_the_way(view)
        if blocked is not None:
            yield f"`{blocked.relative_to(self._models)}` is in the way: it is no folder"
        if view.state != "made":
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
            # A living model is wanted again, where it belongs now.
            elsewhere = self._records.view(view.key)
            return elsewhere is None or self._settle(elsewhere)
        if self._in_the_way(view) is not None:
            # A file where a folder belongs: nothing of the view can be there until it has gone.
            return False
        if self._make(view, model):
            self._records.settle_view(view)
        else:
            # What is foreign stays; what is ours would look foreign once the view is elsewhere.
            self._unmake(view, model)
            self._records.move_view(view.key)
            moved = self._records.view(view.key)
            return moved is not None and self._settle(moved)
        return True

    def _in_the_way(self, view: View) -> Path | None:
        """Return what is no folder of ours above the place of a view; None where all are."""
        for folder in reversed((self._models / view.path).parents):
            is_ours = folder.is_relative_to(self._models) and folder != self._models
            is_folder = folder.is_dir() and not folder.is_symlink()
            if is_ours and os.path.lexists(folder) and not is_folder:
                return folder
        return None

    def _make(self, view: View, model: StoredModel) -> bool:
        """Place every file; return False, leaving things alone, where something foreign is."""
        placed = list(self._placed(view, model))
        if self._has_foreign(view, model):
            return False
        for folder in (*model.empty_folders, ""):
            if not model.is_file:
                self._disk.make_folder(self._models / view.path / folder)
        for path, file in placed:
            if not os.path.lexists(path):
                self._place(self._stored(file), path)
        return True

    def _place(self, stored: Path, path: Path) -> None:
        self._disk.make_folder(path.parent)
        try:
            if self._placer.place(stored, path) is None:
                self._copy(stored, path)
        except FileNotFoundError:
            # Deleted and collected meanwhile, or lost, which `verify` tells: no reason to stop others.
            if os.path.lexists(stored):
                raise

    def _copy(self, stored: Path, path: Path) -> None:
        """Copy, where the file system has no links of any kind: the view then costs what it shows."""
        self._placer.forget_scratch()
        writing = self._disk.create(self._scratch)
        try:
            with stored.open("rb") as opened:
                copy_and_check(StoredReader(opened), writing, self._disk)
            self._disk.seal(writing)
        finally:
            os.close(writing)
        self._disk.rename(self._scratch, path)

    def _has_foreign(self, view: View, model: StoredModel) -> bool:
        ours = dict(self._placed(view, model))
        if any(not self._leads_through_folders(path.parent) for path in ours):
            return True
        return any(path not in ours or not self._shows(ours[path], path) for path in self._at(view))

    def _at(self, view: View) -> Iterator[Path]:
        """Yield what lies at the place of a view: the file or link there, or all below the folder."""
        top = self._models / view.path
        if top.is_symlink() or not top.is_dir():
            if os.path.lexists(top):
                yield top
            return
        for folder, folders, names in os.walk(top):
            links = [name for name in folders if Path(folder, name).is_symlink()]
            for name in (*names, *links):
                yield Path(folder, name)

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
            if not self._leads_through_folders(folder):
                return
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
        if not self._leads_through_folders(placed.parent):
            return False
        same = is_same_file(self._stored(file), placed, file.size)
        if same is None:
            with placed.open("rb") as opened:
                return hash_content(StoredReader(opened)) == file.blake3
        return same

    def _leads_through_folders(self, folder: Path) -> bool:
        """Say whether *folder* is really below the models folder: behind a link all is the user's."""
        while folder != self._models:
            if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
                return False
            folder = folder.parent
        return True

    def _stored(self, file: StoredFile) -> Path:
        return self._blobs.folder(file.location) / file.member
