"""A built CDS Hooks Sandbox in; the running service seen through it, hook by hook, out. See docs/real-clients.md."""
