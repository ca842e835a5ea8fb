"""Word lists of the text distance: the only part of it that depends on a language.

English, with the negations and yes and no of German, French, Spanish, Italian, Portuguese, Dutch and Chinese. A text in
another language is compared by its words and numbers.
"""

from __future__ import annotations

from collections.abc import Mapping


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Negations and numbers are not function words: they change the meaning.
FUNCTION_WORDS = _words(
    "a an the of in on at to for by with from as and or is are was were be been being it its this that these those "
    "which who whom he she they his her their i we you my your our has have had do does did will would can could "
    "may there here so then also"
)
NEGATIONS = _words(
    "not no never none neither nor without cannot nothing nobody nowhere hardly unable fail fails failed lack lacks "  # data
    "nicht kein keine keinen keiner nie niemals ohne ne pas jamais aucun aucune sans nunca ningún ninguna sin não nem sem "
    "nessun nessuna mai niente senza non niet geen nooit zonder 不 没 沒 無 无 未"
)
"""Words that turn a sentence into its opposite."""
LIMITS = _words("more less fewer later earlier sooner only just merely")
"""After `no` or `not` these make a limit ("no more than"), not a negation."""
COPULAS = _words("is was be answer ist lautet est es è é 是")
YES = _words("yes true ja wahr oui vrai sí sim vero verdadero 是 对 對")
NO = _words("no false nein falsch non faux falso não nee 否 错 錯")
AUXILIARIES = _words("is was are were has had have did does will can")
CALENDAR = _words(
    "monday tuesday wednesday thursday friday saturday sunday january february april june july august september october "
    "november december second third fourth fifth sixth seventh eighth ninth tenth"
)
"""Words that decide like names. March and May are left out: they are also other words."""
NOUNS_IN_CAPITALS = _words("der die das und ist nicht ein eine den dem zu mit für auf wird sind")
"""Two different ones of these show German, where capital letters do not show names."""


OPPOSITE_PAIRS: tuple[tuple[frozenset[str], frozenset[str]], ...] = tuple(
    (_words(side), _words(opposite))
    for side, opposite in (
        ("high higher highest", "low lower lowest"),
        ("more most", "less least fewer fewest"),
        ("increase increases increased rise rises rose up", "decrease decreases decreased fall falls fell down"),
        ("before", "after"),
        ("above over", "below under"),
        ("open opened opens", "close closed closes shut"),
        (
            "accept accepted approve approved allow allowed permit permitted",
            "reject rejected deny denied refuse refused forbid forbidden prohibited",
        ),
        ("true correct right valid", "false incorrect wrong invalid"),
        ("positive", "negative neutral"),
        ("male", "female"),
        ("north northern", "south southern"),
        ("east eastern", "west western"),
        ("left", "right"),
        ("win wins won", "lose loses lost"),
        ("buy bought", "sell sold"),
        ("always", "never"),
        ("all", "none some"),
        ("possible able", "impossible unable"),
        ("maximum", "minimum"),
        ("success successful succeeded", "failure unsuccessful"),
        ("urgent", "normal"),
        ("enable enables enabled", "disable disables disabled"),
        ("safe", "unsafe dangerous"),
        ("include includes included", "exclude excludes excluded"),
    )
)
OPPOSITES: Mapping[str, int] = {
    word: 1 << (2 * number + side)
    for number, pair in enumerate(OPPOSITE_PAIRS)
    for side, words in enumerate(pair)
    for word in words
}
"""For each word of a pair of opposites the bit of its side: even bits for one side, odd bits for the other."""
EVEN_SIDES = sum(1 << (2 * number) for number in range(31))
