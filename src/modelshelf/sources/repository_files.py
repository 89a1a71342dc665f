"""Which files of a repository are not weights and still belong to a model, and which do not."""

from __future__ import annotations

import re

__all__ = ["belongs_to_a_model", "is_leftover"]

_KEPT = frozenset(
    {"json", "txt", "model", "yaml", "yml", "jinja", "tiktoken", "vocab", "spm", "bpe", "merges"}
)
"""Suffixes of configurations and of tokenizers."""
_LEGAL = re.compile(r"(?:licen[sc]e|notice|copying|use[_-]policy|acceptable[_-]use)", re.IGNORECASE)
_LEFTOVERS = re.compile(
    r"""(?:^|/)(?:
        (?:optimizer|scheduler|scaler|training_args|rng_state[\w-]*|random_states_\d+)\.(?:bin|pt|pth|pkl)
      | (?:trainer_state|training_state|all_results|train_results|eval_results)\.json
      | (?:requirements|token_counts)\.txt | zero_to_fp32\.py | events\.out\.tfevents[^/]*
      | (?:runs|logs|wandb|samples|\.git|\.github|\.cache|__pycache__|\.ipynb_checkpoints
          |checkpoint-\d+|global_step\d+)/.*
      | \.[^/]*
    )$""",
    re.VERBOSE | re.IGNORECASE,
)
"""What training and working leave behind: optimizer states look like weights and are larger."""


def is_leftover(path: str) -> bool:
    """Say whether the file is left from training, testing or git.

    Example:
        >>> is_leftover("checkpoint-500/optimizer.bin"), is_leftover("unet/config.json")
        (True, False)
    """
    return _LEFTOVERS.search(path) is not None


def belongs_to_a_model(path: str) -> bool:
    """Say whether a file that is not weights belongs to the model that lies at the top of its tree.

    Configurations, tokenizers and licences do, and the README at the top. Pictures, films, scripts,
    notebooks and archives do not.

    Example:
        >>> [name for name in ("README.md", "vae/README.md", "LICENSE", "a.png") if
        ...  belongs_to_a_model(name)]
        ['README.md', 'LICENSE']
    """
    name = path.rpartition("/")[2]
    if is_leftover(path):
        return False
    if _LEGAL.match(name) or path.lower() == "readme.md":
        return True
    return "." in name and name.rpartition(".")[2].lower() in _KEPT
