"""What can be relied on, measured: hostile bytes, faults, other software, other machines."""
