"""Which words of a command line name a secret: options, variables, headers, and options of single programs."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import permutations

MASK = "***"

Hide = Callable[[str], str]
"""Takes a value and returns what may be shown of it."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SECRET_NAME = re.compile(
    r"passw(or)?d|passphrase|passcode|secret|credential|bearer|requirepass|masterauth"
    r"|(api|access|private|account|signing|encryption|master|shared|auth|subscription)_?key"
)
# Too short to be looked for inside of a word: Xorg's compass, a bypass, an author, the number of tokens.
_SECRET_LAST_WORD = re.compile(
    r"((db|user|root|admin|ssh|key|(key|trust)?store|smtp|ftp|ldap|vault)?pass|pwd|psk|pw|[a-z]*token|o?auth)\d*"
)
# The name of something about a secret: where it is kept, how long it holds, whether there is one.
_HARMLESS_LAST_WORDS = _names(
    """
    file files path paths dir directory folder fd stdin stdout prompt prompts env var source command cmd eval
    helper manager agent sock socket url uri endpoint host hostname port server service provider backend store
    name names id ids type kind class method mode scheme realm format algorithm policy strength issuer audience
    ttl timeout expiry expiration expire expires lifetime age length len size limit count min max rotation
    required enabled disabled authentication passwordless
    """
)
# Variables as programs read them, such as STRIPE_KEY; the key of an option is mostly a file or a column.
_KEY_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*KEY|KEY")
_HARMLESS_KEYS = _names("public primary foreign sort partition cache routing row group registry hot object lookup")
_NEGATIONS = _names("no ask skip with without disable enable prompt allow require")
_WORKING_DIRECTORIES = _names("PWD OLDPWD --pwd")

_WORD_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]+")
_NAME_CHARACTERS = 128  # no option or variable has a longer name

# What these name is mostly a file (ansible --private-key, Xorg -auth, GOOGLE_APPLICATION_CREDENTIALS).
_OFTEN_A_PATH = re.compile(r"key$|credential|auth$")
_LOOKS_LIKE_A_PATH = re.compile(r"(~|\.{0,2}/|[A-Za-z]:\\)|.*\.(pem|key|json|crt|ya?ml|ini|txt|conf)$", re.DOTALL)
# A choice and no secret: --auth none, "password": null, ffmpeg -pass 1
_SWITCH = re.compile(r"\d|true|false|yes|no|on|off|none|null", re.IGNORECASE)


# Something that each name of a secret has in it; most names of options have nothing of it, and are told at once.
_MAY_BE_SECRET = re.compile(r"pas|secret|cred|bearer|auth|key|pwd|psk|pw|token", re.IGNORECASE)


def hide_named(name: str) -> Hide | None:
    """Return how to hide the value of this option, variable, field or header; None where it is no secret.

    >>> hide_named("--api-key")("abc"), hide_named("--keyboard")
    ('***', None)
    """
    if len(name) > _NAME_CHARACTERS or name in _WORKING_DIRECTORIES or not _MAY_BE_SECRET.search(name):
        return None
    return _hide_named(name)


@lru_cache(1024)
def _hide_named(name: str) -> Hide | None:
    words = [word.lower() for word in _WORD_BOUNDARY.split(name) if word]
    if not words or words[0] in _NEGATIONS or not (_is_secret(words) or _is_key_variable(name, words)):
        return None
    return _hide_unless_path if _OFTEN_A_PATH.search("_".join(words)) else _hide_unless_switch


def _is_secret(words: Sequence[str]) -> bool:
    last = words[-1]
    joined = "_".join(words)
    if last in _HARMLESS_LAST_WORDS and not joined.endswith("secret_id"):
        return False
    return bool(_SECRET_NAME.search(joined) or _SECRET_LAST_WORD.fullmatch(last))


def _is_key_variable(name: str, words: Sequence[str]) -> bool:
    return words[-1] == "key" and bool(_KEY_VARIABLE.fullmatch(name)) and _HARMLESS_KEYS.isdisjoint(words)


def hide(secret: str) -> str:
    """Hide all of it."""
    return MASK if secret else ""


def _hide_unless_switch(secret: str) -> str:
    return secret if _SWITCH.fullmatch(secret) else hide(secret)


def _hide_unless_path(secret: str) -> str:
    return secret if _LOOKS_LIKE_A_PATH.match(secret) else _hide_unless_switch(secret)


def _hide_after(separator: str) -> Hide:
    def hide_password(secret: str) -> str:
        user, found, password = secret.partition(separator)
        if not password:  # `-u TOKEN:`, a token in place of the user
            return f"{MASK}{separator}" if found else secret
        return f"{user}{separator}{MASK}"

    return hide_password


def _hide_pairs(secret: str) -> str:
    """Cookies, and not the file that they are in."""
    return hide(secret) if "=" in secret else secret


def _hide_oracle_password(word: str) -> str:
    user, found, password = word.partition("/")
    return f"{user}/{MASK}{''.join(password.partition('@')[1:])}" if user and found else word


@dataclass(frozen=True)
class Options:
    """Options of a program that take a secret: as the next word (`-p x`), or in the same one (`-px`)."""

    next_word: Mapping[str, Hide]
    same_word: Mapping[str, Hide]

    @cached_property
    def lengths(self) -> tuple[int, ...]:
        """How long what stands before a secret in the same word can be: a word is looked up, not tried with each."""
        return tuple(sorted({len(option) for option in self.same_word}))


