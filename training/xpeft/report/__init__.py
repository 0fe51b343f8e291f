"""The report: tables, plots and what does not hold, all computed from the files of single runs."""
