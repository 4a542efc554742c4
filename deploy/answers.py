"""Whether an address answers with one of some statuses: `python answers.py URL STATUS…` exits with 0 or 1.

For the health checks of containers, whose image has no curl; nothing but the standard library, so that it is cheap.
"""

import http.client
import sys
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 3.0


def main(url: str, *wanted: str) -> str | None:
    """What is wrong, None where nothing is."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", parts.path or "/")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"{url}: {error}"
    finally:
        connection.close()
    return None if str(status) in wanted else f"{url} answered {status}"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
