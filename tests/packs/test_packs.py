"""The packs that are shipped, and those of the published logs, held to the independent oracle."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from udfs.packs.compile import compile_workflow
from udfs.packs.load import find_packs, load_pack
from udfs.simulation.drive import simulate
from udfs.simulation.logs import read_log

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
LOGS = {
    "domestic_declarations": ("domestic", "DomesticDeclarations.csv.gz"),
    "helpdesk": ("helpdesk", "helpdesk.csv.gz"),
}
needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="../shared with the published logs is not beside the checkout"
)


@pytest.mark.parametrize(
    "folder", [*find_packs(ROOT / "rules"), *find_packs(ROOT / "tests/packs")], ids=lambda path: path.name
)
def test_a_pack_has_a_mapping_and_loads_without_a_warning(folder: Path) -> None:
    pack = load_pack(folder)
    assert pack.problems == []
    assert pack.mapping is not None
    for one in pack.workflows:
        assert json.loads(json.dumps(one.data)) == one.data
        assert compile_workflow(one.data, version=one.version, lane="main").key in pack.mapping.key_names


def test_the_trade_pack_reads_a_trade() -> None:
    mapping = load_pack(ROOT / "rules/trade_lifecycle").mapping
    assert mapping is not None
    data = {"trade_id": "T1", "market": "EU", "book": "rates", "amount": 5.5, "counterparty_contact": "jo@example.com"}
    record = {"id": "1", "source": "/t", "type": "trade.sent", "time": "2026-01-05T09:00:00Z", "data": data}
    event = mapping.event(record, "trade_id", "", 0)
    assert (event.key, event.groups, event.amount) == ("T1", (("market", "EU"), ("book", "rates")), 5.5)
    assert mapping.masked(record)["data"]["counterparty_contact"] == "***"


@needs_shared
@pytest.mark.shared
@pytest.mark.parametrize("name", LOGS)
def test_the_deadlines_are_the_oracles_edges_in_its_order(name: str) -> None:
    oracle, _ = LOGS[name]
    edges = json.loads((SHARED / f"oracle/{oracle}.json").read_text())["edges"]
    spec = compile_workflow(load_pack(ROOT / "tests/packs" / name).workflows[0].data, version=1, lane="test")
    said = [(rule.id, spec.steps[rule.after].on, spec.steps[rule.expect].on, rule.within) for rule in spec.deadlines]
    assert said == [
        (f"edge_{n}", edge["from"], edge["to"], edge["within_s"] * 1000) for n, edge in enumerate(edges, start=1)
    ]


@needs_shared
@pytest.mark.shared
@pytest.mark.parametrize("name", LOGS)
def test_a_simulation_finds_exactly_what_the_oracle_counts(name: str) -> None:
    oracle, log = LOGS[name]
    expected = json.loads((SHARED / f"oracle/{oracle}.expected.json").read_text())
    pack = load_pack(ROOT / "tests/packs" / name)
    assert pack.mapping is not None
    (key,) = pack.mapping.key_names
    records = [record for record in read_log(SHARED / "data" / log) if isinstance(record, dict)]
    events = [(key, pack.mapping.event(record, key, "", 0)) for record in records]
    result = simulate([compile_workflow(pack.workflows[0].data, version=1, lane="test")], events)
    assert (len(events), len(result.items)) == (expected["events"], expected["cases"])
    counts = result.count()
    found = {
        f"edge_{n}": (counts[name, f"edge_{n}", "missing"], counts[name, f"edge_{n}", "late"])
        for n in range(1, len(expected["edges"]) + 1)
    }
    assert found == {f"edge_{n}": (edge["breached"], edge["late"]) for n, edge in enumerate(expected["edges"], start=1)}
    assert sum(counts.values()) == sum(map(sum, found.values()))
