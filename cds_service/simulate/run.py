"""A run that may be made in; the service is discovered, probed and called, and what became of each call goes out as it comes."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import count, repeat

from cds_service.demo.store import Charts, open_charts
from cds_service.simulate.asked import MOST_CALLS, Asked, NotAsked
from cds_service.simulate.call import Call, Ehr
from cds_service.simulate.fhir_server import Lender, lending
from cds_service.simulate.moments import PLAYED, Moment, of_captured, of_demo_patients
from cds_service.simulate.outcome import Figures, Outcome
from cds_service.simulate.peer import Peer
from cds_service.simulate.prefetch import Sent, ways
from cds_service.simulate.probes import Probe, probe
from cds_service.simulate.remarks import Remark, fault, note, shown
from cds_service.simulate.services import Discovered, Service, discovered
from cds_service.simulate.tokens import Signer, Wrong

_NO_FHIR_SERVER = "https://ehr.invalid/fhir"  # where the next link of a cut Bundle leads while no server is lent


@dataclass(slots=True)
class Run:
    """What there is to be told of a run; it grows while the run goes on."""

    asked: Asked
    discovered: Discovered | None = None
    probes: list[Probe] = field(default_factory=list)
    figures: Figures = field(default_factory=Figures)
    planned: int = 0
    besides: list[Remark] = field(default_factory=list)  # that belong to no call
    interrupted: bool = False

    @property
    def faults(self) -> int:
        """Everything that is not as CDS Hooks asks."""
        found = [*(self.discovered.remarks if self.discovered else ()), *self.besides]
        found += [one for each in self.probes for one in each.remarks]
        return self.figures.faults + sum(one.level == "fault" for one in found)

    @property
    def right(self) -> bool:
        """Whether every call was made, and answered as CDS Hooks asks."""
        return not self.faults and not self.interrupted and 0 < self.figures.calls == self.planned


@contextmanager
def begun(asked: Asked, today: date) -> "Iterator[tuple[Run, Generator[Outcome, None, None]]]":
    """The run, discovered and probed; and its calls, which are made as they are taken. Raises NotAsked, PortTaken."""
    given, run, charts = asked.given, Run(asked), open_charts(today)
    peer = Peer(base=asked.base, guard=asked.guard, context=asked.context, seconds=given.seconds)
    with lending(charts, given.fhir, given.fhir_port, given.fhir_url) as lender:
        fhir = lender.base if lender else _NO_FHIR_SERVER
        run.discovered = _discover(peer, asked.signer)
        moments = _moments(run, charts, fhir)
        once = _once(run, moments, fhir)
        if moments:
            run.probes += probe(peer, asked.signer, moments[0], given.origin)
        with closing(_outcomes(run, _ehr(asked, peer, lender), once)) as outcomes:
            yield run, outcomes
        run.besides += _seen(lender)


def _discover(peer: Peer, signer: Signer | None) -> Discovered:
    url = peer.at()
    return discovered(peer.send("GET", url, headers=signer.authorization(url) if signer else {}))


def _ehr(asked: Asked, peer: Peer, lender: Lender | None) -> Ehr:
    given = asked.given
    answers = given.fhir == "fast" and (asked.here or given.fhir_url is not None)
    return Ehr(peer=peer, signer=asked.signer, lender=lender, feedback=given.feedback, fhir_answers=answers)


def _moments(run: Run, charts: Charts, fhir: str) -> list[Moment]:
    """What can be played; that there is nothing is a fault."""
    asked = run.asked
    services = _chosen(run, run.discovered.services if run.discovered else ())
    if asked.given.requests:
        moments = of_captured(services, asked.captured)
    else:
        moments = of_demo_patients(services, charts, asked.given.patients, fhir.removesuffix("/fhir"))
    if services and not moments:
        run.besides.append(fault("nothing to call: no hook of these services can be played with what was given"))
    return moments


def _chosen(run: Run, services: Iterable[Service]) -> list[Service]:
    """Those of the hooks asked for; a hook that nobody offers is a fault, one that is not played a note."""
    found, hooks = list(services), run.asked.given.hooks
    run.besides += [
        fault(f"no service of the hook {shown(one)}") for one in hooks if one not in {each.hook for each in found}
    ]
    chosen = [one for one in found if not hooks or one.hook in hooks]
    if not run.asked.given.requests:
        left = sorted({one.hook for one in chosen} - set(PLAYED))
        run.besides += [note(f"the hook {shown(one)} is not played by this EHR") for one in left]
    return chosen


def _once(run: Run, moments: list[Moment], fhir: str) -> list[tuple[Moment, Sent, Wrong | None]]:
    """Every call, once. Of wrong tokens a right one comes first: else all could be refused for another reason."""
    given = run.asked.given
    wrongs: tuple[Wrong | None, ...] = (None, *given.wrong)
    once = [(one, sent, wrong) for one in moments for sent in ways(one, given.prefetch, fhir) for wrong in wrongs]
    run.planned = len(once) * given.times
    if run.planned > MOST_CALLS:
        raise NotAsked(
            f"this would be {run.planned} calls; at most {MOST_CALLS} are made: fewer --times, hooks or patients"
        )
    return once


def _outcomes(run: Run, ehr: Ehr, once: list[tuple[Moment, Sent, Wrong | None]]) -> Generator[Outcome, None, None]:
    numbers = count(1)
    calls = (
        Call(number=next(numbers), moment=one, sent=sent, wrong=wrong)
        for each in repeat(once, run.asked.given.times)
        for one, sent, wrong in each
    )
    with closing(_at_once(ehr.make, calls, run.asked.given.at_once)) as outcomes:
        for outcome in outcomes:
            run.figures.add(outcome)
            yield outcome


def _at_once(make: Callable[[Call], Outcome], calls: Iterator[Call], width: int) -> Generator[Outcome, None, None]:
    """In the order of the calls; so many are under way. What has not begun is dropped when nobody takes more."""
    pool = ThreadPoolExecutor(width, thread_name_prefix="call")
    under_way: deque[Future[Outcome]] = deque()
    try:
        for call in calls:
            under_way.append(pool.submit(make, call))
            if len(under_way) >= 2 * width:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _seen(lender: Lender | None) -> Iterator[Remark]:
    """What the FHIR server saw that belongs to no call."""
    if lender:
        seen = lender.seen
        if seen.without:
            yield fault(f"the FHIR server was asked without the token that was lent for it ({seen.without} times)")
        if seen.foreign:
            yield fault(f"the FHIR server was asked with another token than was lent ({seen.foreign} times)")
        if seen.late:
            yield note(f"the FHIR server was asked after the call was answered ({seen.late} times)")
