"""Counts and durations for Prometheus: labels from closed sets only, never anything of a patient.

Where PROMETHEUS_MULTIPROC_DIR names a folder, as under `serve`, all workers count together.
"""

import os
from time import time
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess
from prometheus_client.registry import Collector

from cds_service.chart.coverage import Coverage
from cds_service.journal.log import log
from cds_service.journal.shared_metrics import FOLDER
from hooks.assess import Assessment

_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0)
_STEP_SECONDS = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.0)


class Metrics:
    """The metrics of one process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.answers = self._counter("answers", "Answers by service and HTTP status", "service", "status")
        self.refusals = self._counter(
            "refusals", "Refusals by issuer (unknown: nobody of ours, or nobody yet) and kind", "issuer", "code"
        )
        self.findings = self._counter("findings", "Findings by rule and outcome", "rule", "outcome")
        self.held = self._counter("held_findings", "Advice that was not shown, by rule and why", "rule", "why")
        self.not_assessed = self._counter(
            "not_assessed", "Rules that were not assessed, by the datum that was missing", "datum"
        )
        self.incomplete = self._counter(
            "incomplete_answers", "Answers for which something did not come or could not be read"
        )
        self.coverage = self._counter(
            "chart_entries",
            "Entries of charts by issuer, kind, and whether their code is of a system this service reads",
            "issuer",
            "kind",
            "mapped",
        )
        self.fetches = self._counter(
            "fhir_fetches", "Reads and searches at clients' FHIR servers by what became of them", "outcome"
        )
        self.tokens = self._counter(
            "refused_tokens",
            "Client tokens that were refused, by issuer (unknown: none of ours) and reason; the caller is not told the reason",
            "issuer",
            "reason",
        )
        self.key_sets = self._counter(
            "key_set_fetches", "Fetches of issuers' key sets by what became of them", "issuer", "outcome"
        )
        self.key_set_fetched = self._gauge(
            "key_set_fetched_seconds",
            "When an issuer's key set was last fetched, in seconds since 1970",
            "issuer",
            mode="max",
        )
        self.canaries = self._gauge(
            "canary_passed", "Whether a rule's canary patient is answered as it must be (0, 1)", "rule", mode="livemin"
        )
        self.firing_share = self._gauge(
            "rule_firing_share",
            "Share of answers in which a rule had something to say: this week, four weeks before",
            "rule",
            "time",
        )
        self.firing_deviation = self._gauge(
            "rule_firing_deviation",
            "How far this week's share is from that before, in standard deviations of chance",
            "rule",
        )
        self.ledger_failures = self._counter(
            "ledger_failures", "Answers given without quiet periods (recall), or not recorded (record)", "step"
        )
        self.lost_lines = self._counter(
            "lost_lines", "Log lines and audit records that found no reader in time, and were dropped", "journal"
        )
        self.seconds = self._histogram("answer_seconds", "Time to answer a service call", _SECONDS, "service")
        self.steps = self._histogram("step_seconds", "Time of each step of an answer", _STEP_SECONDS, "step")

    def count(self, assessment: Assessment, coverage: Coverage, issuer: str) -> None:
        """Counts what became of every rule, what was missing, and how much of the chart is coded in systems we read."""
        for finding in assessment.findings:
            self.findings.labels(finding.rule.id, finding.outcome).inc()
            if finding.outcome == "held":
                self.held.labels(finding.rule.id, finding.why).inc()
            for datum in finding.missing:
                self.not_assessed.labels(datum).inc()
        if not assessment.complete:
            self.incomplete.inc()
        for (kind, mapped), number in coverage.items():
            self.coverage.labels(issuer, kind, "yes" if mapped else "no").inc(number)

    def count_fetch(self, outcome: str) -> None:
        """Counts a read or search at a FHIR server; `outcome` is of a closed set."""
        self.fetches.labels(outcome).inc()

    def refused(self, issuer: str, reason: str) -> None:
        """Counts a token that was not believed; both words are of closed sets."""
        self.tokens.labels(issuer, reason).inc()

    def keys(self, issuer: str, outcome: str) -> None:
        """Counts a fetch of a key set; both words are of closed sets."""
        self.key_sets.labels(issuer, outcome).inc()
        if outcome == "fetched":
            self.key_set_fetched.labels(issuer).set(time())

    def canary(self, rule: str, passed: bool) -> None:
        """A rule's canary patient was answered as it must be, or not; of all processes the worst is shown."""
        self.canaries.labels(rule).set(passed)
        if not passed:
            log.error("canary-failed", rule=rule)

    def firing(self, rule: str, share: float, share_before: float, deviation: float) -> None:
        """How often a rule has something to say."""
        self.firing_share.labels(rule, "week").set(share)
        self.firing_share.labels(rule, "before").set(share_before)
        self.firing_deviation.labels(rule).set(deviation)

    def text(self) -> bytes:
        """All metrics in Prometheus' text format: of all workers, where they count together."""
        if FOLDER not in os.environ:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        collector: Collector = multiprocess.MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        del collector  # it registers itself
        return generate_latest(together)

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(f"cds_{name}_total", about, labels, registry=self._registry)

    def _gauge(self, name: str, about: str, *labels: str, mode: Any = "mostrecent") -> Gauge:
        return Gauge(f"cds_{name}", about, labels, registry=self._registry, multiprocess_mode=mode)

    def _histogram(self, name: str, about: str, buckets: tuple[float, ...], label: str) -> Histogram:
        return Histogram(f"cds_{name}", about, (label,), buckets=buckets, registry=self._registry)


def forget_process(pid: int) -> None:
    """A worker that has ended no longer counts as living."""
    if FOLDER in os.environ:
        multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]
