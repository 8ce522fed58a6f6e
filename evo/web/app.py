"""The lab over HTTP: pages, their modules and styles, questions, and a stream of changes."""

import asyncio
import json
from collections.abc import AsyncIterator
from importlib.resources import files
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from evo.web.questions import Lab, RefusedError
from evo.web.safety import Guard

VIEWS = {
    "": "runs",
    "run": "run",
    "bench": "bench",
    "compare": "compare",
    "study": "study",
    "new": "new",
}  # address: module of the view
TYPES = {"js": "text/javascript", "css": "text/css", "html": "text/html", "svg": "image/svg+xml"}
FOLDERS = {"page": files("evo.inspect") / "web", "lab": files("evo.web") / "static"}  # where modules and styles lie
EVERY_S, ALIVE_S = 0.25, 15.0


def application(lab: Lab, token: str, hosts: list[str]) -> Guard:
    """The ASGI application; it answers under /TOKEN/ alone."""

    async def view(request: Request) -> Response:
        name = request.path_params.get("view", "")
        if name not in VIEWS:
            raise HTTPException(404, f"There is no view {name!r}; the runs are at the address that evo lab printed.")
        shell = _file("lab", "lab.html").decode().replace("$module", VIEWS[name])
        return Response(shell, media_type="text/html")

    async def file(request: Request) -> Response:
        folder, name = request.path_params["folder"], request.path_params["name"]
        if folder not in FOLDERS or "/" in name or name.startswith("."):
            raise HTTPException(404, "There is no such file.")
        return Response(_file(folder, name), media_type=TYPES.get(name.rpartition(".")[2], "text/plain"))

    async def question(request: Request) -> Response:
        try:
            arguments = json.loads(await request.body())
        except (ValueError, RecursionError):
            return JSONResponse({"error": "a question is a JSON object"}, 400)
        try:
            answer = await run_in_threadpool(lab.answer, request.path_params["question"], arguments)
        except RefusedError as error:
            return JSONResponse({"error": str(error), "place": error.place}, 422)
        return Response(_dumped(answer), media_type="application/json")

    async def events(request: Request) -> Response:
        since = request.query_params.get("since", "0")
        version = int(since) if since.isdigit() else 0
        return StreamingResponse(_changes(lab, version), media_type="text/event-stream")

    routes = [
        Route("/{token}/", view),
        Route("/{token}/events", events),
        Route("/{token}/ask/{question:path}", question, methods=["POST"]),
        Route("/{token}/{view}", view),
        Route("/{token}/{folder}/{name}", file),
    ]
    return Guard(Starlette(routes=routes, exception_handlers={HTTPException: _error_text}), token, hosts)


async def _changes(lab: Lab, version: int) -> AsyncIterator[str]:
    """Rows of the table of runs as they change, as server-sent events."""
    quiet = 0.0
    while True:
        update = lab.runs.changed(version)
        if update["version"] != version:
            version, quiet = update["version"], 0.0
            yield f"data: {_dumped(update)}\n\n"
        elif quiet >= ALIVE_S:
            quiet = 0.0
            yield ": alive\n\n"
        await asyncio.sleep(EVERY_S)
        quiet += EVERY_S


async def _error_text(_request, error):
    return Response(f"{error.detail}\n", error.status_code, media_type="text/plain")


def _file(folder, name):
    try:
        return (FOLDERS[folder] / name).read_bytes()
    except (OSError, ValueError):
        raise HTTPException(404, "There is no such file.") from None


def _dumped(answer: Any) -> str:
    return json.dumps(answer, separators=(",", ":"), allow_nan=False)
