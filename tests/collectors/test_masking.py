"""Command lines without their secrets. The secret in every case below is `s3cret`, or has it in it."""

import shlex
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.collectors.command_lines import MAX_COMMAND_BYTES
from metrics.collectors.masking import mask_command

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.s3cretSignature_x"


def words(line: str) -> list[str]:
    return line.split(" ")


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        # options with the value in the same word, or in the next
        ("app --password=s3cret", "app --password=***"),
        ("app --password s3cret --verbose", "app --password *** --verbose"),
        ("app --db-password=s3cret&x=y;z", "app --db-password=***"),
        ("app -password s3cret", "app -password ***"),
        ("app --passwd s3cret", "app --passwd ***"),
        ("app --pass=s3cret", "app --pass=***"),
        ("app --db-pwd=s3cret", "app --db-pwd=***"),
        ("app --token=s3cret", "app --token=***"),
        ("app --token s3cret -v", "app --token *** -v"),
        ("app --accessToken s3cret", "app --accessToken ***"),
        ("app --api-key s3cret", "app --api-key ***"),
        ("app --apikey=s3cret", "app --apikey=***"),
        ("app --api_key=s3cret", "app --api_key=***"),
        ("app --APIKey=s3cret", "app --APIKey=***"),
        ("app --secret s3cret", "app --secret ***"),
        ("app --client-secret=s3cret", "app --client-secret=***"),
        ("app --secret-key-base=s3cret", "app --secret-key-base=***"),
        ("app --secret-access-key s3cret", "app --secret-access-key ***"),
        ("vault write --secret-id s3cret", "vault write --secret-id ***"),
        ("tailscale up --authkey s3cret", "tailscale up --authkey ***"),
        ("gpg --batch --passphrase s3cret -d x", "gpg --batch --passphrase *** -d x"),
        ("redis-server --requirepass s3cret", "redis-server --requirepass ***"),
        ("curl --oauth2-bearer s3cret https://x", "curl --oauth2-bearer *** https://x"),
        ("java -Djavax.net.ssl.keyStorePassword=s3cret -jar a.jar", None),
        ("java -Dspring.datasource.password=s3cret -jar a.jar", None),
        ("keytool -list -storepass s3cret", "keytool -list -storepass ***"),
        ("x11vnc -passwd s3cret -display :0", "x11vnc -passwd *** -display :0"),
        ("cmdkey /user:bob /password:s3cret", "cmdkey /user:bob /password:***"),
        ("xfreerdp /u:bob /p:s3cret /v:host", "xfreerdp /u:bob /p:*** /v:host"),
        # variables and settings
        ("env PGPASSWORD=s3cret psql -h db", "env PGPASSWORD=*** psql -h db"),
        ("env AWS_SECRET_ACCESS_KEY=s3cret aws s3 ls", "env AWS_SECRET_ACCESS_KEY=*** aws s3 ls"),
        ("env SSHPASS=s3cret sshpass -e ssh h", "env SSHPASS=*** sshpass -e ssh h"),
        ("env DB_PASS=s3cret ./run", "env DB_PASS=*** ./run"),
        ("env SLACK_API_TOKEN=s3cret bot", "env SLACK_API_TOKEN=*** bot"),
        ("env TWINE_PASSWORD=s3cret= twine", "env TWINE_PASSWORD=*** twine"),
        ("docker run -e MYSQL_ROOT_PASSWORD=s3cret mysql", "docker run -e MYSQL_ROOT_PASSWORD=*** mysql"),
        ("docker run --env=MYSQL_PASSWORD=s3cret mysql", "docker run --env=MYSQL_PASSWORD=*** mysql"),
        ("kubectl create secret generic a --from-literal=password=s3cret", None),
        ("helm install x --set auth.password=s3cret,auth.user=bob", None),
        ("mount -o username=bob,password=s3cret,uid=0 //nas/x /mnt", None),
        ("mount -o username=bob,password=s3c,s3cret,uid=0 //nas/x /mnt", None),
        ("npm config set //registry.npmjs.org/:_authToken=s3cret", None),
        ("aws configure set aws_secret_access_key s3cret", "aws configure set aws_secret_access_key ***"),
        # programs with options of their own
        ("mysql -uroot -ps3cret shop", "mysql -uroot -p*** shop"),
        ("/usr/bin/mysqldump -u root -ps3cret --all-databases", None),
        ("mysqladmin -ps3cret status", "mysqladmin -p*** status"),
        ("mariadb -ps3cret", "mariadb -p***"),
        ("sudo -u root mysql -ps3cret", "sudo -u root mysql -p***"),
        ("sshpass -p s3cret ssh -p 22 bob@host", "sshpass -p *** ssh -p 22 bob@host"),
        ("sshpass -ps3cret scp a host:", "sshpass -p*** scp a host:"),
        ("sshpass -p -s3cret ssh host", "sshpass -p *** ssh host"),
        ("sqlplus -s scott/s3cret@db @x.sql", "sqlplus -s scott/***@db @x.sql"),
        ("redis-cli -h cache -a s3cret ping", "redis-cli -h cache -a *** ping"),
        ("mongosh -u bob -p s3cret shop", "mongosh -u bob -p *** shop"),
        ("ldapsearch -x -D cn=admin -w s3cret", "ldapsearch -x -D cn=admin -w ***"),
        ("curl -u bob:s3cret https://x", "curl -u bob:*** https://x"),
        ("curl -ubob:s3cret https://x", "curl -ubob:*** https://x"),
        ("curl --user bob:s3cret https://x", "curl --user bob:*** https://x"),
        ("curl --user=bob:s3cret https://x", "curl --user=bob:*** https://x"),
        ("curl -u s3cret: https://api", "curl -u ***: https://api"),
        ("wget --http-password=s3cret https://x", "wget --http-password=*** https://x"),
        ("http -a bob:s3cret :8000", "http -a bob:*** :8000"),
        ("smbclient //nas/x -U bob%s3cret", "smbclient //nas/x -U bob%***"),
        ("docker login -u bob -p s3cret registry", "docker login -u bob -p *** registry"),
        ("7z a x.7z -ps3cret y", "7z a x.7z -p*** y"),
        ("openssl rsa -in k -passin pass:s3cret", "openssl rsa -in k -passin pass:***"),
        ("sqlcmd -S db -U sa -P s3cret", "sqlcmd -S db -U sa -P ***"),
        # addresses
        ("git clone https://bob:s3cret@github.com/a/b", "git clone https://bob:***@github.com/a/b"),
        ("celery -b redis://:s3cret@cache:6379/0", "celery -b redis://:***@cache:6379/0"),
        ("x postgres://bob:s3c/s3cret@db/shop", "x postgres://bob:***@db/shop"),
        ("x amqp://bob:s3c@s3cret@mq:5672/", "x amqp://bob:***@mq:5672/"),
        ("x --url=mysql://bob:s3cret@db/shop", "x --url=mysql://bob:***@db/shop"),
        ("env DATABASE_URL=postgres://bob:s3cret@db/x ./run", "env DATABASE_URL=postgres://bob:***@db/x ./run"),
        ("curl https://x/y?user=1&token=s3cret&z=2", "curl https://x/y?user=1&token=***&z=2"),
        ("curl https://x/?token=s3cret", "curl https://x/?token=***"),
        ("curl https://x/#access_token=s3cret", "curl https://x/#access_token=***"),
        ("curl https://x/o?X-Amz-Signature=s3cret&a=b", "curl https://x/o?X-Amz-Signature=***&a=b"),
        ("git clone https://ghp_s3crets3crets3crets3cret@github.com/a/b", None),
        (f"app {JWT}", "app ***"),
        ("x Server=db;User=sa;Password=s3cret;Encrypt=yes", "x Server=db;User=sa;Password=***;Encrypt=yes"),
    ],
)
def test_it_hides_a_secret(line: str, masked: str | None) -> None:
    shown = mask_command(words(line))
    assert "s3cret" not in shown
    assert "***" in shown
    if masked is not None:
        assert shown == masked


