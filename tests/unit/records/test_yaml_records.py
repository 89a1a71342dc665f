from __future__ import annotations

import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest

from modelshelf.disk import LocalDisk
from modelshelf.errors import (
    DuplicateKeyError,
    InvalidModelConfigException,
    InvalidRecordFileError,
    NotARecordStoreError,
    StaleConfigError,
    StoreBusyError,
    StoreTooNewError,
    StoreUnusableError,
    StoreWriteError,
    UnknownModelException,
)
from modelshelf.records.file_service import ModelRecordServiceFile
from modelshelf.records.yaml_file import YamlFile
from modelshelf.schema.selector import Attribute, Operator, Term

NOW = datetime(2030, 5, 6, 7, 8, 9, tzinfo=UTC)
MINE = """\
# My models. Do not sort!
---
__metadata__: {version: 3.2}   # by hand

# ---- LoRAs ----

# the one for faces
ink:
    name:   "Ink: lines"     # as on the box
    type: lora
    format: 'lycoris'
    base: sdxl

    path: ink.safetensors
    # not sure about these
    tags:
    - line art    # checked
    # from the forum
    - sfw
    description: |
        One line,

          and another.

    default_settings:
        weight: 0.80   # best
        sampler: euler
    revision: 4   # leave alone

sd15: {name: SD 1.5, model_type: main, # one line
  model_format: diffusers, base_model: sd-1, path: sd15}
# the end
"""
LORA = {"name": "New", "type": "lora", "format": "lycoris", "base": "sd-1", "path": "new"}

Opened = Callable[[str], ModelRecordServiceFile]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "models.yaml"


@pytest.fixture
def opened(path: Path) -> Opened:
    def open_with(content: str) -> ModelRecordServiceFile:
        path.write_bytes(content.encode())
        return ModelRecordServiceFile(path, clock=lambda: NOW)

    return open_with


def lines_changed(before: str, after: str) -> tuple[list[str], list[str]]:
    """Return the lines that only the one has, and those that only the other has."""
    old, new = before.splitlines(), after.splitlines()
    return [each for each in old if each not in new], [each for each in new if each not in old]


def test_a_new_file_says_what_it_is(path: Path) -> None:
    """A file that does not exist is made, folders included."""
    path = path.parent / "deep" / "down" / "models.yaml"
    store = ModelRecordServiceFile.from_db_file(path)
    assert path.read_text() == "__metadata__:\n  version: '3.2'\n"
    assert (store.version(), store.all_models()) == ("3.2", [])


def test_a_record_is_written_for_people(path: Path) -> None:
    """Long names in a readable order, several lines as such, nothing that is empty."""
    store = ModelRecordServiceFile(path, clock=lambda: NOW)
    store.add_model(
        "0a1b", LORA | {"description": "One.\nTwo.", "tags": ["a: b", "sfw"], "hash": "", "size": 5}
    )
    assert path.read_text() == (
        "__metadata__:\n  version: '3.2'\n\n0a1b:\n"
        "  name: New\n  model_type: lora\n  model_format: lycoris\n  base_model: sd-1\n  path: new\n"
        "  description: |-\n    One.\n    Two.\n  tags:\n    - 'a: b'\n    - sfw\n  size: 5\n"
        "  created_at: 1904281689.0\n  updated_at: 1904281689.0\n  revision: 1\n"
    )


def test_reading_changes_nothing(opened: Opened, path: Path) -> None:
    """However a person writes a record, it is read, and the file stays as it is."""
    store = opened(MINE)
    ink = store.get_model("ink")
    assert (ink.name, ink.model_type, ink.revision) == ("Ink: lines", "lora", 4)
    assert (ink.tags, ink.description) == (["line art", "sfw"], "One line,\n\n  and another.\n")
    assert ink.default_settings == {"weight": 0.8, "sampler": "euler"}
    assert store.get_model("sd15").name == "SD 1.5"
    assert [each.key for each in store.all_models()] == ["ink", "sd15"]
    assert path.read_text() == MINE


