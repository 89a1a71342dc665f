"""The settings value itself, and the object that the specification calls `config`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from modelshelf.settings.environment import read_environment
from modelshelf.settings.location import DATABASE, default_root
from modelshelf.settings.network import (
    CivitaiSettings,
    DownloadSettings,
    HuggingFaceSettings,
    read_hub_environment,
)
from modelshelf.settings.paths import (
    AbsolutePath,
    ChosenPath,
    PathBelowRoot,
    SQLitePath,
    WrittenPath,
)
from modelshelf.settings.problems import refuse_root, setting_error
from modelshelf.settings.sources import FILE_NAME, Given, read_attributes, read_file, read_flags

__all__ = ["Config", "Settings", "TrashSettings"]


class TrashSettings(BaseModel):
    """How long a deleted model can be brought back."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    days: Annotated[int, Field(ge=0, le=36_500)] = 30
    """Days that a deleted model stays in the trash; 0 means that the next `gc` removes it."""


class Settings(BaseModel):
    """Where the library lies and how it behaves. Frozen: made once, then passed down.

    `Settings(root=...)` means exactly what it says. `Settings.load()` also reads the file
    `ROOT/modelshelf.yaml`, then the hubs' own variables such as `HF_TOKEN`, then `MODELSHELF_*` ones
    (`__` nests: `MODELSHELF_TRASH__DAYS`), then flags; the later wins.

    Example:
        >>> settings = Settings(root="/srv/models-of-us", trash={"days": 7})
        >>> settings.db_path.as_posix()
        '/srv/models-of-us/databases/models.db'
        >>> settings.trash_retention.days
        7
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,
        # A traceback shows pydantic's own error too, which would quote a token.
        hide_input_in_errors=True,
    )

    root: AbsolutePath = Field(default_factory=default_root)
    """Folder that holds everything: database, models, trash, and the settings file itself."""
    models_dir: WrittenPath = Path("models")
    """Folder of the blobs and of the view that people see; relative to the root."""
    database: SQLitePath = DATABASE
    """The SQLite file that knows every model; relative to the root. Keep it on a local disk."""
    model_config_db: ChosenPath = "auto"
    """Where `ModelRecordServiceBase.open` keeps records: `auto` for the library itself, a `.db` or `.yaml` file
    relative to the root, or `none` for *conf_path*."""
    conf_path: PathBelowRoot = Field(default=Path("configs/models.yaml"), validate_default=True)
    """The YAML file of records that counts where *model_config_db* is `none`; relative to the root."""
    trash: TrashSettings = TrashSettings()
    """What happens to deleted models."""
    convert: bool = True
    """Whether a checkpoint that holds a whole pipeline is split into its parts, which others can share;
    an export gives it back byte for byte either way."""
    full_precision: bool = False
    """Whether `owner/name` without a variant means fp32; otherwise it means fp16."""
    offline: bool = False
    """True for asking nothing of the network; what would have to, fails at once."""
    download: DownloadSettings = DownloadSettings()
    """How files are fetched."""
    hugging_face: HuggingFaceSettings = Field(default_factory=HuggingFaceSettings)
    """The Hugging Face Hub."""
    civitai: CivitaiSettings = CivitaiSettings()
    """Civitai."""

    _origins: dict[str, str] = PrivateAttr(default_factory=dict)

    @classmethod
    def load(cls, flags: Iterable[Given] = (), *, environ: Mapping[str, str] | None = None) -> Self:
        """Read the file, the environment and the flags, the later over the earlier.

        Args:
            flags: What the command line gave, strongest of all.
            environ: The environment; that of this process when left out.

        Raises:
            InvalidSettingError: A value that cannot be, or a name in the file that is no setting;
                it names the file and line, the variable or the flag.
        """
        variables = os.environ if environ is None else environ
        # The hubs' variables first: ours say the same for modelshelf alone.
        strong = [
            *read_hub_environment(variables),
            *read_environment(cls.names(), variables),
            *flags,
        ]
        root = cls._checked(given for given in strong if given.name == "root").root
        weak = read_file(root / FILE_NAME)
        refuse_root(weak)
        return cls._checked([*weak, *strong])

    @classmethod
    def get_config(cls) -> Config:
        """Return what the specification calls the configuration: these settings, open to flags.

        Source: `spec/normalized-model-manager.md`, "Initializing the normalized model manager".
        """
        return Config(cls.load())

    @classmethod
    def from_object(cls, config: object) -> Settings:
        """Make settings of whatever a host program configures itself with.

        Args:
            config: `Settings`, the `Config` of `get_config`, or any object with `root_path`;
                `models_path` and `db_path` are read where they exist. A `db_path` called
                `invokeai.db` is that program's own: `models.db` beside it is used instead.

        Raises:
            InvalidSettingError: The object has no `root_path`, or a path is no path.
        """
        if isinstance(config, Settings):
            return config
        if isinstance(config, Config):
            return config.settings
        return cls._checked(read_attributes(config))

    @classmethod
    def _checked(cls, given: Iterable[Given]) -> Self:
        strongest = {each.name: each for each in given}
        try:
            settings = cls.model_validate(_as_tree(strongest.values()))
        except ValidationError as error:
            raise setting_error(error, strongest, cls.names()) from error
        settings._origins.update({name: each.origin for name, each in strongest.items()})  # noqa: SLF001
        return settings

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the dotted names of all settings, in their order of declaration."""
        return tuple(_leaf_names(cls, ""))

    def value(self, name: str) -> object:
        """Return the setting with that dotted name."""
        found: object = self
        for step in name.split("."):
            found = getattr(found, step)
        return found

    def origins(self) -> Mapping[str, str]:
        """Say where each value comes from.

        Returns:
            Dotted name → `default`, `file …, line N`, `environment MODELSHELF_X`, `flag --x`, or
            `argument` for what the constructor was given.
        """
        return {
            name: self._origins.get(name, "argument" if self._is_given(name) else "default")
            for name in self.names()
        }

    def _is_given(self, name: str) -> bool:
        holder: object = self
        for step in name.split("."):
            if not isinstance(holder, BaseModel) or step not in holder.model_fields_set:
                return False
            holder = getattr(holder, step)
        return True

    @property
    def root_path(self) -> Path:
        """Absolute path of the root."""
        return self.root

    @property
    def models_path(self) -> Path:
        """Folder of the blobs and of the view that people see."""
        return self.root / self.models_dir

    @property
    def blob_path(self) -> Path:
        """One folder per part, named by a UUID."""
        return self.models_path / "blob"

    @property
    def cache_path(self) -> Path:
        """Work in flight, on the same file system as the blobs."""
        return self.models_path / ".cache"

    @property
    def db_path(self) -> Path:
        """The SQLite file."""
        return self.root / self.database

    @property
    def file_path(self) -> Path:
        """The settings file, whether or not it exists."""
        return self.root / FILE_NAME

    @property
    def trash_retention(self) -> timedelta:
        """How long a deleted model can be brought back."""
        return timedelta(days=self.trash.days)


