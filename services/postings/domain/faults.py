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
    "foreign_source": (
        "消息头 ce_source 指的是另一合作方，请改为 urn:partner:<本方编号> 或去掉",
        "The header ce_source names another partner: write urn:partner:<your id>, or leave it out",
    ),
    "came_from_here": (
        "该岗位最初出自本系统，或已经过本系统，不再接收：请勿回传",
        "This posting was published here first, or has passed through here: do not send it back",
    ),
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
    "too_deep": (
        "嵌套超过 32 层，请减少对象和列表的层数",
        "Nested more than 32 levels deep: send fewer objects and lists within each other",
    ),
    "id_not_printable": (
        "岗位编号含有控制字符，请去掉后重发",
        "The posting's id has control characters: take them out and send it again",
    ),
    "id_too_long": (
        "岗位编号超过 256 个字符，请改用较短的编号",
        "The posting's id has more than 256 characters: send a shorter one",
    ),
    "unknown_context": (
        '不是 schema.org 的词汇，请写 "@context": "https://schema.org"',
        'Not the vocabulary of schema.org: write "@context": "https://schema.org"',
    ),
    "no_job_posting": (
        '没有 JobPosting，请检查 "@type"',
        'There is no JobPosting here: look at "@type"',
    ),
    "several_job_postings": (
        "一条记录只能有一个 JobPosting，请分开发送",
        "A record holds one JobPosting: send each as a record of its own",
    ),
    # of a snapshot's begin and end
    "epoch_old": (
        "已有更新的快照开始，请用更大的 epoch 重新开始",
        "A newer snapshot has begun: begin again with a greater epoch",
    ),
    "epoch_used": (
        "该 epoch 已用过，请用更大的 epoch 重新开始",
        "This epoch was used before: begin again with a greater one",
    ),
    "snapshot_not_begun": (
        "该快照没有开始，未关闭任何岗位；请先发送 PartnerSnapshotBegun",
        "This snapshot has not begun, so nothing is closed: send PartnerSnapshotBegun first",
    ),
    "snapshot_incomplete": (
        "收到的岗位数与宣布的不同，暂不关闭任何岗位；请重发全部，或请运营方批准",
        "Not the number of postings that was announced, so nothing is closed yet: send all again, or ask the operator",
    ),
    "closes_many": (
        "将关闭的岗位过多，暂不关闭；请核对后重发全部，或请运营方批准",
        "It would close very many postings, so nothing is closed yet: send all again, or ask the operator",
    ),
    # what follows is left out of a record that is taken
    "no_end": (
        "日期在 2100 年之后，视为没有截止日期；如有截止日期请填写",
        "After the year 2100, so it was read as no end: give the real last day, if there is one",
    ),
    "pay_out_of_range": (
        "折合月薪为负、为零或超过一千万，或下限高于上限，未采用；请核对数额和计薪周期",
        "Below or at zero, above ten million a month, or least above most, so the pay was left out: look at it",
    ),
    "pay_currency_missing": (
        "薪酬没有 ISO 4217 币种（如 CNY），未采用；请补上",
        "The pay has no currency of ISO 4217 (like CNY), so it was left out: add it",
    ),
    "pay_not_a_number": (
        "薪酬不是数字，未采用；请写成数字",
        "The pay is no number, so it was left out: write it as one",
    ),
    "mixed_currencies": (
        "薪酬有多种币种，未采用；请只用一种",
        "The pay is in several currencies, so it was left out: use one",
    ),
    "pay_unit_unknown": (
        "不知薪酬按小时、日、周、月还是年计，未采用；请写 HOUR、DAY、WEEK、MONTH 或 YEAR",
        "The pay has no unit of time, so it was left out: write HOUR, DAY, WEEK, MONTH or YEAR",
    ),
    "pay_part_time": (
        "非全日制的小时或日薪无法折合月薪，未采用；请给出月薪",
        "Pay by the hour or day of part-time work says nothing of a month, so it was left out: give it by the month",
    ),
    "not_a_web_address": (
        "不是 http 或 https 网址，未采用；请写完整网址",
        "Not an address that begins with http:// or https://, so it was left out: write it whole",
    ),
    "out_of_range": (
        "数值超出范围，未采用；请核对",
        "The number is out of range, so it was left out: look at it",
    ),
    "unknown_word": (
        "不认识该取值，未采用；可用取值见 docs/forms.md",
        "This value is not known, so it was left out: those that are known stand in docs/forms.md",
    ),
    "unknown_place": (
        "不认识该地点，未采用；请用 ISO 3166 代码",
        "This place is not known, so it was left out: use a code of ISO 3166",
    ),
}

