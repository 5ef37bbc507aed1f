"""What an architecture costs on a chip: workloads, devices and the roofline model."""

from autoglyph.hardware_models.device import Device
from autoglyph.hardware_models.device_file import available_devices, load_device
from autoglyph.hardware_models.population import PopulationCost
from autoglyph.hardware_models.roofline import Cost, estimate
from autoglyph.hardware_models.workload import Workload, record

__all__ = [
    "Cost",
    "Device",
    "PopulationCost",
    "Workload",
    "available_devices",
    "estimate",
    "load_device",
    "record",
]
