"""Patterns of secrets in a text: addresses, headers, SQL, values under a name, and tokens that say what they are."""

import re
from collections.abc import Sequence

from metrics.collectors.secret_names import MASK, hide_named

# A string of SQL or of a shell; the end of the text closes one of which the second quote was cut off.
_QUOTED = r"""[NEeUu]?&?\\?(?:"(?:[^"\\]|\\.)*+(?:"|\Z)|'(?:[^'\\]|''|\\.)*+(?:'|\Z))"""

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
    # What an address is called that is a secret itself: web hooks, bots of Telegram.
    (re.compile(r"(?i)(://(?:[\w-]{1,64}\.)?(?:web)?hooks?\.[\w.-]{1,128}/)[^\s\"']+"), rf"\1{MASK}"),
    (
        re.compile(r"(?i)(://(?:(?!://)[^\s\"'])*?/(?:web)?hook(?:s|b2)?/)[^\s\"']{8,}"),
        rf"\1{MASK}",
    ),
    (re.compile(r"(/with/key/|hc-ping\.com/|/integration/)[\w-]{8,}"), rf"\1{MASK}"),
    # CREATE USER … IDENTIFIED BY 'secret', SET PASSWORD FOR … = 'secret', INSERT INTO users (…, password) VALUES …
    (
        re.compile(
            r"(?i)\b(identified\s{1,8}(?:with\s{1,8}\S{1,64}\s{1,8})?(?:by|as|using)\s{1,8}(?:password\s{1,8})?"
            r"(?:values\s{1,8})?|\bset\s{1,8}password\s{1,8}for\s{1,8}\S{1,128}\s{0,8}=\s{0,8}(?:password\(\s{0,8})?"
            r"|\bpragma\s{1,8}(?:re|hex)?key\s{0,8}=\s{0,8})"
            rf"(?:{_QUOTED}|[^\s;,)\"']+)"
        ),
        rf"\1'{MASK}'",
    ),
    (
        re.compile(
            r"(?is)(\binsert\s{1,8}into\b[^()]{0,128}\([^()]{0,512}(?:passw|secret|token|api_?key)[^()]{0,512}\)"
            r"\s{0,8}values\b).*"
        ),
        rf"\1 {MASK}",
    ),
    (re.compile(r"(?is)(\bsp_(?:addlogin|password)\b).+"), rf"\1 {MASK}"),
    # What a shell gives to the standard input of another program.
    (re.compile(rf"(<<<\s{{0,8}})(?:{_QUOTED}|\S+)"), rf"\1{MASK}"),
    (
        re.compile(
            r"(\b(?:echo|printf)\s{1,8})(?:(?!\b(?:echo|printf)\s)[^|;&])++"
            r"(?=\|\s{0,8}(?:[\w=./-]{1,64}\s{1,8}){0,3}?"
            r"(?:sudo\s{1,8}-S|\S*passwd|\S*login|kinit|cryptsetup|openssl|\S*gpg2?|wg|base64|mysql|psql|redis-cli)\b"
            r"|\|[^|;&]{0,256}--?(?:password-)?(?:stdin|passphrase-fd|key-file)\b)"
        ),
        rf"\1{MASK} ",
    ),
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
                (?(quote) \s{0,8}[:=]>?\s{0,8}
                        | (?: :\s{1,8} | \s{1,8}=>?\s{1,8}
                            | (?: =>?\s{0,8} | \s{0,8}\(\s{0,8} | \s{1,8} ) (?=[NEeUu]?\\?["']) ) )
    """,
    re.VERBOSE,
)
# changeUserPassword("bob", "secret")
_CALL = re.compile(r"(?P<quote>)(?P<single>)[^)]*+")
_VALUE = re.compile(
    r"""
    [NEeUu]? (?: (?P<quote>\\?") [^"]*+ (?:"|\Z) | (?P<single>\\?') (?:[^']|'')*+ (?:'|\Z) )
    | \[ [^\]]*+ (?:\]|\Z)
    | [^\s,;}\])"']++
    """,
    re.VERBOSE,
)


# What every text has in it that one of the patterns finds something in; most words of most lines have nothing of it.
_MAY_MATCH = re.compile(
    r"[:@\s\"'(<]|gh[oprsu]_|github_pat_|glpat-|xox|xapp-|sk-|k_live_|npm_|AIza|pypi-|hf_|dckr_|dop_v1|tskey-|shpat_"
    r"|sysmon_|AGE-SECRET|SG\.|hooks\.slack|/api/webhooks/|eyJ"
)


def mask_patterns(text: str) -> str:
    """Hide what the patterns find, and the values of names that name a secret."""
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
        value = (_CALL if "(" in named[0] else _VALUE).match(text, begin) if hide_value else None
        if hide_value and value:
            quote = value["quote"] or value["single"]
            kept += [text[done:begin], f"{quote}{MASK}{quote}" if quote else hide_value(value[0])]
            done = begin = value.end()
    return "".join([*kept, text[done:]])


_RANDOM = re.compile(r"(?<![\w+.-])[A-Za-z0-9+/_-]{20,}+={0,2}(?![\w.])")
_CHANGES = re.compile(r"[a-z](?=[A-Z0-9])|[A-Z](?=[a-z0-9])|[0-9](?=[A-Za-z])")
_MIN_RANDOM_CHARACTERS, _MIN_DIGITS, _MIN_CHANGES_SHARE = 20, 2, 0.35


def mask_random(word: str) -> str:
    """Hide what looks as if it had been drawn by lot, in base64 or alike: keys, and parts of addresses that are one.

    Names of a machine's making, such as digests, UUIDs and container ids, have one case only, and stay.
    """
    return _RANDOM.sub(_mask_random_match, word) if len(word) >= _MIN_RANDOM_CHARACTERS else word


def _mask_random_match(match: re.Match[str]) -> str:
    if _is_random(match[0]):
        return MASK
    return "/".join(MASK if _is_random(part) else part for part in match[0].split("/"))


def _is_random(text: str) -> bool:
    if len(text) < _MIN_RANDOM_CHARACTERS or text.startswith("/"):
        return False
    digits = sum(map(text.count, "0123456789"))
    if digits < _MIN_DIGITS or text.upper() == text or text.lower() == text:
        return False
    return len(_CHANGES.findall(text)) >= _MIN_CHANGES_SHARE * len(text)
