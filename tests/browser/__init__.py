"""The pages in a real browser: the demo and a site behind its password in; out comes what a person, or a screen reader, meets."""
