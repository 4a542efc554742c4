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

from metrics.collectors.secret_names import MASK, NO_OPTIONS, Hide, Options, hide, hide_named, options_after


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
    program, options = "", NO_OPTIONS
    previous = ""
    for word in words:
        hide_value = _hide_after(previous, word, options)
        if hide_value:
            masked.append(hide_value(word))
            previous = ""  # a value names nothing, whatever it looks like
        else:
            masked.append(_mask_word(word, previous, options))
            program, options = options_after(word, program, options)
            previous = word
    return masked


def _hide_after(previous: str, word: str, options: Options) -> Hide | None:
    """Return how to hide a word for the sake of the one before it, None where that names no secret."""
    if previous in options.next_word:
        return options.next_word[previous]
    # An option that may stand without a value (mysql --password) is often followed by another.
    if "=" in previous or not _OPTION.fullmatch(previous) or _OPTION.fullmatch(word):
        return None
    return hide_named(previous)


def _mask_word(word: str, previous: str, options: Options) -> str:
    for length in options.lengths:
        hide_value = options.same_word.get(word[:length])
        if hide_value and len(word) > length:
            return word[:length] + hide_value(word[length:])
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
    masked = _mask_pairs(_mask_patterns(word))
    return _QUOTED.sub(_mask_quoted, masked) if _has_blank(masked) else masked


def _mask_quoted(match: re.Match[str]) -> str:
    quote = match[0][0]
    return f"{quote}{_mask_element(match[0][1:-1])}{quote}"


def _mask_text(text: str) -> str:
    pieces = _WORDS.split(_mask_patterns(text))
    pieces[1::2] = _mask_words(pieces[1::2])
    return "".join(pieces)


_PATTERNS: Sequence[tuple[re.Pattern[str], str]] = (
    # scheme://user:secret@host, but not scheme://host:port/path@version
    (
        re.compile(r"(://[^\s/:@\"']*+:)(?!\d{1,5}[/?#])(?:(?!://)[^\s@])++@(?:(?:(?!://)[^\s/@])*+@)*"),
        rf"\1{MASK}@",
    ),
    (
        re.compile(
            r"(?i)\b((?:authorization|cookie)\\?[\"']?\s{0,8}[:=]\s{0,8}\\?[\"']?"
            r"(?:(?:bearer|basic|digest|token|negotiate|apikey)\s{1,8})?)[^\s\"',;]+"
        ),
        rf"\1{MASK}",
    ),
    (re.compile(r"(?i)\b(bearer\s{1,8})[\w.~+/=-]{16,}"), rf"\1{MASK}"),
    # https://TOKEN@host; a user has a shorter name
    (re.compile(r"(https?://)[\w.~-]{20,}+@"), rf"\1{MASK}@"),
    # user:secret@host without a scheme, but not image:tag@sha256:…, package:name@1.2 or mailto:
    (
        re.compile(
            r"(?<!\S)((?:[\w.-]{1,64}/)?(?!mailto:)[\w.+-]{1,64}:)[^\s@/:]++@"
            r"(?=(?!sha\d+:)(?:[A-Za-z]|\d{1,3}(?:\.\d{1,3}){3}))"
        ),
        rf"\1{MASK}@",
    ),
    # Tokens that say themselves what they are: of GitHub, GitLab, Slack, OpenAI, Stripe, Google and others; any JWT.
    (
        re.compile(
            r"\b(?:gh[oprsu]_|github_pat_|glpat-|xox[abeprs]-|xapp-|sk-|[rs]k_live_|npm_|AIza|pypi-|hf_|dckr_pat_|dop_v1_"
            r"|tskey-|shpat_|sysmon_|AGE-SECRET-KEY-1|SG\.[\w-]{16,64}\.)[\w-]{16,}"
        ),
        MASK,
    ),
    # What an address is called that is a secret itself: web hooks of Slack and Discord, bots of Telegram.
    (re.compile(r"(hooks\.slack\.com/services/|/api/webhooks/\d{1,32}/)[\w/-]+"), rf"\1{MASK}"),
    (re.compile(r"(?<!\d)(\d{6,12}:)AA[\w-]{30,}"), rf"\1{MASK}"),
    (re.compile(r"\b((?:AKIA|ASIA)[A-Z0-9]{16}:)\S+"), rf"\1{MASK}"),
    (re.compile(r"-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----.*", re.DOTALL), MASK),
    # A JWT, or what three dotted words hold of one.
    (re.compile(r"(?<![\w-])(?=[\w-]*?eyJ)[\w-]{11,}+\.[\w-]{8,}+\.[\w-]*+"), MASK),
)

# "name": "value" as in JSON, name: value as in a header, name = value as in a configuration
_VALUE_NAME = re.compile(
    r"""
    (?<![\w.-]) (?P<quote>\\?["'])? (?P<name>[\w.-]{1,64}+) (?(quote)(?P=quote))
                (?(quote) \s{0,8}[:=]>?\s{0,8} | (?: :\s{1,8} | \s{1,8}=>?\s{1,8} ) )
    """,
    re.VERBOSE,
)
_VALUE = re.compile(
    r"""(?P<quote>\\?") [^"]*+ (?:"|\Z) | (?P<single>') [^']*+ (?:'|\Z) | \[ [^\]]*+ (?:\]|\Z) | [^\s,;}\])"']++""",
    re.VERBOSE,
)


# What every text has in it that one of the patterns finds something in; most words of most lines have nothing of it.
_MAY_MATCH = re.compile(
    r"[:@\s\"']|gh[oprsu]_|github_pat_|glpat-|xox|xapp-|sk-|k_live_|npm_|AIza|pypi-|hf_|dckr_|dop_v1|tskey-|shpat_"
    r"|sysmon_|AGE-SECRET|SG\.|hooks\.slack|/api/webhooks/|eyJ"
)


def _mask_patterns(text: str) -> str:
    if not _MAY_MATCH.search(text):
        return text
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return _mask_named_values(text)


def _mask_named_values(text: str) -> str:
    """Hide the values of secrets; in what follows another name, names are looked for again."""
    kept: list[str] = []
    done = begin = 0
    while named := _VALUE_NAME.search(text, begin):
        begin = named.end()
        hide_value = hide_named(named["name"])
        value = _VALUE.match(text, begin) if hide_value else None
        if hide_value and value:
            quote = value["quote"] or value["single"]
            kept += [text[done:begin], f"{quote}{MASK}{quote}" if quote else hide_value(value[0])]
            done = begin = value.end()
    return "".join([*kept, text[done:]])


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
