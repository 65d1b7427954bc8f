"""What is found in small true examples, by ESCO's English labels."""

from pathlib import Path

import pytest

from shared.linking.labels import labels_of
from shared.linking.skills import MOST, Found, Linker, joined, load
from shared.taxonomy import Taxonomy

REQUIRED, PREFERRED = True, False


def said(linker: Linker, taxonomy: Taxonomy, text: str, title: str = "") -> dict[str, bool]:
    """Label to whether it is required."""
    return {taxonomy.concepts[each.key].labels["en"].strip(): each.required for each in linker.posting(title, text)}


def own(linker: Linker, taxonomy: Taxonomy, text: str) -> set[str]:
    return {taxonomy.concepts[each.key].labels["en"].strip() for each in linker.seeker(text).skills}


@pytest.mark.parametrize(
    ("text", "skill", "required"),
    [
        ("You must have experience with Python.", "Python (computer programming)", REQUIRED),
        ("Requirements:\n- SQL\n", "SQL", REQUIRED),
        ("Experience with Docker is a plus.", "manage ICT virtualisation environments", PREFERRED),
        ("Nice to have:\n- PostgreSQL\n", "PostgreSQL", PREFERRED),
        ("You will operate forklifts in our warehouse.", "operate forklift", PREFERRED),
        ("Forklift operation is required.", "operate forklift", REQUIRED),
        ("A valid driver's license is required.", "drive vehicles", REQUIRED),
        ("Operating forklifts, night shifts.", "operate forklift", PREFERRED),
        ("Krav:\nTruckkort\n", "operate forklift", REQUIRED),
        ("B-körkort är ett krav.", "drive vehicles", REQUIRED),
        ("Det är meriterande om du har truckkort.", "operate forklift", PREFERRED),
        ("Vi söker dig som har erfarenhet av svetsning.", "operate welding equipment", REQUIRED),
        ("Du behärskar svenska och engelska i tal och skrift.", "Swedish", REQUIRED),
        ("Vi söker en flexibel och noggrann person.", "adapt to change", REQUIRED),
        ("Är bekväm med att arbeta med Git.", "tools for software configuration management", REQUIRED),
        ("Five years experience from coding in Python.", "Python (computer programming)", REQUIRED),
        ("Du som söker ska kunna köra truck.", "operate forklift", REQUIRED),
        ("I arbetet ingår fakturering och bokföring.", "accounting", PREFERRED),
        ("任职要求：\n1、熟练掌握氩弧焊；\n", "perform tungsten inert gas welding", REQUIRED),
        ("有叉车证者优先。", "operate forklift", PREFERRED),
        ("熟悉Docker、Kubernetes者优先。", "manage ICT virtualisation environments", PREFERRED),
        ("岗位职责：\n1、会看图纸。\n", "read standard blueprints", PREFERRED),
        ("要求会使用Excel。", "use spreadsheets software", REQUIRED),
        ("加分项：\nMATLAB\n", "MATLAB", PREFERRED),
        ("Meriterande:\n- Erfarenhet av Docker\n", "manage ICT virtualisation environments", PREFERRED),
        ("1、持有护士执业证书；2、熟练掌握静脉输液。", "intravenous infusion", REQUIRED),
        ("要求：持B2驾照，无重大事故。", "manoeuvre heavy trucks", REQUIRED),
    ],
)
def test_skills_are_found_in_their_contexts(
    linker: Linker, taxonomy: Taxonomy, text: str, skill: str, *, required: bool
):
    found = said(linker, taxonomy, text)
    assert skill in found
    assert found[skill] is required


@pytest.mark.parametrize(
    ("text", "skill"),
    [
        ("No driving licence is needed.", "drive vehicles"),
        ("Driving licence is not required.", "drive vehicles"),
        ("Körkort krävs inte.", "drive vehicles"),
        ("Ingen erfarenhet av svetsning krävs.", "operate welding equipment"),
        ("Det är inget krav på truckkort.", "operate forklift"),
        ("不要求叉车证。", "operate forklift"),
        ("无需氩弧焊经验。", "perform tungsten inert gas welding"),
    ],
)
def test_what_is_denied_is_not_asked(linker: Linker, taxonomy: Taxonomy, text: str, skill: str):
    assert skill not in said(linker, taxonomy, text)


def test_a_denial_ends_with_its_clause(linker: Linker, taxonomy: Taxonomy):
    assert said(linker, taxonomy, "No driving licence needed, but SQL is required.") == {"SQL": REQUIRED}


@pytest.mark.parametrize(
    "text",
    [
        "Go to our website and see what we do.",
        "Excel in a fast-paced environment!",
        "We work in a group of companies, vitamin C included.",
        "In other words, a swift response and no less.",
        "Access to our gym, a source of unity.",
        "Det kostar mig inget.",
        "Etc. och så vidare.",
        "We are a Swedish company in the French Alps.",
        "Det svenska företaget växer.",
        "Vi gillar vår glass och konst.",
        "公司位于高新区，环境优美。",
    ],
)
def test_words_that_mean_something_else_are_left_alone(linker: Linker, taxonomy: Taxonomy, text: str):
    assert said(linker, taxonomy, text) == {}


@pytest.mark.parametrize(
    ("text", "skill"),
    [
        ("Programming in R and Python.", "R"),
        ("Experience with Scala, Groovy and Haskell.", "Groovy"),
        ("MS Excel and Word.", "use spreadsheets software"),
        ("Goda kunskaper i Excel.", "use spreadsheets software"),
        ("Programming in C++ and C#.", "C++"),
        ("Programming in C++ and C#.", "C#"),
        ("ASP.NET MVC developer", "ASP.NET"),
        ("Fluent in Swedish.", "Swedish"),
    ],
)
def test_ambiguous_names_count_with_their_capitals_and_company(
    linker: Linker, taxonomy: Taxonomy, text: str, skill: str
):
    assert skill in said(linker, taxonomy, text)


