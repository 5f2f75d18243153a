"""What is said of a table that is imported, and of its rows, in the reader's language.

The services say it in English, for terminals and files alike; here each of their sentences is known
by its shape, with its values. What is not known comes as it is, and a test sees to it that what
people meet is.
"""

from __future__ import annotations

# ruff: noqa: E501  a table is read by its lines
import re
from collections.abc import Sequence
from dataclasses import dataclass

from api.console.languages import Language
from ledger.errors import InvalidFile, LedgerError
from ledger.services.imports.columns import COLUMNS, Subject
from ledger.services.imports.spool import Line
from ledger.services.spreadsheets.tables import Problem


def _(text: str) -> str:
    """Marks a string for the catalogues."""
    return text


_SHAPES: Sequence[tuple[str, str]] = (
    # --- the file as a whole ---
    (r"(?:is|was) past row (?P<most>\d+), .*", _("The table has more than %(most)s rows; split it.")),
    (r"is an old workbook .*", _("This is an old workbook, or one with a password; save it as .xlsx without one.")),
    (r"the header holds a (?P<kind>.+) \((?P<cell>.*)\)", _("The headings must be plain text; one of them is not: %(cell)s.")),
    (r"the header has no column (?P<names>.+)", _("The first line lacks the heading %(names)s. Begin with the empty table offered here.")),
    (r"the header has an unknown column (?P<names>.+)", _("The first line has a heading that is not known: %(names)s. Take that column away, or begin with the empty table offered here.")),
    (r"the header has twice the column (?P<names>.+)", _("The first line has a heading twice: %(names)s.")),
    (r"is a web page or XML.*", _("This is a web page and no table, whatever it is called; save it as .xlsx.")),
    (r"has its cells separated by .*", _("Its cells are not separated by commas; save it as .xlsx.")),
    (r"is UTF-16; .*", _("The file has an encoding that is not read (UTF-16); save it as .xlsx.")),
    (r"is not GB 18030", _("This line is not in the encoding that you chose; let it be found out, or save the file as .xlsx.")),
    (r"is not UTF-8.*", _("This line cannot be read as text; save the file as .xlsx.")),
    (r"is UTF-8 and line (?P<line>\d+) is not: .*", _("The file has two encodings: this line has another than line %(line)s. Save it as .xlsx.")),
    (r"has more than (?P<most>\d+) bytes, as no line .*", _("The line is longer than any of a table.")),
    (r"the file has more than (?P<most>\d+) bytes; split it", _("The file is too large; split it.")),
    (r"has merged cells \((?P<where>.+)\).*", _("Cells are merged (%(where)s); unmerge them, so that each row has its own.")),
    (r"has (?P<count>\d+) sheets \((?P<names>.+)\); name one.*", _("The workbook has several sheets (%(names)s). Write below which one is meant.")),
    (r"has no sheet (?P<name>.+) \(it has (?P<names>.+)\)", _("The workbook has no sheet %(name)s; it has %(names)s.")),
    (r"is an OpenDocument file.*|is a binary workbook.*", _("A workbook of this kind is not read; save it as .xlsx.")),
    (r"is encrypted; .*", _("The workbook has a password; save it without one.")),
    (r"unpacks to .*|nests XML .*|holds a piece of XML .*|holds a document type .*|has more than \d+ styles|has \d+ parts.*", _("The workbook holds more than a table does, or what no table holds. Copy the rows into a new workbook and send that.")),
    (r"is not a workbook.*|is damaged.*|has the part .*", _("The workbook is damaged. Open it, save it anew as .xlsx, and send that.")),
    (r"has a cell past column \d+|holds a text of more than \d+ characters", _("A cell or a row is longer than any of a table.")),
    (r"(?:unexpected end of data|.*delimiter expected.*|.*quot.*|field larger .*|line contains NUL)", _("The quotation marks are wrong here. Save the file as .xlsx.")),
    # --- cells ---
    (r"filled in, or named for all rows with --programme", _("name a programme, in the column or above the file")),
    (r"filled in, or named for all rows with --expires", _("name a day, in the column or above the file")),
    (r"filled in; name one document for all.*", _("name a document, in the column or above the file")),
    (r"filled in, or name_en", _("write a name in at least one language")),
    (r"filled in with a tier's number or key", _("write a tier's number or key")),
    (r"filled in", _("must be filled in")),
    (r"at most (?P<most>\d+) characters long", _("at most %(most)s characters")),
    (r"a whole number in digits, 1 to (?P<most>\d+).*", _("must be a whole number in digits, 1 or more, without signs between them")),
    (r"a day such as 2027-01-31, .*format it as a date", _("the cell is a number; format it as a date")),
    (r"a day such as 2027-01-31.*", _("must be a day such as 2027-01-31")),
    (r"a programme's id or key", _("there is no such programme; write its number or key")),
    (r"one that is registered", _("no such organisation is registered; write its number or key")),
    (r"an address \(0x.*", _("must be an account: 0x and 40 digits")),
    (r"an address with a right checksum", _("the account has a typing error: its checksum is wrong")),
    (r"somebody's address|an account: it is zero", _("must be somebody's account")),
    (r"1 to 31 lower-case letters.*", _("must be a key: small letters, digits, dots and hyphens, at most 31")),
    (r"an open category of (?P<programme>.+): it is closed", _("the category is closed in %(programme)s")),
    (r"a category of (?P<programme>.+)", _("%(programme)s has no such category")),
    (r"a tier of (?P<programme>.+)", _("%(programme)s has no such tier")),
    (r"one of admit, .*", _("must be one of: 准入 admit, 续期 renew, 变更级别 tier, 暂停 suspend, 恢复 resume, 撤销 revoke")),
    (r"empty: it goes with .*", _("must be empty with this action")),
    (r"a commitment.*", _("must be the commitment of a kept document: 0x and 64 digits")),
    (r"text without control characters|text of one line|.*holds control characters.*", _("holds characters that are not printed, or line breaks")),
    (r"text that shows something, or none", _("shows nothing")),
    (r"text that begins otherwise than .*|.* holds a formula .*", _("holds a formula, or begins as one does; paste the cells as values")),
    (r".* holds an error \((?P<error>.+)\)", _("holds an error (%(error)s)")),
    (r".* has more than 15 digits.*", _("has more than 15 digits, which a spreadsheet program rounds; format the cell as text and type it again")),
    (r"is hidden; show it, or delete it", _("the row is hidden; show it, or delete it")),
    (r"has (?P<count>\d+) cells, the header has (?P<most>\d+)", _("the row has %(count)s cells, the first line has %(most)s")),
    # --- rows among rows ---
    (r"in the file once: it was in line (?P<line>\d+)", _("stands in line %(line)s, too; once is enough")),
    (r"another than line (?P<line>\d+), which asks for the same.*", _("asks for the same as line %(line)s. Give both a reference, or say below that equal rows are all meant")),
    (r"a new reference: .* \(import (?P<id>\w+), line (?P<line>\d+)\).*", _("was brought with other values (import %(id)s, line %(line)s). What is recorded is not edited; give it a new reference")),
    (r"as it was: the same was asked for .* in import (?P<id>\w+), line (?P<line>\d+).*", _("the same was asked for in import %(id)s, line %(line)s. Say below that equal rows are all meant if this is another")),
    # --- the ledger ---
    (r"a member of (?P<programme>.+) in good standing: it lapsed on (?P<day>.+)", _("its membership in %(programme)s lapsed on %(day)s")),
    (r"a member of (?P<programme>.+) in good standing: it never was one", _("is no member of %(programme)s")),
    (r"a member of (?P<programme>.+) in good standing: it is suspended", _("its membership in %(programme)s is suspended")),
    (r"a member of (?P<programme>.+) in good standing: it was revoked", _("its membership in %(programme)s was ended")),
    (r"one that is no member of (?P<programme>.+) yet; .*", _("is a member of %(programme)s already; renew it, or change its tier")),
    (r"an account that acts for no other: it acts for organisation (?P<number>\d+)", _("the account acts for organisation %(number)s already")),
    (r"a new one: organisation (?P<number>\d+) has it", _("organisation %(number)s has this key")),
    (r"within the most that the issuer may give in one award: (?P<left>\d+), .*", _("more than may be awarded at once: %(left)s")),
    (r"within what the issuer's budget leaves this epoch: (?P<left>\d+), .*", _("more than the budget of this epoch leaves after the rows before it: %(left)s")),
    (r"within what its budget of the category leaves: (?P<left>\d+), .*", _("more than the budget of the category leaves after the rows before it: %(left)s")),
    (r"within what the programme's cap leaves: (?P<left>\d+), .*", _("more than the cap of the programme leaves after the rows before it: %(left)s")),
    # --- what is worth knowing ---
    (r"was brought before, with this file", _("was brought before, with this file")),
    (r"was brought before, by import (?P<id>\w+), line (?P<line>\d+)", _("was brought before, by import %(id)s, line %(line)s")),
    (r"is on its way", _("is on its way")),
    (r"is a member already", _("is a member already")),
    (r"is registered as organisation (?P<number>\d+)", _("is registered as organisation %(number)s")),
    # --- what a row asks for ---
    (r"(?P<amount>\d+) (?P<category>\S+) to (?P<name>.+)", _("%(amount)s credits to %(name)s (%(category)s)")),
    (r"register (?P<name>.+)", _("Register %(name)s")),
    (r"admit (?P<name>.+)", _("Admit %(name)s")),
    (r"renew (?P<name>.+)", _("Renew %(name)s")),
    (r"tier (?P<name>.+)", _("Another tier for %(name)s")),
    (r"suspend (?P<name>.+)", _("Suspend %(name)s")),
    (r"resume (?P<name>.+)", _("End the suspension of %(name)s")),
    (r"revoke (?P<name>.+)", _("End the membership of %(name)s")),
)  # fmt: skip
_KNOWN = tuple((re.compile(shape, re.DOTALL), said) for shape, said in _SHAPES)

