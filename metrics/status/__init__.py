"""Is it working, what does it cost, how far behind is a destination."""
