"""What an exported file holds, too: standard library only, in one file when written."""
