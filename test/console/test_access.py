# SPDX-License-Identifier: Apache-2.0
"""Who may ask, and how much: sockets, users, tokens, certificates, names, rates, sizes and times."""
import http.client
import json
import os
import shutil
import socket
import ssl
import stat
import subprocess
import tempfile
import time

from ports import free_port

from console import Answer, Console, Stream, ran, until

TOKEN = "0123456789abcdef-token"


class Remote(Console):
    """Over TCP, in a folder that has what its files need."""

    def __init__(self, token=TOKEN, address="127.0.0.1", **config):
        folder = tempfile.mkdtemp(prefix="console-")
        self.port = free_port()
        if token:
            config["token_file"] = write(folder, "token", token + "\n", 0o600)
        super().__init__(folder=folder, listen=f"{address}:{self.port}", **config)
        self.owns_folder = True
        self.token = token

    def tcp(self, context=None, source=None):
        if context:
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=context)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20, source_address=source)

    def ask(self, method="GET", path="/v1/version", body=None, context=None, token=None, source=None, **headers):
        connection = self.tcp(context, source)
        headers = {k.replace("_", "-"): v for k, v in headers.items()}
        if token is None and self.token:
            token = self.token
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            connection.request(method, path, body, headers)
            return Answer(connection.getresponse())
        finally:
            connection.close()


def write(folder, name, text, mode):
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)
    return path


def refused(what, **config):
    """It does not start, and says why in one line."""
    c = Console(fails=True, **config)
    until(lambda: what in c.log(), f"{what!r} in {c.log()!r}", 5)
    c.process.stdin.close()
    c.process.wait(30)
    c.process.stdout.close()
    c.errors.close()
    if c.owns_folder:
        shutil.rmtree(c.folder)


# ---- the UNIX socket ----

def test_the_socket_is_made_with_its_mode():
    for mode, umask in ((None, 0o000), (None, 0o077), ("0600", 0o000), ("0666", 0o077)):
        old = os.umask(umask)
        try:
            with Console(mode=mode) as c:
                found = os.stat(c.socket)
                assert stat.S_IMODE(found.st_mode) == int(mode or "0660", 8), oct(found.st_mode)
                path = c.socket
            assert not os.path.exists(path)
        finally:
            os.umask(old)
    with Console(group="daemon") as c:
        import grp
        assert os.stat(c.socket).st_gid == grp.getgrnam("daemon").gr_gid


def test_a_stale_socket_is_replaced_and_nothing_else():
    folder = tempfile.mkdtemp(prefix="console-")
    path = os.path.join(folder, "socket")
    c = Console(folder=folder)
    c.kill()
    assert os.path.exists(path)
    with Console(folder=folder) as c:
        assert c.get("/health").status == 200
        refused("another process listens on it", folder=folder)
        assert c.get("/health").status == 200  # and the first goes on
        os.unlink(path)  # somebody else puts theirs there: it stays
        write(folder, "socket", "mine", 0o600)
    assert open(path).read() == "mine"
    refused("it is there and no socket", folder=folder)
    assert open(path).read() == "mine"
    refused("cannot make socket", socket=os.path.join(folder, "no", "such", "folder"))
    shutil.rmtree(folder)


def test_users():
    with Console(users=["daemon"], mode="0666") as c:
        assert c.get("/v1/version").status == 200
        os.chmod(c.folder, 0o755)
        for user, status in (("daemon", "200"), ("nobody", "403")):
            found = subprocess.run(["setpriv", f"--reuid={user}", "--clear-groups", "curl", "-s", "-o", "/dev/null", "-w",
                                    "%{http_code}", "--unix-socket", c.socket, "http://localhost/v1/version"],
                                   capture_output=True, text=True)
            assert found.stdout == status, (user, found.stdout, found.stderr)
    refused("there is no user \"nobody-such\"", users=["nobody-such"])
    refused("there is no group \"nobody-such\"", group="nobody-such")


# ---- TCP ----

def test_tcp_wants_a_token_or_certificates():
    refused("wants a token_file", listen="127.0.0.1:0")
    folder = tempfile.mkdtemp()
    good = write(folder, "good", TOKEN, 0o600)
    refused("others may read", listen="127.0.0.1:0", token_file=write(folder, "open", TOKEN, 0o644))
    refused("a token has", listen="127.0.0.1:0", token_file=write(folder, "short", "abc\n", 0o600))
    refused("a token has", listen="127.0.0.1:0", token_file=write(folder, "odd", "0123456789 abcdef\n", 0o600))
    refused("No such file", listen="127.0.0.1:0", token_file=folder + "/none")
    refused("wants ADDRESS:PORT", listen="localhost:80", token_file=good)
    refused("wants ADDRESS:PORT", listen="127.0.0.1", token_file=good)
    refused("there is no `listen`", token_file=good)
    refused("\"key\" is missing", listen="127.0.0.1:0", tls={"certificate": good})
    refused("libmicrohttpd does not start", listen="127.0.0.1:0", token_file=good, tls={"certificate": good, "key": good})
    refused("in octal", mode="9")
    refused("in octal", mode="0060")
    shutil.rmtree(folder)


