"""Listing a version of a model on Civitai, and the one file of it that is wanted.

The API is that of https://developer.civitai.com/docs/api/public-rest; the base URL is set by the caller.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from modelshelf.errors import (
    CivitaiNotFoundError,
    HubAnswerError,
    ModelArchivedError,
    NoModelFilesError,
    OfflineError,
)
from modelshelf.protocols import Clock
from modelshelf.protocols.hub_client import HubClient
from modelshelf.schema.hub_refusal import civitai_refusal
from modelshelf.schema.hub_settings import CivitaiSettings
from modelshelf.schema.listing import ListedFile, ListedPreview, Listing, safe_file_name
from modelshelf.schema.model_source import CivitaiModelSource
from modelshelf.schema.repo_metadata import CivitaiMetadata
from modelshelf.sources.civitai_files import CivitaiFile, choose_file

__all__ = ["CivitaiSource"]

_HEX = re.compile(r"[0-9a-f]+")
_MOST_PREVIEWS = 100
_HEADERS = {"Accept-Encoding": "identity", "User-Agent": "modelshelf"}
"""For the file: whoever looks like a browser is sent to a login page."""


def _now() -> datetime:
    return datetime.now(UTC)


class CivitaiSource:
    """Lists versions of models of one site.

    The token goes to the site's origin and to no other: storage, to which downloads are redirected,
    refuses requests that bring one.
    """

    def __init__(
        self, client: HubClient, settings: CivitaiSettings, *, clock: Clock = _now
    ) -> None:
        self._client = client
        self._settings = settings
        self._clock = clock

    def list(self, source: CivitaiModelSource) -> Listing:
        """List the file that is wanted, with the hashes that the site announces.

        Of several files the one that was asked for by number, hash, format, precision or size is
        taken; else safetensors before pickles, then the one that the site calls primary.

        Raises:
            CivitaiNotFoundError: No published model, version or file answers to it.
            ModelArchivedError: Its files are no longer given.
            NoModelFilesError: The version has no file of a model.
            TokenRefusedError: The site does not know the token.
            RateLimitedError: Too many requests.
            HubUnreachableError: No answer.
            HubAnswerError: An answer that is none of this API.
            OfflineError: The network is forbidden.
        """
        if self._settings.offline:
            raise OfflineError(source=str(source))
        model, version = self._find(source)
        if model.get("mode") == "Archived":
            raise ModelArchivedError(source=str(source))
        metadata = CivitaiMetadata.from_answer(model, version)
        if not metadata.id:
            raise HubAnswerError(hub=self._settings.endpoint, problem="a version without a number")
        file = self._choose(source, version)
        return Listing(
            source=source,
            name=metadata.name or f"civitai_{metadata.id}",
            revision=str(metadata.id),
            files=(self._listed(metadata, file),),
            is_folder=False,
            left_out=tuple(
                sorted(one.name for one in CivitaiFile.all_of(version) if one.id != file.id)
            ),
            notes=tuple(self._notes(version, file)),
            origin=self._settings.endpoint,
            access_token=self._settings.token_for(source.access_token),
            headers=_HEADERS,
            previews=tuple(_previews(version)),
            metadata=metadata,
        )

    def _find(self, source: CivitaiModelSource) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what the site says about the model and the version that *source* means."""
        if source.model_id is not None:
            model = self._ask(source, f"models/{source.model_id}", f"model {source.model_id}")
            return model, self._version_of(source, model)
        if source.hash is not None:
            what = f"file with the hash {source.hash}"
            version = self._ask(source, f"model-versions/by-hash/{source.hash}", what)
        else:
            what = f"version {source.version_id}"
            version = self._ask(source, f"model-versions/{source.version_id}", what)
        try:
            number = version.get("modelId")
            model = self._ask(source, f"models/{number}", f"model {number}")
        except CivitaiNotFoundError:
            # The model may be hidden while its version still answers.
            model = {}
        return model, version

    def _version_of(self, source: CivitaiModelSource, model: Mapping[str, Any]) -> dict[str, Any]:
        """Return the wanted version of *model*, else its first: the newest that is published."""
        listed, number = model.get("modelVersions"), source.version_id
        versions = [
            one for one in (listed if isinstance(listed, list) else []) if isinstance(one, dict)
        ]
        wanted = [one for one in versions if number is None or one.get("id") == number]
        if not wanted:
            what = f"version {number}" if number else f"version of model {source.model_id}"
            raise CivitaiNotFoundError(what=what, hub=self._settings.endpoint)
        return {"modelId": model.get("id"), **wanted[0]}

    def _choose(self, source: CivitaiModelSource, version: Mapping[str, Any]) -> CivitaiFile:
        files = list(CivitaiFile.all_of(version))
        if not files:
            reason = f"version {version.get('id')} lists no file"
            raise NoModelFilesError(source=str(source), reason=reason)
        file = choose_file(files, source)
        if file is None:
            wishes = {
                "id": source.file_id,
                "format": source.format,
                "size": source.size,
                "precision": source.precision,
            }
            said = ", ".join(f"{name} {value}" for name, value in wishes.items() if value)
            what = f"file with {said} of version {version.get('id')}"
            raise CivitaiNotFoundError(what=what, hub=self._settings.endpoint)
        return file

    def _listed(self, metadata: CivitaiMetadata, file: CivitaiFile) -> ListedFile:
        url = f"{self._settings.endpoint}/api/download/models/{metadata.id}"
        fallback = f"{metadata.name or metadata.id}.{file.suffix}"
        return ListedFile(
            name=safe_file_name(file.name or fallback),
            # By number: any word about the file that contradicts what is stored would be refused.
            url=f"{url}?fileId={file.id}" if file.id else url,
            size_hint=file.size_hint,
            sha256=_digest(file.hashes.get("SHA256"), 64),
            blake3=_digest(file.hashes.get("BLAKE3"), 64),
            crc32=_digest(file.hashes.get("CRC32"), 8),
        )

    def _notes(self, version: Mapping[str, Any], file: CivitaiFile) -> Iterator[str]:
        for name, verdict in file.scans.items():
            if verdict not in {"Success", "Pending"}:
                yield f"the site's {name} says `{verdict}`"
        if not _digest(file.hashes.get("SHA256"), 64) and not file.hashes.get("BLAKE3"):
            yield "the site has not hashed it yet: only its length can be checked"
        ends = version.get("earlyAccessEndsAt")
        if isinstance(ends, str) and _is_later(ends, self._clock()):
            yield f"it is in early access until {ends[:16]}"

    def _ask(self, source: CivitaiModelSource, path: str, what: str) -> dict[str, Any]:
        hub, token = self._settings.endpoint, self._settings.token_for(source.access_token)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = self._client.get_json(f"{hub}/api/v1/{path}", headers)
        if answer.is_good:
            return answer.as_object(hub)
        raise civitai_refusal(
            answer,
            source=str(source),
            hub=hub,
            has_token=bool(token),
            now=self._clock(),
            what=what,
        )


def _digest(text: object, length: int) -> str | None:
    found = text.lower() if isinstance(text, str) else ""
    return found if len(found) == length and _HEX.fullmatch(found) else None


def _is_later(text: str, now: datetime) -> bool:
    try:
        return datetime.fromisoformat(text).astimezone(UTC) > now
    except (ValueError, OverflowError):
        return False


def _previews(version: Mapping[str, Any]) -> Iterator[ListedPreview]:
    images = version.get("images")
    for image in (images if isinstance(images, list) else [])[:_MOST_PREVIEWS]:
        url = image.get("url") if isinstance(image, dict) else None
        if isinstance(url, str) and url.startswith(("https://", "http://")):
            numbers = {
                name: value if isinstance(value := image.get(key), int) else None
                for name, key in (
                    ("nsfw_level", "nsfwLevel"),
                    ("width", "width"),
                    ("height", "height"),
                )
            }
            kind = "video" if image.get("type") == "video" else "image"
            yield ListedPreview(url=url, type=kind, **numbers)
