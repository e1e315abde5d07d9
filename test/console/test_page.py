# SPDX-License-Identifier: Apache-2.0
"""The page as files: what is served to whom and how, how much it weighs, and that what is of others is as it was."""
import gzip
import hashlib
import os
import re

from console import Console, ran
from test_access import Remote

PAGE = os.path.join(os.path.dirname(os.environ["OPENAPI"]), "page")
WEIGHT_MAX = 100 * 1024  # of all of it, as gzip
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def files():
    """(path that it is served under, what is in it)."""
    for folder, _, names in os.walk(PAGE):
        for name in names:
            if os.path.splitext(name)[1] in TYPES:
                with open(os.path.join(folder, name), "rb") as file:
                    yield ("/" if name == "index.html" else f"/page/{name}"), os.path.splitext(name)[1], file.read()


def test_every_file_is_served():
    weight = 0
    with Console() as c:
        for path, extension, data in files():
            plain = c.get(path)
            assert (plain.status, plain.type, plain.data) == (200, TYPES[extension], data), path
            packed = c.get(path, headers={"Accept-Encoding": "br, gzip;q=0.5"})
            assert packed.headers["Content-Encoding"] == "gzip" and gzip.decompress(packed.data) == data, path
            weight += len(packed.data)
            for accepted in ("", "identity", "gzip;q=0", "br"):
                assert c.get(path, headers={"Accept-Encoding": accepted}).data == data, (path, accepted)
    print(f"the page weighs {weight / 1024:.1f} KiB")
    assert weight < WEIGHT_MAX, weight


def test_it_is_asked_for_again_and_not_sent_twice():
    with Console() as c:
        first = c.get("/page/main.js")
        tag = first.headers["ETag"]
        assert first.headers["Cache-Control"] == "no-cache" and first.headers["Vary"] == "Accept-Encoding"
        for known, status in ((tag, 304), (f'"x", {tag}', 304), ('W/"x"', 200), (tag[:-2] + '"', 200)):
            again = c.get("/page/main.js", headers={"If-None-Match": known})
            assert again.status == status and (status == 200) == bool(again.data), known
            assert again.headers["ETag"] == tag
        assert c.get("/page/runs.js").headers["ETag"] != tag


def test_only_what_is_ours_may_run():
    with Console() as c:
        for path in ("/", "/page/main.js", "/page/base.css"):
            headers = c.get(path).headers
            policy = dict(rule.strip().split(" ", 1) for rule in headers["Content-Security-Policy"].split(";"))
            assert policy["default-src"] == "'none'" and policy["frame-ancestors"] == "'none'", policy
            assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'", policy
            assert not any("unsafe" in rule for rule in policy.values()), policy
            assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "no-referrer"
        page = c.get("/").data.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=|https?:", page)


def test_there_is_nothing_else():
    with Console() as c:
        for path in ("/page/", "/page/none.js", "/page/../openapi.yaml", "/page/%2e%2e", "/page/vendor/uplot.js", "/page/README.md",
                     "/page/main.js/", "/favicon.ico"):
            answer = c.get(path)
            assert answer.status == 404 and answer.json["error"]["code"] == "not_found", path
        for path in ("/", "/page/main.js"):
            answer = c.post(path)
            assert answer.status == 405 and answer.headers["Allow"] == "GET, HEAD", path
            head = c.request("HEAD", path)
            assert head.status == 200 and head.data == b"" and int(head.headers["Content-Length"]) > 100, path


def test_it_needs_no_token_and_gives_none():
    with Remote() as c:
        for path in ("/", "/page/main.js"):
            connection = c.tcp()
            connection.request("GET", path)
            answer = connection.getresponse()
            assert answer.status == 200 and c.token.encode() not in answer.read(), path
            connection.close()
        assert c.ask("POST", "/", token="x" * 20).status == 401  # only what is there to be read
        assert c.ask(path="/page/none.js", token="x" * 20).status == 401
        assert c.ask(path="/", Host="evil.example").status == 403


def test_pages_of_others_change_nothing():
    """A browser that ssh leads to the UNIX socket brings other pages along."""
    with Console() as c, Remote() as r:
        run = c.submit("a")
        for headers, status in (({"Sec-Fetch-Site": "cross-site"}, 403), ({"Sec-Fetch-Site": "same-site"}, 403),
                                ({"Sec-Fetch-Site": "same-origin"}, 409), ({"Sec-Fetch-Site": "none"}, 409),
                                ({"Origin": "http://evil.example"}, 403), ({"Origin": "null"}, 403),
                                ({"Origin": "http://localhost"}, 409), ({"Host": "evil.example"}, 403), ({}, 409)):
            c.wait_run(run)
            answer = c.post(f"/v1/runs/{run}/cancel", headers=headers)
            assert answer.status == status, (headers, answer.status, answer.data)
        assert c.get("/v1/version", headers={"Host": "evil.example"}).status == 403
        assert r.ask("POST", "/v1/server/pause", Sec_Fetch_Site="cross-site").status == 403
        assert r.ask("POST", "/v1/server/pause", Sec_Fetch_Site="same-origin").status == 200


def test_what_is_of_others_is_as_it_was():
    with open(os.path.join(PAGE, "vendor", "README.md")) as file:
        rows = re.findall(r"^\| (\S+) \| (\S+) (\S+) \|.*`([0-9a-f]{64})` \|$", file.read(), re.M)
    kept = {name for name in os.listdir(os.path.join(PAGE, "vendor")) if name.endswith((".js", ".css"))}
    assert {row[0] for row in rows} == kept, (rows, kept)
    for name, package, _, wanted in rows:
        with open(os.path.join(PAGE, "vendor", name), "rb") as file:
            assert hashlib.sha256(file.read()).hexdigest() == wanted, f"{name} is not what README.md says of it"
        assert os.path.exists(os.path.join(PAGE, "vendor", f"LICENSE.{package}"))


if __name__ == "__main__":
    ran(dict(globals()))
