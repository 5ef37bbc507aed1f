"""The compound scaling surrogate: what it says, what it refuses, and that its file is what the fit gives."""

import json
from pathlib import Path

import pytest

from autoglyph.child_programs import fit_compound_scaling as fitting
from autoglyph.child_programs.compound_scaling import Multipliers, built_multipliers, load_scaling_surrogate
from autoglyph.search_spaces.architectures.efficientnet_family import COMPOUND, efficientnet

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT.parent / "shared" / "reference" / "model_params_flops.csv"
SHIPPED = ROOT / "child_programs" / "compound_scaling.json"


def rows() -> list[fitting.PublishedRow]:
    if not TABLE.exists():
        pytest.skip("needs ../shared/reference/model_params_flops.csv: absent")
    return fitting.read_rows(TABLE)


def test_the_shipped_coefficients_and_errors_are_those_of_the_fit() -> None:
    shipped = json.loads(SHIPPED.read_text(encoding="utf-8"))
    fitted = fitting.fit(rows(), tuple(shipped["exponents"].values()))
    for name, value in shipped.items():
        expected = value if not isinstance(value, dict) else {k: pytest.approx(v, rel=1e-3) for k, v in value.items()}
        assert fitted[name] == expected, name


@pytest.mark.slow
def test_the_shipped_exponents_have_the_least_leave_one_out_error() -> None:
    shipped = load_scaling_surrogate()
    assert fitting.choose_exponents(rows()) == tuple(shipped.exponents.values())


def test_every_published_efficientnet_is_predicted_within_a_point() -> None:
    surrogate = load_scaling_surrogate()
    members = [row for row in rows() if row.family == "EfficientNet"]
    assert len(members) == 8
    for row in members:
        assert surrogate.top1(Multipliers(*row.multipliers)) == pytest.approx(100 * (1 - row.error), abs=1.0)


def test_returns_diminish_in_every_dimension() -> None:
    surrogate = load_scaling_surrogate()
    for name in ("depth", "width", "resolution"):
        one, two, three = (
            surrogate.top1(Multipliers(**{"depth": 1.0, "width": 1.0, "resolution": 1.0, name: x}))
            for x in (1.0, 1.5, 2.0)
        )
        assert two - one > three - two > 0


def test_multipliers_are_those_of_the_network_as_built() -> None:
    assert built_multipliers(efficientnet(COMPOUND[0])) == Multipliers(1.0, 1.0, 1.0)
    assert built_multipliers(efficientnet(COMPOUND[1])).depth == 23 / 16  # ceil(1.1 repeats) of 1, 2, 2, 3, 3, 4, 1


@pytest.mark.parametrize(
    ("multipliers", "name"),
    [
        (Multipliers(9.0, 1.0, 1.0), "depth"),
        (Multipliers(1.0, 2.2, 1.0), "width"),
        (Multipliers(1.0, 1.0, 3.0), "resolution"),
        (Multipliers(0.9, 1.0, 1.0), "depth"),
    ],
)
def test_extrapolation_is_refused_in_one_sentence(multipliers: Multipliers, name: str) -> None:
    surrogate = load_scaling_surrogate()
    assert not surrogate.covers(multipliers)
    with pytest.raises(ValueError, match=f"covers {name} multipliers from") as refusal:
        surrogate.top1(multipliers)
    assert str(refusal.value).count(".\n") == 0


def test_unknown_families_and_files_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="Unknown scaling family 'ResNeXt'"):
        load_scaling_surrogate().top1(Multipliers(1.0, 1.0, 1.0), "ResNeXt")
    assert fitting.main([str(tmp_path / "absent.csv")]) == 2
    other = tmp_path / "other.csv"
    other.write_text("model,top1\n", encoding="utf-8")
    assert fitting.main([str(other)]) == 2
    assert "has no columns resolution, status" in capsys.readouterr().err
