"""Listing a repository of Hugging Face, pinned to one commit.

The API is that of https://huggingface.co/docs/hub/api; mirrors that speak it are reached by setting the
endpoint.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from modelshelf.errors import HubAnswerError, OfflineError
from modelshelf.protocols import Clock
from modelshelf.protocols.hub_client import HubClient
from modelshelf.schema.hub_answer import HubAnswer
from modelshelf.schema.hub_refusal import hugging_face_refusal
from modelshelf.schema.hub_settings import HubSettings
from modelshelf.schema.listing import ListedFile, Listing
from modelshelf.schema.model_source import REPO_ID, HFModelSource
from modelshelf.schema.repo_metadata import HuggingFaceMetadata
from modelshelf.schema.taxonomy import ModelRepoVariant, SubModelType
from modelshelf.sources.fitting_names import fitting
from modelshelf.sources.hugging_face_cache import HuggingFaceCache
from modelshelf.sources.hugging_face_selection import PIPELINE, Selection, select_files
from modelshelf.sources.weight_names import WeightsName

__all__ = ["HuggingFaceSource", "RepositoryFile"]

_MOST_ENTRIES = 100_000
_MOST_PAGES = 2_000
_LONGEST_NAME = 4_096
_SHA1 = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NEXT = re.compile(r'<([^<>]{1,4000})>\s*;\s*rel="?next"?')
_USUAL_PARTS = frozenset(SubModelType)
"""Folders that are components wherever they lie: a repository that has no others needs no question."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class RepositoryFile:
    """One file of a repository at one commit, as the hub announces it."""

    name: str
    """Path in the repository; checked only when it is chosen."""
    size: int | None
    """Bytes; None where the hub does not say."""
    sha256: str | None
    """Of a file that LFS or Xet keeps; None for one that git keeps."""
    git_sha1: str | None
    """Of a file that git keeps; None for one that LFS or Xet keeps, of which git has a pointer."""

    @classmethod
    def read(cls, entry: Mapping[str, object]) -> RepositoryFile | None:
        """Take an entry of the API's tree; None for what is no file. Digests of wrong form are dropped."""
        name, lfs = entry.get("path"), entry.get("lfs")
        if entry.get("type") != "file" or not isinstance(name, str):
            return None
        if isinstance(lfs, dict):
            digest = str(lfs.get("oid") or lfs.get("sha256") or "").removeprefix("sha256:")
            return cls(
                name,
                _size(lfs.get("size", entry.get("size"))),
                digest if _SHA256.fullmatch(digest) else None,
                None,
            )
        oid = str(entry.get("oid") or "")
        return cls(name, _size(entry.get("size")), None, oid if _SHA1.fullmatch(oid) else None)


class HuggingFaceSource:
    """Lists repositories of one endpoint.

    The token goes to the endpoint's origin and to no other. Asks twice for a repository (what it is,
    what it holds), more only for pages of a large tree and for a pipeline with unusual folders.
    """

    def __init__(self, client: HubClient, settings: HubSettings, *, clock: Clock = _now) -> None:
        self._client = client
        self._settings = settings
        self._clock = clock

    def list(
        self, source: HFModelSource, *, default: ModelRepoVariant = ModelRepoVariant.FP16
    ) -> Listing:
        """List the files that make up the model, with the digests that the hub announces.

        Offline, what the user's Hugging Face cache holds of the repository is listed instead.

        Args:
            source: The repository, and what of it.
            default: The variant where the source names none: fp32 for who wants full precision.

        Raises:
            RepositoryNotFoundError: It is not there, or private.
            GatedRepositoryError: Its conditions must be accepted first.
            RepositoryDisabledError: The hub took it away.
            RevisionNotFoundError: No such branch, tag or commit.
            RepositoryFileNotFoundError: No such folder or file.
            NoModelFilesError: Nothing in it is a model.
            SeveralModelsError: It holds several.
            UnsafeListingError: A file that the model needs has a name that cannot be used.
            TokenRefusedError: The hub does not know the token.
            RateLimitedError: Too many requests.
            HubUnreachableError: No answer.
            HubAnswerError: An answer that is none of this API.
            OfflineError: The network is forbidden, and the cache has nothing of it.
        """
        if self._settings.offline:
            return self._list_cached(source, default)
        asking = _Asking(self._client, self._settings, self._clock, source)
        info, commit = asking.info()
        told = info.get("id")
        # After a rename it differs. What is no id at all does not become a part of an address.
        is_id = isinstance(told, str) and REPO_ID.fullmatch(told) is not None
        repo_id = str(told) if is_id else source.repo_id
        files = {file.name: file for file in asking.tree(repo_id, commit)}
        components = asking.components(repo_id, commit, files)
        selection = select_files(
            source, files, default=default, components=components, hub=self._settings.endpoint
        )
        metadata = HuggingFaceMetadata.from_answer({**info, "id": repo_id}, files)
        return self._listing(source, repo_id, commit, files, selection, metadata)

    def _list_cached(self, source: HFModelSource, default: ModelRepoVariant) -> Listing:
        cache = self._settings.cache and HuggingFaceCache(self._settings.cache)
        commit = cache and cache.commit(source.repo_id, source.revision or "main")
        if not cache or not commit:
            raise OfflineError(source=str(source))
        files = {
            file.name: RepositoryFile(file.name, file.size, file.sha256, file.git_sha1)
            for file in cache.files(source.repo_id, commit)
        }
        selection = select_files(source, files, default=default, hub=self._settings.endpoint)
        listing = self._listing(source, source.repo_id, commit, files, selection, None)
        note = "offline: chosen from what the Hugging Face cache holds"
        return listing.model_copy(update={"notes": (*listing.notes, note)})

    def _listing(
        self,
        source: HFModelSource,
        repo_id: str,
        commit: str,
        files: Mapping[str, RepositoryFile],
        selection: Selection,
        metadata: HuggingFaceMetadata | None,
    ) -> Listing:
        selection = fitting(str(source), selection)
        root = f"{self._settings.endpoint}/{repo_id}/resolve/{commit}"
        return Listing(
            source=source,
            name=_name(repo_id, source),
            revision=commit,
            files=tuple(
                ListedFile(
                    name=target,
                    url=f"{root}/{quote(name)}",
                    size=files[name].size,
                    sha256=files[name].sha256,
                    git_sha1=files[name].git_sha1,
                )
                for name, target in sorted(selection.names.items(), key=lambda pair: pair[1])
            ),
            is_folder=selection.is_folder,
            variant=selection.variant,
            left_out=tuple(sorted(set(files) - set(selection.names))),
            notes=selection.notes,
            origin=self._settings.endpoint,
            access_token=self._settings.token_for(source.access_token),
            # Else text comes compressed: without a length, and without ranges.
            headers={"Accept-Encoding": "identity"},
            metadata=metadata,
        )


