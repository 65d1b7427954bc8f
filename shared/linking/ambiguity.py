"""Labels that other words contain or that mean something else in most sentences. This project's own lists."""

from __future__ import annotations

from typing import Final

from shared.linking.words import word_set


def _phrases(text: str) -> frozenset[str]:
    return frozenset(" ".join(part.split()) for part in text.split("|"))


NEEDS_SUPPORT: Final = word_set("""
    absorb ada apl assembly basic bms board c caml can canvas ceylon chef cosmic cpc cpt creo cta cti curl d did dmp
    dmt dylan eclipse ericsson euphoria express fantom flask go google groovy hack harvest hobgoblin hr ic ict ide
    idl ids illustrator inventor io it latex less lua ml mocha moped myrtle ng ning pascal poker pos powder puppet
    quel r rage rdb re rest rs rt ruby rudder sai salt sbr scratch sequel shiva shotwell soap solidity source spark
    spl spring st ste stl supra swift tec tgea tht trojan turing unity velocis wild word wp yahoo
""")
"""Names that count only with their capitals and beside a word such as programming, or another name."""

ENGLISH_WORDS: Final = word_set("""
    excel exchange express oracle outlook slack teams word zoom
""")
"""The same where the sentence is English; elsewhere their capitals are enough."""

CASED: Final = word_set("""
    adr agil ai ajax ama angular api apple azure bam bootstrap cad cam cisco citrix cms crm cypress ddd drupal erp
    excel flutter gps hlr java lan lean lotus lou lss lvm lvu mig monitor pcb plc pr prince python react rov safe
    sap sass scrum selenium sem seo soa sol svelte swift tableau tailwind tdd tig ui unix ux visma wan word
""")
"""Names that count only with their capitals, because the word in small letters is another one."""

GENERIC: Final = word_set("""
    activities agreement alarms alba amuse argument assertion bacteria balance bargain benchmark betting board
    brands breaking brushes bundling calculation cameras canals chant chip chips choose clay clean climb coal
    collections colour communicating computer computers conduct confidence confinement consultation consultations
    controllers conversation conversations conveyance cooling cooperate coordination copying correspondence craft
    curiosity current dams data debate decency decide delegate delight design detachment detect dies diet draw
    drawing drilling drone dust empathise energies energy engineering equipment exercise experiment explosives
    fencing fiction filters finances financials football form formulas frames fuel gestation gold golf guide hair
    hairs harnesses hearing helmet helmets history honour improvise innovate integrity interaction interview invent
    iron language lasers lead leasing lecture ledges lenses light literature locks logic maintenance measurement
    measuring merchandise migration moral morals motors mould negotiate objectives outlines packing paint patterns
    persist persuade philosophy plan planning plans platinum pole politic political politician politics porcelain
    prayer prediction pregnancy press processes processor project projects proportion prose pumps purchase radar
    radars radiation recovery reflexion reliability renting report reporting reproduction reserve resistance
    restoration retaking retrieval rights ropes sampling sands scale schedule schematics scrutinise scrutinize
    security separation sexology shade signing silver similitude sing ski soaps soccer sounds space spawning
    spelling standard standards stripping supervision surgeries survey sustainability swim switches symmetry tennis
    term terminology texture tie training transformer transformers transport troubleshoot vinyl viruses vocabulary
    voltage warehouse warnings wildlife
""")
"""Single words that the taxonomy gives as a label and that say nothing alone."""

KEPT: Final = word_set("""
    accuracy adaptability adaptable agile analytical babysitting backend baking barista bartender bim bookkeeping
    bricklaying budgeting carpentry cleaning cnc coding collaborative communicative communicator containers cooking
    copywriting creativity cuda curious databases debugging embedded embroidery firmware forklift frontend fullstack
    git grouting hairdressing helpdesk housekeeping kaizen keras leadership logistics machining massage meticulous
    microscopy microservice microservices multitasking nannying networking nursing plastering plumbing proactive
    programming refactoring roofing saas sandblasting scaffolding scripting scrum selling sewing shifts soldering
    spreadsheets structured tailoring teamwork teamworking telemarketing tensorflow tiling troubleshooting tutoring
    typing uml upsell wallpapering weld welding woodworking
""")
"""Single words that mean their skill, though many labels have them."""

SPECIFIC_OBJECTS: Final = word_set("""
    blueprint blueprints budgets bulldozer chainsaw crane cranes drywall excavator forklift forklifts inventory
    invoices lesson payroll scaffolding spreadsheet spreadsheets sutures tractor wallpaper
""")
"""Objects that mean their skill without the verb: forklift for operate forklift."""

NEVER: Final = _phrases("""
    vertical market | vertical markets | construction products |
    access | achieve goals | achieve the goals | aesthetics | be flexible | be responsible | business model |
    business models | business requirements | climate control | co-workers | coworkers | create solutions | cultural
    diversity | customer needs | daily work | data storage | eco-system | ecosystem | ecosystems | engineering team
    | engineering teams | enjoy working | ericsson | etc | google | google search | hang out with | have commitment
    | hr | ic | ict | ids | it | job description | job descriptions | job opportunities | led | leds | life cycle |
    life-cycle | logging | make up | make-up | management team | management teams | medicine | ml | new knowledge |
    new products | ng | operations | parsing | part of a team | part of the team | personal development | product
    feature | product features | product owner | product owners | project implementation | quality of products |
    quality of the product | re | real estate | regulatory requirements | rs | rt | sales process | sas | security
    clearance | self-managed | sensors | shape the future | shaping the future | shooting | social media | software
    design | software products | subversion | talented people | the job | train ticket | train tickets | vc |
    willingness to work | work permit | work permits | work-life balance | work/life balance | yahoo
""")
"""Labels and shortened labels that are not taken, because ads use them for something else."""

VAGUE: Final = word_set("""
    all better daily different good more new other our own part personal technical your
""")
"""With such a word in front, what is left of a label without its verb says too little."""
