"""The report: claims, tables and plots, all computed from the files of single runs."""
