"""Notifications as people and machines get to see them: Jinja2 texts and JSON payloads. Pure; never sees a secret."""
