"""The fuzz: generated requests against the real server, each made anew from a seed and its number."""
