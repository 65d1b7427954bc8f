"""How places lie to each other, by their codes alone: the oracle's own reading of the region schemes."""

from __future__ import annotations

from functools import cache

# ISO 3166-2:CN and the first two digits of GB/T 2260.
CHINA = dict(  # noqa: C408 - shorter to read
    BJ="11", TJ="12", HE="13", SX="14", NM="15", LN="21", JL="22", HL="23", SH="31", JS="32", ZJ="33",
    AH="34", FJ="35", JX="36", SD="37", HA="41", HB="42", HN="43", GD="44", GX="45", HI="46", CQ="50",
    SC="51", GZ="52", YN="53", XZ="54", SN="61", GS="62", QH="63", NX="64", XJ="65", TW="71", HK="81",
    MO="82",
)  # fmt: skip
# ISO 3166-2:SE and SCB's counties.
SWEDEN = dict(  # noqa: C408
    AB="01", C="03", D="04", E="05", F="06", G="07", H="08", I="09", K="10", M="12", N="13", O="14", S="17",
    T="18", U="19", W="20", X="21", Y="22", Z="23", AC="24", BD="25",
)  # fmt: skip


@cache
def places(key: str) -> list[str]:
    """A region and all that contain it, the largest first."""
    scheme, code = key.split(":", 1)
    if scheme == "iso3166-2" and code.startswith("CN-") and code[3:] in CHINA:
        scheme, code = "gbt2260", CHINA[code[3:]] + "0000"
    if scheme == "iso3166-2" and code.startswith("SE-") and code[3:] in SWEDEN:
        scheme, code = "scb", SWEDEN[code[3:]]
    if scheme == "iso3166-1" and code in ("TW", "HK", "MO"):
        scheme, code = "gbt2260", CHINA[code] + "0000"
    if scheme == "gbt2260" and len(code) == 6 and code.isascii() and code.isdigit():
        found = ["iso3166-1:CN", f"gbt2260:{code[:2]}0000"]
        if code[2:] != "0000":
            found.append(f"gbt2260:{code[:4]}00")
        if code[4:] != "00":
            found.append(f"gbt2260:{code}")
        return found
    if scheme == "scb" and len(code) in (2, 4) and code.isascii() and code.isdigit():
        return ["iso3166-1:SE", f"scb:{code[:2]}"] + ([f"scb:{code}"] if len(code) == 4 else [])
    if scheme == "iso3166-2" and "-" in code and code.split("-", 1)[1]:
        return [f"iso3166-1:{code.split('-', 1)[0]}", f"{scheme}:{code}"]
    return [f"{scheme}:{code}"]


@cache
def lie(work: str, other: str) -> str:
    """How the place of work lies to another place."""
    work_places, other_places = places(work), places(other)
    if work_places[-1] == other_places[-1]:
        return "same"
    if other_places[-1] in work_places:
        return "within"
    if work_places[-1] in other_places:
        return "around"
    return "apart"


def at_home(region: str, home: str) -> bool:
    return lie(region, home) in {"same", "within"}