@pytest.mark.parametrize(
    ("arguments", "masked"),
    [
        (["app", "--password", "two s3cret words"], "app --password ***"),
        (["app", "--password=two s3cret words"], "app --password=***"),
        (["env", "PASSWORD=two s3cret words", "app"], "env PASSWORD=*** app"),
        (["curl", "-H", "Authorization: Bearer s3cret"], "curl -H Authorization: Bearer ***"),
        (["curl", "-H", "Authorization: Basic s3cret=="], "curl -H Authorization: Basic ***"),
        (["curl", "-H", "authorization:s3cret"], "curl -H authorization:***"),
        (["curl", "-H", 'Authorization: Digest username="bob", response="s3cret"'], None),
        (["curl", "--header", "X-Api-Key: s3cret"], "curl --header X-Api-Key: ***"),
        (["curl", "--header", "X-Api-Key:s3cret"], "curl --header X-Api-Key:***"),
        (["curl", "-HPrivate-Token: s3cret"], None),
        (["curl", "-H", "Cookie: session=s3cret; other=s3cret"], "curl -H Cookie: ***"),
        (["curl", "-d", '{"user": "bob", "password": "s3cret"}'], None),
        (["curl", "-d", '{"user":"bob","password":"two s3cret words"}'], None),
        (["curl", "-d", "{'api_key': 's3cret', 'n': 1}"], "curl -d {'api_key': '***', 'n': 1}"),
        (["curl", "-d", '{"passwords": ["s3cret", "s3cret"]}'], 'curl -d {"passwords": ***}'),
        (["curl", "-d", r'"{\"password\":\"s3cret\"}"'], None),
        (["x", "https://x/?token=s3cret&q='a b'"], "x https://x/?token=***&q='a b'"),
        (["sh", "-c", "f(user='bob',password='two s3cret words')"], "sh -c f(user='bob',password=***"),
        (["sh", "-c", "PGPASSWORD=s3cret psql -h db"], "sh -c PGPASSWORD=*** psql -h db"),
        (["sh", "-c", "mysql -ps3cret < dump.sql"], "sh -c mysql -p*** < dump.sql"),
        (["sh", "-c", 'export TOKEN="two s3cret words"; run'], "sh -c export TOKEN=*** run"),
        (["sh", "-c", "curl -H 'Authorization: Bearer s3cret' https://x"], None),
        (["sh", "-c", 'curl -H "X-Api-Key: two s3cret words" https://x'], None),
        (["bash", "-lc", "ssh host 'mysql -ps3cret shop' | gzip"], "bash -lc ssh host 'mysql -p*** shop' | gzip"),
        (["ssh", "host", "mysql -ps3cret shop"], "ssh host mysql -p*** shop"),
        (["python", "-c", "connect(user='bob', password='s3cret')"], None),
        (["python", "-c", "password = 's3cret'\nprint(1)"], "python -c password = '***'\nprint(1)"),
        (["psql", "host=db password=s3cret user=bob"], "psql host=db password=*** user=bob"),
        # rewritten into one string
        (["app: worker --password s3cret --port 80"], "app: worker --password *** --port 80"),
        (["mysql -uroot -ps3cret  shop"], "mysql -uroot -p***  shop"),
        (["curl -H Authorization: Bearer s3cret https://x"], "curl -H Authorization: Bearer *** https://x"),
        (["PGPASSWORD=s3cret psql", ""], "PGPASSWORD=*** psql "),
        (["git clone https://bob:s3cret@github.com/a"], "git clone https://bob:***@github.com/a"),
    ],
)
def test_it_hides_a_secret_in_an_argument_with_blanks(arguments: list[str], masked: str | None) -> None:
    shown = mask_command(arguments)
    assert "s3cret" not in shown
    assert "***" in shown
    if masked is not None:
        assert shown == masked