class _Asking:
    """The requests for one source."""

    def __init__(
        self, client: HubClient, settings: HubSettings, clock: Clock, source: HFModelSource
    ) -> None:
        self._client = client
        self._hub = settings.endpoint
        self._clock = clock
        self._source = source
        self._token = settings.token_for(source.access_token)

    def info(self) -> tuple[dict[str, object], str]:
        """Return what the repository is, and the commit that its revision means now."""
        revision = quote(self._source.revision or "main", safe="")
        url = f"{self._hub}/api/models/{self._source.repo_id}/revision/{revision}"
        told = self._ask(url).as_object(self._hub)
        commit = told.get("sha")
        if not isinstance(commit, str) or _SHA1.fullmatch(commit) is None:
            raise HubAnswerError(hub=self._hub, problem="no commit, expected 40 hexadecimal digits")
        return told, commit

    def tree(self, repo_id: str, commit: str) -> Iterator[RepositoryFile]:
        """Yield every file of the commit, page by page."""
        url: str | None = f"{self._hub}/api/models/{repo_id}/tree/{commit}?recursive=true"
        count = 0
        for _ in range(_MOST_PAGES):
            answer = self._ask(url or "")
            entries = answer.as_array(self._hub)
            count += len(entries)
            for entry in entries:
                file = RepositoryFile.read(entry) if isinstance(entry, dict) else None
                if file is not None and len(file.name) <= _LONGEST_NAME:
                    # Longer ones no file system holds; they only cost time.
                    yield file
            url = self._next_page(answer)
            if url is None:
                return
            if count > _MOST_ENTRIES:
                break
        raise HubAnswerError(hub=self._hub, problem=f"a tree of more than {_MOST_ENTRIES} entries")

    def components(self, repo_id: str, commit: str, files: Iterable[str]) -> frozenset[str] | None:
        """Return the components of a pipeline; None for what is none, or has usual folders alone."""
        below = self._source.subfolder
        prefix = f"{below.as_posix()}/" if below else ""
        names = [name.removeprefix(prefix) for name in files if name.startswith(prefix)]
        holding = {
            name.partition("/")[0] for name in names if "/" in name and WeightsName.parse(name)
        }
        if PIPELINE not in names or holding <= _USUAL_PARTS:
            return None
        url = f"{self._hub}/{repo_id}/resolve/{commit}/{quote(prefix)}{PIPELINE}"
        told = self._ask(url).body
        if not isinstance(told, dict):
            return None
        return frozenset(
            name
            for name, value in told.items()
            if isinstance(value, list) and any(word is not None for word in value)
        )

    def _next_page(self, answer: HubAnswer) -> str | None:
        """Return the next page's URL at our endpoint: mirrors leave the hub's own name in it."""
        found = _NEXT.search(answer.headers.get("link", ""))
        if found is None:
            return None
        there = urlsplit(urljoin(answer.url, str(found[1])))
        here = urlsplit(self._hub)
        return urlunsplit((here.scheme, here.netloc, there.path, there.query, ""))

    def _ask(self, url: str) -> HubAnswer:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        answer = self._client.get_json(url, headers)
        if answer.is_good:
            return answer
        raise hugging_face_refusal(
            answer,
            repo_id=self._source.repo_id,
            hub=self._hub,
            has_token=bool(self._token),
            now=self._clock(),
            revision=self._source.revision or "main",
        )


def _name(repo_id: str, source: HFModelSource) -> str:
    """Return what the model is called: the repository, or the folder or file that is meant."""
    name = repo_id.rpartition("/")[2]
    below = source.subfolder
    if below is None:
        return name
    weights = WeightsName.parse(below.as_posix())
    return f"{name}_{below.name}" if weights is None else below.name.removesuffix(below.suffix)


def _size(value: object) -> int | None:
    is_size = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63
    return value if is_size and isinstance(value, int) else None
