"""`python -m benchmarks`: run them, print the machine and one table as Markdown."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from benchmarks.adding import known_content, memory, new_content, small_files
from benchmarks.download_control import download_control
from benchmarks.downloading import (
    capped_download,
    download_memory,
    raw_download,
    small_downloads,
    verified_download,
)
from benchmarks.environment import describe
from benchmarks.identifying import identifying, probing
from benchmarks.installing import installing
from benchmarks.listing import large_library
from benchmarks.records import model_records
from benchmarks.returning import exporting, verifying
from benchmarks.row import Row, table
from benchmarks.scale import Scale
from benchmarks.sharing import sharing
from benchmarks.starting import starting

__all__ = ["BENCHMARKS", "main"]

BENCHMARKS: Mapping[str, Callable[[Scale, Path], list[Row]]] = MappingProxyType(
    {
        "new": new_content,
        "again": known_content,
        "memory": memory,
        "list": large_library,
        "records": model_records,
        "start": starting,
        "small": small_files,
        "verify": verifying,
        "export": exporting,
        "share": sharing,
        "identify": identifying,
        "probe": probing,
        "install": installing,
        "download": raw_download,
        "verified": verified_download,
        "capped": capped_download,
        "download-small": small_downloads,
        "download-memory": download_memory,
        "download-control": download_control,
    }
)
"""Names for the command line, in the order of the table."""


def main(arguments: list[str] | None = None) -> None:
    """Run what was asked for, in a temporary folder that is removed."""
    words = _parser().parse_args(arguments)
    scale = Scale(
        size=int(words.size * 1e9),
        backup=int(words.backup * 1e9),
        models=words.models,
        files=words.files,
        loras=words.loras,
        records=words.records,
        installs=words.installs,
        download=int(words.download * 1e9),
        rounds=words.rounds,
    )
    rows: list[Row] = []
    for name in words.benchmarks or BENCHMARKS:
        with tempfile.TemporaryDirectory(prefix="modelshelf-bench-", dir=words.folder) as folder:
            for row in BENCHMARKS[name](scale, Path(folder)):
                print(f"{row.task}: {row.ours} {row.other} {row.ratio}", file=sys.stderr)
                rows.append(row)
    print(describe(words.folder or Path(tempfile.gettempdir())), table(rows), sep="\n\n")


def _parser() -> argparse.ArgumentParser:
    usual = Scale()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("benchmarks", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}")
    parser.add_argument("--folder", type=Path, help="work here instead of in the temporary folder")
    parser.add_argument("--size", type=float, default=usual.size / 1e9, help="GB of new content")
    parser.add_argument("--backup", type=float, default=usual.backup / 1e9, help="GB per pipeline")
    parser.add_argument("--models", type=int, default=usual.models, help="models to list")
    parser.add_argument("--files", type=int, default=usual.files, help="small files in one model")
    parser.add_argument("--loras", type=int, default=usual.loras, help="LoRAs to probe")
    parser.add_argument("--records", type=int, default=usual.records, help="model records to ask")
    parser.add_argument("--installs", type=int, default=usual.installs, help="LoRAs to install")
    parser.add_argument(
        "--download", type=float, default=usual.download / 1e9, help="GB of the downloaded file"
    )
    parser.add_argument("--rounds", type=int, default=usual.rounds, help="runs of each program")
    return parser


if __name__ == "__main__":
    main()
