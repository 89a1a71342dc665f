"""Why a hub does not give a model: what it said, and what to do about it."""

from __future__ import annotations

from modelshelf.errors.base import ModelshelfError

__all__ = [
    "CivitaiNotFoundError",
    "DownloadForbiddenError",
    "EarlyAccessError",
    "GatedRepositoryError",
    "HubAnswerError",
    "HubError",
    "HubUnreachableError",
    "InvalidMetadataError",
    "InvalidModelSourceError",
    "LoginRequiredError",
    "ModelArchivedError",
    "NoModelFilesError",
    "OfflineError",
    "RateLimitedError",
    "RepositoryDisabledError",
    "RepositoryFileNotFoundError",
    "RepositoryNotFoundError",
    "RevisionNotFoundError",
    "SeveralModelsError",
    "TokenRefusedError",
    "UnsafeListingError",
]


class HubError(ModelshelfError):
    """A hub does not give the model; nothing was downloaded.

    Sources in errors are written without their tokens.
    """

    code = "hub-failed"
    kept = "Nothing was downloaded, and the library is as it was."
    message = "the hub does not give the model"


class InvalidModelSourceError(HubError):
    """The text says no place that a model could come from. Correct it."""

    code = "model-source-invalid"
    exit_status, http_status = 2, 422
    message = "`{text}` names no model source: {problem}"
    hint = (
        "give a path, a URL, a repository as `owner/name`, `owner/name:fp16` or `owner/name:fp16:vae`,"
        " or a page of Civitai"
    )

    text: str
    """What was given, secrets removed."""
    problem: str
    """What is wrong with it."""


class InvalidMetadataError(HubError):
    """The document is no metadata of a hub, or was damaged. Fetch it afresh."""

    code = "metadata-invalid"
    exit_status, http_status = 2, 422
    message = "the metadata is invalid: {problem}"
    hint = "fetch the model's metadata from its hub again"

    problem: str
    """Field, and what is wrong with it."""


class RepositoryNotFoundError(HubError):
    """There is no such repository, or it is private: the hub tells them apart to its members alone."""

    code = "repository-not-found"
    exit_status, http_status = 4, 404
    message = "`{repo_id}` does not exist on {hub}, or is private"
    hint = "check the spelling at {hub}/{repo_id}; for a private repository give a token that may read it"

    repo_id: str
    """As it was asked for."""
    hub: str
    """The hub's address."""


class GatedRepositoryError(HubError):
    """Its author wants to be asked first. Accept the conditions on its page, then give a token."""

    code = "repository-gated"
    exit_status, http_status = 9, 403
    message = "`{repo_id}` is gated: {reason}"
    hint = "log in at {hub}/{repo_id}, accept the conditions, then give a token of that account"

    repo_id: str
    """As it was asked for."""
    hub: str
    """The hub's address."""
    reason: str
    """Whether no token came or the token's account was not granted access."""


class RepositoryDisabledError(HubError):
    """The hub took it away. No token helps; look for the model elsewhere."""

    code = "repository-disabled"
    exit_status, http_status = 4, 404
    message = "`{repo_id}` was disabled by {hub}"
    hint = "{hub}/{repo_id} may say why; look for the model elsewhere"

    repo_id: str
    """As it was asked for."""
    hub: str
    """The hub's address."""


class RevisionNotFoundError(HubError):
    """The repository is there, the branch, tag or commit is not."""

    code = "revision-not-found"
    exit_status, http_status = 4, 404
    message = "`{repo_id}` has no revision `{revision}`"
    hint = (
        "{hub}/{repo_id}/tree/main lists its branches and tags; leave the revision out for `main`"
    )

    repo_id: str
    """As it was asked for."""
    revision: str
    """What was asked for."""
    hub: str
    """The hub's address."""


class RepositoryFileNotFoundError(HubError):
    """The repository is there, the file or folder in it is not."""

    code = "repository-file-not-found"
    exit_status, http_status = 4, 404
    message = "`{repo_id}` has no `{name}`; it has {near}"
    hint = "{hub}/{repo_id}/tree/main lists its files"

    repo_id: str
    """As it was asked for."""
    name: str
    """The file or folder."""
    near: str
    """Some names that it does have, or `no such files`."""
    hub: str
    """The hub's address."""


class NoModelFilesError(HubError):
    """There are files, but none that belongs to a model."""

    code = "model-files-missing"
    exit_status, http_status = 4, 404
    message = "`{source}` holds no model: {reason}"
    hint = "look at its page; name a file of it if one is meant"

    source: str
    """What was asked for."""
    reason: str
    """What was looked for."""


