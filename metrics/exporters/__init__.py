"""Samples in the formats of other programs, read through history."""
