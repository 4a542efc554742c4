"""What is known to be harmless in a command line: programs, their subcommands, and what options may be
followed by."""

from collections.abc import Mapping

from metrics.collectors.secret_names import word_set

# What runs another program: its first word that is no option is looked at as a program again.
WRAPPERS = word_set(
    """
    sudo doas env nice ionice nohup setsid timeout time chrt taskset stdbuf xargs strace ltrace gdb valgrind
    perf watch
    flock unshare nsenter chroot runuser setpriv systemd-run systemd-inhibit dbus-run-session xvfb-run tini dumb-init
    catatonit exec fakeroot torchrun accelerate
    """
)
SHELLS = word_set("sh bash dash zsh ash ksh fish busybox")

_GIT = """add am apply archive bisect blame branch checkout cherry-pick clean clone commit config describe diff fetch
    fetch-pack for-each-ref fsck gc grep index-pack init log ls-files ls-remote maintenance merge mv
    pack-objects pull push
    rebase reflog remote remote-https repack reset restore rev-list rev-parse show stash status submodule switch tag
    unpack-objects upload-pack worktree"""
_CONTAINERS = """attach build buildx commit compose config container cp create daemon diff down events exec
    export history
    image images import info inspect kill load login logout logs ls machine manifest network pause pod port
    prune ps pull push
    restart rm rmi run save scan search service stack start stats stop swarm system tag top unpause up update version
    volume wait"""
_PACKAGES = """add audit autoremove build cache check clean config create dedupe dev dist-upgrade download env
    exec explain
    fetch find freeze full-upgrade i info init install link list lock ls lint outdated pack preview prune
    publish purge rebuild
    reinstall remove repoquery run run-script search serve show start stop sync test tree uninstall unlink
    update upgrade
    version view why"""
_KUBERNETES = """annotate api-resources apply attach auth autoscale certificate cluster-info config cordon cp
    create debug
    delete deployment deployments describe diff drain edit events exec explain expose get ingress job jobs
    label logs namespace
    namespaces node nodes patch pod pods port-forward proxy replace rollout run scale secret secrets service
    services set
    statefulset status taint top uncordon version wait"""
_SYSTEMD = """cat condrestart daemon-reexec daemon-reload disable edit enable get-default halt is-active
    is-enabled is-failed
    isolate kill list-dependencies list-jobs list-sockets list-timers list-unit-files list-units mask poweroff preset
    reboot reload reload-or-restart reset-failed restart show start status stop suspend try-restart unmask"""

