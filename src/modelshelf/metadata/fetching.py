"""Fetching what a hub says about a model, over a session that the caller may bring.

Source: `spec/model-manager-v2.md`, "Fetching Metadata from Online Repos".
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from pydantic import AnyHttpUrl, ValidationError

from modelshelf.errors import (
    HubAnswerError,
    HubUnreachableError,
    InvalidMetadataError,
    InvalidModelSourceError,
)
from modelshelf.formats.json_bytes import parse_json_bytes
from modelshelf.schema.address_secrets import bare_address
from modelshelf.schema.hub_answer import HubAnswer
from modelshelf.schema.hub_settings import origin_of
from modelshelf.schema.repo_metadata import (
    ANY_MODEL_REPO_METADATA,
    CivitaiMetadata,
    HuggingFaceMetadata,
)

if TYPE_CHECKING:
    import requests

__all__ = ["ModelMetadataFetchBase", "invalid_metadata", "split_address"]

_LONGEST = 16 * 1024 * 1024
_PIECE = 64 * 1024
_TIMEOUT = (10.0, 30.0)
_OWN = {"User-Agent": "modelshelf", "Accept": "application/json"}


class ModelMetadataFetchBase(ABC):
    """Fetches metadata of one hub. Subclasses say which URLs and ids they know."""

    def __init__(self, session: requests.Session | None = None) -> None:
        """Take *session* to ask with, exactly as it is; without one each question opens its own."""
        self._session = session

    @abstractmethod
    def from_url(self, url: AnyHttpUrl | str) -> HuggingFaceMetadata | CivitaiMetadata:
        """Fetch the metadata of the model whose page is at *url*, as people copy it from a browser.

        Raises:
            InvalidModelSourceError: It is no page of this hub.
            HubError: The hub does not give it; the class says why.
        """

    @abstractmethod
    def from_id(self, id: str) -> HuggingFaceMetadata | CivitaiMetadata:  # noqa: A002 - the document's
        """Fetch the metadata of the model that the hub calls *id*.

        Raises:
            InvalidModelSourceError: The hub has no such ids.
            HubError: The hub does not give it; the class says why.
        """

    @classmethod
    def from_json(cls, json: str) -> HuggingFaceMetadata | CivitaiMetadata:
        """Read metadata that `model_dump_json` wrote.

        Raises:
            InvalidMetadataError: It is no such document.
        """
        try:
            return ANY_MODEL_REPO_METADATA.validate_json(json)
        except ValidationError as error:
            raise invalid_metadata(error) from error

    def _ask(self, url: str, hub: str, token: str | None) -> HubAnswer:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return _ask(self._session, url, hub, headers)


def _ask(
    session: requests.Session | None, url: str, hub: str, headers: Mapping[str, str]
) -> HubAnswer:
    # A tenth of a second, which whoever reads a file's own metadata does without.
    import requests  # noqa: PLC0415

    # `requests` takes `Authorization` away when a redirect leads to another host.
    try:
        with (
            requests.Session() if session is None else nullcontext(session) as asking,
            asking.get(url, headers={**_OWN, **headers}, timeout=_TIMEOUT, stream=True) as response,
        ):
            raw = bytearray()
            for piece in response.iter_content(_PIECE):
                raw += piece
                if len(raw) > _LONGEST:
                    raise HubAnswerError(hub=hub, problem=f"more than {_LONGEST} bytes")
            return HubAnswer(
                url=url.partition("?")[0],
                status=response.status_code,
                headers={name.lower(): text for name, text in response.headers.items()},
                body=parse_json_bytes(bytes(raw)),
            )
    except requests.RequestException as error:
        # The library's own words repeat the URL, and secrets may be in its query.
        raise HubUnreachableError(hub=hub, reason=type(error).__name__) from error


def invalid_metadata(error: ValidationError) -> InvalidMetadataError:
    """Return our error for pydantic's, without what was given."""
    first = error.errors(include_input=False)[0]
    where = ".".join(map(str, first["loc"])) or "document"
    return InvalidMetadataError(problem=f"{where}: {first['msg']}")


def split_address(text: str) -> tuple[tuple[str, str, int], SplitResult]:
    """Return the origin of a URL and its parts.

    Raises:
        InvalidModelSourceError: It is no URL at all.
    """
    try:
        return origin_of(text), urlsplit(text)
    except ValueError as error:
        raise InvalidModelSourceError(text=bare_address(text)[:200], problem=str(error)) from None
