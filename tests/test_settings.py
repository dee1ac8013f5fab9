"""The environment and a settings file in; typed settings out, or a refusal that names the setting."""

from dataclasses import FrozenInstanceError, fields
from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from cds_service import settings as module
from cds_service.settings import SettingFault, Settings, read_settings

READ = [
    ("CDS_PROFILE", "dhhs", "profile", "dhhs"),
    ("CDS_EXPLAIN", "full", "explain", "full"),
    ("CDS_EXPLAIN", "summary", "explain", "summary"),
    ("CDS_EXPLAIN", "off", "explain", "off"),
    ("CDS_MAX_BODY_BYTES", "1024", "max_body_bytes", 1024),
    ("CDS_MAX_BODY_BYTES", "268435456", "max_body_bytes", 1 << 28),
    ("CDS_DRAIN_SECONDS", "0", "drain_seconds", 0),
    ("CDS_DRAIN_SECONDS", "60", "drain_seconds", 60),
    ("CDS_DATABASE_URL", " sqlite:///x.sqlite3 ", "database_url", "sqlite:///x.sqlite3"),
    ("CDS_METRICS_ALLOW", "192.0.2.1", "metrics_allow", (ip_network("192.0.2.1/32"),)),
    (
        "CDS_METRICS_ALLOW",
        " 192.0.2.0/24, 2001:db8::/32 ,",
        "metrics_allow",
        (ip_network("192.0.2.0/24"), ip_network("2001:db8::/32")),
    ),
    ("CDS_IU_PER_COPY", "0.6", "iu_per_copy", Decimal("0.6")),
    ("CDS_IU_PER_COPY", "10", "iu_per_copy", Decimal(10)),
    ("CDS_PUBLIC_URL", "https://cds.example.org", "public_url", "https://cds.example.org"),
    ("CDS_ISSUERS", "issuers.toml", "issuers", "issuers.toml"),
]
REFUSED = [
    ("CDS_PROFILE", "idsa"),
    ("CDS_PROFILE", "DHHS"),
    ("CDS_PROFILE", "../dhhs"),
    ("CDS_EXPLAIN", "yes"),
    ("CDS_EXPLAIN", "Full"),
    ("CDS_MAX_BODY_BYTES", "1023"),
    ("CDS_MAX_BODY_BYTES", "268435457"),
    ("CDS_MAX_BODY_BYTES", "4 MiB"),
    ("CDS_MAX_BODY_BYTES", "-4194304"),
    ("CDS_MAX_BODY_BYTES", "4194304.0"),
    ("CDS_MAX_BODY_BYTES", "²"),
    ("CDS_DRAIN_SECONDS", "61"),
    ("CDS_DRAIN_SECONDS", "-1"),
    ("CDS_DRAIN_SECONDS", "5s"),
    ("CDS_DRAIN_SECONDS", "²"),
    ("CDS_DATABASE_URL", "   "),
    ("CDS_METRICS_ALLOW", "everyone"),
    ("CDS_METRICS_ALLOW", "192.0.2.1/24"),
    ("CDS_METRICS_ALLOW", "192.0.2.1 192.0.2.2"),
    ("CDS_IU_PER_COPY", "0"),
    ("CDS_IU_PER_COPY", "-1"),
    ("CDS_IU_PER_COPY", "0.05"),
    ("CDS_IU_PER_COPY", "10.1"),
    ("CDS_IU_PER_COPY", "NaN"),
    ("CDS_IU_PER_COPY", "Infinity"),
    ("CDS_IU_PER_COPY", "0,6"),
    ("CDS_PUBLIC_URL", " "),
    ("CDS_ISSUERS", "\t"),
]


def written(folder: Path, text: str | bytes) -> dict[str, str]:
    """An environment that names a settings file of this text."""
    path = folder / "settings.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return {"CDS_SETTINGS": str(path)}


@pytest.mark.parametrize(("name", "given", "field", "value"), READ)
def test_a_setting_is_read(name: str, given: str, field: str, value: object) -> None:
    assert read_settings({name: given}) == Settings(**{field: value})


@pytest.mark.parametrize(("name", "given"), REFUSED)
def test_nonsense_is_refused_with_the_setting_named(name: str, given: str) -> None:
    with pytest.raises(SettingFault, match=f"^{name}: .* expected") as fault:
        read_settings({name: given})
    assert len(given.strip()) < 2 or f"'{given}'" not in str(fault.value)


def test_every_setting_can_be_set_and_is_tested_but_open_access() -> None:
    names = {field.name for field in fields(Settings)} - {"open_access"}
    assert names == set(module._PARSERS)


