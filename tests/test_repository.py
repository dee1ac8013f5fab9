"""The files that set up, check and ship the project come in; what a fresh clone relies on is held here."""

import configparser
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ("requirements.lock", "requirements-test.lock")

# Put together from pieces, so that this file does not contain what it forbids.
SCRATCH = "tmp"
MACHINE_FOLDERS = "|".join(("work", SCRATCH, "root", "home", "Users"))
MACHINE_PATH = re.compile(rf"(?<![\w.~#)}}\]-])/(?:{MACHINE_FOLDERS})(?![\w.-])")
REGISTRY_HOST = re.compile(
    r"pypi\.(?:org|python)|python" + r"hosted|registry\.npm|proxy\.golang|crates\.io|docker\.io|ghcr\.io|quay\.io"
)


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def canonical(requirement: str) -> str:
    """The project name of a requirement as packaging tools compare names."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement.strip())
    assert name, f"no project name in {requirement!r}"
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def locked(lock: str) -> dict[str, tuple[str, list[str]]]:
    """Each requirement of a lock file by name: its own line, and its hashes."""
    entries = re.split(r"\n(?=\S)", read(lock).strip())
    return {canonical(entry): (entry.splitlines()[0], re.findall(r"--hash=(\S+)", entry)) for entry in entries}


def setup_cfg() -> configparser.ConfigParser:
    settings = configparser.ConfigParser()
    settings.read_string(read("setup.cfg"))
    return settings


def required(section: str, option: str) -> list[str]:
    return setup_cfg()[section][option].split()


def built_with() -> list[str]:
    return tomllib.loads(read("pyproject.toml"))["build-system"]["requires"]


def make(*arguments: str) -> str:
    """What make would run, with nothing of an outer make (its flags, its jobs) leaking in."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout


def instructions(dockerfile: str) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile as keyword and arguments, comments dropped and continued lines joined."""
    lines = [line for line in dockerfile.splitlines() if line.strip() and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(words[0].upper(), words[2]) for words in (line.partition(" ") for line in joined.splitlines())]


def last_stage() -> list[tuple[str, str]]:
    everything = instructions(read("Dockerfile"))
    start = max(index for index, (keyword, _) in enumerate(everything) if keyword == "FROM")
    return everything[start:]


def project_files() -> list[Path]:
    """Every file that is tracked or would be, were it added."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git work tree, so what belongs to the project is not known")
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_requirement_is_pinned_and_hashed(lock: str) -> None:
    for name, (line, hashes) in locked(lock).items():
        assert re.match(r"[A-Za-z0-9._-]+==[0-9]", line), f"{name} is not pinned to one version"
        assert hashes, f"{name} carries no hash"
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", value) for value in hashes), f"{name}: not a SHA-256"


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_names_no_index_host_or_path(lock: str) -> None:
    assert not re.findall(r".*(?://|--(?!hash=)|@ |\bfile:|/).*", read(lock))


@pytest.mark.parametrize("lock", LOCKS)
def test_what_is_declared_is_locked(lock: str) -> None:
    declared = required("options", "install_requires") + built_with()
    if lock == "requirements-test.lock":
        declared += required("options.extras_require", "test")
    assert {canonical(requirement) for requirement in declared} <= locked(lock).keys()


def test_each_declared_requirement_has_a_lower_bound_that_its_lock_meets() -> None:
    declared = required("options", "install_requires") + required("options.extras_require", "test") + built_with()
    pins = locked("requirements-test.lock")
    for requirement in declared:
        name, bound = requirement.split(">=")
        pin = re.search(r"==([0-9.]+)", pins[canonical(name)][0])
        assert pin, f"{name} has no plain version"
        assert [int(part) for part in pin[1].split(".") if part] >= [int(part) for part in bound.split(".")], name


def test_tests_run_on_the_very_versions_that_users_get() -> None:
    runtime, tested = (
        {name: (re.split(r"[ ;\\]", line)[0], hashes) for name, (line, hashes) in locked(lock).items()}
        for lock in LOCKS
    )  # without the platforms: the tests may need more of them
    assert {name: tested.get(name) for name in runtime} == runtime


@pytest.mark.parametrize("target", ["help", "setup", "demo", "test", "bench", "lock", "format"])
def test_make_knows_and_lists_its_targets(target: str) -> None:
    assert re.search(rf"^ *make {target} +\S", make("help"), re.MULTILINE)
    make("--dry-run", "--always-make", target)


def test_make_without_a_target_helps() -> None:
    assert make() == make("help")


def test_make_demo_passes_its_arguments_on() -> None:
    assert ".venv/bin/cds-service demo --once\n" in make("--dry-run", "demo", "DEMO_ARGS=--once")


