"""What the dashboard refuses, the headers it sends, and that stored text never becomes markup."""

from __future__ import annotations

import os
import re

import pytest
from django.test import Client

from memories.core import mirror
from memories.core.files import remove_quietly
from memories.core.paths import DataFolder
from tests.dashboard.conftest import Remember

PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "</title><script>alert(1)</script>",
    "</pre></textarea><script>alert(1)</script>",
    "[link](javascript:alert(1))",
    "[link](JaVaScRiPt&#58;alert(1))",
    "[link](data:text/html;base64,PHNjcmlwdD4=)",
    "![image](https://evil.example/pixel.png)",
    '![image](x" onerror="alert(1))',
    "<a href='javascript:alert(1)'>x</a>",
    "`<script>alert(1)</script>`",
    "```html\n<script>alert(1)</script>\n```",
    '```"><script>alert(1)</script>\ntext\n```',
    '<https://evil.example/"onclick=alert(1)>',
    "\x02<script>alert(1)</script>\x03 \x03\x02 unbalanced",
    "{{ 7|add:7 }} {% debug %}",
    "<form action=//evil.example><button>x",
    "<style>*{display:none}</style>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
]
OWN_SCRIPT = re.compile(r' src="/static/[^"]*"(?: defer| type="module")*$| id="[\w-]+" type="application/json"$')
OWN_TAGS = re.compile(
    r"</?(?:!doctype|html|head|meta|title|link|script|body|a|header|form|label|input|button|main|div|nav|section|"
    r"h[1-6]|p|ul|ol|li|span|small|article|time|mark|details|summary|strong|aside|dl|dt|dd|code|pre|em|blockquote|"
    r"dialog|kbd|table|caption|thead|tbody|tr|th|td|select|option|fieldset|legend|output|progress|meter|br|del|ins|"
    r"figure|figcaption|b|datalist|hr|svg|rect|path|circle|g|canvas)(?=[\s>])",
    re.IGNORECASE,
)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_stored_text_never_becomes_markup(client: Client, remember: Remember, payload: str) -> None:
    record = remember(
        f"word {payload}", project=f"p {payload}", tags=f"t {payload}", session_id=payload, origin=payload
    )
    pages = ["/", "/?q=word", "/?archived=1", f"/m/{record['uuid']}/"]
    answers = [client.get(page) for page in pages]
    answers += [
        client.get("/", {"q": payload}),
        client.get("/", {"project": payload}),
        client.get("/", {"type": payload}),
    ]
    answers.append(client.get("/", {"q": f"word {payload}"}, headers={"HX-Request": "true"}))
    for answer in answers:
        page = answer.content.decode()
        for tag, text in re.findall(r"<script([^>]*)>(.*?)(?=</script)", page, re.DOTALL):
            assert OWN_SCRIPT.match(tag), tag
            assert not text or 'type="application/json"' in tag, text
        for tag in re.findall(r"<[^>]*>", page):
            assert OWN_TAGS.match(tag), tag
            bare = re.sub(r'"[^"]*"', '""', re.sub(r"content='[^']*'", "", tag))
            assert not re.search(r"\s(?:on\w+|style|srcdoc)\s*=", bare, re.IGNORECASE), tag
            assert not re.search(r"(?:href|src|action)=\"(?:javascript|data|vbscript):", tag, re.IGNORECASE), tag
        assert page.count("<mark>") == page.count("</mark>")