def test_a_change_touches_its_own_lines_alone(opened: Opened, path: Path) -> None:
    """Comments, quotes, order, indentation and blank lines around it stay, character for character."""
    opened(MINE).update_model("ink", {"name": 'It\'s "new"', "format": "diffusers"})
    assert lines_changed(MINE, path.read_text()) == (
        [
            '    name:   "Ink: lines"     # as on the box',
            "    format: 'lycoris'",
            "    revision: 4   # leave alone",
        ],
        [
            '    name:   "It\'s \\"new\\""     # as on the box',
            "    format: 'diffusers'",
            "    updated_at: 1904281689.0",
            "    revision: 5   # leave alone",
        ],
    )


def test_lists_and_mappings_change_entry_by_entry(opened: Opened, path: Path) -> None:
    """A tag or a setting that stays keeps its line and its comment."""
    store = opened(MINE)
    store.update_model(
        "ink",
        {
            "tags": ["line art", "manga", "sfw", "x"],
            "default_settings": {"weight": 1, "steps": 20},
            "description": "Short\nagain.",
        },
    )
    text = path.read_text()
    for kept in (
        "    - line art    # checked",
        "    # from the forum",
        "        weight: 1   # best",
    ):
        assert kept in text.splitlines()
    assert text.index("- manga") < text.index("# from the forum") < text.index("- sfw")
    assert "    description: |-\n      Short\n      again.\n\n    default_settings:" in text
    assert "sampler" not in text
    assert store.get_model("ink").tags == ["line art", "manga", "sfw", "x"]


def test_settings_within_settings_grow_where_they_belong(opened: Opened, path: Path) -> None:
    """What is added to the inner ones stands above what is added to the outer ones."""
    text = (
        "__metadata__: {version: '3.2'}\na:\n  name: A\n  type: lora\n  format: lycoris\n  base: sd-1\n"
        "  path: a\n  default_settings:\n    # inner\n    inner:\n      old: 1\n  # below\n  revision: 1\n"
    )
    opened(text).update_model(
        "a", {"default_settings": {"inner": {"new": [1], "b": 2}, "outer": 3}}
    )
    assert path.read_text().partition("  default_settings:\n")[2] == (
        "    # inner\n    inner:\n      new:\n        - 1\n      b: 2\n    outer: 3\n"
        "  updated_at: 1904281689.0\n  # below\n  revision: 2\n"
    )


def test_a_field_that_becomes_empty_is_left_out(opened: Opened, path: Path) -> None:
    """None, and lists without entries, are no lines."""
    opened(MINE).update_model("ink", {"tags": [], "description": None, "default_settings": None})
    text = path.read_text()
    assert "tags" not in text
    assert "weight" not in text
    assert "# not sure about these" in text


@pytest.mark.parametrize(
    ("written", "change"),
    [
        ("bases: [sd-1]", {"base": "sdxl"}),
        ("upcast_attention: false", {"type": "vae"}),
        ("vae: null", {"type": "controlnet"}),
    ],
)
def test_what_went_without_saying_gives_way(
    opened: Opened, path: Path, written: str, change: dict[str, str]
) -> None:
    """A field that only repeats what is usual does not stand in the way of a change."""
    store = opened(
        "__metadata__: {version: '3.2'}\n\na:\n  name: A  # mine\n  type: main\n  format: diffusers\n"
        f"  base: sd-1\n  path: a\n  variant: normal\n  {written}\n"
    )
    store.update_model("a", {"name": "B"})
    assert written in path.read_text()
    changed = store.update_model("a", change | {"variant": None} if "type" in change else change)
    assert written not in path.read_text()
    assert "  name: B  # mine\n" in path.read_text()
    assert ModelRecordServiceFile(path).get_model("a") == changed


def test_a_record_in_brackets_keeps_its_comment(opened: Opened, path: Path) -> None:
    """What has no lines of its own goes through ruamel's round trip."""
    store = opened(MINE)
    store.update_model("sd15", {"tags": ["a"], "name": "SD"})
    text = path.read_text()
    assert text.startswith(MINE.partition("sd15:")[0])
    assert "\nsd15: {name: SD, model_type: main," in text
    assert "# one line\n" in text
    assert (store.get_model("sd15").tags, text.endswith("# the end\n")) == (["a"], True)


