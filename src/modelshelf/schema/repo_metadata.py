"""What a hub says about a model: who made it, how it is tagged, what its licence allows.

The descriptive side of a model, which nothing needs to run it. Source: `spec/model-manager-v2.md`,
"This Meta be Good: Model Metadata Storage". What a hub sends is text by strangers: wrong types become
empty values here, and the raw answer is kept beside them.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AnyHttpUrl, BaseModel, ConfigDict, Field, TypeAdapter, field_serializer

__all__ = [
    "ANY_MODEL_REPO_METADATA",
    "AnyModelRepoMetadata",
    "CivitaiMetadata",
    "HuggingFaceMetadata",
    "ModelMetadataBase",
]

_MOST_TAGS = 1_000
_LONGEST_TAG = 200


class ModelMetadataBase(BaseModel):
    """What every hub says. Frozen: the record's own name may be changed, the hub's may not."""

    model_config = ConfigDict(frozen=True)

    name: str
    """The hub's name for the model."""
    author: str = ""
    """Who published it; empty where nobody says."""
    tags: set[str] = set()
    """Its tags."""
    api_response: str | None = Field(default=None, repr=False)
    """The hub's answer as JSON, for `source_api_response`; None where none was kept."""

    @field_serializer("tags")
    def _sorted(self, tags: set[str]) -> list[str]:
        # A set has no order of its own; sorted, the document is the same each time.
        return sorted(tags)


class HuggingFaceMetadata(ModelMetadataBase):
    """What Hugging Face says about a repository.

    Example:
        >>> told = {"id": "acme/lens", "lastModified": "2026-01-02T03:04:05Z", "tags": ["sdxl"]}
        >>> found = HuggingFaceMetadata.from_answer(told, ["README.md"])
        >>> found.name, found.author, found.last_modified.year
        ('lens', 'acme', 2026)
    """

    type: Literal["huggingface"] = "huggingface"
    id: str
    """The repository, such as `stabilityai/sdxl-turbo`."""
    tag_dict: dict[str, Any] = {}
    """Pairs of tag and value beside the tags: the head of the model card."""
    last_modified: datetime
    """When the repository changed last."""
    files: list[Path] = []
    """All files of the repository."""

    @classmethod
    def from_answer(cls, told: Mapping[str, Any], files: Iterable[str]) -> Self:
        """Make it of the API's description of a repository.

        Args:
            told: What `GET /api/models/{id}` answered.
            files: Names of the repository's files.
        """
        repo_id = _text(told.get("id"))
        owner, _, name = repo_id.rpartition("/")
        card = told.get("cardData")
        return cls(
            name=name,
            author=_text(told.get("author")) or owner,
            tags=_tags(told.get("tags")),
            id=repo_id,
            tag_dict=card if isinstance(card, dict) else {},
            last_modified=_moment(told.get("lastModified")),
            files=[Path(name) for name in files],
            api_response=json.dumps(told, ensure_ascii=False),
        )


