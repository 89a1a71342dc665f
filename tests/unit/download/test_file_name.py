import pytest

from modelshelf.download.file_name import name_from, safe_name, suggested_name
from modelshelf.errors import UnsafeFileNameError

_URL = "https://hub.example/acme/ink/resolve/main/from%20url.safetensors?x=1"


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ("attachment; filename=a.bin", "a.bin"),
        ('attachment; filename="a b.bin"', "a b.bin"),
        ('ATTACHMENT; FileName="a.bin"', "a.bin"),
        ("filename=a.bin", "a.bin"),
        ("inline;filename = a.bin ; size=3", "a.bin"),
        ("attachment; filename=\"a.bin\"; filename*=UTF-8''%e2%82%ac.bin", "€.bin"),
        ("attachment; filename*=UTF-8''%e2%82%ac.bin; filename=\"a.bin\"", "€.bin"),
        ("attachment; filename*=iso-8859-1'en'%A3.bin", "£.bin"),
        ("attachment; filename=a.bin; filename*=nonsense''%ff", "a.bin"),
        ("attachment; filename=a.bin; filename*=UTF-8''%ff", "a.bin"),
        ('attachment; filename="a; filename=evil.bin"', "a; filename=evil.bin"),
        ('attachment; name="x; filename=evil.bin"; filename=a.bin', "a.bin"),
        (r'attachment; filename="a \"b\".bin"', "a _b_.bin"),
        ('attachment; filename="\u00e2\u0082\u00ac.bin"', "€.bin"),
        ('attachment; filename="%E2%82%AC.bin"', "€.bin"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="..\\\\..\\\\a.bin"', "a.bin"),
        (r'attachment; filename="C:\Windows\a.bin"', "a.bin"),
        (r'attachment; filename="\\\\server\\share\\a.bin"', "a.bin"),
        ('attachment; filename="/etc/a.bin"', "a.bin"),
        ("attachment; filename*=UTF-8''..%2F..%2Fa.bin", "a.bin"),
        ('attachment; filename=".hidden.bin"', "hidden.bin"),
        ('attachment; filename="a.bin. . "', "a.bin"),
        ('attachment; filename="a.bin:stream"', "a.bin_stream"),
        ('attachment; filename="a\u202ekcpt.exe"', "akcpt.exe"),
        ('attachment; filename=""', "from url.safetensors"),
        ("attachment", "from url.safetensors"),
        ("", "from url.safetensors"),
        ('attachment; filename="' + "a" * 20_000, "from url.safetensors"),
    ],
)
def test_takes_the_name_from_the_header(disposition: str, name: str) -> None:
    """Whatever way a host writes the name, its last part is taken, and folders never."""
    assert name_from({"content-disposition": disposition}, _URL) == name


@pytest.mark.parametrize(
    "name",
    [
        "..",
        "../",
        "..\\\\",
        ".",
        "...",
        "C:",
        "C:a.bin",
        "a\0.bin",
        "a\x1b[2J.bin",
        "CON",
        "con.safetensors",
        "Aux .bin",
        "NUL",
        "COM1.bin",
        "LPT\u00b9",
        "CONIN$",
    ],
)
def test_refuses_names_that_cannot_be_safe(name: str) -> None:
    """A name that leaves the folder, hides something or is a device's is not used."""
    with pytest.raises(UnsafeFileNameError) as caught:
        name_from({"content-disposition": f'attachment; filename="{name}"'}, _URL)
    assert caught.value.url == "https://hub.example/acme/ink/resolve/main/from%20url.safetensors"
    assert "\x1b" not in str(caught.value)


def test_takes_the_name_from_the_address() -> None:
    """Without a header a signed address's own wish counts, and else the last part of the path."""
    signed = "https://cdn.example/abc?response-content-disposition=attachment%3B+filename%3D%22a%2Fb.bin%22"
    assert name_from({}, signed) == "b.bin"
    assert name_from({"content-disposition": "attachment; filename=c.bin"}, signed) == "c.bin"
    assert name_from({}, "https://hub.example/a/b.bin/?x=/c") == "b.bin"
    assert name_from({}, "https://hub.example/a%2Fb.bin") == "b.bin"
    for url in ("https://hub.example", "https://hub.example/", "https://hub.example/a/%2e%2e"):
        with pytest.raises(UnsafeFileNameError):
            name_from({}, url)


@pytest.mark.parametrize(
    "name",
    ["a/b", "a\\b", "/a", "..", "", " ", "a\0b", "a\nb", "C:a", "prn.txt", "\ud800", "a\u2028b"],
)
def test_a_name_is_no_path(name: str) -> None:
    """What a repository calls its files is refused where it is no plain name."""
    with pytest.raises(UnsafeFileNameError):
        safe_name(name)


def test_long_names_keep_their_suffix() -> None:
    """255 bytes are what file systems hold, and characters are never cut in two."""
    short = safe_name("ä" * 300 + ".safetensors")
    assert short.endswith("ä.safetensors")
    assert len(short.encode()) <= 255
    assert len(safe_name("a" * 300)) == 255
    assert len(safe_name("a." + "b" * 300)) == 255


def test_names_are_composed() -> None:
    """A name has one form, whatever system it was written on."""
    assert safe_name("a\u0308.bin") == "\u00e4.bin"
    assert safe_name(".gitattributes") == ".gitattributes"


def test_headers_without_a_name() -> None:
    """A header may say nothing of a name."""
    for disposition in ("", "inline", "attachment; size=3", "attachment; filename"):
        assert suggested_name(disposition) is None
