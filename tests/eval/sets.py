"""Sets of titles with judgements: which titles of a corpus fit a query."""

import csv
import gzip
from collections import defaultdict
from collections.abc import Container, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from shared.linking.meaning import Language
from shared.settings import ROOT
from shared.taxonomy import Taxonomy

PUBLISHED = ROOT.parent / "shared" / "data" / "title_match"
_COLUMNS = 4
"""Of judgements."""
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


def folder_sets(folder: Path) -> list[TitleSet]:
    """`<name>/{queries,corpus_elements,qrels}.tsv` below a folder, also as `.tsv.gz`; a name with zh first is Chinese.

    Any other language is read by the English model, which is weak there. Raises ValueError and OSError that name the
    file, and the line, that cannot be read so.
    """
    found = [_folder_set(path) for path in sorted(folder.iterdir()) if path.is_dir() and _file(path, "queries")]
    if not found:
        raise ValueError(f"{folder}: no set in it; a set is a folder with queries.tsv, corpus_elements.tsv, qrels.tsv")
    return found


def _folder_set(path: Path) -> TitleSet:
    judged = {query: set(found) for query, found in _judged(path, "qrels").items()}
    documents = {document for found in judged.values() for document in found}
    queries = _pairs(path, "queries", header=_has_header(path, "queries", judged))
    corpus = _pairs(path, "corpus_elements", header=_has_header(path, "corpus_elements", documents))
    return title_set(path.name, queries, corpus, judgements(path))


def _has_header(folder: Path, name: str, judged: Container[str]) -> bool:
    """Whether the first line is one: no id that is judged, and no number, stands in a header."""
    _, first = next(_lines(folder, name), (0, ""))
    key = first.partition("\t")[0].strip()
    return not (key.isdigit() or key in judged)


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
        raise ValueError(
            f"{name}: none of {len(queries)} queries has a fitting title by qrels.tsv that is in the corpus"
        )
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
    """What fits each query: TREC form with a relevance above 0. Raises as `folder_sets`."""
    judged = _judged(folder, name)
    fits = {query: {key for key, relevance in found.items() if relevance > 0} for query, found in judged.items()}
    return {query: keys for query, keys in fits.items() if keys}


def _judged(folder: Path, name: str) -> dict[str, dict[str, float]]:
    """TREC form: query, 0, document, relevance; between tabs where there are some, so that ids may have spaces."""
    judged: dict[str, dict[str, float]] = defaultdict(dict)
    for number, line in _lines(folder, name):
        cells = [cell.strip() for cell in line.split("\t")]
        try:
            query, _, document, relevance = cells if len(cells) == _COLUMNS else line.split()
            judged[query][document] = float(relevance)
        except ValueError:
            what = f"{folder.name}/{name}.tsv, line {number}: not query, 0, document, relevance"
            raise ValueError(f"{what}: {line[:80]!r}") from None
    return dict(judged)


def _pairs(folder: Path, name: str, *, header: bool = True) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for number, line in list(_lines(folder, name))[1 if header else 0 :]:
        key, tab, rest = line.partition("\t")
        key, title = key.strip(), rest.partition("\t")[0].strip()
        if not tab:
            raise ValueError(f"{folder.name}/{name}.tsv, line {number}: not an id, a tab and a title: {line[:80]!r}")
        if pairs.setdefault(key, title) != title:
            raise ValueError(f"{folder.name}/{name}.tsv, line {number}: the id {key} has another title already")
    return pairs


def _lines(folder: Path, name: str) -> Iterator[tuple[int, str]]:
    """Those that are not blank, with their numbers from 1 on. Whatever ends lines elsewhere may stand in a title."""
    path = _file(folder, name)
    if path is None:
        raise FileNotFoundError(f"{folder}: no {name}.tsv")
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: byte {error.start} is not UTF-8") from None
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        if line.strip():
            yield number, line


def _file(folder: Path, name: str) -> Path | None:
    return next((path for end in ("tsv", "tsv.gz") if (path := folder / f"{name}.{end}").is_file()), None)
