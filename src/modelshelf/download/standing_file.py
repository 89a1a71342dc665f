"""A file that stands at the final name before anything is fetched."""

from __future__ import annotations

import os
from pathlib import Path

from modelshelf.download.checked_existing import checked_existing, digests_agree, hash_existing
from modelshelf.download.failed_attempts import TransferStoppedError
from modelshelf.download.holdings import wanted_digests
from modelshelf.download.stop_signal import StopSignal
from modelshelf.errors import DestinationExistsError
from modelshelf.schema.transfer import Downloaded, TransferOrder, Verification

__all__ = ["published_file", "standing_file"]


def standing_file(final: Path, order: TransferOrder, stop: StopSignal) -> Downloaded | None:
    """Return the file at *final* if its digests say that it is what is ordered.

    Returns:
        None where nothing stands there, or something that may be replaced.

    Raises:
        DestinationExistsError: Something else stands there, and must not be replaced.
        TransferStoppedError: The stop signal was said meanwhile.
    """
    if not os.path.lexists(final):
        return None
    found = checked_existing(
        final, order.expected, digests=order.digests, go_on=lambda: stop.kind is None
    )
    if stop.kind is not None:
        raise TransferStoppedError
    if found is None and not order.overwrite:
        raise DestinationExistsError(path=str(final))
    return found


def published_file(final: Path, order: TransferOrder, stop: StopSignal) -> Downloaded | None:
    """Return the file that an earlier run of *order* put at *final* just before it died.

    Returns:
        None where it has changed since.

    Raises:
        TransferStoppedError: The stop signal was said meanwhile.
    """
    expected = order.expected
    found = hash_existing(
        final,
        wanted_digests(expected) | order.digests,
        size=expected.size,
        with_git=expected.git_sha1 is not None,
        go_on=lambda: stop.kind is None,
    )
    if stop.kind is not None:
        raise TransferStoppedError
    if found is None or not digests_agree(found, expected):
        return None
    return Downloaded(
        path=final,
        size=found.size,
        verification=Verification.DIGEST if expected.has_digest else Verification.SIZE,
        sha256=found.sha256,
        blake3=found.blake3,
        fetched=0,
        etag=None,
        content_type=None,
    )
