from __future__ import annotations

from minitorch.text import ByteTokenizer


def test_the_ids_are_the_bytes_of_the_utf8() -> None:
    tokenizer = ByteTokenizer()
    assert tokenizer.encode("aé東😀") == list("aé東😀".encode())
    assert tokenizer.vocab_size == 256
    assert tokenizer.decode_bytes(range(256)) == bytes(range(256))
