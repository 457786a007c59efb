"""Commands about a scenario: `check`, `explain`, `policies`, `schema`."""

from __future__ import annotations

from typing import Annotated

import typer

from meshsim.cli.application import MISUSED, app, print_result, tell, told
from meshsim.cli.options import ScenarioFile, SetOption, VariantOption
from meshsim.errors import printable


@app.command()
def check(file: ScenarioFile, *, settings: SetOption = None, variant: VariantOption = None) -> None:
    """Find mistakes and surprises in a scenario.

    Exits with 104 where there are mistakes; warnings alone are no failure.
    """
    with told():
        from meshsim.report.numbers import count
        from meshsim.scenario.advice import advice
        from meshsim.scenario.advice.notes import notes
        from meshsim.scenario.load import load, load_all

        versions = [load(file, variant=variant, set=settings or ())] if variant else load_all(file, set=settings or ())
        warnings: dict[str, str] = {}
        brought: dict[str, str] = {}
        found = None
        for one in versions:
            where = "" if found is None else f" (variant {one.variant})"
            found = found or one
            for warning in advice(one.scenario, one.places):
                warnings.setdefault(str(warning), where)
            for note in notes(one.scenario, one.places):
                brought.setdefault(f"note: {note}", where)
        assert found is not None  # noqa: S101 — there is at least the scenario as it stands
        lines = [f"{text}{where}\n" for text, where in (brought | warnings).items()]
        counts = f"{count(len(found.scenario.services), 'service')}, {count(len(found.names), 'variant')}"
        print_result(f"{''.join(lines)}{printable(str(file))}: no mistakes, {count(len(warnings), 'warning')} ({counts})\n")


@app.command()
def explain(field: Annotated[str, typer.Argument(metavar="FIELD", help="Such as per_try_timeout.")]) -> None:
    """Say what a setting means.

    With its default under each product, and the source of that.
    """
    with told():
        from meshsim.scenario.documentation.explain import UnknownFieldError
        from meshsim.scenario.documentation.explain import explain as explanation

        try:
            print_result(f"{explanation(field)}\n")
        except UnknownFieldError as error:
            tell(str(error))
            raise typer.Exit(MISUSED) from None


@app.command()
def policies() -> None:
    """List the policies and their settings."""
    with told():
        from meshsim.scenario.documentation.explain import policy_families

        print_result("\n\n".join(str(family) for family in policy_families()) + "\n")


@app.command()
def schema() -> None:
    """Print the JSON Schema, for your editor."""
    with told():
        import json

        from meshsim.scenario.documentation.schema import json_schema

        print_result(json.dumps(json_schema(), indent=2) + "\n")
