"""Django's backend for SQLite, which notices that its file was removed, replaced or damaged."""
