"""How much a run of the benchmarks does."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["TINY", "Scale"]


@dataclass(frozen=True, slots=True)
class Scale:
    """Amounts; the defaults are those that the goals speak of."""

    size: int = 5_200_000_000
    """Bytes of new content, one file of it 2 GB."""
    backup: int = 450_000_000
    """Bytes of each of three pipelines, for slower programs and for sharing."""
    models: int = 20_000
    """Models in the library that is listed."""
    files: int = 10_000
    """Files of 4 KiB in the model of many files."""
    loras: int = 5_000
    """LoRAs in the library that is probed."""
    records: int = 50_000
    """Model records in the store that is asked."""
    installs: int = 1_000
    """LoRAs of 0.3 MB that are installed one after the other."""
    small_files: int = 500
    """Files of 20 kB in the repository that is downloaded."""
    download: int = 2_147_483_648
    """Bytes of the file that is downloaded."""
    rounds: int = 5
    """Runs of each program."""


TINY = Scale(
    size=14_000_000,
    backup=1_000_000,
    models=50,
    files=20,
    loras=20,
    records=50,
    installs=20,
    small_files=10,
    download=4_000_000,
    rounds=1,
)
"""Enough to see that every benchmark runs; its figures mean nothing."""