def test_line_ends_and_a_byte_order_mark_stay(opened: Opened, path: Path) -> None:
    """A file from Windows stays one, also where lines are added."""
    store = opened("\ufeff" + MINE.replace("\n", "\r\n"))
    store.update_model("ink", {"author": "me", "tags": ["sfw"], "description": "a\nb"})
    store.add_model("new", LORA)
    content = path.read_bytes().decode()
    assert content.startswith("\ufeff# My models.")
    assert content.count("\n") == content.count("\r\n")
    assert store.get_model("ink").author == "me"


def test_a_deleted_record_takes_its_own_comment_along(opened: Opened, path: Path) -> None:
    """The comment right above goes, a heading that a blank line parts from it stays."""
    store = opened(MINE)
    store.del_model("ink")
    text = path.read_text()
    assert "# ---- LoRAs ----" in text
    assert "# the one for faces" not in text
    assert "sd15: {name: SD 1.5, model_type: main, # one line" in text
    store.del_model("sd15")
    assert path.read_text() == (
        "# My models. Do not sort!\n---\n__metadata__: {version: 3.2}   # by hand\n\n"
        "# ---- LoRAs ----\n\n# the end\n"
    )


@pytest.mark.parametrize("end", ["", "\n# the end", "\n\n", "\n# the end\n"])
def test_what_is_added_begins_on_a_line_of_its_own(opened: Opened, path: Path, end: str) -> None:
    """Below everything, with one blank line between, also where the last line has no end."""
    store = opened(f"__metadata__:\n  version: '3.2'{end}")
    store.add_model("a", LORA)
    store.add_model("b", LORA)
    assert [each.key for each in store.all_models()] == ["a", "b"]
    assert path.read_text().startswith(
        f"__metadata__:\n  version: '3.2'{end}".rstrip() + "\n\na:\n"
    )


@pytest.mark.parametrize(
    "name", ["yes", "007", "1e5", "~", "- x", "a: b", "#1", "null", " x ", "é\u2028\t\x85"]
)
def test_a_name_that_yaml_would_take_for_something_else_is_quoted(path: Path, name: str) -> None:
    """What was written is what is read."""
    ModelRecordServiceFile(path).add_model("k", LORA | {"name": name})
    assert ModelRecordServiceFile(path).get_model("k").name == name


# -- mistakes that people make


@pytest.mark.parametrize(
    ("wrong", "place", "words"),
    [
        ("ink:\n  name: 'Ink\n", "line 6, field `name`", "while scanning a quoted scalar"),
        ("ink:\n\tname: Ink\n", "line 6, field `name`", "cannot start any token"),
        ("ink:\n  name: a: b\n", "line 6, field `name`", "mapping values are not allowed"),
        ("ink:\n  name: a\n  path: b\n size: 1\n", "line 8, field `size`", "expected <block end>"),
        ("ink:\n  name: a\n- b\n", "line 7", "expected <block end>"),
        ("ink:\n  x: {y: 1,\n    z: *b}\n", "line 7, field `x`", "expected the value itself"),
        ("ink\n", "line 5", "expected a key"),
        ("sd15:\n  name: b\n", "line 5", "the key `sd15` is there twice, first on line 3"),
        ("---\n", "line 5", "ends the document"),
        ("a: *b\n", "line 5", "expected the value itself"),
        ("[a]: 1\n", "line 5", "expected the key"),
        ("a: " + "[" * 5000 + "\n", "line 5", "too many brackets"),
        ("a:\n  path: p\n  name: \x07\n", "line 7, field `name`", "special characters"),
        ("a:\n  path: p\n  name: \0\n", "line 7, field `name`", "special characters"),
    ],
)
def test_a_file_that_is_no_yaml_is_refused_whole(
    opened: Opened, path: Path, wrong: str, place: str, words: str
) -> None:
    """Line, field and reason are named, no call works, and the file stays until it is corrected."""
    sound = (
        "__metadata__:\n  version: '3.2'\n"
        "sd15: {name: a, type: main, format: diffusers, base: sd-1,\n  path: a}\n"
    )
    store = opened(sound)
    path.write_text(sound + wrong)
    for call in (
        lambda: store.get_model("sd15"),
        lambda: store.add_model("x", LORA),
        store.all_models,
    ):
        with pytest.raises(InvalidRecordFileError, match="line ") as caught:
            call()
        assert f"{place}: " in str(caught.value)
        assert words in str(caught.value)
    assert path.read_text() == sound + wrong
    path.write_text(sound)
    assert store.count() == 1


