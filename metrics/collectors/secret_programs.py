"""What single programs take as a secret, by options of their own or by the place of a word."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations

from metrics.collectors.secret_names import MASK, Hide, hide, word_set


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
hide_after_colon = _hide_after(":")
# curl -sSu name:password, and every other order of what is often written before the u.
_CURL_USER = ["-u", *(f"-{''.join(flags)}u" for length in (1, 2, 3) for flags in permutations("sSkLfiv", length))]
_CURL = Options(
    {
        **dict.fromkeys([*_CURL_USER, "-U", "--user", "--proxy-user", "-E", "--cert"], hide_after_colon),
        **dict.fromkeys(["-b", "--cookie"], _hide_pairs),
    },
    {
        **dict.fromkeys([*_CURL_USER, "-U", "--user=", "--proxy-user=", "--cert="], hide_after_colon),
        **dict.fromkeys(["-b", "--cookie="], _hide_pairs),
    },
)
_LOGIN_PROGRAMS = word_set("docker podman buildah skopeo helm oras az oc cf nerdctl crane regctl argocd")

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
    ("http https xh", _options("-a", "-a", hidden_by=hide_after_colon)),
    ("etcdctl", _options("--user", "--user=", hidden_by=hide_after_colon)),
    ("transmission-remote", _options("-n --auth", "--auth=", hidden_by=hide_after_colon)),
    ("xfreerdp xfreerdp3 wlfreerdp", _options("", "/p:")),
    ("lftp", _options("-u", hidden_by=_hide_after(","))),
    ("sshpass", _options("-p", "-p")),
    ("gh", _options("-b --body", "--body=")),
    ("security", _options("-w -p", "-w")),
    ("caddy", _options("-p --plaintext")),
    ("steghide", _options("-p", "-p")),
    ("ccrypt ccencrypt ccdecrypt", _options("-K", "-K")),
    ("ab", _options("-A -P", hidden_by=hide_after_colon)),
    ("smbpasswd pdbedit", _options("-s")),
    # scott/tiger@db, as a word of its own
    ("sqlplus expdp impdp rman sqlldr", Options({}, {"": _hide_oracle_password})),
    ("aws", _options("aws_secret_access_key aws_session_token --value", "--value=")),
    ("openssl", _options("-k -K -psk")),
    # These have the same options for something else, often behind one of the above: sshpass -p … ssh -p 22.
    ("ssh scp sftp rsync git sh bash dash zsh sudo env", NO_OPTIONS),
    ("kubectl", _options("--from-literal", "--from-literal=", hidden_by=_hide_after("="))),
    (" ".join(_LOGIN_PROGRAMS - {"az"}), NO_OPTIONS),
    ("az", _options("--value --settings")),
)
_PROGRAMS: Mapping[str, Options] = {name: options for names, options in _TABLE for name in names.split()}

# Where a word is a secret by its place: of what follows a word of the program ("" is the program itself), all but the
# first so many words that are no options. The value of an option among them counts as one of them.
_PLACES: Mapping[str, Mapping[str, int]] = {
    "ansible-vault": {"encrypt_string": 0},
    "argocd": {"bcrypt": 0},
    "bundle": {"config": 1},
    "bw": {"login": 1, "unlock": 0},
    "caddy": {"hash-password": 0},
    "chamber": {"write": 2},
    "composer": {"config": 1},
    "consul": {"put": 1},
    "credstash": {"put": 1},
    "doppler": {"set": 0},
    "eb": {"setenv": 0},
    "etcdctl": {"put": 1},
    "fly": {"set": 0},
    "flyctl": {"set": 0},
    "gopass": {"insert": 1},
    "grafana-cli": {"reset-admin-password": 0},
    "heroku": {"config:set": 0, "config:add": 0},
    "htpasswd": {"": 1},
    "ipa": {"passwd": 1},
    "iwconfig": {"key": 0, "enc": 0},
    "kadmin": {"addprinc": 0},
    "kadmin.local": {"addprinc": 0},
    "keyctl": {"add": 2, "padd": 2},
    "mariadb-admin": {"password": 0},
    "mkpasswd": {"": 0},
    "mosquitto_passwd": {"": 2},
    "mysqladmin": {"password": 0},
    "net": {"user": 1, "use": 1},
    "openssl": {"passwd": 0},
    "poetry": {"config": 1},
    "rabbitmqctl": {"add_user": 1, "change_password": 1, "authenticate_user": 1},
    "railway": {"set": 0},
    "rclone": {"obscure": 0},
    "redis-cli": {"auth": 0, "AUTH": 0, "set": 1, "SET": 1, "SETUSER": 1},
    "samba-tool": {"create": 1, "add": 1},
    "supabase": {"set": 0},
    "valkey-cli": {"auth": 0, "AUTH": 0, "set": 1, "SET": 1, "SETUSER": 1},
    "vault": {"unseal": 0, "rekey": 0},
    "virsh": {"secret-set-value": 1},
    "wpa_passphrase": {"": 1},
}
# What sets a value under a name: `config set requirepass …`, `wifi connect … password …`.
_SETTING_WORDS = word_set("set config configure add put create update modify mod connect insert write")
_COMMAND_ENDS = word_set("| || && & ;")
_PATH_SEPARATOR = re.compile(r"[/\\]")


class CurrentProgram:
    """The program that words are given to, while a command line is walked."""

    def __init__(self) -> None:
        self.name = ""
        self.options = NO_OPTIONS
        self.sets_values = False
        """Whether a name without dashes may be followed by its value."""
        self._shown_words: int | None = None

    def hides_by_place(self, word: str) -> bool:
        """Whether this word is a secret because of where it stands."""
        return self._shown_words == 0 and _is_plain(word)

    def take(self, word: str) -> None:
        """Go on by a word that was shown. Any may be the next program (`sudo mysql …`); `;` or `|` ends what is given
        to the one before."""
        name = _PATH_SEPARATOR.split(word)[-1].lower().removesuffix(".exe")
        if word in _COMMAND_ENDS:
            self._begin("", NO_OPTIONS)
        elif word == "login" and self.name in _LOGIN_PROGRAMS:
            self.options = _LOGIN
        elif (count := _PLACES.get(self.name, {}).get(word)) is not None:
            self._shown_words = count
        elif name in _PROGRAMS or name in _PLACES:
            self._begin(name, _PROGRAMS.get(name, NO_OPTIONS))
        elif self._shown_words and _is_plain(word):
            self._shown_words -= 1
        self.sets_values |= word in _SETTING_WORDS

    def _begin(self, name: str, options: Options) -> None:
        self.name, self.options, self.sets_values = name, options, False
        self._shown_words = _PLACES.get(name, {}).get("")


def _is_plain(word: str) -> bool:
    return word[:1] not in {"", "-", "|", "&", ";"} and word not in {">", ">>", "<", "<<<"}


def hide_by_place(word: str) -> str:
    """Hide a word, but for the name of a variable in front of it."""
    name, equals, _value = word.partition("=")
    return f"{name}={MASK}" if equals and name.isidentifier() else MASK
