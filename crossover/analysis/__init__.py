"""From measurements to estimates and crossovers; never imports torch."""
