"""The REST API: reads the history, never samples, never writes."""
