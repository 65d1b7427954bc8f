"""Progress for people: bars on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

LINE_EVERY_S: Final = 5.0


class Bars:
    """Several counts that go up to their totals."""

    def __init__(self, console: Console, totals: dict[str, int]) -> None:
        self._console = console
        self._totals = totals
        self._counts = dict.fromkeys(totals, 0)
        self._shown = time.monotonic()
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        """Show them."""
        if self._console.is_terminal:
            self._progress = Progress(
                TextColumn("{task.description:<34}"),
                BarColumn(bar_width=None),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=self._console,
            )
            self._progress.start()
            self._tasks = {name: self._progress.add_task(name, total=total) for name, total in self._totals.items()}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last state standing."""
        if self._progress is not None:
            self._progress.stop()
        else:
            self._line()

    def set(self, name: str, count: int) -> None:
        """It stands at `count` now."""
        self._counts[name] = min(count, self._totals[name])
        if self._progress is not None:
            self._progress.update(self._tasks[name], completed=self._counts[name])
        elif time.monotonic() - self._shown > LINE_EVERY_S:
            self._line()

    def add(self, name: str, count: int) -> None:
        """So many more."""
        self.set(name, self._counts[name] + count)

    def _line(self) -> None:
        self._shown = time.monotonic()
        parts = (f"{name} {self._counts[name]}/{total}" for name, total in self._totals.items())
        self._console.print("  " + ", ".join(parts), highlight=False, soft_wrap=True)
