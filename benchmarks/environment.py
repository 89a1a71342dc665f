"""The machine and the programs of a run, without the machine's name."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sqlite3
import ssl
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

__all__ = ["describe"]

_PROGRAMS = (
    ("cp", "--version"),
    ("b3sum", "--version"),
    ("restic", "version"),
    ("borg", "--version"),
    ("curl", "--version"),
    ("wget", "--version"),
    ("aria2c", "--version"),
)


def describe(folder: Path) -> str:
    """Say in Markdown on what the benchmarks ran.

    Args:
        folder: Where they wrote.
    """
    facts = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "processor": f"{_processor()}, {os.cpu_count()} cores, SHA extensions: {_has_sha()}",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / (1 << 30):.0f} GiB",
        "kernel": re.split(r"[-+]", platform.release())[0],
        "file system": _file_system(folder),
        "Python": f"{platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"{ssl.OPENSSL_VERSION}, blake3 {version('blake3')}",
        "others": ", ".join(_program(*words) for words in _PROGRAMS),
        "load": f"{os.getloadavg()[0]:.1f} runnable threads in the minute before the table",
    }
    return "\n".join(f"* {name}: {fact}" for name, fact in facts.items())


def _processor() -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", _cpu_info(), re.MULTILINE)
    return platform.machine() if found is None else f"{found[1]}, {platform.machine()}"


def _has_sha() -> str:
    return "yes" if re.search(r"\b(sha_ni|sha2)\b", _cpu_info()) else "no"


def _cpu_info() -> str:
    path = Path("/proc/cpuinfo")
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _file_system(folder: Path) -> str:
    done = subprocess.run(
        ["df", "--output=fstype", folder],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return done.stdout.split()[-1]


def _program(name: str, flag: str) -> str:
    if shutil.which(name) is None:
        return f"no {name}"
    done = subprocess.run([name, flag], stdout=subprocess.PIPE, check=True, text=True)
    found = re.search(r"\d+\.[\d.]+", done.stdout)
    return f"{name} {found[0] if found else 'of unknown version'}"
