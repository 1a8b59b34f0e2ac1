"""An SMS gateway for tests: an HTTP server that answers as the two gateways document, and notes what it is asked.

It checks that a request is signed, by which key and over which headers; the signature itself is the SDK's business.
"""

import json
import re
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

KEY_ID = "test-key-id"
_ALIBABA = re.compile(
    rf"ACS3-HMAC-SHA256 Credential={KEY_ID},SignedHeaders=[a-z0-9;-]*host;[a-z0-9;-]*x-acs-[a-z0-9;-]*,Signature=[0-9a-f]{{64}}"
)
_TENCENT = re.compile(
    rf"TC3-HMAC-SHA256 Credential={KEY_ID}/\d{{4}}-\d\d-\d\d/sms/tc3_request, SignedHeaders=content-type;host, "
    r"Signature=[0-9a-f]{64}"
)


class SmsGateway:
    """A running gateway. code: the answer's code for a number. status: the HTTP status. delay: seconds before an answer."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.code: Callable[[str], str | None] = lambda _number: None
        self.status = 200
        self.delay = 0.0
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            """Send a single request."""

            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, answer = gateway.answer(self.path, dict(self.headers), body)
                time.sleep(gateway.delay)
                content = json.dumps(answer).encode()
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(content)))
                    self.send_header("Connection", "close")
                    self.end_headers()
                    self.wfile.write(content)
                except OSError:
                    self.close_connection = True

            def log_message(self, *_arguments: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def url(self) -> str:
        """The setting SMS_ENDPOINT."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "SmsGateway":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
        """The status and the answer, as the API of whose headers these are."""
        headers = {name.lower(): value for name, value in headers.items()}
        if "x-acs-action" in headers:
            return self._alibaba(path, headers)
        return self._tencent(headers, body)

    def _alibaba(self, path: str, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        sent = dict(parse_qsl(urlsplit(path).query, keep_blank_values=True))
        if not _ALIBABA.fullmatch(headers.get("authorization", "")):
            return 403, {"Code": "InvalidAccessKeyId.NotFound", "Message": "no such key", "RequestId": "1"}
        assert (headers["x-acs-action"], headers["x-acs-version"]) == ("SendSms", "2017-05-25")
        self.requests.append(sent)
        if self.status != 200:
            return self.status, {"Code": "ServiceUnavailable", "Message": "busy", "RequestId": "1"}
        code = self.code(sent["PhoneNumbers"]) or "OK"
        return 200, {"Code": code, "Message": code, "RequestId": "1", **({"BizId": "9"} if code == "OK" else {})}

    def _tencent(self, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
        sent = json.loads(body)
        if not _TENCENT.fullmatch(headers.get("authorization", "")):
            error = {"Code": "AuthFailure.SecretIdNotFound", "Message": "no such key"}
            return 200, {"Response": {"Error": error, "RequestId": "1"}}
        assert (headers["x-tc-action"], headers["x-tc-version"]) == ("SendSms", "2021-01-11")
        self.requests.append(sent)
        if self.status != 200:
            return self.status, {"Response": {"Error": {"Code": "InternalError", "Message": "busy"}, "RequestId": "1"}}
        (number,) = sent["PhoneNumberSet"]
        code = self.code(number) or "Ok"
        status = {
            "SerialNo": "9", "PhoneNumber": number, "Fee": 1, "SessionContext": sent.get("SessionContext", ""),
            "Code": code, "Message": code, "IsoCode": "CN",
        }  # fmt: skip
        return 200, {"Response": {"SendStatusSet": [status], "RequestId": "1"}}