class SeveralModelsError(HubError):
    """The repository holds several models, not one. Say which."""

    code = "model-ambiguous-in-repository"
    exit_status, http_status = 2, 422
    message = "`{repo_id}` holds {count} models: {choices}"
    hint = "name one of them: `{repo_id}::{first}`"

    repo_id: str
    """The repository."""
    count: int
    """How many there are."""
    choices: str
    """Files and folders, comma separated, the first twenty."""
    first: str
    """One of them, as an example."""


class UnsafeListingError(HubError):
    """The hub lists a file under a name that could leave the model's folder, or clash with another."""

    code = "listing-unsafe"
    exit_status, http_status = 7, 502
    message = "`{source}` lists a file as {name}: {reason}"
    hint = "do not trust this repository; tell its hub if you know it to be honest"

    source: str
    """What was asked for."""
    name: str
    """The name, as Python writes a text with odd characters."""
    reason: str
    """Why it cannot be used."""


class TokenRefusedError(HubError):
    """The hub does not know the token. Without it, or with a new one, the model may be had."""

    code = "token-refused"
    exit_status, http_status = 9, 401
    message = "{hub} refuses the token"
    hint = "make a new token in your account's settings there, or leave the token out"

    hub: str
    """The hub's address."""


class RateLimitedError(HubError):
    """Too many requests for now. Wait; a token usually allows more."""

    code = "rate-limited"
    exit_status, http_status = 10, 503
    message = "{hub} wants no more requests {when}"
    hint = "run the command again then; with a token more requests are allowed"

    hub: str
    """The hub's address."""
    when: str
    """`for 55 seconds`, or `for now` where it does not say how long."""
    retry_after: int | None
    """Seconds; None where it does not say."""


class EarlyAccessError(HubError):
    """The version is for those who paid for it, until a date."""

    code = "early-access"
    exit_status, http_status = 9, 403
    message = "`{source}` is in early access {until}"
    hint = "wait until then, or get access on its page and give a token of that account"

    source: str
    """What was asked for."""
    until: str
    """`until 2026-03-01 12:00 UTC`, or `for now`."""
    deadline: str
    """The moment as the site says it, ISO 8601; empty where it does not."""


class ModelArchivedError(HubError):
    """Its author archived it: the page stays, the files are not given any more."""

    code = "model-archived"
    exit_status, http_status = 4, 404
    message = "`{source}` is archived: its files are no longer given"
    hint = "take another version, or ask the author"

    source: str
    """What was asked for."""


class LoginRequiredError(HubError):
    """Its author gives it to people who are logged in. Give a token."""

    code = "login-required"
    exit_status, http_status = 9, 401
    message = "`{source}` needs a login: {reason}"
    hint = "make an API key in your account's settings at {hub} and give it as the access token"

    source: str
    """What was asked for."""
    hub: str
    """The site's address."""
    reason: str
    """What it said, shortened."""


class DownloadForbiddenError(HubError):
    """The site gives the file to nobody, or not to this account."""

    code = "download-forbidden"
    exit_status, http_status = 9, 403
    message = "{hub} does not give `{source}`: {reason}"
    hint = "open its page in a browser to see why"

    source: str
    """What was asked for."""
    hub: str
    """The site's address."""
    reason: str
    """What it said, shortened."""


class CivitaiNotFoundError(HubError):
    """No published model, version or file answers to the number or hash."""

    code = "civitai-not-found"
    exit_status, http_status = 4, 404
    message = "{hub} has no published {what}"
    hint = "open its page in a browser; the author may have withdrawn it"

    what: str
    """Such as `version 62833` or `file with the hash 12AB…`."""
    hub: str
    """The site's address."""


class HubUnreachableError(HubError):
    """The hub could not be reached or fails. Try again later."""

    code = "hub-unreachable"
    exit_status, http_status = 10, 503
    message = "cannot reach {hub}: {reason}"
    hint = "check the network and the hub's address, then run the command again"

    hub: str
    """Its address."""
    reason: str
    """What happened."""


class HubAnswerError(HubError):
    """What came is not what this hub's API answers: a login page of the network, a broken mirror."""

    code = "hub-answer-unreadable"
    exit_status, http_status = 10, 503
    message = "{hub} answered with {problem}"
    hint = "open {hub} in a browser: a network may want a login first; a mirror may be broken"

    hub: str
    """Its address."""
    problem: str
    """What came and what was expected."""


class OfflineError(HubError):
    """The settings say to stay offline, and what is needed is not on this machine."""

    code = "offline"
    exit_status, http_status = 10, 503
    message = "`{source}` needs the network, which HF_HUB_OFFLINE or the settings forbid"
    hint = "unset it and run the command again"

    source: str
    """What was asked for."""
