"""What the service is not for, for the page for people: word by word as docs/clinical-safety/intended-use.md settles it."""

from hooks.sentences import say

LIMITS = (
    say("diagnosis of HIV or screening for it; prophylaxis before or after exposure; infants exposed at birth;"),
    say("children under 13 years, or patients of unknown age;"),
    say("the choice of an antiretroviral regimen, its doses, resistance, or when to change a regimen that fails;"),
    say("treatment of active disease: an opportunistic infection, tuberculosis, hepatitis, IRIS itself;"),
    say(
        "drug interactions, beyond didanosine with tenofovir, zidovudine with trimethoprim-sulfamethoxazole, and the note on "
        "rifamycins before preventive treatment of tuberculosis;"
    ),
    say("doses in kidney or liver disease, in pregnancy, by weight; monitoring of toxicity;"),
    say("viral loads of HIV-2;"),
    say("vaccines, cancers, cardiovascular and bone health, mental health, sexual health;"),
    say("emergencies and anything time-critical: an answer may be late or missing;"),
    say("use by patients, or display where others than the treating team can see it;"),
    say("research, billing, quality measures, or decisions on groups of patients."),
)
