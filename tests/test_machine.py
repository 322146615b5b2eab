"""The machine record: the CPU quota of made-up control groups, and the precision."""

import pytest

from crossover.measure.machine import quota_cores, snapshot, throttled_periods


def write(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return root


@pytest.mark.parametrize(
    ("own", "files", "quota", "throttled"),
    [
        ("", {}, None, None),
        ("0::/", {"cpu.max": "max 100000", "cpu.stat": "usage_usec 9"}, None, None),
        (
            "0::/",
            {"cpu.max": "150000 100000", "cpu.stat": "nr_periods 9\nnr_throttled 4"},
            1.5,
            4,
        ),
        (
            "0::/a/b",
            {
                "a/cpu.max": "50000 100000",
                "a/cpu.stat": "nr_throttled 3",
                "a/b/cpu.max": "200000 100000",
                "a/b/cpu.stat": "nr_throttled 0",
            },
            0.5,
            3,
        ),
        (
            "1:cpu:/\n0::/",
            {
                "cpu/cpu.cfs_quota_us": "-1",
                "cpu/cpu.cfs_period_us": "100000",
                "cpu/cpu.stat": "nr_periods 0\nnr_throttled 0\nthrottled_time 0",
            },
            None,
            0,
        ),
        (
            "4:cpu,cpuacct:/docker/1\n3:memory:/x",  # the container sees its own root
            {
                "cpu,cpuacct/cpu.cfs_quota_us": "250000",
                "cpu,cpuacct/cpu.cfs_period_us": "100000",
                "cpu,cpuacct/cpu.stat": "nr_throttled 12",
            },
            2.5,
            12,
        ),
        (
            "4:cpu,cpuacct:/job",
            {
                "cpu,cpuacct/job/cpu.cfs_quota_us": "100000",
                "cpu,cpuacct/job/cpu.cfs_period_us": "50000",
                "cpu,cpuacct/job/cpu.stat": "nr_throttled 2",
            },
            2.0,
            2,
        ),
        ("0::/../outside", {"cpu.max": "garbled"}, None, None),
    ],
)
def test_quota_and_throttling_of_control_groups(tmp_path, own, files, quota, throttled):
    root = write(
        tmp_path,
        {"own": own, "groups/x": ""} | {f"groups/{k}": v for k, v in files.items()},
    )
    groups = root / "groups"
    assert quota_cores(groups, root / "own") == quota
    assert throttled_periods(groups, root / "own") == throttled


def test_products_are_pinned_to_full_float32_and_recorded(monkeypatch):
    """The variable, which would allow TF32, is not passed on."""
    monkeypatch.setenv("TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "1")
    found = snapshot()
    assert found.threads["products"] == {"float32_matmul_precision": "highest"}
    assert found.left_out["TORCH_ALLOW_TF32_CUBLAS_OVERRIDE"] == "1"


def test_a_linked_controller_is_counted_once(tmp_path):
    write(
        tmp_path, {"cpu,cpuacct/cpu.stat": "nr_throttled 5", "own": "1:cpu,cpuacct:/"}
    )
    (tmp_path / "cpu").symlink_to("cpu,cpuacct")
    assert throttled_periods(tmp_path, tmp_path / "own") == 5
