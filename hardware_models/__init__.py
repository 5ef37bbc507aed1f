"""What an architecture costs on a chip: workloads, devices, the roofline model and its calibration."""

from autoglyph.hardware_models.calibration import calibrate, leave_one_out
from autoglyph.hardware_models.device import Device
from autoglyph.hardware_models.device_file import available_devices, load_device
from autoglyph.hardware_models.measured import MeasuredTable, read_table
from autoglyph.hardware_models.pair_cost import PairCost
from autoglyph.hardware_models.population import PopulationCost
from autoglyph.hardware_models.roofline import Cost, estimate
from autoglyph.hardware_models.workload import Workload, record

__all__ = [
    "Cost",
    "Device",
    "MeasuredTable",
    "PairCost",
    "PopulationCost",
    "Workload",
    "available_devices",
    "calibrate",
    "estimate",
    "leave_one_out",
    "load_device",
    "read_table",
    "record",
]
