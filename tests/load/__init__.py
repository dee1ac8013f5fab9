"""The server under load, as operations run it: restarts, killed workers, slow clients, bursts, and memory over a long time."""
