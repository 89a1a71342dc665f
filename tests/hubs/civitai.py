"""A stand-in for Civitai: its web API, its download links, and storage that takes no tokens.

Statuses and bodies are those of `civitai/civitai` src/pages/api/download/models and of
https://developer.civitai.com: GET only, a redirect to a URL signed for GET, HTML for browsers.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import quote

from tests.hubs.cdn import FileHost
from tests.hubs.civitai_models import (
    HostedModel,
    HostedModelFile,
    HostedVersion,
    version_document,
)
from tests.hubs.server import Answer, Exchange, Origin, Request, json_answer

__all__ = ["CivitaiSite", "civitai_site"]

TOKEN = "civitai_reader"  # noqa: S105 - it opens nothing outside these tests
_BROWSERS = re.compile("mozilla|chrome|safari|firefox|opera|edge", re.IGNORECASE)
_MOST_HASHES = 100


class CivitaiSite(Origin):
    """The site's API and download links. Give its `url` as the base URL."""

    token = TOKEN
    """The one valid token; any other counts as none."""

    def __init__(self, log: list[Exchange], files: FileHost) -> None:
        super().__init__("api", log)
        self.files = files
        """Storage: refuses `Authorization` with 400, and everything but GET."""
        self.models: list[HostedModel] = []
        self._refusals: list[int] = []

    def add(self, model: HostedModel) -> None:
        """Publish *model*."""
        self.models.append(model)
        for version in model.versions:
            for path in version.previews:
                self.files.publish(path, etag="preview", is_public=True)

    def refuse_next(self, *statuses: int) -> None:
        """Answer the next downloads with these: 404 heals, 429 says no `Retry-After`, 500."""
        with self._lock:
            self._refusals.extend(statuses)

    def answer(self, request: Request) -> Answer:
        """Route one request."""
        match request.steps:
            case ["api", "v1", *rest]:
                return self._api(rest, request)
            case ["api", "download", "models", version]:
                return self._download(version, request)
            case ["login"]:
                return Answer(200, {"Content-Type": "text/html"}, b"<html>Sign in</html>")
            case _:
                pass
        return Answer(404, {"Content-Type": "text/html"}, b"<html>Not found</html>")

    def _versions(self) -> Iterator[tuple[HostedModel, HostedVersion]]:
        for model in self.models:
            for version in model.versions:
                if version.is_published:
                    yield model, version

    def _api(self, rest: list[str], request: Request) -> Answer:
        found: object = None
        match rest:
            case ["models", number]:
                models = (model for model in self.models if str(model.id) == number)
                found = next((one.document(self.url, self.files.url) for one in models), None)
            case ["model-versions", "by-hash"] if request.method == "POST":
                wanted = json.loads(request.body)
                if len(wanted) > _MOST_HASHES:
                    return json_answer({"error": "Too many hashes"}, 400)
                found = [self._document(*one) for one in self._with_hash(wanted)]
            case ["model-versions", "by-hash", text]:
                found = next((self._document(*one) for one in self._with_hash([text])), None)
            case ["model-versions", number]:
                versions = (one for one in self._versions() if str(one[1].id) == number)
                found = next((self._document(*one) for one in versions), None)
            case _:
                pass
        return json_answer({"error": "Not found"}, 404) if found is None else json_answer(found)

    def _document(self, model: HostedModel, version: HostedVersion) -> dict[str, object]:
        return version_document(model, version, self.url, self.files.url)

    def _with_hash(self, wanted: list[str]) -> Iterator[tuple[HostedModel, HostedVersion]]:
        asked = {text.upper() for text in wanted}
        for model, version in self._versions():
            if any(asked & set(file.hashes.values()) for file in version.files):
                yield model, version

    def _download(self, number: str, request: Request) -> Answer:
        if request.method == "HEAD":
            return _refuse(request, 401, {"error": "Unauthorized"})
        with self._lock:
            forced = self._refusals.pop(0) if self._refusals else None
        if forced is not None:
            return _forced(request, forced)
        if not number.isdecimal():
            return _refuse(request, 400, {"error": "Invalid version id"})
        for model, version in self._versions():
            if str(version.id) == number:
                return self._version(model, version, request)
        return _refuse(request, 404, {"error": "Version not found"})

    def _version(self, model: HostedModel, version: HostedVersion, request: Request) -> Answer:
        has_token = self.token in {request.bearer, request.query.get("token")}
        ends = version.early_access_ends
        if version.is_archived or model.mode == "Archived":
            return _refuse(request, 410, {"error": "Model archived, not available for download"})
        if version.is_blocked:
            return _refuse(request, 403, {"error": "Forbidden"})
        if ends is not None and ends > datetime.now(UTC):
            deadline = ends.isoformat().replace("+00:00", "Z")
            message = "This asset is in Early Access. You can buy access to it on its page."
            told = {"error": "Early Access", "deadline": deadline, "message": message}
            return _refuse(request, 403, told)
        if version.needs_login and not has_token:
            message = "The creator of this asset requires you to be logged in to download it"
            return _refuse(request, 401, {"error": "Unauthorized", "message": message})
        file = _choose(version, request)
        if file is None:
            return _refuse(request, 404, {"error": "File not found"})
        key = self.files.publish(file.path, etag=file.hashes["SHA256"][:32].lower())
        name = file.name or file.path.name
        where = self.files.sign(key, disposition=f'attachment; filename="{quote(name)}"')
        return Answer(307, {"Location": where, "Cache-Control": "no-store"})


def _choose(version: HostedVersion, request: Request) -> HostedModelFile | None:
    """Find the file; a word in the query that contradicts what is stored is 404, but for `fileId`."""
    if "fileId" in request.query:
        wanted = request.query["fileId"]
        return next((file for file in version.files if str(file.id) == wanted), None)
    fitting = [
        file
        for file in version.files
        if all(
            request.query.get(name) in {None, value}
            for name, value in (
                ("type", file.type),
                ("format", file.format),
                ("size", file.size),
                ("fp", file.fp),
            )
        )
    ]
    return next((file for file in fitting if file.primary), fitting[0] if fitting else None)


def _forced(request: Request, status: int) -> Answer:
    errors = {
        404: "File not found",
        429: "We have detected an unusual amount of downloads from your account",
    }
    return _refuse(request, status, {"error": errors.get(status, "Internal server error")})


def _refuse(request: Request, status: int, told: dict[str, str]) -> Answer:
    if status in {401, 403} and _BROWSERS.search(request.headers.get("user-agent", "")):
        where = f"/login?returnUrl={quote(request.path)}&reason=download-auth"
        return Answer(302, {"Location": where})
    return json_answer(told, status)


@contextlib.contextmanager
def civitai_site(*models: HostedModel) -> Iterator[CivitaiSite]:
    """Run a site with its storage until the block ends.

    Example::

        file = HostedModelFile(id=31, path=tiny.lora(folder / "ink.safetensors"))
        with civitai_site(HostedModel(1, "Ink", [HostedVersion(11, [file])])) as site:
            url = f"{site.url}/api/download/models/11?fileId=31"
            site.files.bytes_sent.total()  # bytes on the wire from storage
    """
    log: list[Exchange] = []
    with FileHost(log, refuses_authorization=True) as files, CivitaiSite(log, files) as site:
        for model in models:
            site.add(model)
        yield site
