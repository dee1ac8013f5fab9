"""Counts and durations for Prometheus: labels from closed sets only, never anything of a patient."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from hooks.assess import Assessment

_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0)


class Metrics:
    """The metrics of one process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.answers = Counter(
            "cds_answers_total", "Answers by service and HTTP status", ("service", "status"), registry=self._registry
        )
        self.findings = Counter(
            "cds_findings_total", "Findings by rule and outcome", ("rule", "outcome"), registry=self._registry
        )
        self.incomplete = Counter(
            "cds_incomplete_answers_total",
            "Answers for which something did not come or could not be read",
            registry=self._registry,
        )
        self.fetches = Counter(
            "cds_fhir_fetches_total",
            "Reads and searches at clients' FHIR servers by what became of them",
            ("outcome",),
            registry=self._registry,
        )
        self.tokens = Counter(
            "cds_refused_tokens_total",
            "Client tokens that were refused, by issuer (unknown: none of ours) and reason; the caller is not told the reason",
            ("issuer", "reason"),
            registry=self._registry,
        )
        self.key_sets = Counter(
            "cds_key_set_fetches_total",
            "Fetches of issuers' key sets by what became of them",
            ("issuer", "outcome"),
            registry=self._registry,
        )
        self.seconds = Histogram(
            "cds_answer_seconds",
            "Time to answer a service call",
            ("service",),
            buckets=_SECONDS,
            registry=self._registry,
        )

    def count(self, assessment: Assessment) -> None:
        """Counts what became of every rule."""
        for finding in assessment.findings:
            self.findings.labels(finding.rule.id, finding.outcome).inc()
        if not assessment.complete:
            self.incomplete.inc()

    def count_fetch(self, outcome: str) -> None:
        """Counts a read or search at a FHIR server; `outcome` is of a closed set."""
        self.fetches.labels(outcome).inc()

    def refused(self, issuer: str, reason: str) -> None:
        """Counts a token that was not believed; both words are of closed sets."""
        self.tokens.labels(issuer, reason).inc()

    def keys(self, issuer: str, outcome: str) -> None:
        """Counts a fetch of a key set; both words are of closed sets."""
        self.key_sets.labels(issuer, outcome).inc()

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self._registry)
