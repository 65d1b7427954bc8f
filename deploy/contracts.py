"""Writes `docs/contracts` anew: JSON Schema by event, AsyncAPI and OpenAPI by service.

python -m deploy.contracts              what holds now
python -m deploy.contracts --release    and from now on it must stay compatible with this
"""

from __future__ import annotations

import argparse
import json
import sys
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from deploy.servers import PROJECT
from shared.contracts.compatibility import breaches
from shared.contracts.generate import SERVICES, asyncapi, schemas, text
from shared.topics import declared

if TYPE_CHECKING:
    from fastapi import FastAPI

FOLDER = PROJECT / "docs" / "contracts"
BASELINE = FOLDER / "baseline"
GENERATED = ("schemas", "asyncapi", "openapi")


def application(service: str, state: Path) -> FastAPI:
    """A service as its `app.py` puts it together, connected to nothing; `state` takes its keys and files."""
    settings = getattr(import_module(f"services.{service}.settings"), f"{service.capitalize()}Settings")
    made: FastAPI = import_module(f"services.{service}.app").create_app(
        settings(dev_keys=True, keys_dir=state / "keys", service_state_dir=state)
    )
    return made


def message_documents() -> dict[str, str]:
    """The documents of what goes over Kafka: their texts by their paths under `docs/contracts`."""
    fixed, families = declared(PROJECT / "deploy" / "topics.toml")
    topics = {topic.name: topic for topic in (*fixed, *families)}
    return {
        **{f"schemas/{path}": text(schema) for path, schema in schemas().items()},
        **{f"asyncapi/{service}.json": text(asyncapi(service, topics)) for service in SERVICES},
    }


def openapi(service: str) -> dict[str, object]:
    """What a service answers over HTTP."""
    with TemporaryDirectory() as state:
        return application(service, Path(state)).openapi()


def incompatible() -> list[str]:
    """What in the present schemas may not follow those that were released."""
    present = schemas()
    faults: list[str] = []
    for path in sorted(BASELINE.rglob("*.schema.json")):
        name = path.relative_to(BASELINE).as_posix()
        if name not in present:
            faults.append(f"{name}: the event went, but old records of it are still read")
            continue
        released = json.loads(path.read_text("utf-8"))
        faults += [f"{name}{breach}" for breach in breaches(released, present[name])]
    return faults


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--release", action="store_true", help="make the present schemas the baseline")
    release: bool = parser.parse_args().release
    if release and (faults := incompatible()):
        sys.exit("not released:\n" + "\n".join(faults))
    made = message_documents() | {f"openapi/{service}.json": text(openapi(service)) for service in SERVICES}
    for path in (path for part in GENERATED for path in (FOLDER / part).rglob("*.json")):
        if path.relative_to(FOLDER).as_posix() not in made:
            path.unlink()
    for name, content in made.items():
        write(FOLDER / name, content)
        if release and name.startswith("schemas/"):
            write(BASELINE / name.removeprefix("schemas/"), content)
    print(f"{len(made)} documents in {FOLDER.relative_to(PROJECT)}")


def write(path: Path, content: str) -> None:
    """One file, with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
