"""An annual report as offices publish them, made up: Chinese and English pages, three-line tables, charts, and text of
which one sentence contradicts its table (revenue grew by 11.84 %, the text says 18.4 %)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.knowledge.pdfs import FONT

KEY_FIGURES = [
    ["项目", "2023年", "2022年", "本年比上年增减(%)"],
    ["营业收入", "12,560.40", "11,230.80", "11.84"],
    ["营业成本", "8,164.26", "7,412.33", "10.14"],
    ["归属于上市公司股东的净利润", "1,382.15", "1,268.90", "8.93"],
    ["经营活动产生的现金流量净额", "-215.60", "986.42", "-121.86"],
    ["应收账款", "3,420.75", "2,310.20", "48.07"],
    ["总资产", "21,875.00", "19,640.00", "11.38"],
]
SEGMENTS = [
    ["分产品", "2021年", "2022年", "2023年"],
    ["智能仪表", "4,120.5", "4,960.3", "5,874.2"],
    ["工业传感器", "3,015.0", "3,402.5", "3,806.2"],
    ["软件与服务", "2,240.0", "2,868.0", "2,880.0"],
    ["合计", "9,375.5", "11,230.8", "12,560.4"],
]
BALANCE = [
    ["RMB million", "December 31, 2023", "December 31, 2022"],
    ["Cash and cash equivalents", "2,105.3", "2,650.8"],
    ["Accounts receivable", "3,420.8", "2,310.2"],
    ["Inventories", "1,866.4", "1,702.9"],
    ["Total current assets", "7,392.5", "6,663.9"],
    ["Total assets", "21,875.0", "19,640.0"],
    ["Total liabilities", "9,625.0", "8,445.2"],
]
GUIDANCE = "公司计划2024年营业收入增长15%。"
TEXT_ZH = (
    "2023年，公司实现营业收入125.60亿元，同比增长18.4%；归属于上市公司股东的净利润13.82亿元，同比增长8.93%。"
    "应收账款34.21亿元，同比增长48.07%，主要由于大客户账期延长。"
)
TEXT_EN = (
    "Total assets rose by 11.4% to RMB 21,875.0 million at the end of 2023. "
    "Inventories increased by RMB 163.5 million. "
    "A material weakness in the control over receivables was found and is being put right."
)


def annual_report(path: Path) -> Path:
    """The report as a PDF of four pages: figures, segments with a chart, balance sheet, outlook."""
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.lib.units import cm
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Spacer

    if FONT not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    title = ParagraphStyle("title", fontName=FONT, fontSize=18, leading=26, spaceAfter=12)
    head = ParagraphStyle("head", fontName=FONT, fontSize=13, leading=20, spaceBefore=10, spaceAfter=6)
    body = ParagraphStyle("body", fontName=FONT, fontSize=10.5, leading=17, spaceAfter=6, wordWrap="CJK")
    english = ParagraphStyle("english", parent=body, fontName="Helvetica", wordWrap=None)
    unit = ParagraphStyle("unit", parent=body, alignment=2, fontSize=9)
    parts: list[Any] = [
        Paragraph("远山仪表股份有限公司 2023年年度报告", title),
        Paragraph("一、主要会计数据", head),
        Paragraph(TEXT_ZH, body),
        Paragraph("表1 主要会计数据和财务指标", body),
        Paragraph("单位：百万元 币种：人民币", unit),
        three_line(KEY_FIGURES, [6.4, 3, 3, 3.6]),
        PageBreak(),
        Paragraph("二、主营业务分析", head),
        Paragraph("表2 主营业务收入构成", body),
        Paragraph("单位：百万元", unit),
        three_line(SEGMENTS, [5, 3.4, 3.4, 3.4]),
        Spacer(1, 0.6 * cm),
        bars(),
        Paragraph("图1 2021年至2023年分产品收入（百万元）", body),
        PageBreak(),
        Paragraph("Consolidated balance sheet (extract)", ParagraphStyle("h", parent=head, fontName="Helvetica-Bold")),
        Paragraph(TEXT_EN, english),
        Paragraph("Table 3 Balance sheet, in RMB million", english),
        three_line(BALANCE, [6.4, 4.6, 4.6], font="Helvetica"),
        PageBreak(),
        Paragraph("三、展望与风险", head),
        Paragraph(GUIDANCE + "公司部分产品以美元结算，汇率波动可能影响利润。", body),
    ]
    document = SimpleDocTemplate(str(path), pagesize=A4, title="远山仪表 2023年年度报告", topMargin=2 * cm)
    document.build(parts)
    return path


def three_line(rows: list[list[str]], widths: list[float], *, font: str = FONT) -> Any:
    """A table with three lines and no others."""
    from reportlab.lib.units import cm
    from reportlab.platypus import Table, TableStyle

    table = Table(rows, colWidths=[width * cm for width in widths], rowHeights=0.75 * cm)
    table.setStyle(
        TableStyle(
            [
                ("FONT", (0, 0), (-1, -1), font, 9.5),
                ("ALIGN", (1, 0), (-1, -1), "RIGHT"),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ("LINEABOVE", (0, 0), (-1, 0), 1.2, "black"),
                ("LINEBELOW", (0, 0), (-1, 0), 0.6, "black"),
                ("LINEBELOW", (0, -1), (-1, -1), 1.2, "black"),
            ]
        )
    )
    return table


def bars() -> Any:
    """A bar chart of the segments."""
    from reportlab.graphics.charts.barcharts import VerticalBarChart
    from reportlab.graphics.charts.legends import Legend
    from reportlab.graphics.shapes import Drawing
    from reportlab.lib.colors import HexColor

    drawing = Drawing(440, 220)
    chart = VerticalBarChart()
    chart.x, chart.y, chart.width, chart.height = 45, 40, 370, 160
    chart.data = [[float(cell.replace(",", "")) for cell in row[1:]] for row in SEGMENTS[1:-1]]
    chart.categoryAxis.categoryNames = SEGMENTS[0][1:]
    chart.categoryAxis.labels.fontName = FONT
    colours = [HexColor(one) for one in ("#1f6feb", "#2da44e", "#bf8700")]
    for number, colour in enumerate(colours):
        chart.bars[number].fillColor = colour
    legend = Legend()
    legend.x, legend.y, legend.fontName, legend.fontSize = 60, 215, FONT, 8
    legend.columnMaximum, legend.deltax = 1, 90
    legend.colorNamePairs = [(colour, row[0]) for colour, row in zip(colours, SEGMENTS[1:-1], strict=True)]
    drawing.add(chart)
    drawing.add(legend)
    return drawing
