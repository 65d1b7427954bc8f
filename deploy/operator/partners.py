"""Partners: onboard, list, show, pause, resume, rotate, retire.

Each command may be repeated: one that broke off is finished by giving it again. Rights are given before a password
and taken before it, so at no moment has anyone more than both states allow.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Final

from deploy.operator.answers import REFUSED, UNKNOWN, Answer, Json, Refusal
from deploy.operator.rights import Standing, account, reading, retirement, writing
from shared.contracts.registry import PARTNER_EXCHANGE, PARTNER_POSTINGS, PARTNER_RECEIPTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deploy.operator.kafka import Rights
    from deploy.operator.postings import Register

_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
"""As postings takes them."""
_SECRET_BYTES: Final = 32
_STATES: Final = {
    "active": ("正常", "active"),
    "paused": ("已暂停", "paused"),
    "retired": ("已停用", "retired"),
    "no access": ("无接入权限", "no access"),
}


def onboard(rights: Rights, register: Register, partner: str, name: str, *, sandbox: bool = False) -> Answer:
    """Registered, with topics, rights, and a password that is told this once."""
    if not _ID.fullmatch(partner):
        raise Refusal(
            REFUSED,
            "invalid_id",
            "编号只能用小写字母、数字和连字符，以字母或数字开头，最多 40 个字符",
            "An id is of a-z, 0-9 and -, begins with a letter or digit, and has at most 40 characters",
        )
    known = rights.standings().get(partner)
    if known is not None and known.retired:
        raise _retired(partner)
    if known is not None and known.accounts:
        raise Refusal(
            REFUSED,
            "onboarded",
            f"{partner} 已经接入。要换密码请用 partner rotate",
            f"{partner} is onboarded already. For another password: partner rotate",
        )
    register.register(partner, name, sandbox=sandbox)
    rights.allow([*reading(partner, 1), writing(partner, 1)])
    return _with_secret(
        rights,
        partner,
        1,
        f"{partner}（{name}）已接入。",
        f"{partner} ({name}) is onboarded.",
    )


def overview(rights: Rights, register: Register) -> Answer:
    """Every partner: those that are registered, and those that Kafka remembers."""
    registered, known = register.partners(), rights.standings()
    rows: list[Json] = [
        _described(partner, registered.get(partner), known.get(partner)) for partner in sorted({*registered, *known})
    ]
    lines = [
        [f"{row['partner']:<24}  {_STATES[row['state']][at]:<10}  {row['name'] or ''}" for row in rows] for at in (0, 1)
    ]
    return Answer(
        "\n".join(lines[0]) or "还没有合作方",
        "\n".join(lines[1]) or "There are no partners yet",
        {"partners": rows},
    )


def show(rights: Rights, register: Register, partner: str) -> Answer:
    """One partner: state, accounts, and what each may do."""
    registered, known = register.partners().get(partner), rights.standings().get(partner)
    if registered is None and known is None:
        raise _unknown(partner)
    found = _described(partner, registered, known)
    name = found["name"]
    zh, en = [f"{partner}（{name or '未登记'}）：{_STATES[found['state']][0]}"], []
    en.append(f"{partner} ({name or 'not registered'}): {_STATES[found['state']][1]}")
    for one in found["accounts"]:
        zh += [f"  账号 {one['user']}", *(f"    {right}" for right in one["rights"])]
        en += [f"  account {one['user']}", *(f"    {right}" for right in one["rights"])]
    if found["unfinished"]:
        zh.append(f"  Kafka 中仍为“{_STATES[found['kafka']][0]}”：请重复执行该命令")
        en.append(f"  In Kafka it is still {_STATES[found['kafka']][1]}: give the command again")
    if len(found["accounts"]) > 1:
        zh.append("  正在换密码：对方改用新账号后，执行 partner rotate --finish")
        en.append("  Its password is being changed: when it uses the new account, partner rotate --finish")
    return Answer("\n".join(zh), "\n".join(en), found)


def exchange(register: Register, partner: str, regions: Sequence[str], name: str | None) -> Answer:
    """It gets our postings of these regions (`scheme:code`) on its exchange topic; of none, nothing any more."""
    codes = [dict(zip(("scheme", "code"), region.split(":", 1), strict=False)) for region in regions]
    register.exchange(partner, {"regions": codes, "name": name} if codes else None)
    topic = PARTNER_EXCHANGE.format(partner=partner)
    data = {"partner": partner, "regions": list(regions), "topic": topic}
    if not codes:
        return Answer(
            f"不再向 {partner} 提供岗位；已提供的将在 {topic} 上撤下",
            f"{partner} gets no postings of ours any more; those that it has are removed on {topic}",
            data,
        )
    return Answer(
        f"{partner} 将在 {topic} 上收到以下地区的岗位：{'、'.join(regions)}。接入方法见 docs/partners.md",
        f"{partner} gets our postings in {', '.join(regions)} on {topic}. How to connect: docs/partners.md",
        data,
    )


def pull(register: Register, partner: str, feed: Json | None) -> Answer:
    """Its feed is fetched from this address, or no more."""
    register.pull(partner, feed)
    if feed is None:
        return Answer(
            f"不再拉取 {partner} 的数据源；已写入的岗位不受影响",
            f"No feed of {partner} is fetched any more; what was written stays",
            {"partner": partner, "pull": None},
        )
    return Answer(
        f"将拉取 {partner} 的数据源 {feed['url']}。进展见 GET /partners/{partner}/scorecard",
        f"The feed of {partner} is fetched from {feed['url']}. How it goes: GET /partners/{partner}/scorecard",
        {"partner": partner, "pull": feed},
    )


def replay(register: Register, partner: str, since: str) -> Answer:
    """Its receipts are published once more, as they were."""
    number = register.replay(partner, since)
    topic = PARTNER_RECEIPTS.format(partner=partner)
    return Answer(
        f"自 {since} 起的 {number} 条回执将再次发布到 {topic}，编号和内容不变",
        f"{number} receipts given since {since} are published on {topic} once more, as they were",
        {"partner": partner, "receipts": number, "topic": topic},
    )


def pause(rights: Rights, register: Register, partner: str) -> Answer:
    """It may not write, from now on and on open connections; it goes on reading its receipts.

    Kafka's door is shut first: it is the wider one, and open to a flood also while postings is away.
    """
    rights.take(_standing(rights, partner).to_write())
    register.command(partner, "pause")
    return Answer(
        f"{partner} 已暂停：不能再发布岗位，仍可读取回执。恢复：partner resume {partner}",
        f"{partner} is paused: it can publish nothing, and still reads its receipts. "
        f"To let it go on: partner resume {partner}",
        {"partner": partner, "state": "paused"},
    )


def resume(rights: Rights, register: Register, partner: str) -> Answer:
    """It may write again."""
    known = _with_accounts(rights, partner)
    register.command(partner, "resume")
    rights.allow(writing(partner, number) for number in known.accounts)
    return Answer(
        f"{partner} 已恢复，可以发布岗位",
        f"{partner} may publish again",
        {"partner": partner, "state": "active"},
    )


def rotate(rights: Rights, partner: str) -> Answer:
    """A second account with the same rights and a new password; the first goes on until `finish`.

    Given again before that, the new account gets another password: for one that was lost on the way.
    """
    known = _with_accounts(rights, partner)
    newest = known.accounts[-1]
    number = newest if len(known.accounts) > 1 else newest + 1
    # what it may not do now, it may not do by the new account either
    paused = known.state == "paused"
    rights.allow(reading(partner, number) if paused else [*reading(partner, number), writing(partner, number)])
    old = ", ".join(account(partner, one) for one in known.accounts if one != number)
    return _with_secret(
        rights,
        partner,
        number,
        f"{partner} 的新账号如下；旧账号 {old} 在执行 partner rotate {partner} --finish 之前一直可用。",
        f"The new account of {partner}; the old one, {old}, works until: partner rotate {partner} --finish",
    )


def finish(rights: Rights, partner: str) -> Answer:
    """Only the newest account is left."""
    known = _with_accounts(rights, partner)
    newest = account(partner, known.accounts[-1])
    old = [number for number in known.accounts if number != known.accounts[-1]]
    rights.take(one for one in known.rights if one.user != newest)
    rights.remove_users(account(partner, number) for number in old)
    return Answer(
        f"{partner} 现在只能用 {newest} 登录",
        f"{newest} is the only account of {partner} now",
        {"partner": partner, "user": newest, "removed": [account(partner, number) for number in old]},
    )


def retire(rights: Rights, register: Register, partner: str, *, really: bool) -> Answer:
    """Rights and passwords are gone, for ever: postings and Kafka remember the id."""
    known = rights.standings().get(partner)
    if known is None:
        raise _unknown(partner)
    if not really:
        return Answer(
            f"将永久停用 {partner}：撤销全部权限和密码，该编号不能再用。确认请加 --yes。它的岗位不会因此关闭",
            f"This would retire {partner} for ever: its rights and passwords go, and the id cannot be used again. "
            "To do it, add --yes. Its postings are not closed by it",
            {"partner": partner, "state": known.state, "would": "retire"},
        )
    rights.allow([retirement(partner)])
    rights.take(known.rights)
    rights.remove_users(account(partner, number) for number in known.accounts)
    register.command(partner, "retire")
    return Answer(
        f"{partner} 已停用，该编号不再使用",
        f"{partner} is retired; the id will not be used again",
        {"partner": partner, "state": "retired"},
    )


def _with_secret(rights: Rights, partner: str, number: int, zh: str, en: str) -> Answer:
    user, password = account(partner, number), secrets.token_urlsafe(_SECRET_BYTES)
    rights.set_password(user, password)
    topics = {
        "postings": PARTNER_POSTINGS.format(partner=partner),
        "receipts": PARTNER_RECEIPTS.format(partner=partner),
        "exchange": PARTNER_EXCHANGE.format(partner=partner),
    }
    return Answer(
        f"{zh}\n  账号 {user}\n  密码 {password}\n密码只显示这一次，请经安全途径转交。接入方法见 docs/partners.md",
        f"{en}\n  user      {user}\n  password  {password}\n"
        "The password is shown this once: hand it over by a safe way. How to connect: docs/partners.md",
        {
            "partner": partner,
            "user": user,
            "password": password,
            "mechanism": "SCRAM-SHA-512",
            "topics": topics,
            "groups": f"partner.{partner}.",
        },
    )


def _described(partner: str, registered: Json | None, known: Standing | None) -> Json:
    """The state is the register's, and Kafka's for who is only known there."""
    accounts = [] if known is None else known.accounts
    without = known is None or not (known.retired or accounts)
    kafka = "no access" if without or known is None else known.state
    state = kafka if registered is None or (without and registered["state"] == "active") else registered["state"]
    return {
        "partner": partner,
        "name": None if registered is None else registered["name"],
        "state": state,
        "kafka": kafka,
        "unfinished": not without and state != kafka,
        "accounts": [
            {"user": account(partner, number), "rights": sorted(map(str, known.of(number)))}
            for number in accounts
            if known is not None
        ],
    }


def _standing(rights: Rights, partner: str) -> Standing:
    known = rights.standings().get(partner)
    if known is None:
        raise _unknown(partner)
    if known.retired:
        raise _retired(partner)
    return known


def _with_accounts(rights: Rights, partner: str) -> Standing:
    known = _standing(rights, partner)
    if not known.accounts:
        raise _unknown(partner)
    return known


def _unknown(partner: str) -> Refusal:
    return Refusal(
        UNKNOWN,
        "unknown_partner",
        f"没有接入过的合作方 {partner}；partner list 列出全部",
        f"There is no partner {partner} with access to Kafka; partner list shows all",
    )


def _retired(partner: str) -> Refusal:
    return Refusal(
        REFUSED,
        "retired",
        f"{partner} 已停用，编号不能再用：请另取一个编号",
        f"{partner} was retired and the id cannot be used again: choose another one",
    )