@pytest.mark.parametrize(
    "line",
    [
        "app --token-file /run/token",
        "app --password-file=/run/password",
        "docker login --password-stdin registry",
        "app --passwordless --port 80",
        "setxkbmap --keyboard us",
        "git log --author bob",
        "app --authority x --author=bob",
        "nginx -p 8080",
        "ssh -p 22 bob@host",
        "docker run -p 8080:80 --name mysql mysql:8",
        "nc -a host",
        "ps -p 1234 -o pid,comm",
        "python -m http.server -p 8080",
        "mysql -P 3306 -u root --protocol=tcp",
        "mysql -u root -p shop",
        "redis-cli -h host -p 6379 ping",
        "psql --no-password -h db shop",
        "ansible-playbook --ask-pass site.yml",
        "llama --max-tokens 4096 --tokenizer gpt2",
        "env TOKENIZERS_PARALLELISM=false python run.py",
        "env PWD=/home/bob OLDPWD=/ sh",
        "env SSH_AUTH_SOCK=/tmp/ssh-x/agent.1 ssh host",
        "env AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE aws s3 ls",
        "env GOOGLE_APPLICATION_CREDENTIALS=/etc/key.json app",
        "ssh -o PasswordAuthentication=no -oNumberOfPasswordPrompts=3 host",
        "ansible --private-key ~/.ssh/id_rsa all",
        "Xorg :0 -auth /run/lightdm/root/:0 -nolisten tcp",
        "app --compass north --bypass=cache",
        "app --secret-name web --token-ttl 60",
        "app --pwd=/home/bob --pwd /srv",
        "app --keyring=x --monkey 1",
        "git clone ssh://git@github.com/a/b.git",
        "curl http://localhost:8080/image@sha256:0123456789",
        "curl https://example.org:443/a?page=2&sort=name",
        "curl -u bob https://x",
        "sqlplus /nolog",
        "mysql --password --host db",
        "java -cp a.jar:b.jar -Xmx1g com.example.Main",
        "tar -cf x.tar --exclude=secret.txt dir",
        "vi /etc/secrets/password",
        "cat token",
        "rsync -a user@host:/a /b",
        "ffmpeg -i in.mp4 -pass 1 -an",
        "code-server --auth none",
        'curl -d {"password":null}',
        "docker run -u app:app --user 1000:1000 img",
        "runner -u tests/shop/test_cart.py:TestCart.test_sum",
        "journalctl -u nginx -f",
        "git config --global user.name bob",
        "git add passwords/readme",
        "kubectl create deployment web --image=nginx:1.25",
        "redis-cli get key",
        "etcdctl get /app/db",
        "aws ssm get-parameter --name /app/db",
        "rclone copy a: b:",
        "openssl x509 -in cert.pem -noout",
        "net start spooler",
        "containerd-shim-runc-v2 -namespace moby -id 3f9a1c07be5d4c2a8b6e0d1f2a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d",
        "app --model-uuid=9972a5a1-e22e-4d1c-894e-0a1b2c3d4e5f",
        "chrome --disable-features=SpareRendererForSitePerProcess,TranslateUI2",
        "sh -c echo hello | tee out.txt",
        "find . -name password.txt -newer /etc/passwd",
        "nginx: worker process",
        "sshd: bob [priv]",
        "postgres: writer process   ",
        "/usr/lib/systemd/systemd --switched-root --system --deserialize 31",
        "",
    ],
)
def test_it_leaves_harmless_text_alone(line: str) -> None:
    assert mask_command(words(line)) == line
    assert mask_command([line]) == line


