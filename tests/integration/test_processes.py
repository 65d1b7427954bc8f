"""How services are run as processes, shown with a stand-in that only answers health checks."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.processes import SERVICES, Platform, ServiceError
from deploy.servers import PROJECT, Addresses
from tests.waiting import gone, within_seconds

ADDRESSES = Addresses("kafka:1", "mongodb://mongo:2", "redis://redis:3")

STAND_IN = """
import http.server, json, os, signal, sys
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_):
        pass
def leave(*_):
    print(json.dumps({"level": "info", "event": "stopped in order", "kafka": os.environ["KAFKA_BOOTSTRAP"]}))
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
http.server.HTTPServer((os.environ["HTTP_HOST"], int(os.environ["HTTP_PORT"])), Health).serve_forever()
"""

FAILS = """
import json
print(json.dumps({"level": "error", "event": "no such key", "path": "/keys"}))
raise SystemExit(3)
"""

DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(600)
"""

OWNER = """
import sys
from pathlib import Path
from tests.integration.test_processes import platform, STAND_IN
with platform(Path(sys.argv[1]), STAND_IN) as running:
    running.start_all()
    print(*(process.pid for process in running.processes.values()), flush=True)
    sys.stdin.read()
"""


def platform(root: Path, program: str) -> Platform:
    return Platform(ADDRESSES, root, command=lambda _: [sys.executable, "-c", program])


def test_all_start_and_stop_and_one_service_may_have_several_processes(tmp_path: Path) -> None:
    with platform(tmp_path, STAND_IN) as running:
        running.start_all()
        second = running.start("matcher", "matcher-2").wait_ready()
        assert second.url != running["matcher"].url
        assert set(running.processes) == {*SERVICES, "matcher-2"}
        with pytest.raises(ServiceError, match="running already"):
            running.start("matcher", "matcher-2")
    assert not any(process.running for process in running.processes.values())
    # The last words of an orderly stop, with the address that the process was given.
    assert '"kafka": "kafka:1"' in second.log.read_text("utf-8")


def test_a_process_can_be_paused_killed_and_restarted_on_its_port(tmp_path: Path) -> None:
    with platform(tmp_path, STAND_IN) as running:
        matcher = running.start("matcher").wait_ready()
        url, pid = matcher.url, matcher.pid
        matcher.pause()
        assert not matcher.ready()
        matcher.resume()
        assert matcher.wait_ready().pid == pid
        matcher.kill()
        assert not matcher.running
        assert matcher.restart().wait_ready().url == url
        assert matcher.pid != pid
        matcher.pause()
        matcher.stop()
        assert not matcher.running


def test_a_process_that_ends_early_is_explained_by_its_log(tmp_path: Path) -> None:
    with platform(tmp_path, FAILS) as running, pytest.raises(ServiceError) as error:
        running.start("profiles").wait_ready()
    assert "profiles ended with status 3 before it was ready" in str(error.value)
    assert "error: no such key (path=/keys)" in str(error.value)


def test_a_process_that_does_not_stop_is_killed_and_that_is_an_error(tmp_path: Path) -> None:
    running = platform(tmp_path, DEAF)
    deaf = running.start("postings")
    while not deaf.log.read_bytes():
        assert deaf.running
    with pytest.raises(ServiceError, match="did not stop within"):
        running.stop_all(timeout=0.5)
    assert not deaf.running


def test_no_service_outlives_its_owner(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    pids = [int(pid) for pid in owner.stdout.readline().split()]
    assert len(pids) == len(SERVICES)
    owner.send_signal(signal.SIGKILL)
    owner.communicate(timeout=30)
    assert within_seconds(10, lambda: all(gone(pid) for pid in pids))
