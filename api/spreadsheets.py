"""Tables that spreadsheet programs open: CSV and XLSX, in which nothing is calculated.

Text that a program would take for a formula is text: behind an apostrophe in CSV (OWASP, CSV
injection), and in a cell of text in XLSX, which no program calculates. The XLSX is written by hand
(ECMA-376, the least that is one): a package would be larger than what it does for us.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

from ledger.office.profiles import may_be_formula

CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Cell = str | int
_LOST = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # XML 1.0 has none

_TYPES = """<?xml version="1.0" encoding="UTF-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">\
<Default Extension="rels" \
ContentType="application/vnd.openxmlformats-package.relationships+xml"/>\
<Default Extension="xml" ContentType="application/xml"/>\
<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.\
spreadsheetml.sheet.main+xml"/>\
<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-\
officedocument.spreadsheetml.worksheet+xml"/></Types>"""
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELS = '<?xml version="1.0" encoding="UTF-8"?>\n<Relationships xmlns="http://schemas.openxml'
_RELS += 'formats.org/package/2006/relationships"><Relationship Id="rId1" Type="{}" Target="{}"/>'
_RELS += "</Relationships>"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_WORKBOOK = f"""<?xml version="1.0" encoding="UTF-8"?>
<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>\
<sheet name="Statement" sheetId="1" r:id="rId1"/></sheets></workbook>"""


def write_csv(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """A CSV file in UTF-8, with the mark that makes Excel read it so."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    for row in rows:
        writer.writerow([_plain(cell) for cell in row])
    return b"\xef\xbb\xbf" + text.getvalue().encode("utf-8", "replace")


def write_xlsx(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """A workbook with one sheet."""
    lines = [_line(1, header)]
    lines += [_line(number, row) for number, row in enumerate(rows, start=2)]
    sheet = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<worksheet xmlns="{_MAIN}"><sheetData>'
        + "".join(lines)
        + "</sheetData></worksheet>"
    )
    parts = {
        "[Content_Types].xml": _TYPES,
        "_rels/.rels": _RELS.format(f"{_OFFICE}/officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": _WORKBOOK,
        "xl/_rels/workbook.xml.rels": _RELS.format(f"{_OFFICE}/worksheet", "worksheets/sheet1.xml"),
        "xl/worksheets/sheet1.xml": sheet,
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            # The time of a file is left out, so that equal statements are equal bytes.
            archive.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _plain(cell: Cell) -> Cell:
    return "'" + cell if isinstance(cell, str) and may_be_formula(cell) else cell


def _line(number: int, row: Sequence[Cell]) -> str:
    cells = "".join(_cell(f"{_column(place)}{number}", cell) for place, cell in enumerate(row))
    return f'<row r="{number}">{cells}</row>'


def _cell(place: str, cell: Cell) -> str:
    if isinstance(cell, int):
        return f'<c r="{place}"><v>{cell}</v></c>'
    text = escape(_LOST.sub("\ufffd", cell))
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _column(place: int) -> str:
    return chr(ord("A") + place)
