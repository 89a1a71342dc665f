"""Choosing the class of a job by what it is to fetch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import AnyHttpUrl, ValidationError

from modelshelf.download.origin import public_url
from modelshelf.errors import InvalidDownloadError
from modelshelf.schema.download_job import (
    DownloadJobBase,
    DownloadJobPath,
    DownloadJobRemoteSource,
    DownloadJobURL,
    MultiFileDownloadJob,
)
from modelshelf.schema.file_address import path_in

__all__ = ["listed_size", "make_job"]


def make_job(
    source: str | Path | AnyHttpUrl,
    folder: Path,
    *,
    filename: Path | None = None,
    access_token: str | None = None,
    **fields: Any,  # noqa: ANN401 - as many types as fields
) -> DownloadJobBase:
    """Make a job of the class that fits *source*.

    Args:
        source: An `http` or `https` address; or a path of this machine, or one written as a `file` address.
        folder: Where the file goes.
        filename: Its name there; None takes the name that it has.
        access_token: For a remote source.
        fields: More fields of the job.

    Raises:
        InvalidDownloadError: It is an address of another kind, or *filename* leaves *folder*.

    Example:
        >>> type(make_job("https://example.org/a.bin", Path("models"))).__name__
        'DownloadJobURL'
        >>> make_job("file:///mnt/a%20b.bin", Path("models")).source
        PosixPath('/mnt/a b.bin')
    """
    text = str(source)
    scheme = "" if isinstance(source, Path) else text.partition("://")[0].lower()
    common: dict[str, Any] = {"destination": folder, "destination_is_folder": True, **fields}
    if filename is not None:
        if filename.is_absolute() or ".." in filename.parts or not filename.parts:
            raise InvalidDownloadError(
                url=public_url(text) if "://" in text else text,
                reason=f"`{filename}` is no name inside the folder",
            )
        common |= {"destination": folder / filename, "destination_is_folder": False}
    if scheme in {"http", "https"}:
        try:
            return DownloadJobURL(source=text, access_token=access_token, **common)
        except ValidationError as error:
            problem = error.errors()[0]
            # Not its own words: they repeat the address.
            reason = "it is no address" if problem["loc"] == ("source",) else problem["msg"]
            raise InvalidDownloadError(url=public_url(text), reason=reason) from None
    if scheme == "file":
        try:
            found = path_in(text)
        except ValueError as error:
            raise InvalidDownloadError(url=public_url(text), reason=str(error)) from None
        return DownloadJobPath(source=found, **common)
    if "://" in text and not isinstance(source, Path):
        raise InvalidDownloadError(
            url=public_url(text), reason=f"`{scheme}` is neither http nor https"
        )
    return DownloadJobPath(source=Path(text), **common)


def listed_size(job: DownloadJobBase) -> int:
    """Return how many bytes *job* is going to fetch, 0 where its listing does not say it of every file."""
    match job:
        case DownloadJobRemoteSource():
            return job.expected.size or 0
        case MultiFileDownloadJob():
            sizes = [part.expected.size for part in job.download_parts]
            return 0 if None in sizes else sum(size or 0 for size in sizes)
        case _:
            return 0
