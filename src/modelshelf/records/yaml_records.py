"""What a person's YAML file says at one moment: its records, checked, and the mistakes in the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from modelshelf.errors import (
    InvalidModelConfigException,
    InvalidRecordFileError,
    NotARecordStoreError,
    StoreTooNewError,
    UnknownModelException,
)
from modelshelf.records.record_service import VERSION, shown_key
from modelshelf.records.yaml_document import (
    METADATA,
    Entry,
    YamlDocument,
    fits_a_key,
    parse_document,
)
from modelshelf.records.yaml_edit import edit_record
from modelshelf.records.yaml_record import Fields, Mistake, read_record
from modelshelf.schema.config import CONFIG_CLASSES, AnyModelConfig, parse_config
from modelshelf.schema.config_base import SHORT_NAMES
from modelshelf.schema.config_problems import invalid_config

__all__ = ["YamlRecords", "fields_of", "file_error"]

_MOST = 20
"""Mistakes that are told at once."""
_LATE = ("converted_at", "created_at", "updated_at", "last_used_at", "revision")
"""What programs keep count of stands below what people read."""


def _reading_order() -> tuple[str, ...]:
    """Return every name that a field can have, in the order in which new ones are written."""
    names = dict.fromkeys(name for kind in CONFIG_CLASSES for name in kind.model_fields)
    short = {long: short for short, long in SHORT_NAMES.items()}
    told = [name for name in names if name not in _LATE and name != "key"]
    return tuple(
        each for name in (*told, *_LATE) for each in (name, short.get(name)) if each is not None
    )


_ORDER = _reading_order()


def fields_of(config: AnyModelConfig) -> Fields:
    """Return what is written of a record: long names, and nothing that goes without saying.

    `parse_config` makes the same record of it, but for the key, which stands above.

    Example:
        >>> config = parse_config(dict(name="a", type="lora", format="lycoris", base="sd-1", path="a"))
        >>> list(fields_of(config))
        ['name', 'model_type', 'model_format', 'base_model', 'path']
    """
    document: Fields = config.to_document()
    if document.get("bases") == [document.get("base_model")]:
        del document["bases"]
    fields = type(config).model_fields
    return {
        name: document[name]
        for name in _ORDER
        if name in document
        and (
            document[name] or document[name] != fields[name].get_default(call_default_factory=True)
        )
    }


@dataclass(frozen=True)
class YamlRecords:
    """One state of the file."""

    path: Path
    """The file, for what is said to people."""
    content: bytes
    """All of it."""
    document: YamlDocument
    """Its pieces."""
    configs: Mapping[str, AnyModelConfig]
    """Records without mistakes, by key, in the order of the file."""
    broken: Mapping[str, Mistake]
    """What is wrong with each of the others, by key."""

    @classmethod
    def read(cls, path: Path, content: bytes, earlier: YamlRecords | None = None) -> YamlRecords:
        """Read the file's content.

        Args:
            path: The file, for what is said to people.
            content: All of it.
            earlier: A state that was read before. What did not change is taken from it; a record that
                somebody changed without counting its revision up has the next one.

        Raises:
            InvalidRecordFileError: It is no YAML, or has a key twice.
            NotARecordStoreError: It does not say that it holds records of this version.
            StoreTooNewError: It holds records of a later version.
        """
        try:
            text = content.decode()
        except UnicodeDecodeError as error:
            if METADATA.encode() not in content:
                raise NotARecordStoreError(root=str(path), reason="it is no text") from error
            line = content.count(b"\n", 0, error.start) + 1
            problem = f"byte 0x{content[error.start]:02x} is no UTF-8"
            raise file_error(path, [Mistake(line, None, problem)]) from error
        document = parse_document(text, earlier.document.entries if earlier else None)
        if METADATA in document.entries or METADATA not in text:
            # First of all: of another program's file nobody needs to know the mistakes.
            _check_version(path, document)
        if document.mistakes:
            raise file_error(path, document.mistakes)
        _check_version(path, document)
        configs: dict[str, AnyModelConfig] = {}
        broken: dict[str, Mistake] = {}
        for key, entry in document.entries.items():
            if key != METADATA:
                found = _config_of(key, entry, earlier)
                if isinstance(found, Mistake):
                    broken[key] = replace(found, line=document.line_of(key) + found.line - 1)
                else:
                    configs[key] = found
        return cls(path, content, document, configs, broken)

    def get(self, key: str) -> AnyModelConfig:
        """Return the record under *key*.

        Raises:
            UnknownModelException: There is none.
            InvalidModelConfigException: There is one, with a mistake.
        """
        given: object = key
        if not isinstance(given, str):
            # No dict could be asked for a list.
            raise UnknownModelException(wanted=shown_key(given))
        if key in self.broken:
            mistake = self.broken[key]
            raise InvalidModelConfigException(
                name=key, problem=f"`{self.path}`, {mistake}", fields=mistake.field or ""
            )
        if key not in self.configs:
            raise UnknownModelException(wanted=shown_key(key))
        return self.configs[key]

    def all(self) -> Iterator[AnyModelConfig]:
        """Return every record.

        Raises:
            InvalidRecordFileError: One has a mistake, so nobody can say what it would be.
        """
        if self.broken:
            raise file_error(self.path, self.broken.values(), list(self.broken))
        return iter(self.configs.values())

    def with_added(self, configs: Mapping[str, AnyModelConfig]) -> YamlRecords:
        """Return the state with new records at the end of the file.

        Raises:
            InvalidModelConfigException: A key cannot stand in a YAML file.
        """
        for key, config in configs.items():
            if not fits_a_key(key):
                problem = (
                    "expected a key that a YAML file can hold, got one that is too long or reserved"
                )
                raise invalid_config(config.name, [("key", problem)])
        added = {key: fields_of(config) for key, config in configs.items()}
        return self._with(self.document.with_records(added), {**self.configs, **configs})

    def with_changed(self, config: AnyModelConfig) -> YamlRecords:
        """Return the state with *config* in place of the record of its key; only its own lines change."""
        key = config.key
        entry = self.document.entries[key]
        wanted = _wanted(entry.record.fields, fields_of(self.configs[key]), fields_of(config))
        if not _makes(config, wanted):
            # What goes without saying was written all the same, and now would say something else.
            wanted = {each: wanted[each] for each in wanted if _long(each) in fields_of(config)}
        text = edit_record(entry.text, wanted, _ORDER)
        record = read_record(text)
        document = self.document.with_text(key, text, record)
        return self._with(document, {**self.configs, key: config})

    def without(self, key: str) -> YamlRecords:
        """Return the state without the record *key*."""
        configs = {each: config for each, config in self.configs.items() if each != key}
        return self._with(self.document.without(key), configs)

    def _with(self, document: YamlDocument, configs: Mapping[str, AnyModelConfig]) -> YamlRecords:
        content = document.text().encode()
        return YamlRecords(self.path, content, document, configs, self.broken)


def _wanted(now: Fields, then: Fields, new: Fields) -> Fields:
    """Return what shall stand in the file: *now* with what differs between *then* and *new*."""
    wanted = dict(now)
    short = {long: short for short, long in SHORT_NAMES.items()}
    for name in [*new, *(each for each in then if each not in new)]:
        if name in then and name in new and then[name] == new[name] and name != "revision":
            continue
        spelled = [each for each in (name, short.get(name)) if each in now] or [name]
        for each in spelled:
            if name in new:
                wanted[str(each)] = new[name]
            else:
                wanted.pop(str(each), None)
    return wanted


def _long(name: str) -> str:
    return SHORT_NAMES.get(name, name)


def _makes(config: AnyModelConfig, fields: Fields) -> bool:
    try:
        return _parsed(config.key, fields) == config
    except InvalidModelConfigException:
        return False


def _parsed(key: str, fields: Fields) -> AnyModelConfig:
    return parse_config({**fields, "key": key})


def _config_of(key: str, entry: Entry, earlier: YamlRecords | None) -> AnyModelConfig | Mistake:
    """Return the record of an entry, or what is wrong with it, its line counted from the entry's first."""
    record = entry.record
    if record.mistakes:
        return record.mistakes[0]
    before = earlier.configs.get(key) if earlier else None
    if before is not None and earlier is not None:
        known = earlier.document.entries[key].record.fields
        if known == record.fields:
            return before
    if record.fields.get("key", key) != key:
        problem = f"expected `{key}`, under which it stands"
        return Mistake(record.lines["key"] + 1, "key", problem)
    try:
        config = _parsed(key, record.fields)
    except InvalidModelConfigException as error:
        return _located(error, record.lines)
    least = 1 if before is None else before.revision + 1
    return (
        config if config.revision >= least else _parsed(key, {**record.fields, "revision": least})
    )


