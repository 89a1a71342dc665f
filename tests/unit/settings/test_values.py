from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import ValidationError

from modelshelf import Settings
from modelshelf.errors import InvalidSettingError

GROUPS = ("download.", "hugging_face.", "civitai.")


def load(root: Path, text: str = "", **variables: str) -> Settings:
    root.mkdir(exist_ok=True)
    (root / "modelshelf.yaml").write_text(text)
    return Settings.load(environ={"MODELSHELF_ROOT": str(root), **variables})


def refusal(root: Path, text: str = "", **variables: str) -> str:
    with pytest.raises(InvalidSettingError) as caught:
        load(root, text, **variables)
    return str(caught.value).replace(str(root), "ROOT")


def test_every_path_lies_below_the_root(tmp_path: Path) -> None:
    """All folders that are not named otherwise lie where the architecture draws them."""
    settings = Settings(root=tmp_path)
    paths = (
        settings.root_path,
        settings.models_path,
        settings.blob_path,
        settings.cache_path,
        settings.db_path,
        settings.file_path,
    )
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == [
        ".",
        "models",
        "models/blob",
        "models/.cache",
        "databases/models.db",
        "modelshelf.yaml",
    ]


def test_settings_are_frozen(tmp_path: Path) -> None:
    """Nobody changes a setting behind the back of whoever was given it."""
    settings = Settings(root=tmp_path)
    with pytest.raises(ValidationError, match="frozen"):
        settings.root = tmp_path / "other"  # type: ignore[misc]