def test_tokens():
    with Remote() as c:
        assert c.ask().status == 200
        for token in (TOKEN + "x", TOKEN[:-1], "x", TOKEN.upper()):
            answer = c.ask(token=token)
            assert answer.status == 401 and answer.headers["WWW-Authenticate"] == 'Bearer realm="paddock"', answer.status
            assert answer.json["error"]["code"] == "unauthorized"
        for header in (f"Basic {TOKEN}", TOKEN, "Bearer", "Bearer ", f"Bearer {TOKEN} x"):
            connection = c.tcp()
            connection.request("GET", "/health", headers={"Authorization": header})
            assert connection.getresponse().status == 401, header
            connection.close()
        assert c.ask("POST", "/v1/runs", b"x" * 100000, token="x" * 20).status == 401  # its body is read and dropped
        assert c.get("/v1/version").status == 200  # the UNIX socket needs none


def test_names_and_pages():
    with Remote(hosts=["paddock.example"]) as c:
        for host, status in (("localhost", 200), ("localhost:1", 200), ("127.0.0.1", 200), ("[::1]:80", 200), ("10.0.0.1", 200),
                             ("paddock.example", 200), ("PADDOCK.example:80", 200), ("evil.example", 403),
                             ("localhost.evil.example", 403), ("127.0.0.1.evil.example", 403), ("a b", 403), ("[::1", 403)):
            assert c.ask(Host=host).status == status, host
        body = json.dumps({"name": "a", "kind": "echo"})
        for origin, status in ((f"http://127.0.0.1:{c.port}", 201), ("http://evil.example", 403), ("null", 403)):
            answer = c.ask("POST", "/v1/runs", body, Content_Type="application/json", Origin=origin)
            assert answer.status == status, (origin, answer.data)
            assert "Access-Control-Allow-Origin" not in answer.headers


def test_rates():
    with Remote(rate=5) as c:
        answers = [c.ask() for _ in range(15)]
        assert [a.status for a in answers[:10]] == [200] * 10 and answers[-1].status == 429, [a.status for a in answers]
        assert int(answers[-1].headers["Retry-After"]) >= 1 and answers[-1].json["error"]["code"] == "busy"
        until(lambda: c.ask().status == 200, "it may again", 5)
        for _ in range(30):
            assert c.get("/v1/version").status == 200
    with Console(local_rate=3) as c:
        assert [c.get("/v1/version").status for _ in range(8)][-1] == 429


def test_rates_are_of_each_address():
    """Also of those that come by IPv4 to a socket of IPv6."""
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::", 0))
            assert not s.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
    except (OSError, AssertionError):
        print("SKIPPED: there is no IPv6 that takes IPv4 along", flush=True)
        assert os.environ.get("CI") != "true"
        return
    with Remote(rate=5, address="[::]") as c:
        until(lambda: c.ask().status == 429, "too many")
        assert c.ask(source=("127.0.0.2", 0)).status == 200


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


def certificates():
    """A CA with certificates for a server, a client and another server, and a client of somebody else."""
    folder = tempfile.mkdtemp()
    for ca in ("ca", "other"):
        openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{ca}.key",
                "-out", f"{ca}.pem", "-days", "2", "-subj", f"/CN={ca}")
    for name, ca in (("server", "ca"), ("client", "ca"), ("backend", "ca"), ("stranger", "other")):
        openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key", "-out",
                f"{name}.csr", "-subj", f"/CN={name}")
        use = "extendedKeyUsage=serverAuth\n" if name == "backend" else ""
        write(folder, "ext", f"subjectAltName=IP:127.0.0.1,DNS:localhost\n{use}", 0o600)
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-CAcreateserial", "-out",
                f"{name}.pem", "-days", "2", "-extfile", "ext")
    os.chmod(folder + "/server.key", 0o600)
    return folder


def client(folder, name=None):
    context = ssl.create_default_context(cafile=folder + "/ca.pem")
    if name:
        context.load_cert_chain(f"{folder}/{name}.pem", f"{folder}/{name}.key")
    return context


