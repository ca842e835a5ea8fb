"""Names of people, as a model that the config names finds them.

Rules find no names: words do not show that they are one. A recogniser is a pipeline of spaCy that is installed, or a function
of the user's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from importlib import import_module
from typing import Any, TypeAlias, cast

from curator.errors import ConfigError, MissingDependency
from curator.redaction.spans import Span

Places: TypeAlias = Iterable[tuple[int, int]]
Recogniser: TypeAlias = Callable[[str], Places]
"""Takes a text; returns the places of names in it, each from its first character to the one behind its last."""

SPACY = "spacy"
_PEOPLE = frozenset(("PERSON", "PER", "persName"))
"""The labels of people in spaCy's pipelines: of OntoNotes, of WikiNER and its kind, and of the Polish corpus."""
_NEEDED = frozenset(("tok2vec", "transformer", "curated_transformer", "ner", "entity_ruler", "span_ruler"))
_FINDS_NAMES = frozenset(("ner", "entity_ruler"))
_LONGEST = 100_000
"""Characters that a pipeline takes at once: it needs about a gigabyte for a million."""
_POSSESSIVES = ("'s", "\u2019s", "'", "\u2019")
_INSTALL_SPACY = "install it: `pip install 'committee-curator[names]'`"


@lru_cache(maxsize=64)  # the texts of one case are looked at more than once
def names(text: str, recogniser: str) -> tuple[Span, ...]:
    """Return the names of people in a text.

    Raises:
        ConfigError: the recogniser fails, or gives something else than places in the text.
        MissingDependency: spaCy or its pipeline is not installed.
    """
    find = load_recogniser(recogniser)
    try:
        places = [(int(start), int(end)) for start, end in find(text)]
    except Exception as error:
        raise _failed(recogniser, f"failed on a text ({type(error).__name__})") from error
    if any(not 0 <= start < end <= len(text) for start, end in places):
        raise _failed(recogniser, "gave a place outside of the text")
    return tuple(Span(start, end, "name", secret=False) for start, end in places)


@lru_cache(maxsize=4)
def load_recogniser(reference: str) -> Recogniser:
    """Return the recogniser with this name: `spacy:PIPELINE` or `package.module:function`.

    Raises:
        ConfigError: the module has no such function, or the pipeline finds no names.
        MissingDependency: spaCy or its pipeline is not installed.
    """
    place, _, name = reference.partition(":")
    if place == SPACY:
        return _of_spacy(name)
    try:
        find: Any = import_module(place)
    except ImportError as error:
        remedy = "name a module that Python finds, such as one of an installed package or of a folder in PYTHONPATH"
        raise ConfigError(f"`redaction.names`: no module {place!r} ({error})", remedy=remedy) from error
    for part in name.split("."):
        find = getattr(find, part, None)
    if not callable(find):
        raise ConfigError(
            f"`redaction.names`: {place!r} has no function {name!r}",
            remedy="name a function that takes a text and returns the places of names: `[(start, end), ...]`",
        )
    return cast("Recogniser", find)


def _of_spacy(pipeline: str) -> Recogniser:
    try:
        spacy: Any = import_module(SPACY)
    except ImportError as error:
        raise MissingDependency("`redaction.names`: spaCy is not installed", remedy=_INSTALL_SPACY) from error
    try:
        nlp = spacy.load(pipeline)
    except OSError as error:
        raise MissingDependency(
            f"`redaction.names`: spaCy has no pipeline {pipeline!r}",
            remedy=f"install it: `python -m spacy download {pipeline}`; or name a folder with a pipeline",
        ) from error
    if _FINDS_NAMES.isdisjoint(nlp.pipe_names):
        raise ConfigError(
            f"`redaction.names`: the pipeline {pipeline!r} recognises no names (it has no `ner`)",
            remedy="name one that does, such as `spacy:en_core_web_sm`",
        )
    nlp.select_pipes(enable=[name for name in nlp.pipe_names if name in _NEEDED])

    def find(text: str) -> Iterator[tuple[int, int]]:
        for begin, part in _parts(text):
            for entity in nlp(part).ents:
                if entity.label_ in _PEOPLE and (name := _without_possessive(entity.text)):
                    yield begin + entity.start_char, begin + entity.start_char + len(name)

    return find


def _without_possessive(name: str) -> str:
    ending = next((ending for ending in _POSSESSIVES if name.endswith(ending)), "")
    return name.removesuffix(ending).rstrip()


def _parts(text: str) -> Iterator[tuple[int, str]]:
    """Yield the parts of a long text with their places, cut at white space."""
    begin = 0
    while begin < len(text):
        end = begin + _LONGEST
        if end < len(text):
            space = max(text.rfind(" ", begin, end), text.rfind("\n", begin, end))
            end = space + 1 if space > begin else end
        yield begin, text[begin:end]
        begin = end


def _failed(recogniser: str, what: str) -> ConfigError:
    return ConfigError(f"`redaction.names`: {recogniser!r} {what}", remedy="correct it, or leave `names` out")
