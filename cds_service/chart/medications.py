"""Orders and statements of drugs in; medications by ingredient out, each with whether it is being taken and since when."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

from msgspec import Raw, json

from cds_service.chart.dates import begun, latest
from cds_service.chart.decode import anything, number, present
from cds_service.chart.drug_codes import Named
from cds_service.chart.elements import Dispense, Dosage, MedicationRequest, MedicationStatement, Quantity
from hooks.record import Medication

ORDERS = (None, "order", "plan", "reflex-order", "original-order", "instance-order", "filler-order")
NO_ORDER = ("cancelled", "entered-in-error", "draft")
NOT_DRAFTS = ("cancelled", "entered-in-error", "stopped", "completed", "ended")
_LONGEST_SUPPLY_DAYS = 3660
SHORT_COURSE_DAYS = 14  # decision tables 1.13
_DAYS = {"d": Decimal(1), "wk": Decimal(7), "mo": Decimal(30), "a": Decimal(365), "h": Decimal(1) / 24}
_WEEK = Decimal(7)


def requested(request: MedicationRequest, named: Named, as_of: date) -> Medication | None:
    """A medication from an order of the chart; None where it is no order, or none of our drugs."""
    if named.product is None or request.status in NO_ORDER or request.intent not in ORDERS:
        return None
    if anything(request.doNotPerform) is True:
        return None
    return _medication(request, named, as_of, current=request.status == "active")


def drafted(request: MedicationRequest, named: Named, as_of: date) -> Medication | None:
    """A medication about to be signed; None where the draft is withdrawn or forbids, or is none of our drugs."""
    if named.product is None or is_withdrawn(request):
        return None
    return _medication(request, named, as_of, current=True)


def stopped(request: MedicationRequest, named: Named, as_of: date) -> Medication | None:
    """A medication that an order of the session takes away; None where it is none of our drugs."""
    return _medication(request, named, as_of, current=False) if named.product else None


def is_withdrawn(request: MedicationRequest) -> bool:
    """Whether a draft is no order at all."""
    return request.status in NOT_DRAFTS or anything(request.doNotPerform) is True


def _medication(request: MedicationRequest, named: Named, as_of: date, current: bool) -> Medication:
    product = named.product
    assert product is not None  # noqa: S101  (both callers have looked)
    dosages = _dosages(request.dosageInstruction)
    bounds = [bound for one in dosages if (bound := _bounds(one, as_of))]
    until = max((end for _, end in bounds if end), default=None)
    starts = [start for start, _ in bounds if start]
    return Medication(
        ingredients=product.ingredients,
        source=f"MedicationRequest/{request.id}",
        current=current and (until is None or until >= as_of),
        flags=product.flags,
        since=min(starts, default=None) or begun(request.authoredOn, as_of),
        until=until,
        supplied_until=None
        if request.status == "stopped"
        else _supplied_until(request),  # a stop cuts the supply short
        by_name=named.by_name,
        short_course=_is_short(request, dosages, as_of),
        times_per_week=_times_per_week(dosages),
        has_dose=any(present(one.doseAndRate) or present(one.doseQuantity) or one.text for one in dosages),
    )


def stated(statement: MedicationStatement, named: Named, as_of: date) -> Medication | None:
    """A medication that somebody says is or was taken."""
    if named.product is None or statement.status in ("entered-in-error", "not-taken", "intended"):
        return None
    period = statement.effectivePeriod
    since = begun(period.start if period else statement.effectiveDateTime, as_of)
    until = latest(period.end) if period else None
    return Medication(
        ingredients=named.product.ingredients,
        source=f"MedicationStatement/{statement.id}",
        current=statement.status == "active" and (until is None or until >= as_of),
        flags=named.product.flags,
        since=since,
        until=until,
        by_name=named.by_name,
        short_course=bool(since and until and (until - since).days + 1 <= SHORT_COURSE_DAYS),
        times_per_week=_times_per_week(_dosages(statement.dosage)),
    )


def _dosages(raw: Raw) -> tuple[Dosage, ...]:
    """The dosages that can be read; one that cannot says nothing."""
    try:
        return json.decode(raw, type=tuple[Dosage, ...]) if present(raw) else ()
    except ValueError:
        return ()


def _bounds(dosage: Dosage, as_of: date) -> tuple[date | None, date | None] | None:
    repeat = dosage.timing.repeat if dosage.timing else None
    period = repeat.boundsPeriod if repeat else None
    return (begun(period.start, as_of), latest(period.end)) if period else None


def _is_short(request: MedicationRequest, dosages: Iterable[Dosage], as_of: date) -> bool:
    """Whether the order states a total duration of 14 days or less: a course of treatment, not prophylaxis."""
    days = []
    for one in dosages:
        repeat = one.timing.repeat if one.timing else None
        days.append(_in_days(repeat.boundsDuration) if repeat and repeat.boundsDuration else None)
        start, end = _bounds(one, as_of) or (None, None)
        days.append(Decimal((end - start).days + 1) if start and end else None)
    days.append(_supplied(request))
    stated_days = [one for one in days if one is not None]
    return bool(stated_days) and max(stated_days) <= SHORT_COURSE_DAYS


def _supplied(request: MedicationRequest) -> Decimal | None:
    """Days of supply with all repeats; None where the order does not limit them."""
    try:
        dispense = json.decode(request.dispenseRequest, type=Dispense) if present(request.dispenseRequest) else None
    except ValueError:
        return None
    supply = _in_days(dispense.expectedSupplyDuration) if dispense and dispense.expectedSupplyDuration else None
    repeats = number(dispense.numberOfRepeatsAllowed) if dispense else None
    return supply * (1 + repeats) if supply is not None and repeats is not None else None


def _supplied_until(request: MedicationRequest) -> date | None:
    """The day the supply with all its repeats runs out, counted from the day of the order."""
    supplied, written = _supplied(request), latest(request.authoredOn)
    if supplied is None or written is None or not 0 < supplied < _LONGEST_SUPPLY_DAYS:
        return None
    return written + timedelta(days=min(int(supplied), (date.max - written).days))  # some write the end of the calendar


def _in_days(duration: Quantity) -> Decimal | None:
    amount, unit = number(duration.value), _DAYS.get(duration.code or duration.unit or "")
    return amount * unit if amount is not None and unit else None


def _times_per_week(dosages: Iterable[Dosage]) -> Decimal | None:
    """How often a week, summed over the dosages; None where one of them does not say."""
    total = Decimal(0)
    for one in dosages:
        repeat = one.timing.repeat if one.timing else None
        often = number(repeat.frequency) if repeat else None
        period = number(repeat.period) if repeat else None
        unit = _DAYS.get(repeat.periodUnit or "") if repeat else None
        if repeat and repeat.dayOfWeek:
            total += len(repeat.dayOfWeek) * (often or 1)
        elif often and period and unit:
            total += often * _WEEK / (period * unit)
        else:
            return None
    return total or None
