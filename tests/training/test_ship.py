from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from corpus.embedding import BUILT_IN, locate
from corpus.errors import ModelError
from rag.network import build, load
from training.reader import ship as shipping
from training.reader.ship import ship


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training run that stopped at step 7."""
    folder = tmp_path_factory.mktemp("run")
    torch.manual_seed(3)
    save_file(build(locate(BUILT_IN)).trained(), folder / "weights.safetensors")
    torch.save({"step": 7}, folder / "state.pt")
    return folder


@pytest.fixture(scope="module")
def shipped(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("shipped") / "models" / "reader.safetensors"
    assert ship(run / "weights.safetensors", target) == target.stat().st_size
    return target


def test_weights_ship_in_half_precision_and_nearly_as_they_were(run: Path, shipped: Path) -> None:
    assert {w.dtype for w in load_file(shipped).values()} == {torch.float16}
    assert shipped.stat().st_size < 25_000_000
    wanted = load(run / "weights.safetensors").trained()
    for name, weight in load(shipped).trained().items():
        torch.testing.assert_close(weight, wanted[name], atol=1e-3, rtol=1e-3)


def test_the_file_says_what_made_it(shipped: Path) -> None:
    with safe_open(shipped, "numpy") as file:
        about = json.loads(file.metadata()["about"])
    assert about["made_by"] == "python -m training.reader.train"
    assert (about["encoder"], about["steps"]) == (BUILT_IN, 7)
    assert all("(" in data for data in about["data"])  # each with its licence


def test_the_same_weights_make_the_same_file(run: Path, shipped: Path, tmp_path: Path) -> None:
    ship(run / "weights.safetensors", tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == shipped.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["again"]


def test_steps_that_are_not_known_are_not_told(shipped: Path) -> None:
    assert shipping.about(shipped)["steps"] is None


def test_weights_of_another_network_are_refused(tiny_weights: Path, tmp_path: Path) -> None:
    target = tmp_path / "reader.safetensors"
    target.write_bytes(b"as it was")
    with pytest.raises(ModelError, match="another network"):
        ship(tiny_weights, target)
    assert target.read_bytes() == b"as it was"


def test_a_file_too_large_is_refused(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipping, "LARGEST", 20_000_000)
    with pytest.raises(ModelError, match="22 MB, and 20 fit"):
        ship(run / "weights.safetensors", tmp_path / "reader.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_numbers_too_large_for_half_precision_are_refused(run: Path, tmp_path: Path) -> None:
    weights = load_file(run / "weights.safetensors")
    weights["token.bias"][1] = 1e6
    save_file(weights, tmp_path / "wild.safetensors")
    with pytest.raises(ModelError, match=r"token\.bias"):
        ship(tmp_path / "wild.safetensors", tmp_path / "reader.safetensors")
    assert not (tmp_path / "reader.safetensors").exists()


def test_the_command_says_what_it_wrote(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shipping, "WEIGHTS", tmp_path / "reader.safetensors")
    monkeypatch.setattr("sys.argv", ["ship", str(run / "weights.safetensors")])
    shipping.main()
    said = capsys.readouterr().out
    assert said.startswith(f"{tmp_path / 'reader.safetensors'}: 21.6 MB")
    assert '"steps": 7' in said
