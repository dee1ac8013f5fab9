"""A chart in plain words and days in; the whole CDS Hooks request with its FHIR resources out."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from typing import Any

PATIENT = "invented-1"
SNOMED, LOINC = "http://snomed.info/sct", "http://loinc.org"
RXNORM, ATC = "http://www.nlm.nih.gov/research/umls/rxnorm", "http://www.whocc.no/atc"
UCUM, TERMINOLOGY = "http://unitsofmeasure.org", "http://terminology.hl7.org/CodeSystem"
ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"

PROBLEMS = {
    "HIV infection": (SNOMED, "86406008"),
    "HIV-2 infection": (SNOMED, "79019005"),
    "HIV antibody detected": (SNOMED, "165816005"),
    "inconclusive HIV test": (ICD_10_CM, "R75"),
    "counselling about HIV": (ICD_10_CM, "Z71.7"),
    "HIV pre-exposure prophylaxis": (ICD_10_CM, "Z29.81"),
    "Pneumocystis pneumonia": (SNOMED, "415125002"),
    "toxoplasma encephalitis": (SNOMED, "192701001"),
    "G6PD deficiency": (ICD_10_CM, "D75.A"),
    "chronic kidney disease": (SNOMED, "709044004"),
    "pregnancy": (SNOMED, "77386006"),
    "asthma": (SNOMED, "195967001"),
    "MAC": (SNOMED, "371687002"),
    "MAC by ICD": (ICD_10_CM, "A31.2"),
    "CMV retinitis": (SNOMED, "22455005"),
    "CMV disease by ICD": (ICD_10_CM, "B25.9"),
    "herpes simplex": (SNOMED, "88594005"),
    "herpes simplex by ICD": (ICD_10_CM, "B00.9"),
    "hepatitis B": (SNOMED, "61977001"),
    "hepatitis B by ICD": (ICD_10_CM, "B18.1"),
    "hepatitis B carrier": (SNOMED, "235871004"),
    "immune to hepatitis B": (SNOMED, "271511000"),
    "hepatitis C": (SNOMED, "128302006"),
    "hepatitis C by ICD": (ICD_10_CM, "B18.2"),
    "tuberculosis": (SNOMED, "154283005"),
    "tuberculosis by ICD": (ICD_10_CM, "A15.0"),
    "latent tuberculosis": (ICD_10_CM, "Z22.7"),
    "zoster": (SNOMED, "4740000"),
    "zoster by ICD": (ICD_10_CM, "B02.9"),
    "Kaposi sarcoma": (SNOMED, "109385007"),
    "Kaposi sarcoma by ICD": (ICD_10_CM, "C46.0"),
    "Pneumocystis pneumonia by ICD": (ICD_10_CM, "B59"),
    "cryptococcosis": (SNOMED, "42386007"),
    "cryptococcal meningitis": (SNOMED, "14232007"),
    "cryptococcal meningitis by ICD": (ICD_10_CM, "B45.1"),
    "TB meningitis": (SNOMED, "58437007"),
    "TB meningitis by ICD": (ICD_10_CM, "A17.0"),
    "oral candidiasis": (SNOMED, "79740000"),
    "oesophageal candidiasis": (SNOMED, "20639004"),
    "coccidioidomycosis": (SNOMED, "60826002"),
    "talaromycosis by ICD": (ICD_10_CM, "B48.4"),
    "prolonged QT": (SNOMED, "111975006"),
    "methaemoglobinaemia by ICD": (ICD_10_CM, "D74.9"),
    "neutropenia by ICD": (ICD_10_CM, "D70.9"),
    "lymphoma": (SNOMED, "118600007"),
    "melanoma": (SNOMED, "372244006"),
    "multiple sclerosis": (SNOMED, "24700007"),
    "aplastic anaemia": (SNOMED, "306058006"),
    "kidney transplant by ICD": (ICD_10_CM, "Z94.0"),
    "histoplasmosis": (SNOMED, "12962009"),
    "PML": (SNOMED, "22255007"),
    "Graves' disease": (SNOMED, "353295004"),
    "Graves' disease by ICD": (ICD_10_CM, "E05.00"),
    "lupus": (SNOMED, "55464009"),
    "lupus by ICD": (ICD_10_CM, "M32.9"),
    "rheumatoid arthritis": (SNOMED, "69896004"),
    "rheumatoid arthritis by ICD": (ICD_10_CM, "M06.9"),
    "sarcoidosis": (ICD_10_CM, "D86.9"),
}
DRUGS = {
    "BIC/FTC/TAF": (RXNORM, "1999667"),
    "ABC/DTG/3TC": (RXNORM, "1546888"),
    "DTG/3TC": (ATC, "J05AR25"),
    "AZT/3TC": (ATC, "J05AR01"),
    "TDF/FTC": (RXNORM, "476556"),
    "TAF/FTC": (RXNORM, "1747691"),
    "DTG/RPV": (ATC, "J05AR21"),
    "EFV/FTC/TDF": (ATC, "J05AR06"),
    "DRV/c": (ATC, "J05AR14"),
    "CAB/RPV": (RXNORM, "2475416"),
    "cabotegravir": (ATC, "J05AJ04"),
    "dolutegravir": (RXNORM, "1433873"),
    "bictegravir": (RXNORM, "1999660"),
    "emtricitabine": (ATC, "J05AF09"),
    "TAF": (RXNORM, "1721603"),
    "TDF": (ATC, "J05AF07"),
    "lamivudine": (ATC, "J05AF05"),
    "abacavir": (ATC, "J05AF06"),
    "zidovudine": (ATC, "J05AF01"),
    "didanosine": (ATC, "J05AF02"),
    "raltegravir": (ATC, "J05AJ01"),
    "efavirenz": (ATC, "J05AG03"),
    "entecavir": (RXNORM, "306266"),
    "adefovir": (RXNORM, "16521"),
    "azithromycin 600 mg": (RXNORM, "204844"),
    "azithromycin Z-pack": (RXNORM, "749783"),
    "azithromycin eye drops": (RXNORM, "750856"),
    "Helicobacter pack with clarithromycin": (RXNORM, "757968"),
    "clarithromycin": (RXNORM, "197517"),
    "rifabutin": (RXNORM, "55672"),
    "itraconazole": (RXNORM, "311204"),
    "fluconazole": (RXNORM, "197700"),
    "amphotericin liposomal": (RXNORM, "236594"),
    "flucytosine": (RXNORM, "4451"),
    "rifampin": (RXNORM, "9384"),
    "rifapentine": (RXNORM, "35617"),
    "ethambutol": (RXNORM, "4110"),
    "primaquine": (RXNORM, "8687"),
    "prednisone": (RXNORM, "312615"),
    "aldesleukin": (RXNORM, "70223"),
    "sargramostim": (RXNORM, "69634"),
    "filgrastim": (RXNORM, "68442"),
    "interferon gamma": (RXNORM, "5882"),
    "interferon gel": (RXNORM, "415822"),
    "amphotericin lozenge": (RXNORM, "562080"),
    "rifampin ointment": (RXNORM, "248880"),
    "leucovorin": (RXNORM, "197862"),
    "ciclosporin": (RXNORM, "3008"),
    "Vemlidy": (RXNORM, "1858267"),
    "lamivudine 100 mg": (RXNORM, "205328"),
    "Paxlovid": (RXNORM, "2587899"),
    "valganciclovir": (RXNORM, "275891"),
    "peginterferon alfa": (RXNORM, "120608"),
    "methotrexate": (RXNORM, "6851"),
    "TMP-SMX": (RXNORM, "198335"),
    "TMP-SMX single strength": (RXNORM, "198334"),
    "trimethoprim": (RXNORM, "10829"),
    "dapsone": (RXNORM, "197557"),
    "dapsone gel": (RXNORM, "1741905"),
    "atovaquone": (RXNORM, "308429"),
    "atovaquone-proguanil": (RXNORM, "864681"),
    "inhaled pentamidine": (RXNORM, "861597"),
    "pyrimethamine": (RXNORM, "9010"),
    "sulfadiazine": (RXNORM, "10171"),
    "silver sulfadiazine cream": (RXNORM, "106351"),
    "isoniazid/TMP-SMX": (ATC, "J04AM08"),
    "isoniazid": (RXNORM, "6038"),
    "amoxicillin": (RXNORM, "308191"),
}
TESTS = {
    "CD4 count": "24467-3",
    "viral load": "20447-9",
    "toxoplasma IgG": "40677-7",
    "G6PD": "32546-4",
    "CrAg": "29903-2",
    "HBsAg": "5196-1",
    "anti-HBs": "22322-2",
    "IGRA": "71773-6",
    "Coccidioides IgG": "62459-3",
    "pregnancy": "82810-3",
    "lipids": "57698-3",
}
ALLERGENS = {
    "sulfonamides": (SNOMED, "387406002"),
    "TMP-SMX": (RXNORM, "10831"),
    "dapsone": (RXNORM, "3108"),
    "atovaquone": (RXNORM, "60212"),
    "azithromycin": (RXNORM, "18631"),
    "pentamidine": (RXNORM, "7994"),
    "pyrimethamine": (RXNORM, "9010"),
    "clarithromycin": (RXNORM, "21212"),
    "rifabutin": (RXNORM, "55672"),
    "isoniazid": (RXNORM, "6038"),
    "itraconazole": (RXNORM, "28031"),
    "penicillin": (SNOMED, "764146007"),
    "nothing known": (SNOMED, "716186003"),
}
REACTIONS = {
    "SJS": "73442001",
    "TEN": "768962006",
    "DRESS": "702809001",
    "anaphylaxis": "39579001",
    "rash": "271807003",
}
WORDS = {
    "not detected": (SNOMED, "260415000"),
    "detected": (SNOMED, "260373001"),
    "below the limit": (SNOMED, "260988000"),
    "positive": (SNOMED, "10828004"),
    "negative": (SNOMED, "260385009"),
    "reactive": (SNOMED, "11214006"),
    "indeterminate": (SNOMED, "82334004"),
    "pregnant": (LOINC, "LA15173-0"),
    "not pregnant": (LOINC, "LA26683-5"),
}
UNITS = {"CD4 count": "/uL", "CD4 percent": "%", "viral load": "{copies}/mL", "log": "{Log_copies}/mL", "IU": "[IU]/mL"}
LAB_CODES = TESTS | {"CD4 percent": "8123-2", "log": "29541-0", "IU": "62469-2"}
VERIFICATION = ("confirmed", "provisional", "differential", "unconfirmed", "refuted", "entered-in-error")
NOT_CHOSEN = "a drug not yet chosen"

Resource = dict[str, Any]


class Chart:
    """One case at one day. Every element has a default; `said` holds what the case says otherwise."""

    def __init__(self, said: Mapping[str, Any], as_of: date) -> None:
        self.said, self.as_of, self._count = said, as_of, 0

    def ago(self, days: int | str) -> str:
        return (self.as_of - timedelta(days=int(days))).isoformat()

    def named(self, kind: str, **elements: Any) -> Resource:
        """A resource with an id of its own; elements that are None are left out."""
        self._count += 1
        stated = {name: value for name, value in elements.items() if value is not None}
        return {"resourceType": kind, "id": f"{kind.lower()}-{self._count}", **stated}

    def listed(self, key: str, make: Callable[..., Resource]) -> list[Resource]:
        """What the case lists under the key: a plain name, or a table with more to say."""
        found = self.said.get(key, [])
        return [make(**({"what": one} if isinstance(one, str) else snake(one))) for one in found]

    def results(self, key: str, test: str) -> list[Resource]:
        by_day = self.said.get(key, {})
        return [self.result(test, day, one) for day, values in by_day.items() for one in as_list(values)]

    def other_results(self) -> list[Resource]:
        settled = {test: {300: "negative"} for test in self.said.get("settled", [])}
        tests: Mapping[str, Mapping[str, Any]] = settled | self.said.get("labs", {})
        return [self.result(test, day, one) for test, by_day in tests.items() for day, one in by_day.items()]

    def result(self, test: str, days: str, said: float | str) -> Resource:
        status, value = ("final", said)
        if isinstance(said, str) and said.split()[0] in ("preliminary", "registered", "cancelled"):
            status, _, value = said.partition(" ")
        measured, spoken = measured_value(test, value) if value != "" else (test, {})
        code = {"coding": [{"system": LOINC, "code": LAB_CODES[measured]}]}
        dated = {} if days == "undated" else {"effectiveDateTime": self.ago(days)}
        return self.named("Observation", status=status, code=code, subject=subject(), **dated, **spoken)

    def problem(self, what: str, since: int | None = None) -> Resource:
        """One that began `since` days ago, where the case says so."""
        name, _, state = what.partition(", ")
        verified = state if state in VERIFICATION else "confirmed"
        clinical = state if state in ("inactive", "resolved", "remission") else "active"
        code = {"text": name} if name not in PROBLEMS else concept(PROBLEMS[name])
        return self.named(
            "Condition",
            code=code,
            subject=subject(),
            clinicalStatus=concept((f"{TERMINOLOGY}/condition-clinical", clinical))
            if verified != "entered-in-error" and state != "state unknown"
            else None,
            verificationStatus=concept((f"{TERMINOLOGY}/condition-ver-status", verified)),
            onsetDateTime=None if since is None else self.ago(since),
        )

    def allergy(self, what: str, severity: str | None = None, criticality: str | None = None, **more: str) -> Resource:
        """`reaction` names what happened, `verification` and `clinical` whether the entry stands."""
        reaction = more.get("reaction") or ("rash" if severity else None)
        happened = {"manifestation": [concept((SNOMED, REACTIONS[reaction]))]} if reaction else None
        events = [happened | ({"severity": severity} if severity else {})] if happened else None
        verified, clinical = more.get("verification", "confirmed"), more.get("clinical", "active")
        return self.named(
            "AllergyIntolerance",
            code=concept(ALLERGENS[what]) if what in ALLERGENS else {"text": what},
            patient=subject(),
            clinicalStatus=concept((f"{TERMINOLOGY}/allergyintolerance-clinical", clinical)),
            verificationStatus=concept((f"{TERMINOLOGY}/allergyintolerance-verification", verified)),
            criticality=criticality,
            reaction=events,
        )

    def prescription(self, what: str, status: str = "active", intent: str = "order", **more: Any) -> Resource:
        """A MedicationRequest, 800 days old and without end unless the case says `since`, `undated` or `until`."""
        supply = more.get("supplied_days")
        dispense = {"numberOfRepeatsAllowed": 0, "expectedSupplyDuration": in_days(supply)} if supply else None
        return self.named(
            "MedicationRequest",
            status=status,
            intent=intent,
            medicationCodeableConcept=drug(what),
            subject=subject(),
            authoredOn=None if more.get("undated") else self.ago(more.get("since", 800)),
            dosageInstruction=[self.dosage(**more)] if more.get("dose", True) else None,
            dispenseRequest=dispense,
            priorPrescription=more.get("replaces") and {"display": more["replaces"]},
            doNotPerform=more.get("do_not_perform"),
        )

    def dosage(self, **more: Any) -> Resource:
        repeat: Resource = {"frequency": more.get("per_week", 7), "period": 1, "periodUnit": "wk"}
        if "for_days" in more:
            repeat["boundsDuration"] = in_days(more["for_days"])
        elif "until" in more:
            repeat["boundsPeriod"] = {"start": self.ago(more.get("since", 800)), "end": self.ago(more["until"])}
        amount = {"value": 1, "unit": "tablet", "system": UCUM, "code": "{tbl}"}
        return {"timing": {"repeat": repeat}, "doseAndRate": [{"doseQuantity": amount}]}

    def statement(self, what: str, status: str = "active", since: int = 800, until: int | None = None) -> Resource:
        period = {"start": self.ago(since)} | ({} if until is None else {"end": self.ago(until)})
        name = drug(what)
        return self.named(
            "MedicationStatement",
            status=status,
            medicationCodeableConcept=name,
            subject=subject(),
            effectivePeriod=period,
        )

    def test_order(self, what: str, status: str = "active") -> Resource:
        code = concept((LOINC, TESTS[what]))
        return self.named("ServiceRequest", status=status, intent="order", code=code, subject=subject())

    def draft(self, what: str, without_id: bool = False, **more: Any) -> Resource:
        stated: dict[str, Any] = {"status": "draft"} | more
        made = self.test_order(what, **stated) if what in TESTS else self.prescription(what, **({"since": 0} | stated))
        return {key: one for key, one in made.items() if key != "id" or not without_id}

    def prefetch(self) -> dict[str, Any]:
        """Every key, answered with what there is, but for those the case says were not supplied, failed or were cut."""
        keys = {
            "cd4": [*self.results("cd4", "CD4 count"), *self.results("cd4-percent", "CD4 percent")],
            "viralLoads": self.results("viral-load", "viral load"),
            "conditions": self.listed("problems", self.problem),
            "allergies": self.listed("allergies", self.allergy),
            "medications": self.listed("medications", self.prescription),
            "labs": self.other_results(),
            "medicationStatements": self.listed("statements", self.statement),
            "orders": self.listed("orders", self.test_order),
        }
        found: dict[str, Any] = {"patient": self.patient()} | {key: bundle("searchset", of) for key, of in keys.items()}
        for key in self.said.get("partial", []):
            found[key]["link"] = [{"relation": "next", "url": "https://ehr.example.org/r4?page=2"}]
        for key in self.said.get("failed", []):
            found[key] = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
        return {key: one for key, one in found.items() if key not in self.said.get("not-supplied", [])}

    def patient(self) -> Resource:
        born = self.said.get("birth-date", "1984-03-02")
        return {"resourceType": "Patient", "id": PATIENT} | ({"birthDate": born} if born else {})

    def request(self, hook: str) -> dict[str, Any]:
        """The request as an EHR would post it."""
        context: dict[str, Any] = {"patientId": PATIENT, "userId": "Practitioner/invented-2"}
        if hook != "patient-view":
            context["draftOrders"] = bundle("collection", self.listed("drafts", self.draft))
        if hook == "order-select":
            context["selections"] = [f"{one['resource']['resourceType']}/x" for one in context["draftOrders"]["entry"]]
        return {
            "hook": hook,
            "hookInstance": "7d8f6f2a-9a51-4c1c-8a55-0b0f3c1d2e4f",
            "context": context,
            "prefetch": self.prefetch(),
        }


def measured_value(test: str, said: float | str) -> tuple[str, Resource]:
    """The test the result is reported under, and its value[x]: a number, a bound, a coded word, or text."""
    found = re.fullmatch(r"(<=|>=|<|>)?(\d+(?:\.\d+)?)(?: (log|IU))?", str(said))
    if not found:
        return test, {"valueCodeableConcept": concept(WORDS[str(said)])} if said in WORDS else {"valueString": said}
    number = float(found[2]) if "." in found[2] else int(found[2])
    measured = found[3] or test
    quantity: Resource = {"value": number, "unit": UNITS[measured], "system": UCUM, "code": UNITS[measured]}
    return measured, {"valueQuantity": quantity | ({"comparator": found[1]} if found[1] else {})}


def drug(what: str) -> Resource | None:
    """By its code; a name not in the table is text alone, as a paper record would have it."""
    if what == NOT_CHOSEN:
        return None
    return concept(DRUGS[what]) if what in DRUGS else {"text": what}


def concept(code: tuple[str, str]) -> Resource:
    return {"coding": [{"system": code[0], "code": code[1]}]}


def subject() -> Resource:
    return {"reference": f"Patient/{PATIENT}"}


def in_days(days: int) -> Resource:
    return {"value": days, "unit": "days", "system": UCUM, "code": "d"}


def bundle(kind: str, of: Iterable[Resource]) -> Resource:
    return {"resourceType": "Bundle", "type": kind, "entry": [{"resource": one} for one in of]}


def snake(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key.replace("-", "_"): value for key, value in table.items()}


def as_list(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [found]
