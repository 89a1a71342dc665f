"""What a hub has to give for a source: every file with its digests, before the first byte of one moves."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Annotated, Final, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from modelshelf.errors import UnportableNameError, UnsafeListingError
from modelshelf.schema.device_name import is_device_name
from modelshelf.schema.member import MemberPath, file_name_for
from modelshelf.schema.model_source import ModelSource
from modelshelf.schema.repo_metadata import AnyModelRepoMetadata
from modelshelf.schema.taxonomy import ModelRepoVariant

__all__ = [
    "ListedFile",
    "ListedPreview",
    "Listing",
    "check_listed_names",
    "safe_file_name",
    "unusable_names",
]

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""What moves the cursor or ends a line, in either half of the code table."""
_DRIVE = re.compile("[A-Za-z]:")
_UNSAFE: Final = "unsafe"
_LONGEST_STEP = 255
_LONGEST_NAME = 1_000
_DEEPEST = 32

Hex64 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Hex40 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]
Hex8 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}$")]
Size = Annotated[int, Field(ge=0, lt=2**63)]


def check_listed_names(source: str, names: Iterable[str]) -> None:
    """Check names that a stranger gave to files that are to be written.

    A name may be used where it stays inside its folder under the rules of POSIX *and* of Windows, any
    file system can hold it, and no other differs from it in case, or in how letters are composed, alone.

    Args:
        source: For the error.
        names: Paths with `/` between the folders.

    Raises:
        UnsafeListingError: One of them cannot be used.

    Example:
        >>> check_listed_names("acme/lens", ["vae/config.json", "vae/Config.json"])
        Traceback (most recent call last):
            ...
        modelshelf.errors.hub.UnsafeListingError: `acme/lens` lists a file as 'vae/Config.json': another \
has that name, or differs in case alone
    """
    for name, reason in _problems(names):
        raise UnsafeListingError(source=source, name=ascii(name[:200]), reason=reason)


def unusable_names(source: str, names: Iterable[str]) -> dict[str, str]:
    """Return which of these names cannot be used, and why: those that an honest stranger may give.

    A colon, a blank at the end or another case are no crime where a repository was made on one system for
    that system. Whoever needs the file refuses it; else it can be left out.

    Args:
        source: For the error.
        names: Paths with `/` between the folders. Of two that clash the second cannot be used.

    Raises:
        UnsafeListingError: One of them means to leave its folder, or to be read as something else.

    Example:
        >>> unusable_names("acme/lens", ["README.md", "readme.md", "at 10:30.txt"])
        {'readme.md': 'another has that name, or differs in case alone', 'at 10:30.txt': 'it holds a \
colon, which names a drive or a stream on Windows'}
    """
    listed = list(names)
    for name in listed:
        if reason := _hostile(name):
            raise UnsafeListingError(source=source, name=ascii(name[:200]), reason=reason)
    return dict(_problems(listed))


def safe_file_name(text: str) -> str:
    r"""Return a name for one file that may be written, as near as possible to what a stranger calls it.

    Example:
        >>> safe_file_name("../../etc/passwd"), safe_file_name("com¹.ckpt"), safe_file_name("")
        ('_.._.._etc_passwd', '_com¹.ckpt', '_')
        >>> safe_file_name("ink\x9b31m\u202e.safetensors")
        'ink_31m.safetensors'
    """
    # Half of a surrogate pair is no letter that a file system could take.
    letters = text.encode("utf-8", "replace").decode("utf-8")
    letters = _CONTROL.sub("_", letters)
    # What is not seen may turn the text around that follows it: `exe.tpkc` would be read as `ckpt.exe`.
    name = file_name_for("".join(one for one in letters if unicodedata.category(one) != "Cf"))
    return f"_{name}" if _unsafe(name) or not name.strip() else name


