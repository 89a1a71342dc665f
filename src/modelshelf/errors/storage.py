"""What can go wrong with the store's own disk."""

from __future__ import annotations

from modelshelf.errors.base import ModelshelfError

__all__ = [
    "BlobCorruptError",
    "BlobMissingError",
    "ConversionError",
    "DestinationExistsError",
    "DestinationUnusableError",
    "InvalidRecordFileError",
    "NotARecordStoreError",
    "NotEnoughSpaceError",
    "StorageError",
    "StoreBusyError",
    "StoreTooNewError",
    "StoreUnusableError",
    "StoreWriteError",
    "UndeletableFolderError",
]


class StorageError(ModelshelfError):
    """The store could not do its work; what it held before, it still holds."""

    code = "storage-failed"
    kept = "What the library held before, it still holds."
    message = "the store failed"


class NotEnoughSpaceError(StorageError):
    """The disk is full, or would be. Free space, then try again."""

    code = "not-enough-space"
    exit_status, http_status = 8, 507
    message = "not enough space at `{path}`: {needed:? byte} needed, {free} free"
    hint = "free some space (`shelf gc --trash all` drops what was deleted), then run the command again"

    path: str
    """Folder on the disk that is short."""
    needed: int
    """Bytes that the operation has to write; 0 where the system does not tell how many."""
    free: int
    """Bytes that are left."""


class StoreWriteError(StorageError):
    """The operating system refused a write inside the store. Check the disk and permissions."""

    code = "store-write-failed"
    message = "cannot write `{path}`: {reason}"
    hint = (
        "check that you may write there and that the disk is sound; the library is as it was before"
    )

    path: str
    """What was to be written."""
    reason: str
    """The operating system's words."""


class ConversionError(StorageError):
    """A checkpoint did not come back as it was from the parts that it was split into. Add it whole."""

    code = "conversion-failed"
    message = (
        "the checkpoint `{path}` would not come back from its parts: byte {offset} is another one"
    )
    hint = "add it with `--whole`, which keeps it as the one file that it is"

    path: str
    """The checkpoint."""
    offset: int
    """First byte of the chunk in which the two differ."""


class StoreUnusableError(StorageError):
    """There is no library at the root, or its database cannot be opened."""

    code = "store-unusable"
    message = "the library at `{root}` cannot be opened: {reason}"
    hint = "check `--root` and `MODELSHELF_ROOT`; `shelf config show --origin` tells where the root comes from"

    root: str
    """The library's root folder."""
    reason: str
    """What was found instead."""


class StoreTooNewError(StoreUnusableError, AssertionError):
    """A newer modelshelf made the database. Update this one; nothing was changed.

    The Model Manager V2's document calls for an AssertionError where a store of records has another schema
    than the one expected, which this is too.
    """

    code = "store-too-new"
    exit_status, http_status = 6, 409
    message = "the library at `{root}` has schema `{found}`, newer than this program's `{known}`"
    hint = "update modelshelf: `pip install --upgrade modelshelf`"

    root: str
    """The library's root folder."""
    found: str
    """Revision the database has."""
    known: str
    """Newest revision this program knows."""


class NotARecordStoreError(StoreUnusableError, AssertionError):
    """The file or database is there and holds something else than model records. It was not touched.

    The Model Manager V2's document calls for an AssertionError, which this is too.
    """

    code = "record-store-wrong"
    exit_status, http_status = 6, 409
    message = "`{root}` holds no model records: {reason}"
    hint = "name another file, or move this one away and a new one is made"


class InvalidRecordFileError(StorageError):
    """The YAML file of model records holds mistakes. A person corrects them in the file."""

    code = "record-file-invalid"
    exit_status, http_status = 2, 422
    kept = "The file was not touched."
    message = "`{path}` has {count:# mistake}: {problem}"
    hint = "correct what is named in the file; records without mistakes can be had by their keys meanwhile"

    path: str
    """The file."""
    count: int
    """How many there are."""
    problem: str
    """The first twenty, each with its line, record and field."""


class StoreBusyError(StorageError):
    """Another process holds what this one needs, for longer than it may. Try again."""

    code = "store-busy"
    exit_status, http_status = 6, 409
    message = "`{what}` is in use by another process"
    hint = "wait for it to finish, then run the command again"

    what: str
    """The database, lease or folder that is held."""


class BlobCorruptError(StorageError):
    """Bytes at rest differ from what was stored. Add the model again from its source."""

    code = "blob-corrupt"
    exit_status, http_status = 7, 500
    kept = "Nothing was changed; every other file of the library is as it was."
    message = "`{path}` is damaged: BLAKE3 is `{got:.12}…`, stored was `{expected:.12}…`"
    hint = (
        "`shelf verify` names every model it hurts; `shelf add` the same model again to repair it"
    )

    path: str
    """The damaged file in the store."""
    expected: str
    """Hexadecimal BLAKE3 when it was stored."""
    got: str
    """Hexadecimal BLAKE3 now."""


class BlobMissingError(StorageError):
    """A file of the store is gone. Add the model again from its source."""

    code = "blob-missing"
    exit_status, http_status = 7, 500
    kept = "Nothing was changed; every other file of the library is as it was."
    message = "`{path}` is missing from the store"
    hint = (
        "`shelf verify` names every model it hurts; `shelf add` the same model again to repair it"
    )

    path: str
    """Where the file should be."""


class UndeletableFolderError(StorageError):
    """A record says that a folder is a model, and there is more in it. Look whether the record is right."""

    code = "folder-undeletable"
    exit_status, http_status = 6, 409
    message = "`{path}` is not deleted as a model: {reason}"
    kept = "Nothing was deleted."
    hint = "`shelf rm` without `--files` removes the record alone"

    path: str
    """The folder."""
    reason: str
    """What is in it."""


class DestinationExistsError(StorageError):
    """Something is already there, and nothing of a user's is replaced unasked."""

    code = "destination-exists"
    exit_status, http_status = 6, 409
    kept = "Nothing there was touched."
    message = "`{path}` already exists"
    hint = "choose another destination, or replace it with `--force`"

    path: str
    """The path that is taken."""


class DestinationUnusableError(StorageError):
    """The export cannot be written there. Choose another folder or fix this one."""

    code = "destination-unusable"
    message = "cannot write to `{path}`: {reason}"
    hint = "choose a folder that you may write to, on a file system that can hold these names"

    path: str
    """Where the export was going."""
    reason: str
    """The operating system's words, or what cannot be held there."""
