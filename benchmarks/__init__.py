"""Measurements of the hot paths: `make bench`. Each is a ratio against a floor in the same run, or a rate; medians."""
