"""The knowledge the rules stand on: sources, thresholds, regimens, value sets; loaded once, refused on a fault."""

from hooks.knowledge.load import KnowledgeFault, load, load_profiles
from hooks.knowledge.types import (
    Citation,
    Dose,
    Ingredient,
    Knowledge,
    LabTest,
    Product,
    Profile,
    Regimen,
    Source,
    Threshold,
    UnitSpelling,
)

__all__ = [
    "Citation",
    "Dose",
    "Ingredient",
    "Knowledge",
    "KnowledgeFault",
    "LabTest",
    "Product",
    "Profile",
    "Regimen",
    "Source",
    "Threshold",
    "UnitSpelling",
    "load",
    "load_profiles",
]
