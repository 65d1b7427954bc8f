"""`make eval`: how well titles find titles, occupations and skills; into out/eval.json, as a table on the terminal.

With `--sets folder` (make eval SETS=folder): every `<name>/{queries,corpus_elements,qrels}.tsv` below the folder.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deploy.models import ensure as ensure_models
from deploy.taxonomy import ensure as ensure_taxonomy
from shared.linking.hubs import build
from shared.linking.titles import Titles, open_titles
from shared.linking.wording import Characters
from shared.settings import ROOT
from shared.taxonomy import Taxonomy, load
from tests.eval.chinese import agreement, chinese_set, to_occupations
from tests.eval.measures import MEASURES, Figures, interval, measure
from tests.eval.sets import TitleSet, folder_sets, groups_set, published_sets
from tests.eval.skills import SkillSet

OUT = ROOT / "out" / "eval.json"
Scores = NDArray[np.float32]
Report = dict[str, Any]


def title_report(one: TitleSet, titles: Titles, hidden: Titles | None = None) -> Report:
    """Ours, TF-IDF over characters and the bare model on one set; `hidden` ranks where some hubs must not help."""
    methods = {
        "tfidf": Characters(one.corpus).closeness(one.queries, one.corpus),
        "bare_model": titles.vectors(one.queries, one.spoken) @ titles.vectors(one.corpus, one.spoken).T,
    }
    ours = (hidden or titles).closeness(one.queries, one.corpus, one.spoken)
    report = compared(ours, methods, one.relevant)
    if one.concepts is not None:
        # Only the best label of each concept stays: the rank of the right concept among concepts.
        report["concept_mrr"] = concept_mrr(ours, one.relevant, one.concepts)
        for name, scores in methods.items():
            report["baselines"][name]["concept_mrr"] = concept_mrr(scores, one.relevant, one.concepts)
    return report


def compared(ours: Scores, methods: Mapping[str, Scores], relevant: Sequence[frozenset[int]]) -> Report:
    """The figures, their intervals, and the paired differences to the baselines with theirs."""
    figures = measure(ours, relevant)
    others = {name: measure(scores, relevant) for name, scores in methods.items()}
    return {
        **_means(figures),
        "queries": len(relevant),
        "intervals": {name: _rounded(interval(values)) for name, values in figures.items()},
        "baselines": {name: _means(theirs) for name, theirs in others.items()},
        "differences": {
            name: {
                which: {"mean": _round(np.mean(delta)), "interval": _rounded(interval(delta))}
                for which in MEASURES
                for delta in [figures[which] - theirs[which]]
            }
            for name, theirs in others.items()
        },
    }


def concept_mrr(scores: Scores, relevant: Sequence[frozenset[int]], concepts: Sequence[str]) -> float:
    """Mean reciprocal rank of the first right concept, each concept standing where its best label stands."""
    keys = np.unique(np.array(concepts), return_inverse=True)[1]
    order = np.argsort(keys, kind="stable")
    best = np.maximum.reduceat(scores[:, order], np.searchsorted(keys[order], np.arange(keys.max() + 1)), axis=1)
    right = [frozenset(int(keys[position]) for position in wanted) for wanted in relevant]
    return _round(np.mean(measure(best, right)["mrr"]))


def standard(taxonomy: Taxonomy, titles: Titles) -> Iterator[tuple[str, Report]]:
    """The project's own sets."""
    for one in published_sets():
        yield one.name, title_report(one, titles)
    if any(key.startswith("cn-2022:") for key in titles.hubs("zh").keys):
        known = titles.hubs("zh")
        hubs = build(taxonomy, known.labels, known.raw, [key for key in known.keys if key.startswith("cn-2022:")])
        one = groups_set(taxonomy)
        yield one.name, title_report(one, titles, Titles(taxonomy, titles.encoder, {"zh": hubs}))
    if taxonomy.coverage.get("relations essential"):
        skills = SkillSet(taxonomy, titles.encoder, titles.hubs("en"))
        yield "title_to_skill", compared(skills.ours(), {"nearest_titles": skills.nearest_titles()}, skills.relevant)
    queries, occupations, first, second = chinese_set(taxonomy)
    bare = titles.vectors(queries, "zh") @ titles.encoder.encode(occupations.labels, "zh").T
    report = compared(to_occupations(taxonomy, titles, queries, occupations.keys), {"bare_model": bare}, first)
    yield "zh_titles", {**report, "agreement": agreement(first, second)}


def table(reports: Mapping[str, Report]) -> Iterator[str]:
    """Lines for people."""
    yield f"{'set':22}{'method':16}{'queries':>8}" + "".join(f"{name:>9}" for name in MEASURES) + "   map: ours - this"
    for name, report in reports.items():
        yield _line(name, "ours", report, f"{report['queries']:>8}", "")
        for method, figures in report["baselines"].items():
            difference = report["differences"][method]["map"]
            low, high = difference["interval"]
            yield _line("", method, figures, " " * 8, f"   {difference['mean']:+.3f} [{low:+.3f}, {high:+.3f}]")
        if "concept_mrr" in report:
            others = ", ".join(f"{method} {one['concept_mrr']:.3f}" for method, one in report["baselines"].items())
            yield f"{'':22}MRR of the concept: ours {report['concept_mrr']:.3f}, {others}"
        if "agreement" in report:
            shown = ", ".join(f"{which.replace('_', ' ')} {value}" for which, value in report["agreement"].items())
            yield f"{'':22}two readings: {shown}"


def _line(name: str, method: str, figures: Mapping[str, float], queries: str, end: str) -> str:
    return f"{name:22}{method:16}{queries}" + "".join(f"{figures[which]:9.3f}" for which in MEASURES) + end


def _means(figures: Mapping[str, Figures]) -> dict[str, Any]:
    return {name: _round(np.mean(values)) for name, values in figures.items()}


def _round(value: float | np.floating[Any]) -> float:
    return round(float(value), 4)


def _rounded(values: Iterable[float]) -> list[float]:
    return [_round(value) for value in values]


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(prog="python -m tests.eval", description=__doc__)
    parser.add_argument("--sets", type=Path, help="a folder of sets to take in the place of the project's own")
    options = parser.parse_args()
    started = time.monotonic()
    try:
        # Before anything else: what cannot be read is said at once.
        given = folder_sets(options.sets) if options.sets else []
    except (ValueError, OSError) as error:
        sys.exit(f"Not measured: {error}")
    for name in (one.name for one in given if not one.name.startswith(("zh", "en"))):
        print(f"{name}: begins with neither zh nor en, and is read as English", file=sys.stderr)
    models, path = ensure_models(), ensure_taxonomy()
    taxonomy = load(path)
    titles = open_titles(path, taxonomy, models, threads=2)
    own = ((one.name, title_report(one, titles)) for one in given) if given else None
    reports: dict[str, Report] = {}
    for name, report in own or standard(taxonomy, titles):
        print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
        reports[name] = report
        # After each set: whoever stops it in between keeps what was measured.
        OUT.parent.mkdir(exist_ok=True)
        OUT.write_text(json.dumps(reports, indent=1) + "\n", "utf-8")
    print("\n".join(table(reports)))
    print(f"\n{titles.version}\n{OUT}")


if __name__ == "__main__":
    main()
