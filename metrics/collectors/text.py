"""Text from the kernel, which is bytes, made into text that every output and database takes."""


def decode(raw: bytes) -> str:
    r"""Decode as UTF-8; a byte that is not becomes `\xff`, a NUL is dropped. Nothing else is escaped."""
    return raw.decode("utf-8", "backslashreplace").replace("\0", "")


def valid_text(text: str) -> str:
    """Make text from os or psutil, which may carry odd bytes as lone surrogates, valid UTF-8 without NUL."""
    try:
        return decode(text.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:  # a surrogate that stands for no byte: a file name of Windows
        return decode(text.encode("utf-8", "backslashreplace"))
