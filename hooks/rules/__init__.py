"""The rules, one module per clinical topic, one function per recommendation; the hook modules say which are live."""