_CODES = {
    "access.denied": _("you do not hold the office for this here, or it is more than your budget allows"),
    "access.server_cannot_sign": _("the key that signs this import may not do so here; bring these rows in a file of their own"),
}  # fmt: skip


_CELL = re.compile(
    r"(?P<field>\w+) (?P<value>'[^']*'|\"[^\"]*\") is not (?P<expected>.+)", re.DOTALL
)
_COUNT = re.compile("[0-9]{1,18}")
_REFUSAL = re.compile(
    r"\b(?:Authority|Programmes|Organisations|Memberships|Credits|Journal)[A-Z][A-Za-z]+\b"
)


def is_known(text: str) -> bool:
    """Whether a sentence of the services is one that is said in every language."""
    return any(shape.fullmatch(text) for shape, _said in _KNOWN)


def say(language: Language, text: str) -> str:
    """A sentence of the services in the reader's language; as it is where it is not known."""
    for shape, said in _KNOWN:
        match = shape.fullmatch(text)
        if match is not None:
            values = {name: _number(language, value) for name, value in match.groupdict().items()}
            return language.translations.gettext(said) % values
    return text


def _number(language: Language, text: str) -> str:
    return language.number(int(text)) if _COUNT.fullmatch(text) else text


def say_column(language: Language, subject: Subject, name: str) -> str:
    """A column as its heading is in the reader's language."""
    for column in COLUMNS[subject]:
        if column.name == name:
            return column.chinese if language.is_chinese else column.name
    return language.translations.gettext(_("the row")) if name == "row" else name


