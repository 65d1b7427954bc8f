"""What becomes of the fields of a schema.org `JobPosting`: the table behind `jobposting.py` and its document."""

from __future__ import annotations

from typing import Final

from services.postings.domain.mapping import left_out, personal, row

_ORGANISATION: Final = ("identifier", "leiCode", "vatID", "taxID", "@id", "sameAs", "url")

JOBPOSTING_ROWS: Final = (
    row(
        "identifier @id",
        "source.id",
        "required: `identifier` (the `value` of a `PropertyValue`, or a text), else `@id` (a whole address), else "
        "`url`; of several the first. Control characters and more than 256 characters are refused",
    ),
    row("url", "source.url", "`http://` or `https://`, else left out with a note; also the id, where nothing else is"),
    row(
        "dateModified",
        "order",
        "a time without offset is UTC. Without it the order of arrival holds. What is no time is left out with a note",
    ),
    row("title name", "title", "required; HTML, control characters and contacts are taken out"),
    row(
        "description responsibilities qualifications",
        "description",
        "one below the other, HTML removed, cut at 20,000 characters",
    ),
    row(
        "inLanguage",
        "title",
        "the language of the texts. Without it: `zh` if the title has Chinese characters, `ja` and `ko` by their own, "
        "else `en`",
    ),
    row(
        "hiringOrganization.name hiringOrganization.@value",
        "employer_name",
        "cut at 300 characters. A `Person`'s name is not taken",
    ),
    row(
        " ".join(f"hiringOrganization.{name}" for name in _ORGANISATION),
        "employer_id",
        "the first that there is, hashed; else by name",
    ),
    row(
        "occupationalCategory relevantOccupation",
        "occupation",
        "O*NET-SOC (`15-1252.00`): `onet-soc`; a `CategoryCode` of ISCO-08, SSYK 2012 or O*NET by its `inCodeSet`; "
        "ESCO and ISCO addresses of `data.europa.eu`: `esco`, `isco-08`. Others stay unmapped",
    ),
    row(
        "skills",
        "preferred_skills",
        "ESCO addresses, in a text or a `DefinedTerm`: `esco`. Preferred, because schema.org means both required and "
        "desired. Skills in words stay unmapped",
    ),
    row(
        "educationRequirements",
        "education",
        "the lowest of those named, of a text or of `credentialCategory`: `high school`, `associate degree`, "
        "`bachelor degree`, `postgraduate degree`, `doctorate`, 初中, 高中, 中专, 大专, 本科, 硕士, 博士. Other words "
        "stay unmapped",
    ),
    row(
        "experienceInPlaceOfEducation",
        "education",
        "`true`: the education is not required, and not taken",
    ),
    row(
        "experienceRequirements",
        "experience_months",
        "`monthsOfExperience`, 0 to 720; of several the least. Text stays unmapped",
    ),
    row(
        "jobLocation.address.addressCountry jobLocation.address.addressRegion jobLocation.address.addressLocality "
        "jobLocation.address.name jobLocation.address.@value jobLocation.addressCountry jobLocation.addressRegion "
        "jobLocation.addressLocality jobLocation.name jobLocation.@value",
        "regions",
        "of each place, at most 20: country and region by name or code (ISO 3166-1, ISO 3166-2, Chinese provinces also "
        "as `addressLocality`); China's as `gbt2260`, others `iso3166-2`, else `iso3166-1`. An address as text: "
        "`…, region, country`. What is not known is noted",
    ),
    row(
        "jobLocationType applicantLocationRequirements",
        "remote",
        "`TELECOMMUTE`: `remote`. With `applicantLocationRequirements` it is not from anywhere: then those are "
        "`regions`, beside the places of `jobLocation`",
    ),
    row(
        "baseSalary salaryCurrency",
        "pay",
        "`MonetaryAmount` with a number or `QuantitativeValue` (`value`, or `minValue` and `maxValue`), a number, or a "
        "list of them; `unitText` or `unitCode`. By the month: a year / 12, a week x 52 / 12, a day x 21.75, an hour x "
        "174 (21.75 days of 8 hours; source: `pay.py`), rounded. Part-time by hour or day, more than one currency, "
        "no currency, no unit, a negative, zero or absurd amount: left out with a note",
    ),
    row(
        "employmentType",
        "employment_type",
        "`INTERN` `internship`, `SEASONAL` `seasonal`, `TEMPORARY` and `PER_DIEM` `temporary`, `PART_TIME`, "
        "`FULL_TIME`; of several the first in this order, but both of the last two: unknown. Other words are noted",
    ),
    row("totalJobOpenings", "openings", "1 to 100,000, else left out with a note"),
    row(
        "validThrough",
        "valid_through",
        "a date lasts until it has ended everywhere (UTC-12), and so does a time without offset. After 2100: read as "
        "no end, with a note. Not a time, or before 2000: refused",
    ),
    row(
        "@type @context @language hiringOrganization.@type jobLocation.@type jobLocation.address.@type",
        "form",
        "what it is, and in which words",
    ),
    personal("applicationContact", "personal"),
    left_out("datePosted", "our own `published_at` says when it came here"),
    left_out("directApply", "applying happens at the source"),
    left_out("estimatedSalary", "somebody's guess, not the employer's offer"),
    left_out("incentiveCompensation jobBenefits", "text"),
    left_out("workHours specialCommitments jobStartDate jobImmediateStart", "no field of ours"),
    left_out("industry employerOverview employmentUnit", "of the employer, not of the work"),
    left_out(
        "eligibilityToWorkRequirement physicalRequirement securityClearanceRequirement sensoryRequirement",
        "text",
    ),
    left_out(
        "jobLocation.address.streetAddress jobLocation.address.postalCode jobLocation.geo "
        "jobLocation.streetAddress jobLocation.postalCode hiringOrganization.logo",
        "finer than a region, or not the posting's",
    ),
)
"""What becomes of the fields of a job posting. Names without their vocabulary: `title`, also for `schema:title`."""
