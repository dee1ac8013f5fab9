"""The published OpenAPI document and an answer of the service in; out comes what of the answer the document does not promise."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from werkzeug.test import TestResponse

BASE = "urn:interface"
# Of HTTP itself; a document does not list them.
_OF_HTTP = {"content-type", "content-length", "date", "connection", "server", "transfer-encoding"}
_OF_FILES = {"etag", "last-modified", "accept-ranges", "content-range", "content-disposition"}


class Published:
    """The document, asked for one answer at a time."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        resource: Resource[Any] = Resource.from_contents(document, default_specification=DRAFT202012)
        self._registry: Registry[Any] = Registry().with_resource(BASE, resource)

    def schema(self, *pointer: str) -> Draft202012Validator:
        """The validator of the schema at this place of the document."""
        place = "/".join(step.replace("~", "~0").replace("/", "~1") for step in pointer)
        return Draft202012Validator({"$ref": f"{BASE}#/{place}"}, registry=self._registry)

    def address(self, path: str) -> str | None:
        """The address as the document writes it; one without a parameter goes first."""
        for address in sorted(self.document["paths"], key=lambda one: one.count("{")):
            if re.fullmatch(re.sub(r"{\w+}", "[^/]+", address), path.partition("?")[0]):
                return str(address)
        return None

    def faults_of(self, answer: TestResponse) -> list[str]:
        """The same of what a test client got."""
        asked = answer.request
        return self.faults(asked.method, asked.path, answer.status_code, dict(answer.headers), answer.data)

    def faults(self, method: str, path: str, status: int, headers: Mapping[str, str], body: bytes) -> list[str]:
        """What the document does not promise of an answer; empty where it keeps to it."""
        address = self.address(path)
        operation = self.document["paths"].get(address, {}).get(method.lower())
        if address is None or operation is None:
            return [f"{method} {path} is not in the document"]
        pointer: tuple[str, ...] = ("paths", address, method.lower(), "responses", str(status))
        answer = operation["responses"].get(str(status))
        if answer is None:
            return [f"{method} {path}: {status} is not in the document"]
        if "$ref" in answer:
            pointer = tuple(answer["$ref"].removeprefix("#/").split("/"))
            answer = self.document["components"]["responses"][pointer[-1]]
        found = [*self._headers(answer, headers), *self._body(method, answer, pointer, headers, body)]
        return [f"{method} {path} {status}: {fault}" for fault in found]

    def _headers(self, answer: Mapping[str, Any], headers: Mapping[str, str]) -> Iterator[str]:
        got = {name.lower(): value for name, value in headers.items()}
        told = {name.lower(): reference for name, reference in answer.get("headers", {}).items()}
        yield from (f"{name} is not in the document" for name in got.keys() - told.keys() - _OF_HTTP - _OF_FILES)
        for name, reference in told.items():
            header = self._resolved(reference)
            if name not in got:
                yield from [f"{name} is missing"] if header.get("required") else []
            elif not Draft202012Validator(header["schema"]).is_valid(got[name]):
                yield f"{name}: {got[name]} is not what is promised"

    def _resolved(self, header: Mapping[str, Any]) -> Mapping[str, Any]:
        if "$ref" not in header:
            return header
        found: Mapping[str, Any] = self.document["components"]["headers"][header["$ref"].rpartition("/")[2]]
        return found

    def _body(
        self, method: str, answer: Mapping[str, Any], pointer: tuple[str, ...], headers: Mapping[str, str], body: bytes
    ) -> Iterator[str]:
        if "content" not in answer or method == "HEAD":
            yield from ["there is a body"] if body else []
            return
        media = headers.get("Content-Type", "")
        if media not in answer["content"]:
            yield f"{media} is not in the document"
            return
        value = json.loads(body) if media.endswith("json") else body.decode()
        for error in self.schema(*pointer, "content", media, "schema").iter_errors(value):
            yield f"{error.json_path}: {error.message[:200]}"
