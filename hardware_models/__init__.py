"""What an architecture costs on a chip: workloads, devices and the roofline model."""
