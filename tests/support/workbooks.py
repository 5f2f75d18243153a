"""Workbooks written part by part, as programs write them and as attackers do."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"

STYLES = (
    f'<styleSheet xmlns="{MAIN}"><numFmts count="2"><numFmt numFmtId="164" '
    'formatCode="yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot;"/>'
    '<numFmt numFmtId="165" formatCode="[Red]0.00&quot;days&quot;"/></numFmts>'
    '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/>'
    '<xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="49"/></cellXfs>'
    "</styleSheet>"
)
PLAIN, DATE, CHINESE_DATE, COLOURED, TEXT = range(5)
"""The cell styles above."""


def shared(number: int) -> str:
    """A cell with a shared text."""
    return f'<c t="s"><v>{number}</v></c>'


def number(value: str, style: int = PLAIN) -> str:
    """A cell with a number."""
    return f'<c s="{style}"><v>{value}</v></c>'


def inline(text: str) -> str:
    """A cell with its own text."""
    return f'<c t="inlineStr"><is><t>{escape(text)}</t></is></c>'


def formula(text: str, cached: str) -> str:
    """A cell that is calculated."""
    return f"<c><f>{escape(text)}</f><v>{cached}</v></c>"


def sheet(*rows: str, after: str = "") -> str:
    """A sheet's XML; a row is its cells, or a whole row element."""
    shown = "".join(row if row.startswith("<row") else f"<row>{row}</row>" for row in rows)
    return f'<worksheet xmlns="{MAIN}"><sheetData>{shown}</sheetData>{after}</worksheet>'


def write_workbook(
    path: Path,
    sheets: Mapping[str, str],
    *,
    texts: Sequence[str] = (),
    hidden: Sequence[str] = (),
    from_1904: bool = False,
    more: Mapping[str, bytes | str] | None = None,
) -> Path:
    """Write a workbook with these sheets."""
    entries, links = [], []
    for place, name in enumerate(sheets, 1):
        state = ' state="hidden"' if name in hidden else ""
        entries.append(f'<sheet name="{escape(name)}" sheetId="{place}"{state} r:id="rId{place}"/>')
        links.append(
            f'<Relationship Id="rId{place}" Type="{_OFFICE}/worksheet" '
            f'Target="worksheets/sheet{place}.xml"/>'
        )
    base = '<workbookPr date1904="1"/>' if from_1904 else ""
    parts: dict[str, bytes | str] = {
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{_OFFICE}">{base}'
        f"<sheets>{''.join(entries)}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}">{"".join(links)}'
        "</Relationships>",
        "xl/styles.xml": STYLES,
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">'
        + "".join(f"<si><t>{escape(text)}</t></si>" for text in texts)
        + "</sst>",
    }
    for place, content in enumerate(sheets.values(), 1):
        parts[f"xl/worksheets/sheet{place}.xml"] = content
    parts |= more or {}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path
