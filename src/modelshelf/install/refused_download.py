"""What a refused file means where the host is a hub: the same error as if the listing had said it.

Hubs list what they do not give: that a file needs a login, money or accepted terms is said when it is fetched.
"""

from __future__ import annotations

import re

from modelshelf.errors import (
    AccessDeniedError,
    DownloadForbiddenError,
    EarlyAccessError,
    GatedRepositoryError,
    HubError,
    LoginRequiredError,
    ModelArchivedError,
    NotYetPublicError,
    RemoteFileGoneError,
    RepositoryNotFoundError,
    TermsNotAcceptedError,
    TokenRefusedError,
)
from modelshelf.install.told import source_in_words
from modelshelf.schema.listing import Listing
from modelshelf.schema.model_source import CivitaiModelSource, HFModelSource

__all__ = ["refused_by_hub"]

_UNTIL = re.compile(r"\(until ([^)]+)\)")
_UNAUTHORIZED, _GONE = 401, 410


def refused_by_hub(error: Exception, listing: Listing, *, has_token: bool) -> HubError | None:
    """Say what the hub means that listed the files of a failed download; None where it says no more.

    Args:
        error: How the download failed.
        listing: What was being downloaded.
        has_token: Whether a token was presented.

    Example:
        >>> listing = Listing(source=CivitaiModelSource(version_id=7), name="ink", files=(), is_folder=False,
        ...     origin="https://civitai.com")
        >>> denied = AccessDeniedError(url="https://civitai.com/7", status=401, reason="log in first")
        >>> print(refused_by_hub(denied, listing, has_token=False))
        `https://civitai.com/api/download/models/7` needs a login: log in first
    """
    if isinstance(listing.source, CivitaiModelSource):
        return _by_civitai(error, listing, has_token=has_token)
    if isinstance(listing.source, HFModelSource):
        return _by_hugging_face(error, listing, listing.source.repo_id, has_token=has_token)
    return None


def _by_civitai(error: Exception, listing: Listing, *, has_token: bool) -> HubError | None:
    words, hub = source_in_words(listing.source), listing.origin
    if isinstance(error, NotYetPublicError):
        deadline = found[1] if (found := _UNTIL.search(error.reason)) else ""
        until = f"until {deadline[:16].replace('T', ' ')} UTC" if deadline else "for now"
        return EarlyAccessError(source=words, until=until, deadline=deadline)
    if isinstance(error, RemoteFileGoneError) and error.status == _GONE:
        return ModelArchivedError(source=words)
    # A page to log in may come in the place of the file, with a status that says all is well.
    if isinstance(error, AccessDeniedError) and error.status in {200, _UNAUTHORIZED}:
        if has_token:
            return TokenRefusedError(hub=hub)
        return LoginRequiredError(source=words, hub=hub, reason=error.reason)
    if isinstance(error, AccessDeniedError):
        return DownloadForbiddenError(source=words, hub=hub, reason=error.reason)
    return None


def _by_hugging_face(
    error: Exception, listing: Listing, repo_id: str, *, has_token: bool
) -> HubError | None:
    hub = listing.origin
    if isinstance(error, TermsNotAcceptedError):
        account = "this token's account was not granted access"
        reason = account if has_token else "no token was given"
        return GatedRepositoryError(repo_id=repo_id, hub=hub, reason=reason)
    if isinstance(error, AccessDeniedError) and error.status == _UNAUTHORIZED:
        # It became private, or the job went on without the token that it began with.
        return RepositoryNotFoundError(repo_id=repo_id, hub=hub)
    if isinstance(error, AccessDeniedError):
        return DownloadForbiddenError(source=repo_id, hub=hub, reason=error.reason)
    return None