@pytest.mark.parametrize("address", ["/", "/m/" + "ab" * 16 + "/", "/nowhere", "/static/dashboard/dashboard.css"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_only_reading_is_answered(client: Client, method: str, address: str) -> None:
    response = client.generic(method, address)
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD"
    assert client.head("/").status_code == 200


@pytest.mark.parametrize("address", ["/", "/static/dashboard/dashboard.css", "/nowhere"])
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "0.0.0.1", "[::2]", ""]
)
def test_another_host_name_is_refused(client: Client, address: str, host: str) -> None:
    response = client.get(address, headers={"Host": host})
    assert response.status_code == 400
    assert host not in response.content.decode() or not host


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "[::1]:8765"])
def test_this_machine_s_own_names_are_answered(client: Client, host: str) -> None:
    assert client.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    ("site", "mode", "destination", "status"),
    [
        ("cross-site", "cors", "empty", 403),
        ("cross-site", "no-cors", "image", 403),
        ("cross-site", "no-cors", "script", 403),
        ("cross-site", "navigate", "iframe", 403),
        ("same-site", "cors", "empty", 403),
        ("cross-site", "navigate", "document", 200),
        ("same-origin", "cors", "empty", 200),
        ("none", "navigate", "document", 200),
    ],
)
def test_only_a_clicked_link_may_come_from_another_site(
    client: Client, site: str, mode: str, destination: str, status: int
) -> None:
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": destination}
    for address in ("/", "/static/dashboard/dashboard.css"):
        assert client.get(address, headers=headers).status_code == status


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        ("/", {}),
        ("/static/dashboard/dashboard.css", {}),
        ("/nowhere", {}),
        ("/?type=x", {}),
        ("/", {"Host": "evil.example"}),
        ("/", {"Sec-Fetch-Site": "cross-site"}),
    ],
)
def test_every_answer_carries_the_headers_and_no_cookie(client: Client, address: str, headers: dict[str, str]) -> None:
    response = client.get(address, headers=headers)
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in response.headers
    assert not response.cookies


def test_pages_name_nothing_outside_this_machine_and_hold_nothing_inline(client: Client, remember: Remember) -> None:
    for address in ("/", f"/m/{remember('a note')['uuid']}/", "/nowhere"):
        page = client.get(address).content.decode()
        assert re.findall(r'(?:src|href|action|hx-get)="(?!/|#)[^"]*"', page) == []
        assert re.findall(r'(?:src|href|action|hx-get)="//[^"]*"', page) == []
        assert "<style" not in page
        assert not re.search(r"<script(?![^>]*\ssrc=)", page)
        assert not re.search(r"\sstyle=", page)


def test_static_files_come_with_their_type_and_stay_within_their_folders(client: Client) -> None:
    css = client.get("/static/dashboard/dashboard.css")
    assert (css.status_code, css.headers["Content-Type"]) == (200, "text/css")
    assert client.get("/static/django_htmx/htmx-2.min.js").status_code == 200
    for path in ("../manage.py", "%2e%2e/manage.py", "dashboard/../../manage.py", "/etc/passwd", "dashboard/"):
        assert client.get(f"/static/{path}").status_code in {400, 404}


def test_a_missing_index_is_a_page_that_says_what_to_run(client: Client, memory_home: DataFolder) -> None:
    remove_quietly(memory_home.mirror)
    for address in ("/", "/?q=x"):
        response = client.get(address)
        assert response.status_code == 503
        assert "llm-memory sync" in response.content.decode()
    part = client.get("/", headers={"HX-Request": "true"})
    assert part.status_code == 503
    assert b"<html" not in part.content
    assert not os.path.exists(memory_home.mirror)


def test_a_broken_index_is_a_page_that_says_what_to_run(client: Client, memory_home: DataFolder) -> None:
    for suffix in ("-wal", "-shm", ""):
        remove_quietly(memory_home.mirror + suffix)
    with open(memory_home.mirror, "wb") as file:
        file.write(b"this is no database, but long enough to be read as one" * 100)
    response = client.get("/")
    assert response.status_code == 503
    assert "llm-memory sync" in response.content.decode()
    mirror.update(memory_home)
    assert client.get("/").status_code == 200


def test_a_page_that_does_not_exist_is_our_own(client: Client) -> None:
    response = client.get("/nowhere")
    assert response.status_code == 404
    assert "Start again from the timeline" in response.content.decode()


def test_looking_changes_nothing_in_the_data_folder(client: Client, remember: Remember, folder: DataFolder) -> None:
    record = remember("text", project="shop")

    def files() -> dict[str, bytes]:
        found = {}
        for root, _, names in os.walk(folder.root):
            for name in names:
                if not name.endswith(("-shm", "-wal")):  # SQLite's own, made by any reader
                    with open(os.path.join(root, name), "rb") as file:
                        found[os.path.join(root, name)] = file.read()
        return found

    before = files()
    for address in ("/", "/?q=text", "/?project=shop&type=note&archived=1", f"/m/{record['uuid']}/", "/nowhere"):
        client.get(address)
    assert files() == before
