"""Probe a server with a short timeout of our own: libraries wait for minutes."""

import ssl
import threading
import urllib.error
import urllib.request


def answers(url: str, *, timeout_s: float) -> bool:
    """Whether anything answers at an address, by way of the proxies that are set.

    An error page is an answer, and so is a certificate that Python does not trust: other libraries have stores of
    their own, and where they do not trust it either, their message is the right one.

    Args:
        url: the address.
        timeout_s: how long to wait at most, in seconds, looking up the name included.
    """
    done, answered = threading.Event(), []

    def probe() -> None:
        try:
            request = urllib.request.Request(url, method="HEAD")
            urllib.request.build_opener().open(request, timeout=timeout_s).close()
            answered.append(True)
        except urllib.error.HTTPError:
            answered.append(True)
        except (OSError, ValueError) as error:
            if _is_of_tls(error):
                answered.append(True)
        done.set()

    # in a thread, because a name server that hangs is not covered by the timeout of the connection
    threading.Thread(target=probe, daemon=True).start()
    done.wait(timeout_s)
    return bool(answered)


def _is_of_tls(error: Exception) -> bool:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    return isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError)  # that one is a closed door
