"""Findings as people read them: numbers, sentences, tables, documents."""
