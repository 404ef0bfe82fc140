"""A saved fit that is not what was written is refused by name, wherever the damage is; what others add is theirs."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray as xr

import bayesmixed as bm
from bayesmixed.errors import DataError
from bayesmixed.interop import digests, netcdf

DAMAGE = 200  # bytes


@cache
def model() -> bm.Model:
    sleep = bm.load_data("sleepstudy")
    return bm.Model("Reaction ~ Days + (Days | Subject)", sleep.assign(Subject="s" + sleep["Subject"].astype(str)))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return model().fit("reml").save(tmp_path / "fit.nc")


def overwritten(path: Path, at: int, new: bytes) -> None:
    content = bytearray(path.read_bytes())
    content[at : at + len(new)] = new[: max(0, len(content) - at)]
    path.write_bytes(content)


def without_seal(path: Path) -> None:
    """As any program leaves it that opens the file to write."""
    with h5py.File(path, "r+"):
        pass


@pytest.mark.parametrize("place", np.linspace(0.01, 0.99, 15).tolist())
def test_two_hundred_bytes_anywhere_are_noticed(saved: Path, place: float) -> None:
    overwritten(saved, int(place * saved.stat().st_size), np.random.default_rng(1).bytes(DAMAGE))
    with pytest.raises(DataError, match=r"fit\.nc' is damaged: .* Load another copy"):
        bm.load(saved)


def test_one_bit_is_noticed(saved: Path) -> None:
    middle = saved.stat().st_size // 2
    overwritten(saved, middle, bytes([saved.read_bytes()[middle] ^ 1]))
    with pytest.raises(DataError, match="is damaged"):
        bm.load(saved)


def test_draws_are_as_well_guarded(tmp_path: Path) -> None:
    path = model().fit(bm.Laplace(draws=100), seed=1).save(tmp_path / "draws.nc")
    bm.load(path)
    overwritten(path, path.stat().st_size // 2, bytes(range(DAMAGE)))
    with pytest.raises(DataError, match=r"draws\.nc' is damaged"):
        bm.load(path)


def test_a_file_cut_short_is_noticed(saved: Path) -> None:
    saved.write_bytes(saved.read_bytes()[: saved.stat().st_size // 2])
    with pytest.raises(DataError, match="is damaged"):
        bm.load(saved)


@pytest.mark.parametrize("name", ["coefficients", "roots_0", "b_0"])
def test_numbers_that_another_program_changed_are_noticed(saved: Path, name: str) -> None:
    with h5py.File(saved, "r+") as file:
        file["estimates"][name][...] *= 1.0 + 1e-15
    with pytest.raises(DataError, match="its part 'estimates' is not what was written"):
        bm.load(saved)


def test_rows_that_another_program_changed_are_noticed(saved: Path) -> None:
    with h5py.File(saved, "r+") as file:
        file[netcdf.OWN_GROUP]["column_0"][0] += 1.0
    with pytest.raises(DataError, match=f"its part '{netcdf.OWN_GROUP}' is not what was written"):
        bm.load(saved)


def test_a_description_that_another_program_changed_is_noticed(saved: Path) -> None:
    with h5py.File(saved, "r+") as file:
        own = file[netcdf.OWN_GROUP].attrs
        own["json"] = own["json"].replace("Days", "Dais")
    with pytest.raises(DataError, match="its description of the model is not what was written"):
        bm.load(saved)


def test_a_part_that_is_missing_is_noticed(saved: Path) -> None:
    with h5py.File(saved, "r+") as file:
        del file["estimates"]
    with pytest.raises(DataError, match="its part 'estimates' is missing"):
        bm.load(saved)


def test_a_group_that_another_program_added_does_no_harm(saved: Path) -> None:
    xr.Dataset({"x": ("i", [1.0, 2.0])}).to_netcdf(saved, group="mine", mode="a", engine="h5netcdf")
    assert bm.load(saved).loglik == model().fit("reml").loglik


def test_numbers_carry_the_checksums_of_the_format(saved: Path) -> None:
    with h5py.File(saved) as file:
        assert file["estimates"]["coefficients"].fletcher32
        assert file[netcdf.OWN_GROUP]["column_0"].fletcher32


def test_files_without_digests_are_of_the_format_before_and_load(saved: Path) -> None:
    with h5py.File(saved, "r+") as file:
        own = file[netcdf.OWN_GROUP].attrs
        content = json.loads(own["json"])
        del content["digests"]
        own["json"] = json.dumps(content | {"format": 1})
        del own["json_digest"]
    assert bm.load(saved).loglik == model().fit("reml").loglik


def test_a_file_too_large_for_the_memory_is_not_called_damaged(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(xr, "open_datatree", full)
    with pytest.raises(MemoryError):
        bm.load(saved)


@pytest.mark.parametrize("content", [b"", b"Reaction,Days\n1,2\n", b"CDF\x01 classic NetCDF"])
def test_what_is_no_such_file_is_told_from_a_damaged_one(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.nc"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"other\.nc' is not a NetCDF file as fit\.save writes them"):
        bm.load(path)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a folder: give the file"):
        bm.load(tmp_path)


def test_missing_numbers_of_any_kind_are_one() -> None:
    """A file may come back with another NaN, in other widths, and is the same."""
    odd = np.array([1.0, np.nan], dtype="<f8")
    odd.view("<u8")[1] |= 1
    wide, narrow = xr.Dataset({"x": ("i", odd)}), xr.Dataset({"x": ("i", np.array([1.0, np.nan], dtype="<f4"))})
    assert digests.of_dataset(wide) == digests.of_dataset(narrow)


def test_a_seal_that_is_gone_is_no_damage(saved: Path) -> None:
    without_seal(saved)
    assert not digests.broken(saved)
    assert bm.load(saved).loglik == model().fit("reml").loglik
