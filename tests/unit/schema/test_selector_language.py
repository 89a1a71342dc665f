from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest

from modelshelf.errors import InvalidSelectorError, UsageError
from modelshelf.schema.selector import And, Attribute, Everything, Not, Operator, Or, Selector, Term
from modelshelf.schema.selector_form import Nothing, simplified
from modelshelf.schema.selector_language import parse_selector, render

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
DAY = 86_400
MIDNIGHT = int(datetime(2026, 1, 31, tzinfo=UTC).timestamp())


def read(text: str) -> Selector:
    return parse_selector(text, now=NOW)


def text(value: str, attribute: Attribute = Attribute.TEXT) -> Term:
    return Term(attribute, Operator.HAS, value)


def equal(attribute: Attribute, value: str) -> Term:
    return Term(attribute, Operator.IS, value)


A, B, C = text("a"), text("b"), text("c")
LORA = equal(Attribute.TYPE, "lora")


def test_the_sentence_of_the_issue() -> None:
    """`type:lora base:sdxl tag:x size>2GB used>90d`."""
    assert read("type:lora base:sdxl tag:x -tag:y size>2GB used>90d") == And(
        (
            LORA,
            equal(Attribute.BASE, "sdxl"),
            equal(Attribute.TAG, "x"),
            Not(equal(Attribute.TAG, "y")),
            Term(Attribute.SIZE, Operator.MORE, 2_000_000_000),
            Term(Attribute.USED, Operator.LESS, NOW.timestamp() - 90 * DAY),
        )
    )


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", Everything),
        ("  \n ", Everything),
        ("*", Everything),
        ("a b", And((A, B))),
        ("a and b", And((A, B))),
        ("a or b c", Or((A, And((B, C))))),
        ("(a or b) c", And((Or((A, B)), C))),
        ("(a or b)c", And((Or((A, B)), C))),
        ("a OR b", Or((A, B))),
        ("-(a b)", Not(And((A, B)))),
        ("not a", Not(A)),
        ("-a or b", Or((Not(A), B))),
        ("--a", A),
        ("-not -a", Not(A)),
        ("((a))", A),
        ("-*", Nothing),
        ("a -*", Nothing),
        ("a or *", Everything),
        ('"a"', A),
        ('"or"', text("or")),
        ('"-a"', text("-a")),
        ('"a b"', text("a b")),
        (r'"a\"b\\c"', text(r'a"b\c')),
        ("sd-1.5", text("sd-1.5")),
        ("*a*", A),
        ("text:a", A),
        ("text:a*", A),
    ],
)
def test_words_are_joined(written: str, expected: Selector) -> None:
    """Blanks mean and, and bind tighter than or; quotes take every meaning away."""
    assert read(written) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("type:LoRA", LORA),
        ("TYPE=lora", LORA),
        ("model_type:lora", LORA),
        ("base:sd*", Term(Attribute.BASE, Operator.STARTS, "sd")),
        ("name:ink", equal(Attribute.NAME, "ink")),
        ("name:ink*", Term(Attribute.NAME, Operator.STARTS, "ink")),
        ("name:*ink*", text("ink", Attribute.NAME)),
        ("name~ink", text("ink", Attribute.NAME)),
        ("name^ink", Term(Attribute.NAME, Operator.STARTS, "ink")),
        ('name:"ink*"', equal(Attribute.NAME, "ink*")),
        ("name=ink*", equal(Attribute.NAME, "ink*")),
        ('name:""', equal(Attribute.NAME, "")),
        ("tag:*", text("", Attribute.TAG)),
        ("key:ab12", Term(Attribute.KEY, Operator.STARTS, "ab12")),
        ("key=ab12", equal(Attribute.KEY, "ab12")),
        ("hash:AB12", Term(Attribute.HASH, Operator.STARTS, "ab12")),
        ("hash:blake3:AB12", Term(Attribute.HASH, Operator.STARTS, "ab12")),
        ("source:https://x/y", equal(Attribute.SOURCE, "https://x/y")),
        ("prediction:v_prediction", equal(Attribute.PREDICTION, "v_prediction")),
    ],
)
def test_texts_are_compared_as_their_sign_says(written: str, expected: Selector) -> None:
    """A colon means what is usual: equal, for keys and hashes their beginning; stars and signs say else."""
    assert read(written) == expected


@pytest.mark.parametrize(
    ("written", "operator", "size"),
    [
        ("size>2GB", Operator.MORE, 2 * 10**9),
        ("size:>2gb", Operator.MORE, 2 * 10**9),
        ("size>=1.5GiB", Operator.AT_LEAST, 3 * 2**29),
        ("size<500kB", Operator.LESS, 500_000),
        ("size<=1KiB", Operator.AT_MOST, 1024),
        ("size:0", Operator.IS, 0),
        ("size=7B", Operator.IS, 7),
        ("size>2TiB", Operator.MORE, 2 * 2**40),
        ("size>0.3MB", Operator.MORE, 300_000),
        ("size>@1.5", Operator.MORE, 1.5),
    ],
)
def test_sizes_have_units(written: str, operator: Operator, size: float) -> None:
    """Powers of 1000, with an i of 1024; a bare number is bytes."""
    assert read(written) == Term(Attribute.SIZE, operator, size)