KEY_VARIABLES = [
    "KEY",
    "STRIPE_KEY",
    "APP_KEY",
    "JWT_KEY",
    "FERNET_KEY",
    "SENDGRID_KEY",
    "DEPLOY_KEY",
    "LICENSE_KEY",
    "SSH_KEY",
]
HARMLESS_KEYS = [
    "PUBLIC_KEY",
    "PRIMARY_KEY",
    "SORT_KEY",
    "CACHE_KEY",
    "MONKEY",
    "SSH_HOTKEY",
    "KEYBOARD",
    "KEY_FILE",
    "KEYS_DIR",
]

# As they were seen, or stand in manuals: one a line, the secret in any place.
LINES = (Path(__file__).parent / "command_lines.txt").read_text().splitlines()
# Some of each kind of place that a secret can have, as a shell reads them.
KINDS = [line for line in (Path(__file__).parent / "secret_kinds.txt").read_text().splitlines() if line[:1] not in "#["]


@pytest.mark.parametrize("line", LINES)
def test_it_hides_what_programs_are_really_given(line: str) -> None:
    for shown in (mask_command(words(line)), mask_command(["sh", "-c", line])):
        assert "s3cret" not in shown
        assert "***" in shown


@pytest.mark.parametrize("line", KINDS)
def test_it_hides_a_secret_of_every_kind(line: str) -> None:
    for arguments in (shlex.split(line), ["sh", "-c", line], [line]):
        assert "s3cret" not in mask_command(arguments)


@pytest.mark.parametrize("name", KEY_VARIABLES)
def test_a_variable_that_is_a_key_is_hidden(name: str) -> None:
    assert mask_command(["env", f"{name}=s3cret", "run"]) == f"env {name}=*** run"
    assert mask_command(["docker", "run", "-e", f"{name}=s3cret"]) == f"docker run -e {name}=***"


@pytest.mark.parametrize("name", HARMLESS_KEYS)
def test_a_variable_that_only_sounds_like_a_key_is_shown(name: str) -> None:
    assert mask_command(["env", f"{name}=value", "run"]) == f"env {name}=value run"


