"""A local identity provider: HTTPS with a certificate of its own, a key, tokens. Keys and signatures by openssl."""

from __future__ import annotations

import base64
import http.server
import json
import ssl
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

from server import free_ports, make_certificate


def b64(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """Serves the discovery document and the keys until it is closed."""

    def __init__(self, directory: Path, path: str = "/realms/edge") -> None:
        self._directory = directory
        self.path = path
        self.port = free_ports(1)[0]
        self.url = f"https://127.0.0.1:{self.port}{path}"
        self.certificate, key = make_certificate(directory)
        self.asked: list[str] = []
        self._keys: dict[str, Path] = {}
        self.rotate("k1")
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # noqa: N802 (the name is the library's)
                issuer.asked.append(self.path)
                body = issuer.document(self.path)
                self.send_response(200 if body else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the name is the library's)
                pass

        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self.certificate, key)
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def document(self, path: str) -> bytes:
        """What is at a path; empty: nothing."""
        if path == self.path + "/.well-known/openid-configuration":
            return json.dumps({"issuer": self.url, "jwks_uri": self.url + "/keys"}).encode()
        return self.key_set() if path == self.path + "/keys" else b""

    def rotate(self, name: str) -> None:
        """From now on there is one key, of that name."""
        path = self._directory / f"{name}.pem"
        subprocess.run(["openssl", "genrsa", "-out", str(path), "2048"], check=True, capture_output=True, timeout=60)
        self._keys = {name: path}

    def key_set(self) -> bytes:
        """The public keys as a JWK Set."""
        keys = []
        for name, path in self._keys.items():
            done = subprocess.run(["openssl", "rsa", "-in", str(path), "-noout", "-modulus"], check=True,
                                  capture_output=True, text=True, timeout=60)
            modulus = bytes.fromhex(done.stdout.strip().split("=", 1)[1])
            keys.append({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": name, "n": b64(modulus), "e": "AQAB"})
        return json.dumps({"keys": keys}).encode()

    def token(self, subject: str, audience: str = "outcrop", lifetime: int = 600, **more: object) -> str:
        """A signed token."""
        name, path = next(iter(self._keys.items()))
        now = int(time.time())
        claims = {"iss": self.url, "sub": subject, "aud": audience, "iat": now, "exp": now + lifetime, **more}
        text = b64(json.dumps({"alg": "RS256", "kid": name, "typ": "JWT"}).encode()) + "." + b64(
            json.dumps(claims).encode())
        signed = subprocess.run(["openssl", "dgst", "-sha256", "-sign", str(path)], input=text.encode(), check=True,
                                capture_output=True, timeout=60)
        return text + "." + b64(signed.stdout)

    def close(self) -> None:
        """Nobody answers any more."""
        self._server.shutdown()
        self._server.server_close()
