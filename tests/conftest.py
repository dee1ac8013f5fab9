"""The suite as it was started in; out comes one whose servers can be interrupted, as a person would."""

import signal

# A shell's background job ignores interrupts, and what it starts inherits that: a test that presses Ctrl-C would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
