"""A stand-in for the Hugging Face Hub that its own client downloads through.

Real HTTP on loopback: the hub (API and `resolve`) and the file host are two origins. What it answers
was taken from the Hub's documentation (https://huggingface.co/docs/hub/api) and from what its client
reads. Identity stands in `X-Linked-Etag`; a redirect's own `ETag` and `Content-Length` are another's.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, quote

from tests.hubs.cdn import FileHost
from tests.hubs.repository import HostedFile, Repository
from tests.hubs.server import Answer, Exchange, Origin, Request, json_answer

__all__ = ["STRANGER", "TOKEN", "HuggingFaceHub", "hugging_face_hub"]

TOKEN = "hf_reader_of_everything"  # noqa: S105 - it opens nothing outside these tests
"""Valid, and granted access to every gated and private repository."""
STRANGER = "hf_stranger"
"""Valid, and granted nothing."""
_DISABLED = "Access to this resource is disabled."
_INVALID = "Invalid credentials in Authorization header"


@dataclass(slots=True)
class _Limit:
    where: str
    left: int
    status: int
    headers: Mapping[str, str]


class HuggingFaceHub(Origin):
    """The hub's API and `resolve`. Give its `url` as `HF_ENDPOINT`."""

    def __init__(self, log: list[Exchange], files: FileHost) -> None:
        super().__init__("api", log)
        self.files = files
        """The file host that large files are redirected to; its counters are the bytes on the wire."""
        self.repositories: dict[str, Repository] = {}
        self.renamed: dict[str, str] = {}
        """Former id → present id."""
        self.page_size = 1000
        """Entries of a tree's page."""
        self.next_page_host: str | None = None
        """What `Link: next` names as the host; None is the hub itself. Mirrors leave huggingface.co."""
        self.small_files_by_cache = False
        """Whether small files are answered by a redirect to `/api/resolve-cache`."""
        self.announces_commit = True
        """Whether `X-Repo-Commit` is sent; some mirrors drop it."""
        self.xet_endpoint = "local:///nowhere"
        """Where the tokens for Xet lead."""
        self._limits: list[_Limit] = []

    def add(self, repo_id: str, folder: Path, **options: object) -> Repository:
        """Host what lies in *folder* as `main` of *repo_id*; options are the fields of `Repository`."""
        repository = Repository(repo_id, **options)  # type: ignore[arg-type]
        repository.commit(folder)
        self.repositories[repo_id] = repository
        return repository

    def refuse_next(
        self,
        count: int,
        headers: Mapping[str, str] | None = None,
        *,
        status: int = 429,
        where: str = "/",
    ) -> None:
        """Refuse the next *count* requests whose path starts with *where*: `/api/`, or `/` for all.

        A limit is told in one of three forms: `RateLimit` with `RateLimit-Policy`, `Retry-After` in
        seconds, `Retry-After` as a date.
        """
        self._limits.append(_Limit(where, count, status, headers or {}))

    def answer(self, request: Request) -> Answer:
        """Find what is asked for, unless a limit, a token or the repository forbids it."""
        if (limited := self._limited(request)) is not None:
            return limited
        if request.bearer not in {None, TOKEN, STRANGER}:
            return _refusal(401, None, _INVALID)
        match request.steps:
            case ["api", "models", owner, name, *rest]:
                return self._api(f"{owner}/{name}", rest, request)
            case ["api", "resolve-cache", "models", owner, name, sha, *path]:
                return self._small_file(f"{owner}/{name}", sha, "/".join(path))
            case [owner, name, "resolve", revision, *path]:
                return self._resolve(f"{owner}/{name}", revision, "/".join(path), request)
            case _:
                pass
        return json_answer({"error": "Not Found"}, 404)

    def _limited(self, request: Request) -> Answer | None:
        with self._lock:
            for limit in self._limits:
                if limit.left and request.path.startswith(limit.where):
                    limit.left -= 1
                    error = {"error": "You have been rate limited"}
                    return json_answer(error, limit.status, limit.headers)
        return None

    def _api(  # noqa: PLR0911 - a table of routes
        self, repo_id: str, rest: list[str], request: Request
    ) -> Answer:
        if repo_id in self.renamed:
            return _moved(request, repo_id, self.renamed[repo_id])
        repository, refusal = self._open(repo_id, request, files=rest[:1] not in ([], ["revision"]))
        if repository is None:
            return refusal
        match rest:
            case []:
                return _info(repository, repository.refs["main"], request)
            case ["revision", revision]:
                sha = repository.revision(revision)
                return _no_revision(revision) if sha is None else _info(repository, sha, request)
            case [kind, revision, *path] if (sha := repository.revision(revision)) is not None:
                if kind == "tree":
                    return self._tree(repository, sha, "/".join(path), request)
                if kind == "paths-info":
                    return _paths_info(repository.commits[sha], request)
                if kind == "xet-read-token":
                    return _xet_token(self.xet_endpoint)
            case ["tree" | "paths-info" | "xet-read-token", revision, *_]:
                return _no_revision(revision)
            case _:
                pass
        return json_answer({"error": "Not Found"}, 404)

    def _open(
        self, repo_id: str, request: Request, *, files: bool
    ) -> tuple[Repository, Answer] | tuple[None, Answer]:
        repository = self.repositories.get(repo_id)
        token = request.bearer
        if repository is None or (repository.is_private and token != TOKEN):
            message = "Repository not found" if token else "Invalid username or password."
            return None, _refusal(404 if token else 401, "RepoNotFound", message)
        if repository.is_disabled:
            return None, _refusal(403, None, _DISABLED)
        if files and repository.gated and token != TOKEN:
            message = f"Access to model {repo_id} is restricted."
            return None, _refusal(403 if token else 401, "GatedRepo", message)
        return repository, Answer()

    def _tree(self, repository: Repository, sha: str, below: str, request: Request) -> Answer:
        files = repository.commits[sha]
        entries = _tree_entries(files, below, recursive=request.query.get("recursive") == "true")
        if below and not entries:
            return _refusal(404, "EntryNotFound", f"{below} does not exist on {sha}")
        limit = min(int(request.query.get("limit", self.page_size)), self.page_size)
        start = int(request.query.get("cursor", 0))
        headers = {}
        if start + limit < len(entries):
            query = "&".join(
                f"{name}={quote(value)}"
                for name, value in {**request.query, "cursor": str(start + limit)}.items()
            )
            url = f"{self.next_page_host or self.url}{request.path}?{query}"
            headers["Link"] = f'<{url}>; rel="next"'
        return json_answer(entries[start : start + limit], headers=headers)

    def _resolve(  # noqa: PLR0911 - each refusal is one of them
        self, repo_id: str, revision: str, name: str, request: Request
    ) -> Answer:
        if repo_id in self.renamed:
            return _moved(request, repo_id, self.renamed[repo_id])
        repository, refusal = self._open(repo_id, request, files=True)
        if repository is None:
            return refusal
        sha = repository.revision(revision)
        if sha is None:
            return _no_revision(revision)
        commit = {"X-Repo-Commit": sha} if self.announces_commit else {}
        file = repository.commits[sha].get(name)
        if file is None:
            message = f"{name} does not exist on {revision}"
            return _refusal(404, "EntryNotFound", message, commit)
        if file.is_large and not repository.serves_pointers:
            return self._to_file_host(repo_id, sha, file, commit)
        if self.small_files_by_cache:
            target = f"/api/resolve-cache/models/{repo_id}/{sha}/{quote(name)}"
            return Answer(307, commit | _small_headers(file) | {"Location": target})
        return _small_answer(file, commit)

    def _to_file_host(
        self, repo_id: str, sha: str, file: HostedFile, commit: dict[str, str]
    ) -> Answer:
        key = self.files.publish(file.path, etag=file.wire_etag)
        where = self.files.sign(key, disposition=f'inline; filename="{file.path.name}";')
        body = f"Found. Redirecting to {where}".encode()
        headers = commit | {
            "Location": where,
            "ETag": '"of-the-redirect-and-not-of-the-file"',
            "X-Linked-Size": str(file.size),
            "X-Linked-Etag": f'"{file.sha256}"',
            "Accept-Ranges": "bytes",
            "Content-Type": "text/plain; charset=utf-8",
        }
        if file.xet_hash:
            token = f"{self.url}/api/models/{repo_id}/xet-read-token/{sha}"
            headers["X-Xet-Hash"] = file.xet_hash
            headers["Link"] = f'<{token}>; rel="xet-auth"'
        return Answer(302, headers, body)

    def _small_file(self, repo_id: str, sha: str, name: str) -> Answer:
        repository = self.repositories.get(repo_id)
        file = repository.commits.get(sha, {}).get(name) if repository else None
        if file is None:
            return _refusal(404, "EntryNotFound", f"{name} does not exist on {sha}")
        return _small_answer(file, {"X-Repo-Commit": sha} if self.announces_commit else {})


