"""A string of the client in; what of it may be shown out: printable, short, and of a value its shape alone."""

import re

_LONGEST = 80
_WORD = re.compile(r"[^\W\d_]+")
_DIGIT = re.compile(r"\d")
_WORDS = """
    a above at below beyond cells copies copy cp detectable detected detection e equal error failed greater hiv indeterminate
    invalid is it iu less limit lod log low mcl ml mm more nd negative no none nonreactive not of one or pending positive
    quantification quantified reactive result rna see comment sample target than the threshold tnd to undetectable undetected
    unit units virus ul μl µl ldl bdl lloq loq
    """  # of results; any other word of a value could be of a patient
_KEPT = frozenset(_WORDS.split())


def clean(text: str, longest: int = _LONGEST) -> str:
    """Printable, and cut where it is long."""
    plain = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return plain if len(plain) <= longest else f"{plain[: longest - 1]}…"


def shape(value: str) -> str:
    """A value without its digits and without words that are none of a result's: `<20` is `<99`, `12.3e3` is `99.9e9`."""
    words = _WORD.sub(lambda found: found[0] if found[0].casefold() in _KEPT else "x", clean(value))
    return _DIGIT.sub("9", words)