def test_the_constructor_does_not_look_around(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`Settings(...)` means what it says even where the environment says otherwise."""
    monkeypatch.setenv("MODELSHELF_TRASH__DAYS", "5")
    assert Settings(root=tmp_path).trash.days == 30


def test_flags_beat_the_environment_and_that_beats_the_file(tmp_path: Path) -> None:
    """The later source wins, value by value."""
    text = "models_dir: from-file\ndatabase: from-file.db\ntrash:\n  days: 1\n"
    (tmp_path / "modelshelf.yaml").write_text(text)
    config = Settings.get_config()
    config.parse_args(["--root", str(tmp_path)])
    from_file = config.settings
    both = Settings.load(
        environ={"MODELSHELF_ROOT": str(tmp_path), "MODELSHELF_TRASH__DAYS": "2"},
    )
    config.parse_args(["--root", str(tmp_path), "--trash-days", "3"])
    assert (from_file.trash.days, both.trash.days, config.settings.trash.days) == (1, 2, 3)
    assert both.models_path == tmp_path / "from-file"


def test_each_value_says_where_it_is_from(tmp_path: Path) -> None:
    """A person finds the line, the variable or the flag to correct."""
    settings = load(tmp_path, "# ours\ntrash:\n  days: 4\n", MODELSHELF_MODELS_DIR="elsewhere")
    assert settings.origins() == {
        "root": "environment `MODELSHELF_ROOT`",
        "models_dir": "environment `MODELSHELF_MODELS_DIR`",
        "database": "default",
        "model_config_db": "default",
        "conf_path": "default",
        "trash.days": f"file `{tmp_path}/modelshelf.yaml`, line 3",
        "convert": "default",
        "full_precision": "default",
        "offline": "default",
    } | {name: "default" for name in Settings.names() if name.startswith(GROUPS)}


def test_what_the_constructor_was_given_is_an_argument(tmp_path: Path) -> None:
    """Values given in Python are told from defaults, within groups too."""
    settings = Settings(root=tmp_path)
    assert settings.origins()["root"] == "argument"
    assert settings.origins()["trash.days"] == "default"


def test_value_finds_a_setting_by_its_dotted_name(tmp_path: Path) -> None:
    """What `origins` names, `value` gives."""
    settings = Settings.model_validate({"root": tmp_path, "trash": {"days": 9}})
    assert [settings.value(name) for name in ("root", "trash.days")] == [tmp_path, 9]
    assert settings.trash_retention.days == 9


@pytest.mark.parametrize(
    "text", ["", "# nothing yet\n", "trash:\n", "trash: {}\n", "models_dir:\n"]
)
def test_a_file_that_says_nothing_changes_nothing(tmp_path: Path, text: str) -> None:
    """Empty files, comments and names without a value leave the defaults."""
    assert load(tmp_path, text).model_dump() == Settings(root=tmp_path).model_dump()


def test_an_empty_variable_is_not_set(tmp_path: Path) -> None:
    """Shells and containers write an empty text for "not set"."""
    assert load(tmp_path, "trash: {days: 4}", MODELSHELF_TRASH__DAYS="").trash.days == 4


def test_a_variable_may_hold_a_whole_group(tmp_path: Path) -> None:
    """A group can be given as one JSON object."""
    assert load(tmp_path, MODELSHELF_TRASH='{"days": 3}').trash.days == 3


def test_a_variable_for_one_setting_counts_more_than_one_for_its_group(tmp_path: Path) -> None:
    """Whatever order they stand in; the rest of the group stays."""
    settings = load(
        tmp_path,
        MODELSHELF_DOWNLOAD__PARALLEL="3",
        MODELSHELF_DOWNLOAD='{"parallel": 2, "connections": 4, "rate": null}',
    )
    assert (settings.download.parallel, settings.download.connections) == (3, 4)
    assert settings.origins()["download.parallel"] == "environment `MODELSHELF_DOWNLOAD__PARALLEL`"


def test_a_group_that_is_null_is_not_set(tmp_path: Path) -> None:
    """As an empty variable is not."""
    assert load(tmp_path, "trash: {days: 4}", MODELSHELF_TRASH="null").trash.days == 4


def test_small_letters_name_a_variable_too(tmp_path: Path) -> None:
    """Some tools write the names of variables as they like."""
    assert load(tmp_path, modelshelf_trash__days="3").trash.days == 3


def test_a_broken_group_is_not_quoted(tmp_path: Path) -> None:
    """There may be a token in it."""
    assert "hf_secret" not in refusal(tmp_path, MODELSHELF_HUGGING_FACE='{"token": "hf_secret"')


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "\n\ntresh:\n  days: 4\n",
            (
                "the setting `tresh.days` from file `ROOT/modelshelf.yaml`, line 4 is invalid: "
                "no setting has this name; did you mean `trash.days`?"
            ),
        ),
        (
            "colour: blue",
            (
                "the setting `colour` from file `ROOT/modelshelf.yaml`, line 1 is invalid: no setting "
                "has this name; expected one of root, models_dir, database, model_config_db, conf_path, "
                "trash, convert, full_precision, offline, download, hugging_face, civitai"
            ),
        ),
        (
            "trash:\n  days: soon",
            (
                "the setting `trash.days` from file `ROOT/modelshelf.yaml`, line 2 is invalid: "
                "expected a valid integer, got `soon`"
            ),
        ),
        (
            "trash: 5",
            (
                "the setting `trash` from file `ROOT/modelshelf.yaml`, line 1 is invalid: "
                "expected settings below it, such as `days: 30`, got `5`"
            ),
        ),
        (
            "models_dir: [a]",
            (
                "the setting `models_dir` from file `ROOT/modelshelf.yaml`, line 1 is invalid: "
                "expected a path, got `['a']`"
            ),
        ),
        (
            "database: postgresql://host/models",
            (
                "the setting `database` from file `ROOT/modelshelf.yaml`, line 1 is invalid: "
                "expected the path of a SQLite file, got `postgresql://host/models`"
            ),
        ),
        (
            "root: /elsewhere",
            (
                "the setting `root` from file `ROOT/modelshelf.yaml`, line 1 is invalid: "
                "the root says where this file is; give it by `--root` or `MODELSHELF_ROOT`"
            ),
        ),
        (
            "- trash",
            (
                "the setting `*` from file `ROOT/modelshelf.yaml`, line 1 is invalid: "
                "expected `name: value` lines"
            ),
        ),
    ],
)
def test_a_wrong_file_is_refused_with_line_field_and_remedy(
    tmp_path: Path, text: str, expected: str
) -> None:
    """The message alone is enough to correct the file."""
    assert refusal(tmp_path, text) == expected


def test_broken_yaml_is_refused_with_its_line(tmp_path: Path) -> None:
    """The line is the one at which reading broke off."""
    assert "`ROOT/modelshelf.yaml`, line 2 is invalid: not valid YAML" in refusal(
        tmp_path, "trash:\n\t- ["
    )


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 end in the same error as any other wrong file."""
    (tmp_path / "modelshelf.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidSettingError, match="cannot read it"):
        Settings.load(environ={"MODELSHELF_ROOT": str(tmp_path)})


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (
            {"MODELSHELF_TRASH__DAYS": "-1"},
            (
                "the setting `trash.days` from environment `MODELSHELF_TRASH__DAYS` is invalid: "
                "expected greater than or equal to 0, got `-1`"
            ),
        ),
        (
            {"MODELSHELF_TRASH": "9"},
            (
                "the setting `trash` from environment `MODELSHELF_TRASH` is invalid: "
                "expected settings below it, such as `days: 30`, got `9`"
            ),
        ),
        (
            {"MODELSHELF_TRASH": "soon"},
            (
                "the setting `trash` from environment `MODELSHELF_TRASH` is invalid: "
                "expected the settings below it as JSON"
            ),
        ),
    ],
)
def test_a_wrong_variable_is_refused_by_its_name(
    tmp_path: Path, variables: dict[str, str], expected: str
) -> None:
    """The message names the variable as it stands in the environment."""
    assert refusal(tmp_path, **variables) == expected


