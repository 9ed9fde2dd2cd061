"""What people decide and what must not be lost by it: a relational store, SQLite by default, PostgreSQL by URL.

ClickHouse keeps what happened; this keeps documents, users and the like, and hands changes to Kafka by an outbox.
"""
