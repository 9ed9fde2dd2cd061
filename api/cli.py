"""The command line, `daymark`."""

from __future__ import annotations

from importlib.metadata import version as installed_version

import typer

from api.commands import access, alerting, packs, replay, rules, run, scenarios, schema, status

HELP = """Says what did not happen: which file, trade, invoice or job is missing, late, out of order or duplicated.

Exit codes: 0 fine; 1 failed, or found invalid; 2 wrong usage; 3 Daymark does not run; 4 something that it needs is
not there (a port, the disk, a program); 5 done, but it waits for somebody, or for Kafka; 130 interrupted.
"""

app = typer.Typer(
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command()(run.up)
app.command()(run.demo)
app.command()(status.status)
app.command()(status.stop)
app.command()(replay.replay)
app.command()(packs.simulate)
app.command()(packs.validate)
app.command("test")(scenarios.play)
app.command()(schema.schema)
app.add_typer(rules.app, name="rules")
app.add_typer(access.users, name="users")
app.add_typer(access.audit, name="audit")
app.add_typer(alerting.app, name="alerting")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(f"daymark {installed_version('daymark')}")


if __name__ == "__main__":
    app()
