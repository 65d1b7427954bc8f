"""What a partner reads when a record was not taken: the fault, and how to mend it, in zh and en.

Faults that pydantic finds are rendered by `shared.faults`; here are those of this service's own rules, and
those of records that could not be decoded at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shared.contracts.partners import Fault
from shared.faults import ZH, faults_of

if TYPE_CHECKING:
    from pydantic import ValidationError

    from shared.errors import Rejected

Faults = tuple[Fault, ...]

MAX_FAULTS: Final = 20
"""Most faults that one receipt names; mending these usually mends the rest."""

_OWN: Final[dict[str, tuple[str, str]]] = {
    "missing": ("缺少必填字段，请补上", "This field is required: add it"),
    "blank": ("文字为空白，请填写或去掉该语言", "The text is blank: write it, or leave this language out"),
    "invalid_time": (
        "不是 2000 至 2100 年之间的时间，请用 ISO 8601",
        "Not a time in the years 2000 to 2100: write it in ISO 8601",
    ),
    "posting_too_large": (
        "岗位文字合计过长，请缩短或减少语言",
        "The posting's texts are too long together: shorten them, or leave languages out",
    ),
    "order_missing": (
        "该岗位此前的记录有序号或时间，本条没有，按旧记录处理；请继续提供",
        "Earlier records of this posting had a sequence or a time, so this counts as older: go on sending it",
    ),
}

_UNDECODED: Final[dict[str, tuple[str, str]]] = {
    "null_body": (
        "消息体为空；要撤下岗位请发送 PartnerPostingRemoved",
        "to take a posting down, send PartnerPostingRemoved",
    ),
    "json_invalid": ("消息体不是有效的 JSON，请以 UTF-8 重新生成", "write the body again, as JSON in UTF-8"),
    "invalid_json": ("消息体不是有效的 JSON，请以 UTF-8 重新生成", "write the body again, as JSON in UTF-8"),
    "invalid_header": ("消息头不是 UTF-8，请修正后重发", "write the header in UTF-8"),
    "invalid_key": ("消息键不是 UTF-8，请以岗位编号为键重发", "use the posting's id as the key, in UTF-8"),
    "unknown_type": ("事件类型未知，请检查消息头 ce_type", "check the header ce_type"),
    "unknown_schema_version": ("模式版本未知，请修正或省略 ce_dataschema", "mend or leave out ce_dataschema"),
    "unknown_partner": (
        "该合作方尚未登记，请联系平台运营方登记后重发",
        "ask the operator to register it, then send again",
    ),
}


def fault(code: str, at: str = "") -> Fault:
    """A fault against one of this service's own rules. `at` is a JSON pointer."""
    zh, en = _OWN[code]
    return Fault(pointer=at, code=code, reason={"zh": zh, "en": en})


def undecoded(reason: Rejected) -> Fault:
    """The fault of a record that could not be decoded, or that its sender may not send."""
    zh, how = _UNDECODED.get(reason.code, (ZH.get(reason.code, ""), "see the partner guide"))
    if "{" in zh:  # the limit is not known here; the English text names it
        zh = zh.partition("，")[0]
    if not zh or "{" in zh:
        zh = ZH["value_error"]
    return Fault(pointer=reason.pointer, code=reason.code, reason={"zh": zh, "en": f"{reason.reason}: {how}"})


def invalid(error: ValidationError) -> Faults:
    """Every fault of a body, without the values that were found there."""
    return faults_of(error.errors(include_url=False, include_input=False))[:MAX_FAULTS]
