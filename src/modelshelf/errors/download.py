"""What can go wrong between a remote host and a file of the user's."""

from __future__ import annotations

from modelshelf.errors.base import ModelshelfError

__all__ = [
    "AccessDeniedError",
    "ConnectionLostError",
    "DigestMismatchError",
    "DownloadBusyError",
    "DownloadError",
    "ForbiddenAddressError",
    "ForbiddenRedirectError",
    "ForeignQueueError",
    "InvalidAnswerError",
    "InvalidDownloadError",
    "NotYetPublicError",
    "ProxyError",
    "RemoteFileChangedError",
    "RemoteFileGoneError",
    "RemoteServerError",
    "RequestRefusedError",
    "SizeMismatchError",
    "StalledError",
    "TermsNotAcceptedError",
    "TlsError",
    "TooManyRequestsError",
    "UnexpectedContentError",
    "UnknownJobIDException",
    "UnsafeFileNameError",
]


class DownloadError(ModelshelfError):
    """A file did not arrive. Nothing stands at its final name.

    Addresses in errors are without user information, query and fragment: secrets travel there.
    """

    code = "download-failed"
    exit_status, http_status = 7, 502
    message = "the download failed"

    url: str
    """What was asked for, secrets removed."""


class ConnectionLostError(DownloadError):
    """The host could not be reached, or the connection broke too often. Try again later; what came is kept."""

    code = "connection-lost"
    exit_status, http_status = 10, 503
    message = "lost the connection to `{url}`: {reason}"
    hint = "check the network, then run the command again: it goes on where it stopped"

    reason: str
    """What the network said."""


class StalledError(ConnectionLostError):
    """The host accepted and then sent nothing, too often. Try again later; what came is kept."""

    code = "download-stalled"
    exit_status, http_status = 10, 504
    message = "`{url}` sent nothing for {reason}"


class TlsError(DownloadError):
    """The host could not prove who it is, or speaks no TLS that is safe. Nothing was sent to it."""

    code = "tls-failed"
    message = "no safe connection to `{url}`: {reason}"
    hint = (
        "check the address and this machine's date; behind a company's proxy set REQUESTS_CA_BUNDLE"
    )

    reason: str
    """What the handshake said."""


class ProxyError(DownloadError):
    """The proxy refused, or is not there. Correct its address or its password."""

    code = "proxy-failed"
    exit_status, http_status = 10, 503
    message = "the proxy did not pass the request for `{url}` on: {reason}"
    hint = "check HTTP_PROXY, HTTPS_PROXY and NO_PROXY"

    reason: str
    """What it said, secrets removed."""


class InvalidAnswerError(DownloadError):
    """The host answered in a way that HTTP does not allow, or that no honest host uses."""

    code = "answer-invalid"
    message = "`{url}` answered with {reason}"
    hint = "check the address; if it is right, the host is broken: try again later or take another"

    reason: str
    """What came, and what was expected."""


class ForbiddenAddressError(DownloadError):
    """The name leads to a private, local or otherwise special address. Nothing was sent there."""

    code = "address-forbidden"
    exit_status, http_status = 9, 403
    message = "`{url}` leads to `{address}`, which is not a public address"
    hint = "to allow a host that you name yourself: `shelf config set download.private_addresses as-named`"

    address: str
    """The numeric address."""


class ForbiddenRedirectError(DownloadError):
    """The host sends the request on to where it must not go, or in circles."""

    code = "redirect-forbidden"
    message = "`{url}` redirects to `{target}`: {reason}"
    hint = "check the address; open it in a browser to see where it leads"

    target: str
    """Where it leads, secrets removed."""
    reason: str
    """Why that is not followed."""


class AccessDeniedError(DownloadError):
    """The host wants to know who asks, or says no: log in, accept its terms, or give another token."""

    code = "access-denied"
    exit_status, http_status = 9, 403
    message = "`{url}` refuses access ({status}): {reason}"
    hint = "log in there in a browser, accept what it asks, and give your access token"

    status: int
    """HTTP status, such as 401 or 403; 200 where a page to log in came in place of the file."""
    reason: str
    """The host's own words, shortened, or what they mean."""


class TermsNotAcceptedError(AccessDeniedError):
    """Its authors want to be asked first. Accept their terms on its page, then come back with a token."""

    code = "terms-not-accepted"
    hint = "open its page in a browser, accept the terms there, and give the access token of that account"


class NotYetPublicError(AccessDeniedError):
    """So far only those who paid for it get it. Wait until it is for everybody, or buy access."""

    code = "not-yet-public"
    hint = "wait until its early access ends, or buy it on its page and give your access token"


