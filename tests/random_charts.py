"""A strategy for whole charts in the words of `tests.charts`: what a clinic could send, agreeing and disagreeing with itself."""

from typing import Any

from hypothesis import strategies as st

ART = ["BIC/FTC/TAF", "ABC/DTG/3TC", "DTG/3TC", "EFV/FTC/TDF", "AZT/3TC", "TDF/FTC"]
PROPHYLAXIS = [
    "TMP-SMX",
    "TMP-SMX single strength",
    "dapsone",
    "atovaquone",
    "inhaled pentamidine",
    "pyrimethamine",
    "primaquine",
    "azithromycin 600 mg",
    "clarithromycin",
    "itraconazole",
    "fluconazole",
    "isoniazid",
    "rifampin",
    "entecavir",
    "didanosine",
    "zidovudine",
    "prednisone",
    "aldesleukin",
    "amoxicillin",
]
PROBLEMS = [
    "Pneumocystis pneumonia",
    "toxoplasma encephalitis",
    "G6PD deficiency",
    "chronic kidney disease",
    "pregnancy",
    "MAC",
    "CMV retinitis",
    "hepatitis B",
    "tuberculosis",
    "latent tuberculosis",
    "Kaposi sarcoma",
    "cryptococcosis",
    "cryptococcal meningitis",
    "TB meningitis",
    "histoplasmosis",
    "oral candidiasis",
    "prolonged QT",
    "lymphoma",
    "HIV-2 infection",
]
ALLERGIES = [
    "nothing known",
    {"what": "sulfonamides", "criticality": "high"},
    {"what": "sulfonamides", "reaction": "SJS"},
    {"what": "sulfonamides", "severity": "mild"},
    {"what": "sulfonamides"},
    {"what": "dapsone", "severity": "severe"},
    {"what": "atovaquone", "severity": "moderate"},
    {"what": "azithromycin"},
    {"what": "penicillin"},
]
DAYS = st.sampled_from([1, 10, 60, 91, 100, 179, 181, 200, 300, 364, 366, 500])
RESULTS = {
    "toxoplasma IgG": ["positive", "negative"],
    "G6PD": ["normal", "deficient"],
    "CrAg": ["positive", "negative"],
    "HBsAg": ["positive", "negative"],
    "anti-HBs": ["positive", "negative"],
    "IGRA": ["positive", "negative"],
}


def series(values: list[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Results by days ago."""
    return st.dictionaries(DAYS.map(str), st.sampled_from(values), max_size=4)


def prescriptions(what: list[str], most: int) -> st.SearchStrategy[list[Any]]:
    """Drugs on the list: going on since some time, or ended lately."""
    taken = st.fixed_dictionaries({"what": st.sampled_from(what), "since": st.sampled_from([5, 20, 40, 120, 400, 900])})
    ended = st.fixed_dictionaries(
        {
            "what": st.sampled_from(what),
            "since": st.just(950),
            "until": st.sampled_from([3, 45, 300]),
            "status": st.just("completed"),
        }
    )
    return st.lists(st.one_of(taken, taken, ended), max_size=most)


def _prophylaxis(what: str) -> dict[str, Any]:
    """Taken for years, as often as it is given for that purpose."""
    return {"what": what, "since": 800, "per-week": 1 if "azithromycin" in what else 7}


def recovered() -> st.SearchStrategy[dict[str, Any]]:
    """Years of ART, suppressed, prophylaxis still taken: where stopping it may be said."""
    counts = st.sampled_from([101, 150, 199, 200, 201, 250, 351, 600])
    covers = st.sampled_from(["TMP-SMX", "TMP-SMX single strength", "dapsone", "atovaquone", "azithromycin 600 mg"])
    return st.fixed_dictionaries(
        {
            "problems": st.sampled_from(
                [["HIV infection"], ["HIV infection"], ["HIV infection", "Pneumocystis pneumonia"]]
            ),
            "cd4": st.fixed_dictionaries({"10": counts, "115": counts}),
            "cd4-percent": st.sampled_from([{}, {"10": 22, "115": 20}, {"10": 12}]),
            "viral-load": st.sampled_from(
                [{"10": "<20", "60": "<20", "230": "<20"}, {"10": "<20", "120": "<20"}, {"10": 120}]
            ),
            "medications": covers.map(lambda one: [{"what": "BIC/FTC/TAF", "since": 900}, _prophylaxis(one)]),
        }
    )


@st.composite
def charts(draw: st.DrawFn, hook: str | None = None) -> dict[str, Any]:
    """One chart of an adult with HIV; orders are about to be signed at the order hooks."""
    hook = hook or draw(st.sampled_from(["patient-view", "order-sign", "order-select"]))
    said: dict[str, Any] = {
        "hook": hook,
        "problems": ["HIV infection", *draw(st.lists(st.sampled_from(PROBLEMS), max_size=3, unique=True))],
        "cd4": draw(series([20, 49, 50, 80, 99, 100, 150, 199, 200, 201, 240, 320, 350, 351, 600, "<200"])),
        "cd4-percent": draw(series([8, 13.9, 14, 20, 30])),
        "viral-load": draw(series(["<20", 49, 50, 120, 199, 200, 1000, 1001, 60000, 400000, "not detected", "20 IU"])),
        "medications": draw(prescriptions(ART, 2)) + draw(prescriptions(PROPHYLAXIS, 2)),
        "allergies": draw(st.lists(st.sampled_from(ALLERGIES), max_size=2)),
        "labs": {test: draw(series(found)) for test, found in RESULTS.items() if draw(st.booleans())},
        "profile": draw(st.sampled_from(["dhhs", "dhhs", "who"])),
        "endemic": draw(st.sampled_from(["", "histoplasmosis,coccidioidomycosis,talaromycosis"])),
    }
    if draw(st.integers(0, 2)) == 0:
        said |= draw(recovered())
    if hook != "patient-view":
        said["drafts"] = draw(
            st.lists(st.sampled_from(ART + PROPHYLAXIS + ["CD4 count", "lipids"]), min_size=1, max_size=3)
        )
    return said
