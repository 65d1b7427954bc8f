"""What was wrong with an input, in zh and en, out of pydantic's errors. Never repeats the input itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from shared.contracts.envelope import pointer
from shared.contracts.partners import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ZH: Final[Mapping[str, str]] = {
    "missing": "缺少必填字段",
    "extra_forbidden": "没有这个字段",
    "json_invalid": "不是有效的 JSON",
    "json_type": "应为 JSON 文本",
    "model_type": "应为对象",
    "model_attributes_type": "应为对象",
    "dict_type": "应为对象",
    "list_type": "应为列表",
    "tuple_type": "应为列表",
    "string_type": "应为文本",
    "string_unicode": "应为 UTF-8 文本",
    "string_too_short": "文本过短，至少 {min_length} 个字符",
    "string_too_long": "文本过长，最多 {max_length} 个字符",
    "string_pattern_mismatch": "格式不符，应匹配 {pattern}",
    "enum": "不在允许的取值之内：{expected}",
    "literal_error": "不在允许的取值之内：{expected}",
    "int_type": "应为整数",
    "int_parsing": "应为整数",
    "int_from_float": "应为整数",
    "float_type": "应为数字",
    "float_parsing": "应为数字",
    "bool_type": "应为 true 或 false",
    "bool_parsing": "应为 true 或 false",
    "greater_than": "应大于 {gt}",
    "greater_than_equal": "应不小于 {ge}",
    "less_than": "应小于 {lt}",
    "less_than_equal": "应不大于 {le}",
    "too_short": "项数过少，至少 {min_length} 项",
    "too_long": "项数过多，最多 {max_length} 项",
    "datetime_type": "应为带时区的时间（RFC 3339）",
    "datetime_parsing": "应为带时区的时间（RFC 3339）",
    "datetime_from_date_parsing": "应为带时区的时间（RFC 3339）",
    "timezone_aware": "时间须带时区",
    "invalid_key": "键应为文本",
    "value_error": "取值不符合要求",
}
"""Pydantic's error types in Chinese; `{…}` are limits of the rule, which its context names."""

_PLACES: Final[Mapping[str, tuple[str, str]]] = {
    "query": ("查询参数", "query parameter"),
    "path": ("路径参数", "path parameter"),
    "header": ("请求头", "header"),
}


def faults_of(errors: Iterable[Mapping[str, Any]], *, http: bool = False) -> tuple[Fault, ...]:
    """Pydantic's error details (of `ValidationError.errors()`) as faults, in order.

    With `http`, locations begin with where FastAPI looked (`body`, `query` …): the pointer is then relative
    to the body, and a parameter is named in the reason.
    """
    return tuple(_fault(error, http=http) for error in errors)


def _fault(error: Mapping[str, Any], *, http: bool) -> Fault:
    location: Sequence[int | str] = error["loc"]
    code = str(error["type"])
    zh, en = _reason(code, error)
    if not http:
        return Fault(pointer=pointer(location), code=code, reason={"zh": zh, "en": en})
    place, rest = (str(location[0]), location[1:]) if location else ("body", ())
    if place in _PLACES:
        name = "/".join(str(part) for part in rest)
        in_zh, in_en = _PLACES[place]
        reason = {"zh": f"{in_zh} {name}：{zh}", "en": f"{in_en} {name}: {en}"}
        return Fault(pointer="", code=code, reason=reason)
    at = "" if code == "json_invalid" else pointer(rest)  # there it is a position in the text, no path
    return Fault(pointer=at, code=code, reason={"zh": zh, "en": en})


def _reason(code: str, error: Mapping[str, Any]) -> tuple[str, str]:
    context: Mapping[str, Any] = error.get("ctx") or {}
    try:
        zh = ZH[code].format_map(context)
    except KeyError:
        zh = ZH["value_error"]
    return zh, str(error["msg"])
