"""What the system lets a process have, looked at before a start: what is too little shows later, in odd places."""

from metrics.supervision.process import CannotStart

# Measured with glibc on two cores, most of it reserved for stacks and memory pools and never used: 999 MB for the 13
# threads of the worker, 444 MB for the six of `collect`.
UP_KILOBYTES, COLLECT_KILOBYTES = 1_200_000, 600_000
OPEN_FILES = 128


def check_limits(kilobytes: int) -> None:
    """Raise a CannotStart where a limit (`ulimit`) leaves fewer kilobytes of address space to a process, or fewer open
    files, than it needs."""
    try:
        import resource
    except ImportError:
        # Windows has no such limits.
        return
    space, files = (resource.getrlimit(number)[0] for number in (resource.RLIMIT_AS, resource.RLIMIT_NOFILE))
    if space != resource.RLIM_INFINITY and space < kilobytes * 1024:
        raise CannotStart(f"`ulimit -v` is {space // 1024}, and this needs {kilobytes} or unlimited")
    if files != resource.RLIM_INFINITY and files < OPEN_FILES:
        raise CannotStart(f"`ulimit -n` is {files}, and this needs {OPEN_FILES} or more")
