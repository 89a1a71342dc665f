"""The tensors of one file, whatever it is written in."""

from __future__ import annotations

from modelshelf.formats.checkpoint import read_checkpoint
from modelshelf.formats.container import container_of
from modelshelf.formats.gguf import read_gguf
from modelshelf.formats.onnx import read_onnx
from modelshelf.formats.reading_budget import ReadingBudget
from modelshelf.formats.safetensors import read_safetensors
from modelshelf.schema.source import SourceFile
from modelshelf.schema.tensor import Container, TensorIndex

__all__ = ["read_tensors"]


def read_tensors(file: SourceFile, *, budget: ReadingBudget | None = None) -> TensorIndex:
    """Read names, dtypes, shapes and places of all tensors in *file*.

    Reads what describes the weights and nothing of the weights, executes nothing and imports nothing
    that the file asks for.

    Args:
        file: One regular file.
        budget: What may be read of this file and of others beside it; None where there are none.

    Returns:
        The tensors, and in `container` what they are written in. A file that is no container of
        tensors gives an index without any.

    Raises:
        FormatError: The file breaks a rule of its format.
        SourceNotFoundError: It is gone.
        SourceUnreadableError: The operating system refuses to read it.

    Example:
        >>> from modelshelf.formats import read_tree
        >>> from modelshelf.testing import tiny
        >>> tree = read_tree(tiny.textual_inversion("word.safetensors"))
        >>> read_tensors(tree.files[0]).shape("emb_params")
        (2, 768)
    """
    container = container_of(file)
    if container is Container.SAFETENSORS:
        return read_safetensors(file.path, budget=budget)
    if container is Container.PICKLE:
        return read_checkpoint(file.path, budget=budget)
    if container is Container.GGUF:
        return read_gguf(file.path, budget=budget)
    if container is Container.ONNX:
        return read_onnx(file.path, budget=budget)
    return TensorIndex(tensors={}, container=container)
