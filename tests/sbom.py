"""The dependencies in; a CycloneDX 1.6 bill of materials out, the same to the byte for the same lock file.

python -m tests.sbom FILE
"""

import sys
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation import make_schemabased_validator
from packageurl import PackageURL
from packaging.utils import canonicalize_name

from cds_service import __version__
from tests.dependencies import OURS, Dependency, asked_for, dependencies

_LICENCES = LicenseFactory()


def bill() -> str:
    """The bill as JSON. No time is in it, and its serial number follows from what it lists."""
    found = dependencies()
    components = {one.name: _component(one) for one in found}
    ours = Component(
        name=OURS,
        version=__version__,
        type=ComponentType.APPLICATION,
        bom_ref=OURS,
        licenses=[_LICENCES.make_from_string("Apache-2.0")],
        purl=PackageURL("pypi", None, OURS, __version__),
    )
    whole = Bom(components=components.values(), serial_number=uuid5(NAMESPACE_URL, repr((__version__, found))))
    whole.metadata.timestamp = None
    whole.metadata.component = ours
    whole.register_dependency(ours, [components[canonicalize_name(one.name)] for one in asked_for()])
    for one in found:
        whole.register_dependency(components[one.name], [components[name] for name in one.needs])
    return str(JsonV1Dot6(whole).output_as_string(indent=2)) + "\n"


def _component(one: Dependency) -> Component:
    return Component(
        name=one.name,
        version=one.version,
        type=ComponentType.LIBRARY,
        bom_ref=f"{one.name}=={one.version}",
        licenses=[_LICENCES.make_from_string(one.licence)],
        purl=PackageURL("pypi", None, one.name, one.version),
    )


def fault(text: str) -> str | None:
    """What is wrong with it by the schema of CycloneDX; None where nothing is."""
    found = make_schemabased_validator(OutputFormat.JSON, SchemaVersion.V1_6).validate_str(text)
    return None if found is None else str(found)


def main() -> None:
    file = Path(sys.argv[1])
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(bill(), encoding="utf-8")


if __name__ == "__main__":
    main()