@pytest.mark.parametrize(
    ("arguments", "masked"),
    [
        (["curl", "-b", "cookies.txt", "https://x"], "curl -b cookies.txt https://x"),
        (["env", "SSL_KEY=/etc/ssl/x.key", "run"], "env SSL_KEY=/etc/ssl/x.key run"),
        (["docker", "pull", "nginx:1.25@sha256:0123abc"], "docker pull nginx:1.25@sha256:0123abc"),
        (["npm", "install", "a@npm:b@1.2.3"], "npm install a@npm:b@1.2.3"),
        (["xdg-email", "mailto:bob@example.org"], "xdg-email mailto:bob@example.org"),
        (["ssh", "-L", "8080:web:80", "bob@host"], "ssh -L 8080:web:80 bob@host"),
        (["git", "clone", "https://bob@github.com/a/b"], "git clone https://bob@github.com/a/b"),
        (["sort", "--key=2", "-t", ":"], "sort --key=2 -t :"),
        (["logstash", "-e", 'password => "s3cret"'], 'logstash -e password => "***"'),
        (["app", "-----BEGIN PRIVATE KEY-----\ns3cret\n-----END PRIVATE KEY-----"], "app ***"),
    ],
)
def test_what_is_near_to_a_secret(arguments: list[str], masked: str) -> None:
    assert mask_command(arguments) == masked


def test_no_arguments_are_no_text() -> None:
    assert mask_command([]) == ""


# What the patterns themselves are made of: whatever can be slow is a repetition of some of these.
FRAGMENTS = [
    *"a-_./:@=;&?#|,'[]{}() \t\n\"\\é",
    *(
        "A1",
        "aB",
        "--",
        "://",
        "==",
        '\\"',
        "key",
        "KEY",
        "pw",
        "apw1",
        "password",
        "--password",
        "-p",
        "token",
        "a_key=",
    ),
    *(
        "auth ",
        "Authorization: ",
        "bearer ",
        "Cookie:",
        "eyJ",
        "eyJabcdefgh.",
        "sk-",
        "SG.",
        "ghp_",
        "AKIA",
        "1234567:AA",
    ),
    *(
        "https://",
        "hooks.slack.com/services/",
        "/api/webhooks/1/",
        "-----BEGIN ",
        "curl",
        "mysql",
        "-u",
        "sqlplus",
        "-c",
    ),
    *("login", "env", "a=", "b:", "mailto:", "/password:", "x" * 30, "9" * 12),
]
# The slowest that a search of 1,300 repetitions found, in this version and in earlier ones.
SLOWEST = [
    ' mailto:\ns\\"-',
    "insert into a(",
    "m'aio:-\t\"'BG:I (\t_]",
    'a = ["',
    "\t==eyJ'",
    "\t==eyJ';",
    "\n\t=-p=eyJ';",
    "://a:",
    "a:b@",
    "eyJ-",
    "a=",
    "AKIA",
    "SG.",
    "a/a:b@",
    "aB",
    "a: [",
]
repeated = st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=6).map("".join)


def cpu_seconds(text: str) -> float:
    """The least of some measurements, whichever way a text is given."""
    ways = (["app", text], ["curl", "-c", text + " x"], text.split(" "))
    return max(min(_cpu_seconds(arguments) for _attempt in range(3)) for arguments in ways)


def _cpu_seconds(arguments: list[str]) -> float:
    began = time.thread_time()
    mask_command(arguments)
    return time.thread_time() - began


@pytest.mark.parametrize("unit", SLOWEST)
def test_a_text_of_four_times_the_length_takes_four_times_as_long(unit: str) -> None:
    shorter, longer = (unit * (length // len(unit)) for length in (2_000, 8_000))
    assert cpu_seconds(longer) < max(9 * cpu_seconds(shorter), 0.02)


@settings(deadline=None, max_examples=30)
@given(repeated)
def test_no_text_that_is_kept_takes_long(unit: str) -> None:
    # 28 ms are what the slowest takes; the room is for slower machines.
    assert cpu_seconds(unit * (MAX_COMMAND_BYTES // len(unit))) < 0.15


@settings(deadline=None)  # a busy machine is no reason to fail
@given(st.lists(st.text(alphabet="ab -=\"'&;:/@,\\{}[]\n|pP", max_size=30), max_size=5))
def test_any_text_is_taken_and_no_long_password_option_is_shown(arguments: list[str]) -> None:
    shown = mask_command([*arguments, "--password=s3cret", "--token", "s3cret"])
    assert "s3cret" not in shown