def test_labels_are_whole_words(linker: Linker, taxonomy: Taxonomy):
    assert "SQL" not in said(linker, taxonomy, "You must know NoSQL.")
    assert "Java (computer programming)" not in said(linker, taxonomy, "You must know JavaScript.")


def test_of_labels_that_overlap_the_longest_counts(linker: Linker, taxonomy: Taxonomy):
    assert said(linker, taxonomy, "SQL Server is required.") == {"SQL Server": REQUIRED}
    found = said(linker, taxonomy, "要求熟悉数据分析。")
    assert found == {"perform data analysis": REQUIRED}


def test_a_label_does_not_reach_over_the_end_of_a_sentence(linker: Linker, taxonomy: Taxonomy):
    assert "SQL Server" not in said(linker, taxonomy, "You must know SQL. Server rooms are elsewhere.")


@pytest.mark.parametrize(
    "boilerplate",
    [
        "We are an equal opportunity employer, regardless of whether you speak Polish or write Java.",
        "Under GDPR we keep your SQL answers for a year.",
        "Facklig företrädare är Anna, som också kan Java och truckkort.",
        "Vi undanber oss samtal från annonsförsäljare av Excel.",
        "Vi erbjuder dig kurser i Python.",
        "Välkommen med din ansökan, gärna i Word.",
        "福利：五险一金，免费培训叉车证。",
    ],
)
def test_boilerplate_is_not_read(linker: Linker, taxonomy: Taxonomy, boilerplate: str):
    assert said(linker, taxonomy, boilerplate) == {}


def test_sections_about_the_company_and_its_offer_are_not_read(linker: Linker, taxonomy: Taxonomy):
    text = "Om oss\nVi bygger SQL Server.\n\nKrav\nPython\n\nVad vi erbjuder\nKurser i Scala.\n"
    assert said(linker, taxonomy, text) == {"Python (computer programming)": REQUIRED}
    text = "公司简介：\n公司主要从事数控编程。\n任职要求：\n会看图纸\n福利待遇：\n提供叉车培训\n"
    assert said(linker, taxonomy, text) == {"read standard blueprints": REQUIRED}


def test_a_title_demands_what_it_names(linker: Linker, taxonomy: Taxonomy):
    assert said(linker, taxonomy, "Välkommen till oss.", title="Javautvecklare")["Java (computer programming)"]


def test_a_skill_that_is_demanded_once_is_required(linker: Linker, taxonomy: Taxonomy):
    text = "SQL is a plus. SQL is a must."
    assert said(linker, taxonomy, text) == {"SQL": REQUIRED}


def test_traits_count_where_a_person_is_described(linker: Linker, taxonomy: Taxonomy):
    assert "attend to detail" in said(linker, taxonomy, "Du är noggrann.")
    assert "attend to detail" not in said(linker, taxonomy, "Vår maskin är noggrann.")


def test_best_first_few_and_sure(linker: Linker):
    names = "Python, SQL, Scala, Perl, PHP, JavaScript, TypeScript, Erlang, Haskell, COBOL, MySQL, PostgreSQL, NoSQL, "
    more = "Drupal, WordPress, Joomla, Angular, CSS, MATLAB, Ansible, Drupal, Moodle, Wireshark, LDAP, LINQ, VBScript."
    found = linker.posting("", f"You must know {names}{more}")
    assert len(found) == MOST
    assert all(0 < each.confidence <= 1 for each in found)


def test_spans_are_where_the_words_are(linker: Linker):
    title, text = "Welder", "You must know Python well."
    (found,) = linker.posting(title, text)
    assert joined(title, text)[slice(*found.span)] == "Python"


def test_a_seekers_own_words(linker: Linker, taxonomy: Taxonomy):
    words = linker.seeker("焊工，会看图纸")
    assert "isco-08:7212" in {each.key for each in words.occupations}
    assert own(linker, taxonomy, "焊工，会看图纸") == {"read standard blueprints"}
    assert own(linker, taxonomy, "forklift, night shifts ok") == {"operate forklift", "work in shifts"}
    assert own(linker, taxonomy, "Jag har truckkort och kan svetsa") == {
        "operate forklift",
        "operate welding equipment",
    }
    assert own(linker, taxonomy, "保安，不上夜班") == set()
    assert own(linker, taxonomy, "不会开车，会用Excel") == {"use spreadsheets software"}
    assert own(linker, taxonomy, "no driving licence, but I can cook and weld") == {"operate welding equipment"}
    assert not any(each.required for each in words.skills)


def test_what_a_seeker_does_not_want_is_no_wish(linker: Linker, taxonomy: Taxonomy):
    wanted = linker.seeker("bartender or barista, no welder").occupations
    labels = {taxonomy.concepts[each.key].labels["en"] for each in wanted}
    assert "bartender" in labels
    assert "welder" not in labels


def test_patterns_that_are_kept_in_a_file_are_those_that_were_worked_out(
    taxonomy: Taxonomy, linker: Linker, tmp_path: Path
):
    text = "Krav: truckkort, SQL och Python. Meriterande: B-körkort."
    first, second = load(taxonomy, tmp_path), load(taxonomy, tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    assert (
        first.posting("", text) == second.posting("", text) == Linker(taxonomy, labels_of(taxonomy)).posting("", text)
    )
    next(tmp_path.iterdir()).write_bytes(b"torn")
    assert load(taxonomy, tmp_path).posting("", text) == linker.posting("", text)
    assert all(isinstance(each, Found) for each in linker.posting("", text))
