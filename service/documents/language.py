"""Which language a text is probably in: by its script, and between languages of one script by their commonest words.

A hint and no more: None where nothing tells. Tables and forms have few words of any language.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from service.documents.document import Page

_SEEN = 500
"""Characters that are looked at: the hint is made of every page, also of one that is read in a millisecond."""

_FEWEST = 3
"""Common words of any language that must be there."""

_SURE = 100
"""Letters of a text that has none of a language's own, from which that means something."""

_LEAD = 1.3
"""How many times the second language's score the first one's must be."""

_WORDS = {
    "en": "the of and to in is for with that on this by are be from as at your our you will please",
    "de": "der die und das den von mit für auf ist des dem im nicht ein eine zu wir sie bitte bei oder zum zur",
    "fr": "le la les des et du une est pour dans par sur au vous nous avec qui votre aux ou pas",
    "es": "el los las del y que una por con para se su al como más esta este sus o ha",
    "it": "il di che della per del con gli alla nel dei una sono delle è più da non si al",
    "pt": "o os da do das dos em uma para com não ao na no que por pela pelo são seu",
    "ca": "el els les dels i amb una per és aquest aquesta que del als més ha seva",
    "nl": "de het een van en op voor met niet aan zijn wij deze bij wordt naar uw ook dat te",
    "da": "og af til med på en et den der det som for ikke er vi fra har ved eller skal",
    "no": "og av til med på en et den der det som for ikke er vi fra har ved eller skal etter",
    "sv": "och att det som en på är av för med till inte om ett den från har vid eller ska",
    "fi": "ja on ei se että oli kun mutta myös tai joka hän sekä kuin ovat voi jos",
    "pl": "i w na z do się nie jest że o od po dla za przez jak lub oraz są",
    "cs": "a v na se je že s z do pro o k za od po jako které by nebo ve",
    "sk": "a v na sa je že s z do pre o k za od po ako ktoré by alebo vo",
    "hu": "a az és hogy nem egy is meg vagy de ha csak mint ez már még kell volt",
    "ro": "și de la în cu pe a nu o că din pentru este sunt mai care sau prin",
    "tr": "ve bir bu için ile da de olarak olan daha çok ne gibi kadar veya göre",
    "vi": "và của là có cho các được trong với một không này những để khi",
    "id": "yang dan di dari untuk dengan pada ini itu adalah dalam tidak akan oleh atau",
    "ar": "في من على إلى أن هذا التي عن مع هذه ما لا كان",
    "fa": "در از به که این با را است برای آن تا یا هم",
}
_COMMON: dict[str, list[str]] = defaultdict(list)
"""Word → the languages in which it is common: what many share tells little."""
for _language, _words in _WORDS.items():
    for _word in dict.fromkeys(_words.split()):
        _COMMON[_word].append(_language)

_LATIN = tuple(language for language in _WORDS if language not in {"ar", "fa"})
_SCRIPTS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]"), _LATIN),
    (re.compile("[\u0400-\u052f]"), ("uk", "ru", "sr", "bg")),
    (re.compile("[\u0600-\u06ff]"), ("ar", "fa")),
    (re.compile("[\u0370-\u03ff]"), ("el",)),
    (re.compile("[\u0590-\u05ff]"), ("he",)),
    (re.compile("[\u0e00-\u0e7f]"), ("th",)),
    (re.compile("[\u0900-\u097f]"), ("hi",)),
    (re.compile("[\u0980-\u09ff]"), ("bn",)),
    (re.compile("[\u1100-\u11ff\uac00-\ud7af]"), ("ko",)),
    (re.compile("[\u3040-\u30ff\u3400-\u9fff]"), ("ja", "zh")),
)
_OTHER_SCRIPTS = re.compile("[\u0370-\u1dff\u3040-\u9fff\uac00-\ud7af]")
"""Letters of any script but the Latin one, roughly."""

_CYRILLIC = (
    ("uk", re.compile("[іїєґ]", re.IGNORECASE)),
    ("ru", re.compile("[ыэё]", re.IGNORECASE)),
    ("sr", re.compile("[јљњћђџ]", re.IGNORECASE)),
)
"""Letters that only one of the languages writes; Bulgarian writes none of them."""

_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa]")
_KANA_SHARE = 0.05
"""Of the characters of a Japanese text, syllables at least; Chinese has none."""

_WORD = re.compile(r"[^\W\d_]+")


def hint(text: str) -> str | None:
    """The ISO 639 code of the language that most of ``text`` is in; None where that is not clear. Well below a millisecond."""
    seen = text[:_SEEN]
    if seen.isascii() or not _OTHER_SCRIPTS.search(seen):
        return _by_words(seen, _LATIN)
    counts = [(len(letters.findall(seen)), languages) for letters, languages in _SCRIPTS]
    most, languages = max(counts, key=lambda item: item[0])
    if not most:
        return None
    if languages == ("ja", "zh"):
        return "ja" if len(_KANA.findall(seen)) >= _KANA_SHARE * most else "zh"
    if "ru" in languages:
        return next(
            (one for one, letters in _CYRILLIC if letters.search(seen)), "bg" if most > _SURE else None
        )
    return languages[0] if len(languages) == 1 else _by_words(seen, languages)


def told(pages: Sequence[Page]) -> tuple[Page, ...]:
    """The pages with the hint on each that has text."""
    return tuple(replace(page, language=hint(page.text)) if page.text else page for page in pages)


def _by_words(text: str, languages: tuple[str, ...]) -> str | None:
    scores = dict.fromkeys(languages, 0.0)
    seen = 0
    for known in filter(None, map(_COMMON.get, _WORD.findall(text.lower()))):
        seen += 1
        for language in known:
            if language in scores:
                scores[language] += 1 / len(known)
    if seen < _FEWEST:
        return None
    second, best = sorted(scores, key=scores.__getitem__)[-2:]
    return best if scores[best] >= _LEAD * scores[second] else None
