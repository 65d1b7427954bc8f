"""How fast texts are read, for skills on one core, and the whole way on all: `make bench-linking`.

Real JobTech ads (Swedish and English, whole), again and again until `--seconds` are over, each time as a new text: the
linker remembers words, not texts. The whole way is what postings does with ads whose source names no occupation: each
with another title (New York's, English), so that every title goes through the model. Prints, and writes
`out/bench/linking.json`.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import resource
import tempfile
import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any, Final, TypeVar

from deploy.servers import PROJECT
from deploy.taxonomy import ensure
from shared.linking.linker import linker
from shared.linking.reading import Ad
from shared.linking.skills import Linker, load
from shared.taxonomy import load as load_taxonomy
from tests.bench.machine import commit, machine

Text = TypeVar("Text")
OUT: Final = PROJECT / "out" / "bench" / "linking.json"
SOURCES: Final = PROJECT.parent / "shared" / "data"
BATCH: Final = 200
SEEKERS: Final = (
    "焊工，会看图纸",
    "forklift, night shifts ok",
    "I have worked 3 years as a nurse, no weekends",
    "Jag har truckkort, B-körkort och kan svetsa",
    "熟练使用Excel和Word，会叉车，可以上夜班",
)


def ads() -> list[tuple[str, str]]:
    """Title and text of each ad that has a text."""
    with gzip.open(SOURCES / "jobtech_ads.jsonl.gz", "rt", encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    return [(ad["headline"] or "", text) for ad in records if (text := (ad.get("description") or {}).get("text"))]


def rate(read: Callable[[Text], object], texts: list[Text], seconds: float) -> dict[str, float | int]:
    """Texts a second of processor time; a round of all texts first, unmeasured."""
    for text in texts:
        read(text)
    done, start, spent = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - start < seconds:
        for text in texts:
            read(text)
        done += len(texts)
    spent = time.process_time() - spent
    return {"texts": done, "cpu_seconds": round(spent, 2), "per_cpu_second": round(done / spent)}


def start_up() -> tuple[Linker, dict[str, float]]:
    """A linker out of a warm folder, and what it took: processor seconds and resident MiB that it added."""
    taxonomy = load_taxonomy(ensure({"TAXONOMY_DIR": str(SOURCES)}))
    with tempfile.TemporaryDirectory() as folder:
        spent = time.process_time()
        load(taxonomy, Path(folder))
        first = time.process_time() - spent
        before = resident()
        spent = time.process_time()
        linker = load(taxonomy, Path(folder))
        again = time.process_time() - spent
        return linker, {
            "first_load_s": round(first, 2),
            "load_s": round(again, 2),
            "added_mib": round(resident() - before),
            "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        }


def resident() -> float:
    """Resident memory of this process, MiB."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def whole_way() -> dict[str, float | int | str]:
    """New ads a second, titles and texts, with as many threads as there are cores."""
    file = ensure({"TAXONOMY_DIR": str(SOURCES)})
    reads = linker(load_taxonomy(file), file)
    with gzip.open(SOURCES / "nyc_city_jobs.csv.gz", "rt", encoding="utf-8") as rows:
        titles = list(dict.fromkeys(row["Business Title"] for row in csv.DictReader(rows)))
    new = [
        Ad((("en", title),), (("sv", text),), wants_occupation=True)
        for title, (_, text) in zip(titles, cycle(ads()), strict=False)
    ]
    reads.ads([Ad((("en", "warm up"),), (), wants_occupation=True)])
    start = time.perf_counter()
    for at in range(0, len(new), BATCH):
        reads.ads(new[at : at + BATCH])
    seconds = time.perf_counter() - start
    return {"linker": reads.version, "ads": len(new), "seconds": round(seconds, 2), "per_s": round(len(new) / seconds)}


def main() -> None:
    """Measure, print, write."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    given = arguments.parse_args()
    skills, loading = start_up()
    texts = ads()
    result: dict[str, Any] = {
        "machine": machine(),
        "commit": commit(),
        "settings": {
            "seconds": given.seconds,
            "ads": len(texts),
            "mean_characters": round(sum(len(text) for _, text in texts) / len(texts)),
            "linker": skills.version,
            "threads": 1,
        },
        "loading": loading,
        "ads": rate(lambda ad: skills.posting(*ad), texts, given.seconds),
        "whole_way": whole_way(),
        "seekers": rate(skills.seeker, list(SEEKERS), given.seconds / 4),
    }
    print(json.dumps(result, indent=2, ensure_ascii=False))
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