def _options(next_word: str = "", same_word: str = "", *, hidden_by: Hide = hide) -> Options:
    return Options(dict.fromkeys(next_word.split(), hidden_by), dict.fromkeys(same_word.split(), hidden_by))


NO_OPTIONS = _options()
_LOGIN = _options("-p", "-p")
_AFTER_COLON = _hide_after(":")
# curl -sSu name:password, and every other order of what is often written before the u.
_CURL_USER = ["-u", *(f"-{''.join(flags)}u" for length in (1, 2, 3) for flags in permutations("sSkLfiv", length))]
_CURL = Options(
    {
        **dict.fromkeys([*_CURL_USER, "-U", "--user", "--proxy-user", "-E", "--cert"], _AFTER_COLON),
        **dict.fromkeys(["-b", "--cookie"], _hide_pairs),
    },
    {
        **dict.fromkeys([*_CURL_USER, "-U", "--user=", "--proxy-user=", "--cert="], _AFTER_COLON),
        **dict.fromkeys(["-b", "--cookie="], _hide_pairs),
    },
)
_LOGIN_PROGRAMS = _names("docker podman buildah skopeo helm oras az oc cf")

_TABLE: Sequence[tuple[str, Options]] = (
    (
        """
        mysql mysqldump mysqladmin mysqlimport mysqlshow mysqlcheck mysqlslap mysqlbinlog mysqlpump mysqlsh mycli
        mariadb mariadb-dump mariadb-admin mariadb-import mariadb-show mariadb-check mariadb-slap mariadb-binlog
        mariadb-backup mariabackup xtrabackup
        """,
        _options("", "-p"),
    ),
    ("redis-cli valkey-cli keydb-cli redis-benchmark", _options("-a")),
    ("mongo mongosh mongodump mongorestore mongoexport mongoimport cqlsh mydumper", _options("-p")),
    ("ldapsearch ldapadd ldapmodify ldapdelete ldappasswd ldapwhoami", _options("-w", "-w")),
    ("zip unzip zipcloak ipmitool sqlcmd bcp osql tsql isql mosquitto_pub mosquitto_sub", _options("-P", "-P")),
    ("7z 7za 7zr rar unrar", _options("", "-hp -p")),
    (
        """
        ncftp ncftpget ncftpput rdesktop twine poetry youtube-dl yt-dlp cypher-shell rabbitmqadmin evil-winrm hydra
        crackmapexec netexec nxc useradd usermod
        """,
        _options("-p"),
    ),
    ("plink pscp psftp putty", _options("-pw")),
    ("pdftotext pdftoppm pdfinfo pdfimages", _options("-upw -opw")),
    ("pdftk", _options("input_pw user_pw owner_pw")),
    ("ss-local ss-server ss-redir sslocal ssserver", _options("-k")),
    ("consul", _options("-encrypt", "-encrypt=")),
    ("dotnet", _options("-k")),
    ("influx", _options("-t")),
    ("ngrok", _options("authtoken add-authtoken")),
    ("nmcli", _options("password wifi-sec.psk 802-11-wireless-security.psk")),
    ("vault cargo", _options("login")),
    ("fly flyctl", _options("set", hidden_by=_hide_after("="))),
    ("sendemail", _options("-xp")),
    ("swaks", _options("-ap")),
    ("wg", _options("private-key preshared-key")),
    ("smbclient rpcclient smbget smbcacls winexe", _options("-U --user", "-U --user=", hidden_by=_hide_after("%"))),
    ("snmpget snmpwalk snmpbulkwalk snmpset snmptrap", _options("-A -X -c", "-A -X -c")),
    ("curl", _CURL),
    ("http https xh", _options("-a", "-a", hidden_by=_AFTER_COLON)),
    ("etcdctl", _options("--user", "--user=", hidden_by=_AFTER_COLON)),
    ("transmission-remote", _options("-n --auth", "--auth=", hidden_by=_AFTER_COLON)),
    ("xfreerdp xfreerdp3 wlfreerdp", _options("", "/p:")),
    ("lftp", _options("-u", hidden_by=_hide_after(","))),
    ("sshpass", _options("-p", "-p")),
    # scott/tiger@db, as a word of its own
    ("sqlplus expdp impdp rman sqlldr", Options({}, {"": _hide_oracle_password})),
    ("aws", _options("aws_secret_access_key aws_session_token")),
    ("openssl", _options("-k -K -psk")),
    # These have the same options for something else, often behind one of the above: sshpass -p … ssh -p 22.
    ("ssh scp sftp rsync git sh bash dash zsh sudo env", NO_OPTIONS),
    ("kubectl", _options("--from-literal", "--from-literal=", hidden_by=_hide_after("="))),
    (" ".join(_LOGIN_PROGRAMS), NO_OPTIONS),
)
_PROGRAMS: Mapping[str, Options] = {name: options for names, options in _TABLE for name in names.split()}

_COMMAND_ENDS = _names("| || && & ;")
_PATH_SEPARATOR = re.compile(r"[/\\]")


def options_after(word: str, program: str, options: Options) -> tuple[str, Options]:
    """Return the program and its options after a word of a command line.

    Any word may be the next program (`sudo mysql …`), and `;` or `|` ends what is given to the one before.
    """
    if word in _COMMAND_ENDS:
        return "", NO_OPTIONS
    if word == "login" and program in _LOGIN_PROGRAMS:
        return program, _LOGIN
    name = _PATH_SEPARATOR.split(word)[-1].lower().removesuffix(".exe")
    return (name, _PROGRAMS[name]) if name in _PROGRAMS else (program, options)
