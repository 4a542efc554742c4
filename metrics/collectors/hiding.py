"""What SYSMON_COMMANDS can say, how a command line is hidden for each, and which rules that were."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from metrics.collectors.masking import mask_command
from metrics.collectors.safe_commands import safe_command

HideSecrets = Callable[[Sequence[str]], str | None]
"""Takes the arguments and returns what may be stored of them; None where that is nothing."""

HIDE_SECRETS: Mapping[str, HideSecrets] = {
    "safe": safe_command,
    "masked": mask_command,
    "names": lambda _arguments: None,
}

_RULES = ("masking", "safe_commands", "safe_words", "secret_names", "secret_patterns", "secret_programs")


@cache
def rules_digest() -> str:
    """Return what tells these rules from those of another version: nobody has to remember to count them."""
    digest = hashlib.sha256()
    for name in _RULES:
        digest.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    return digest.hexdigest()