_LIKE_THIS: Final = ("请写成 2026-06-30T23:59:59+08:00 的形式", "write it like 2026-06-30T23:59:59+08:00")
_MEND: Final[dict[str, tuple[str, str]]] = {
    "missing": ("请补上", "add it"),
    "extra_forbidden": ("请去掉", "leave it out"),
    "string_too_long": ("请缩短", "shorten it"),
    "string_too_short": ("请填写", "fill it in"),
    "string_pattern_mismatch": ("请按该格式书写", "write it in that form"),
    "too_long": ("请减少项数", "send fewer"),
    "too_short": ("请补充", "send more"),
    "enum": ("请从中选一个", "choose one of them"),
    "timezone_aware": ("请补上时区，如 +08:00", "add the offset, like +08:00"),
    "datetime_from_date_parsing": _LIKE_THIS,
    "datetime_parsing": _LIKE_THIS,
}
"""How to mend what pydantic finds, by its error type; the rest says it by what it expects."""
_MEND_OTHERWISE: Final = ("请改正后重发", "mend it and send it again")

_UNDECODED: Final[dict[str, tuple[str, str]]] = {
    "null_body": (
        "消息体为空；要撤下岗位请发送 PartnerPostingRemoved",
        "to take a posting down, send PartnerPostingRemoved",
    ),
    "json_invalid": ("消息体不是有效的 JSON，请以 UTF-8 重新生成", "write the body again, as JSON in UTF-8"),
    "invalid_json": ("消息体不是有效的 JSON，请以 UTF-8 重新生成", "write the body again, as JSON in UTF-8"),
    "invalid_header": ("消息头不是 UTF-8，请修正后重发", "write the header in UTF-8"),
    "invalid_key": ("消息键不是 UTF-8，请以岗位编号为键重发", "use the posting's id as the key, in UTF-8"),
    "too_deep": ("嵌套过深，请减少对象和列表的层数", "send fewer objects and lists within each other"),
    "record_too_large": ("记录超过 4 MiB，请缩短", "shorten it to 4 MiB at most"),
    "line_too_large": (
        "记录超过 1 MiB，请缩短，或经 Kafka 发送（最大 4 MiB）",
        "shorten it, or send it by Kafka (4 MiB)",
    ),
    "line_not_json": (
        "该行不是 JSON 对象，请以 UTF-8 重新生成，每行一条记录",
        "write it again, in UTF-8, one record a line",
    ),
    "unknown_type": (
        "事件类型未知，请检查消息头 ce_type、ce_dataschema 或 content-type",
        "check the header ce_type, or ce_dataschema or content-type in its place",
    ),
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
    zh, how = _UNDECODED.get(reason.code, _generic(reason))
    return Fault(pointer=reason.pointer, code=reason.code, reason={"zh": zh, "en": f"{reason.reason}: {how}"})


def invalid(error: ValidationError) -> Faults:
    """Every fault of a body, without the values that were found there."""
    return tuple(_mended(one) for one in faults_of(error.errors(include_url=False, include_input=False))[:MAX_FAULTS])


def _mended(found: Fault) -> Fault:
    zh, en = _MEND.get(found.code, _MEND_OTHERWISE)
    reason = {"zh": f"{found.reason['zh']}，{zh}", "en": f"{found.reason['en']}: {en}"}
    return found.model_copy(update={"reason": reason})


def _generic(reason: Rejected) -> tuple[str, str]:
    try:
        zh = ZH[reason.code].format_map(reason.limits)
    except KeyError:
        zh = ZH["value_error"]
    mend_zh, mend_en = _MEND.get(reason.code, _MEND_OTHERWISE)
    return f"{zh}，{mend_zh}", mend_en