def _problems(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each name that cannot be used beside those before it, with the reason."""
    seen: dict[str, str] = {}
    for name in names:
        if reason := _unsafe(name) or _clash(name, seen):
            yield name, reason


def _unsafe(name: str) -> str:
    """Return why *name* cannot be used; empty where it can."""
    if reason := _hostile(name):
        return reason
    steps = name.split("/")
    problems = (
        (":" in name, "it holds a colon, which names a drive or a stream on Windows"),
        (len(name.encode()) > _LONGEST_NAME or len(steps) > _DEEPEST, "it is too long or too deep"),
        (any(len(step.encode()) > _LONGEST_STEP for step in steps), "a step of it is too long"),
        (any(step[-1] in " ." for step in steps), "a step of it ends in a space or a dot"),
        (any(not _seen(step) for step in steps), "nothing of a step of it can be seen"),
        (any(is_device_name(_seen(step)) for step in steps), "Windows gives that name to a device"),
    )
    return next((reason for is_so, reason in problems if is_so), "")


def _seen(step: str) -> str:
    """Return what a person sees of a step: neither what joins letters nor blanks around it."""
    visible = (
        one for one in unicodedata.normalize("NFC", step) if unicodedata.category(one) != "Cf"
    )
    return "".join(visible).strip().rstrip(". ")


def _hostile(name: str) -> str:
    """Return why nobody gives a file this *name* in good faith; empty for any other."""
    try:
        MemberPath.parse(name)
    except UnportableNameError as error:
        return str(error.facts["reason"])
    problems = (
        ("\\" in name, "it holds a backslash, which divides folders on Windows"),
        (any(_DRIVE.match(_seen(step)) for step in name.split("/")), "it names a drive on Windows"),
        (_CONTROL.search(name) is not None, "it holds a control character"),
    )
    return next((reason for is_so, reason in problems if is_so), "")


def _clash(name: str, seen: dict[str, str]) -> str:
    """Remember *name* and its folders; return why one of them clashes with another."""
    steps = name.split("/")
    for depth in range(1, len(steps) + 1):
        path = "/".join(steps[:depth])
        kind = "file" if depth == len(steps) else "folder"
        # Taken apart first: some letters with two accents have a capital only with one of them.
        folded = unicodedata.normalize("NFC", unicodedata.normalize("NFD", path).casefold())
        before = seen.setdefault(folded, f"{kind} {path}")
        if before != f"{kind} {path}":
            return "another has that name, or differs in case alone"
        if kind == "file":
            # A second one of the same name finds this and differs.
            seen[folded] = f"file {path}, listed"
    return ""


def _usable(name: str) -> str:
    if reason := _unsafe(name):
        raise PydanticCustomError(_UNSAFE, "{reason}", {"reason": reason})
    return name


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ListedFile(_Frozen):
    """One file that can be fetched."""

    name: Annotated[str, AfterValidator(_usable)]
    """Path inside the model, with `/`; it stays inside, wherever it is written."""
    url: str
    """The origin's address of it, which leads to its bytes; short-lived ones it leads to are not kept."""
    size: Size | None = None
    """Bytes, exactly; None where the hub does not say so."""
    size_hint: Size | None = None
    """About how many bytes, for totals, where *size* is not known; None where nothing is."""
    sha256: Hex64 | None = None
    """Of the file, as the hub says; None where it does not."""
    git_sha1: Hex40 | None = None
    """Of `blob <length>`, NUL, and the file, as git computes it; None for what git does not hold."""
    blake3: Hex64 | None = None
    """Of the file, as the hub says; None where it does not."""
    crc32: Hex8 | None = None
    """Of the file; finds damage, proves nothing."""

    @property
    def is_verifiable(self) -> bool:
        """Whether a digest is known before the first byte; without one only the length can be checked."""
        return bool(self.sha256 or self.git_sha1 or self.blake3)


class ListedPreview(_Frozen):
    """A picture or film that shows what the model does."""

    url: str
    """Where it is; another origin than the hub's, without credentials."""
    type: str = "image"
    """`image` or `video`."""
    nsfw_level: int | None = None
    """The site's number: 1 is for everybody, more is less so; None where it does not say."""
    width: int | None = None
    """Pixels."""
    height: int | None = None
    """Pixels."""


class Listing(_Frozen):
    """Everything that is to be fetched for a source, pinned: what is listed does not change any more.

    `model_dump_json` keeps all of it but the token, so that an install can go on after a crash without
    asking the hub again.
    """

    source: ModelSource
    """What was asked for."""
    name: str
    """What the model is called, for people."""
    revision: str | None = None
    """Commit of the repository, or number of the version; None where there is no such thing."""
    files: tuple[ListedFile, ...]
    """What to fetch, sorted by name."""
    is_folder: bool
    """False for a model that is one file."""
    variant: ModelRepoVariant | None = None
    """Which form of the weights was found; None where there are no forms."""
    left_out: tuple[str, ...] = ()
    """Files of the repository that the model does not need, sorted."""
    notes: tuple[str, ...] = ()
    """What is different from what was asked for, a sentence each."""
    origin: str
    """Scheme, host and port that the token may be sent to."""
    access_token: Annotated[str | None, Field(repr=False, exclude=True)] = None
    """The token that opened the listing and opens the files; None where none was needed or known."""
    headers: dict[str, str] = {}
    """Headers that each request for a file needs; no secrets."""
    previews: tuple[ListedPreview, ...] = ()
    """Pictures, the one to show first."""
    metadata: AnyModelRepoMetadata | None = None
    """What the hub says about the model, with its raw answer."""

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        seen: dict[str, str] = {}
        for file in self.files:
            if reason := _clash(file.name, seen):
                raise PydanticCustomError(_UNSAFE, "{reason}", {"reason": reason})
        return self

    @property
    def size(self) -> int | None:
        """Bytes of all files, hints included; None where of one nothing is known."""
        sizes = [file.size_hint if file.size is None else file.size for file in self.files]
        return None if None in sizes else sum(size for size in sizes if size is not None)
