"""What a sentence says beside the skills in it: words that demand, wish, deny, or speak of something else.

Each phrase is matched as whole words, case and English inflection aside, in the same pass as the labels. Chosen from
how ads are worded in English, Swedish and Chinese; the lists are this project's own.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class Cue(IntEnum):
    """What a phrase says of its clause, its sentence, or (as a heading) of what follows."""

    REQUIRED = 0
    PREFERRED = 1
    DENIED = 2
    """Of the whole clause: not required, krävs inte, 不要求."""
    NOT = 3
    """Of what follows within a few words: no, ingen, 无."""
    BOILERPLATE = 4
    """The sentence is about pay, application, privacy or the employer's virtues, not about what is asked."""
    HEAD_REQUIRED = 5
    HEAD_PREFERRED = 6
    HEAD_DUTIES = 7
    HEAD_OTHER = 8
    """What follows is about the company, what is offered, or how to apply."""
    HEAD_ABOUT = 13
    """Begins a short heading with a name behind: Om Sjöfartsverket."""
    SUPPORT = 9
    """A word that makes an ambiguous name of software or of a language clear: programming, MS."""
    SPOKEN = 10
    """A word that says that a language is spoken or written, not that a company is Swedish."""
    PERSON = 11
    """The sentence speaks of the person who is sought."""
    BUT = 12
    """Begins a new clause."""


