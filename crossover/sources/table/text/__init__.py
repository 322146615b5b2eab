"""A table of any form and spelling, read as rows of texts and as numbers."""
