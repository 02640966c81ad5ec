"""Probe a server with a short timeout, because libraries wait for minutes."""

import http.client
import ssl
import threading
import urllib.error
import urllib.request


def answers(url: str, *, timeout_s: float) -> bool:
    """Whether anything answers at an address, through the configured proxies.

    An error page counts as an answer, and so does a certificate that Python does not trust: other libraries have their
    own certificate stores, and if they do not trust it either, they report it properly.

    Args:
        url: the address.
        timeout_s: the longest time to wait, in seconds, including the name lookup.
    """
    done, answered = threading.Event(), []

    def probe() -> None:
        try:
            request = urllib.request.Request(url, method="HEAD")
            urllib.request.build_opener().open(request, timeout=timeout_s).close()
            answered.append(True)
        except (urllib.error.HTTPError, http.client.HTTPException):  # the latter: what answers does not speak HTTP
            answered.append(True)
        except (OSError, ValueError) as error:
            if _is_of_tls(error):
                answered.append(True)
        done.set()

    # in a thread, because the connection's timeout does not cover a name server that hangs
    threading.Thread(target=probe, daemon=True).start()
    done.wait(timeout_s)
    return bool(answered)


def _is_of_tls(error: Exception) -> bool:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    return isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError)  # EOF: nothing answered
