"""Does this program find crossovers that are known exactly, here and now?"""
