from __future__ import annotations

import pytest

from modelshelf.cli.text import columns, human_size, printable


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, "0 B"),
        (1, "1 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (99_949, "99.9 kB"),
        (100_000, "100 kB"),
        (999_499, "999 kB"),
        (999_950, "1.0 MB"),
        (4_120_000_000, "4.1 GB"),
        (10**18, "1000 PB"),
    ],
)
def test_sizes_have_the_digits_that_say_something(size: int, expected: str) -> None:
    """Units of a thousand, and never a thousand of a unit while a larger one is left."""
    assert human_size(size) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain name", "plain name"),
        ("Größe 模型", "Größe 模型"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\x1b[2Jgone", r"\x1b[2Jgone"),
        ("safe\u202etxt", r"safe\u202etxt"),
        ("bad\udcff", r"bad\udcff"),
        (r"C:\models", r"C:\models"),
    ],
)
def test_names_cannot_move_the_cursor(text: str, expected: str) -> None:
    """What a terminal would obey is written as an escape; everything else stays."""
    assert printable(text) == expected


def test_columns_align_text_left_and_numbers_right() -> None:
    """A table can be read down its columns."""
    rows = [("vae", "1 B"), ("stable-diffusion", "10 kB")]
    assert list(columns(("NAME", "SIZE"), rows, right=frozenset({1}))) == [
        "NAME               SIZE",
        "vae                 1 B",
        "stable-diffusion  10 kB",
    ]


def test_the_widest_text_gives_way_on_a_narrow_terminal() -> None:
    """Names are shortened before a line wraps, numbers never."""
    rows = [("a-very-long-name-indeed", "1234567890", "end")]
    table = list(columns(("NAME", "SIZE", "X"), rows, right=frozenset({1}), width=32))
    assert table == ["NAME                   SIZE  X", "a-very-long-na…  1234567890  end"]


def test_a_pipe_gets_every_cell_whole() -> None:
    """Without a width nothing is shortened."""
    name = "n" * 500
    assert list(columns(("NAME",), [(name,)]))[1] == name


def test_columns_stop_shrinking_before_they_say_nothing() -> None:
    """A terminal of five columns still gets twelve of each name."""
    table = list(columns(("A", "B"), [("a" * 40, "b" * 40)], width=5))
    assert table[1] == "a" * 11 + "…  " + "b" * 11 + "…"


def test_wide_characters_take_two_columns() -> None:
    """East Asian names and combining marks keep the columns straight."""
    table = list(columns(("N", "S"), [("模型", "1"), ("e\u0301a", "2"), ("abcd", "3")]))
    assert table == ["N     S", "模型  1", "e\u0301a    2", "abcd  3"]


def test_a_path_gives_way_half_as_much_as_others() -> None:
    """The line is about it."""
    rows = [("t" * 50, "p" * 50)]
    table = list(columns(("TYPE", "PATH"), rows, keep_end=frozenset({1}), width=62))
    assert list(map(len, table[1].split())) == [20, 40]


def test_a_narrow_terminal_leaves_columns_out_before_paths_are_illegible() -> None:
    """The first spare one first, and only as many as it takes; a pipe has all of them."""
    headers = ("TYPE", "PREDICTION", "FORMAT", "PATH")
    rows = [("lora", "-", "safetensors", "models/of/somebody/with/long/names/warm.safetensors")]

    def shown(width: int | None) -> list[str]:
        table = columns(headers, rows, keep_end=frozenset({3}), spare=(1, 2), width=width)
        return next(table).split()

    assert shown(None) == shown(63) == list(headers)
    assert shown(62) == ["TYPE", "FORMAT", "PATH"]
    assert shown(50) == ["TYPE", "PATH"]
    assert shown(20) == ["TYPE", "PATH"]


def test_a_path_is_shortened_where_it_begins() -> None:
    """The name at its end is what tells models apart."""
    rows = [("vae", "models/of/somebody/warm.safetensors")]
    table = list(columns(("TYPE", "PATH"), rows, keep_end=frozenset({1}), width=25))
    assert table[1] == "vae   …y/warm.safetensors"