BROKEN = (
    "__metadata__:\n  version: '3.2'\n\n"
    "good:\n  name: Good\n  type: lora\n  format: lycoris\n  base: sd-1\n  path: good\n\n"
    "# why not\nbad:\n  name: Bad\n  type: lora\n  format: lycoris\n  base: sd-1\n  path: bad\n"
)


@pytest.mark.parametrize(
    ("wrong", "line", "field"),
    [
        ("  colour: red\n", 18, "colour"),
        ("  variant: sideways\n", 18, "variant"),
        ("  name: Again\n", 18, "name"),
        ("  size: many\n", 18, "size"),
        ("  size: 0x\n", 18, "size"),
        ("  tags: [a, [b]]\n", 18, "tags"),
        ("  key: other\n", 18, "key"),
        ("  author: !!binary aGVsbG8=\n", 18, "author"),
        ("  author: &a me\n  license: *a\n", 19, "license"),
        ("  default_settings:\n    a: 1\n    a: 2\n", 20, "default_settings"),
        ("  default_settings:\n    ? [a]\n    : 2\n", 19, "default_settings"),
        ("  default_settings: !mine {a: 1}\n", 18, "default_settings"),
        (f"  default_settings: {'[' * 40}{']' * 40}\n", 18, "default_settings"),
    ],
)
def test_a_record_with_a_mistake_hides_no_other(
    opened: Opened, path: Path, wrong: str, line: int, field: str
) -> None:
    """By its key it is refused with line and field, as is every list; other records work, and it is kept."""
    store = opened(BROKEN + wrong)
    with pytest.raises(InvalidModelConfigException) as caught:
        store.get_model("bad")
    assert f"line {line}, field `{field}`" in str(caught.value)
    assert caught.value.fields == field
    with pytest.raises(InvalidRecordFileError, match=f"record `bad`, line {line}"):
        store.all_models()
    with pytest.raises(InvalidRecordFileError):
        store.count(Term(Attribute.NAME, Operator.IS, "Good"))
    assert store.get_model("good").name == "Good"
    assert store.exists("bad")
    store.update_model("good", {"name": "Better"})
    store.add_model("more", LORA)
    store.del_model("good")
    for change in (
        lambda: store.del_model("bad"),
        lambda: store.update_model("bad", {"name": "x"}),
    ):
        with pytest.raises(InvalidModelConfigException):
            change()
    with pytest.raises(DuplicateKeyError):
        store.add_model("bad", LORA)
    assert BROKEN[BROKEN.index("# why not") :] + wrong in path.read_text()


@pytest.mark.parametrize(
    "wrong", ["bad2: 5\n", "bad2:\n", "bad2:\n- a\n", "bad2: []\n", "bad2: {[a]: 1}\n"]
)
def test_a_record_that_is_no_mapping_is_a_mistake_in_that_record(
    opened: Opened, wrong: str
) -> None:
    """It is named with its line, and hides no other."""
    store = opened(BROKEN + wrong)
    with pytest.raises(InvalidModelConfigException, match="line 18: expected "):
        store.get_model("bad2")
    assert store.get_model("bad").name == "Bad"


