"""Certificates that were made a moment ago, by the `openssl` program: there is none in the repository."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

__all__ = ["Certificate", "make_certificate"]


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that vouches for itself, and its key."""

    certificate: Path
    """PEM; give it to a client that shall believe it."""
    key: Path

    @property
    def server(self) -> ssl.SSLContext:
        """What a server needs to speak TLS with it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


def make_certificate(
    folder: Path, names: str = "DNS:localhost,IP:127.0.0.1", *, days: int = 2
) -> Certificate:
    """Make one in *folder* for *names*; skips the test where there is no `openssl`.

    Args:
        folder: Where its two files go.
        names: For whom, as `subjectAltName` writes it.
        days: How long it holds; a negative number is over already.
    """
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the openssl program, to make a certificate")
    made = Certificate(folder / "certificate.pem", folder / "key.pem")
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-subj", "/CN=modelshelf test", "-addext", f"subjectAltName={names}"]
    command += ["-days", str(days), "-keyout", str(made.key), "-out", str(made.certificate)]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    return made
