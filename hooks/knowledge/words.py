"""The words by which rows, profiles and rules know one another: closed lists, so that a word misspelt is found at start-up.

A new word is written here, in a row of the value sets, and in what asks for it.
"""

from collections.abc import Mapping


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ROLES = _words(
    """
    antifungal art art-booster art-insti art-nnrti art-nrti art-other art-pi avoid-in-pregnancy cmv csf g6pd-risk
    hbv-active hcv hsv immune-based immunosuppressant interferon-alfa mac myelosuppressive oi prep-possible qt rifamycin
    steroid sulfonamide tb tb-adjunct tenofovir
    """
)
PRODUCT_FLAGS = _words(
    """
    h_pylori_pack hbv_dose_not_hiv hbv_product_taf_alone inhaled_pcp_prophylaxis malaria_combo_not_pcp
    nonsystemic_exclude not_hiv_regimen prep_or_backbone prep_or_leadin prep_or_treatment short_course_pack
    """
)
MEASURES = _words(
    """
    anti-hbs cd4-count cd4-percent cd4-unverified coccidioides crag g6pd hbsag hcv-ab hiv2-viral-load not-a-measure
    pregnancy-status tb-test toxoplasma-igg viral-load-copies viral-load-iu viral-load-log viral-load-unverified
    """
)
LAB_NOTES = _words(
    """
    any-specimen body-fluid cd3 legacy point-of-care positive-from-10 procedure proviral-dna qualitative quantitative
    ratio resistance specimen-unverified titre
    """
)
CONCEPTS = _words(
    """
    aids anaphylaxis autoimmune-graves autoimmune-lupus autoimmune-other autoimmune-rheumatoid-arthritis cancer cmv
    coccidioidomycosis cryptococcal-meningitis cryptococcosis g6pd-deficiency hbv hbv-antibody hbv-immune hcv
    histoplasmosis hiv-2-infection hiv-inconclusive hiv-infection hiv-not-established hiv-supporting hsv
    immunodeficiency-other iris kaposi kidney-disease lymphoma mac marrow-failure methaemoglobinaemia multiple-sclerosis
    mycobacteriosis-hiv neutropenia nonadherence oesophageal-candidiasis oral-candidiasis oropharyngeal-candidiasis pml
    pneumocystis pregnancy qt-prolongation severe-cutaneous talaromycosis tb-active tb-inactive-lung tb-latent
    tb-meningitis toxoplasmosis transplant zoster
    """
)
ALLERGENS = _words("no-known-allergy sulfonamide tmp-smx")
RESULTS = _words(
    """
    below-limit detected high inconclusive low negative normal not-detected not-pregnant positive pregnant unknown
    """
)
UNIT_MEASURES = _words(
    """
    cells-per-ul copies-per-ml iu-per-ml log-copies-per-ml log-iu-per-ml log-unspecified percent
    """
)
UNIT_NOTES = frozenset(("only-with-log-code", "spelling accepted by decision", "volume-not-stated"))
KINDS = _words("brand ingredient synonym")

# Of a profile: where guidelines differ in kind, what a regimen is for, and where a disease is endemic.
SWITCHES = _words("cotrimoxazole cotrimoxazole-for-all preventive-treatment-in-pregnancy preventive-treatment-untested")
REGIONS = _words("coccidioidomycosis histoplasmosis talaromycosis")
PURPOSES = REGIONS | _words("mac pneumocystis toxoplasma tuberculosis")

# Of quiet periods: why advice is held (an override reason, none of them, or that its test was ordered), and what has bands.
QUIET_REASONS = _words(
    """
    action-completed data-wrong disagree none not-now ordered patient-contraindication patient-refuses
    """
)
BANDED = _words("cd4-count cd4-percent viral-load")

_NONE = frozenset(("",))
WORDS: Mapping[
    str, Mapping[str, frozenset[str]]
] = {  # file -> column -> what may stand in it, several set apart by ";"
    "ingredients.csv": {"roles": ROLES | _NONE},
    "rxnorm_products.csv": {"flags": PRODUCT_FLAGS | _NONE},
    "atc_ingredients.csv": {"flags": PRODUCT_FLAGS | _NONE},
    "drug_names.csv": {"kind": KINDS},
    "lab_codes.csv": {"measure": MEASURES, "note": LAB_NOTES | _NONE},
    "conditions.csv": {"concept": CONCEPTS},
    "allergens.csv": {"concept": ALLERGENS},
    "result_words.csv": {"result": RESULTS},
    "units.csv": {"measure": UNIT_MEASURES, "note": UNIT_NOTES | _NONE},
}