def test_tls():
    folder = certificates()
    tls = {"certificate": folder + "/server.pem", "key": folder + "/server.key"}
    with Remote(tls=tls) as c:
        assert c.ask(context=client(folder)).status == 200
        assert c.ask(context=client(folder), token="wrong" * 5).status == 401
        body = json.dumps({"name": "a", "kind": "echo"})
        assert c.ask("POST", "/v1/runs", body, client(folder), Content_Type="application/json",
                     Origin=f"https://127.0.0.1:{c.port}").status == 201
    tls["client_ca"] = folder + "/ca.pem"
    for token in (None, TOKEN):
        with Remote(token=token, tls=tls) as c:
            assert c.ask(context=client(folder, "client")).status == 200
            assert c.ask(context=client(folder)).status == 401
            assert c.ask(context=client(folder, "backend")).status == 401
            try:
                assert c.ask(context=client(folder, "stranger")).status == 401
            except (ssl.SSLError, OSError, http.client.HTTPException):
                pass
            if token:
                assert c.ask(context=client(folder, "client"), token="wrong" * 5).status == 401
            connection = c.tcp(client(folder, "client"))
            for _ in range(20):
                connection.request("GET", "/v1/version", headers={"Authorization": f"Bearer {TOKEN}"})
                assert Answer(connection.getresponse()).status == 200
            connection.request("GET", "/v1/events?type=run.ended", headers={"Authorization": f"Bearer {TOKEN}"})
            response = connection.getresponse()
            c.submit("a")
            while not response.readline().startswith(b"event: run.ended"):
                pass
            connection.close()
    shutil.rmtree(folder)


# ---- sizes and times ----

def test_sizes():
    with Console(body="2KiB", header="8KiB") as c:
        small = {"name": "a", "kind": "echo", "labels": {"x": "y"}}
        assert c.post("/v1/check", {**small, "description": "x" * 1000}).status == 200
        for headers in ({"Content-Length": "100000"}, {"Content-Length": "99999999999999999999"}):
            connection = c.connect()
            connection.putrequest("POST", "/v1/runs")
            connection.putheader("Content-Type", "application/json")
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders()
            assert connection.getresponse().status in (400, 413), headers
            connection.close()
        connection = c.connect()  # one that does not say how large it is
        connection.request("POST", "/v1/runs", iter([b"x" * 1000] * 10), {"Content-Type": "application/json"}, encode_chunked=True)
        answer = Answer(connection.getresponse())
        assert answer.status == 413 and answer.json["error"]["code"] == "too_large", answer.data
        connection.close()
        for headers in ({"X-Large": "x" * 60000}, {f"X-{i}": "x" * 100 for i in range(600)}):
            connection = c.connect()
            try:
                connection.request("GET", "/health", headers=headers)
                assert connection.getresponse().status in (413, 431)
            except (BrokenPipeError, ConnectionResetError):
                pass
            connection.close()
        assert c.get("/health").status == 200


def raw(c, data=b""):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(30)
    s.connect(c.socket)
    s.sendall(data)
    return s


def closes_within(s, least, most, trickle=None):
    begun = time.monotonic()
    s.settimeout(0.2 if trickle else most + 5)
    while True:
        try:
            if trickle:
                s.sendall(trickle)
            if not s.recv(65536):
                break
        except socket.timeout:
            pass
        except OSError:
            break
        assert time.monotonic() - begun < most, f"open after {most} s"
    assert time.monotonic() - begun > least
    s.close()


def test_times():
    """Who does not finish is not waited for, however busy it seems."""
    with Console(request_timeout="1s", idle_timeout="2s", answer_timeout="1s") as c:
        silent, half, idle = raw(c), raw(c, b"GET / HTTP/1.1\r\nHost:"), raw(c, b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        body = raw(c, b"POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n")
        drip = raw(c, b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ")
        closes_within(drip, 0.5, 5, trickle=b"x")
        for s in (silent, half, body):
            closes_within(s, -1, 5)
        closes_within(idle, -1, 6)
        assert c.get("/health").status == 200


def test_connections():
    with Console(connections=10, request_timeout="1s") as c:
        silent = [raw(c) for _ in range(30)]
        assert c.get("/health").status == 200  # once the silent ones have had their time
        for s in silent:
            s.close()
    with Remote(per_address=5) as c:
        held = [socket.create_connection(("127.0.0.1", c.port)) for _ in range(5)]
        until(lambda: int(c.say("fds")[1]) > 5, "they are there")
        try:
            assert c.ask().status != 200
        except (OSError, http.client.HTTPException):
            pass
        for s in held:
            s.close()
        until(lambda: asks(c), "there is room again", 10)


def asks(c):
    try:
        return c.ask().status == 200
    except (OSError, http.client.HTTPException):
        return False


def test_nothing_is_left():
    """Start and stop give back every descriptor, also when a start fails half way."""
    with Remote() as c:
        stream = Stream(c, "/v1/events")
        assert c.ask().status == 200
        port = c.port
        refused("cannot listen on", listen=f"127.0.0.1:{port}", token_file=c.config["token_file"])
        stream.close()


if __name__ == "__main__":
    ran(dict(globals()))
