"""Asking whoever has a model what there is: each kind of source its own hub."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from modelshelf.errors import InvalidModelSourceError, OfflineError
from modelshelf.install.told import source_in_words
from modelshelf.protocols.hub_client import HubClient
from modelshelf.schema.hub_settings import CivitaiSettings, HubSettings
from modelshelf.schema.listing import ListedFile, Listing
from modelshelf.schema.model_source import (
    CivitaiModelSource,
    HFModelSource,
    ModelSource,
    URLModelSource,
)
from modelshelf.schema.taxonomy import ModelRepoVariant
from modelshelf.sources import (
    CivitaiSource,
    HuggingFaceCache,
    HuggingFaceSource,
    parse_source,
)

__all__ = ["SourceResolver"]


class SourceResolver:
    """Lists what a source has, with the tokens that the settings know."""

    def __init__(
        self,
        client: HubClient,
        hub: HubSettings,
        civitai: CivitaiSettings,
        *,
        default_variant: ModelRepoVariant = ModelRepoVariant.FP16,
    ) -> None:
        """Hold what is asked.

        Args:
            client: Over which to ask.
            hub: How Hugging Face is reached.
            civitai: How Civitai is reached.
            default_variant: Which form of the weights is wanted where a source names none.
        """
        self._hub = hub
        self._civitai = civitai
        self._default = default_variant
        self._hugging_face = HuggingFaceSource(client, hub)
        self._site = CivitaiSource(client, civitai)

    def list_files(self, source: ModelSource) -> Listing | None:
        """Say what *source* has, pinned; None for an address that is no hub's, which has one file.

        An address of a hub is asked for by what it means there, which tells digests and metadata too.

        Raises:
            HubError: The hub does not give it; its subclasses say why and what to do.
            InvalidModelSourceError: It is a path of this machine.
        """
        if isinstance(source, URLModelSource):
            meant = parse_source(
                str(source.url),
                access_token=source.access_token,
                hub=self._hub,
                civitai=self._civitai,
            )
            if isinstance(meant, URLModelSource):
                self.permit(source)
                return None
            return self.list_files(meant)
        if isinstance(source, HFModelSource):
            return self._hugging_face.list(source, default=self._default)
        if isinstance(source, CivitaiModelSource):
            return self._site.list(source)
        raise InvalidModelSourceError(text=str(source), problem="it is on this machine")

    def permit(self, source: ModelSource) -> None:
        """Return when the network may be used for *source*.

        Raises:
            OfflineError: It may not.
        """
        if self._hub.offline:
            raise OfflineError(source=source_in_words(source))

    def token_for(self, source: ModelSource) -> str | None:
        """Return the token that opens the files of *source*: its own, or the one that the settings know."""
        if isinstance(source, HFModelSource):
            return self._hub.token_for(source.access_token)
        if isinstance(source, CivitaiModelSource):
            return self._civitai.token_for(source.access_token)
        return getattr(source, "access_token", None)

    def find_cached(self, listing: Listing, file: ListedFile) -> Path | None:
        """Name the file of the user's Hugging Face cache that may be a listed one; None where none is."""
        source = listing.source
        if not isinstance(source, HFModelSource) or self._hub.cache is None or not listing.revision:
            return None
        # The address is the hub's own: commit, then the path in the repository.
        path = urlsplit(file.url).path.partition(f"/resolve/{listing.revision}/")[2]
        cache = HuggingFaceCache(self._hub.cache)
        found = cache.find(source.repo_id, listing.revision, unquote(path))
        return None if found is None else found.path
