"""The web page: reads the public API and nothing else, so what is here serves files, words and a policy."""