# Programs of which each word that is listed here is shown, wherever it stands among what they are given.
SUBCOMMANDS: Mapping[str, frozenset[str]] = {
    name: word_set(known)
    for names, known in (
        ("git", _GIT),
        ("docker podman nerdctl docker-compose podman-compose ctr crictl buildah", _CONTAINERS),
        (
            "npm pnpm yarn bun pip pip3 pipx uv poetry apt apt-get dnf yum zypper pacman snap flatpak brew gem conda",
            _PACKAGES,
        ),
        (
            "kubectl oc k3s microk8s helm kubelet",
            _KUBERNETES + " install list repo rollback uninstall upgrade agent server",
        ),
        ("systemctl service initctl rc-service", _SYSTEMD),
        (
            "cargo go rustup dotnet",
            "bench build check clean doc fmt generate get install list mod run test tool update vet watch",
        ),
        ("ip", "a addr address brief l link monitor n neigh netns r route rule show"),
        ("make ninja gmake", "all build check clean dist install lint run test docs"),
        ("mvn gradle gradlew", "assemble build clean compile deploy install package site test verify"),
        (
            "manage.py django-admin",
            """backup check clearsessions collect collectstatic compilemessages createsuperuser dbshell doctor
            dumpdata flush
            inspectdb loaddata makemessages makemigrations migrate prune qcluster repair restore runserver
            sendtestemail
            service shell showmigrations simulate sqlflush sqlmigrate test top up usage""",
        ),
        (
            "flask rails bin/rails artisan php",
            "console db:migrate migrate queue:work routes run s schedule:run serve server shell",
        ),
        ("celery", "beat call control events flower inspect multi purge report shell status worker"),
        ("ansible-vault", "create decrypt edit encrypt encrypt_string rekey view"),
        (
            "openssl",
            "ciphers dgst enc genpkey genrsa passwd pkcs12 pkey rand req rsa s_client s_server speed verify x509",
        ),
        ("rclone", "bisync cat check config copy copyto delete ls lsd mount move obscure rcd serve size sync"),
        (
            "restic borg",
            "backup check copy create diff extract forget init list ls mount prune restore snapshots stats unlock",
        ),
        (
            "aws",
            "configure cp create-secret ec2 ecr ecs iam lambda ls mv put-parameter rds rm s3 secretsmanager ssm",
        ),
        (
            "terraform tofu",
            "apply console destroy fmt get graph import init output plan refresh show state validate workspace",
        ),
        ("vault consul nomad", "agent auth kv login monitor operator read server status token unseal write"),
        ("journalctl loginctl machinectl timedatectl hostnamectl networkctl resolvectl", "list status show query"),
        ("nmcli", "connection device general monitor networking radio show up down wifi"),
        ("code code-server jupyter jupyter-lab", "lab notebook serve-web server tunnel"),
        ("node", "inspect"),
        ("php-fpm nginx postgres", ""),
    )
    for name in names.split()
}
# What daemons call themselves: the words after `NAME:`.
TITLES = word_set(
    """
    worker process master manager cache loader background writer walwriter checkpointer autovacuum launcher logical
    replication archiver startup stats collector idle pool www server listener parallel privileged [priv] [net]
    [listener] [accepted] client scheduler main watcher helper
    """
)
# Programs of which letters behind one dash are switches, and no switch with its value.
SWITCHES = word_set(
    """
    ls tar rsync grep egrep rg ps cp mv rm ln ssh scp sftp tail head sort uniq du df find xargs sed awk cat
    less bash sh dash
    zsh sudo su env nginx sshd httpd apache2 cron crond atd rsyslogd chronyd dbus-daemon python python3 perl
    ruby node java
    gcc g++ cc c++ clang clang++ ld make ninja git systemctl journalctl ip ping traceroute tcpdump vim vi nano
    tmux screen
    top htop free vmstat iostat watch dd gzip bzip2 xz zstd cpio mount umount lsblk lsof ss netstat agetty
    dhclient chmod tee
    chown mkdir kill pkill pgrep wc file diff cmp
    """
)
COMPILERS = word_set("gcc g++ cc c++ clang clang++ ld cc1 cc1plus rustc as nvcc gfortran")
# Options with one dash and several letters that many programs have.
LONG_SWITCHES = word_set(
    """
    -auth -background -classpath -client -config -configuration -contentproc -cp -daemon -data -debug -dir
    -display -ea
    -exec -foreground -help -home -inform -jar -log -logfile -loop -maxdepth -mindepth -module -modulepath
    -name -noreset -nolisten
    -outform -output -parentBuildID -path -port -print -print0 -quiet -seat -server -silent -type -user
    -verbose -version -vt
    """
)
# The last word of an option's name, and what its value may be: a number, a plain word, or an address.
COUNTED = word_set(
    """
    age attempts backlog batch batchsize burst bytes capacity chunk clients columns concurrency connections
    core cores count
    cpus debuglevel delay depth dim duration end epoch epochs fd files frequency gpus gpu height id index
    interval iterations j
    jobs keepalive layers length level limit lines lr max maxdepth maxsize mb memory min n nodes np nproc num number
    offset parallel parallelism percent period pid poll port ports priority procs proportion quality rank rate
    ratio replicas
    repeat requests restarts retries retry rounds samples scale second seconds seed shards size slots start
    steps threads
    threshold timeout total tries ttl v verbosity version wait width window workers gid uid processes
    resolution deserialize baud
    """
)
NAMED = word_set(
    """
    action address cidr dns setuser setgroup affinity algorithm app arch architecture backend bind branch bus
    channel charset class cluster codec color
    colour compression config context cpu device dialect display distro driver encoding engine env
    environment facility
    feature features filter format framework governor group handler host hostname image interface kind lang
    language layout
    level listen locale log loglevel manager mode model module name namespace network node optimizer order os output
    performance phase platform plugin plugins policy processor profile program project protocol provider queue
    queues range
    region release role roles runtime scheduler scheme schema seat service shell signal source
    stage standard state std
    storage strategy style subtype system table tag target task template test theme time timezone tool topic
    transport type
    unit user username variant verb view voice worker zone
    """
)
NUMBER_SWITCHES: Mapping[str, frozenset[str]] = {
    name: word_set(known)
    for names, known in (
        ("ssh", "-p -L"),
        ("scp sftp", "-P"),
        ("make ninja gmake xz zstd pigz", "-j -T -p -k -l"),
        ("head tail", "-n -c"),
        ("nice ionice renice", "-n -c -p"),
        ("sleep timeout watch ping seq usleep", "-n -c -i -t -W"),
        ("gunicorn uvicorn celery uwsgi hypercorn granian", "-w -c -p -b -t"),
        ("nginx rsyslogd cron", "-g"),
        ("iostat vmstat mpstat sar top", "-n -d -p"),
        ("redis-server redis-cli mongod postgres mysqld memcached", "-p -h -m -c -D"),
        ("ab wrk hey siege", "-n -c -t -d"),
        ("stress stress-ng", "-c -m -i -d -t"),
        ("rsyslogd", "-i -c"),
    )
    for name in names.split()
}
