import contextlib
import json
import shutil
import sqlite3
import struct
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from minitorch.train import read_rows
from minitorch.train.tracking import TRACKERS, JsonLines, MLflowSink, WandbSink, absolute_store

pytestmark = pytest.mark.costly

ROWS = [{"loss": 2.5, "learning_rate": 1e-3}, {"loss": 2.25, "learning_rate": 2e-3, "val_loss": 2.375}, {"loss": 2.0}]
SETTINGS = {"width": 16, "data": "words.txt", "kv_heads": None}
# Their own deprecation warnings are not ours to fix.
theirs = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning")


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory):
    """Return an MLflow database; creating its tables takes seconds."""
    import mlflow

    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow.MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def offline(tmp_path, monkeypatch, empty_database):
    """Enter a folder with an MLflow database, with an empty home directory and no network."""
    shutil.copy(empty_database, tmp_path)
    for name in ("HOME", "WANDB_CONFIG_DIR", "WANDB_CACHE_DIR", "WANDB_DATA_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # Nothing listens on this port.
    for name in ("MLFLOW_TRACKING_URI", "WANDB_MODE", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_rows_are_json_lines_on_disk_as_soon_as_they_are_logged(tmp_path):
    path = tmp_path / "metrics.jsonl"
    with JsonLines(path) as file:
        file.log(1, {"loss": 2.5})
        assert [json.loads(line) for line in path.read_text("utf-8").splitlines()] == [{"step": 1, "loss": 2.5}]
        file.log(2, {"loss": 2.25})
    assert read_rows(path) == [{"step": 1, "loss": 2.5}, {"step": 2, "loss": 2.25}]


def test_resuming_drops_the_rows_after_the_checkpoint_and_a_truncated_line(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text(
        "".join(f'{{"step": {i}, "loss": 1.0}}\n' for i in range(1, 6)) + '{"step": 6, "lo', encoding="utf-8"
    )
    with JsonLines(path, after=3) as file:
        file.log(4, {"loss": 0.5})
    assert [(row["step"], row["loss"]) for row in read_rows(path)] == [(1, 1.0), (2, 1.0), (3, 1.0), (4, 0.5)]
    assert [p.name for p in tmp_path.iterdir()] == ["metrics.jsonl"]


def test_a_missing_file_has_no_rows_and_a_bad_line_is_named(tmp_path):
    assert read_rows(tmp_path / "none.jsonl") == []
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"step": 1}\nnonsense\n{"step": 3}\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"bad\.jsonl, line 2 is not JSON .*delete that line"):
        read_rows(bad)


def log_all(sink):
    for step, row in enumerate(ROWS, 1):
        sink.log(step, {"step": step, **row})


@theirs
def test_mlflow_has_the_settings_and_every_number(offline):
    with MLflowSink("my run", SETTINGS) as sink:
        log_all(sink)
    run = sink.client.get_run(sink.run_id)
    assert (run.info.run_name, run.info.status) == ("my run", "FINISHED")
    assert run.data.params == {"width": "16", "data": "words.txt", "kv_heads": "None"}
    assert set(run.data.metrics) == {"loss", "learning_rate", "val_loss"}
    history = sink.client.get_metric_history(sink.run_id, "loss")
    assert [(point.step, point.value) for point in history] == [(1, 2.5), (2, 2.25), (3, 2.0)]
    assert [point.step for point in sink.client.get_metric_history(sink.run_id, "val_loss")] == [2]
    with contextlib.closing(sqlite3.connect(offline / "mlflow.db")) as database:
        assert database.execute("select count(*) from metrics").fetchone() == (6,)


@theirs
@pytest.mark.parametrize(("error", "status"), [(KeyboardInterrupt, "KILLED"), (ValueError, "FAILED")])
def test_mlflow_records_how_a_run_ended_and_what_it_logged(offline, monkeypatch, error, status):
    elsewhere = shutil.move(offline / "mlflow.db", offline / "elsewhere.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{elsewhere}")
    with pytest.raises(error), MLflowSink("my run", {}) as sink:  # noqa: PT012
        sink.log(1, {"loss": 2.5})
        raise error
    assert sink.client.get_run(sink.run_id).info.status == status
    assert sink.client.get_run(sink.run_id).data.metrics == {"loss": 2.5}
    assert not (offline / "mlflow.db").exists()


@theirs
def test_mlflow_receives_more_metrics_than_fit_into_one_request(offline):
    with MLflowSink("long", {}) as sink:
        for step in range(1, 1101):
            sink.log(step, {"loss": 1 / step})
    assert len(sink.client.get_metric_history(sink.run_id, "loss")) == 1100


def wandb_records(path):
    """Yield the records of an offline run: a LevelDB log with a 7-byte header, in blocks of 32,768 bytes."""
    from wandb.proto import wandb_internal_pb2

    data, place, parts = path.read_bytes(), 7, b""
    while place + 7 <= len(data):
        if 32768 - place % 32768 < 7:
            place += 32768 - place % 32768
            continue
        _, length, kind = struct.unpack("<IHB", data[place : place + 7])
        parts += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # A whole record, or its last part.
            record = wandb_internal_pb2.Record()  # pyright: ignore[reportAttributeAccessIssue]
            record.ParseFromString(parts)
            yield record
            parts = b""


@theirs
def test_wandb_has_the_settings_and_every_number_offline(offline):
    import wandb

    try:
        with WandbSink("my run", SETTINGS, offline) as sink:
            log_all(sink)
    finally:
        wandb.teardown()
    (file,) = (offline / "wandb").glob("offline-run-*/run-*.wandb")
    config, history, codes = {}, [], []
    for record in wandb_records(file):
        config |= {item.key: json.loads(item.value_json) for item in record.run.config.update}
        codes += [record.exit.exit_code] if record.HasField("exit") else []
        if record.HasField("history"):
            items = {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in record.history.item}
            history.append({key: value for key, value in items.items() if not key.startswith("_")})
            assert record.history.step.num == len(history)
    assert {key: config[key] for key in SETTINGS} == SETTINGS
    assert history == ROWS
    assert codes == [0]


def enter_folders(offline, monkeypatch, number=3):
    """Enter one new folder after the other, each with an empty MLflow database."""
    for i in range(number):
        folder = offline / f"folder{i}"
        folder.mkdir()
        shutil.copy(offline / "mlflow.db", folder)
        monkeypatch.chdir(folder)
        yield folder


@theirs
@pytest.mark.parametrize("way", ["default", "environment", "argument"])
def test_three_folders_in_one_process_have_a_database_each(offline, monkeypatch, way):
    if way == "environment":
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")
    store = "sqlite:///mlflow.db" if way == "argument" else None
    sinks = []
    for folder in enter_folders(offline, monkeypatch):
        sinks.append(MLflowSink(folder.name, {}, store))
        sinks[-1].log(1, {"loss": 2.0})
    for sink in sinks:  # They are open at the same time, and end in another folder than they began in.
        sink.__exit__(None)
    for i in range(3):
        with contextlib.closing(sqlite3.connect(offline / f"folder{i}" / "mlflow.db")) as database:
            assert database.execute("select name from runs").fetchall() == [(f"folder{i}",)]
            assert database.execute("select count(*) from metrics").fetchone() == (1,)
    assert sorted(p.name for p in offline.glob("folder*/*")) == ["mlflow.db"] * 3


@theirs
@pytest.mark.parametrize("way", ["default", "environment", "argument"])
def test_wandb_writes_into_the_folder_where_each_run_starts(offline, monkeypatch, way):
    import wandb

    if way == "environment":
        monkeypatch.setenv("WANDB_DIR", "logs")
    try:
        for folder in enter_folders(offline, monkeypatch):
            (folder / "logs").mkdir()
            with WandbSink(folder.name, {}, Path("logs") if way == "argument" else None) as sink:
                sink.log(1, {"loss": 2.0})
    finally:
        wandb.teardown()
    place = "wandb" if way == "default" else "logs/wandb"
    for i in range(3):
        assert len(list((offline / f"folder{i}" / place).glob("offline-run-*/run-*.wandb"))) == 1


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("sqlite:///a/b.db", "sqlite:///HERE/a/b.db"),
        ("sqlite:////tmp/b.db", "sqlite:////tmp/b.db"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("mlruns", "HERE/mlruns"),
        ("./mlruns", "HERE/mlruns"),
        ("/data/mlruns", "/data/mlruns"),
        ("file:mlruns", "file:HERE/mlruns"),
        ("file:///data/mlruns", "file:///data/mlruns"),
        ("http://localhost:5000", "http://localhost:5000"),
        ("https://mlflow.example.org/x", "https://mlflow.example.org/x"),
        ("postgresql://user@host/db", "postgresql://user@host/db"),
        ("databricks", "databricks"),
        ("databricks://profile", "databricks://profile"),
    ],
)
def test_a_relative_store_starts_at_the_current_folder(uri, path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert absolute_store(uri) == path.replace("HERE", tmp_path.as_posix())


@theirs
def test_a_tracker_has_the_same_metrics_as_metrics_jsonl(finished, offline):
    result, recorder = finished
    with TRACKERS["mlflow"]("tiny", {}) as sink:
        for step, values in recorder:
            sink.log(step, values)
    for name in ("loss", "val_loss", "gradient_norm", "learning_rate"):
        tracked = [(point.step, point.value) for point in sink.client.get_metric_history(sink.run_id, name)]
        assert tracked == [(row["step"], row[name]) for row in read_rows(result.out / "metrics.jsonl") if name in row]


@pytest.mark.parametrize(("tracker", "package"), [("mlflow", "mlflow"), ("wandb", "wandb"), ("mlflow", "sqlalchemy")])
@theirs
def test_a_missing_package_is_one_line_with_the_command(tracker, package, offline, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"needs the package {package}, .*minitorch-course\[tracking\]") as raised:
        TRACKERS[tracker]("my run", {})
    assert "\n" not in str(raised.value)


def test_tracking_is_imported_only_when_it_is_used():
    code = "import sys, minitorch.train, minitorch.cli.train; print({'mlflow', 'wandb'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == "set()\n"
