"""Command lines of which only what is known to be harmless is shown; everything else is `***`.

Harmless are the program, the subcommands of listed programs, the names of options, and paths of files. A number, a
plain word or an address is shown behind an option that is known to take one. What looks like a secret has been masked
before (masking.py), so that both have to be wrong about a word before it is stored.
"""

import re
from collections.abc import Sequence

from metrics.collectors.masking import mask_command
from metrics.collectors.safe_words import (
    COMPILERS,
    COUNTED,
    LONG_SWITCHES,
    NAMED,
    NUMBER_SWITCHES,
    SHELLS,
    SUBCOMMANDS,
    SWITCHES,
    TITLES,
    WRAPPERS,
)
from metrics.collectors.secret_names import MASK, hide_named

_PROGRAM = re.compile(r"[@(]?[\w.+/~-]{1,256}[:)]?")
_OPTION = re.compile(r"(--?[A-Za-z][\w.-]{0,63})(?:(=)(.*))?", re.DOTALL)
_PATH = re.compile(r"(?:~|\.{1,2})?/[\w.+@%~/:-]*|[\w.-]{1,64}(?:/[\w.+-]{1,64}){1,8}")
_FILE = re.compile(
    r"[\w+-]{1,64}(?:\.[\w+-]{1,32}){0,4}\.(?:py|pyc|js|mjs|cjs|ts|tsx|jsx|jar|war|sh|bash|pl|rb|php|lua|r|R|go|rs|c|cc|cpp|cxx|h|hpp|o|so|a|S"
    r"|conf|cfg|cnf|ini|json|ya?ml|toml|xml|txt|md|csv|tsv|log|lock|pid|sock|socket|service|mk|gradle|html?|css|sql|db|sqlite3?"
    r"|pem|crt|tar|t?gz|bz2|xz|zst|zip|deb|rpm|img|iso|qcow2|mp[34]|mkv|avi|jpe?g|png|svg|pdf|ipynb|pt|pth|ckpt|safetensors|gguf)"
)
_NUMBER = re.compile(r"-?\d{1,12}(?:\.\d{1,9})?(?:e-?\d{1,3})?(?:[kKmMgGtT]i?[bB]?|ms|us|s|h|d|%)?")
_NUMBERS = re.compile(rf"{_NUMBER.pattern}(?:[,x:]{_NUMBER.pattern}){{0,7}}")
_PLAIN = re.compile(
    r"[A-Za-z][A-Za-z_.+-]{0,39}\d{0,3}|\d{1,3}(?:\.\d{1,3}){3}(?:[:/]\d{1,5})?|\[?[0-9a-f:]{2,39}\]?(?::\d{1,5})?"
)
_CHOICE = re.compile(r"true|false|yes|no|on|off|none|null|auto|default|always|never|all|0|1", re.IGNORECASE)
_ADDRESS = re.compile(
    r"([a-z][a-z0-9+.-]{1,15}://)(?:\*{3}@|[\w.-]{1,64}(?::\*{3})?@)?((?:[\w.-]{1,128}|\[[0-9a-f:]{2,39}\])(?::\d{1,5})?)(.*)",
    re.DOTALL,
)
_SOCKET = re.compile(r"(?:unix|tcp|fd|npipe|systemd|udp)://?[\w.:/-]{0,128}|(?:unix|systemd):[\w./-]{0,128}")
_JAVA = re.compile(r"-X[a-z]{1,4}\d{1,6}[kKmMgG]?|-XX:[+-]?[A-Z][A-Za-z0-9]{1,64}(?:=\d{1,12}[kKmMgG]?)?")
_COMPILER = re.compile(r"-[OWfmgIL][\w./+=,-]{0,128}|-std=[\w+]{1,16}|-l[a-z][\w+-]{0,32}|-[EScx]")
_CLUSTER = re.compile(r"-[A-Za-z]{1,6}")
_JAVA_CLASS = re.compile(r"(?:[a-z][a-z0-9_]{0,31}\.){2,10}[A-Za-z]\w{0,63}")
_MODULE = re.compile(r"[a-z_][a-z0-9_]{0,31}(?:\.[a-z_][a-z0-9_]{0,31}){0,6}")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w{0,63})=(.*)", re.DOTALL)
_ENDS = frozenset({"|", "||", "&&", "&", ";", ">", ">>", "<", "2>&1", "--"})
_WORD_BOUNDARY = re.compile(r"[^A-Za-z]+|(?<=[a-z])(?=[A-Z])")
_KNOWN_PROGRAMS = WRAPPERS | SHELLS | SWITCHES | SUBCOMMANDS.keys() | NUMBER_SWITCHES.keys()


def safe_command(arguments: Sequence[str]) -> str:
    """Join the arguments by blanks, all of them `***` that are not known to be harmless."""
    words = mask_command(arguments).split(" ")
    return " ".join(_SafeWords().shown(words))


