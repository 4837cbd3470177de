"""The evidence on one page: `report.json` with every number, and `report.html` beside it.

The page is one self-contained file in Chinese and English: no network, no script, pictures drawn as SVG by
`metier.report.charts`. It is made from the files that the other steps left, and says plainly what is missing.
"""

from metier.report.run import run_report
from metier.report.spec import ReportSpec

__all__ = ["ReportSpec", "run_report"]
