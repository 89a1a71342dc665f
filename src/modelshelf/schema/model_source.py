"""Where a model is to come from: a path, a URL, a repository of Hugging Face, a version on Civitai.

Values of these classes are what `heuristic_import` makes of a text and what `import_model` takes.
Equal sources hash equal, so they can be keys of a dictionary. A token is a part of the value and of
nothing that is made of it: `str()`, `repr()`, dumps and validation errors leave it out.

Source: `spec/model-manager-v2.md`, "import_model" and the sections on each source.
"""

import re
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    model_validator,
)

from modelshelf.errors import UnportableNameError
from modelshelf.schema.member import MemberPath
from modelshelf.schema.taxonomy import ModelRepoVariant
from modelshelf.schema.weight_suffix import WEIGHT_SUFFIXES

__all__ = [
    "MODEL_SOURCE",
    "PATH_SUFFIXES",
    "REPO_ID",
    "CivitaiModelSource",
    "HFModelSource",
    "LocalModelSource",
    "ModelSource",
    "URLModelSource",
]

REPO_ID = re.compile(
    r"(?=.{3,96}\Z)(?!.*(?:--|\.\.))[A-Za-z0-9_](?:[\w.-]*\w)?/[A-Za-z0-9_](?:[\w.-]*\w)?", re.ASCII
)
"""What Hugging Face accepts as the id of a repository; the owner is never left out here."""
PATH_SUFFIXES = WEIGHT_SUFFIXES | {".pkl"}
"""Endings of model files: `loras/ink.safetensors` is meant as a path and not as a repository. Nobody calls a
repository `.pkl` either, though no reader knows a file by it."""

_HASH = r"^(?:[0-9A-F]{8}|[0-9A-F]{10}|[0-9A-F]{12}|[0-9A-F]{64})$"


def _inside(path: object) -> object:
    """Take a path inside a repository: relative, with `/`, and unable to leave it."""
    text = path.as_posix() if isinstance(path, PurePath) else path
    if not isinstance(text, str):
        return path
    try:
        return str(MemberPath.parse(text.strip("/")))
    except UnportableNameError as error:
        message = str(error)
        raise ValueError(message) from error


def _upper(text: object) -> object:
    return text.upper() if isinstance(text, str) else text


def _without_main(revision: object) -> object:
    return None if revision == "main" else revision


def _is_repo_id(text: str) -> str:
    if REPO_ID.fullmatch(text) is None or text.endswith(".git"):
        message = "expected a repository as `owner/name`"
        raise ValueError(message)
    return text


Token = Annotated[str | None, Field(default=None, repr=False, exclude=True)]
Number = Annotated[int, Field(gt=0, lt=2**63)]
Revision = Annotated[str, StringConstraints(max_length=200, pattern=r"^[A-Za-z0-9_./-]+$")]
Word = Annotated[str, StringConstraints(max_length=40, pattern=r"^[A-Za-z0-9_ .-]+$")]


class _Source(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        # An error would print the token among what was given.
        hide_input_in_errors=True,
    )


class LocalModelSource(_Source):
    """A model file or folder on a file system of this machine.

    Example:
        >>> str(LocalModelSource(path="/opt/models/sushi.safetensors"))
        '/opt/models/sushi.safetensors'
        >>> str(LocalModelSource(path="sushi/diffusers"))
        './sushi/diffusers'
    """

    type: Literal["local"] = "local"
    path: Path
    """The file or the folder, as the user named it."""
    inplace: bool = False
    """Whether the model stays where it is and only its record enters the library."""

    def __str__(self) -> str:
        text = self.path.as_posix()
        is_plain = self.path.is_absolute() or text.startswith(("~", "."))
        # A drive letter says by itself that a path follows, on every system.
        return text if is_plain or PureWindowsPath(text).drive else f"./{text}"


class URLModelSource(_Source):
    """A model that is one file somewhere on the web.

    Example:
        >>> source = URLModelSource(url="https://example.com/ink.safetensors", access_token="letmein")
        >>> str(source)
        'https://example.com/ink.safetensors'
        >>> "letmein" in repr(source)
        False
    """

    type: Literal["url"] = "url"
    url: AnyHttpUrl
    """The file. A secret in its query is the caller's; `access_token` is the place for one."""
    access_token: Token = None
    """Sent as `Authorization: Bearer` to the URL's own origin, and to no other."""

    def __str__(self) -> str:
        return str(self.url)


