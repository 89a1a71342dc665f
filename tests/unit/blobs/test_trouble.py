from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from modelshelf.blobs.trouble import check_space, free_space, store_trouble
from modelshelf.errors import ModelshelfError, NotEnoughSpaceError, StoreWriteError


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, NotEnoughSpaceError),
        (errno.EDQUOT, NotEnoughSpaceError),
        (errno.EACCES, StoreWriteError),
        (errno.EROFS, StoreWriteError),
        (errno.EIO, StoreWriteError),
        (errno.EFBIG, StoreWriteError),
    ],
)
def test_says_what_an_error_of_the_system_means(
    tmp_path: Path, number: int, expected: type[ModelshelfError]
) -> None:
    """A full disk or quota is told as such, all else in the system's words, with the cause chained."""
    cause = OSError(number, os.strerror(number), "/some/file")
    with pytest.raises(expected) as caught, store_trouble(tmp_path, needed=5):
        raise cause
    assert caught.value.__cause__ is cause
    if expected is StoreWriteError:
        assert caught.value.facts == {"path": "/some/file", "reason": os.strerror(number)}


def test_passes_other_errors_on(tmp_path: Path) -> None:
    """What is no error of the system is not touched."""
    with pytest.raises(ZeroDivisionError), store_trouble(tmp_path):
        raise ZeroDivisionError


def test_measures_where_nothing_is_yet(tmp_path: Path) -> None:
    """The free space of a folder that is still to be made is that of its nearest parent."""
    assert free_space(tmp_path / "a" / "b") > 0
    check_space(tmp_path / "a" / "b", 0)
    with pytest.raises(NotEnoughSpaceError) as caught:
        check_space(tmp_path / "a" / "b", 2**62)
    assert caught.value.needed == 2**62
    assert 0 < caught.value.free < 2**62
