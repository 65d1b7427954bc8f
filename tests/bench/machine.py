"""What a bench ran on: its figures mean nothing without it."""

from __future__ import annotations

import os
import platform as machine_of
import subprocess
from pathlib import Path

from deploy.servers import PROJECT


def machine() -> dict[str, str | int | float]:
    """What this runs on."""
    lines = Path("/proc/cpuinfo").read_text("ascii", errors="replace").splitlines()
    cpu = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory, 1),
        "python": machine_of.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def commit() -> str:
    """What was measured; empty outside a checkout."""
    asked = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(asked, cwd=PROJECT, capture_output=True, text=True, check=False).stdout.strip()


def cpu_s(pid: int) -> float:
    """Processor seconds since the start of a process: what it costs, whatever else the machine does."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return round((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), 2)