CUES: Final[dict[Cue, str]] = {
    Cue.REQUIRED: """
        must | must have | required | requirement | require | mandatory | essential | you have | you need |
        need to | you are | minimum | at least | proficient | proficiency | fluent | years of experience |
        experience with | experience in | experience of | knowledge of | knowledge in | should have | you should |
        we are looking for | looking for someone | skilled in | ability to | we expect | demonstrated |
        experience from | years experience | years' experience | experience working | comfortable with |
        degree in | expertise in | krav | krävs | kräver | kravet | måste | ska ha | skall ha | ska du ha | bör ha |
        obligatorisk | obligatoriskt | obligatoriska | vi söker dig som | söker dig | du har | du är | du ska |
        du behöver | har du | är du | erfarenhet av | erfarenhet inom | erfarenheter av | erfarenheter inom |
        kunskap om | kunskap i | kunskaper i | kunskaper inom | kunskap inom | kunskaper om | goda kunskaper |
        flytande | behärskar | förutsätter | förutsättning | vana av | van att | van vid | kompetens inom |
        utbildning inom | examen inom | förmåga att | vi ser att du | vi tror att du | minst | du kan |
        nödvändigt | nödvändig | avgörande | obehindrat | tal och skrift | vi förväntar oss | förväntas |
        vill att du | lägger stor vikt | kännedom om | vi söker en | söker vi en | söker nu en | söker vi nu en |
        du som är | du som har | du som kan | ska kunna | behöver du ha | behöver du vara | behöver du kunna |
        bekväm med | examen i | kandidatexamen i | högskoleexamen i | gymnasieutbildning inom | din goda |
        必须 | 要求 | 需要 | 必需 | 需有 | 需会 | 需持 | 应具备 |
        具备 | 具有 | 熟练 | 熟悉 | 精通 | 掌握 | 能够 | 持有 | 会使用 | 会操作 | 会开 | 会看 | 会做 | 会用 |
        持证 | 了解 | 年以上 | 以上经验
    """,
    Cue.PREFERRED: """
        preferred | preferable | preferably | preference | plus | bonus | nice to have | good to have |
        advantage | advantageous | desirable | desired | ideally | meritorious | beneficial | optional |
        considered merit | merit if | merit | meriterande | meriter | meriterar | fördel | fördelaktigt |
        önskvärt | önskvärd | gärna | extra plus | börkrav | ser vi som positivt | är positivt | underlättar |
        优先 | 优先考虑 | 优先录用 | 加分 | 更佳 | 为佳 | 更好 | 尤佳 | 加分项
    """,
    Cue.DENIED: """
        not required | not necessary | not needed | no need | not a requirement | not mandatory |
        is not essential | does not require | do not need | don't need | krävs inte | krävs ej | krävs dock inte |
        inget krav | inga krav | ej krav | inte krav | inte ett krav | behöver inte | behöver du inte |
        behövs inte | inte nödvändigt | ej nödvändigt | är inte nödvändig | kräver inte | kräver ingen |
        krävs ingen | krävs inga | 不要求 | 无需 | 不需要 | 无须 | 不需 | 不用 | 不限 | 不必 | 无要求 | 没有要求
    """,
    Cue.NOT: """
        no | without | never | not | don't | cannot | can't | ingen | inga | inget | utan | inte | ej | aldrig |
        没有 | 不会 | 不懂 | 不能 | 没做过 | 不想 | 不做 | 不干 | 不愿 | 不接受 | 不上 | 不值 | 不倒 | 不要 | 无经验
    """,
    Cue.BUT: """
        but | however | men | dock | fast | 但 | 但是 | 不过
    """,
    Cue.HEAD_ABOUT: """
        om | about | 关于
    """,
    Cue.SUPPORT: """
        programming | programmer | language | languages | developer | developers | software | framework | coding |
        code | MS | Microsoft | Office | script | backend | frontend | fullstack | statistics | programmering |
        programmera | programmerare | språk | programmeringsspråk | utvecklare | mjukvara | Officepaketet |
        systemutvecklare | kod | koda | 编程 | 语言 | 开发 | 软件 | 程序 | 办公
    """,
    Cue.SPOKEN: """
        fluent | fluently | speak | speaking | spoken | write | written | writing | language | languages | communicate |
        native | proficient | proficiency | verbally | oral | in speech |
        tal | skrift | språk | språket | flytande | kunskaper | kunskap | talar | pratar | tala | prata | uttrycka |
        kommunicera | kommunicerar | obehindrat | behärskar | behärska | skriver | förstår | modersmål | skriva |
        i svenska | på svenska | på engelska | i engelska
    """,
    Cue.PERSON: """
        you | your | you'll | candidate | person | applicant | yourself | skills | du | dig | din | ditt | dina |
        personen | kandidat | kandidaten | personlighet | egenskaper | sökande | medarbetare som | rollen |
        tjänsten | arbetet | jobbet | 你 | 您 | 者 | 人员 | 应聘
    """,
    Cue.BOILERPLATE: """
        flexibel arbetsplats | flexibel vardag | flexibel arbetstid | flexibla arbetstider | flexible hours |
        erbjuder en flexibel | en flexibel verksamhet |
        GDPR | personuppgifter | personal data | privacy policy | dataskyddsförordningen | integritetspolicy |
        personuppgiftslagen | 个人信息 | 隐私 | equal opportunity | equal opportunities | regardless of |
        without regard to | diversity and inclusion | oavsett kön | oavsett ålder | könsöverskridande |
        etnisk tillhörighet | sexuell läggning | funktionsvariation | mångfald | jämställdhet |
        jämn könsfördelning | lika rättigheter | diskriminering | sexual orientation | apply now | apply today |
        send your cv | send your resume | send your application | submit your application | your application |
        the application | interview process | selection process | background check | contact person | contact us |
        reach out to | din ansökan | ansökan | ansökningar | ansök | sök tjänsten | sök jobbet |
        cv och personligt brev | personligt brev | urval sker | urval och intervjuer | intervjuer |
        löpande urval | tillsättas | rekryteringsprocess | rekryteringsprocessen | rekryteringsföretag |
        annonsförsäljare | rekryteringsverktyg | bemanningsföretag | bemannings | undanber | undanbedes |
        försäljare av annonser | rekryteringshjälp | annonseringshjälp | direktkontakt | rekryteringskanaler |
        för mer information | mer information om | frågor om tjänsten | läs mer | vid frågor | kontakta |
        hemsida | bakgrundskontroll | säkerhetsprövning | registerkontroll | belastningsregister | drogtest |
        telefonintervju | 投递简历 | 简历 | 投递 | 联系人 | 联系电话 | 联系方式 | 面试 | 报名 | 微信 | facklig |
        fackliga | facklig företrädare | fackliga företrädare | fackliga representanter | union representative |
        kollektivavtal | collective agreement | tillsvidareanställning | provanställning | anställningsform |
        lönesättning | månadslön | grundlön | provision | friskvårdsbidrag | friskvård | tjänstepension |
        försäkringar | five insurances | health insurance | paid vacation | 401k | dental insurance | 五险一金 |
        五险 | 社保 | 公积金 | 带薪年假 | 年终奖 | 节日福利 | 包吃包住 | 包吃 | 包住 | 福利 | 提供培训 |
        免费培训 | we offer | what we offer | you will get | we provide | our benefits | our culture |
        our mission | our values | founded in | our company | our customers include | our clients are |
        leading provider | the company is | we are a company | headquartered | our vision | employees in |
        vi erbjuder | du erbjuds | erbjuder vi | erbjuder dig | får du | vi är ett | vi är en | vi är stolta |
        våra värderingar | vår vision | vår ambition är | våra kunder är | företaget är | bolaget är |
        är ett företag | grundades | medarbetare i | anställda i | omsättning | koncernen | vi brinner |
        vi tror på | vi strävar | vår affärsidé | vårt mål | som arbetsgivare | kompetensutveckling |
        en av sveriges | sveriges största | sveriges ledande | världens största | världsledande |
        marknadsledande | ledande leverantör | we believe | we strive | we are proud | our people |
        world leading | one of the largest | market leader | 公司简介 | 我们提供 | 公司成立 | 本公司是 | 公司是 |
        集团
    """,
    Cue.HEAD_REQUIRED: """
        requirements | qualifications | required | required qualifications | minimum qualifications | must have |
        must haves | who are you | who you are | about you | your profile | your background | what you bring |
        we are looking for | skills | experience | education | what we are looking for | your skills |
        essential skills | competency prerequisites | basic qualifications | qualification requirements | krav |
        kravprofil | skallkrav | skall krav | ska krav | kvalifikationer | formell kompetens | vem är du |
        vi söker dig | vem söker vi | din profil | din bakgrund | om dig | din kompetens | dina kvalifikationer |
        som person är du | är du den vi söker | personliga egenskaper | vi vill att du | obligatoriska |
        obligatoriska kompetenser | vi söker dig som | vi söker dig som har | utbildning | erfarenhet |
        erfarenheter | kompetenskrav | vi ser gärna att | våra förväntningar på dig | för att lyckas | kompetens |
        kravspecifikation | kunskaper | är det här du | är detta du | arbetslivserfarenhet | språk |
        språkkunskaper | körkort | vi tror att du | för att trivas | 任职要求 |
        工作要求 | 岗位要求 | 职位要求 | 任职资格 |
        应聘要求 | 招聘要求 | 要求 | 任职条件 | 岗位条件 | 基本要求 | 招聘条件
    """,
    Cue.HEAD_PREFERRED: """
        preferred | preferred qualifications | preferred skills | nice to have | nice to haves | good to have |
        bonus | merits | meritorious | desirable | desired | plus | it's plus if | desirable skills | optional |
        meriterande | meriter | meriterande kompetenser | det är meriterande | vi ser det som meriterande |
        önskvärt | extra meriterande | börkrav | bör krav | önskemål | starkt meriterande | 加分项 | 优先条件 |
        优先 | 加分
    """,
    Cue.HEAD_DUTIES: """
        responsibilities | your responsibilities | duties | the role | about the role | about the position |
        tasks | job description | what you will do | what you'll do | your role | main duties | description |
        key responsibilities | your tasks | the position | arbetsuppgifter | dina arbetsuppgifter | om tjänsten |
        om rollen | rollen | din roll | om jobbet | arbetsbeskrivning | uppdragsbeskrivning | om uppdraget |
        om konsultuppdraget | ditt uppdrag | ansvarsområden | uppdraget | huvudsakliga arbetsuppgifter |
        jobbeskrivning | hur ser rollen ut | tjänsten | jobbet | information om tjänsten |
        teknikerna vi jobbar i | tekniker | tech stack | vår stack | dina framtida arbetsuppgifter | 岗位职责 | 职责 |
        工作职责 | 工作内容 | 职责描述 | 岗位描述 | 职位描述 | 主要职责 | 工作描述
    """,
    Cue.HEAD_OTHER: """
        about us | about the company | who we are | company description | what we offer | we offer | benefits |
        how to apply | application | contact | additional information | other information | our offer |
        why join us | perks | why us | compensation | om oss | om företaget | om bolaget | om verksamheten |
        vilka är vi | vi erbjuder | vad erbjuder vi | erbjuds | du erbjuds | vad vi erbjuder |
        vad kan vi erbjuda | vad vi kan erbjuda | vårt erbjudande | erbjuder | ansökan | så ansöker du |
        hur du kommer vidare | kontakt | kontaktuppgifter | övrigt | övrig information |
        information om företaget | villkor | anställningsform | anställningsvillkor | lön | företagsbeskrivning |
        sök nu | sök jobbet | om anställningen | mer om | varför ska du välja | ansökningsförfarande |
        vad händer | mer information | ytterligare information | vårt konsulterbjudande | rekryteringsprocess |
        öppen för alla | förmåner | 公司简介 | 公司介绍 | 关于我们 | 企业介绍 | 福利待遇 | 薪资待遇 | 薪酬福利 |
        福利 | 待遇 | 联系方式 | 工作时间 | 工作地点 | 我们提供 | 薪资
    """,
}
"""Phrases with bars between."""


def phrases(cue: Cue) -> tuple[str, ...]:
    """The phrases of a cue, each once."""
    return tuple(dict.fromkeys(" ".join(said.split()) for said in CUES[cue].split("|")))
