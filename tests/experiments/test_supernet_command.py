"""`autoglyph supernet`, and a search whose children begin with its weights."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.slow
def test_one_set_of_weights_serves_a_policy_and_then_any_algorithm(run_cli) -> None:  # type: ignore[no-untyped-def]
    options = ["--method", "policy", "--steps", "4", "--target-ms", "10", "--output", "cells.npz", "--json"]
    found = run_cli("supernet", "nasbench201_trained", *options).json
    assert Path("cells.npz").is_file() and found["weights"] > 1000
    assert set(found["decisions"]) == {f"edges[{i}]" for i in range(6)}
    recorded = run_cli("show", found["run"], "0", "--json").json
    assert recorded["metrics"]["top1"] == pytest.approx(found["top1"])

    settings = ["--set", "program.shared_weights=cells.npz", "--set", "program.epochs=[0]"]
    search = ["--algorithm", "random", "--trials", "2", "--run", "inherited", *settings, "--json"]
    result = run_cli("search", "nasbench201_trained", *search)
    assert result.code == 0 and result.json["trials"] == 2
    shown = run_cli("show", "inherited", "1", "--json").json
    assert shown["status"] == "completed" and "train_loss" not in shown["metrics"]


def test_wishes_that_do_not_fit_are_refused(run_cli) -> None:  # type: ignore[no-untyped-def]
    for arguments, reason in [
        (["nasbench201_trained", "--output", "w.npz", "--method", "gradent"], "gradient"),
        (["nasbench201_trained", "--output", "w.keras"], ".npz"),
        (["nasbench201_trained", "--output", "w.npz", "--target-ms", "1"], "leave --target-ms out"),
        (["nasbench201_trained", "--output", "none/w.npz"], "There is no folder"),
        (["nasbench201", "--output", "w.npz"], "trains no image networks"),
    ]:
        refused = run_cli("supernet", *arguments)
        assert refused.code == 2 and reason in refused.err, (arguments, refused.err)
    assert not Path("w.npz").exists()
