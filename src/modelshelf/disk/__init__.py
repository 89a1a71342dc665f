"""The local file system behind the `Disk` seam."""

from modelshelf.disk.local_disk import LocalDisk

__all__ = ["LocalDisk"]
