"""Fetching what Hugging Face says about a repository."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pydantic import AnyHttpUrl, ValidationError

from modelshelf.errors import InvalidModelSourceError, OfflineError
from modelshelf.metadata.fetching import ModelMetadataFetchBase, invalid_metadata, split_address
from modelshelf.protocols import Clock
from modelshelf.schema.address_secrets import bare_address
from modelshelf.schema.hub_refusal import hugging_face_refusal
from modelshelf.schema.hub_settings import HubSettings, origin_of
from modelshelf.schema.model_source import REPO_ID
from modelshelf.schema.repo_metadata import HuggingFaceMetadata

if TYPE_CHECKING:
    import requests

__all__ = ["HuggingFaceMetadataFetch"]

_HOSTS = frozenset({"huggingface.co", "www.huggingface.co", "hf.co"})
_NOT_MODELS = frozenset({"api", "datasets", "docs", "spaces", "models"})


def _now() -> datetime:
    return datetime.now(UTC)


class HuggingFaceMetadataFetch(ModelMetadataFetchBase):
    """Fetches metadata from Hugging Face, or from a mirror that speaks its API.

    Example:
        >>> hf = HuggingFaceMetadataFetch()
        >>> hf.from_url("https://example.com/acme/lens")
        Traceback (most recent call last):
            ...
        modelshelf.errors.hub.InvalidModelSourceError: `https://example.com/acme/lens` names no model \
source: it is no page of a repository at https://huggingface.co
    """

    def __init__(
        self,
        session: requests.Session | None = None,
        *,
        settings: HubSettings | None = None,
        clock: Clock = _now,
    ) -> None:
        """Ask over *session*.

        Args:
            session: Used exactly as it is; None opens one for each question.
            settings: The endpoint, and the token that it may see.
            clock: For limits that name a date.
        """
        super().__init__(session)
        self._settings = settings or HubSettings()
        self._clock = clock

    def from_url(self, url: AnyHttpUrl | str) -> HuggingFaceMetadata:
        """Fetch the metadata of the repository whose page, folder or file is at *url*."""
        text = str(url)
        origin, parts = split_address(text)
        steps = [unquote(step) for step in parts.path.split("/") if step]
        is_here = origin == origin_of(self._settings.endpoint) or origin[1] in _HOSTS
        if not is_here or len(steps) < 2 or steps[0] in _NOT_MODELS:  # noqa: PLR2004 - owner and name
            problem = f"it is no page of a repository at {self._settings.endpoint}"
            raise InvalidModelSourceError(text=bare_address(text)[:200], problem=problem)
        return self.from_id(f"{steps[0]}/{steps[1]}")

    def from_id(self, id: str) -> HuggingFaceMetadata:  # noqa: A002 - the document's name
        """Fetch the metadata of the repository *id*, such as `stabilityai/sdxl-turbo`."""
        if REPO_ID.fullmatch(id) is None:
            raise InvalidModelSourceError(text=id[:200], problem="expected `owner/name`")
        if self._settings.offline:
            raise OfflineError(source=id)
        hub, token = self._settings.endpoint, self._settings.token
        answer = self._ask(f"{hub}/api/models/{id}", hub, token)
        if not answer.is_good:
            raise hugging_face_refusal(
                answer, repo_id=id, hub=hub, has_token=bool(token), now=self._clock()
            )
        told = answer.as_object(hub)
        siblings = told.get("siblings")
        names = [
            one["rfilename"]
            for one in (siblings if isinstance(siblings, list) else [])
            if isinstance(one, dict) and isinstance(one.get("rfilename"), str)
        ]
        return HuggingFaceMetadata.from_answer({**told, "id": told.get("id") or id}, names)

    @classmethod
    def from_json(cls, json: str) -> HuggingFaceMetadata:
        """Read metadata of Hugging Face that `model_dump_json` wrote.

        Raises:
            InvalidMetadataError: It is no such document.

        Example:
            >>> HuggingFaceMetadataFetch.from_json("[]")
            Traceback (most recent call last):
                ...
            modelshelf.errors.hub.InvalidMetadataError: the metadata is invalid: document: Input should \
be an object
        """
        try:
            return HuggingFaceMetadata.model_validate_json(json)
        except ValidationError as error:
            raise invalid_metadata(error) from error