@pytest.mark.parametrize(
    ("written", "operator", "ago"),
    [
        ("added<7d", Operator.MORE, 7 * DAY),
        ("added<=7d", Operator.AT_LEAST, 7 * DAY),
        ("added>2w", Operator.LESS, 14 * DAY),
        ("added>=36h", Operator.AT_MOST, 36 * 3600),
        ("added>3m", Operator.LESS, 90 * DAY),
        ("added>1.5y", Operator.LESS, 1.5 * 365 * DAY),
    ],
)
def test_ages_count_back_from_now(written: str, operator: Operator, ago: float) -> None:
    """Less than seven days ago is a later time."""
    assert read(written) == Term(Attribute.ADDED, operator, NOW.timestamp() - ago)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("added<2026-01-31", [(Operator.LESS, MIDNIGHT)]),
        ("added<=2026-01-31", [(Operator.LESS, MIDNIGHT + DAY)]),
        ("added>2026-01-31", [(Operator.AT_LEAST, MIDNIGHT + DAY)]),
        ("added>=2026-01-31", [(Operator.AT_LEAST, MIDNIGHT)]),
        (
            "added:2026-01-31",
            [(Operator.AT_LEAST, MIDNIGHT), (Operator.LESS, MIDNIGHT + DAY)],
        ),
        ("added>2026-01-31T12:00Z", [(Operator.MORE, MIDNIGHT + DAY / 2)]),
        ("added>2026-01-31T12:00:30", [(Operator.MORE, MIDNIGHT + DAY / 2 + 30)]),
    ],
)
def test_dates_are_whole_days_in_utc(written: str, expected: list[tuple[Operator, float]]) -> None:
    """After a day is after its end."""
    terms = tuple(Term(Attribute.ADDED, operator, time) for operator, time in expected)
    assert read(written) == simplified(And(terms))


def test_now_may_be_said_in_any_time_zone() -> None:
    """An age counts from the same moment."""
    there = NOW.astimezone(timezone(timedelta(hours=9)))
    assert parse_selector("used>1d", now=there) == read("used>1d")


