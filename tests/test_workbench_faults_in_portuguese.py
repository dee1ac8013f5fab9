"""What makes no sense on the workbench, and what could not be applied: said in Portuguese, in whole sentences."""

from collections.abc import Mapping

import pytest
from flask.testing import FlaskClient

from tests.fixture_files import Clock, app_of
from tests.test_workbench import SUPPRESSED
from tests.test_workbench_in_portuguese import left, said
from tests.test_workbench_what_if import NO_ID, nameless_draft, pasted, unreadable

UNREAD = {"pasted": unreadable(), "result1": "cd4-count|Observation/odd|unread"}
NOT_APPLIED: Mapping[str, tuple[Mapping[str, str], str]] = {
    "no such result": (
        {"result1": "cd4-count|Observation/elsewhere|2026-11-12", "value1": "90"},
        "Contagem de CD4: o resultado escolhido não está nesta ficha, ou não conta nela.",
    ),
    "of the future": (
        {"result1": "new|cd4-count", "value1": "90", "day1": "2027-01-01"},
        "Contagem de CD4 de 2027-01-01: não pode ser lido, porque tem data no futuro.",
    ),
    "of a day that has one": (
        {"result1": "new|cd4-count", "value1": "400", "day1": "2026-11-12"},
        "Contagem de CD4 de 2026-11-12: conta em seu lugar outro resultado do mesmo dia.",
    ),
    "no such drug": (
        {"remove": "7454"},
        "Medicamento nem em uso nem em prescrição: nenhuma entrada da lista de medicação e nenhum rascunho o contém,"
        " por isso nada foi retirado.",
    ),
    "no id": (
        {"pasted": nameless_draft(), "remove": "1433868"},
        "Medicamento não prescrito: veio sem id e não se pode distinguir de outros, por isso fica.",
    ),
    "a result without id": (
        {"pasted": pasted(cd4=NO_ID), "cd4": "90", "measured": "2026-11-01"},
        "Contagem de CD4 de 2026-11-12: veio sem id e não se pode distinguir de outros, por isso fica.",
    ),
    "no such allergy": ({"allergy": "none"}, "Alergia: nenhuma consta na ficha, por isso nada foi retirado."),
    "ended before it began": (
        {"patient": SUPPRESSED, "remove": "1999660", "until": "1990-01-01"},
        "Medicamento que não está em uso: uma entrada começa em",
    ),
    "no value": (UNREAD | {"day1": "2026-11-01"}, "Contagem de CD4 que não se pode ler: precisa de um valor"),
}
FAULTS: Mapping[str, tuple[Mapping[str, str], str]] = {
    "number": ({"cd4": "many"}, "A contagem de CD4: indicar um número até 5\xa0000, ou um limite como <20."),
    "words": (
        {"result1": "new|viral-load", "value1": "x"},
        "A carga viral: indicar um número até 100\xa0000\xa0000, ou um limite como <20, ou não detectada.",
    ),
    "answers": (
        {"result1": "new|g6pd", "value1": "90"},
        "O resultado não é um dos que este teste pode ter: deficiente, normal.",
    ),
    "day": ({"on": "tomorrow"}, "O dia da avaliação: indicar um dia, como 2026-11-20."),
    "drug": ({"order": "x"}, "O medicamento a prescrever não está entre o que se pode escolher."),
    "together": ({"onset": "2026-11-01"}, "Foi indicado o dia de um diagnóstico, mas nenhum diagnóstico."),
    "patient": ({"patient": "nobody"}, "Não há tal paciente de demonstração."),
    "no request": ({"pasted": "{}"}, "Isto não é um pedido CDS Hooks, que indica o seu hook, nem um Bundle."),
    "hook": (
        {"pasted": '{"hook": "x"}'},
        "O hook do pedido não é um dos nossos: order-sign, order-select e patient-view.",
    ),
}


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return app_of(Clock()).test_client()


@pytest.mark.parametrize(("form", "sentence"), NOT_APPLIED.values(), ids=NOT_APPLIED)
def test_what_cannot_be_applied_says_why_in_portuguese(
    client: FlaskClient, form: dict[str, str], sentence: str
) -> None:
    found = said(client, form)
    assert "Nem tudo pôde ser aplicado:" in found.of("pt")
    assert [one for one in found.of("pt") if one.startswith(sentence)]
    assert left(found) == []


@pytest.mark.parametrize(("form", "sentence"), FAULTS.values(), ids=FAULTS)
def test_what_makes_no_sense_is_said_in_portuguese(client: FlaskClient, form: dict[str, str], sentence: str) -> None:
    found = said(client, form)
    assert sentence in found.of("pt")
    assert left(found) == []
