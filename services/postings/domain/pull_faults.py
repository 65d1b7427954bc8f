"""Why a feed could not be fetched, and what to do, in zh and en."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from services.postings.domain.pulling import PullTrouble

if TYPE_CHECKING:
    from datetime import datetime

STOPS: Final = frozenset({"gone", "not_allowed"})
"""No use to ask again: an operator must set the feed anew."""

_TEXTS: Final[dict[str, tuple[str, str]]] = {
    "gone": (
        "数据源已永久停用（410），已停止拉取；请向合作方索取新地址后重新设置",
        "The feed is gone for good (410), so it is fetched no more: ask the partner for its new address and set that",
    ),
    "not_allowed": (
        "数据源拒绝访问（{status}），已停止拉取；请合作方开放访问后重新设置",
        "The feed does not let us in ({status}), so it is fetched no more: have the partner open it, then set it again",
    ),
    "not_found": (
        "数据源地址不存在（404）；请核对地址",
        "There is nothing at the feed's address (404): look at the address",
    ),
    "throttled": (
        "数据源要求降低频率（{status}），将稍后重试；如经常出现请加大 every_s",
        "The feed asks for fewer requests ({status}); it is asked again later. If that stays, set a greater every_s",
    ),
    "server_error": (
        "数据源出错（{status}），将稍后重试；如持续请联系合作方",
        "The feed has a fault ({status}); it is asked again later. If that stays, tell the partner",
    ),
    "unexpected_answer": (
        "数据源的回答不可用（{status}）；请核对地址和参数",
        "The feed's answer is of no use ({status}): look at address and parameter",
    ),
    "address_refused": (
        "地址不可用：须为 https、无用户名密码，跳转亦须指向公网；内网主机须列入 PULL_PRIVATE_HOSTS",
        "Refused: only https, no user or password, public addresses, redirects too; else PULL_PRIVATE_HOSTS names it",
    ),
    "unreachable": (
        "无法连接数据源，将稍后重试；请核对域名和证书",
        "The feed cannot be reached; it is asked again later. Look at its name and certificate",
    ),
    "timed_out": (
        "数据源应答超时，将稍后重试",
        "The feed did not answer in time; it is asked again later",
    ),
    "broke_off": (
        "数据未传完即中断，将从原处重试；已写入的记录不受影响",
        "The feed broke off; it is fetched again from the same time. What was written stays",
    ),
    "too_many_redirects": (
        "跳转超过 3 次；请直接填写最终地址",
        "More than 3 redirects: set the address to which they lead",
    ),
    "too_large": (
        "一次应答过大；请用 since 缩短时间范围，或请合作方改为 NDJSON 分段提供",
        "The answer is too large: set a later since, or have the partner offer less at a time",
    ),
    "unsupported_encoding": (
        "压缩方式不支持；请使用 gzip 或不压缩",
        "Its compression is not known here: gzip, or none",
    ),
    "invalid_gzip": (
        "gzip 内容损坏，将稍后重试",
        "Its gzip is broken; it is asked again later",
    ),
    "no_feed": (
        "内容不是 JSON 数组，也不是每行一条记录（NDJSON）；请核对地址",
        "What came is no JSON array and no lines of JSON (NDJSON): look at the address",
    ),
    "unavailable": (
        "本系统暂时无法写入，将稍后重试；不会丢失记录",
        "Records cannot be written here just now; it is asked again later, and nothing is lost",
    ),
}


def code_of(status: int) -> str:
    """What an answer's status means for the fetching."""
    known = {410: "gone", 401: "not_allowed", 403: "not_allowed", 404: "not_found", 429: "throttled", 503: "throttled"}
    return known.get(status) or ("server_error" if status >= 500 else "unexpected_answer")  # noqa: PLR2004


def trouble(code: str, now: datetime, status: int | None = None) -> PullTrouble:
    """A trouble in words."""
    zh, en = (text.format(status=status or "") for text in _TEXTS[code])
    return PullTrouble(code=code, reason={"zh": zh, "en": en}, since=now)
