"""The mapping tables as a document, made from the tables that the code reads by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from services.postings.domain.forms import FORMS, OWN
from services.postings.domain.mapping import MAX_DEPTH, MAX_NAMES, MAX_REST_BYTES, Fate, Row
from services.postings.partner.nyc import NYC
from services.postings.partner.usajobs import USAJOBS

CONVERTERS: Final = (USAJOBS, NYC)
_OF_A_CONCEPT: Final = frozenset({"concept_id", "legacy_ams_taxonomy_id", "weight", "scheme", "code", "label"})
_HEAD: Final = f"""# Forms: what becomes of each field
Made from the code: `python -m services.postings.partner forms > docs/forms.md`; a test fails when it is stale. How to
send and what comes back: [partners.md](partners.md).

In every form:

- HTML is made plain text by nh3: paragraphs and list items become lines, scripts go with what they hold. Control
  characters go. E-mail addresses, telephone and identity numbers in texts become `…`.
- A field that a table does not name is **unmapped**: it is kept beside the posting (at most {MAX_REST_BYTES:,} bytes a
  record, without people's contacts) and named in the receipt (at most {MAX_NAMES} names). So are fields that a table
  leaves out on purpose, but these are not named. What is personal is neither read nor kept.
- What is kept goes when the posting goes.
- A record without id or title, or with an end that nobody can read, is rejected. What else is wrong in others' forms is
  left out with a **note** in the receipt where the rule says so, so that no job is lost for it. In our own form every
  breach of the schema rejects: who writes it can mend it.
- More than {MAX_DEPTH} levels of objects and lists are refused.
"""


def document() -> str:
    """The document, as it is committed."""
    return "\n".join([_HEAD, *_forms()])


def _forms() -> Iterator[str]:
    for form in FORMS:
        events = ", ".join(f"`{event.__name__}`" for event in form.events)
        yield f"## {form.title}\n`ce_type` {events}; `--form {form.name}`\n"
        yield _table(form.rows, "field" if form is OWN else "theirs")
    for converter in CONVERTERS:
        yield f"## {converter.title}\n`python -m services.postings.partner convert {converter.name} FILE`\n"
        yield _table(converter.rows, "theirs")


def _table(rows: tuple[Row, ...], theirs: str) -> str:
    lines = [f"| {theirs} | posting | rule |", "| --- | --- | --- |"]
    for row in rows:
        fields = ", ".join(f"`{name}`" for name in dict.fromkeys(_short(name) for name in row.fields))
        to = {Fate.TAKEN: f"`{row.to}`", Fate.LEFT_OUT: "left out", Fate.PERSONAL: "never kept"}[row.fate]
        lines.append(f"| {fields} | {to} | {row.rule} |")
    return "\n".join([*lines, ""])


def _short(name: str) -> str:
    """`skills.concept_id` and its like as `skills.*`: the rule says what is read of a concept."""
    holder, _, part = name.rpartition(".")
    return f"{holder}.*" if holder and part in _OF_A_CONCEPT else name.removesuffix(".@value")
