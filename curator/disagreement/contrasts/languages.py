"""The language of a text, by its script or its function words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

_FUNCTION_WORDS = {  # data
    "English": "the and of to is you for that this with are your have will can not it we be has was from our or by as at please a an do if no so me i in on they does did my he she there",  # data
    "German": "der die das und ist nicht sie ich wir für mit auf ein eine den dem wird ihre ihr haben bei zu von es im ihnen bitte danke uns",  # data
    "French": "le la les des est vous nous pour dans une votre pas que qui avec sur et ce aux au du il en nos vos être merci",  # data
    "Spanish": "el los las que es para con una por su se del está usted nuestro más como pero y le tiene puede de la en gracias",  # data
    "Italian": "il gli che è per con una non del della sono può suo nostro più come ma di e la le ha nel dal grazie",  # data
    "Portuguese": "os as que é para com uma não do da em seu você nosso mais como mas por dos e o a tem pode obrigado",  # data
    "Dutch": "de het een en van is niet voor met op uw wij zijn dat u aan kunt wordt naar bij heeft te om onze",  # data
    "Polish": "nie jest się na do że w z dla to są jak proszę i oraz przez można tego od po czy lub pan pani",  # data
    "Swedish": "och att det som en är för med inte på den av vi du har till kan om ett din vår från tack",  # data
    "Turkish": "ve bir bu için ile de da olarak size olan var daha gibi değil çok ne mi siz lütfen",  # data
}
_LETTERS = {
    "German": "äöüß",
    "French": "éèêàçœ",
    "Italian": "èàòù",
    "Spanish": "ñ¿¡óáí",
    "Portuguese": "ãõç",
    "Polish": "łąęśżźć",
    "Turkish": "ışğ",
    "Swedish": "å",
}
"""Letters that English lacks; each counts as a function word of its languages."""


def _languages_of(signs: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Return the languages that have each sign."""
    languages: dict[str, list[str]] = {}
    for language, of_language in signs.items():
        for sign in of_language:
            languages.setdefault(sign, []).append(language)
    return languages


_BY_WORD = _languages_of({language: words.split() for language, words in _FUNCTION_WORDS.items()})
_BY_LETTER = _languages_of(_LETTERS)
_SCRIPTS = (
    ("Japanese", re.compile("[\u3040-\u30ff]")),
    ("Chinese", re.compile("[\u4e00-\u9fff]")),
    ("Korean", re.compile("[\uac00-\ud7af]")),
    ("Russian or another Cyrillic language", re.compile("[\u0400-\u04ff]")),
    ("Arabic", re.compile("[\u0600-\u06ff]")),
    ("Hebrew", re.compile("[\u0590-\u05ff]")),
    ("Greek", re.compile("[\u0370-\u03ff]")),
    ("Hindi", re.compile("[\u0900-\u097f]")),
)
_CHARACTERS = 600
_TOKEN = re.compile(r"[^\W\d_]+")
_LEAST_WORDS, _AHEAD = 3, 1.5
_SCRIPT_SHARE = 0.2


def language_of(text: str) -> str:
    """Return the name of the language of a text; "" where it is too short to tell.

    A script decides where a fifth of the letters are of it; else the language with the most function words, of at least
    three, and half as many again as any other.
    """
    head = text[:_CHARACTERS]
    words = _TOKEN.findall(head.casefold())
    letters = sum(map(len, words))
    if not head.isascii():
        for language, script in _SCRIPTS:
            if len(script.findall(head)) > _SCRIPT_SHARE * letters > 0:
                return language
    counts = Counter(language for word in words for language in _BY_WORD.get(word, ()))
    counts.update(language for letter in set(head.casefold()) for language in _BY_LETTER.get(letter, ()))
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    (language, most), (_, second) = [*ranked, ("", 0), ("", 0)][:2]
    return language if most >= _LEAST_WORDS and most >= _AHEAD * second else ""