def test_a_date_is_the_same_day_on_every_machine() -> None:
    """Whatever its time zone."""
    program = (
        "from datetime import UTC, datetime\n"
        "from modelshelf.schema.selector_language import parse_selector, render\n"
        "for text in ('added>=2026-01-31', 'added>=2026-01-31T00:00'):\n"
        "    found = parse_selector(text, now=datetime.now(UTC))\n"
        "    print(render(found), found.value)\n"
    )
    zone = os.environ | {"TZ": "Asia/Tokyo"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=zone, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert lines == [f"added>=2026-01-31 {MIDNIGHT}", f"added>=2026-01-31 {float(MIDNIGHT)}"]


def test_what_was_never_used_can_be_asked_for() -> None:
    """No other condition on `used` holds for it."""
    assert read("used:never") == Not(Term(Attribute.USED, Operator.AT_LEAST, 0))
    assert render(read("-used:never type:lora")) == "used>=1970-01-01 type:lora"


@pytest.mark.parametrize(
    ("written", "column", "said"),
    [
        ("tpye:lora", 1, "got `tpye`; did you mean `type`?"),
        ("a https://x", 3, "got `https`"),
        ("type:\n", 6, "a value, got nothing"),
        ('type:"\n"', 6, r"got `\n`"),
        ("type:lroa", 6, "got `lroa`; did you mean `lora`?"),
        ("base:SD1", 6, "did you mean `sd-1`?"),
        ("type>lora", 5, "one of : = ^ ~ for type, which is text, got `>`"),
        ("size~3", 5, "one of : = < <= > >=, got `~`"),
        ("size>big", 6, "a size below 9 EB, such as `2GB`"),
        ("size>2XB", 7, "one of B, kB, MB"),
        ("size>10000000000GB", 6, "a size below 9 EB"),
        ("size>@1e300", 6, "a number below 2^63"),
        ("used>soon", 6, "an age such as `90d`"),
        ("used>2026-02-30", 6, "a date that exists, got `2026-02-30`"),
        ("used:90d", 1, "`>90d` for longer ago or `<90d` for since then"),
        ("added:never", 7, "an age such as"),
        ("name:", 6, "a value, got nothing"),
        ("size>", 6, "a value, got nothing"),
        ("name:a*b", 6, "`text*`, `*text*`, `*`, or quotes, got `a*b`"),
        ("name:*a", 6, "`text*`"),
        ("a*b", 1, "a star only at an end"),
        ("(a", 3, "the `)` for the `(` at column 1, got nothing"),
        ("a)", 2, "an opening parenthesis before it"),
        ("()", 2, "a condition such as `type:lora` or a word, got `)`"),
        ("or a", 1, "a condition such as"),
        ("a or", 5, "a condition such as `type:lora` or a word, got nothing"),
        ("a and or b", 7, "a condition such as"),
        ("-", 2, "a condition such as"),
        ('name:"a', 6, "quotes that are closed"),
        ('"a"b', 4, "a blank after the quotes"),
        ('a"b"', 2, "quotes around the whole value"),
        ("a\0", 2, r"a character that a record can hold, got `\x00`"),
        ("a\ud800", 2, r"a character that a record can hold, got `\ud800`"),
        ("x" * 5000, 4097, "at most 4096 characters, got `5000 characters`"),
        ("a " * 501, 1001, "at most 500 words"),
        ("(" * 60 + "a" + ")" * 60, 51, "at most 50 parentheses within one another"),
    ],
)
def test_what_cannot_be_read_is_told(written: str, column: int, said: str) -> None:
    """Column, expected, got, and the nearest word; it is a mistake in the request."""
    with pytest.raises(InvalidSelectorError) as caught:
        read(written)
    assert caught.value.column == column
    assert said in str(caught.value)
    assert str(caught.value).isprintable()
    assert isinstance(caught.value, UsageError)


def test_many_signs_are_no_depth() -> None:
    """The longest text that can be read is read."""
    assert read("-" * 499 + "a") == Not(A)
    assert read("(" * 50 + "a" + ")" * 50) == A
    assert isinstance(read("a " * 500), And)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "-*",
        "type:lora base:sdxl -tag:draft size>2GB used<2025-11-02",
        "type:lora or type:vae name:ink*",
        "-(a or b) (c or d)",
        "-(a b)",
        '"ink pen" name:"a b" name:*ink* key="ab"',
        "size>=1610612736 size<5kB size>0 size<@-1 size=@1.5 added>@1769212800.0",
        'tag:" x" tag~"" text="whole" text^"be*" hash:ab',
        "used:never",
        '"OR" -"not"',
    ],
)
def test_the_plain_way_to_write_is_kept(written: str) -> None:
    """What people would write is what is shown to them."""
    assert render(read(written)) == written


@pytest.mark.parametrize(
    "term",
    [
        Term(Attribute.NAME, Operator.LESS, "x"),
        Term(Attribute.NAME, Operator.IS, 7),
        Term(Attribute.SIZE, Operator.IS, "x"),
        Term(Attribute.SIZE, Operator.HAS, 7),
        Term(Attribute.SIZE, Operator.MORE, float("nan")),
        Term(Attribute.SIZE, Operator.MORE, 2**63),
        Term(Attribute.TYPE, Operator.IS, "no such type"),
        Term(Attribute.NAME, Operator.HAS, "\0"),
    ],
)
def test_what_no_record_can_fit_is_nothing(term: Term) -> None:
    """A program may build it; no store is asked."""
    assert simplified(term) == Nothing
    assert simplified(Or((term, LORA))) == LORA


def test_numbers_that_no_record_reaches_ask_whether_there_is_one() -> None:
    """Every size is below 2^63 and above its negative, and no column could be compared with them."""
    sized = Term(Attribute.SIZE, Operator.AT_LEAST, 0)
    assert simplified(Term(Attribute.SIZE, Operator.LESS, 2**70)) == sized
    assert simplified(Term(Attribute.SIZE, Operator.AT_LEAST, float("-inf"))) == sized
    assert simplified(Term(Attribute.SIZE, Operator.AT_MOST, -(2**63))) == Nothing
    assert simplified(Term(Attribute.SIZE, Operator.IS, float("inf"))) == Nothing


def test_one_form_of_words_and_hashes() -> None:
    """As records write them."""
    assert simplified(equal(Attribute.TYPE, "LoRA")) == LORA
    asked = Term(Attribute.HASH, Operator.STARTS, "BLAKE3:AB")
    assert simplified(asked) == Term(Attribute.HASH, Operator.STARTS, "ab")


@pytest.mark.parametrize(
    "value", ["a\\", '"', '\\"', "a b", "", "or", "x*", "(", "\n", ":", "<5", "@1", "é"]
)
def test_every_text_can_be_written(value: str) -> None:
    """With quotes where it needs them."""
    for attribute in (Attribute.TEXT, Attribute.NAME, Attribute.KEY):
        for operator in (Operator.IS, Operator.STARTS, Operator.HAS):
            term = Term(attribute, operator, value)
            assert read(render(term)) == term
