"""What can be wrong with the files and folders that a user points at."""

from __future__ import annotations

from modelshelf.errors.base import ModelshelfError

__all__ = [
    "EmptySourceError",
    "SourceChangedError",
    "SourceError",
    "SourceHoldsStoreError",
    "SourceInsideStoreError",
    "SourceNotFoundError",
    "SourceUnreadableError",
    "SymlinkLeavesFolderError",
    "SymlinkLoopError",
    "UnportableNameError",
    "UnsupportedEntryError",
]


class SourceError(ModelshelfError):
    """The source cannot be added as it is; nothing of it entered the store."""

    code = "source-unusable"
    exit_status, http_status = 2, 422
    kept = "The source was not touched, and nothing of it was added to the library."
    message = "the source cannot be used"


class SourceNotFoundError(SourceError):
    """The path does not exist. Check the spelling, or mount the drive."""

    code = "source-not-found"
    exit_status, http_status = 4, 404
    message = "nothing exists at `{path}`"
    hint = "check its spelling, that its drive is mounted and, if it is a link, where it leads"

    path: str
    """As the user named it."""


class SourceUnreadableError(SourceError):
    """The operating system refused to read a file. Fix its permissions or the disk."""

    code = "source-unreadable"
    exit_status, http_status = 9, 403
    message = "cannot read `{path}`: {reason}"
    hint = (
        "make it readable for you, or copy the model off a failing disk, then run the command again"
    )

    path: str
    """The file or folder that could not be read."""
    reason: str
    """The operating system's words."""


class SourceChangedError(SourceError):
    """Another program changed the file while it was read. Wait for it, then try again."""

    code = "source-changed"
    exit_status, http_status = 6, 409
    message = "`{path}` changed while it was read: {before} before, {after} after"
    hint = "wait until the program that writes it is done, then run the command again"

    path: str
    """The file that changed."""
    before: str
    """Size and time when it was listed."""
    after: str
    """Size and time when the read ended."""


class SourceInsideStoreError(SourceError):
    """The path lies inside the library itself; what is there is already added."""

    code = "source-inside-store"
    message = "`{path}` lies inside the library at `{root}`"
    hint = "`shelf find {path}` tells which model it belongs to; `shelf export` copies one out"

    path: str
    """What was to be added."""
    root: str
    """The library's root folder."""


class SourceHoldsStoreError(SourceError):
    """The library lies inside the folder that was to be added. Choose a folder beside it."""

    code = "source-holds-store"
    message = "the library at `{root}` lies inside `{path}`, which was to be added"
    hint = "add the model folders in `{path}` one by one, or move the library elsewhere"

    path: str
    """What was to be added."""
    root: str
    """The library's root folder."""


class EmptySourceError(SourceError):
    """The folder holds no file. There is nothing to add."""

    code = "source-empty"
    message = "`{path}` holds no model: {reason}"
    hint = "point at the model's own file or folder; files end in .safetensors, .gguf, .ckpt or their like"

    path: str
    """The folder."""
    reason: str
    """What was looked for."""


class SymlinkLoopError(SourceError):
    """Symbolic links lead back to a folder that holds them. Remove one of them."""

    code = "symlink-loop"
    message = "the link `{path}` leads back to `{target}`, which holds it"
    hint = "remove the link, or add the folder that it points to instead"

    path: str
    """The link at which the loop closed."""
    target: str
    """Where it points."""


class SymlinkLeavesFolderError(SourceError):
    """A link inside the model points outside it. Confirm that those files are meant."""

    code = "symlink-leaves-folder"
    message = "the link `{path}` points to `{target}`, outside the model's folder"
    hint = "if those files belong to the model, run the command again with `--follow-links`"

    path: str
    """The link."""
    target: str
    """Where it points."""


class UnsupportedEntryError(SourceError):
    """The folder holds something that is neither file, folder nor link. Remove it."""

    code = "entry-unsupported"
    message = "`{path}` is a {kind}; a model is made of regular files and folders"
    hint = "remove it from the folder, then run the command again"

    path: str
    """The entry."""
    kind: str
    """`device`, `named pipe` or `socket`."""


class UnportableNameError(SourceError):
    """A file's name could not be given back on another machine. Rename the file."""

    code = "name-unportable"
    message = "the file name `{name}` cannot be kept: {reason}"
    hint = "rename the file, then run the command again"

    name: str
    """The name, unprintable bytes written as escapes."""
    reason: str
    """What is wrong with it."""
