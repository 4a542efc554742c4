"""Text from the kernel, which is bytes, made into text that every output and database takes."""


def decode(raw: bytes, errors: str = "backslashreplace") -> str:
    r"""Decode as UTF-8; a byte that is not becomes `\xff`, a NUL is dropped. Nothing else is escaped."""
    return raw.decode("utf-8", errors).replace("\0", "")


def raw_name(name: str) -> bytes:
    """The bytes of a name that was decoded with `surrogateescape`, whatever the locale makes of file names."""
    return name.encode("utf-8", "surrogateescape")


def valid_text(text: str) -> str:
    """Make text from os or psutil, which may carry odd bytes as lone surrogates, valid UTF-8 without NUL."""
    try:
        return decode(text.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:  # a surrogate that stands for no byte: a file name of Windows
        return decode(text.encode("utf-8", "backslashreplace"))
