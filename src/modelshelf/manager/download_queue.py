"""A download queue as the settings want it."""

from __future__ import annotations

from functools import partial

from modelshelf.download import DownloadQueueService
from modelshelf.manager.hub_access import civitai_access, hub_access
from modelshelf.schema.hub_settings import origin_of
from modelshelf.schema.transfer import PrivateAddresses
from modelshelf.settings import Settings

__all__ = ["download_queue", "known_token"]


def download_queue(
    settings: Settings, *, rate: int | None = None, quiet: bool = True
) -> DownloadQueueService:
    """Make a queue with the limits of the settings, which presents their tokens to their own hosts.

    Args:
        settings: Of the library.
        rate: Bytes a second for everything together; None for what the settings say.
        quiet: Whether starts and ends of jobs are kept out of the log.
    """
    wanted = settings.download
    # What the settings name, the hubs, may be anywhere. Who submits an address of a person's or a stranger's
    # says with it what the settings say of those.
    private = wanted.private_addresses
    if private is PrivateAddresses.REFUSE:
        private = PrivateAddresses.AS_NAMED
    return DownloadQueueService(
        max_parallel_dl=wanted.parallel,
        quiet=quiet,
        rate_limit=rate or wanted.rate,
        rate_limit_per_host=wanted.rate_per_host,
        connections_per_host=wanted.connections_per_host,
        connections_per_file=wanted.connections,
        private_addresses=private,
        token_for=partial(known_token, settings),
    )


def known_token(settings: Settings, url: str) -> str | None:
    """Return the token that the settings know for the very host of *url*; None for any other.

    Example:
        >>> settings = Settings(root="/srv/models-of-us", civitai={"token": "abc"})
        >>> known_token(settings, "https://civitai.com/api/download/models/1")
        'abc'
        >>> known_token(settings, "https://evil.example/?host=civitai.com") is None
        True
    """
    for hub in (hub_access(settings), civitai_access(settings)):
        if origin_of(url) == origin_of(hub.endpoint):
            return hub.token
    return None
