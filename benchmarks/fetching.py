"""`python -m benchmarks.fetching FOLDER URL...`: fetch with the download queue, as a program would."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from modelshelf.download import DownloadJobRemoteSource, DownloadQueueService, ExpectedContent
from modelshelf.schema.digest import Digest

__all__ = ["main"]


def main() -> None:
    """Fetch every URL into the folder; print how far memory grew meanwhile, in bytes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("urls", nargs="+")
    parser.add_argument("--sha256", help="of the only URL")
    words = parser.parse_args()
    before = _memory("VmRSS")
    queue = DownloadQueueService(quiet=True, connections_per_host=8 * len(words.urls))
    jobs = [
        DownloadJobRemoteSource(
            source=url,
            destination=words.folder / f"file-{number}",
            expected=ExpectedContent(
                sha256=None if words.sha256 is None else Digest.parse(f"sha256:{words.sha256}")
            ),
        )
        for number, url in enumerate(words.urls)
    ]
    for job in jobs:
        queue.submit_download_job(job)
    queue.join()
    failed = [job.error for job in jobs if job.error is not None]
    if failed:
        sys.exit(str(failed[0]))
    print(_memory("VmHWM") - before)


def _memory(name: str) -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE)
    return 0 if found is None else int(found[1]) * 1024


if __name__ == "__main__":
    main()