def _info(repository: Repository, sha: str, request: Request) -> Answer:
    blobs = request.query.get("blobs", "").lower() == "true"
    owner = repository.repo_id.partition("/")[0]
    return json_answer(
        {
            "_id": sha[:24],
            "id": repository.repo_id,
            "modelId": repository.repo_id,
            "author": owner,
            "sha": sha,
            "private": repository.is_private,
            "gated": repository.gated,
            "disabled": repository.is_disabled,
            "tags": list(repository.tags),
            "pipeline_tag": "text-to-image",
            "library_name": "diffusers",
            "cardData": {"license": "mit", "tags": ["text-to-image"]},
            "downloads": 7,
            "likes": 1,
            "createdAt": "2026-01-02T03:04:05.000Z",
            "lastModified": "2026-02-03T04:05:06.000Z",
            "siblings": [file.sibling(blobs=blobs) for file in repository.commits[sha].values()],
        }
    )


def _tree_entries(
    files: Mapping[str, HostedFile], below: str, *, recursive: bool
) -> list[dict[str, object]]:
    prefix = f"{below}/" if below else ""
    entries: dict[str, dict[str, object]] = {}
    for name, file in files.items():
        if not name.startswith(prefix):
            continue
        steps = name[len(prefix) :].split("/")
        for depth in range(1, len(steps)):
            folder = prefix + "/".join(steps[:depth])
            if recursive or depth == 1:
                entries[folder] = {"type": "directory", "oid": "0" * 40, "size": 0, "path": folder}
        if recursive or len(steps) == 1:
            entries[name] = file.tree_entry()
    return list(entries.values())


