"""Downloads the comparison's public data sets from their sources and prepares them: `python -m xpeft fetch`."""
