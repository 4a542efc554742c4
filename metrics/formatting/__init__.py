"""Moments, units and tables as people read them."""