def _paths_info(files: Mapping[str, HostedFile], request: Request) -> Answer:
    if "json" in request.headers.get("content-type", ""):
        paths = json.loads(request.body)["paths"]
    else:
        paths = parse_qs(request.body.decode())["paths"]
    return json_answer([files[path].tree_entry() for path in paths if path in files])


def _xet_token(endpoint: str) -> Answer:
    told = {"casUrl": endpoint, "accessToken": "cas_reader", "exp": 4_102_444_800}
    return json_answer(
        told,
        headers={
            "X-Xet-Cas-Url": str(told["casUrl"]),
            "X-Xet-Access-Token": str(told["accessToken"]),
            "X-Xet-Token-Expiration": str(told["exp"]),
        },
    )


def _small_headers(file: HostedFile) -> dict[str, str]:
    return {"ETag": f'"{file.git_sha1}"', "Content-Type": "text/plain; charset=utf-8"}


def _small_answer(file: HostedFile, commit: Mapping[str, str]) -> Answer:
    headers = {**commit, **_small_headers(file), "Accept-Ranges": "bytes"}
    content = file.pointer if file.is_large else file.path.read_bytes()
    return Answer(200, headers, content)


def _moved(request: Request, former: str, present: str) -> Answer:
    """Redirect as the Hub does after a rename: relative, and to the API as well as to files."""
    target = request.path.replace(f"/{former}", f"/{present}", 1)
    query = "&".join(f"{name}={quote(value)}" for name, value in request.query.items())
    return Answer(307, {"Location": f"{target}?{query}" if query else target})


def _no_revision(revision: str) -> Answer:
    return _refusal(404, "RevisionNotFound", f"Invalid rev id: {revision}")


def _refusal(
    status: int, code: str | None, message: str, headers: Mapping[str, str] | None = None
) -> Answer:
    told = {"X-Error-Message": message, **(headers or {})}
    if code is not None:
        told["X-Error-Code"] = code
    return json_answer({"error": message}, status, told)


@contextlib.contextmanager
def hugging_face_hub(**repositories: Path) -> Iterator[HuggingFaceHub]:
    """Run a hub with its file host until the block ends.

    Args:
        repositories: Name → folder whose content is `main` of the repository `acme/<name>`. Others
            come with `hub.add("owner/name", folder, gated="auto")`.

    Example::

        tiny.pipeline(folder, base="sd-1")
        with hugging_face_hub(dreamland=folder) as hub:
            url = f"{hub.url}/acme/dreamland/resolve/main/model_index.json"
            hub.requests("GET", "/resolve/")  # who asked what
            hub.files.bytes_sent.total()  # bytes on the wire from the file host
    """
    log: list[Exchange] = []
    with FileHost(log) as files, HuggingFaceHub(log, files) as hub:
        for name, folder in repositories.items():
            hub.add(f"acme/{name}", folder)
        yield hub
