"""The YAML file beside a checkpoint of the original code, of which one line matters: what the model predicts.

Loaders of the original code, AUTOMATIC1111's web UI and kohya's trainer among them, take `<name>.yaml` for
the configuration of `<name>.ckpt`. All else that stands there the tensors tell better.
"""

from __future__ import annotations

import re
from pathlib import Path

from modelshelf.formats.opening import read_start

__all__ = ["predicts_velocity"]

_LARGEST = 65_536
"""Bytes that are read; published ones have a few thousand."""
_PARAMETERIZATION = re.compile(
    rb"""^[ \t]*parameterization:[ \t]*["']?(\w{1,20})["']?[ \t\r]*$""", re.MULTILINE
)


def predicts_velocity(config: Path) -> bool:
    r"""Say whether the configuration of a checkpoint makes its model predict velocity.

    Nothing of the file is believed but that line, and one that contradicts it is a reason to believe neither.

    Args:
        config: The file beside the checkpoint. Other files than YAML say nothing.

    Raises:
        SourceNotFoundError: The file is gone.
        SourceUnreadableError: Permission, or a failing disk.

    Example:
        >>> config = getfixture("tmp_path") / "model.yaml"
        >>> _ = config.write_text('model:\n  params:\n    parameterization: "v"\n')
        >>> predicts_velocity(config)
        True

    Source: https://github.com/Stability-AI/stablediffusion, `configs/stable-diffusion/v2-inference-v.yaml`
    """
    return set(_PARAMETERIZATION.findall(read_start(config, _LARGEST))) == {b"v"}
