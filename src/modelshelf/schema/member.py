"""Names of files inside a model: relative, and unable to leave the folder they belong to."""

from __future__ import annotations

import re
from typing import Self

from modelshelf.errors import UnportableNameError
from modelshelf.schema.device_name import is_device_name

__all__ = ["MemberPath", "file_name_for"]


class MemberPath(str):
    """A file's path inside its model, with `/` between the folders.

    After `parse`, "stays inside" is a type: no absolute path, no `.` or `..`, no empty step, no NUL,
    nothing that is not text in UTF-8. Newlines, spaces and backslashes are legal in names and stay.

    Example:
        >>> MemberPath.parse("vae/config.json").name
        'config.json'
    """

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Check *text*, which may come from anybody.

        Raises:
            UnportableNameError: The name leaves its folder or cannot be written as UTF-8.
        """
        steps = text.split("/")
        if any(step in {"", ".", ".."} for step in steps):
            raise UnportableNameError(name=_visible(text), reason="it would leave its folder")
        if "\0" in text:
            raise UnportableNameError(name=_visible(text), reason="it holds a NUL byte")
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise UnportableNameError(name=_visible(text), reason="it is not UTF-8") from error
        return cls(text)

    @property
    def name(self) -> str:
        """The last step."""
        return self.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """All but the last step; empty for a file at the top."""
        return self.rpartition("/")[0]

    @property
    def top(self) -> str:
        """The first step: the component folder, or the file itself."""
        return self.partition("/")[0]


_LONGEST = 180
"""UTF-8 bytes; file systems allow 255, and a suffix and a number still have to fit."""


def file_name_for(name: str) -> str:
    """Return a file name that any file system can hold, as near to a model's *name* as possible.

    Example:
        >>> file_name_for("stabilityai/sdxl: turbo")
        'stabilityai_sdxl_ turbo'
    """
    safe = re.sub(r'[\x00-\x1f\x7f/\\:*?"<>|]', "_", name).strip(" ").rstrip(".")
    if not safe or safe.startswith(".") or is_device_name(safe):
        safe = "_" + safe
    return safe.encode("utf-8", "replace")[:_LONGEST].decode("utf-8", "ignore").rstrip(" .")


def _visible(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\0")