class CivitaiMetadata(ModelMetadataBase):
    """What Civitai says about one version of a model.

    The site shows stricter terms for bases that forbid commercial use, so keep the base's own licence too.

    Example:
        >>> version = {"id": 2, "modelId": 1, "name": "v1", "trainedWords": ["ink"]}
        >>> found = CivitaiMetadata.from_answer({"name": "Ink", "allowNoCredit": True}, version)
        >>> found.name, found.trained_words, found.allow_no_credit
        ('Ink', ['ink'], True)
    """

    type: Literal["civitai"] = "civitai"
    id: int
    """Number of the version."""
    model_id: int
    """Number of the model."""
    version_name: str = ""
    """Such as `v1.0`."""
    model_type: str = ""
    """What the site calls its type: `LORA`, `Checkpoint`, …."""
    base_model: str = ""
    """What the site calls its base: `SDXL 1.0`, …."""
    trained_words: list[str] = []
    """Words for the prompt."""
    description: str = ""
    """HTML by its author, as it came."""
    nsfw: bool | None = None
    """Whether it is for adults; None where the site does not say."""
    allow_no_credit: bool | None = None
    """Whether the creator need not be named; None where the site does not say, here and below."""
    allow_commercial_use: list[str] = []
    """What money may be made with: `Image`, `Rent`, `RentCivit`, `Sell`."""
    allow_derivatives: bool | None = None
    """Whether merges may be shared."""
    allow_different_license: bool | None = None
    """Whether merges may have other terms."""
    published_at: datetime | None = None
    """When the version was published."""
    files: list[Path] = []
    """Names of its files."""
    previews: list[AnyHttpUrl] = []
    """Pictures and films that show what it does."""

    @classmethod
    def from_answer(cls, model: Mapping[str, Any], version: Mapping[str, Any]) -> Self:
        """Make it of what the API says about a model and one version.

        Args:
            model: What `GET /api/v1/models/{id}` answered; empty where the version alone is known.
            version: What `GET /api/v1/model-versions/{id}` answered, or one of the model's versions.
        """
        about = {**_object(version.get("model")), **model}
        number = version.get("modelId") or model.get("id")
        allowed = about.get("allowCommercialUse")
        return cls(
            name=_text(about.get("name")) or _text(version.get("name")),
            author=_text(_object(about.get("creator")).get("username")),
            tags=_tags(about.get("tags")),
            id=_number(version.get("id")),
            model_id=_number(number),
            version_name=_text(version.get("name")),
            model_type=_text(about.get("type")),
            base_model=_text(version.get("baseModel")),
            trained_words=_words(version.get("trainedWords")),
            description=_text(about.get("description")),
            nsfw=_flag(about.get("nsfw")),
            allow_no_credit=_flag(about.get("allowNoCredit")),
            allow_commercial_use=_words([allowed] if isinstance(allowed, str) else allowed),
            allow_derivatives=_flag(about.get("allowDerivatives")),
            allow_different_license=_flag(about.get("allowDifferentLicense")),
            published_at=_moment(version.get("publishedAt"))
            if version.get("publishedAt")
            else None,
            files=[
                Path(name)
                for one in _objects(version.get("files"))
                if (name := _text(one.get("name")))
            ],
            previews=_urls(version.get("images")),
            api_response=json.dumps(
                {"model": dict(model), "version": dict(version)}, ensure_ascii=False
            ),
        )

    @property
    def license(self) -> str:
        """Its terms as one text that can be searched: `allowNoCredit=True allowCommercialUse=Sell …`."""
        flags = {
            "allowNoCredit": self.allow_no_credit,
            "allowDerivatives": self.allow_derivatives,
            "allowDifferentLicense": self.allow_different_license,
        }
        words = [f"{name}={flag}" for name, flag in flags.items() if flag is not None]
        return " ".join(
            [*words, *(f"allowCommercialUse={word}" for word in self.allow_commercial_use)]
        )


AnyModelRepoMetadata = Annotated[HuggingFaceMetadata | CivitaiMetadata, Field(discriminator="type")]
"""What any hub says; `type` in a document tells which."""

ANY_MODEL_REPO_METADATA: TypeAdapter[HuggingFaceMetadata | CivitaiMetadata] = TypeAdapter(
    AnyModelRepoMetadata
)
"""Reads it from a document, as `model_dump_json` writes it."""

_BEFORE = datetime(1970, 1, 1, tzinfo=UTC)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _words(value: object) -> list[str]:
    words = value if isinstance(value, list) else []
    found = (word.strip()[:_LONGEST_TAG] for word in words if isinstance(word, str))
    return list(dict.fromkeys(word for word in found if word))[:_MOST_TAGS]


def _tags(value: object) -> set[str]:
    return set(_words(value))


def _moment(value: object) -> datetime:
    """Read a date; one that is missing or broken is 1970, which is before every hub."""
    try:
        return datetime.fromisoformat(_text(value)).astimezone(UTC)
    except (ValueError, OverflowError):
        return _BEFORE


def _urls(images: object) -> list[AnyHttpUrl]:
    found = []
    for image in _objects(images):
        url = _text(image.get("url"))
        if url.startswith(("https://", "http://")):
            try:
                found.append(AnyHttpUrl(url))
            except ValueError:
                continue
    return found
