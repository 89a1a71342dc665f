"""What can be wrong inside a model file. The file is broken; it was not touched."""

from __future__ import annotations

from modelshelf.errors.base import ModelshelfError

__all__ = [
    "FormatError",
    "InvalidCheckpointError",
    "InvalidGgufError",
    "InvalidJsonError",
    "InvalidOnnxError",
    "InvalidPipelineError",
    "InvalidSafetensorsError",
    "InvalidShardIndexError",
    "RefusedCheckpointError",
]


class FormatError(ModelshelfError):
    """A file is not what its format demands. Fetch it again; it is damaged or mislabelled."""

    code = "file-invalid"
    exit_status, http_status = 2, 422
    kept = "The file was not touched, and nothing was added to the library."
    message = "`{path}` is not a valid model file: {problem}"
    hint = "fetch the file again from where it came"

    path: str
    """The file."""
    problem: str
    """What was expected and what was found, with the offset or key."""


class InvalidSafetensorsError(FormatError):
    """The header breaks a rule of the safetensors format, or the data is cut short."""

    code = "safetensors-invalid"
    message = "`{path}` is not a valid safetensors file: {problem}"


class InvalidGgufError(FormatError):
    """The header breaks a rule of the GGUF format, or the data is cut short."""

    code = "gguf-invalid"
    message = "`{path}` is not a valid GGUF file: {problem}"


class InvalidOnnxError(FormatError):
    """The graph breaks a rule of ONNX's protobuf messages, or the file is cut short."""

    code = "onnx-invalid"
    message = "`{path}` is not a valid ONNX file: {problem}"


class InvalidCheckpointError(FormatError):
    """A PyTorch checkpoint is damaged, cut short, or another kind of file under its suffix."""

    code = "checkpoint-invalid"
    message = "`{path}` is not a valid PyTorch checkpoint: {problem}"


class RefusedCheckpointError(FormatError):
    """A PyTorch checkpoint could only be read by running what it names, which is never done.

    The file may be sound: quantised and sparse tensors are saved so, and so is malware.
    """

    code = "checkpoint-refused"
    message = "`{path}` is not read: {problem}"
    hint = "ask whoever made it for a safetensors file"


class InvalidJsonError(FormatError):
    """A configuration file is not the JSON that its name promises."""

    code = "json-invalid"
    message = "`{path}` is not valid JSON: {problem}"


class InvalidPipelineError(FormatError):
    """`model_index.json` does not describe a pipeline that the folder could hold."""

    code = "pipeline-invalid"
    message = "`{path}` does not describe a diffusers pipeline: {problem}"
    hint = "restore `model_index.json` from where the model came"


class InvalidShardIndexError(FormatError):
    """A sharded model's index names files that cannot be its shards."""

    code = "shard-index-invalid"
    message = "`{path}` is not a valid shard index: {problem}"
