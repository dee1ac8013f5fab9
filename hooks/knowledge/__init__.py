"""The knowledge the rules stand on: sources, thresholds, regimens, value sets; loaded once, refused on a fault."""

from hooks.knowledge.files import KnowledgeFault
from hooks.knowledge.load import load, load_profiles, load_quiet_periods
from hooks.knowledge.local import local_knowledge
from hooks.knowledge.profile import Profile
from hooks.knowledge.types import (
    Citation,
    Dose,
    Drug,
    Ingredient,
    Knowledge,
    LabTest,
    Product,
    QuietPeriods,
    Regimen,
    Source,
    Threshold,
    UnitSpelling,
)

__all__ = [
    "Citation",
    "Dose",
    "Drug",
    "Ingredient",
    "Knowledge",
    "KnowledgeFault",
    "LabTest",
    "Product",
    "Profile",
    "QuietPeriods",
    "Regimen",
    "Source",
    "Threshold",
    "UnitSpelling",
    "load",
    "load_profiles",
    "load_quiet_periods",
    "local_knowledge",
]
