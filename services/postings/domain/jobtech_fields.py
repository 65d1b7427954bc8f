"""What becomes of the fields of a JobTech ad: the table behind `jobtech.py` and its document."""

from __future__ import annotations

from typing import Final

from services.postings.domain.mapping import left_out, personal, row


def _concepts(*fields: str) -> str:
    """The parts of concepts that are read, and those that say the same in other words."""
    parts = ("concept_id", "label", "legacy_ams_taxonomy_id", "weight")
    return " ".join(f"{name}.{part}" for name in fields for part in parts)


JOBTECH_ROWS: Final = (
    row("id", "source.id", "required"),
    row("removed", "status", "`true`: the posting is closed. No other field is needed then, and only times are read"),
    row(
        "timestamp removed_date publication_date",
        "order",
        "the first that there is: milliseconds since 1970; else the time of removal, else of publication",
    ),
    row("headline", "title.sv", "required"),
    row(
        "description.text description.text_formatted description.conditions",
        "description.sv",
        "the first that there is, HTML removed, cut at 20,000 characters",
    ),
    row(
        _concepts("occupation_group", "occupation"),
        "occupation",
        "`occupation_group.legacy_ams_taxonomy_id`, four digits: `ssyk-2012` (built on ISCO-08: its digits tell how "
        "near two occupations are), labelled with `occupation.label`; else `occupation.concept_id`: `jobtech`",
    ),
    row(
        _concepts("must_have.skills", "must_have.work_experiences"),
        "required_skills",
        "`jobtech`. An experience wanted in an occupation is a thing a seeker names, like a skill; the feed says no "
        "length",
    ),
    row(_concepts("nice_to_have.skills", "nice_to_have.work_experiences"), "preferred_skills", "the same"),
    row(
        _concepts("must_have.education_level"),
        "education",
        "the lowest that is named (SUN 2000 to ISCED 2011; two years or longer after school is at least "
        "`short_cycle_tertiary`)",
    ),
    row(
        f"{_concepts('driving_license')} driving_license_required",
        "licences",
        "`licence:B` …, unless `driving_license_required` is false",
    ),
    row(
        "workplace_address.municipality_code workplace_address.municipality workplace_address.region_code "
        "workplace_address.region workplace_address.country",
        "regions",
        "`scb` four digits, else `scb` two digits, else `iso3166-1`. A country that we do not know: unknown",
    ),
    row(
        _concepts("employment_type", "duration", "working_hours_type"),
        "employment_type",
        "summer and seasonal work `seasonal`; on call, or ending within six months, `temporary`; else `part_time` or "
        "`full_time` by hours",
    ),
    row("number_of_vacancies", "openings", "at least 1; above 100,000 it is left out with a note"),
    row(
        "application_deadline last_publication_date",
        "valid_through",
        "the earlier one; without offset it is Europe/Stockholm. After 2100: read as no end, with a note",
    ),
    row(
        "employer.organization_number",
        "employer_id",
        "hashed. A sole trader's number is a person's identity number: then the name is used",
    ),
    row("employer.name employer.workplace", "employer_name", "the first that there is"),
    row("webpage_url", "source.url", "`http://` or `https://`, else left out with a note"),
    personal(
        "application_contacts application_details.email employer.email employer.phone_number",
        "personal",
    ),
    left_out(
        "application_details.url application_details.reference application_details.information "
        "application_details.other application_details.via_af",
        "applying happens at the source",
    ),
    left_out("experience_required", "says no length: `experience_months` stays unknown"),
    left_out(
        "must_have.languages nice_to_have.languages",
        "a language that nearly everyone speaks is no sign that two fit",
    ),
    left_out(
        "must_have.education nice_to_have.education nice_to_have.education_level",
        "fields of study, and levels that are not asked for",
    ),
    left_out("salary_type salary_description scope_of_work", "text, or a share of full time without a sum"),
    left_out("access_to_own_car", "no field of ours"),
    left_out(
        "description.company_information description.needs description.requirements",
        "parts of `description.text`",
    ),
    left_out(
        "workplace_address.street_address workplace_address.postcode workplace_address.city "
        "workplace_address.coordinates workplace_address.municipality_concept_id "
        "workplace_address.region_concept_id workplace_address.country_code workplace_address.country_concept_id",
        "finer than a region, or the same in another code",
    ),
    left_out(
        "occupation_field municipality region country",
        "filters of the feed's subscribers; a removal needs none",
    ),
    left_out(
        "external_id original_id employer.url logo_url relevance source_type label source_links",
        "the feed's own",
    ),
)
"""What becomes of the fields of an ad."""