class Config:
    """Settings that a command line may still change, as the specification's example does.

    Example:
        >>> config = Settings.get_config()
        >>> config.parse_args(["--root", "/srv/models-of-us", "--port", "9090"])
        ['--port', '9090']
        >>> config.models_path.as_posix()
        '/srv/models-of-us/models'
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        """The frozen value as it is now."""

    def parse_args(self, argv: Sequence[str] | None = None) -> list[str]:
        """Let flags such as `--root` override file and environment.

        Args:
            argv: Words after the program's name; those of this process when left out.

        Returns:
            The words that are not modelshelf's flags, in order. They are no error: the program around
            has flags of its own.

        Raises:
            InvalidSettingError: A flag without value, or with one that cannot be.
        """
        flags, rest = read_flags(sys.argv[1:] if argv is None else argv)
        self.settings = Settings.load(flags)
        return rest

    @property
    def root_path(self) -> Path:
        """Absolute path of the root."""
        return self.settings.root_path

    @property
    def models_path(self) -> Path:
        """Folder of the blobs and of the view that people see."""
        return self.settings.models_path

    @property
    def db_path(self) -> Path:
        """The SQLite file."""
        return self.settings.db_path

    @property
    def model_config_db(self) -> str | Path | None:
        """`auto`, the file that records are kept in, or None for *conf_path*."""
        return self.settings.model_config_db

    @property
    def conf_path(self) -> Path:
        """The YAML file of records that counts where *model_config_db* is None."""
        return self.settings.conf_path

    @property
    def trash_retention(self) -> timedelta:
        """How long a deleted model can be brought back."""
        return self.settings.trash_retention


def _leaf_names(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _leaf_names(kind, f"{prefix}{name}.")
        else:
            yield prefix + name


def _as_tree(given: Iterable[Given]) -> dict[str, object]:
    tree: dict[str, object] = {}
    for each in given:
        *folders, leaf = each.name.split(".")
        below: object = tree
        for folder in folders:
            # A group that was given as one plain value stays one, for the check to refuse.
            below = below.setdefault(folder, {}) if isinstance(below, dict) else below
        if isinstance(below, dict):
            below[leaf] = each.value
    return tree
