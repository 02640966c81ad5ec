"""Whether a server answers, asked once and with a patience of our own: libraries wait for minutes."""

import threading
import urllib.error
import urllib.request


def answers(url: str, *, timeout_s: float) -> bool:
    """Whether anything answers at an address, by way of the proxies that are set; an error page is an answer.

    Args:
        url: the address.
        timeout_s: how long to wait at most, in seconds, looking up the name included.
    """
    done, answered = threading.Event(), []

    def knock() -> None:
        try:
            request = urllib.request.Request(url, method="HEAD")
            urllib.request.build_opener().open(request, timeout=timeout_s).close()
            answered.append(True)
        except urllib.error.HTTPError:
            answered.append(True)
        except (OSError, ValueError):
            pass
        done.set()

    # in a thread, because a name server that hangs is not covered by the timeout of the connection
    threading.Thread(target=knock, daemon=True).start()
    done.wait(timeout_s)
    return bool(answered)
