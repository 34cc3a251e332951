"""Readers that turn what users have on disk into ``Samples``, and the splits of the evaluation protocol."""