def test_a_plain_value_beside_a_nested_one_is_refused(tmp_path: Path) -> None:
    """A file that spoils a group is not healed by a variable inside that group."""
    assert "the setting `trash`" in refusal(tmp_path, "trash: 5", MODELSHELF_TRASH__DAYS="4")


def test_variables_of_others_are_no_error(tmp_path: Path) -> None:
    """A prefix is not a claim on every name that begins with it."""
    assert set(load(tmp_path, MODELSHELF_IMAGE_TAG="7").origins().values()) == {
        "default",
        "environment `MODELSHELF_ROOT`",
    }


def test_parse_args_leaves_the_flags_of_others(tmp_path: Path) -> None:
    """The program around modelshelf has flags of its own, some of which begin alike."""
    config = Settings.get_config()
    rest = config.parse_args(["--rootdir=x", "--root", str(tmp_path), "--port", "90", "file"])
    assert rest == ["--rootdir=x", "--port", "90", "file"]
    assert config.root_path == tmp_path
    assert config.models_path == tmp_path / "models"
    assert config.db_path == tmp_path / "databases" / "models.db"
    assert config.settings.origins()["root"] == "flag `--root`"


def test_parse_args_reads_the_command_line_of_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The specification's example calls it without arguments."""
    monkeypatch.setattr("sys.argv", ["program", f"--root={tmp_path}"])
    config = Settings.get_config()
    config.parse_args()
    assert config.root_path == tmp_path


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--root"], "the setting `root` from flag `--root` is invalid: argument --root: expected"),
        (["--trash-days", "x"], "the setting `trash.days` from flag `--trash-days` is invalid"),
        (["--root", ""], "expected a path, not an empty text"),
    ],
)
def test_a_wrong_flag_is_refused_by_its_name(arguments: list[str], expected: str) -> None:
    """A guest raises; it does not end the program that it is a guest in."""
    with pytest.raises(InvalidSettingError) as caught:
        Settings.get_config().parse_args(arguments)
    assert expected in str(caught.value)


def test_the_root_is_absolute_and_knows_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`~` and relative roots mean the same wherever the program goes later."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert Settings.model_validate({"root": "~/shelf"}).root == tmp_path / "shelf"
    assert Settings.model_validate({"root": "shelf"}).root == tmp_path / "shelf"


@dataclass
class HostConfig:
    """A host program's own configuration, as the specification's example passes it."""

    root_path: Path
    models_path: Path
    db_path: Path


def test_any_object_with_the_documented_paths_will_do(tmp_path: Path) -> None:
    """The specification passes the host's configuration object."""
    host = HostConfig(tmp_path, tmp_path / "models", tmp_path / "databases" / "models.db")
    settings = Settings.from_object(host)
    assert settings.root_path == tmp_path
    assert settings.models_path == host.models_path
    assert settings.db_path == host.db_path
    assert settings.origins()["root"] == "attribute of `HostConfig`"


def test_a_hosts_own_database_is_left_alone(tmp_path: Path) -> None:
    """Its tables are not ours: the specification's `models.db` lies beside it."""
    host = HostConfig(tmp_path, tmp_path / "models", tmp_path / "databases" / "invokeai.db")
    assert Settings.from_object(host).db_path == tmp_path / "databases" / "models.db"


def test_from_object_keeps_what_is_settings_already(tmp_path: Path) -> None:
    """Settings are themselves; the specification's `config` gives what it holds now."""
    settings = Settings(root=tmp_path)
    config = Settings.get_config()
    config.parse_args(["--root", str(tmp_path)])
    assert Settings.from_object(settings) is settings
    assert Settings.from_object(config) is config.settings


def test_an_object_without_paths_is_refused() -> None:
    """The message says which attribute is missed."""
    with pytest.raises(InvalidSettingError, match="expected an object with `root_path`"):
        Settings.from_object({"root": "/"})


def test_records_are_kept_where_the_settings_say(tmp_path: Path) -> None:
    """`auto`, a path below the root, or `none`; anything else is told with its origin."""
    where = {
        "": "auto",
        "model_config_db: auto\n": "auto",
        "model_config_db: None\n": None,
        "model_config_db: records.yaml\n": tmp_path / "records.yaml",
        "model_config_db: /srv/records.db\n": Path("/srv/records.db"),
    }
    for text, expected in where.items():
        settings = load(tmp_path, text)
        assert settings.model_config_db == expected
        assert settings.conf_path == tmp_path / "configs" / "models.yaml"
    changed = load(tmp_path, "conf_path: mine.yaml\n", MODELSHELF_MODEL_CONFIG_DB="none")
    assert (changed.model_config_db, changed.conf_path) == (None, tmp_path / "mine.yaml")
    assert "file `ROOT/modelshelf.yaml`, line 1 is invalid: expected `auto`" in refusal(
        tmp_path, "model_config_db: [a]\n"
    )
