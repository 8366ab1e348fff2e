import os
import shutil

import jax.numpy as jnp
import numpy as np
import pytest

from minitorch.train import checkpoint

ARRAYS = {
    "step": np.int32(7),
    "weights": np.linspace(-1, 1, 3000, dtype=np.float32),
    "optimizer.0.mu": np.asarray(jnp.arange(6, dtype=jnp.bfloat16).reshape(2, 3)),
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Return a folder with the checkpoints of steps 3 and 7."""
    folder = tmp_path_factory.mktemp("run") / "checkpoints"
    for step in (3, 7):
        checkpoint.save(folder, step, ARRAYS)
    return folder


def files_of(path):
    return sorted(p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file())


def test_restore_returns_the_saved_arrays_bit_for_bit(saved):
    restored = checkpoint.restore(saved, 7)
    assert restored.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(restored[name], array)
    assert restored["weights"].dtype == np.float32
    assert restored["optimizer.0.mu"].dtype == jnp.bfloat16


def test_only_the_last_three_checkpoints_are_kept(tmp_path):
    for step in (1, 2, 10, 9, 11):
        checkpoint.save(tmp_path, step, {"weights": np.zeros(2)})
    assert checkpoint.steps(tmp_path) == [9, 10, 11]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["00000009", "00000010", "00000011"]


def test_a_failed_save_keeps_the_earlier_checkpoints_and_the_next_save_removes_its_files(saved, tmp_path, monkeypatch):
    folder = shutil.copytree(saved, tmp_path / "checkpoints")
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "_checksums", lambda path: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            checkpoint.save(folder, 9, ARRAYS)
    assert (folder / checkpoint.UNFINISHED).is_dir()
    assert checkpoint.steps(folder) == [3, 7]
    checkpoint.save(folder, 9, ARRAYS)
    assert sorted(p.name for p in folder.iterdir()) == ["00000003", "00000007", "00000009"]


def truncate(path):
    os.truncate(path, path.stat().st_size // 2)


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [truncate, flip_a_bit, os.remove])
def test_damage_to_any_file_raises_one_error_that_names_the_checkpoint_to_resume_from(saved, tmp_path, damage):
    for name in files_of(saved / "00000007"):
        folder = shutil.copytree(saved, tmp_path / name.replace("/", "-"))
        damage(folder / "00000007" / name)
        with pytest.raises(ValueError, match="is damaged") as error:
            checkpoint.restore(folder, 7)
        assert str(folder / "00000007") in str(error.value)
        assert f"remove that folder, and the run resumes from {folder / '00000003'}" in str(error.value)


def test_damage_to_the_only_checkpoint_says_that_the_run_starts_from_the_beginning(tmp_path):
    checkpoint.save(tmp_path, 5, ARRAYS)
    truncate(tmp_path / "00000005" / "manifest.ocdbt")
    with pytest.raises(ValueError, match="the run starts from the beginning"):
        checkpoint.restore(tmp_path, 5)


def test_a_missing_checkpoint_is_named_with_the_existing_steps(saved):
    with pytest.raises(FileNotFoundError, match=r"no checkpoint .*00000005: .* \[3, 7\]"):
        checkpoint.restore(saved, 5)
    assert checkpoint.steps(saved / "nowhere") == []