def test_open_access_cannot_be_set_from_outside(tmp_path: Path) -> None:
    assert read_settings({"CDS_OPEN_ACCESS": "true"}).open_access is False
    with pytest.raises(SettingFault, match="open_access"):
        read_settings(written(tmp_path, "open_access = true"))
    assert read_settings({}, open_access=True).open_access is True


def test_the_defaults_are_those_published() -> None:
    found = read_settings({})
    assert (found.profile, found.explain, found.max_body_bytes) == ("dhhs", "summary", 4 * 1024 * 1024)
    assert found.database_url.startswith("sqlite:///")
    assert (found.metrics_allow, found.iu_per_copy, found.public_url, found.issuers) == ((), None, None, None)


def test_an_empty_variable_is_as_good_as_none() -> None:
    assert read_settings({name: "" for name, *_ in READ} | {"CDS_SETTINGS": ""}) == Settings()


def test_variables_of_others_are_not_looked_at() -> None:
    assert read_settings({"PROFILE": "who", "cds_profile": "x", "PATH": "/bin", "XCDS_EXPLAIN": "x"}) == Settings()


def test_what_is_fixed_overrides_what_is_set() -> None:
    assert read_settings({"CDS_EXPLAIN": "full"}, explain="off").explain == "off"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        read_settings({}).explain = "full"  # type: ignore[misc]


# --- the file --------------------------------------------------------------------------------------------------------


def test_a_file_sets_what_the_environment_does_not(tmp_path: Path) -> None:
    environment = written(
        tmp_path,
        """
        explain = "full"
        CDS_MAX_BODY_BYTES = 2048
        metrics_allow = ["192.0.2.0/24", "2001:db8::1"]
        iu_per_copy = 0.6
        public_url = "https://cds.example.org"
        """,
    )
    assert read_settings(environment | {"CDS_EXPLAIN": "off", "CDS_PUBLIC_URL": ""}) == Settings(
        explain="off",
        max_body_bytes=2048,
        metrics_allow=(ip_network("192.0.2.0/24"), ip_network("2001:db8::1/128")),
        iu_per_copy=Decimal("0.6"),
        public_url="https://cds.example.org",
    )


@pytest.mark.parametrize("name", ["prophile", "CDS_PROPHILE", "settings", "tables"])
def test_an_unknown_name_in_the_file_is_refused(tmp_path: Path, name: str) -> None:
    line = "[tables]\nx = 1" if name == "tables" else f'{name} = "x"'
    with pytest.raises(
        SettingFault, match=f"^CDS_SETTINGS: {name.removeprefix('CDS_').lower()} is no setting.*profile"
    ):
        read_settings(written(tmp_path, line))


@pytest.mark.parametrize(
    "text", ["explain = full", "explain", b"\xff\xfe", 'explain = "full"\nexplain = "off"', "[explain", "\0"]
)
def test_a_file_that_is_no_toml_is_refused(tmp_path: Path, text: str | bytes) -> None:
    with pytest.raises(SettingFault, match=r"^CDS_SETTINGS: .*TOML"):
        read_settings(written(tmp_path, text))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.toml"):
        with pytest.raises(SettingFault, match=r"^CDS_SETTINGS: "):
            read_settings({"CDS_SETTINGS": str(path)})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("explain", "true"),
        ("explain", '["full"]'),
        ("max_body_bytes", "true"),
        ("max_body_bytes", "2048.0"),
        ("max_body_bytes", "[2048]"),
        ("database_url", "1"),
        ("issuers", '["a.toml"]'),
        ("public_url", "false"),
        ("metrics_allow", "true"),
        ("metrics_allow", "[true]"),
        ("iu_per_copy", "true"),
        ("iu_per_copy", "nan"),
        ("iu_per_copy", "[0.6]"),
        ("profile", "{}"),
    ],
)
def test_a_wrong_type_in_the_file_is_refused_with_the_setting_named(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingFault, match=f"^CDS_{name.upper()}: "):
        read_settings(written(tmp_path, f"{name} = {value}"))


def test_the_fault_names_the_setting_and_not_its_value(tmp_path: Path) -> None:
    secret = "postgresql://user:ZZSECRET@db.example.org/cds"  # noqa: S105  (invented)
    settings: list[dict[str, Any]] = [{"CDS_EXPLAIN": secret}, {"CDS_METRICS_ALLOW": secret}]
    for environment in (*settings, written(tmp_path, f'nonsense = "{secret}"'), written(tmp_path, f"x = {secret}")):
        with pytest.raises(SettingFault) as fault:
            read_settings(environment)
        assert "ZZSECRET" not in str(fault.value)
