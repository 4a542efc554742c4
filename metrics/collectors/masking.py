"""Command lines without their secrets.

A command line is walked word by word. A word is hidden for its own sake (`--token=…`, `PGPASSWORD=…`), for
the word before it (`--password …`), or for the program it is given to (`-p…` of mysql). A word with blanks in
it (a shell script, a header, the whole command line of a process that rewrote its arguments) is text:
patterns that span words are hidden first, then its own words are walked.

Where a word may or may not be a secret, it is hidden. All of it takes time linear in the length of the text, since
any user can start a process with a command line made to be slow: no pattern looks at a character again from each
place before it. What is cut off the end of a line (command_lines.py) may have been a closing quote: the end closes it.
"""

import re
from collections.abc import Sequence

from metrics.collectors.secret_names import MASK, Hide, hide, hide_named, hide_unless_path, word_set
from metrics.collectors.secret_patterns import mask_patterns, mask_random
from metrics.collectors.secret_programs import CurrentProgram, Options, hide_after_colon, hide_by_place


def mask_command(arguments: Sequence[str]) -> str:
    """Join the arguments by blanks, each secret in them replaced by `***`."""
    if arguments and _has_blank(arguments[0]):  # all arguments rewritten into the first, without quotes
        return " ".join([_mask_text(arguments[0]), *_mask_words(arguments[1:])])
    return " ".join(_mask_words(arguments))


def _has_blank(text: str) -> bool:
    return any(character.isspace() for character in text)


_OPTION = re.compile(r"--?[A-Za-z][\w.-]*(=.*)?", re.DOTALL)
_SCRIPT_OPTION = re.compile(r"-[a-z]*c")


def _mask_words(words: Sequence[str]) -> list[str]:
    masked: list[str] = []
    program = CurrentProgram()
    previous = ""
    for word in words:
        hide_value = _hide_after(previous, word, program)
        if hide_value:
            masked.append(hide_value(word))
            previous = ""  # a value names nothing, whatever it looks like
        elif program.hides_by_place(word):
            masked.append(hide_by_place(word))
            previous = ""
        else:
            masked.append(_mask_word(word, previous, program.options))
            program.take(word)
            previous = word
    return masked


_SETTING_NAME = re.compile(r"[\w./:@-]{1,128}")
# What takes `name:password` in any program; of containers it is a user and a group.
_LOGIN_OPTIONS = word_set(
    "-u -U --user --auth --basic-auth --http-auth --proxy-user --proxyauth --credentials --creds --userpass --login"
)
_USER_AND_GROUP = re.compile(r"\d+:\d+")
_RUNS_CONTAINERS = word_set("docker podman nerdctl")


def _hide_after(previous: str, word: str, program: CurrentProgram) -> Hide | None:
    """Return how to hide a word for the sake of the one before it, None where that names no secret."""
    if previous in program.options.next_word:
        return program.options.next_word[previous]
    if previous in _LOGIN_OPTIONS and _is_login(word, program):
        return hide_after_colon
    if "=" in previous or _OPTION.fullmatch(word):
        return None  # an option that may stand without a value (mysql --password) is often followed by another
    if _OPTION.fullmatch(previous):
        return hide_named(previous)
    if program.sets_values and _SETTING_NAME.fullmatch(previous) and hide_named(previous):
        return hide_unless_path
    return None


def _is_login(word: str, program: CurrentProgram) -> bool:
    user, colon, _password = word.partition(":")
    if not colon or "/" in user or program.name in _RUNS_CONTAINERS:
        return False
    return not _USER_AND_GROUP.fullmatch(word)


def _mask_word(word: str, previous: str, options: Options) -> str:
    for length in options.lengths:
        hide_value = options.same_word.get(word[:length])
        if hide_value and len(word) > length:
            shown = word[:length] + hide_value(word[length:])
            return shown if shown != word else _mask_element(word)
    if _has_blank(word) and _SCRIPT_OPTION.fullmatch(previous):
        return _mask_text(word)
    return _mask_element(word)


