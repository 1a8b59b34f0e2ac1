"""The decoder of QR codes for browsers: the files of its package, or nothing."""

import gzip
from pathlib import Path

from lms.core import code_decoder


def test_set_up_has_put_the_decoder_beside_the_scripts() -> None:
    decoder = code_decoder.installed()
    assert decoder is not None
    assert set(decoder.compressed) == set(code_decoder.FILES)
    assert gzip.decompress(decoder.compressed["zxing_reader.wasm"]).startswith(b"\0asm")


def test_the_version_follows_the_contents_and_the_bytes_are_the_same_in_each_process(tmp_path: Path) -> None:
    for path in code_decoder.FILES.values():
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_bytes(path.encode())
    first, again = code_decoder.read(tmp_path), code_decoder.read(tmp_path)
    assert first == again
    (tmp_path / code_decoder.FILES["zxing_reader.js"]).write_bytes(b"newer")
    newer = code_decoder.read(tmp_path)
    assert first
    assert newer
    assert newer.version != first.version


def test_without_the_package_there_is_none(tmp_path: Path) -> None:
    assert code_decoder.read(tmp_path) is None