def test_twenty_mistakes_are_told_at_once(opened: Opened) -> None:
    """A person corrects them in one go, and is told how many there are."""
    store = opened(BROKEN + "".join(f"r{number}: 1\n" for number in range(25)))
    with pytest.raises(InvalidRecordFileError) as caught:
        store.all_models()
    assert str(caught.value).count("record `") == 20
    assert str(caught.value).endswith("and 5 more")
    assert caught.value.count == 25


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"SQLite format 3\0\xff\xfe", NotARecordStoreError),
        (b"just some text\n", NotARecordStoreError),
        (b"--- text\n", NotARecordStoreError),
        (b"# nothing\n", NotARecordStoreError),
        (b"- a\n- b\n", NotARecordStoreError),
        (b"ink:\n  name: Ink\n", NotARecordStoreError),
        (b"__metadata__: 3.2\n", NotARecordStoreError),
        (b"__metadata__:\n  version: 3.0.0\n", NotARecordStoreError),
        (b"__metadata__:\n  version: three\n", NotARecordStoreError),
        (b"__metadata__:\n  version: '4.0'\n", StoreTooNewError),
        (b"__metadata__:\n  version: '3.2'\nink:\n  name: \xff\n", InvalidRecordFileError),
        (b"__metadata__:\n  version: '3.2'\nink: [\n", InvalidRecordFileError),
        (b"__metadata__:\n  version: '3.2'\n- ink\n", InvalidRecordFileError),
    ],
)
def test_a_file_of_another_kind_is_refused_and_left_alone(
    path: Path, content: bytes, kind: type[Exception]
) -> None:
    """What holds no records of this version is no store; the document calls for an AssertionError."""
    path.write_bytes(content)
    with pytest.raises(kind) as caught:
        ModelRecordServiceFile.from_db_file(path)
    assert isinstance(caught.value, AssertionError) == (kind is not InvalidRecordFileError)
    assert path.read_bytes() == content
    assert str(path) in str(caught.value)


def test_a_folder_or_a_pipe_is_no_file(tmp_path: Path) -> None:
    """Neither is opened, and the pipe does not hang."""
    os.mkfifo(tmp_path / "pipe.yaml")
    for name in (".", "pipe.yaml"):
        with pytest.raises(StoreUnusableError):
            ModelRecordServiceFile(tmp_path / name)


def test_a_file_that_vanishes_is_no_empty_store(path: Path) -> None:
    """Nothing is answered from memory, and no new file takes its place."""
    store = ModelRecordServiceFile(path)
    path.unlink()
    with pytest.raises(StoreUnusableError, match="gone"):
        store.add_model("a", LORA)
    assert not path.exists()


# -- what others write


def test_what_a_person_saves_is_seen_at_once(opened: Opened, path: Path) -> None:
    """Also within the same tick of the clock, with the same size, in place."""
    store = opened(MINE)
    for name in ("Ink: linen", "Ink: linex", "Ink: lines"):
        with path.open("r+") as file:
            file.write(MINE.replace("Ink: lines", name))
        assert store.get_model("ink").name == name


def test_a_person_s_change_makes_older_records_stale(opened: Opened, path: Path) -> None:
    """A program that read the record before cannot overwrite what the person wrote."""
    store = opened(MINE)
    before = store.get_model("ink")
    path.write_text(MINE.replace("base: sdxl", "base: sd-1"))
    before.author = "somebody"
    with pytest.raises(StaleConfigError):
        store.update_model("ink", before)
    assert store.get_model("ink").revision == 5
    assert store.update_model("ink", {"author": "me"}).revision == 6
    assert "base: sd-1" in path.read_text()


def test_a_person_s_comment_makes_nothing_stale(opened: Opened, path: Path) -> None:
    """Who only writes a comment changes no record, and the comment stays."""
    store = opened(MINE)
    before = store.get_model("ink")
    path.write_text(MINE.replace("# as on the box", "# as on the lid"))
    assert store.update_model("ink", before).revision == 5
    assert "# as on the lid" in path.read_text()