class HFModelSource(_Source):
    """A repository on Hugging Face, a folder of it, or one file of it.

    Example:
        >>> str(HFModelSource(repo_id="stabilityai/sdxl-turbo", subfolder="vae"))
        'stabilityai/sdxl-turbo:fp16:vae'
        >>> str(HFModelSource(repo_id="stabilityai/sdxl-turbo", variant=None))
        'stabilityai/sdxl-turbo'
    """

    type: Literal["hf"] = "hf"
    repo_id: Annotated[str, AfterValidator(_is_repo_id)]
    """Such as `stabilityai/sdxl-turbo`."""
    variant: ModelRepoVariant | None = ModelRepoVariant.FP16
    """Which form of the weights; None leaves the choice to who installs (fp32 for full precision, else
    fp16). One that the repository does not have becomes its default."""
    subfolder: Annotated[Path | None, BeforeValidator(_inside)] = None
    """Where in the repository the model lies: a folder, or a single file; None is the whole of it."""
    revision: Annotated[Revision | None, BeforeValidator(_without_main)] = None
    """Branch, tag or commit; None is `main`."""
    access_token: Token = None
    """For gated and private repositories; None means the one that the settings know."""

    def __str__(self) -> str:
        is_like_a_file = PurePosixPath(self.repo_id).suffix.lower() in PATH_SUFFIXES
        revision = self.revision or ""
        at = f"@{quote(revision, safe='') if is_like_a_file else revision}" if revision else ""
        variant = f":{self.variant.value}" if self.variant else ""
        below = "" if self.subfolder is None else f":{self.subfolder.as_posix()}"
        words = f"{self.repo_id}{at}{variant or (below and ':')}{below}"
        return f"hf://{words}" if is_like_a_file else words


class CivitaiModelSource(_Source):
    """A model on Civitai: a page's newest version, one version, one file of it, or who has this hash.

    Example:
        >>> str(CivitaiModelSource(model_id=58390, version_id=62833))
        'https://civitai.com/models/58390?modelVersionId=62833'
        >>> str(CivitaiModelSource(version_id=62833, file_id=47))
        'https://civitai.com/api/download/models/62833?fileId=47'
    """

    type: Literal["civitai"] = "civitai"
    model_id: Number | None = None
    """Of the model's page. Without a version the newest published one is meant."""
    version_id: Number | None = None
    """Of one version."""
    file_id: Number | None = None
    """Of one file of the version; None chooses."""
    hash: Annotated[str, BeforeValidator(_upper), StringConstraints(pattern=_HASH)] | None = None
    """Of a file: AutoV1, AutoV2, AutoV3, CRC32, SHA-256 or BLAKE3, in hexadecimal; alone, without numbers."""
    format: Word | None = None
    """Wanted format, as the site calls it: `SafeTensor`, `PickleTensor`, `GGUF`."""
    size: Word | None = None
    """`full` or `pruned`."""
    precision: Word | None = None
    """`fp16`, `fp32`, `bf16`, …: what the site calls `fp`."""
    access_token: Token = None
    """For what needs a login; None means the one that the settings know."""

    @model_validator(mode="after")
    def _names_one(self) -> "CivitaiModelSource":
        numbers = self.model_id or self.version_id or self.file_id
        if self.hash is not None and numbers:
            message = "expected a hash or numbers, got both"
            raise ValueError(message)
        if self.hash is None and not (self.model_id or self.version_id):
            message = "expected the number of a model or of a version, or a hash"
            raise ValueError(message)
        return self

    def __str__(self) -> str:
        wishes = {"format": self.format, "size": self.size, "fp": self.precision}
        if self.hash is not None:
            where = f"hash:{self.hash}"
            asked: dict[str, object] = dict(wishes)
        elif self.model_id is not None:
            where = f"https://civitai.com/models/{self.model_id}"
            asked = {"modelVersionId": self.version_id, "fileId": self.file_id, **wishes}
        else:
            where = f"https://civitai.com/api/download/models/{self.version_id}"
            asked = {"fileId": self.file_id, **wishes}
        query = "&".join(
            f"{name}={str(value).replace(' ', '%20')}" for name, value in asked.items() if value
        )
        return f"{where}?{query}" if query else where


ModelSource = Annotated[
    LocalModelSource | URLModelSource | HFModelSource | CivitaiModelSource,
    Field(discriminator="type"),
]
"""Any of the four; `type` in a document tells which."""

MODEL_SOURCE: TypeAdapter[
    LocalModelSource | URLModelSource | HFModelSource | CivitaiModelSource
] = TypeAdapter(ModelSource, config=ConfigDict(hide_input_in_errors=True))
"""Reads a source from a document, as `model_dump` writes it."""