def _mask_element(word: str) -> str:
    return _mask_assignment(word) or _mask_header(word) or _mask_slash_option(word) or _mask_rest(word)


_NAME = re.compile(r"[\w.\-\[\]]+")


def _mask_assignment(word: str) -> str:
    """Hide all that follows the first equals sign after a secret's name; "" where it is no such word."""
    name, equals, value = word.partition("=")
    hide_value = hide_named(name) if equals and _NAME.fullmatch(name) else None
    if name in _LOGIN_OPTIONS and ":" in value and not _USER_AND_GROUP.fullmatch(value):
        hide_value = hide_after_colon
    return f"{name}={hide_value(value)}" if hide_value else ""


_HEADER = re.compile(r"([\w-]{1,64}):(?!/)\s*(?=\S)")
_SECRET_HEADER = re.compile(r"(proxy-)?authorization|(set-)?cookie", re.IGNORECASE)
_SCHEME = re.compile(r"(bearer|basic|digest|token|negotiate|apikey)\s+", re.IGNORECASE)


def _mask_header(word: str) -> str:
    """Hide what follows the name, and the scheme, of a header (`Private-Token: …`); "" where it is none."""
    match = _HEADER.match(word)
    if not match or not (_SECRET_HEADER.fullmatch(match[1]) or hide_named(match[1])):
        return ""
    scheme = _SCHEME.match(word, match.end())
    return word[: scheme.end() if scheme else match.end()] + MASK


_SLASH_OPTION = re.compile(r"/([A-Za-z][\w-]{0,64}):(.+)", re.DOTALL)


def _mask_slash_option(word: str) -> str:
    """Hide the value of an option as Windows writes them (`/password:…`); "" where it is none."""
    match = _SLASH_OPTION.fullmatch(word)
    return f"/{match[1]}:{MASK}" if match and hide_named(match[1]) else ""


# As a shell would split it, but a quote without its second is a character like any other.
_WORD = re.compile(r"""(?:"[^"]*"|'[^']*'|\S)++""")
_WORDS = re.compile(f"({_WORD.pattern})")
_QUOTED = re.compile(r""""[^"]*"|'[^']*'""")


def _mask_rest(word: str) -> str:
    if _has_blank(word) and not _WORD.fullmatch(word):
        return _mask_text(word)
    masked = _mask_pairs(mask_patterns(mask_random(word)))
    return _QUOTED.sub(_mask_quoted, masked) if _has_blank(masked) else masked


def _mask_quoted(match: re.Match[str]) -> str:
    quote = match[0][0]
    return f"{quote}{_mask_element(match[0][1:-1])}{quote}"


def _mask_text(text: str) -> str:
    pieces = _WORDS.split(mask_patterns(text))
    pieces[1::2] = _mask_words(pieces[1::2])
    return "".join(pieces)


_PAIR_END = re.compile(r"([&;,?#|])")
_NAME_BEGIN = re.compile(r"[/:\s\"'({]")
_SIGNATURES = frozenset({"sig", "signature", "x-amz-signature", "x-goog-signature"})


def _mask_pairs(word: str) -> str:
    """Hide secrets among pairs as in `a=b&c=d`; what follows one, up to the next pair, is part of it."""
    pieces = _PAIR_END.split(word)
    masked: list[str] = []
    hidden = False
    for separator, pair in zip(["", *pieces[1::2]], pieces[::2], strict=True):
        if hidden and "=" not in pair:
            continue
        is_parameter_key = separator in {"?", "&"} and pair.startswith("key=")
        shown = f"key={MASK}" if is_parameter_key and len(pair) > len("key=") else _mask_pair(pair)
        hidden = shown != pair
        masked.append(separator + shown)
    return "".join(masked)


def _mask_pair(pair: str) -> str:
    parts = pair.split("=")
    for index, part in enumerate(parts[:-1], start=1):
        name = _NAME_BEGIN.split(part)[-1]
        hide_value = hide if name.lower() in _SIGNATURES else hide_named(name)
        if hide_value:
            return "=".join([*parts[:index], hide_value("=".join(parts[index:]))])
    return pair
