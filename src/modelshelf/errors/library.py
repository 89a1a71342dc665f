"""What can be wrong with a request to the library: names, selectors, settings."""

from __future__ import annotations

from modelshelf.errors.base import ModelshelfError

__all__ = [
    "DuplicateKeyError",
    "DuplicateModelException",
    "InvalidChoiceError",
    "InvalidDigestError",
    "InvalidModelConfigException",
    "InvalidNameError",
    "InvalidSelectorError",
    "InvalidSettingError",
    "ModelElsewhereError",
    "NeedsConfirmationError",
    "NothingFoundError",
    "OutputLostError",
    "StaleConfigError",
    "UnknownModelException",
    "UnknownSubmodelError",
    "UnknownTrashError",
    "UnwritableSettingsError",
    "UsageError",
]


class UsageError(ModelshelfError):
    """The request itself is wrong. Correct it; nothing was done."""

    code = "usage"
    exit_status, http_status = 2, 422
    kept = "Nothing was done."
    message = "{problem}"
    hint = "{remedy}"

    problem: str
    """What is wrong with the request."""
    remedy: str
    """What to ask instead."""


class InvalidChoiceError(UsageError):
    """A word was given that is not one of the words allowed there."""

    code = "choice-invalid"
    message = "`{got}` is no {what}; expected one of {allowed}"
    hint = "use one of: {allowed}"

    what: str
    """What the word should name, such as `model type`."""
    got: str
    """The word."""
    allowed: str
    """The words that are allowed, comma separated."""


class InvalidDigestError(UsageError):
    """The text is not a digest."""

    code = "digest-invalid"
    message = "`{text}` is not a digest; expected `blake3:` or `sha256:` and 64 hexadecimal digits"
    hint = "copy the digest from `shelf show NAME --json`"

    text: str
    """What was given."""


class InvalidNameError(UsageError):
    """The name cannot be a model's name."""

    code = "name-invalid"
    message = "`{name}` cannot be a model's name: {reason}"
    hint = "give another with `--name`"

    name: str
    """The name."""
    reason: str
    """What is wrong with it."""


class InvalidModelConfigException(UsageError):
    """A model's record does not hold together."""

    code = "model-config-invalid"
    message = "the record of `{name}` is invalid: {problem}"
    hint = "correct the field and try again"

    name: str
    """The model."""
    problem: str
    """Field, expected, got."""
    fields: str
    """Names of the fields that are wrong, comma separated."""


class StaleConfigError(ModelshelfError):
    """Somebody else changed the record since it was read. Read it again, and make the change on that."""

    code = "config-stale"
    exit_status, http_status = 6, 409
    kept = "Nothing was changed."
    message = "the record of `{key}` was changed meanwhile: expected revision {expected}, got {got}"
    hint = "read it again and repeat the change, or send only the fields that change"

    key: str
    """The model's key."""
    expected: int
    """The revision that the store has."""
    got: int
    """The revision that the change was made on."""


class InvalidSelectorError(UsageError):
    """The selector cannot be read: what was expected is said, and where."""

    code = "selector-invalid"
    message = "the selector is wrong at column {column}: expected {expected}, got {got}{meant}"
    hint = 'put quotes around text with blanks or signs in it: "…", name:"…"'

    column: int
    """Where, counted from 1 in characters."""
    expected: str
    """What could have stood there."""
    got: str
    """What stood there."""
    meant: str
    """The nearest word as a question, or nothing."""


class InvalidSettingError(UsageError):
    """A setting has a value that it cannot have."""

    code = "setting-invalid"
    message = "the setting `{setting}` from {origin} is invalid: {problem}"
    hint = "`shelf config show --origin` lists every setting and where it comes from"

    setting: str
    """Name of the setting."""
    origin: str
    """File, variable or flag that gave the value."""
    problem: str
    """Expected and got."""


class UnwritableSettingsError(ModelshelfError):
    """The settings file cannot be written; it is as it was."""

    code = "settings-unwritable"
    message = "cannot write `{path}`: {reason}"
    kept = "The settings are as they were."
    hint = "check who owns the file and its folder"

    path: str
    """The settings file."""
    reason: str
    """What the system said."""


class UnknownModelException(ModelshelfError):
    """No model answers to that name, key or id."""

    code = "model-unknown"
    exit_status, http_status = 4, 404
    kept = "Nothing was changed."
    message = "no model is called `{wanted}`"
    hint = "`shelf ls` lists the models; `shelf find TEXT` looks for a part of a name or a digest"

    wanted: str
    """What was asked for: name, type and base, or the id."""


class NothingFoundError(UnknownModelException):
    """No model has that text, digest or content. Look for less of it, or add the model."""

    code = "nothing-found"
    message = "nothing in the library fits `{wanted}`"
    hint = "`shelf ls` lists what is there, and `shelf add PATH` adds what is not"

    wanted: str
    """What was looked for: text, a digest, a selector, or the path of a file or folder."""


class ModelElsewhereError(UnknownModelException):
    """The library has a record of the model and none of its bytes: it lies elsewhere. Add it first."""

    code = "model-elsewhere"
    message = "`{wanted}` lies elsewhere, at `{path}`; the library has only its record"
    hint = "store it in the library: `shelf add {path}`"

    wanted: str
    """The model's name."""
    path: str
    """Where its record says that it lies."""


class UnknownSubmodelError(UnknownModelException):
    """The pipeline exists, but has no such component."""

    code = "submodel-unknown"
    message = "`{wanted}` has no component `{submodel}`; it has {available}"
    hint = "ask for one of: {available}"

    wanted: str
    """The pipeline."""
    submodel: str
    """The component asked for."""
    available: str
    """The components it has, comma separated."""


class UnknownTrashError(UnknownModelException):
    """Nothing in the trash has that id; it may have expired."""

    code = "trash-unknown"
    message = "nothing in the trash is called `{wanted}`"
    hint = "`shelf undo` without an id lists what can be brought back"

    wanted: str
    """The trash id or name."""


class DuplicateModelException(ModelshelfError):
    """Several models fit and one was asked for. Choose by id or key."""

    code = "model-ambiguous"
    exit_status, http_status = 6, 409
    kept = "Nothing was changed."
    message = "`{wanted}` fits {count} models: {matches}"
    hint = "name one of them by its key or id"

    wanted: str
    """What was asked for."""
    count: int
    """How many fit."""
    matches: str
    """Their keys and names."""


class DuplicateKeyError(DuplicateModelException):
    """A record was to be added under a key that another has. Choose another key, or update that record."""

    code = "key-taken"
    message = "the key `{wanted}` is that of {matches} already"
    hint = "choose another key, or update the record that is there"


class NeedsConfirmationError(ModelshelfError):
    """The command changes something, nobody is there to ask, and `-y` was not given."""

    code = "needs-confirmation"
    exit_status, http_status = 5, 428
    kept = "Nothing was changed."
    message = "{action} needs a yes, and there is no terminal to ask on"
    hint = "add `-y`, or `--dry-run` to see what would happen"

    action: str
    """What would be done."""


class OutputLostError(ModelshelfError):
    """Standard output takes no more, as on a full disk. Write it elsewhere."""

    code = "output-lost"
    message = "cannot write the output: {reason}"
    kept = "What the command did before is done; of what it had to say a part is lost."
    hint = "write the output elsewhere, or free space where it goes"

    reason: str
    """What the system said."""
