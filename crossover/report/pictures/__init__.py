"""Every figure: its data, its axes, its caption; `drawing` comes before matplotlib."""

from crossover.report.pictures import drawing as drawing