def test_make_setup_installs_hashed_requirements_and_nothing_beside_them() -> None:
    recipe = make("--dry-run", "--always-make", "setup")
    installs = [line for line in recipe.splitlines() if " -m pip " in line]
    assert len(installs) == 2
    assert "--require-hashes --no-deps --requirement requirements.lock" in installs[0]
    assert "--no-build-isolation --no-deps --editable ." in installs[1]


def test_make_test_runs_every_check() -> None:
    recipe = make("--dry-run", "--always-make", "test")
    for check in ("ruff check", "ruff format --check", "mypy", "hadolint Dockerfile", "python -m pytest"):
        assert f".venv/bin/{check}" in recipe


def test_only_the_two_packages_are_shipped() -> None:
    assert required("options.packages.find", "include") == ["cds_service*", "hooks*"]


def test_the_clean_clone_check_is_executable_and_runs_make_test() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)
    assert re.search(r"^make test \|\| failed", read(".ci/run"), re.MULTILINE)


def test_pre_commit_runs_targets_that_make_knows() -> None:
    targets = re.findall(r"^ +entry: make (\S+)$", read(".pre-commit-config.yaml"), re.MULTILINE)
    assert targets
    make("--dry-run", "--always-make", *targets)


def test_the_image_runs_as_a_numbered_user_without_rights() -> None:
    users = [arguments for keyword, arguments in last_stage() if keyword == "USER"]
    assert users, "the last stage stays root"
    user, _, group = users[-1].partition(":")
    assert int(user) > 0
    assert int(group) > 0


def test_the_image_says_how_to_see_that_it_is_well() -> None:
    checks = [arguments for keyword, arguments in last_stage() if keyword == "HEALTHCHECK"]
    assert len(checks) == 1
    assert "http://127.0.0.1:8080/healthz" in checks[0]


def test_the_image_takes_only_the_environment_from_the_stage_that_builds() -> None:
    copies = [arguments for keyword, arguments in last_stage() if keyword == "COPY"]
    assert [copy for copy in copies if copy.startswith("--from=")] == ["--from=build /opt/venv /opt/venv"]
    assert not [arguments for keyword, arguments in last_stage() if keyword == "ADD"]


def test_the_last_stage_of_the_image_only_takes_away_and_makes_a_folder() -> None:
    (runs,) = (arguments for keyword, arguments in last_stage() if keyword == "RUN")
    commands = [step.split()[0] for step in runs.split("&&")]
    assert commands == ["rm", "find", "install"]
    assert "/ensurepip" in runs
    assert "chmod a-s" in runs


def test_the_image_starts_the_server_without_a_shell_between() -> None:
    started = {keyword: arguments for keyword, arguments in last_stage() if keyword in {"ENTRYPOINT", "CMD"}}
    assert started == {"ENTRYPOINT": '["cds-service"]', "CMD": '["serve", "--host", "0.0.0.0"]'}
    assert ("STOPSIGNAL", "SIGTERM") in last_stage()


def test_the_image_says_what_it_is() -> None:
    labels = " ".join(arguments for keyword, arguments in last_stage() if keyword == "LABEL")
    named = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]*)"', labels))
    assert named.keys() == {"title", "description", "licenses", "version", "revision"}
    assert named["licenses"] == setup_cfg()["metadata"]["license_expression"]
    assert ("ARG", f"VERSION={setup_cfg()['metadata']['version']}") in last_stage()


def test_the_image_is_given_all_that_it_copies() -> None:
    given = {line[1:] for line in read(".dockerignore").splitlines() if line.startswith("!")}
    copied = {
        source.removeprefix("./")
        for keyword, arguments in instructions(read("Dockerfile"))
        if keyword == "COPY" and not arguments.startswith("--from=")
        for source in arguments.split()[:-1]
    }
    assert copied == given


def test_no_file_names_a_path_of_some_machine_or_a_package_registry() -> None:
    found = []
    for path in project_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture, say
        name = path.relative_to(ROOT)
        hits = [hit[0] for pattern in (MACHINE_PATH, REGISTRY_HOST) for hit in pattern.finditer(text)]
        if name.parts[0] == "deploy":
            hits = [hit for hit in hits if hit != f"/{SCRATCH}"]  # of a container, not of a machine
        found += [f"{name}: {hit}" for hit in hits]
    assert not found


@pytest.mark.parametrize("folder", ["work", "tmp", "root", "home", "Users"])
def test_a_machine_path_would_be_found(folder: str) -> None:
    assert MACHINE_PATH.search(f"see /{folder}/somewhere")
    assert not MACHINE_PATH.search(f"https://example.org/{folder}/page")
