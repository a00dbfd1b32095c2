# SPDX-License-Identifier: GPL-2.0-or-later
"""What `make bench` measures: a module each, with a function measure(figures)."""
