"""The command line: what a person types, what comes back, and one line for every mistake."""

import hashlib
import json
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import serving
from agent.events import EVENT
from infra.learned import load_encoder, usable_enhancer
from infra.settings import load
from retrieval.encoder import MINILM_FOLDER, TOKENIZER
from retrieval.enhancer import FOLDER, MODEL
from retrieval.ranker import Ranker, RankerRefused
from usher_command import Run, few_movies, on_index, one_line, run

__all__ = ["run"]  # the fixture
Json = dict[str, Any]


# --- help and usage -------------------------------------------------------------------------------


def test_help_names_the_commands_and_loads_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['usher', '--help']\n"
        "from infra import cli\n"
        "try: cli.app()\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'onnxruntime', 'langgraph', 'fastapi', 'pydantic_settings'}\n"
        "print('HEAVY', sorted(heavy & set(sys.modules)))\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=serving.ROOT)
    assert done.returncode == 0, done.stderr
    assert "HEAVY []" in done.stdout
    for name in ("chat", "serve", "index", "doctor"):
        assert name in done.stdout


@pytest.mark.parametrize(
    "command",
    [(), ("index",), ("chat",), ("serve",), ("doctor",)]
    + [("index", name) for name in ("build", "info", "upsert", "delete")],
)
def test_every_command_explains_itself(run: Run, command: tuple[str, ...]) -> None:
    code, out, _ = run(*command, "--help")
    assert code == 0
    assert "Usage:" in out


def test_alone_it_prints_its_help(run: Run) -> None:
    for command in ((), ("index",)):
        code, out, err = run(*command)
        assert (code, err) == (0, "")
        assert "Commands" in out


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("chta",), "chta"),
        (("chat", "--onec", "x"), "--onec"),
        (("serve", "--port", "many"), "--port"),
        (("index", "build"), "--catalog"),
        (("index", "delete"), "usher index delete --help"),
        (("chat", "--json"), "--once"),
        (("chat", "--once", "x", "--script", "y"), "exclude"),
    ],
)
def test_wrong_usage_is_one_line(run: Run, arguments: tuple[str, ...], word: str) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    one_line(err, word)


# --- chat -----------------------------------------------------------------------------------------


def test_once_prints_the_answer(run: Run) -> None:
    code, out, _ = run(*on_index("chat", "--once", "a science fiction movie"))
    assert code == 0
    assert "1 " in out and "science fiction" in out


def test_once_as_json_is_the_stream_of_the_turn(run: Run) -> None:
    code, out, err = run(*on_index("chat", "--once", "something like Amélie", "--json"))
    events = [EVENT.validate_json(line) for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert [event.id for event in events] == list(range(1, len(events) + 1))
    assert (events[0].type, events[-1].type) == ("turn.started", "turn.finished")


def test_a_message_that_is_none_is_refused(run: Run) -> None:
    for message, word in (("", "empty"), ("x" * 3000, "2000"), ("\x01\x02\x03" * 9, "text")):
        code, out, err = run(*on_index("chat", "--once", message, "--json"))
        assert (code, out) == (2, "")
        one_line(err, word)


def write(folder: Path, *rows: Any) -> str:
    path = folder / "script.jsonl"
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def test_script_plays_each_dialogue_as_one_line(run: Run, tmp_path: Path) -> None:
    script = write(
        tmp_path,
        {"dialogue_id": "a", "turns": ["a comedy", "shorter"]},
        {"dialogue_id": "b", "turns": ["", "a western"], "user_id": "ann"},
        {"dialogue_id": "c", "turns": []},
    )
    code, out, err = run(*on_index("chat", "--script", script))
    assert (code, err) == (0, "")
    first, second, third = (json.loads(line) for line in out.splitlines())
    assert [turn["user"] for turn in first["turns"]] == ["a comedy", "shorter"]
    kinds = [event["type"] for event in first["turns"][1]["events"]]
    assert (kinds[0], kinds[-1]) == ("turn.started", "turn.finished")
    conversations = {turn["events"][0]["conversation_id"] for turn in first["turns"]}
    assert len(conversations) == 1
    refused, answered = second["turns"]
    assert [event["type"] for event in refused["events"]] == ["error"]
    assert answered["events"][-1]["status"] == "completed"
    assert third["turns"] == []


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ("not json", "line 2 is not JSON"),
        ("[]", "line 2 is not a JSON object"),
        ({"turns": ["x"]}, "dialogue_id"),
        ({"dialogue_id": "a", "turns": "x"}, "turns"),
        ({"dialogue_id": "a", "turns": [1]}, "turns"),
        ({"dialogue_id": "a", "turns": [], "user_id": 3}, "user_id"),
        ({"dialogue_id": "a", "turns": [], "usr": "x"}, "usr"),
    ],
)
def test_a_bad_script_is_told_before_anything_is_played(
    run: Run, tmp_path: Path, row: Any, word: str
) -> None:
    script = write(tmp_path, {"dialogue_id": "a", "turns": ["x"]}, row)
    code, out, err = run(*on_index("chat", "--script", script))
    assert (code, out) == (2, "")
    one_line(err, word)


