# SPDX-License-Identifier: GPL-3.0-or-later
"""What people see; one folder for each toolkit."""

__all__: list[str] = []
