"""Fetching files over HTTP so that they arrive whole, checked and at most once."""

from modelshelf.download.file_download import FileDownload
from modelshelf.download.file_fetcher import FileFetcher
from modelshelf.download.patience import Patience
from modelshelf.download.queue import DownloadQueueService
from modelshelf.download.queue_base import DownloadQueueServiceBase
from modelshelf.download.stop_signal import StopSignal
from modelshelf.errors import UnknownJobIDException
from modelshelf.schema.download_job import (
    DownloadEventHandler,
    DownloadJobBase,
    DownloadJobPath,
    DownloadJobRemoteSource,
    DownloadJobStatus,
    DownloadJobURL,
    MultiFileDownloadJob,
)
from modelshelf.schema.transfer import ExpectedContent, PrivateAddresses, Verification

__all__ = [
    "DownloadEventHandler",
    "DownloadJobBase",
    "DownloadJobPath",
    "DownloadJobRemoteSource",
    "DownloadJobStatus",
    "DownloadJobURL",
    "DownloadQueueService",
    "DownloadQueueServiceBase",
    "ExpectedContent",
    "FileDownload",
    "FileFetcher",
    "MultiFileDownloadJob",
    "Patience",
    "PrivateAddresses",
    "StopSignal",
    "UnknownJobIDException",
    "Verification",
]
