"""Who suits whom: the rules, and the index that answers by them. Pure: values and `now` in, answers out.

`kernels` holds the rules, `policy` their numbers, `columns` the layout, `lookups` and `questions` the scans,
`side` the slots, `codes` the vocabularies; `index` puts them together.
"""

from services.matcher.domain.answers import Judgement, Scored, Standing
from services.matcher.domain.entries import entries
from services.matcher.domain.index import Index, warm
from services.matcher.domain.policy import Policy, load

__all__ = ["Index", "Judgement", "Policy", "Scored", "Standing", "entries", "load", "warm"]
