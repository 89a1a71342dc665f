"""Names that Windows keeps for devices: a file of such a name cannot be made, copied there or deleted."""

import re
import unicodedata

__all__ = ["is_device_name"]

_DEVICE = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|clock\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])\s*(?:\..*)?",
    re.IGNORECASE | re.DOTALL,
)


def is_device_name(name: str) -> bool:
    r"""Tell whether Windows takes *name*, one step of a path, for a device; the suffix does not matter.

    Source: "Naming Files, Paths, and Namespaces" of the Windows documentation, and for `CLOCK$` its
    predecessors.

    Example:
        >>> is_device_name("nul.safetensors"), is_device_name("COM\u00b9"), is_device_name("null.ckpt")
        (True, True, False)
    """
    return _DEVICE.fullmatch(unicodedata.normalize("NFC", name)) is not None
