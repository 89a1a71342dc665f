"""A real nginx on loopback, with two ports and thereby two origins: what most hosts of models run."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

__all__ = ["Nginx", "Served", "run_nginx"]

_CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 256; }}
http {{
    client_body_temp_path {folder}/temporary;
    proxy_temp_path {folder}/temporary;
    fastcgi_temp_path {folder}/temporary;
    uwsgi_temp_path {folder}/temporary;
    scgi_temp_path {folder}/temporary;
    default_type application/octet-stream;
    sendfile on;
    tcp_nodelay on;
    keepalive_timeout 30s;
    log_format witness escape=json '{{"port":$server_port,"method":"$request_method","path":"$uri",'
        '"range":"$http_range","if_range":"$http_if_range","authorization":"$has_authorization",'
        '"status":$status,"sent":$body_bytes_sent}}';
    map $http_authorization $has_authorization {{ default "yes"; "" ""; }}
    access_log {folder}/access.log witness;
    limit_req_zone $server_port zone=manners:64k rate={requests};
    limit_req_status 429;
    limit_conn_zone $server_port zone=crowd:64k;
    limit_conn_status 503;

    server {{
        listen 127.0.0.1:{front};
        root {files};
        location /limited/ {{ alias {files}/; limit_rate {rate}; }}
        location /polite/ {{ alias {files}/; limit_req zone=manners; }}
        location /crowded/ {{ alias {files}/; limit_conn crowd 2; limit_rate {rate}; }}
        location /whole/ {{ alias {files}/; max_ranges 0; }}
        location /weak/ {{ alias {files}/; gzip on; gzip_types *; gzip_min_length 1; }}
    }}
    server {{
        listen 127.0.0.1:{back};
        root {files};
        location /signed/ {{
            alias {files}/;
            secure_link $arg_md5,$arg_expires;
            secure_link_md5 "$secure_link_expires$uri {secret}";
            if ($secure_link = "") {{ return 403; }}
            if ($secure_link = "0") {{ return 410; }}
        }}
        location /limited/ {{ alias {files}/; limit_rate {rate}; }}
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Served:
    """One line of the access log: whether credentials came, never which."""

    port: int
    method: str
    path: str
    range: str
    """The `Range` header; empty without one."""
    if_range: str
    """The `If-Range` header; empty without one."""
    has_authorization: bool
    status: int
    sent: int
    """Bytes of the body that left."""


@dataclass(frozen=True, slots=True)
class Nginx:
    """A running server. Files that are put into `files` are served."""

    files: Path
    """The folder that both origins serve."""
    front: int
    """Port of the first origin. Besides the plain paths it has `/limited/` (so many bytes a second and
    connection), `/polite/` (429 to those who ask too often), `/crowded/` (503 for the third connection),
    `/whole/` (no ranges) and `/weak/` (gzip for those who accept it, and a weak ETag then)."""
    back: int
    """Port of the second origin, which has `/signed/` and `/limited/`."""
    folder: Path
    """Its own files, the log among them."""
    secret: str

    def url(self, path: str) -> str:
        """Return the address of *path* at the front."""
        return f"http://127.0.0.1:{self.front}{path}"

    def signed(self, name: str, lifetime: float) -> str:
        """Return a link to *name* at the back that holds for *lifetime* seconds, whole ones."""
        expires = int(time.time() + lifetime)
        said = f"{expires}/signed/{name} {self.secret}".encode()
        digest = base64.urlsafe_b64encode(hashlib.md5(said, usedforsecurity=False).digest())
        query = f"md5={digest.decode().rstrip('=')}&expires={expires}"
        return f"http://127.0.0.1:{self.back}/signed/{name}?{query}"

    def log(self) -> list[Served]:
        """Return what has been answered, in the order in which the answers ended."""
        text = (self.folder / "access.log").read_text()
        lines = [json.loads(line) for line in text.splitlines()]
        return [
            Served(
                line["port"],
                line["method"],
                line["path"],
                line["range"],
                line["if_range"],
                bool(line["authorization"]),
                line["status"],
                line["sent"],
            )
            for line in lines
        ]


@contextmanager
def run_nginx(folder: Path, *, rate: str = "0", requests: str = "5r/s") -> Iterator[Nginx]:
    """Run nginx until the context ends; skips the test where there is none.

    Args:
        folder: An existing folder for its files.
        rate: Bytes a second and connection at `/limited/` and `/crowded/`, such as `2m`; 0 is no limit.
        requests: How often `/polite/` may be asked.
    """
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip("needs nginx: apt-get install nginx-light")
    files = folder / "files"
    files.mkdir()
    secret = os.urandom(8).hex()
    front, back = _free_port(), _free_port()
    (folder / "nginx.conf").write_text(
        _CONFIGURATION.format(
            folder=folder,
            files=files,
            front=front,
            back=back,
            rate=rate,
            requests=requests,
            secret=secret,
        )
    )
    (folder / "access.log").touch()
    command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        try:
            _wait_for(process, front, back)
            yield Nginx(files, front, back, folder, secret)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(process: subprocess.Popen[bytes], *ports: int) -> None:
    until = time.monotonic() + 20
    for port in ports:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > until:
                    said = process.stderr.read() if process.stderr else b""
                    pytest.fail(f"nginx did not start: {said.decode()}")
                time.sleep(0.02)  # a program of others says nothing when it is ready
