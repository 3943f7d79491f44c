"""The command `usher`: chat, serve, index, tables, user, keys and doctor.

Knows the commands, their flags and how an error on the command line is told. Does not know how any
command works: each is imported when it runs, so that `usher --help` takes a tenth of a second.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from infra.cli_common import expected_errors, fail
from infra.cli_keys import keys_commands
from infra.cli_stores import tables_commands, user_commands

Index = Annotated[
    Path | None,
    typer.Option(help="Folder of the index (default: USHER_INDEX_DIR).", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]

commands = typer.Typer(
    name="usher",
    help="A conversational movie recommender. Start with: usher chat",
    epilog="Examples: usher chat · usher serve --port 8080 · usher chat --index ./index · "
    "usher index build --catalog films.csv --out ./index\n\n"
    "Settings are USHER_* variables or lines of .env; usher doctor explains each of them.",
    add_completion=False,
    rich_markup_mode="rich",
)
index_commands = typer.Typer(
    help="Build an index from a catalogue of movies, look at it, change single movies."
)
commands.add_typer(index_commands, name="index")
commands.add_typer(tables_commands, name="tables")
commands.add_typer(user_commands, name="user")
commands.add_typer(keys_commands, name="keys")


@commands.callback(invoke_without_command=True)
@index_commands.callback(invoke_without_command=True)
@tables_commands.callback(invoke_without_command=True)
@user_commands.callback(invoke_without_command=True)
@keys_commands.callback(invoke_without_command=True)
def _help_if_alone(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


@commands.command(
    epilog='Examples: usher chat · usher chat --once "a heist film" · '
    "usher chat --script dialogues.jsonl > played.jsonl"
)
def chat(
    once: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Say one thing, print the answer, end.")
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="With --once: events as JSON lines.")
    ] = False,
    script: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help='Play dialogues from JSON lines {"dialogue_id", "turns": [...], "user_id"?} and '
            "print them with their events, one dialogue a line.",
        ),
    ] = None,
    index: Index = None,
) -> None:
    """Talk in the terminal. The first time, the starter index is built (about a minute).

    /help lists what can be typed; Ctrl-C stops an answer, not the program.
    """
    from infra import cli_chat

    if once is not None and script is not None:
        fail("--once and --script exclude each other: choose one")
    if json and once is None:
        fail("--json goes with --once; --script always prints JSON")
    with expected_errors():
        if script is not None:
            cli_chat.play_script(script, index)
        elif once is not None:
            cli_chat.say_once(once, index, as_json=json)
        else:
            cli_chat.converse(index)


@commands.command(epilog="Example: usher serve --port 8080")
def serve(
    host: Annotated[
        str | None, typer.Option(help="Address to serve on (default: USHER_HOST, 127.0.0.1).")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port; 0 takes a free one (default: USHER_PORT, 8000).")
    ] = None,
    index: Index = None,
) -> None:
    """Serve the chat page and the HTTP API. Builds the starter index first if there is none."""
    from infra import cli_serve

    with expected_errors():
        cli_serve.serve(index, host, port)


@commands.command(epilog="Examples: usher doctor · usher doctor --json")
def doctor(json: AsJson = False, index: Index = None) -> None:
    """Explain every setting and check what Usher needs; exit code 1 when something is broken."""
    from infra import cli_doctor

    with expected_errors():
        raise SystemExit(cli_doctor.doctor(index, as_json=json))


@index_commands.command(
    epilog="Examples: usher index build --catalog ml-latest-small --out ./index · "
    "usher index build --catalog films.csv --mapping columns.json --out ./index"
)
def build(
    catalog: Annotated[
        Path, typer.Option(help="A file, a MovieLens or TMDB folder, or `starter`: the one inside.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the index (not with USHER_INDEX=opensearch)."),
    ] = None,
    format: Annotated[
        str, typer.Option(help="auto, usher, csv (also Parquet), movielens or tmdb.")
    ] = "auto",
    mapping: Annotated[
        Path | None,
        typer.Option(help='JSON file {"field of a movie": "name of your column"}, for CSV.'),
    ] = None,
) -> None:
    """Build an index. Bad rows are reported and skipped; a build that was stopped continues.

    The old index stays in use until the new one is complete.
    """
    from infra import cli_index

    with expected_errors():
        cli_index.build(catalog, format, mapping, out)


@index_commands.command()
def info(index: Index = None, json: AsJson = False) -> None:
    """Print what an index holds: movies, encoder, known fields, knowledge."""
    from infra import cli_index

    with expected_errors():
        cli_index.info(index, as_json=json)


@index_commands.command(epilog="Example: usher index upsert new-films.jsonl")
def upsert(
    file: Annotated[
        Path, typer.Argument(help="A catalogue file with the movies to add or replace.")
    ],
    index: Index = None,
) -> None:
    """Add or replace single movies while the index is in use."""
    from infra import cli_index

    with expected_errors():
        cli_index.upsert(file, index)


@index_commands.command(epilog="Example: usher index delete us000012 us000013")
def delete(
    ids: Annotated[list[str], typer.Argument(help="Ids of the movies to remove.")],
    index: Index = None,
) -> None:
    """Remove single movies while the index is in use."""
    from infra import cli_index

    with expected_errors():
        cli_index.delete(ids, index)


# Typer keeps its usage error (a copy of click's) private; what it exports derives from it.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]


def app() -> None:
    """The entry point: wrong usage is one line and exit code 2, like every expected error."""
    try:
        done = commands(prog_name="usher", standalone_mode=False)
    except _UsageError as error:
        wording = getattr(error, "format_message", error.__str__)()
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "usher"
        fail(f"{wording} See: {path} --help")
    except (typer.Abort, KeyboardInterrupt):
        print("stopped", file=sys.stderr)
        sys.exit(130)
    sys.exit(done if isinstance(done, int) else 0)


if __name__ == "__main__":
    app()
