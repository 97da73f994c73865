"""Stored attacks in a real Chromium: nothing of them runs, loads or changes a page; what other sites can do."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Dialog, Page

from memories.core import conversation_index, mirror, records
from memories.core.paths import DataFolder
from tests.core.transcript_lines import Script
from tests.dashboard import server
from tests.dashboard.xss_payloads import LOADED, PAYLOADS
from tests.memories.conversations import session_id

pytestmark = pytest.mark.browser

WATCH = """
window.ran = [];
window.canary = () => { window.ran.push('canary'); };
for (const name of ['alert', 'confirm', 'prompt', 'print']) window[name] = () => { window.ran.push(name); };
document.addEventListener('securitypolicyviolation', event => window.ran.push('policy: ' + event.blockedURI));
"""
INTRUDERS = r"""page => [
    ...[...page.querySelectorAll('script')].filter(one => !one.src && one.type !== 'application/json'),
    ...page.querySelectorAll('iframe, object, embed, base, style, img, audio, video, math, foreignObject, marquee'),
    ...page.querySelectorAll('meta[http-equiv], [id=x], [popover]'),
    ...[...page.querySelectorAll('*')].filter(one => [...one.attributes].some(attribute =>
        /^(on|hx-on|data-hx-)/i.test(attribute.name)
        || /^(href|src|action|formaction|xlink:href)$/i.test(attribute.name)
        && /^[\u0000-\u0020]*(javascript|data|vbscript):/i.test(attribute.value))),
].map(one => one.outerHTML.slice(0, 200))"""
"""What no page of ours has: of a document, the beginnings of such elements."""

PARSE = f"""async urls => {{
    const look = {INTRUDERS};
    return Promise.all(urls.map(async url => {{
        const answer = await fetch(url);
        const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
        return [url, look(page), answer.status];
    }}));
}}"""
BATCH = 40


def test_the_corpus_is_as_large_as_it_claims() -> None:
    assert len(set(PAYLOADS)) == len(PAYLOADS) >= 100


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    """A data folder in which every field that somebody else may have written holds every payload."""
    folder = DataFolder(str(tmp_path_factory.mktemp("attacked")))
    folder.create()
    for number, payload in enumerate(PAYLOADS):
        record = records.new_record(type="note", content="word", created_at="2026-03-14T09:00:00")
        kind = ("note", "narrative", "session_log")[number % 3]
        record |= {
            "content": f"word {payload}", "type": kind,
            "project": payload, "project_id": f"path:{payload}", "origin": payload, "session_id": payload,
            "tags": f"{payload}, x", "transcript_ref": payload,
        }  # fmt: skip
        _write(os.path.join(folder.records, f"{record['uuid']}.json"), json.dumps(record).encode())
        _touch(folder.records, payload)
        _touch(folder.transcripts, f"{payload}.jsonl")
        _touch(folder.records, f"{payload}.sync-conflict")
    batches = [PAYLOADS[start : start + BATCH] for start in range(0, len(PAYLOADS), BATCH)]
    for number, batch in enumerate(batches, 1):
        _transcript(folder, number, batch)
    everything = "\n\n".join(PAYLOADS)
    whole = records.new_record(type="note", content=everything.encode("utf-8", "replace").decode().replace("\0", ""))
    records.save(folder, whole | {"type": "narrative", "project": "whole"})
    mirror.update(folder)
    conversation_index.update(folder)
    return folder


def _transcript(folder: DataFolder, number: int, payloads: list[str]) -> None:
    script = Script("/srv/<img src=x onerror=window.canary()>", session_id(number), branch="</script><b>")
    for payload in payloads:
        script.user(payload)
        script.call("Bash", {"command": payload, payload: payload}, result=payload)
        script.call(payload, {"file_path": payload}, result=payload, failed=True)
        script.answer(payload)
    for place, line in enumerate(script.lines):
        line["uuid"] = f"{number}-{place}"
    _write(os.path.join(folder.transcripts, f"{script.session_id}.jsonl"), script.dump())


def _touch(folder: str, name: str) -> None:
    """A file whose name is a payload, as far as a name can be."""
    _write(os.path.join(os.fsencode(folder), name.encode("utf-8", "replace").translate(None, b"\0/")[:200]), b"{}")


def _write(path: str | bytes, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)


@pytest.fixture(scope="module")
def address(attacked: DataFolder) -> Iterator[str]:
    """The dashboard over it."""
    with server.dashboard(attacked) as found:
        yield found


class Watched:
    """A tab that remembers what must not happen: dialogs, messages on the console, errors, requests elsewhere."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.seen: list[str] = []
        self.tab: Page = context.new_page()
        self.tab.add_init_script(WATCH)
        self.tab.on("dialog", self._dialog)
        self.tab.on("console", lambda message: self._note(message.text))
        self.tab.on("pageerror", lambda error: self.seen.append(f"error {error}"))
        self.tab.on("request", lambda request: self._asked(request.url))

    def _dialog(self, dialog: Dialog) -> None:
        self.seen.append(f"dialog {dialog.message}")
        dialog.dismiss()

    def _note(self, text: str) -> None:
        if "the server responded with a status of 4" not in text:  # Chromium's own word on an address that is not there
            self.seen.append(f"console {text}")

    def _asked(self, url: str) -> None:
        if not url.startswith(("http://127.0.0.1:", "blob:", "data:")) or LOADED in url:
            self.seen.append(f"request {url}")

    def visit(self, url: str) -> None:
        """Open a page, let it settle, and look for what does not belong there."""
        self.tab.goto(url)
        self.tab.wait_for_load_state("networkidle")
        assert self.tab.evaluate("window.ran") == [], url
        assert self.tab.evaluate(f"({INTRUDERS})(document)") == [], url
        assert self.tab.title() != "attacked", url
        assert self.tab.url.split("?")[0] == url.split("?", maxsplit=1)[0].split("#", maxsplit=1)[0]
        assert self.seen == [], url


