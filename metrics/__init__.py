"""sysmon's app: it records a host and serves what it has recorded."""

# The one place of it: pyproject.toml, `--version`, the API, /metrics, the page and the OpenAPI document read it here.
__version__ = "0.1.0"
