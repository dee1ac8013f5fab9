"""What the service is not for, for the page for people: word by word as docs/clinical-safety/intended-use.md settles it."""

LIMITS = (
    "diagnosis of HIV or screening for it; prophylaxis before or after exposure; infants exposed at birth;",
    "children under 13 years, or patients of unknown age;",
    "the choice of an antiretroviral regimen, its doses, resistance, or when to change a regimen that fails;",
    "treatment of active disease: an opportunistic infection, tuberculosis, hepatitis, IRIS itself;",
    "drug interactions, beyond didanosine with tenofovir, zidovudine with trimethoprim-sulfamethoxazole, and the note on "
    "rifamycins before preventive treatment of tuberculosis;",
    "doses in kidney or liver disease, in pregnancy, by weight; monitoring of toxicity;",
    "viral loads of HIV-2;",
    "vaccines, cancers, cardiovascular and bone health, mental health, sexual health;",
    "emergencies and anything time-critical: an answer may be late or missing;",
    "use by patients, or display where others than the treating team can see it;",
    "research, billing, quality measures, or decisions on groups of patients.",
)