class RemoteFileGoneError(DownloadError):
    """The host has no such file, or has it no more."""

    code = "remote-file-gone"
    exit_status, http_status = 4, 404
    message = "`{url}` does not exist there ({status}): {reason}"
    hint = "check the address; the author may have renamed, archived or removed the file"

    status: int
    """HTTP status, mostly 404 or 410."""
    reason: str
    """The host's own words, shortened."""


class RequestRefusedError(DownloadError):
    """The host says that it was asked for something that cannot be. Correct the address."""

    code = "request-refused"
    exit_status, http_status = 2, 422
    message = "`{url}` refuses the request ({status}): {reason}"
    hint = "check the address and what follows its question mark"

    status: int
    """HTTP status, such as 400."""
    reason: str
    """The host's own words, shortened."""


class TooManyRequestsError(DownloadError):
    """The host asks for a longer rest than the download may wait."""

    code = "too-many-requests"
    exit_status, http_status = 10, 503
    message = "`{url}` asks to wait {seconds:# second}"
    hint = "run the command again after that; an access token often allows more requests"

    seconds: int
    """How long, as it said."""


class RemoteServerError(DownloadError):
    """The host failed again and again. Try again later; what came is kept."""

    code = "remote-server-failed"
    exit_status, http_status = 10, 503
    message = "`{url}` fails with status {status}"
    hint = "try again later: it goes on where it stopped"

    status: int
    """HTTP status of the last answer."""


class SizeMismatchError(DownloadError):
    """The host sends fewer or more bytes than were announced."""

    code = "size-mismatch"
    message = "`{url}` sends {got} bytes, but {expected} were announced"
    hint = "try again later; if it happens again, the host or its listing is wrong"

    expected: int
    """Bytes announced."""
    got: str
    """Bytes that came, maybe as `more`."""


class DigestMismatchError(DownloadError):
    """What arrived twice is not what was announced. The partial file is gone."""

    code = "digest-mismatch"
    message = "{algorithm} of `{url}` is `{got:.12}…`, but `{expected:.12}…` was announced"
    kept = "The partial file was removed."
    hint = "check the digest; if it is right, the host's file is damaged or was replaced"

    algorithm: str
    """`SHA-256`, `BLAKE3` or `git SHA-1`."""
    expected: str
    """Hexadecimal digest that was announced."""
    got: str
    """Hexadecimal digest of what arrived."""


class RemoteFileChangedError(DownloadError):
    """The file changes there faster than it can be fetched. Try again when it rests."""

    code = "remote-file-changed"
    exit_status, http_status = 6, 409
    message = "`{url}` changed while it was fetched, again and again"
    hint = "wait until its author is done, then run the command again"


class UnexpectedContentError(DownloadError):
    """What came is something else than a model: a web page, or a pointer in place of the file."""

    code = "content-unexpected"
    message = "`{url}` sends {got}, not the file"
    hint = "give the address of the file itself, not of a page about it"

    got: str
    """What came, in words."""


class UnsafeFileNameError(DownloadError):
    """The host suggests a file name that could leave the folder or that some system cannot hold."""

    code = "file-name-unsafe"
    message = "`{url}` suggests the unusable file name {name}"
    hint = "name the file yourself: give a path that ends in a file name"

    name: str
    """The name, as Python writes a text with odd characters."""


class DownloadBusyError(DownloadError):
    """Another download, maybe of another process, is fetching the same file right now."""

    code = "download-busy"
    exit_status, http_status = 6, 409
    message = "`{path}` is being downloaded by another process"
    hint = "wait for it, or choose another destination"

    path: str
    """The final name."""


class InvalidDownloadError(DownloadError):
    """The order cannot be carried out as it stands: no such scheme, no folder, a name that cannot be."""

    code = "download-invalid"
    exit_status, http_status = 2, 422
    message = "cannot download `{url}`: {reason}"
    hint = "give an http or https address and a folder that exists"

    reason: str
    """What is wrong with it."""


class ForeignQueueError(DownloadError):
    """The queue came into this process by a fork; its threads stayed behind. Make a queue of your own."""

    code = "queue-foreign"
    exit_status, http_status = 1, 500
    message = "this download queue belongs to process {process}, from which this one was forked"
    hint = "make a queue in the process that is going to use it"

    process: int
    """Number of the process whose queue it is."""


class UnknownJobIDException(DownloadError):  # the specification's name
    """The job was never submitted to this queue, or was pruned from it."""

    code = "job-unknown"
    exit_status, http_status = 4, 404
    message = "there is no job `{job}`"
    hint = (
        "`shelf job ls` shows the installations that there are, `list_jobs()` all jobs of a program"
    )

    job: str
    """What was asked for."""
