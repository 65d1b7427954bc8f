"""MongoDB is configured alike everywhere."""

import json
import re

from deploy.servers import PROJECT
from deploy.servers.database import MONGO_OPTIONS

LOCAL_ONLY = ("--oplogSize", "1024")
"""A container's volume has room for the default."""


def test_containers_have_the_same_options() -> None:
    compose = (PROJECT / "docker-compose.yml").read_text("utf-8")
    (command,) = re.findall(r"^    command: (\[\"--replSet.+\])$", compose, re.MULTILINE)
    said = json.loads(command)
    assert said == [
        one for pair in zip(MONGO_OPTIONS[::2], MONGO_OPTIONS[1::2], strict=True) if pair != LOCAL_ONLY for one in pair
    ]
