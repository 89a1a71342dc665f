"""A queue in a process of its own, to be killed: run as a module.

Usage: `python -m tests.fault.queue_process STATE FOLDER URL...`. It fetches all addresses at once into FOLDER,
keeps its jobs in STATE, prints `at N` for each event (the bytes of all jobs together), and at the end `done`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from modelshelf.download import DownloadJobBase, DownloadJobRemoteSource, DownloadQueueService


def main(state: str, folder: str, *urls: str) -> None:
    """Fetch, and tell how it goes."""
    jobs = [
        DownloadJobRemoteSource(source=url, destination=Path(folder) / f"{number}.bin")
        for number, url in enumerate(urls)
    ]

    def tell(_: DownloadJobBase) -> None:
        sys.stdout.write(f"at {sum(job.bytes for job in jobs)}\n")
        sys.stdout.flush()

    with DownloadQueueService([tell], state_folder=Path(state), quiet=True) as queue:
        for job in jobs:
            queue.submit_download_job(job)
        queue.join()
    sys.stdout.write("done\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
