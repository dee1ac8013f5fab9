"""Calls in; of each rule out: assessed or not, for want of what, and which templates it will never get from this client."""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal

from cds_service.chart.read import read_chart
from cds_service.chart.templates import DATA
from cds_service.doctor.call import Call
from cds_service.doctor.findings import Lack, RuleReport
from cds_service.doctor.keys import came
from cds_service.errors import Refusal
from hooks import SERVICES
from hooks.assess import Assessment, Finding, Rule, assess
from hooks.knowledge import Knowledge, Profile

_KEY_OF: Mapping[str, str] = {datum: key for key, data in DATA.items() for datum in data}


def advice(
    calls: Iterable[Call],
    knowledge: Knowledge,
    profile: Profile,
    iu_per_copy: Decimal | None,
    not_supplied: frozenset[str],
) -> tuple[tuple[RuleReport, ...], Mapping[str, str]]:
    """Every rule, and by the name of each call why it was refused when its chart was read."""
    calls = list(calls)
    judged: list[Assessment] = []
    refused: dict[str, str] = {}
    for one in calls:
        if one.refused or one.service is None:
            continue
        try:
            record = read_chart(one.request, one.now, knowledge, iu_per_copy, not_supplied)
            judged.append(assess(one.service, record, profile))
        except Refusal as refusal:
            refused[one.name] = f"{refusal.status} {refusal.code}: {refusal.sentence}"
    rules = {rule.id: rule for service in SERVICES for rule in service.rules}
    brought = came(calls)
    return tuple(_report(rule, calls, judged, brought) for rule in rules.values()), refused


def _report(rule: Rule, calls: list[Call], judged: list[Assessment], brought: frozenset[str]) -> RuleReport:
    found = [one for each in judged for one in each.findings if one.rule.id == rule.id]
    lacked = Counter((datum, _why(datum, one)) for one in found for datum in one.missing)
    assessed = sum(one.outcome != "not-assessed" for one in found)
    wanted = {*rule.needs, *(datum for datum, _ in lacked if not assessed)}
    never = {_KEY_OF[datum] for datum in wanted if datum in _KEY_OF} - brought
    return RuleReport(
        rule=rule.id,
        title=rule.title,
        assessed=assessed,
        not_assessed=len(found) - assessed,
        not_reached=len(calls) - len(found),
        lacked=tuple(Lack(datum=datum, why=why, times=times) for (datum, why), times in lacked.most_common()),
        never=tuple(sorted(never | ({"patient"} - brought if calls else set()))),
    )


def _why(datum: str, finding: Finding) -> str:
    """As a card would say it; where the chart was read and does not say, that."""
    gaps = (one.why for one in finding.gaps if one.datum == datum)
    return next(gaps, "the chart has none, or none that is recent enough")
