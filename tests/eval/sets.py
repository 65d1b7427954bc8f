"""Sets of titles with judgements: which titles of a corpus fit a query."""

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from shared.linking.meaning import Language
from shared.settings import ROOT
from shared.taxonomy import Taxonomy

PUBLISHED = ROOT.parent / "shared" / "data" / "title_match"
TRANSLATED = ROOT / "tests" / "data" / "titles_translated"


class TitleSet(NamedTuple):
    """Queries and a corpus; of each query the positions in the corpus that fit, at least one."""

    name: str
    spoken: Language
    queries: Sequence[str]
    corpus: Sequence[str]
    relevant: Sequence[frozenset[int]]
    concepts: Sequence[str] | None = None
    """Where the corpus is labels of concepts: whose."""


def folder_sets(folder: Path) -> Iterator[TitleSet]:
    """`<name>/{queries,corpus_elements,qrels}.tsv` below a folder; a name that begins with zh is Chinese.

    Any other language is read by the English model, which is weak there.
    """
    for path in sorted(folder.iterdir()):
        if _file(path, "queries"):
            yield title_set(path.name, _pairs(path, "queries"), _pairs(path, "corpus_elements"), judgements(path))


def title_set(
    name: str, queries: dict[str, str], corpus: dict[str, str], judged: dict[str, set[str]], *, concepts: bool = False
) -> TitleSet:
    """By ids; queries without a fitting title in the corpus are left out."""
    positions = {key: number for number, key in enumerate(corpus)}
    relevant = {
        query: frozenset(positions[key] for key in judged.get(query, ()) if key in positions) for query in queries
    }
    kept = [query for query in queries if relevant[query]]
    if not kept:
        raise ValueError(f"{name}: no query has a fitting title")
    bearers = [key.partition("_")[0] for key in corpus] if concepts else None
    texts = [queries[query] for query in kept]
    spoken: Language = "zh" if name.startswith("zh") else "en"
    return TitleSet(name, spoken, texts, list(corpus.values()), [relevant[query] for query in kept], bearers)


def published_sets() -> Iterator[TitleSet]:
    """Those of `../shared/data/title_match`, and our translations of a part of `de`."""
    melo = PUBLISHED / "en_melo"
    if melo.is_dir():
        # Its files have no header.
        queries, corpus = _pairs(melo, "queries", header=False), _pairs(melo, "corpus_elements", header=False)
        yield title_set("en_melo", queries, corpus, judgements(melo, "annotations"), concepts=True)
    for name in ("de", "es"):
        if (PUBLISHED / name).is_dir():
            path = PUBLISHED / name
            yield title_set(name, _pairs(path, "queries"), _pairs(path, "corpus_elements"), judgements(path))
    if (PUBLISHED / "de").is_dir():
        yield from translated_sets()


def translated_sets() -> Iterator[TitleSet]:
    """Our translations: tests/data/titles_translated/README.md."""
    judged = judgements(PUBLISHED / "de")
    with (TRANSLATED / "titles.tsv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    same = {
        other: f"c{row['ids'].split('|')[0]}" for row in rows if row["kind"] == "c" for other in row["ids"].split("|")
    }
    wanted = {query: {same[key] for key in keys if key in same} for query, keys in judged.items()}
    for spoken in ("en", "zh"):
        queries = {row["ids"]: row[spoken] for row in rows if row["kind"] == "q"}
        corpus = {f"c{row['ids'].split('|')[0]}": row[spoken] for row in rows if row["kind"] == "c"}
        yield title_set(f"{spoken}_translated", queries, corpus, wanted)


def groups_set(taxonomy: Taxonomy) -> TitleSet:
    """Chinese occupations that share a minor group fit each other; every third of them asks.

    To be ranked with `cn-2022` hidden: what is known then are our titles of the ISCO-08 groups alone.
    """
    names = [one for one in taxonomy.concepts.values() if one.key.startswith("cn-2022:") and one.kind == "occupation"]
    corpus = {one.key: one.labels["zh"] for one in names}
    groups: dict[str, set[str]] = defaultdict(set)
    for one in names:
        groups[one.code[:7]].add(one.key)
    judged = {one.key: groups[one.code[:7]] - {one.key} for one in names[::3]}
    return title_set("zh_groups_held_out", {key: corpus[key] for key in judged}, corpus, judged)


def judgements(folder: Path, name: str = "qrels") -> dict[str, set[str]]:
    """TREC form: query, 0, document, relevance; what is above 0 fits."""
    judged: dict[str, set[str]] = defaultdict(set)
    for line in _lines(folder, name):
        query, _, document, relevance = line.split()
        if float(relevance) > 0:
            judged[query].add(document)
    return dict(judged)


def _pairs(folder: Path, name: str, *, header: bool = True) -> dict[str, str]:
    lines = list(_lines(folder, name))[1 if header else 0 :]
    pairs = (line.split("\t") for line in lines if line.strip())
    return {parts[0]: parts[1].strip() for parts in pairs}


def _lines(folder: Path, name: str) -> Iterator[str]:
    path = _file(folder, name)
    if path is None:
        raise FileNotFoundError(f"{folder}: no {name}.tsv")
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    yield from (line for line in content.decode("utf-8-sig").splitlines() if line)


def _file(folder: Path, name: str) -> Path | None:
    return next((path for end in ("tsv", "tsv.gz") if (path := folder / f"{name}.{end}").is_file()), None)
