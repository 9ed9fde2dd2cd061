"""The ways to reach people: one module a type of channel. Each sends one message, once, and says what came of it."""
