"""Access to the lab: only with its token, and from the address at which it was opened.

The token is the first part of every address, so that links, scripts and streams carry it and no cookie is needed. A stranger's
page in the same browser does not know it; should it learn one, it is refused by the headers Host (DNS rebinding) and Origin (a
form or script of another site). Answers carry a policy by which the browser runs only the lab's own scripts, and tells no
other site the address.
"""

import hmac
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
LARGEST = 16_000_000  # bytes of a question


class Guard:
    """ASGI middleware that passes only allowed requests; `hosts`: the allowed values of Host, such as "127.0.0.1:8642"."""

    def __init__(self, app: ASGIApp, token: str, hosts: Iterable[str]):
        self.app, self.token, self.hosts = app, token, frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send):
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        refusal = self._refusal(scope)

        async def answered(message: Message):
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        await (self.app if refusal is None else refusal)(scope, receive, answered)

    def _refusal(self, scope):
        headers = Headers(scope=scope)
        if headers.get("host") not in self.hosts:
            return _refused(421, "The lab answers only at the address that evo lab printed.")
        origin = headers.get("origin")
        if origin is not None and origin.removeprefix("http://") not in self.hosts:
            return _refused(403, "Another site's page asked the lab; that is refused.")
        token = scope["path"].split("/")[1]
        if not hmac.compare_digest(token.encode(), self.token.encode()):
            return _refused(
                403, "This address lacks the token of the lab that runs now: open the address that evo lab printed."
            )
        if scope["method"] == "POST":
            if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
                return _refused(415, "Questions are asked in JSON.")
            length = headers.get("content-length", "")
            if not length.isdigit() or int(length) > LARGEST:
                return _refused(413, f"A question has at most {LARGEST:,} bytes.")
        return None


def _refused(status, text):
    return PlainTextResponse(text + "\n", status)
