"""Who may ask the lab, and what its answers let a browser do."""

import json
import re

import pytest

pytest.importorskip("httpx", reason="no httpx: pip install 'evocircuits[test]'")
testclient = pytest.importorskip("starlette.testclient", reason="no Starlette: pip install 'evocircuits[lab]'")

from evo.web.app import FOLDERS, application  # noqa: E402
from tests.evo.web.conftest import TOKEN  # noqa: E402

HOST = "127.0.0.1:8642"
MARKUP = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function"


@pytest.fixture(scope="module")
def client(shared):
    return testclient.TestClient(application(shared, TOKEN, [HOST]), base_url=f"http://{HOST}")


def ask(client, question="runs", said=None, **headers):
    return client.post(
        f"/{TOKEN}/ask/{question}", content=json.dumps(said or {}), headers={"Content-Type": "application/json"} | headers
    )


def test_who_knows_the_token_is_answered(client):
    assert {row["name"] for row in ask(client).json()["rows"]} == {"gate-3", "gate-4", "own"}
    assert client.get(f"/{TOKEN}/").status_code == 200


@pytest.mark.parametrize("path", ["/", "/wrong/", "/wrong/ask/runs", "//", f"/{TOKEN}x/", "/%2e%2e/", f"/x/../{TOKEN}x/"])
def test_a_wrong_token_is_refused(client, path):
    for answer in (client.get(path), client.post(path, json={})):
        assert answer.status_code == 403
        assert "token" in answer.text


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8642", "127.0.0.1", "127.0.0.1:1", "localhost.evil:8642", ""])
def test_a_host_that_is_not_the_labs_is_refused(client, host):
    assert client.get(f"/{TOKEN}/", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", f"https://{HOST}", "http://127.0.0.1:1", f"http://{HOST}.evil"]
)
def test_another_sites_page_is_refused(client, origin):
    assert ask(client, Origin=origin).status_code == 403
    assert ask(client, Origin=f"http://{HOST}").status_code == 200


def test_a_form_of_another_site_cannot_ask(client):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        assert client.post(f"/{TOKEN}/ask/runs", content=b"{}", headers={"Content-Type": kind}).status_code == 415
    assert client.get(f"/{TOKEN}/ask/runs").status_code == 404


def test_no_more_is_read_than_a_question_has(client):
    huge = {"Content-Type": "application/json", "Content-Length": str(10**9)}
    assert client.post(f"/{TOKEN}/ask/runs", content=b"{}", headers=huge).status_code == 413


def test_every_answer_carries_the_policy(client):
    for answer in (
        client.get(f"/{TOKEN}/"),
        client.get("/wrong/"),
        ask(client),
        client.get(f"/{TOKEN}/page/tools.js"),
        client.get(f"/{TOKEN}/nothing"),
    ):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in answer.headers
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "page/../page.py",
        "page/..%2fpage.py",
        "page/%2e%2e/page.py",
        "lab/..%2f..%2fsearch.py",
        "page/.hidden",
        "other/tools.js",
        "page/nothing.js",
        "lab/%00",
    ],
)
def test_no_file_but_the_webs_own_is_served(client, path):
    answer = client.get(f"/{TOKEN}/{path}")
    assert answer.status_code == 404
    assert "import" not in answer.text


@pytest.mark.parametrize("said", [b"", b"[", b"[" * 100_000, b"[]", b"1", b"\xff", b'{"since": "x"}', b'{"since": [1]}'])
def test_what_is_no_question_is_refused_without_a_fault(client, said):
    answer = client.post(f"/{TOKEN}/ask/runs", content=said, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.json()["error"]


def test_the_pages_load_nothing_from_outside_and_hold_no_inline_script(client):
    for view in ("", "run", "bench", "compare", "new"):
        text = client.get(f"/{TOKEN}/{view}").text
        assert not re.search(r"<script(?![^>]*src=)|\son\w+=|style=|https?://", text)
        for path in re.findall(r'(?:src|href)="((?:page|lab)/[^"]+)"', text):
            assert client.get(f"/{TOKEN}/{path}").status_code == 200, path
    for folder in FOLDERS.values():
        for file in folder.iterdir():
            if file.name.endswith(".js") and file.name != "d3.min.js":
                script = file.read_text(encoding="utf-8")
                assert not re.search(MARKUP, script), file.name
                for target in re.findall(r'(?:^import .* from |import\()"([^"]+)"', script, re.MULTILINE):
                    where = FOLDERS["page"] if target.startswith("../page/") else folder
                    assert (where / target.rpartition("/")[2]).is_file(), f"{file.name} imports {target}"
