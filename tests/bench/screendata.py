"""The history that tests.bench.screens asks for: ten days of items, made inside the embedded engine.

Each item has ten steps, hence ten events, ten transitions and ten revisions of its row. Keys and ids are hashes, which
is hardest on whatever looks for a key. The last tenth comes twice, as after a crash, and the last of it in small
batches, so that FINAL has copies to find and parts to bring together.
"""

from __future__ import annotations

from api.store import Store

DAYS = 10
HOPS = 10
WORKFLOWS = 4
PARTS = 10
BATCHES = 20  # of the last hundredth

MADE = "SELECT {first:UInt64} + intDiv(number, 10) AS i, number % 10 AS k FROM numbers({many:UInt64})"
AT = "{base:Int64} + i * {every:Int64} + k * 30000 + cityHash64(i, k) % 20000"
BEFORE = "{base:Int64} + i * {every:Int64} + (k - 1) * 30000 + cityHash64(i, k - 1) % 20000"
KEY = "concat('K-', lower(hex(sipHash64(i))))"
ID = "lower(hex(sipHash64(i, k)))"
GROUPS = "map('market', ['EU', 'US', 'APAC'][1 + i % 3], 'book', concat('BK-', toString(i % 20)))"
WORKFLOW = f"concat('workflow_', toString(i % {WORKFLOWS}))"
STATEMENTS = (  # constants of this file, put together: nothing of it comes from outside
    f"""INSERT INTO transitions (lane, workflow, version, key, event_id, source, event_type, step, previous, at_ms,
        previous_at_ms, duration_ms, groups)
    SELECT 'main', {WORKFLOW}, 1, {KEY}, {ID}, '/s', concat('t.s', toString(k)), concat('s', toString(k)),
        if(k = 0, '', concat('s', toString(k - 1))), {AT} AS at, if(k = 0, NULL, {BEFORE}),
        if(k = 0, NULL, at - ({BEFORE})),
        {GROUPS} FROM ({MADE}) WHERE at < {{now:Int64}}""",  # noqa: S608
    f"""INSERT INTO events (lane, source, id, type, time_ms, received_ms, key_name, key, groups, data, truncated,
        duplicate, topic, partition, offset)
    SELECT 'main', '/s', {ID}, concat('t.s', toString(k)), {AT} AS at, at + 5, 'id', {KEY}, {GROUPS},
        concat('{{"id":"', {ID}, '","type":"t.s', toString(k), '","data":{{"id":"', {KEY}, '","amount":',
               toString(i % 9999), ',"counterparty":"Bank ', toString(i % 977), '"}}}}'), 0, 0, 't', 0, i * 10 + k
    FROM ({MADE}) WHERE at < {{now:Int64}}""",  # noqa: S608
    f"""INSERT INTO items (lane, workflow, version, rule_hash, key, run_ms, status, step, started_ms, updated_ms,
        ended_ms, events, missing, late, other, overdue, next_due_ms, pending, groups, amount, rev)
    SELECT 'main', {WORKFLOW}, 1, 'h', {KEY}, {{base:Int64}} + i * {{every:Int64}} + cityHash64(i, 0) % 20000 AS run,
        if(k = 9 AND i % 100 != 1, if(i % 50 = 0, 'failed', 'completed'), 'in_flight'), concat('s', toString(k)), run,
        {AT} AS at, if(k = 9 AND i % 100 != 1, at, NULL), k + 1, i % 97 = 0, 0, i % 201 = 0, i % 97 = 0,
        if(k < 9, at + 60000, NULL), [], {GROUPS}, i % 9999, at
    FROM ({MADE}) WHERE at < {{now:Int64}}""",  # noqa: S608
    f"""INSERT INTO findings (id, lane, workflow, version, rule_hash, rule, kind, severity, key, groups, step, because,
        occurrence, deadline_ms, at_ms, delta_ms, since_ms, event_id, received_ms, runbook)
    SELECT {ID}, 'main', {WORKFLOW}, 1, 'h', 'reply', 'missing', ['critical', 'high', 'medium'][1 + i % 3], {KEY},
        {GROUPS}, 's3', 's2', '1', {AT}, NULL, NULL, {AT} - 60000, '', 0, ''
    FROM ({MADE}) WHERE k = 0 AND i % 97 = 0""",  # noqa: S608
    f"""INSERT INTO alerts (id, lane, workflow, rule, kind, severity, key, groups, step, because, occurrence, state,
        level, episode, count, breach_ms, opened_ms, changed_ms, finding, summary, rev)
    SELECT {ID}, 'main', {WORKFLOW}, 'reply', 'missing', ['critical', 'high', 'medium'][1 + i % 3], {KEY}, {GROUPS},
        's3', 's2', '1', if(i % 20 = 0, 'open', 'resolved'), 0, 1, 1, {AT}, {AT}, {AT}, {ID},
        concat('No reply for ', {KEY}), 1
    FROM ({MADE}) WHERE k = 0 AND i % 97 = 0""",  # noqa: S608
)


def load(store: Store, items: int, now: int) -> None:
    """The ten days up to `now` (epoch ms), oldest first."""
    tenth = items // PARTS
    for part in range(PARTS):
        _some(store, items, part * tenth, tenth, now)
        print(f"screens: {(part + 1) * tenth:,} items loaded", flush=True)
    _some(store, items, items - tenth, tenth, now)
    batch = max(tenth // 10 // BATCHES, 1)
    for number in range(BATCHES):
        _some(store, items, items - (BATCHES - number) * batch, batch, now)
    row = f'{{"lane":"main","subtask":0,"parallelism":1,"watermark_ms":{now},"at_ms":{now}}}'
    store.insert("progress", row.encode())


def _some(store: Store, items: int, first: int, many: int, now: int) -> None:
    every = DAYS * 86_400_000 // items
    about = {"first": first, "many": many * HOPS, "base": now - DAYS * 86_400_000, "every": every, "now": now}
    for statement in STATEMENTS:
        store.command(statement, **about)


def an_item(store: Store, number: int) -> tuple[str, str]:
    """(key, workflow) of an item by its number."""
    statement = f"SELECT {KEY} AS key, {WORKFLOW} AS workflow FROM (SELECT {{number:UInt64}} AS i)"  # noqa: S608
    [row] = store.run(statement, number=number)
    return row["key"], row["workflow"]
