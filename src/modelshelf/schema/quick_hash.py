"""The quick hash of a model: what its record says as `hash`, whether it is stored or stays where it is.

Of each file it looks at a few samples only, so it takes milliseconds where a digest takes minutes. Equal
models have equal quick hashes; two that have the same may still differ where nobody looked.

Source: `spec/model-manager-v2.md`, "ModelConfigBase": "obtained by sampling several parts of the model's
files using the `imohash` library".
"""

from __future__ import annotations

from collections.abc import Iterable

from blake3 import blake3

__all__ = ["quick_hash_of_file", "quick_hash_of_folder"]


def quick_hash_of_file(imohash: bytes) -> str:
    """Return the quick hash of a model that is one file.

    Args:
        imohash: The 16 bytes that the file's samples give.

    Returns:
        `imohash:` and the digits that `imosum` prints of the file.

    Example:
        >>> quick_hash_of_file(bytes(16))
        'imohash:00000000000000000000000000000000'
    """
    return f"imohash:{imohash.hex()}"


def quick_hash_of_folder(files: Iterable[tuple[str, int, bytes]]) -> str:
    r"""Return the quick hash of a model that is a folder, wherever it lies and whatever it is called.

    Args:
        files: Of each file its path below the folder, its bytes and its imohash; in any order.

    Returns:
        `imohash-tree:` and 32 digits: the first half of the BLAKE3 over a line for each file, sorted by
        path: `path NUL size NUL hexadecimal-imohash LF`.

    Example:
        >>> files = [("vae/config.json", 2, bytes(16)), ("model_index.json", 5, bytes(16))]
        >>> quick_hash_of_folder(files) == quick_hash_of_folder(reversed(files))
        True
        >>> quick_hash_of_folder(files)
        'imohash-tree:...'
    """
    lines = (f"{path}\0{size}\0{imohash.hex()}\n" for path, size, imohash in sorted(files))
    return f"imohash-tree:{blake3(''.join(lines).encode()).hexdigest(16)}"
