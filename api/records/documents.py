"""Documents with versions: put, read, deleted; each change is a version of its own, and goes out by the outbox."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlalchemy import Connection, Row, insert, select, update

from api.records.database import Change, Transaction
from api.records.tables import document_versions, documents

Body = dict[str, Any]


class Conflict(Exception):
    """The document is not in the version that the change was made for; `version` is the one it has, 0: none."""

    def __init__(self, version: int) -> None:
        super().__init__(f"the document is in version {version}" if version else "there is no such document")
        self.version = version


@dataclass(frozen=True)
class Document:
    """A document in one of its versions. `updated_ms` is epoch ms."""

    kind: str
    name: str
    version: int
    body: Body
    updated_by: str
    updated_ms: int
    deleted: bool = False


def read(connection: Connection, kind: str, name: str) -> Document | None:
    """The document as it stands; None if there is none, or no more."""
    found = _newest(connection, kind, name)
    return found if found and not found.deleted else None


def listed(connection: Connection, kind: str = "") -> list[Document]:
    """All documents, or all of a kind, by kind and name."""
    query = select(documents).where(~documents.c.deleted).order_by(documents.c.kind, documents.c.name)
    if kind:
        query = query.where(documents.c.kind == kind)
    return [_document(row) for row in connection.execute(query)]


def versions(connection: Connection, kind: str, name: str) -> list[Document]:
    """Every version of a document, the newest first; a deleted one holds what was deleted."""
    table = document_versions
    query = select(table).where(table.c.kind == kind, table.c.name == name).order_by(table.c.version.desc())
    return [_document(row) for row in connection.execute(query)]


def put(
    tx: Transaction, topic: str, document: Document, *, expected: int | None = None, origin: str = ""
) -> tuple[Document, bool]:
    """Store a document, its version counted on, and publish it under `kind/name`; returns it, and whether it changed.

    The version given in `document` doesn't matter. `expected` is the version that the caller knows, 0 for one that
    must not be there yet, None whichever it is. What is there already, word for word, stays as it is. Raises Conflict.
    """
    before = _newest(tx.connection, document.kind, document.name)
    standing = before if before and not before.deleted else None
    if expected is not None and expected != (standing.version if standing else 0):
        raise Conflict(standing.version if standing else 0)
    if standing and standing.body == document.body:
        return standing, False
    fresh = replace(document, version=before.version + 1 if before else 1, deleted=False)
    _store(tx.connection, fresh, exists=before is not None)
    _tell(tx, topic, fresh, standing.body if standing else None, origin)
    return fresh, True


def delete(
    tx: Transaction,
    topic: str,
    kind: str,
    name: str,
    *,
    who: str,
    at_ms: int,
    expected: int | None = None,
    origin: str = "",
) -> Document | None:
    """Delete a document and publish an empty value under its key; None if there was none. Raises Conflict."""
    standing = read(tx.connection, kind, name)
    if standing is None:
        return None
    if expected is not None and expected != standing.version:
        raise Conflict(standing.version)
    gone = Document(kind, name, standing.version + 1, standing.body, who, at_ms, deleted=True)
    _store(tx.connection, gone, exists=True)
    _tell(tx, topic, gone, standing.body, origin)
    return gone


def publish_all(tx: Transaction, topic: str, at_ms: int) -> int:
    """Publish every document anew, for a topic that has lost them; returns how many."""
    everything = listed(tx.connection)
    for one in everything:
        tx.publish(topic, _key(one), orjson.dumps(one.body), at_ms)
    return len(everything)


def _tell(tx: Transaction, topic: str, fresh: Document, before: Body | None, origin: str) -> None:
    after = None if fresh.deleted else fresh.body
    action = "delete" if fresh.deleted else "put"
    subject = f"alerting/{fresh.kind}/{fresh.name}"
    tx.changed(Change(fresh.updated_ms, fresh.updated_by, action, subject, before, after, origin))
    tx.publish(topic, _key(fresh), None if after is None else orjson.dumps(after), fresh.updated_ms)


def _store(connection: Connection, document: Document, *, exists: bool) -> None:
    row = vars(document)
    same = (documents.c.kind == document.kind) & (documents.c.name == document.name)
    connection.execute(update(documents).where(same).values(row) if exists else insert(documents).values(row))
    connection.execute(insert(document_versions).values(row))


def _newest(connection: Connection, kind: str, name: str) -> Document | None:
    query = select(documents).where(documents.c.kind == kind, documents.c.name == name)
    row = connection.execute(query).first()
    return _document(row) if row else None


def _document(row: Row[Any]) -> Document:
    return Document(**row._mapping)


def _key(document: Document) -> bytes:
    return f"{document.kind}/{document.name}".encode()
