"""One door to every source that is not on this machine."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

from modelshelf.protocols import Clock
from modelshelf.protocols.hub_client import HubClient
from modelshelf.schema.hub_settings import CivitaiSettings, HubSettings
from modelshelf.schema.listing import ListedFile, Listing, safe_file_name
from modelshelf.schema.model_source import CivitaiModelSource, HFModelSource, URLModelSource
from modelshelf.schema.taxonomy import ModelRepoVariant
from modelshelf.sources.civitai import CivitaiSource
from modelshelf.sources.hugging_face import HuggingFaceSource
from modelshelf.sources.reading import parse_source

__all__ = ["RemoteSources"]


def _now() -> datetime:
    return datetime.now(UTC)


class RemoteSources:
    """Lists what any remote source has to give.

    Example:
        >>> from modelshelf.sources import RequestsHubClient
        >>> source = URLModelSource(url="https://example.com/loras/ink.safetensors")
        >>> with RequestsHubClient() as client:
        ...     listing = RemoteSources(client).list(source)
        >>> listing.name, listing.files[0].name, listing.files[0].is_verifiable
        ('ink', 'ink.safetensors', False)
    """

    def __init__(
        self,
        client: HubClient,
        hub: HubSettings | None = None,
        civitai: CivitaiSettings | None = None,
        *,
        clock: Clock = _now,
    ) -> None:
        """Ask hubs through *client*.

        Args:
            client: Asks for documents.
            hub: How Hugging Face is reached.
            civitai: How Civitai is reached.
            clock: The present moment.
        """
        self._hub = hub or HubSettings()
        self._civitai = civitai or CivitaiSettings()
        self._hugging_face_source = HuggingFaceSource(client, self._hub, clock=clock)
        self._civitai_source = CivitaiSource(client, self._civitai, clock=clock)

    def list(
        self,
        source: URLModelSource | HFModelSource | CivitaiModelSource,
        *,
        default: ModelRepoVariant = ModelRepoVariant.FP16,
    ) -> Listing:
        """List the files of *source*.

        A URL that is a page or a download of one of the hubs is listed as that, with digests and
        metadata; the listing's `source` stays the URL. Any other URL is one file of which nothing is
        known: its answer may bring size and name.

        Args:
            source: Where the model is to come from.
            default: The variant where a repository's source names none.

        Raises:
            HubError: A hub does not give it; the class says why.
        """
        meant = self._meant(source)
        if isinstance(meant, HFModelSource):
            listing = self._hugging_face_source.list(meant, default=default)
        elif isinstance(meant, CivitaiModelSource):
            listing = self._civitai_source.list(meant)
        else:
            return _list_url(meant)
        return listing if meant is source else listing.model_copy(update={"source": source})

    def _meant(
        self, source: URLModelSource | HFModelSource | CivitaiModelSource
    ) -> URLModelSource | HFModelSource | CivitaiModelSource:
        if not isinstance(source, URLModelSource):
            return source
        meant = parse_source(
            str(source), access_token=source.access_token, hub=self._hub, civitai=self._civitai
        )
        return meant if isinstance(meant, HFModelSource | CivitaiModelSource) else source


def _list_url(source: URLModelSource) -> Listing:
    url = str(source.url)
    parts = urlsplit(url)
    name = safe_file_name(unquote(parts.path.rstrip("/").rpartition("/")[2]) or "model")
    host = f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
    return Listing(
        source=source,
        name=name.rpartition(".")[0] or name,
        files=(ListedFile(name=name, url=url),),
        is_folder=False,
        origin=f"{parts.scheme}://{host}",
        access_token=source.access_token,
    )
