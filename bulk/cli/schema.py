"""`bulk schema`: the JSON Schema of a campaign file."""

import json
from pathlib import Path

import click

from bulk.cli import options, screen
from bulk.cli.command import command


@command("schema")
@click.option("-o", "--output", type=options.FILE, help="Write it there instead; what is there is replaced.")
def schema(output: Path | None) -> None:
    """Print the JSON Schema of a campaign file, for an editor.

    With `#:schema campaign.schema.json` in its first line, as `bulk init` writes it, a campaign is completed and
    checked by editors that use taplo, such as VS Code's Even Better TOML.
    """
    from bulk.files.replacement import taking_the_place_of
    from bulk.reference.schema import campaign_schema

    text = json.dumps(campaign_schema(), indent=2, ensure_ascii=False) + "\n"
    if output is None:
        click.echo(text, nl=False)
        return
    with taking_the_place_of(output, failed="the schema cannot be written", remedy="Choose another place") as file:
        file.write_text(text, "utf-8")
    screen.say(f"{output}: name it in the first line of a campaign: #:schema {output.name}")
