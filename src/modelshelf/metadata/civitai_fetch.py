"""Fetching what Civitai says about a version of a model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from pydantic import AnyHttpUrl, ValidationError

from modelshelf.errors import CivitaiNotFoundError, InvalidModelSourceError, OfflineError
from modelshelf.metadata.fetching import ModelMetadataFetchBase, invalid_metadata, split_address
from modelshelf.protocols import Clock
from modelshelf.schema.address_secrets import bare_address
from modelshelf.schema.hub_refusal import civitai_refusal
from modelshelf.schema.hub_settings import CivitaiSettings, origin_of
from modelshelf.schema.repo_metadata import CivitaiMetadata

if TYPE_CHECKING:
    import requests

__all__ = ["CivitaiMetadataFetch"]

_HOSTS = frozenset({"civitai.com", "www.civitai.com", "civitai.red", "civitai.green"})
_ID = re.compile(r"(?:civitai:)?(?P<model>\d{1,18})(?:@(?P<version>\d{1,18}))?")
_MODEL_PAGE = re.compile(r"/(?:api/v1/)?models/(\d{1,18})(?:/.*)?")
_VERSION_PAGE = re.compile(
    r"/(?:api/v1/model-versions|model-versions|api/download/models)/(\d{1,18})/?"
)


def _now() -> datetime:
    return datetime.now(UTC)


class CivitaiMetadataFetch(ModelMetadataFetchBase):
    """Fetches metadata from Civitai.

    Example:
        >>> CivitaiMetadataFetch().from_id("sdxl")
        Traceback (most recent call last):
            ...
        modelshelf.errors.hub.InvalidModelSourceError: `sdxl` names no model source: expected `MODEL` \
or `MODEL@VERSION`, in numbers
    """

    def __init__(
        self,
        session: requests.Session | None = None,
        *,
        settings: CivitaiSettings | None = None,
        clock: Clock = _now,
    ) -> None:
        """Ask over *session*.

        Args:
            session: Used exactly as it is; None opens one for each question.
            settings: The base URL, and the token that it may see.
            clock: For limits that name a date.
        """
        super().__init__(session)
        self._settings = settings or CivitaiSettings()
        self._clock = clock

    def from_url(self, url: AnyHttpUrl | str) -> CivitaiMetadata:
        """Fetch the metadata of the model or version whose page or download is at *url*."""
        text = str(url)
        origin, parts = split_address(text)
        if origin == origin_of(self._settings.endpoint) or origin[1] in _HOSTS:
            if (page := _MODEL_PAGE.fullmatch(parts.path)) is not None:
                wanted = parse_qs(parts.query).get("modelVersionId", [""])[0]
                return self.from_id(f"{page[1]}@{wanted}" if wanted.isdecimal() else page[1])
            if (page := _VERSION_PAGE.fullmatch(parts.path)) is not None:
                return self.from_version_id(int(page[1]))
        problem = f"it is no page of a model at {self._settings.endpoint}"
        raise InvalidModelSourceError(text=bare_address(text)[:200], problem=problem)

    def from_id(self, id: str) -> CivitaiMetadata:  # noqa: A002 - the document's name
        """Fetch the metadata of a version, by `MODEL@VERSION`; by `MODEL` that of its newest."""
        found = _ID.fullmatch(id)
        if found is None:
            problem = "expected `MODEL` or `MODEL@VERSION`, in numbers"
            raise InvalidModelSourceError(text=id[:200], problem=problem)
        model = self._get(f"models/{found['model']}", id, f"model {found['model']}")
        listed = model.get("modelVersions")
        versions = [
            one for one in (listed if isinstance(listed, list) else []) if isinstance(one, dict)
        ]
        wanted = found["version"]
        for version in versions:
            if wanted is None or str(version.get("id")) == wanted:
                return CivitaiMetadata.from_answer(model, version)
        what = f"version {wanted}" if wanted else f"version of model {found['model']}"
        raise CivitaiNotFoundError(what=what, hub=self._settings.endpoint)

    def from_version_id(self, number: int) -> CivitaiMetadata:
        """Fetch the metadata of a version by its number alone."""
        version = self._get(f"model-versions/{number}", str(number), f"version {number}")
        try:
            model = self._get(f"models/{version.get('modelId')}", str(number), "model")
        except CivitaiNotFoundError:
            # The model may be hidden while its version still answers.
            model = {}
        return CivitaiMetadata.from_answer(model, version)

    @classmethod
    def from_json(cls, json: str) -> CivitaiMetadata:
        """Read metadata of Civitai that `model_dump_json` wrote.

        Raises:
            InvalidMetadataError: It is no such document.
        """
        try:
            return CivitaiMetadata.model_validate_json(json)
        except ValidationError as error:
            raise invalid_metadata(error) from error

    def _get(self, path: str, source: str, what: str) -> Mapping[str, Any]:
        hub, token = self._settings.endpoint, self._settings.token
        if self._settings.offline:
            raise OfflineError(source=source)
        answer = self._ask(f"{hub}/api/v1/{path}", hub, token)
        if answer.is_good:
            return answer.as_object(hub)
        raise civitai_refusal(
            answer, source=source, hub=hub, has_token=bool(token), now=self._clock(), what=what
        )