def test_two_stores_on_one_file_see_each_other(path: Path) -> None:
    """Each notices what the other wrote before it reads or writes."""
    one, two = ModelRecordServiceFile(path), ModelRecordServiceFile(path)
    one.add_model("a", LORA)
    stale = two.get_model("a")
    one.update_model("a", {"name": "One"})
    with pytest.raises(StaleConfigError):
        two.update_model("a", stale)
    two.del_model("a")
    with pytest.raises(UnknownModelException):
        one.get_model("a")


# -- the file itself


def test_mode_and_symbolic_link_stay(tmp_path: Path, path: Path) -> None:
    """The file that the link leads to is replaced, with the mode that it has."""
    real = tmp_path / "elsewhere" / "real.yaml"
    real.parent.mkdir()
    path.symlink_to(real)
    store = ModelRecordServiceFile(path)
    real.chmod(0o640)
    store.add_model("a", LORA)
    assert path.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert sorted(each.name for each in real.parent.iterdir()) == [".real.yaml.lock", "real.yaml"]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["elsewhere", "models.yaml"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_write_protected_file_is_not_replaced(opened: Opened, path: Path) -> None:
    """Renaming would not ask; the store does."""
    store = opened(MINE)
    path.chmod(0o444)
    with pytest.raises(StoreWriteError, match="write-protected"):
        store.add_model("a", LORA)
    assert path.read_text() == MINE


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_the_owner_stays(opened: Opened, path: Path) -> None:
    """Root changes a person's file, and it is still the person's."""
    store = opened(MINE)
    os.chown(path, 12345, 12345)
    store.add_model("a", LORA)
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 12345)


def test_a_file_that_is_far_too_long_is_neither_read_nor_written(path: Path) -> None:
    """Memory is bounded; what would not be read again is not written."""
    store = ModelRecordServiceFile(path)
    with pytest.raises(StoreWriteError, match="at most"):
        store.add_models(
            (str(each), LORA | {"source_api_response": "x" * 4_000_000}) for each in range(17)
        )
    assert store.all_models() == []
    os.truncate(path, 65 * 1024 * 1024)
    with pytest.raises(StoreUnusableError, match="at most"):
        store.all_models()


def test_who_waits_too_long_for_the_lock_is_told(path: Path) -> None:
    """Another writer that hangs does not hang everybody for ever."""
    troubles: list[StoreBusyError] = []

    def wait() -> None:
        with pytest.raises(StoreBusyError) as caught, YamlFile(path, patience=0.01).locked():
            pass
        troubles.append(caught.value)

    with YamlFile(path).locked():
        thread = Thread(target=wait)
        thread.start()
        thread.join()
    assert [each.what for each in troubles] == [str(path)]


def test_a_file_that_others_save_without_end_is_busy(path: Path) -> None:
    """Nothing of theirs is overwritten, and the attempts end."""
    ModelRecordServiceFile(path)

    class Saving(LocalDisk):
        def sync_file(self, descriptor: int) -> None:
            with path.open("a") as file:
                file.write("# saved\n")
            super().sync_file(descriptor)

    with pytest.raises(StoreBusyError):
        ModelRecordServiceFile(path, disk=Saving()).add_model("a", LORA)
    assert ModelRecordServiceFile(path).all_models() == []


@pytest.mark.parametrize("key", ["__metadata__", "\x01" * 255])
def test_a_key_that_cannot_stand_in_the_file_is_refused(path: Path, key: str) -> None:
    """Named as the field that is wrong, before anything is written."""
    store = ModelRecordServiceFile(path)
    with pytest.raises(InvalidModelConfigException, match="`key`"):
        store.add_model(key, LORA)
    assert store.all_models() == []


@pytest.mark.parametrize(
    "key", ["a b", "#a", "a: b", "- a", "123", "12e3", "yes", "é", "{a}", "a\nb", '"']
)
def test_any_other_key_can(path: Path, key: str) -> None:
    """Quoted where need be, and found again by another store."""
    ModelRecordServiceFile(path).add_model(key, LORA)
    store = ModelRecordServiceFile(path)
    assert store.get_model(key).key == key
    store.update_model(key, {"name": "x"})
    store.del_model(key)
    assert store.all_models() == []
