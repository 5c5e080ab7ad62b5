"""The path of a session file: which paths are refused, and how the file is made so that nobody else can read it."""

import os
from pathlib import Path

from cookiesess.errors import ConfigurationError

# SQLite appends these to the path, "-journal" being the longest.
_LONGEST_SUFFIX = "-journal"

# SQLite's own limit on Unix (MAX_PATHNAME in os_unix.c), the suffix and a zero included.
_MAX_BYTES = 512 - len(_LONGEST_SUFFIX) - 1


def checked(path: str | os.PathLike[str]) -> Path:
    """Return the path, absolute, since a server that changes its directory later must not open another file.

    Raises:
        ConfigurationError: It cannot become a file; said here, since SQLite words it worse.
    """
    text = os.fspath(path)
    if text in {"", ":memory:"} or text.startswith("file:"):
        raise ConfigurationError(
            f"an SQLiteStore needs the path of a file, not {text!r}; for sessions in memory take MemoryStore()"
        )
    absolute = Path(path).absolute()
    _probe(absolute)
    if absolute.is_dir():
        raise ConfigurationError(f"{absolute} is a directory; give the path of a file in it")
    if not absolute.parent.is_dir():
        raise ConfigurationError(f"the directory of {absolute} does not exist; create it first")
    refuse_link(absolute)
    return absolute


def make(path: Path) -> None:
    """Make an empty file that its owner alone may read, whatever the umask; SQLite gives its neighbours the same mode.

    One that is there keeps its mode, which may have been set on purpose.

    Raises:
        ConfigurationError: The path has become a symbolic link.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        refuse_link(path)
    except OSError:
        return  # SQLite will fail to open it too, and its errors have their remedies
    else:
        # A umask may have taken the owner's rights, too. Windows has no such modes, and no fchmod before Python 3.13.
        if hasattr(os, "fchmod"):  # pragma: no branch
            os.fchmod(descriptor, 0o600)
        os.close(descriptor)


def refuse_link(path: Path) -> None:
    """Refuse a symbolic link: whoever made it, not whoever runs the app, says which file sessions are written to.

    SQLite's own neighbours would stand beside the file that it leads to, where nobody looks for them.
    """
    if path.is_symlink():
        raise ConfigurationError(f"{path} is a symbolic link; give the path of the file itself")


def file_id(path: Path) -> tuple[int, int] | None:
    """Return what tells the file at `path` from another one that takes its place; None where there is none."""
    try:
        status = path.lstat()  # a symbolic link that takes its place is another file, wherever it leads to
    except OSError:
        return None
    return status.st_dev, status.st_ino


def size(path: str) -> int:
    """Return the size of a file in bytes; 0 where there is none."""
    try:
        return os.stat(path).st_size  # noqa: PTH116 (Path.stat costs three times as much)
    except OSError:
        return 0


def _probe(path: Path) -> None:
    """Refuse what the file system or SQLite cannot name, the files beside it included."""
    length = len(os.fsencode(path))
    if length > _MAX_BYTES:
        raise ConfigurationError(f"the path of the session file has {length} bytes; SQLite takes {_MAX_BYTES}")
    try:
        path.with_name(path.name + _LONGEST_SUFFIX).lstat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError) as error:
        # Too long a name, a directory that may not be searched; ValueError: a zero byte.
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigurationError(
            f"no session file can be at {str(path)!r}: {reason} (the files beside it have names that are"
            f" {len(_LONGEST_SUFFIX)} characters longer); give another path"
        ) from error