@pytest.fixture
def watched(browser: Browser, address: str) -> Iterator[Watched]:
    """One tab; at its end no cookie may have been set."""
    context = browser.new_context()
    found = Watched(context)
    yield found
    cookies = context.cookies()
    context.close()
    assert cookies == []


def test_no_payload_does_anything_on_the_pages_that_list_them(watched: Watched, address: str) -> None:
    searches = ["", "?q=word", "?q=canary", "?archived=1", "?q=canary&scope=transcripts"]
    paths = [*searches, "p/", "s/", "status/", "status/checks/", "graph/", "graph/?sessions=1&projects=1"]
    for path in paths:
        watched.visit(address + path)


def test_no_payload_does_anything_on_a_memory_s_page(watched: Watched, address: str, attacked: DataFolder) -> None:
    """All in one page; some as project, tags and machine; the pages of all of them as the browser's parser has them."""
    connection = mirror.connect(attacked.mirror, read_only=True)
    (whole,) = connection.execute("SELECT uuid FROM memory WHERE project = 'whole'").fetchone()
    others = [uuid for (uuid,) in connection.execute("SELECT uuid FROM memory WHERE project <> 'whole' ORDER BY id")]
    connection.close()
    watched.visit(f"{address}m/{whole}/")
    for uuid in others[::10]:
        watched.visit(f"{address}m/{uuid}/")
    found: list[list[Any]] = watched.tab.evaluate(PARSE, [f"{address}m/{uuid}/" for uuid in others])
    assert [one for one in found if one[1] or one[2] != 200] == []


