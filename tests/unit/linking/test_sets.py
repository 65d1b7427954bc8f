"""Folders of sets as people send them: `make eval SETS=folder`."""

import gzip
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.eval.sets import folder_sets

GOOD = {
    "queries": "q_id\tjobtitle\nq1\t焊工\nq2\t会计\n",
    "corpus_elements": "c_id\tjobtitle\nc1\t电焊工\nc2\t出纳\nc3\t司机\n",
    "qrels": "q1\t0\tc1\t1\nq1\t0\tc2\t0\nq2\t0\tc2\t1\n",
}


def write(folder: Path, name: str = "zh_x", /, **files: str | bytes) -> Path:
    made: Mapping[str, str | bytes] = GOOD | files
    (folder / name).mkdir()
    for file, content in made.items():
        data = content.encode() if isinstance(content, str) else content
        (folder / name / f"{file}.tsv").write_bytes(data)
    return folder


def bare(text: str) -> str:
    return text.partition("\n")[2]


WRITTEN = {
    "as it should be": {},
    "without headers": {name: bare(GOOD[name]) for name in ("queries", "corpus_elements")},
    "by Windows": {name: ("\ufeff" + text).replace("\n", "\r\n") for name, text in GOOD.items()},
    "by Windows, without headers": {
        name: ("\ufeff" + (text if name == "qrels" else bare(text))).replace("\n", "\r\n")
        for name, text in GOOD.items()
    },
    "judgements between spaces": {"qrels": GOOD["qrels"].replace("\t", "  ")},
    "blank lines, blanks at the ends, more columns": {
        "queries": "q_id\tjobtitle\tsource\n\nq1 \t焊工 \tx\nq2\t 会计\ty\n\n",
        "qrels": GOOD["qrels"] + "\n  \n",
    },
    "queries that nobody judged": {"queries": GOOD["queries"] + "q3\t护士\n"},
    "judgements of what is not there": {"qrels": GOOD["qrels"] + "q9\t0\tc1\t1\nq1\t0\tc9\t1\n"},
}


@pytest.mark.parametrize("files", WRITTEN.values(), ids=WRITTEN.keys())
def test_the_same_set_however_it_is_written(tmp_path: Path, files: dict[str, str]):
    (one,) = folder_sets(write(tmp_path, **files))
    assert (one.name, one.spoken) == ("zh_x", "zh")
    assert one.queries == ["焊工", "会计"]
    assert one.corpus == ["电焊工", "出纳", "司机"]
    assert one.relevant == [frozenset({0}), frozenset({1})]


def test_ids_with_spaces_and_numbers_without_a_header(tmp_path: Path):
    files = {name: text.replace("q1", "my 1").replace("c1", "your 1") for name, text in GOOD.items()}
    (one,) = folder_sets(write(tmp_path, **files))
    assert one.relevant == [frozenset({0}), frozenset({1})]
    numbers = {name: bare(text) for name, text in GOOD.items() if name != "qrels"} | {"qrels": "2\t0\t2\t1\n"}
    numbered = {name: text.replace("q", "").replace("c", "") for name, text in numbers.items()}
    (tmp_path / "more").mkdir()
    (one,) = folder_sets(write(tmp_path / "more", **numbered))
    assert (one.queries, one.corpus, one.relevant) == (["会计"], ["电焊工", "出纳", "司机"], [frozenset({1})])


def test_a_title_keeps_what_ends_lines_elsewhere(tmp_path: Path):
    (one,) = folder_sets(write(tmp_path, corpus_elements="c_id\tt\nc1\t电\u2028焊工\nc2\t出\x0b纳\nc3\t司机\n"))
    assert len(one.corpus) == 3


def test_several_sets_packed_or_not_in_the_order_of_their_names(tmp_path: Path):
    write(tmp_path, "zh_b")
    write(tmp_path, "fr_a")
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("not a set")
    packed = tmp_path / "zh_b" / "queries.tsv"
    (tmp_path / "zh_b" / "queries.tsv.gz").write_bytes(gzip.compress(packed.read_bytes()))
    packed.unlink()
    assert [(one.name, one.spoken) for one in folder_sets(tmp_path)] == [("fr_a", "en"), ("zh_b", "zh")]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"qrels": "q1\t0\tc1\n"}, "zh_x/qrels.tsv, line 1: not query, 0, document, relevance"),
        ({"qrels": "\nq1\t0\tc1\tgood\n"}, "zh_x/qrels.tsv, line 2"),
        ({"qrels": "q1\t0\tc2\t0\n"}, "zh_x: none of 2 queries has a fitting title"),
        ({"qrels": ""}, "zh_x: none of 2 queries has a fitting title"),
        ({"queries": "id\ttitle\nq1 焊工\n"}, "zh_x/queries.tsv, line 2: not an id, a tab and a title"),
        ({"corpus_elements": GOOD["corpus_elements"] + "c1\t护士\n"}, "line 5: the id c1 has another title already"),
        ({"queries": "id\ttitle\nq1\t焊工\n".encode("gbk")}, "queries.tsv: byte 12 is not UTF-8"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, files: dict[str, str | bytes], said: str):
    with pytest.raises(ValueError, match=said):
        folder_sets(write(tmp_path, **files))


def test_a_missing_file_and_a_folder_without_sets_are_named(tmp_path: Path):
    with pytest.raises(ValueError, match="no set in it"):
        folder_sets(tmp_path)
    write(tmp_path)
    (tmp_path / "zh_x" / "corpus_elements.tsv").unlink()
    with pytest.raises(FileNotFoundError, match=r"zh_x: no corpus_elements\.tsv"):
        folder_sets(tmp_path)
    with pytest.raises(FileNotFoundError):
        folder_sets(tmp_path / "nowhere")
