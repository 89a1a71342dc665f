"""`python -m benchmarks.fetching_repository ENDPOINT REPOSITORY FOLDER`: fetch every file of a repository."""

from __future__ import annotations

import sys
from pathlib import Path

from modelshelf.download import (
    DownloadJobRemoteSource,
    DownloadQueueService,
    ExpectedContent,
    MultiFileDownloadJob,
)
from modelshelf.sources.requests_client import RequestsHubClient

__all__ = ["main"]


def main() -> None:
    """Ask for the commit and its files, as a snapshot does, then fetch and check them."""
    endpoint, repository, folder = sys.argv[1:]
    with RequestsHubClient() as client, DownloadQueueService(quiet=True) as queue:
        api = f"{endpoint}/api/models/{repository}"
        commit = client.get_json(f"{api}/revision/main").as_object(endpoint)["sha"]
        entries = client.get_json(f"{api}/tree/{commit}?recursive=true").as_array(endpoint)
        parts = [
            DownloadJobRemoteSource(
                source=f"{endpoint}/{repository}/resolve/{commit}/{entry['path']}",
                destination=Path(entry["path"]),
                expected=ExpectedContent(size=entry["size"], git_sha1=entry["oid"]),
            )
            for entry in entries
            if isinstance(entry, dict) and entry["type"] == "file"
        ]
        job = MultiFileDownloadJob(
            source=repository, destination=Path(folder), download_parts=parts
        )
        queue.submit_download_job(job)
        queue.wait_for_job(job)
    if job.error is not None:
        sys.exit(str(job.error))


if __name__ == "__main__":
    main()