def say_problem(language: Language, problem: Problem) -> str:
    """Why a cell cannot be used."""
    if problem.expected in _CODES:
        return language.translations.gettext(_CODES[problem.expected])
    for text in (problem.sentence, problem.expected):
        if text and is_known(text):
            return say(language, text)
    return problem.sentence or problem.expected


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with a row: the column, what it holds, and why; `name` is what a contract calls
    its refusal."""

    column: str
    value: str
    why: str
    name: str = ""


def say_wrong(language: Language, subject: Subject, line: Line) -> list[Wrong]:
    """All that is wrong with a row."""
    return [
        Wrong(
            say_column(language, subject, each.field),
            "" if each.field == "row" else each.value,
            say_problem(language, each),
            refusal_in(each.sentence),
        )
        for each in line.problems
    ]


def refusal_in(sentence: str) -> str:
    """The contract's error that a sentence names, empty for none."""
    match = _REFUSAL.search(sentence)
    return match[0] if match else ""


def say_result(language: Language, subject: Subject, text: str) -> str:
    """Why nothing came of a row, as it is kept: a sentence, or cells and what they are not."""
    pieces = [text] if _CELL.fullmatch(text) or is_known(text) else text.split("; ")
    return "; ".join(_say_cell(language, subject, each) for each in pieces)


def _say_cell(language: Language, subject: Subject, text: str) -> str:
    match = _CELL.fullmatch(text)
    if match is None:
        field, _space, rest = text.partition(" ")
        is_cell = is_known(rest) and not is_known(text)
        return (
            f"{say_column(language, subject, field)}: {say(language, rest)}"
            if is_cell
            else say(language, text)
        )
    column = say_column(language, subject, match["field"])
    return f"{column} {match['value']}: {say(language, match['expected'])}"


def say_file(language: Language, error: LedgerError) -> str:
    """Why a file cannot be read, with the line; empty where the error is about no file."""
    if not isinstance(error, InvalidFile):
        return ""
    said = say(language, str(error.values["problem"]))
    where = language.translations.gettext(_("Line %(line)s: %(said)s"))
    return where % {"line": error.values["line"], "said": said}
