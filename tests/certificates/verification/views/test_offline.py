"""The page that verifies offline, and the worker that reads codes for it."""

from flask.testing import FlaskClient

from lms.core import code_decoder
from lms.core.headers import CONTENT_SECURITY_POLICY


def test_the_page_names_the_decoder_and_leaves_web_assembly_to_the_worker(client: FlaskClient) -> None:
    page = client.get("/verify/offline")
    decoder = code_decoder.installed()
    assert decoder
    assert f'data-decoder="/sessions/offline/{decoder.version}/"' in page.text
    assert 'data-decoder-files="zxing_reader.js zxing_reader.wasm"' in page.text
    assert page.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    worker = client.get("/verify/offline-decoding-worker.js", buffered=True)
    assert worker.mimetype == "text/javascript"
    assert worker.headers["Content-Security-Policy"] == code_decoder.WORKER_POLICY
    assert worker.headers["Cache-Control"] == "no-cache"