class _SafeWords:
    """Walks the words of one command line."""

    def __init__(self) -> None:
        self._program = ""
        self._awaits_program = True
        self._is_title = False
        self._option = ""

    def shown(self, words: Sequence[str]) -> list[str]:
        return [self._shown(index, word) for index, word in enumerate(words)]

    def _shown(self, index: int, word: str) -> str:
        option, self._option = self._option, ""
        if not word or word == MASK:
            return word
        if word in _ENDS:
            self._awaits_program = word not in {">", ">>", "<", "2>&1", "--"}
            return word
        if index == 0:
            return self._first(word)
        if self._awaits_program and self._is_program(word):
            return self._begin(word)
        if word[0] == "-":
            return self._shown_option(word)
        if option and (value := _shown_value(option, word, self._program)):
            return value
        return self._shown_word(word)

    def _first(self, word: str) -> str:
        self._is_title = word.endswith(":")
        return self._begin(word) if _PROGRAM.fullmatch(word) else MASK

    def _begin(self, word: str) -> str:
        name = word.rstrip(":").rpartition("/")[2].lstrip("-@(").removesuffix(".exe")
        self._program = re.sub(r"(?<=[a-z])\d[\d.]*$", "", name) or name
        self._awaits_program = self._program in WRAPPERS or self._program in SHELLS
        return word

    def _is_program(self, word: str) -> bool:
        name = word.rpartition("/")[2]
        return name in _KNOWN_PROGRAMS or (word != name and word[0] in "/~." and bool(_PATH.fullmatch(word)))

    def _shown_option(self, word: str) -> str:
        if word.startswith("-X") and _JAVA.fullmatch(word):
            return word
        if self._program in COMPILERS and _COMPILER.fullmatch(word):
            return word
        match = _OPTION.fullmatch(word)
        if not match:
            return word if word == "-" or word[2:] == MASK else MASK
        name, equals, value = match[1], match[2] or "", match[3] or ""
        if not name.startswith("--") and len(name) > 2 and not self._is_switch(name):
            return f"{name[:2]}{MASK}"
        if not equals:
            self._option = name
            return name
        return f"{name}={_shown_value(name, value, self._program) or MASK}"

    def _is_switch(self, name: str) -> bool:
        if name in LONG_SWITCHES or (self._program == "java" and name.startswith("-D")):
            return True
        return self._program in SWITCHES and bool(_CLUSTER.fullmatch(name))

    def _shown_word(self, word: str) -> str:
        if word in SUBCOMMANDS.get(self._program, ()) or (self._is_title and word in TITLES):
            return word
        if is_path(word):
            if self._program in {"python", "node", "php", "ruby", "perl"} and word.endswith("manage.py"):
                self._program = "manage.py"
            return word
        if address := _shown_address(word):
            return address
        if self._program == "java" and _JAVA_CLASS.fullmatch(word):
            return word
        if assignment := _ASSIGNMENT.fullmatch(word):
            return f"{assignment[1]}={_shown_value(assignment[1], assignment[2], self._program) or MASK}"
        return MASK


def is_path(word: str) -> bool:
    """Whether this is the path of a file: an absolute one, one with a folder, or a name with a known ending."""
    return len(word) <= 512 and bool(
        (_PATH.fullmatch(word) and word[0] in "/~.")
        or (_FILE.fullmatch(word.rpartition("/")[2]) and _PATH.fullmatch(f"./{word}"))
    )


def _shown_value(option: str, value: str, program: str) -> str:
    """The value of an option as far as it may be shown; "" where nothing of it may."""
    if _CHOICE.fullmatch(value):
        return value
    if MASK in value or hide_named(option):
        return value if value == MASK or (hide_named(option) is None and is_path(value.replace(MASK, "x"))) else ""
    if is_path(value) or _SOCKET.fullmatch(value):
        return value
    if address := _shown_address(value):
        return address
    words = [word.lower() for word in _WORD_BOUNDARY.split(option) if word]
    last = words[-1] if words else ""
    if _NUMBERS.fullmatch(value) and (
        (last in COUNTED and len(option) > 2) or option in NUMBER_SWITCHES.get(program, ())
    ):
        return value
    if option == "-m" and program == "python" and _MODULE.fullmatch(value):
        return value
    is_named = last in NAMED or words[:1] in (["enable"], ["disable"])
    return value if is_named and len(option) > 2 and all(map(_PLAIN.fullmatch, value.split(","))) else ""


def _shown_address(word: str) -> str:
    """An address without user, path and query; "" where it is none."""
    match = _ADDRESS.fullmatch(word)
    if not match:
        return ""
    rest = match[3]
    return f"{match[1]}{match[2]}{rest if rest in {'', '/'} else f'/{MASK}'}"
