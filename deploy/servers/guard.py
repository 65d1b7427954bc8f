"""Removes an owner's containers once the owner is gone, however it went: `python guard.py OWNER`.

Standard input is a pipe whose other end only the owner holds: its end is the owner's end. This is what
testcontainers starts its Ryuk container for, without one more image to pull.
"""

import sys

import docker

OWNER_LABEL = "employment-platform.owner"


def remove_containers(owner: str) -> None:
    """Remove the containers that carry this owner's label, and their volumes."""
    engine = docker.from_env()
    for container in engine.containers.list(all=True, filters={"label": f"{OWNER_LABEL}={owner}"}):
        container.remove(force=True, v=True)


if __name__ == "__main__":
    sys.stdin.buffer.read()
    remove_containers(sys.argv[1])