def test_no_payload_does_anything_in_a_conversation(watched: Watched, address: str) -> None:
    for number in range(1, -(-len(PAYLOADS) // BATCH) + 1):
        watched.visit(f"{address}t/{session_id(number)}/")
        watched.visit(f"{address}t/{session_id(number)}/?line=40")


def test_no_payload_in_an_address_does_anything(watched: Watched, address: str) -> None:
    texts = [quote(payload.encode("utf-8", "replace"), safe="") for payload in PAYLOADS[::4]]
    paths = [
        path for text in texts for path in (f"?q={text}", f"?project={text}&tag={text}", f"p/{text}/", f"t/{text}/")
    ]
    for path in paths[::35]:
        watched.visit(address + path)
    found: list[list[Any]] = watched.tab.evaluate(PARSE, [address + path for path in paths])
    assert [one for one in found if one[1] or one[2] >= 500] == []
    assert watched.tab.evaluate("window.ran") == []


@contextmanager
def another_site(page: str) -> Iterator[str]:
    """A page on another port of this machine: another site to a browser that goes by `localhost`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = page.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as site:
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        try:
            yield f"http://localhost:{site.server_port}/"
        finally:
            site.shutdown()
            thread.join()


def test_another_site_s_page_can_neither_read_nor_frame_nor_load_nor_send(browser: Browser, address: str) -> None:
    page = f'<form id=f method=post action="{address}"><input name=a></form><iframe id=i src="{address}"></iframe>'
    context = browser.new_context()
    tab = context.new_page()
    statuses: dict[tuple[str, str], int] = {}
    tab.on("response", lambda answer: statuses.update({(answer.request.resource_type, answer.url): answer.status}))
    with another_site(page) as site:
        tab.goto(site)
        tab.wait_for_load_state("networkidle")
        assert statuses[("document", address)] == 403, "the frame"
        for mode in ("cors", "no-cors"):
            read = """async ([url, mode]) => {
                try { const answer = await fetch(url, {mode}); return answer.type + await answer.text(); }
                catch { return 'refused'; } }"""
            told = tab.evaluate(read, [f"{address}graph/data/", mode])
            assert told in {"refused", "opaque"}, mode
        for kind in ("img", "script", "link"):
            load = """([kind, url]) => new Promise(done => {
                const one = document.createElement(kind);
                one.onload = () => done('loaded'); one.onerror = () => done('refused');
                if (kind === 'link') { one.rel = 'stylesheet'; one.href = url; } else one.src = url;
                document.body.append(one); })"""
            target = {"img": "icon.svg", "script": "theme.js", "link": "dashboard.css"}[kind]
            assert tab.evaluate(load, [kind, f"{address}static/dashboard/{target}"]) == "refused", kind
        with tab.expect_response(lambda answer: answer.request.method == "POST") as sent:
            tab.evaluate("document.getElementById('f').submit()")
        assert sent.value.status == 405
    assert context.cookies() == []
    context.close()


def test_a_link_that_was_clicked_on_another_site_opens(browser: Browser, address: str) -> None:
    context = browser.new_context()
    tab = context.new_page()
    with another_site(f'<a href="{address}">memories</a>') as site:
        tab.goto(site)
        tab.get_by_role("link").click()
        tab.wait_for_url(address)
        assert tab.get_by_role("heading", level=1).count() == 1
    context.close()


def test_a_name_that_leads_here_without_being_ours_is_refused(address: str) -> None:
    for path in ("", "status/", "graph/data/", "static/dashboard/theme.js"):
        assert server.get(address + path, Host=f"evil.example:{urlsplit(address).port}")[0] == 400


ADDRESSES_OUTSIDE = """prefix => [...document.querySelectorAll('[href], [src], [action]')]
    .map(one => one.href?.baseVal ?? one.href ?? one.src ?? one.action)
    .filter(url => url.startsWith(location.origin) && !url.startsWith(prefix))"""


def test_with_a_token_every_page_works_and_its_address_tells_no_other_site(
    browser: Browser, attacked: DataFolder
) -> None:
    context = browser.new_context()
    watched = Watched(context)
    with server.running(attacked, "0", "--token") as process:
        address = server.address_of(process)
        for path in ("", "?q=word", "p/", "s/", f"t/{session_id(1)}/", "graph/", "status/"):
            watched.visit(address + path)
            outside = watched.tab.evaluate(ADDRESSES_OUTSIDE, address)
            assert outside == [], path
        watched.tab.goto(address)
        watched.tab.locator("#q").fill("canary")
        watched.tab.wait_for_url(re.compile(re.escape(address) + r"\?q=canary"))
        assert watched.tab.evaluate("fetch('/').then(answer => answer.status)") == 404
        assert watched.tab.evaluate("document.referrer") == ""
        context.close()
        server.interrupt(process)