def test_a_script_that_cannot_be_read_is_told(run: Run, tmp_path: Path) -> None:
    latin = tmp_path / "latin.jsonl"
    latin.write_bytes(b'{"dialogue_id": "a", "turns": ["caf\xe9"]}\n')
    (tmp_path / "empty.jsonl").write_text("")
    for path, word in ((latin, "UTF-8"), (tmp_path / "empty.jsonl", "empty"), (tmp_path, "folder")):
        code, _, err = run(*on_index("chat", "--script", str(path)))
        assert code == 2
        one_line(err, word)


# --- settings -------------------------------------------------------------------------------------


def test_with_opensearch_local_folders_are_an_error(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("USHER_INDEX", "opensearch")
    few = str(few_movies(tmp_path))
    for arguments in (
        ("chat", "--once", "x", "--index", "x"),
        ("serve", "--index", "x"),
        ("doctor", "--index", "x"),
        ("index", "info", "--index", "x"),
        ("index", "upsert", few, "--index", "x"),
        ("index", "delete", "m1", "--index", "x"),
        ("index", "build", "--catalog", few, "--out", "x"),
    ):
        code, _, err = run(*arguments)
        assert code == 2
        one_line(err, "USHER_INDEX=opensearch")


def test_wrong_settings_are_told(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in (
        ("USHER_MODEL", "gpt"),
        ("USHER_PORT", "70000"),
        ("USHER_ENCODER_DIR", str(tmp_path / "no-encoder")),
        ("USHER_MODEL", "bedrock"),
    ):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            code, _, err = run(*on_index("chat", "--once", "x"))
        assert code == 2
        one_line(err, value if name == "USHER_ENCODER_DIR" else name)


def test_a_home_that_cannot_be_used_is_told(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("USHER_HOME", str(tmp_path / "file"))
    code, _, err = run(*on_index("chat", "--once", "x"))
    assert code == 2
    one_line(err, "USHER_HOME")


# --- doctor ---------------------------------------------------------------------------------------


def test_doctor_explains_settings_and_parts(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USHER_PORT", "0")
    monkeypatch.setenv("USHER_INDXE", "local")
    Path(".env").write_text("USHER_GRACE_S=4\n")
    code, out, err = run(*on_index("doctor", "--json"))
    assert (code, err) == (0, "")
    report = json.loads(out)
    assert report["ok"]
    settings = {row["variable"]: row for row in report["settings"]}
    assert settings["USHER_PORT"]["source"] == "from the environment"
    assert settings["USHER_GRACE_S"]["source"] == "from .env"
    assert settings["USHER_INDEX_DIR"]["source"] == "from --index"
    assert settings["USHER_HOST"]["source"] == "default"
    assert all(row["doc"] for row in report["settings"])
    checks = {check["name"]: check for check in report["checks"]}
    assert {check["state"] for check in checks.values()} == {"ok", "note"}
    assert "USHER_INDXE (USHER_INDEX?)" in checks["names"]["found"]
    assert checks["tagger"]["state"] == "ok" and "moods and themes" in checks["tagger"]["found"]
    assert checks["index"]["facts"]["movies"] == serving.MOVIES
    assert checks["index"]["facts"]["known_share"]["title"] == 1.0
    code, out, _ = run(*on_index("doctor"))
    assert code == 0
    assert "USHER_GRACE_S = 4.0" in out and "fields known" in out


def test_doctor_names_what_is_broken_and_the_next_step(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "usher.sqlite3").write_bytes(b"no database at all, just words")
    damaged = tmp_path / "damaged"
    shutil.copytree(serving.index_dir(), damaged)
    next(damaged.glob("*/manifest*")).write_bytes(b"{}")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setenv("USHER_PORT", str(taken.getsockname()[1]))
        code, out, _ = run("doctor", "--json", "--index", str(damaged))
    assert code == 1
    checks = {check["name"]: check for check in json.loads(out)["checks"]}
    broken = {name for name, check in checks.items() if check["state"] == "broken"}
    assert broken == {"index", "store", "port"}
    assert all(checks[name]["next_step"] for name in broken)


def test_doctor_says_that_the_fixed_weights_rank(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> Ranker:
        raise RankerRefused("it was trained on other features")

    monkeypatch.setenv("USHER_PORT", "0")
    monkeypatch.setattr(Ranker, "load", refuse)
    code, out, _ = run(*on_index("doctor", "--json"))
    ranker = next(c for c in json.loads(out)["checks"] if c["name"] == "ranker")
    assert (code, ranker["state"]) == (0, "note")
    assert "other features; the fixed weights rank alone" in ranker["found"]


def _missing(folder: Path) -> None:
    shutil.rmtree(folder)


def _without_model(folder: Path) -> None:
    (folder / MODEL).unlink()


def _manifest_is_prose(folder: Path) -> None:
    (folder / "manifest.json").write_bytes(b"\xff not JSON")


def _wrong_sha(folder: Path) -> None:
    (folder / MODEL).write_bytes((folder / MODEL).read_bytes() + b"\0")


def _no_model_but_in_the_manifest(folder: Path) -> None:
    (folder / MODEL).write_bytes(b"words")
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    manifest["files"][MODEL] = hashlib.sha256(b"words").hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (_missing, "no query enhancer in"),
        (_without_model, "no query enhancer in"),
        (_manifest_is_prose, "its manifest cannot be read"),
        (_wrong_sha, "is not the file of its manifest"),
        (_no_model_but_in_the_manifest, "is no query enhancer"),
    ],
)
def test_doctor_says_that_vectors_stay_plain(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    damage: Callable[[Path], None],
    told: str,
) -> None:
    folder = Path(shutil.copytree(FOLDER, tmp_path / "enhancer"))
    damage(folder)
    monkeypatch.setattr("retrieval.enhancer.FOLDER", folder)
    _degraded(run, monkeypatch, told)


def test_doctor_says_that_the_enhancer_is_for_another_encoder(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(MINILM_FOLDER, tmp_path / "other"))
    tokenizer = json.loads((folder / TOKENIZER).read_text("utf-8"))
    (folder / TOKENIZER).write_text(json.dumps(tokenizer, indent=1), "utf-8")
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    manifest["files"][TOKENIZER] = hashlib.sha256((folder / TOKENIZER).read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    monkeypatch.setenv("USHER_ENCODER_DIR", str(folder))
    _degraded(run, monkeypatch, "trained for encoder")


def _degraded(run: Run, monkeypatch: pytest.MonkeyPatch, told: str) -> None:
    """Doctor says so in one line, breaks nothing, and searches keep their plain vectors."""
    monkeypatch.setenv("USHER_PORT", "0")
    code, out, err = run("doctor", "--json")
    check = next(c for c in json.loads(out)["checks"] if c["name"] == "enhancer")
    assert (code, err, check["state"], check["facts"]) == (0, "", "note", {"degraded": True})
    assert check["found"].startswith("degraded: ") and told in check["found"]
    assert "\n" not in check["found"] and check["next_step"]
    code, out, _ = run("doctor")
    assert code == 0
    assert len([line for line in out.splitlines() if line.startswith("note   enhancer: ")]) == 1
    assert usable_enhancer(load_encoder(load()).identity) is None


def test_doctor_on_a_fresh_machine_is_content(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USHER_PORT", "0")
    code, out, _ = run("doctor", "--json")
    checks = {check["name"]: check for check in json.loads(out)["checks"]}
    assert code == 0
    assert checks["index"]["state"] == "note"
    assert "usher serve" in checks["index"]["next_step"]


# --- serve ----------------------------------------------------------------------------------------


def test_a_port_in_use_is_one_line(run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code, out, err = run(*on_index("serve", "--port", port))
    assert (code, out) == (2, "")
    one_line(err, port, "--port")


def test_a_host_that_is_not_ours_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    code, _, err = run(*on_index("serve", "--host", "elsewhere", "--port", "0"))
    assert code == 2
    one_line(err, "elsewhere", "--host")


@pytest.mark.slow
def test_serve_tells_its_address_and_ends_well(tmp_path: Path) -> None:
    command = ["env", f"USHER_HOME={tmp_path}", sys.executable, "-m", "infra.cli"]
    command += on_index("serve", "--port", "0")
    with subprocess.Popen(
        command, cwd=serving.ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        said = process.stdout.readline()
        address = next(word for word in said.split() if word.startswith("http://"))
        with urllib.request.urlopen(f"{address}/healthz", timeout=10) as answer:
            assert json.load(answer) == {"status": "ok"}
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert process.stderr.read() == ""
