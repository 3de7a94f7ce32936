"""The first mistake in the words of a command, found before they are parsed, in one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jaxnn.cli.commands import COMMANDS
from jaxnn.cli.values import ALIASES, from_text
from jaxnn.studies.options import Option, options_of, wanted
from jaxnn.vocabulary import did_you_mean


def check_words(command: str, words: Sequence[str], options: Mapping[str, Option]) -> list[str]:
    """The words that are no options nor their values: what must be given, such as DATA.

    Raises:
        ValueError: an unknown option, with the nearest one; a value missing, too many or of
            another type; more words than the command takes.
    """
    rest, given = list(words), list[str]()
    places = [option for option in options.values() if option.placed]
    while rest:
        word = rest.pop(0)
        if not _is_option(word):
            if len(given) == len(places):
                takes = " ".join(option.spelled for option in places) or "options only"
                raise ValueError(f"{word!r} is one word too many: jaxnn {command} takes {takes}")
            from_text(places[len(given)], word)
            given.append(word)
            continue
        name, equals, value = word.partition("=")
        option, negated = _option_of(command, name, options)
        values = [value] if equals else []
        while rest and not equals and not _is_option(rest[0]) and _takes(option, len(values)):
            values.append(rest.pop(0))
        if option.kind is bool:
            if values:
                raise ValueError(f"{name} takes no value: give {name} or leave it out")
        elif negated or (not values and not option.many):
            raise ValueError(f"{name} has no value: give {wanted(option)}")
        for text in values:
            if text != "None" or option.many:  # None: as if it had not been given
                from_text(option, text)
    return given


def _is_option(word: str) -> bool:
    """Whether a word begins an option: -5:5 and -1e3 are values, --steps and -v are not."""
    return word.startswith("--") or (word[:1] == "-" and word[1:2].isalpha())


def _takes(option: Option, count: int) -> bool:
    return option.kind is not bool and (option.many or count == 0)


def _option_of(command: str, name: str, options: Mapping[str, Option]) -> tuple[Option, bool]:
    """The option of this spelling, and whether it is negated."""
    plain = ALIASES.get(name, name.lstrip("-").replace("-", "_"))
    optional = {key: option for key, option in options.items() if not option.placed}
    if plain in optional and (name.startswith("--") or name in ALIASES):
        return optional[plain], False
    own = options_of(COMMANDS[command].settings)  # how an answer comes is not negated
    if plain.startswith("no_") and plain[3:] in own and own[plain[3:]].kind is bool:
        return own[plain[3:]], True
    near = did_you_mean(f"--{plain.replace('_', '-')}", [o.spelled for o in optional.values()])
    others = [other for other, kind in COMMANDS.items() if plain in options_of(kind.settings)]
    of = f", it is one of {', '.join(others)}" if others and not near else ""
    raise ValueError(
        f"jaxnn {command} has no option {name}{near or of or f'; see jaxnn {command} --help'}"
    )
