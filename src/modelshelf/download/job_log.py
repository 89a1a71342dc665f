"""What the log says of jobs: that they began and how they ended, without secrets."""

from __future__ import annotations

import logging
from pathlib import PurePath
from typing import Any

from modelshelf.download.origin import public_url
from modelshelf.errors import ModelshelfError
from modelshelf.schema.download_job import DownloadJobBase, DownloadJobStatus, MeasuredDownloadJob

__all__ = ["JobLog", "QueueLogger", "queue_logger", "shown_source"]

QueueLogger = logging.Logger | logging.LoggerAdapter[logging.Logger]
"""Where a queue tells what happens to it."""


class _Hushed(logging.LoggerAdapter[logging.Logger]):
    """Says all at the level DEBUG, warnings too."""

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:  # noqa: ANN401 - the base class's
        super().log(min(level, logging.DEBUG), msg, *args, **kwargs)


def queue_logger(*, quiet: bool) -> QueueLogger:
    """Return where a queue tells what happens to it; a *quiet* one says nothing at INFO or above.

    Example:
        >>> queue_logger(quiet=False).name
        'modelshelf.download'
        >>> queue_logger(quiet=True).warning("nobody hears that")
    """
    logger = logging.getLogger("modelshelf.download")
    return _Hushed(logger) if quiet else logger


class JobLog:
    """Tells starts and ends at the level INFO."""

    def __init__(self, logger: QueueLogger) -> None:
        """Write to *logger*."""
        self._logger = logger

    def started(self, job: DownloadJobBase) -> None:
        """Tell that it runs."""
        self._logger.info("download %d began: %s", job.id, shown_source(job))

    def ended(self, job: DownloadJobBase) -> None:
        """Tell that it has ended or was put aside."""
        if job.status is DownloadJobStatus.ERROR:
            # Only our own errors are known to hold no secret.
            reason = (
                job.error if isinstance(job.error, ModelshelfError) else type(job.error).__name__
            )
            self._logger.info("download %d failed: %s: %s", job.id, shown_source(job), reason)
        else:
            size = f", {job.bytes} bytes" if isinstance(job, MeasuredDownloadJob) else ""
            self._logger.info("download %d %s: %s%s", job.id, job.status, shown_source(job), size)


def shown_source(job: DownloadJobBase) -> str:
    """Return a job's source as people may see it: an address without what may be secret.

    Example:
        >>> from modelshelf.schema.download_job import DownloadJobRemoteSource
        >>> shown_source(
        ...     DownloadJobRemoteSource(source="https://me:pw@a.example/b?token=c", destination="d")
        ... )
        'https://a.example/b'
    """
    source = job.source
    if isinstance(source, PurePath) or "://" not in str(source):
        return str(source)
    return public_url(str(source))