def _located(error: InvalidModelConfigException, lines: Mapping[str, int]) -> Mistake:
    """Say on which line of a record the first wrong field stands."""
    field = error.fields.partition(",")[0].partition(".")[0]
    short = next((short for short, long in SHORT_NAMES.items() if long == field), field)
    line = next((lines[each] for each in (field, short) if each in lines), 0)
    return Mistake(line + 1, field, error.problem)


def _check_version(path: Path, document: YamlDocument) -> None:
    entry = document.entries.get(METADATA)
    version = entry.record.fields.get("version") if entry else None
    if version is None:
        reason = f"expected `{METADATA}:` with `version: '{VERSION}'` beneath, got none"
        raise NotARecordStoreError(root=str(path), reason=reason)
    told = str(version)
    if _numbers(told) > _numbers(VERSION):
        raise StoreTooNewError(root=str(path), found=told, known=VERSION)
    if told != VERSION:
        reason = f"it is of version `{told:.40}`, expected {VERSION}; `import_models_yaml` reads it"
        raise NotARecordStoreError(root=str(path), reason=reason)


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.split(".")
    return tuple(int(each) for each in parts) if all(each.isdecimal() for each in parts) else ()


def file_error(
    path: Path, mistakes: Iterable[Mistake], keys: list[str] | None = None
) -> InvalidRecordFileError:
    """Make the error that names the mistakes in a file, each with the key of its record where given."""
    told = list(mistakes)
    names = [f"record `{key}`, " for key in keys] if keys else [""] * len(told)
    said = [f"{name}{mistake}" for name, mistake in zip(names, told, strict=True)]
    more = [f"and {len(said) - _MOST} more"] if len(said) > _MOST else []
    return InvalidRecordFileError(
        path=str(path), count=len(said), problem="; ".join(said[:_MOST] + more)
    )
