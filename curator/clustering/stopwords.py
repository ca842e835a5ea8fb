"""Words that say nothing of what a text is about: English function words, and the courtesies of a support chat."""

from __future__ import annotations

_FUNCTION_WORDS = """
a about above after again against all also am an and any are aren't as at be because been before being below between
both but by can can't cannot could couldn't did didn't do does doesn't doing don't down during each either else ever
few for from further get gets getting give given go going got had hadn't has hasn't have haven't having he he'd
he'll her here hers herself him himself his how however i i'd i'll i'm i've if in into is isn't it it'd it'll its
itself just let let's like ll made make makes many may me might mine more most much must mustn't my myself neither
no nor not now of off on once one only onto or other others ought our ours ourselves out over own per quite rather
re really same shall shan't she she'd she'll should shouldn't since so some somebody someone something still such
than that the their theirs them themselves then there there're these they they'd they'll they're they've thing
things this those though through thus to too under until up upon us use used using ve very via was wasn't we we'd
we'll we're we've well were weren't what whatever when where whether which while who who'd who'll whom whose why
will with within without won't would wouldn't yes yet you you'd you'll you're you've your yours yourself yourselves
"""

_COURTESIES = """
able actually ago already always anyone anything asap bit come dear every find good guys happen happened happening hello
help hey hi hope kindly know look looking maybe need needed needs ok okay please possible question right said say
says see seem seems sorry sure tell thank thanks thx think tried try trying understand want wanted wants way
today yesterday tomorrow morning
"""

STOP_WORDS = frozenset((_FUNCTION_WORDS + _COURTESIES).split())
