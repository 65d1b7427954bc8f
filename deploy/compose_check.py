"""One posting through the containers: `make up`, then `python -m deploy.compose_check`.

Registers an employer and a seeker, publishes a posting, and waits until the seeker's inbox has it with its
explanation. Ends with 0 only then. Tokens come from the deployment's own development keys.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from typing import Any, Final
from uuid import uuid4

import httpx

from deploy.servers import PROJECT

PORTS: Final = {"postings": 8001, "profiles": 8002, "matcher": 8003, "notifications": 8004}
"""As docker-compose.yml publishes them."""
PATIENCE_S: Final = 60.0
POLL_S: Final = 0.2

OCCUPATION: Final = {
    "scheme": "cn-2022",
    "code": "6-18-02-04",
    "label": {"zh": "焊工", "en": "Welder"},
}
SKILL: Final = {
    "scheme": "esco",
    "code": "530cb489-d900-46ab-9350-4d50ccd49eea",
    "label": {"zh": "焊接技术", "en": "welding techniques"},
}
PLACE: Final = {"scheme": "gbt2260", "code": "370100", "label": {"zh": "济南市", "en": "Jinan"}}
POSTING: Final = {
    "title": {"zh": "示例焊工", "en": "Example welder"},
    "occupation": OCCUPATION,
    "required_skills": [SKILL],
    "regions": [PLACE],
    "pay": {"min": 7000, "max": 9000, "currency": "CNY"},
}
SEEKER: Final = {
    "occupations": [OCCUPATION],
    "skills": [SKILL],
    "lives_in": PLACE,
    "regions": [PLACE],
    "pay_floor": {"amount": 6500, "currency": "CNY"},
    "consent": {"matching": True},
    "contact": {"name": "示例 张三"},
}


class CheckError(RuntimeError):
    """The deployment does not do what it should; the message says what."""


def main() -> int:
    """Check; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.compose_check", description="One posting through the containers."
    )
    parser.add_argument("--host", default="localhost", help="where the ports are published")
    host = parser.parse_args().host
    try:
        item, seconds = check({service: f"http://{host}:{port}" for service, port in PORTS.items()})
    except (CheckError, httpx.HTTPError) as error:
        print(f"compose check failed: {error}")
        return 1
    print(f"recommended after {seconds:.1f} s, with {item['points']} points: {item['posting']['title']['zh']}")
    for text in item["explanation"].values():
        print(f"  {text}")
    return 0


def check(urls: dict[str, str]) -> tuple[dict[str, Any], float]:
    """Publish and wait: the item in the seeker's inbox, and after how many seconds it was there.

    Raises CheckError, or httpx.HTTPError for a service that cannot be reached.
    """
    run = uuid4().hex[:12]
    employer, seeker = token("employer", f"check-employer-{run}"), token("seeker", f"check-seeker-{run}")
    with httpx.Client(timeout=30) as client:

        def call(method: str, service: str, path: str, bearer: str, body: object = None) -> dict[str, Any]:
            headers = {"authorization": f"Bearer {bearer}"}
            response = client.request(method, urls[service] + path, headers=headers, json=body)
            if not response.is_success:
                raise CheckError(f"{method} {path} answered {response.status_code}: {response.text[:300]}")
            answer: dict[str, Any] = response.json()
            return answer

        name = {"name": "示例制造有限公司 Example Manufacturing"}
        call("PUT", "postings", f"/employers/check-employer-{run}", employer, name)
        call("POST", "profiles", "/seekers", seeker, SEEKER)
        posting = call("POST", "postings", "/postings", employer, POSTING)["id"]
        started = time.monotonic()
        while time.monotonic() - started < PATIENCE_S:
            for item in call("GET", "notifications", "/inbox", seeker)["items"]:
                if item["posting"]["id"] == posting and item["posting"]["title"] and item["explanation"]:
                    return item, time.monotonic() - started
            time.sleep(POLL_S)
    raise CheckError(f"posting {posting} did not come to the seeker's inbox within {PATIENCE_S:.0f} s")


def token(role: str, sub: str) -> str:
    """A token signed with the deployment's development key. Raises CheckError if it gives none."""
    command = ["docker", "compose", "exec", "-T", "postings", "python", "-m", "deploy.token"]
    command += ["--role", role, "--sub", sub, "--keys-dir", "/keys"]
    try:
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CheckError(f"no token: {error}") from error
    if done.returncode:
        raise CheckError(f"no token: {done.stderr.strip()[-300:]}")
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
