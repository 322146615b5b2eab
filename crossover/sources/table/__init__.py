"""Anybody's long table of times, read column by column with its doubts."""
