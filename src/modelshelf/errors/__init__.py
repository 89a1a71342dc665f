"""Every error that modelshelf raises: one class per reaction a caller can have.

The tree hangs under `ModelshelfError`. `docs/reference/errors.md` lists all codes with their exit and
HTTP status; a test keeps it complete.
"""

from modelshelf.errors.base import (
    ModelshelfError,
)
from modelshelf.errors.format import (
    AmbiguousIdentityError,
    FormatError,
    InvalidJsonError,
    InvalidPipelineError,
    InvalidSafetensorsError,
    InvalidShardIndexError,
)
from modelshelf.errors.library import (
    DuplicateModelException,
    InvalidChoiceError,
    InvalidDigestError,
    InvalidModelConfigException,
    InvalidNameError,
    InvalidSettingError,
    NeedsConfirmationError,
    UnknownModelException,
    UnknownSubmodelError,
    UnknownTrashError,
    UsageError,
)
from modelshelf.errors.source import (
    EmptySourceError,
    SourceChangedError,
    SourceError,
    SourceHoldsStoreError,
    SourceInsideStoreError,
    SourceNotFoundError,
    SourceUnreadableError,
    SymlinkLeavesFolderError,
    SymlinkLoopError,
    UnportableNameError,
    UnsupportedEntryError,
)
from modelshelf.errors.storage import (
    BlobCorruptError,
    BlobMissingError,
    DestinationExistsError,
    DestinationUnusableError,
    NotEnoughSpaceError,
    StorageError,
    StoreBusyError,
    StoreTooNewError,
    StoreUnusableError,
    StoreWriteError,
)

__all__ = [
    "AmbiguousIdentityError",
    "BlobCorruptError",
    "BlobMissingError",
    "DestinationExistsError",
    "DestinationUnusableError",
    "DuplicateModelException",
    "EmptySourceError",
    "FormatError",
    "InvalidChoiceError",
    "InvalidDigestError",
    "InvalidJsonError",
    "InvalidModelConfigException",
    "InvalidNameError",
    "InvalidPipelineError",
    "InvalidSafetensorsError",
    "InvalidSettingError",
    "InvalidShardIndexError",
    "ModelshelfError",
    "NeedsConfirmationError",
    "NotEnoughSpaceError",
    "SourceChangedError",
    "SourceError",
    "SourceHoldsStoreError",
    "SourceInsideStoreError",
    "SourceNotFoundError",
    "SourceUnreadableError",
    "StorageError",
    "StoreBusyError",
    "StoreTooNewError",
    "StoreUnusableError",
    "StoreWriteError",
    "SymlinkLeavesFolderError",
    "SymlinkLoopError",
    "UnknownModelException",
    "UnknownSubmodelError",
    "UnknownTrashError",
    "UnportableNameError",
    "UnsupportedEntryError",
    "UsageError",
]
