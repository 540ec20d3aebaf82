"""The command line: each command is a few lines over the same parts that the service is made of."""

from __future__ import annotations

import typer

from app.command_line import (
    configuration,
    exporting,
    replaying,
    reports,
    resealing,
    schema,
    serving,
    sources,
    tenancy,
    upkeep,
)

app = typer.Typer(
    name="vidhuk",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Feedback events in, honest service metrics out, a signed webhook for every missed deadline.",
)
app.command("serve")(serving.serve)
app.command("worker")(serving.worker)
app.command("all")(serving.run_all)
app.command("demo")(serving.demo)
app.command("catch")(serving.catch)
app.command("alive")(serving.alive)
app.command("migrate")(schema.migrate_command)
app.command("openapi")(schema.openapi_command)
app.command("import")(upkeep.import_command)
app.command("export")(exporting.export_command)
app.command("replay")(replaying.replay_command)
app.command("rebuild")(upkeep.rebuild_command)
app.command("bench", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(
    upkeep.bench_command
)
tenancy.keys.command("reseal")(resealing.reseal_command)
app.command("reprocess")(sources.reprocess_command)
app.add_typer(sources.sources, name="sources", help="Sources: what can be connected, and trying a sample.")
app.add_typer(tenancy.tenants, name="tenants", help="Tenants (operator).")
app.add_typer(tenancy.keys, name="keys", help="API keys of a tenant (operator).")
app.add_typer(configuration.config, name="config", help="A tenant's configuration as one document.")
app.add_typer(reports.bi, name="bi", help="Read-only database logins for reports (operator).")


def main() -> None:
    """Run the command line."""
    app()
