from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from modelshelf.testing.transport_contract import TransportContract

if TYPE_CHECKING:
    from modelshelf.protocols import Transport

pytest.importorskip("pycurl", reason="needs the extra `curl`")


class TestCurl(TransportContract):
    """Over libcurl, all promises are kept."""

    def make_transport(self) -> Transport:
        from modelshelf.download.curl_transport import CurlTransport  # noqa: PLC0415 - an extra

        return CurlTransport()
