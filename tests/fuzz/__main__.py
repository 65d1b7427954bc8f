"""Fuzz the way of a partner's record: decoding, form, domain; guided by coverage (atheris), else by chance alone.

SECONDS=600 python -m tests.fuzz     an input that fails lies in out/fuzz afterwards: give it as an argument to see why

Each input's first byte chooses how the record is announced, and whether the rest is a record's bytes as they are or the
choices by which a record of the form is made (`tests.fuzz.records`). What takes longer than STALL_S is a stall.
"""

from __future__ import annotations

import gzip
import importlib.util
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Final

SECONDS: Final = int(os.environ.get("SECONDS") or 600)
STALL_S: Final = 5
MAX_BYTES: Final = 16_384
OUT: Final = Path("out/fuzz")
REAL: Final = Path(__file__).parents[3] / "shared" / "data" / "jobtech_ads.jsonl.gz"
_REAL_ADS: Final = 40


def main() -> None:
    """The command."""
    OUT.mkdir(parents=True, exist_ok=True)
    if importlib.util.find_spec("atheris") is None:
        print("atheris is not installed: hypothesis alone, without guidance by coverage", flush=True)
        unguided()
    else:
        guided()


def guided() -> None:
    """By coverage. Ends the process: 0 when the time is over, else the failing input is written."""
    import atheris  # noqa: PLC0415 - not everywhere, and before what it instruments

    with atheris.instrument_imports(include=["services.postings.domain", "shared.contracts"]):
        from tests.fuzz import targets  # noqa: PLC0415

    corpus = OUT / "corpus"
    corpus.mkdir(exist_ok=True)
    for number, seed in enumerate(targets.seeds(real_ads())):
        (corpus / f"seed-{number}").write_bytes(seed)
    words = OUT / "words"
    words.write_text("".join(f'"{word}"\n' for word in targets.words()), encoding="ascii")
    options = [
        f"-max_total_time={SECONDS}",
        f"-timeout={STALL_S}",
        f"-max_len={MAX_BYTES}",
        f"-dict={words}",
        f"-artifact_prefix={OUT}/",
        "-print_final_stats=1",
        "-reload=0",
    ]
    again = sys.argv[1:]
    atheris.Setup([sys.argv[0], *(again or [*options, str(corpus)])], targets.target)
    atheris.Fuzz()


def unguided() -> None:
    """Records by chance until the time is over."""
    from hypothesis import HealthCheck, given, settings  # noqa: PLC0415 - only here
    from hypothesis import strategies as st  # noqa: PLC0415

    from services.postings.domain.forms import FORMS  # noqa: PLC0415
    from tests.fuzz import records  # noqa: PLC0415

    outcomes: Counter[str] = Counter()
    end = time.monotonic() + SECONDS

    @settings(max_examples=200, deadline=STALL_S * 1000, database=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def some(data: st.DataObject) -> None:
        form = data.draw(st.sampled_from(FORMS))
        announced = data.draw(st.sampled_from(list(records.headers(form))))
        value = data.draw(records.records(form).map(records.body) | st.binary(max_size=500))
        outcomes[records.judge(announced, value)] += 1

    while time.monotonic() < end:
        some()
    print(f"{sum(outcomes.values())} records in {SECONDS} s, none failed: {dict(outcomes)}")


def real_ads() -> list[bytes]:
    """Some real ads to begin with, where they are at hand."""
    if not REAL.exists():
        return []
    with gzip.open(REAL) as lines:
        return [line for _, line in zip(range(_REAL_ADS), lines, strict=False) if len(line) < MAX_BYTES]


if __name__ == "__main__":
    main()
