"""The files under deploy/ come in; what an operator relies on when applying them is held here."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from cds_service.access.trust_file import read_issuers
from cds_service.chart.prefetch import KEYS
from cds_service.ledger.postgresql import PLACES
from cds_service.server.stopping import GRACE_SECONDS
from cds_service.settings import Settings, read_settings
from tests.test_repository import last_stage, read, setup_cfg

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"
MANIFESTS = sorted(path for path in (DEPLOY / "kubernetes").glob("*.yaml") if path.name != "kustomization.yaml")
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
SERVICES = ("cds-service", "postgresql", "nginx")
VERSION = setup_cfg()["metadata"]["version"]
NAME = {"app.kubernetes.io/name": "immune-status-cds"}
USER = int(next(arguments for keyword, arguments in last_stage() if keyword == "USER").partition(":")[0])


@cache
def documents() -> list[dict[str, Any]]:
    return [one for path in MANIFESTS for one in yaml.safe_load_all(path.read_text("utf-8"))]


def the(kind: str) -> Any:
    (found,) = (one for one in documents() if one["kind"] == kind)
    return found


def pod() -> Any:
    return the("Deployment")["spec"]["template"]["spec"]


def container() -> Any:
    (found,) = pod()["containers"]
    return found


def values(node: Any, name: str) -> Iterator[Any]:
    """Everything under this name, however deep."""
    if isinstance(node, dict):
        yield from ([node[name]] if name in node else [])
        node = list(node.values())
    if isinstance(node, list):
        for one in node:
            yield from values(one, name)


def config(name: str) -> dict[str, str]:
    return next(one["data"] for one in documents() if one["kind"] == "ConfigMap" and one["metadata"]["name"] == name)


def places_for_connections(processes: int) -> int:
    return processes * PLACES


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.stem)
@pytest.mark.parametrize("version", ["1.30.0", kubernetes_validate.latest_version()])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the tool's own reading of schemas
def test_each_manifest_is_what_kubernetes_expects(manifest: Path, version: str) -> None:
    for one in yaml.safe_load_all(manifest.read_text("utf-8")):
        kubernetes_validate.validate(one, version, strict=True)
        assert one["metadata"]["labels"] == NAME
        assert "namespace" not in one["metadata"]


def test_the_kustomization_names_every_manifest_but_the_example_of_a_secret() -> None:
    named = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text("utf-8"))["resources"]
    assert sorted(named) == sorted(path.name for path in MANIFESTS if path.name != "secret.example.yaml")


def test_the_pod_has_no_rights_and_writes_nowhere_but_to_its_memory() -> None:
    whole, own = pod()["securityContext"], container()["securityContext"]
    assert whole["runAsNonRoot"]
    assert {whole["runAsUser"], whole["runAsGroup"]} == {USER}
    assert whole["seccompProfile"] == {"type": "RuntimeDefault"}
    assert own == {
        "allowPrivilegeEscalation": False,
        "privileged": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not pod()["automountServiceAccountToken"]
    assert not pod()["enableServiceLinks"]
    assert not [name for name in ("hostNetwork", "hostPID", "hostIPC") if name in pod()]
    volumes = {one["name"]: one for one in pod()["volumes"]}
    written = [one for one in container()["volumeMounts"] if not one.get("readOnly")]
    assert [Path(one["mountPath"]).parts[1:] for one in written] == [("tmp",)]
    assert volumes[written[0]["name"]]["emptyDir"]["medium"] == "Memory"
    assert {one["name"] for one in container()["volumeMounts"]} == volumes.keys()


def test_the_migration_runs_a_command_that_there_is_without_rights_and_once() -> None:
    job = the("Job")["spec"]
    inside = job["template"]["spec"]
    (one,) = inside["containers"]
    assert inside["restartPolicy"] == "Never"
    assert inside["securityContext"] == pod()["securityContext"]
    assert one["securityContext"] == container()["securityContext"]
    assert one["image"] == container()["image"]
    assert one["resources"]["limits"].keys() >= {"cpu", "memory"}
    assert "ports" not in one  # else the Service would send calls to it
    run = subprocess.run([sys.executable, "-m", "cds_service", *one["args"], "--help"], capture_output=True, check=True)
    assert run.stdout


def test_the_pod_is_limited() -> None:
    found = container()["resources"]
    assert found["requests"].keys() == found["limits"].keys() == {"cpu", "memory", "ephemeral-storage"}


def test_each_probe_asks_what_it_is_for() -> None:
    asked = {name: container()[name]["httpGet"]["path"] for name in ("startupProbe", "readinessProbe", "livenessProbe")}
    assert asked == {"startupProbe": "/readyz", "readinessProbe": "/readyz", "livenessProbe": "/healthz"}
    assert {container()[name]["httpGet"]["port"] for name in asked} == {"http"}
    assert min(container()[name]["timeoutSeconds"] for name in asked) > 2  # a database that hangs is waited for so long


def test_a_pod_is_not_killed_while_it_still_answers() -> None:
    drain = read_settings(config("immune-status-cds")).drain_seconds
    assert pod()["terminationGracePeriodSeconds"] > drain + GRACE_SECONDS
    assert "lifecycle" not in container()
    assert the("Deployment")["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def test_labels_ports_and_names_lead_from_one_manifest_to_the_next() -> None:
    deployment, service = the("Deployment"), the("Service")
    assert deployment["spec"]["template"]["metadata"]["labels"] == NAME
    assert service["spec"]["selector"] == NAME
    selectors = [*values(documents(), "matchLabels"), *values(documents(), "labelSelector")]
    own = [one for one in selectors if "app.kubernetes.io/name" in one]
    assert [one for one in own if one != NAME] == [{"app.kubernetes.io/name": "postgresql"}]
    assert len(own) == 6
    ports = {one["name"]: one["containerPort"] for one in container()["ports"]}
    assert ports == {"http": 8080}
    assert service["spec"]["ports"][0]["targetPort"] in ports
    target = the("HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
    assert target == {"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment["metadata"]["name"]}
    secret = the("Secret")
    asked = {one["valueFrom"]["secretKeyRef"]["key"] for one in container()["env"] if "valueFrom" in one}
    asked |= {item["key"] for one in pod()["volumes"] if "secret" in one for item in one["secret"]["items"]}
    assert asked == secret["stringData"].keys()
    maps = {one["metadata"]["name"] for one in documents() if one["kind"] == "ConfigMap"}
    assert {one["name"] for name in ("configMapRef", "configMap") for one in values(pod(), name)} == maps


def test_the_configuration_is_one_the_service_accepts(tmp_path: Path) -> None:
    plain = {one["name"]: one["value"] for one in container()["env"] if "value" in one}
    mounts = {one["mountPath"] for one in container()["volumeMounts"]}
    assert str(Path(plain["CDS_ISSUERS"]).parent) in mounts
    settings = read_settings(config("immune-status-cds") | plain)
    assert settings.public_url
    file = tmp_path / "issuers.toml"
    file.write_text(config("immune-status-cds-issuers")["issuers.toml"], "utf-8")
    assert [one.iss for one in read_issuers(str(file), KEYS[1:])] == ["https://ehr.example.org"]


def test_the_pods_together_ask_no_more_connections_of_postgresql_than_it_allows() -> None:
    scale = the("HorizontalPodAutoscaler")["spec"]
    workers = int(container()["args"][container()["args"].index("--workers") + 1])
    assert scale["minReplicas"] >= 2
    assert (
        places_for_connections((scale["maxReplicas"] + 1) * workers) <= 97
    )  # one more while a new version is rolled out


def test_nothing_but_the_ingress_may_call_and_only_three_things_are_called() -> None:
    policy = the("NetworkPolicy")["spec"]
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    (caller,) = policy["ingress"]
    assert [list(one) for one in caller["from"]] == [["namespaceSelector"]]
    assert caller["ports"] == [{"protocol": "TCP", "port": "http"}]
    assert [[one["port"] for one in rule["ports"]] for rule in policy["egress"]] == [[53, 53], [5432], [443]]


def test_no_image_is_whatever_was_published_last() -> None:
    images = [*values(documents(), "image"), *values(COMPOSE, "image")]
    assert len(images) == 5
    assert all(re.search(r":[0-9][\w.-]*$", one) for one in images), images
    assert f"registry.example.org/immune-status-cds:{VERSION}" in images
    assert f"immune-status-cds:{VERSION}" in images


def test_compose_knows_three_services() -> None:
    assert tuple(COMPOSE["services"]) == SERVICES


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_of_compose_has_no_rights_and_limits(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert int(service["user"].partition(":")[0]) > 0
    assert "test" in service["healthcheck"] or name == "cds-service"  # whose image brings its own
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}
    assert service["restart"] == "unless-stopped"
    assert not [name for name in ("privileged", "network_mode", "pid", "ipc") if name in service]


def test_compose_publishes_the_proxy_alone_and_keeps_the_database_from_the_world() -> None:
    services, networks = COMPOSE["services"], COMPOSE["networks"]
    assert [name for name in services if "ports" in services[name]] == ["nginx"]
    assert services["postgresql"]["networks"] == ["store"]
    assert networks["store"]["internal"] is True
    assert services["nginx"]["networks"] == ["edge"]
    assert services["cds-service"]["deploy"]["replicas"] == 2


def test_compose_keeps_secrets_out_of_the_environment_and_mounts_only_what_it_declares() -> None:
    services = COMPOSE["services"]
    used = {source(one) for service in services.values() for one in service.get("secrets", ())}
    assert used == COMPOSE["secrets"].keys()
    assert {source(one) for service in services.values() for one in service.get("configs", ())} == COMPOSE[
        "configs"
    ].keys()
    variables = [one for service in services.values() for one in service.get("environment", {}).items()]
    environment = " ".join(f"{name}={value}" for name, value in variables)
    assert "://" not in environment
    assert re.findall(r"PASSWORD\w*", environment) == ["PASSWORD_FILE"]


def test_nginx_in_compose_asks_the_service_and_reads_and_writes_what_its_container_has() -> None:
    written = subprocess.run(
        ["sed", "--file", "compose-nginx.sed", "nginx.conf"], cwd=DEPLOY, check=True, capture_output=True, text=True
    ).stdout
    asked = re.findall(r"^ *server ([^ {;]+)", written, re.MULTILINE)
    assert asked == [f"cds-service:{container()['ports'][0]['containerPort']}"]
    files = re.findall(r"^ *(ssl_certificate(?:_key)?|access_log|error_log) (\S+?)[ ;]", written, re.MULTILINE)
    assert files == [
        ("ssl_certificate", "/run/secrets/tls.crt"),
        ("ssl_certificate_key", "/run/secrets/tls.key"),
        ("access_log", "/dev/stdout"),
        ("error_log", "/dev/stderr"),
    ]
    assert re.findall(r"listen (\d+) ssl", written) == [COMPOSE["services"]["nginx"]["ports"][0].partition(":")[2]]


def source(mount: Any) -> str:
    return str(mount if isinstance(mount, str) else mount["source"])


def test_compose_stops_no_service_while_it_still_answers() -> None:
    grace = int(COMPOSE["services"]["cds-service"]["stop_grace_period"].removesuffix("s"))
    assert grace > Settings().drain_seconds + GRACE_SECONDS


def test_the_example_of_a_settings_file_is_one_the_service_accepts() -> None:
    file = DEPLOY / "settings.example.toml"
    given = read_settings({"CDS_SETTINGS": str(file), "CDS_DATABASE_URL": ""})
    assert given.database_url == tomllib.loads(file.read_text("utf-8"))["database_url"]
    assert given.database_url.startswith("postgresql+psycopg://")
    assert COMPOSE["services"]["cds-service"]["environment"]["CDS_DATABASE_URL"] == ""
    assert read("deploy/settings.example.toml").count("CHANGE-ME") == 1
