"""`shelf download`: fetch files, without making models of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelshelf.cli.batch import Batch
from modelshelf.cli.options import verb_options
from modelshelf.cli.output import note, print_document, print_lines
from modelshelf.cli.session import Session
from modelshelf.cli.text import human_size, printable
from modelshelf.cli.transfer_bars import Moved, TransferBars, transfer_bars
from modelshelf.errors import ModelshelfError, UsageError

if TYPE_CHECKING:
    from modelshelf.download import DownloadJobRemoteSource, DownloadQueueService
    from modelshelf.schema.download_job import DownloadJobBase
    from modelshelf.settings import Settings

__all__ = ["command"]


@click.command("download")
@click.argument("urls", nargs=-1, required=True, metavar="URL...")
@click.option(
    "--to",
    "target",
    default=".",
    type=click.Path(),
    metavar="PATH",
    help="A folder, made where it ends in `/` or there are several URLs, or for one URL the file to be; "
    "default the current folder.",
)
@click.option("--sha256", help="Digest that the file of the one URL must have.")
@click.option("--rate", metavar="SIZE", help="Bytes a second at most, such as `20M`.")
@click.option(
    "--token", help="Access token for the URLs' own hosts.", envvar="SHELF_DOWNLOAD_TOKEN"
)
@click.option("--force", is_flag=True, help="Replace files that are there already.")
@verb_options
@click.pass_obj
def command(
    session: Session,
    urls: tuple[str, ...],
    *,
    target: str,
    sha256: str | None,
    rate: str | None,
    token: str | None,
    force: bool,
) -> int:
    """Download files, whole and checked, without adding them.

    A file has its name only when it is whole. Interrupted, the same command goes on where it was.

    \b
    shelf download https://example.org/style.safetensors --to ~/loras
    shelf download https://example.org/vae.safetensors --sha256 5f4e… --rate 20M
    """
    if sha256 is not None and len(urls) > 1:
        raise UsageError(
            problem=f"`--sha256` is of one file, and there are {len(urls)}",
            remedy="download them one after the other",
        )
    is_folder = len(urls) > 1 or target.endswith("/") or Path(target).is_dir()
    settings = session.settings()
    batch = Batch(session)
    with _queue(settings, rate) as queue:
        jobs = [
            _job(settings, url, Path(target), sha256, token, is_folder=is_folder, force=force)
            for url in urls
        ]
        try:
            _run(session, queue, jobs)
        except KeyboardInterrupt:
            queue.stop()
            kept = sum(job.bytes for job in jobs if not job.complete)
            note(session, f"kept {human_size(kept)}; the same command goes on from there")
            raise
    for job in jobs:
        _tell(session, batch, job)
    if session.json:
        print_document({"downloaded": [_said(job) for job in jobs], "failed": batch.failed})
    return batch.status


def _queue(settings: Settings, rate: str | None) -> DownloadQueueService:
    from pydantic import ByteSize, TypeAdapter, ValidationError  # noqa: PLC0415 - slow

    from modelshelf.manager.download_queue import download_queue  # noqa: PLC0415

    try:
        limit = None if rate is None else TypeAdapter(ByteSize).validate_python(rate)
    except ValidationError:
        limit = ByteSize(0)
    if limit is not None and limit <= 0:
        raise UsageError(
            problem=f"`--rate {rate}` is no number of bytes", remedy="write it as `20M` or `500k`"
        )
    return download_queue(settings, rate=limit)


def _job(
    settings: Settings,
    url: str,
    target: Path,
    sha256: str | None,
    token: str | None,
    *,
    is_folder: bool,
    force: bool,
) -> DownloadJobRemoteSource:
    from modelshelf.download import DownloadJobRemoteSource, ExpectedContent  # noqa: PLC0415 - slow
    from modelshelf.schema.digest import Digest  # noqa: PLC0415

    digest = None if sha256 is None else Digest.parse(f"sha256:{sha256}")
    return DownloadJobRemoteSource(
        source=url,
        destination=target,
        destination_is_folder=is_folder,
        access_token=token,
        private_addresses=settings.download.private_addresses,
        expected=ExpectedContent(sha256=digest),
        digests=frozenset({"sha256"}),
        overwrite=force,
        # The same command may be given again.
        preserve_partial_downloads=True,
    )


def _run(
    session: Session, queue: DownloadQueueService, jobs: Sequence[DownloadJobRemoteSource]
) -> None:
    with transfer_bars(session) as bars:
        for number, job in enumerate(jobs):
            name = f"{number + 1} {_shown(job)}" if len(jobs) > 1 else _shown(job)
            job.add_event_handler(partial(_report, bars, name))
            queue.submit_download_job(job)
        queue.join()


def _report(bars: TransferBars, name: str, job: DownloadJobBase) -> None:
    from modelshelf.schema.download_job import MeasuredDownloadJob  # noqa: PLC0415 - slow

    if isinstance(job, MeasuredDownloadJob):
        bars.report([Moved(name, job.bytes, job.total_bytes, is_over=job.in_terminal_state)])


def _tell(session: Session, batch: Batch, job: DownloadJobRemoteSource) -> None:
    error = job.error
    if error is not None and not isinstance(error, ModelshelfError):
        raise error
    batch.take(_shown(job), error)
    if error is not None or job.downloaded is None:
        return
    if session.quiet:
        print_lines([str(job.downloaded.path)])
    elif not session.json:
        came = job.downloaded
        sha256 = f"  sha256:{came.sha256.hexadecimal}" if came.sha256 else ""
        click.echo(f"{printable(str(came.path))}  {human_size(came.size)}{sha256}")


def _said(job: DownloadJobRemoteSource) -> dict[str, object]:
    came = job.downloaded
    return {
        "url": _shown(job),
        "status": job.status,
        "path": None if came is None else came.path,
        "size": job.total_bytes,
        "fetched": 0 if came is None else came.fetched,
        "sha256": None if came is None or came.sha256 is None else came.sha256.hexadecimal,
        "verification": job.verification,
    }


def _shown(job: DownloadJobRemoteSource) -> str:
    return str(job.model_dump(mode="json", include={"source"})["source"])
