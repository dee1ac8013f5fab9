"""What a translation must not lose: for each kind of word that carries a limit or a denial, how English and Portuguese say it."""

import re
from collections import Counter
from collections.abc import Iterator

KINDS: dict[str, tuple[str, str]] = {  # kind -> English, Portuguese; each has to occur as often in one as in the other
    "a denial": (
        r"no|not|none|never|nothing|nobody|nowhere|neither|nor|without|cannot|unless|non-response|nonadherence"
        r"|untreated|unconfirmed|unlikely|unknown|unnoticed|incomplete|inactive|inconclusive|outdated|undercooked"
        r"|immunodeficiency|disagree",
        r"não|sem|nem|nada|nunca|ninguém|nenhuma?|a menos que|improvável|desconhecidas?|despercebida|incompleta"
        r"|inativ[oa]|inconclusivo|desatualizados|malcozinhados|imunodeficiência|discord\w+",
    ),
    "below": (r"below|low|lower|lowers", r"inferior(?:es)?|abaixo|baix[oa]s?"),
    "above": (
        r"above|high|higher|raised?|raises|rise",
        r"superior(?:es)?|acima|alt[oa]s?|elevada|aumentar?|subida|subir",
    ),
    "at least": (r"at least|or more", r"pelo menos|ou mais"),
    "at most": (r"at most", r"no máximo"),
    "at or below": (r"at or below", r"igual ou inferior"),
    "more than": (r"more than", r"mais de"),
    "less than": (r"less than", r"menos de"),
    "only": (r"only", r"apenas"),
    "before": (r"before|pre-emptively", r"antes|preemptiva"),
    "first": (r"first", r"primeir[oa]s?"),
    "after": (r"(?<!looks )after|(?<!until )then|later", r"após|depois|então|mais tarde"),
    "but for": (r"apart(?! with)", r"exceto|à parte"),
    "despite": (r"despite", r"apesar"),
    "to stop": (
        r"stop|stopped|stopping|end|ends?",
        r"suspender(?:-se)?|suspende-se|suspendê-lo|suspensão(?! oral)|suspens[oa]|terminar?",
    ),
    "to exclude": (r"exclude[ds]?|ruled out", r"excluir|exclui|excluída"),
    "to remove": (r"remove|taken away|take that out|withheld", r"retira(?:-se|r)?|retirad[oa]"),
    "against": (r"contraindicated", r"contraindicado"),
    "a failure": (r"fails?|failure|miss|missed", r"falência|falham?|falhar|falhadas"),
    "to wait": (r"delayed|deferred|waits?", r"adiad[oa]|espera|esperar"),
    "may": (r"may|can|cannot|could|possible", r"podem?|poderá|possa|possível|pôde|puderam"),
    "consider": (r"consider|considered", r"considerar(?:-se)?|considerada|considerado"),
    "again": (r"again|repeat|recheck", r"volta|voltar|voltou|repetir|retomada"),
    "positive": (r"positive", r"positiv[oa]"),
    "negative": (r"negative", r"negativ[oa]"),
}
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_PART = re.compile(r"\{\w+\}")


def lost(english: str, portuguese: str) -> Iterator[str]:
    """What of the one the other does not have, or has too often."""
    if Counter(_PART.findall(english)) != Counter(_PART.findall(portuguese)):
        yield f"parts: {sorted(_PART.findall(english))}, {sorted(_PART.findall(portuguese))}"
    said, told = numbers(english), numbers(portuguese)
    if said != told:
        yield f"numbers: {sorted(said.elements())}, {sorted(told.elements())}"
    for kind, (ours, theirs) in KINDS.items():
        before, after = _count(ours, english), _count(theirs, portuguese)
        if before != after:
            yield f"{kind}: {before} in English, {after} in Portuguese"


def numbers(text: str) -> Counter[str]:
    """The numerals of a text, its parts left out."""
    return Counter(one.replace(",", ".") for one in _NUMBER.findall(_PART.sub("", text)))


def _count(pattern: str, text: str) -> int:
    return len(re.findall(rf"(?<![\w-])(?:{pattern})(?![\w])", _PART.sub(" ", text), re.IGNORECASE))
